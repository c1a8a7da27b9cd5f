"""Which stretches of a recording become examples: the window rules of spec S4, and where in a sound the word is."""

from __future__ import annotations

import numpy as np

from edge_tl.audio import FRAMES, check_sound
from edge_tl.errors import ExampleError, ShapeError

HOP_FRAMES = 11
"""From one window of a recording to the next."""
_STEP_S = 0.01
_SMOOTH_STEPS = 5
_ABOVE_FLOOR_DB = 10.0  # what a peak must rise above the quiet part of its recording to be a word
_BELOW_PEAK_DB = 25.0  # the word's quiet ends, unless the floor is higher
_GAP_STEPS = 25  # a pause within a word (a stop consonant, "backward") is shorter than this


def noise_windows(frames: int, width: int = FRAMES, hop: int = HOP_FRAMES) -> list[tuple[int, int]]:
    """The (start, end) of every window of a recording of noise: starts 0, hop, … while they fit (spec S4)."""
    return [(start, start + width) for start in range(0, frames - width + 1, hop)]


def word_windows(frames: int, focus: int, width: int = FRAMES, hop: int = HOP_FRAMES) -> list[tuple[int, int]]:
    """The (start, end) of every window of a recording that holds its word (spec S4); none where none fits.

    `focus`: the frame of the word, 0 … frames − 1; ShapeError for another. The windows begin a hop apart, the first as
    early as the focus is still within, the last no later than the focus.
    """
    if not 0 <= focus < max(frames, 1):
        raise ShapeError(f"the focus is frame {focus}; one of 0 to {frames - 1} is wanted")
    if frames < width:
        return []
    left = min(max(focus - width // 2, 0), frames - width)
    while left - hop >= 0 and focus < left - hop + width:
        left -= hop
    return [(start, start + width) for start in range(left, min(focus, frames - width) + 1, hop)]


def focus_frame(plane: np.ndarray) -> int:
    """The loudest frame of a spectrogram (frames, bins) in dB: the argmax of the frames' means, the first of a tie."""
    if plane.ndim != 2 or not plane.size:
        raise ShapeError(f"got {plane.dtype} {plane.shape}; a spectrogram (frames, bins) is wanted")
    return int(plane.mean(axis=1).argmax())


def levels(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """The loudness of a sound every 10 ms: float64 (steps,) in dB of full scale, smoothed over 50 ms; silence −100.

    `samples`: float32 (n,), at least 10 ms (ShapeError). What remains after the last whole step is left out.
    """
    check_sound(samples)
    step = round(rate_hz * _STEP_S)
    whole = len(samples) // step
    if not whole:
        raise ShapeError(f"the sound has {len(samples)} samples; {step} (10 ms) and more are wanted")
    power = np.square(samples[: whole * step].reshape(whole, step), dtype=np.float64).mean(axis=1)
    wide = np.pad(power, _SMOOTH_STEPS // 2, mode="edge")
    smooth = np.convolve(wide, np.full(_SMOOTH_STEPS, 1 / _SMOOTH_STEPS), mode="valid")
    return np.asarray(10 * np.log10(np.maximum(smooth, 1e-10)))


def word_span(samples: np.ndarray, rate_hz: int) -> tuple[int, int] | None:
    """Where in a sound the word is: its (start, end) in samples; None where nothing rises 10 dB above the quiet.

    The stretch around the loudest moment that stays above both the quiet part of the recording + 10 dB and the peak
    − 25 dB, pauses under a quarter of a second included. The quiet part is the lowest tenth of the recording, so that
    a steady noise is no word, and neither is one that was cut out so closely that nothing quiet is left.
    """
    loudness = levels(samples, rate_hz)
    step = round(rate_hz * _STEP_S)
    peak, quiet = float(loudness.max()), float(np.percentile(loudness, 10))
    if peak - quiet < _ABOVE_FLOOR_DB:
        return None
    loud = np.flatnonzero(loudness >= max(quiet + _ABOVE_FLOOR_DB, peak - _BELOW_PEAK_DB))
    # The runs of loud steps, joined over short pauses; the one with the peak is the word.
    breaks = np.flatnonzero(np.diff(loud) > _GAP_STEPS)
    firsts, lasts = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, len(loud) - 1]]
    run = int(np.searchsorted(firsts, int(loudness.argmax()), side="right")) - 1
    return int(firsts[run]) * step, min((int(lasts[run]) + 1) * step, len(samples))


def cut_word(samples: np.ndarray, rate_hz: int, length: int) -> np.ndarray:
    """The `length` samples around the word of a recording, a new array; ExampleError where no word is heard.

    The word's middle becomes the middle of the cut as far as the recording reaches: the cut is moved rather than
    filled with silence. A recording shorter than `length` is returned whole.
    """
    span = word_span(samples, rate_hz)
    if span is None:
        raise ExampleError("no word is heard in the recording; speak louder or nearer to the microphone")
    if len(samples) <= length:
        return samples.copy()
    start = min(max((span[0] + span[1] - length) // 2, 0), len(samples) - length)
    return samples[start : start + length].copy()
