"""Why nothing was told and nothing steered, in a line: whoever shows a sign or says a word should not have to guess."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from device.teach.notice import is_dark
from edge_tl.controller import Controller
from edge_tl.line import Line, Sight, SoundLine
from edge_tl.line.movement import MovementLine
from edge_tl.listener import SILENT, Near

AFTER_S = 5.0
"""Nothing is said before so long nothing came of what was seen or heard."""
_UNSURE = "not confident enough"


def unheard(threshold: float, near: Near | None, at_s: float | None = None) -> str:
    """`heard nothing above 0.85; nearest: left .73 at 1.7 s`, and why, where the nearest was likely and yet not told.

    near: None where not one window of sound was heard. at_s: when, left out where it says nothing.
    """
    if near is None:
        return "heard nothing: less than one window of sound"
    at = "" if at_s is None else f" at {at_s:.1f} s"
    because = f", {reason(near)}" if reason(near) else ""
    return f"heard nothing above {threshold:g}; nearest: {near.label} {_short(near.counted)}{at}{because}"


def reason(near: Near) -> str:
    """Why a window was not told, apart from being unsure; empty where that is all."""
    if near.likeliest in SILENT:
        return f"rather {near.likeliest}"
    return "unlike all training examples" if near.familiar < 0.5 else ""


@dataclass(frozen=True)
class FrameProblem:
    """What was wrong with one frame."""

    wrong: str
    """Why nothing came of it, in words; empty for a window that was only unsure."""
    sure: float
    """How sure it was, 0 to 1 …"""
    label: str = ""
    """… of what."""
    near: Near | None = None
    """Of sound: how near it came to a word."""


class Silence(ABC):
    """What one line saw or heard since something came of it; `why` says after five seconds what was wrong with it.

    clock: seconds, monotonic. verb: what becomes of a sign that is sure, "steers" or "is reported".
    """

    def __init__(self, line: Line, clock: Callable[[], float], verb: str = "is reported") -> None:
        self.line, self.clock, self.verb = line, clock, verb
        self._seen: deque[tuple[float, FrameProblem]] = deque()
        """Of the last seconds: when, and what was wrong."""
        self.broken()

    def broken(self) -> None:
        """Something was told or steered, or nothing can be: the silence begins anew."""
        self._since_s = self.clock()
        self._seen.clear()

    def take(self, sight: Sight, busy: bool) -> None:
        """A frame while something was told or steered or is being taught (busy), or told with it, or neither."""
        if busy or (sight.steady is not None and sight.steady.changed):
            self.broken()
        else:
            self.saw(sight)

    def saw(self, sight: Sight) -> None:
        """Take in what became of a frame of which nothing came."""
        now_s, seen = self.clock(), self._judged(sight)
        if seen is not None:
            self._seen.append((now_s, seen))
        while self._seen and now_s - self._seen[0][0] > AFTER_S:
            self._seen.popleft()

    @property
    def why(self) -> str:
        """A short line; empty before five seconds of silence, and where there was nothing to judge."""
        if self.clock() - self._since_s < AFTER_S or not self._seen or not self._tells:
            return ""
        return self._said([seen for _, seen in self._seen])

    @property
    def _tells(self) -> bool:
        """Whether anything could be told: something was trained."""
        return self.line.controller is not None

    @abstractmethod
    def _judged(self, sight: Sight) -> FrameProblem | None:
        """What was wrong with a frame; None where there is nothing to judge."""

    @abstractmethod
    def _said(self, seen: list[FrameProblem]) -> str:
        """The line about the frames of the last seconds, one or more."""


class SignSilence(Silence):
    """The silence of a camera: what was wrong most often, and how sure the surest sign was."""

    def _judged(self, sight: Sight) -> FrameProblem | None:
        if sight.steady is None:
            return None
        label = sight.steady.label or (sight.observation.best if sight.observation is not None else "")
        return FrameProblem(self._wrong(sight), sight.steady.confidence, label)

    def _said(self, seen: list[FrameProblem]) -> str:
        wrong = Counter(one.wrong for one in seen).most_common(1)[0][0]
        if wrong != _UNSURE or not isinstance(self.line.controller, Controller):
            return wrong
        surest = max((one for one in seen if one.wrong == _UNSURE), key=lambda one: one.sure)
        return f"{_UNSURE}: {surest.label} {surest.sure:.0%}, {self.verb} from {self.line.controller.config.on:.0%} on"

    def _wrong(self, sight: Sight) -> str:
        """Why one frame steered nothing."""
        observation = sight.observation
        if is_dark(sight.frame.data):
            return "too dark to see anything"
        if sight.embedding is None:
            return f"no {self.line.recognizer.looks_for} found"
        if observation is not None and not observation.known:
            return "unlike all training examples"
        if sight.steady is not None and sight.steady.label is not None:
            return f"sees {sight.steady.label}, which steers in no direction"
        return _UNSURE


class WordSilence(Silence):
    """The silence of a microphone: the last word that steers nowhere, else what came nearest to one."""

    def __init__(self, line: SoundLine, clock: Callable[[], float], verb: str = "is reported") -> None:
        super().__init__(line, clock, verb)
        self._hears = line

    def _judged(self, sight: Sight) -> FrameProblem | None:
        if sight.steady is not None and sight.steady.label is not None:
            return FrameProblem(f"heard {sight.steady.label}, which steers in no direction", 1.0)
        near = self._hears.near
        return None if near is None else FrameProblem("", near.counted, near=near)

    def _said(self, seen: list[FrameProblem]) -> str:
        heard = [one.wrong for one in seen if one.wrong]
        if heard or self._hears.controller is None:
            return heard[-1] if heard else ""
        return unheard(self._hears.controller.config.threshold, max(seen, key=lambda one: one.sure).near)


class MovementSilence(Silence):
    """The silence of movements: the last one that was doubted or steers nowhere, else that no hand is there."""

    def __init__(self, line: MovementLine, clock: Callable[[], float], verb: str = "is reported") -> None:
        super().__init__(line, clock, verb)
        self._watches = line

    @property
    def _tells(self) -> bool:
        return self.line.recognizer.fitted

    def _judged(self, sight: Sight) -> FrameProblem | None:
        if sight.moved is not None:
            return FrameProblem(
                f"saw {sight.moved.label}, which steers in no direction", sight.moved.confidence, sight.moved.label
            )
        if is_dark(sight.frame.data):
            return FrameProblem("too dark to see anything", 0.0)
        if self._watches.hand is None:
            return FrameProblem("no hand found", 0.0)
        doubt = self._watches.doubted
        return None if doubt is None else FrameProblem(doubt.why, doubt.moved.confidence, doubt.moved.label)

    def _said(self, seen: list[FrameProblem]) -> str:
        moved = [one.wrong for one in seen if one.label]
        return moved[-1] if moved else Counter(one.wrong for one in seen).most_common(1)[0][0]


SILENCES: dict[str, Callable[..., Silence]] = {
    "picture": SignSilence,
    "sound": WordSilence,
    "movement": MovementSilence,
}
"""By the kind of the line."""


def _short(share: float) -> str:
    """A share as `.73`; `1.00` where it is whole."""
    return f"{share:.2f}".removeprefix("0")
