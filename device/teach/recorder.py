"""From keys to examples: frames while a key is held, or one word after a key was pressed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from device.teach.lesson import Lesson
from device.teach.movement_recorder import MovementRecorder
from device.teach.players import show
from edge_tl.labels import NOISE
from edge_tl.line import Line, Sight, SoundLine
from edge_tl.media.sound import pieces
from edge_tl.words.utterance import NOISE_S, Utterance

FIRST_S = 0.7
"""A key counts as held this long after its first press: keyboards wait 0.25 to 0.66 s before they repeat."""
REPEAT_S = 0.25
"""And this long after each repeat: over a slow link repeats come 30 to 150 ms apart."""


class KeyHold:
    """Turns key presses and their repeats into "this key is held", and `toggle` into "until told otherwise".

    A terminal sends no key-up. The first press holds for FIRST_S; every repeat holds for REPEAT_S more.
    A keyboard without repeat uses `toggle` to start and to stop.
    """

    def __init__(self) -> None:
        self._key: str | None = None
        self._until_s = 0.0
        self._toggled = False

    def press(self, key: str, now_s: float) -> None:
        """A key came at `now_s` (seconds of any monotonic clock)."""
        if self.held(now_s) == key and not self._toggled:
            self._until_s = max(self._until_s, now_s + REPEAT_S)
        else:
            self._key, self._until_s, self._toggled = key, now_s + FIRST_S, False

    def toggle(self, key: str, now_s: float) -> None:
        """Hold `key` until `toggle` or another key ends it."""
        if self.held(now_s) is not None and self._toggled:
            self.release()
        else:
            self._key, self._toggled = key, True

    def release(self) -> None:
        """Nothing is held any more."""
        self._key, self._toggled = None, False

    def held(self, now_s: float) -> str | None:
        """The key that is held at `now_s`, or None."""
        if self._key is not None and not self._toggled and now_s >= self._until_s:
            self._key = None
        return self._key


class Recorder(Protocol):
    """What the teach screen tells of keys and frames."""

    ends_itself: bool
    """Whether a take ends without a key."""

    @property
    def prompt(self) -> str:
        """What the person should do now, in a line; empty where nothing is being recorded."""

    def press(self, label: str) -> None:
        """The key of a class came, or came again."""

    def toggle(self, label: str) -> None:
        """Start recording a class, or stop it."""

    def release(self) -> None:
        """Stop recording."""

    def step(self, sight: Sight | None) -> bool:
        """Take what was seen or heard; True where a take has just ended."""


class HoldRecorder:
    """Pictures: frames are recorded while a key is held."""

    prompt = ""
    ends_itself = False

    def __init__(self, line: Line, lesson: Lesson, clock: Callable[[], float]) -> None:
        self.line, self.lesson, self.clock = line, lesson, clock
        self._holding = KeyHold()

    def press(self, label: str) -> None:
        """A key press, or its repeat, holds the class for a moment more."""
        self._holding.press(label, self.clock())

    def toggle(self, label: str) -> None:
        """Record until told otherwise."""
        self._holding.toggle(label, self.clock())

    def release(self) -> None:
        """Nothing is held any more."""
        self._holding.release()

    def step(self, sight: Sight | None) -> bool:
        """Begin or end a take as the keys say, and add the frame to it."""
        label = self._holding.held(self.clock())
        ended = False
        if label != self.lesson.recording:
            ended = self.lesson.end()
            if label is not None:
                show(self.line.source, label)
                self.lesson.begin(label, self.line.source.name)
                if self.line.source.simulated:
                    sight = None  # it was drawn before the player was told what to show
        if sight is not None:
            self.lesson.frame(sight)
        return ended


class WordRecorder:
    """Sound: after a key the next word is recorded, cut out and kept; of the noise ten seconds in several parts."""

    ends_itself = True

    def __init__(self, line: SoundLine, lesson: Lesson, clock: Callable[[], float]) -> None:
        self.line, self.lesson, self.clock = line, lesson, clock
        self._utterance: Utterance | None = None
        self._label = ""

    @property
    def prompt(self) -> str:
        """What to say, or how long to be quiet."""
        if self._utterance is None:
            return ""
        if self._label == NOISE:
            return f"be quiet, background noise is recorded: {(1 - self._utterance.share) * NOISE_S:.0f} s more"
        return f"say {self._label} now"

    def press(self, label: str) -> None:
        """Listen for the next word; while one is being recorded, a key's repeats do nothing."""
        if self._utterance is None:
            self._label, self.lesson.recording = label, label
            self._utterance = Utterance(list(self.line.recent), NOISE_S if label == NOISE else None)

    def toggle(self, label: str) -> None:
        """As `press`; while one is being recorded it stops that."""
        if self._utterance is None:
            self.press(label)
        else:
            self.release()

    def release(self) -> None:
        """What was begun is not kept."""
        self._utterance, self.lesson.recording = None, None

    def step(self, sight: Sight | None) -> bool:
        """Add the frame; ExampleError (one line) where no word was heard: nothing was kept then."""
        self.lesson.store.tick(self.clock())
        if self._utterance is None or sight is None:
            return False
        utterance, label = self._utterance, self._label
        try:
            sound = utterance.push(sight.frame)
        except BaseException:
            self.release()
            raise
        if sound is None:
            return False
        self.release()
        self.lesson.record(label, pieces(sound) if label == NOISE else [sound], self.line.source.name)
        return True


RECORDERS: dict[str, Callable[..., Recorder]] = {
    "picture": HoldRecorder,
    "sound": WordRecorder,
    "movement": MovementRecorder,
}
"""By the kind of the line."""
