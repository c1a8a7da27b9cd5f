"""A spoken word, cut out of what the microphone gives: from the press of a key until it is over."""

from __future__ import annotations

import numpy as np

from edge_tl.embedders.windows import levels, word_centre
from edge_tl.errors import ExampleError
from edge_tl.frames import Frame
from edge_tl.media.sound import Sound

BEFORE_S, AFTER_S = 1.05, 0.75
"""What is kept before and after the middle of the word: room for a window at all places where it is taught."""
WORD_S = 2.0
"""The longest that is waited for a word."""
QUIET_S = 0.45
"""The word is over when the sound has been quiet for so long."""
NOISE_S = 10.0
"""The length of a recording of background noise."""
_FALLEN_DB = 12.0  # below the loudest moment: quiet; between the syllables of a word it falls about as far, but shortly


class Utterance:
    """Collects frames of sound until a word is over, or for a fixed time.

    It begins with what was heard shortly before (`before`, frames without a gap): who presses a key while speaking
    loses nothing. `seconds`: None for a word, which ends when it is over.
    """

    def __init__(self, before: list[Frame], seconds: float | None = None) -> None:
        self.seconds = seconds
        self._frames = list(before) if seconds is None else []
        self._heard_s = 0.0

    @property
    def share(self) -> float:
        """How much of the longest time is over, 0 to 1."""
        return min(1.0, self._heard_s / (self.seconds or WORD_S))

    def push(self, frame: Frame) -> Sound | None:
        """Take a frame; the recording once it is over.

        ExampleError (one line) where no word was heard, or where frames were lost or the rate changed within it.
        """
        if self._frames and (frame.dropped or frame.rate_hz != self._frames[0].rate_hz):
            if self._heard_s:
                raise ExampleError("the microphone lost some sound: say it again")
            self._frames = []  # the gap lies before the key was pressed
        self._frames.append(frame)
        self._heard_s += _length_s(frame)
        assert frame.rate_hz is not None
        if self.seconds is not None:
            return self._whole() if self._heard_s >= self.seconds else None
        if self._heard_s < WORD_S and not self._over(frame.rate_hz):
            return None
        sound = self._whole()
        centre = word_centre(sound.samples, sound.rate_hz)
        if centre is None:
            raise ExampleError("no word was heard: speak louder, or nearer to the microphone")
        first = max(0, centre - round(BEFORE_S * sound.rate_hz))
        return Sound(sound.samples[first : centre + round(AFTER_S * sound.rate_hz)].copy(), sound.rate_hz)

    def _over(self, rate_hz: int) -> bool:
        """Whether a word was spoken since the key, and it has been quiet since."""
        samples = np.concatenate([frame.data for frame in self._frames])[-round(self._heard_s * rate_hz) :]
        if len(samples) < rate_hz // 2:
            return False
        loudness, quiet = levels(samples, rate_hz), round(QUIET_S * 100)
        peak = int(loudness.argmax())
        if word_centre(samples, rate_hz) is None or len(loudness) - peak <= quiet:
            return False
        return bool(loudness[-quiet:].max() < loudness[peak] - _FALLEN_DB) and len(loudness) - peak >= AFTER_S * 100

    def _whole(self) -> Sound:
        assert self._frames[0].rate_hz is not None
        return Sound(np.concatenate([frame.data for frame in self._frames]), self._frames[0].rate_hz)


def _length_s(frame: Frame) -> float:
    assert frame.rate_hz is not None
    return len(frame.data) / frame.rate_hz
