"""Why nothing was told and nothing steered, in a line: whoever shows a sign or says a word should not have to guess."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

from device.teach.notice import is_dark
from device.teach.picture_line import Line, Sight
from device.teach.sound_line import Ear
from edge_tl.listener import SILENT, Near

AFTER_S = 5.0
"""Nothing is said before so long nothing came of what was seen or heard."""
_UNSURE = "too unsure"


def unheard(threshold: float, near: Near | None, at_s: float | None = None) -> str:
    """`heard nothing above 0.85; nearest: left .73 at 1.7 s`, and why, where the nearest was likely and yet not told.

    near: None where not one window of sound was heard. at_s: when, left out where it says nothing.
    """
    if near is None:
        return "heard nothing: no window of sound was whole yet"
    at = "" if at_s is None else f" at {at_s:.1f} s"
    because = f", {reason(near)}" if reason(near) else ""
    return f"heard nothing above {threshold:g}; nearest: {near.label} {_short(near.counted)}{at}{because}"


def reason(near: Near) -> str:
    """Why a window was not told, apart from being unsure; empty where that is all."""
    if near.likeliest in SILENT:
        return f"rather {near.likeliest}"
    return "unlike anything taught" if near.familiar < 0.5 else ""


class Silence:
    """What one line saw or heard since something came of it; `why` says after five seconds what was wrong with it.

    clock: seconds, monotonic. verb: what becomes of a sign that is sure, "steers" or "is told".
    """

    def __init__(self, line: Line | Ear, clock: Callable[[], float], verb: str = "is told") -> None:
        self.line, self.clock, self.verb = line, clock, verb
        self._seen: deque[tuple[float, str, float, str]] = deque()
        """Of the last seconds: when, what was wrong, and how sure it was of what."""
        self._near: deque[tuple[float, Near]] = deque()
        self.broken()

    def broken(self) -> None:
        """Something was told or steered, or nothing can be: the silence begins anew."""
        self._since_s = self.clock()
        self._seen.clear()
        self._near.clear()

    def take(self, sight: Sight, busy: bool) -> None:
        """A frame while something was told or steered or is being taught (busy), or told with it, or neither."""
        if busy or (sight.steady is not None and sight.steady.changed):
            self.broken()
        else:
            self.saw(sight)

    def saw(self, sight: Sight) -> None:
        """Take in what became of a frame of which nothing came."""
        now_s = self.clock()
        if isinstance(self.line, Ear):
            if sight.steady is not None and sight.steady.label is not None:
                self._seen.append((now_s, f"heard {sight.steady.label}, which steers nowhere", 1.0, ""))
            elif self.line.near is not None:
                self._near.append((now_s, self.line.near))
        elif sight.steady is not None:
            label = sight.steady.label or (sight.observation.best if sight.observation is not None else "")
            self._seen.append((now_s, self._wrong(sight), sight.steady.confidence, label))
        for kept in (self._seen, self._near):
            while kept and now_s - kept[0][0] > AFTER_S:
                kept.popleft()

    @property
    def why(self) -> str:
        """A short line; empty before five seconds of silence, and where there was nothing to judge."""
        if self.clock() - self._since_s < AFTER_S:
            return ""
        if isinstance(self.line, Ear):
            if self._seen:
                return self._seen[-1][1]
            listener = self.line.listener
            if listener is None or not self._near:
                return ""
            return unheard(
                listener.config.threshold, max((near for _, near in self._near), key=lambda one: one.counted)
            )
        if not self._seen or self.line.controller is None:
            return ""
        wrong = Counter(one[1] for one in self._seen).most_common(1)[0][0]
        if wrong != _UNSURE:
            return wrong
        _, _, sure, label = max((one for one in self._seen if one[1] == _UNSURE), key=lambda one: one[2])
        return f"{_UNSURE}: {label} {sure:.0%}, {self.verb} from {self.line.controller.config.on:.0%} on"

    def _wrong(self, sight: Sight) -> str:
        """Why one frame steered nothing."""
        observation = sight.observation
        if is_dark(sight.frame.data):
            return "too dark to see anything"
        if sight.embedding is None:
            return f"no {self.line.recognizer.sought} found"
        if observation is not None and not observation.known:
            return "unlike anything taught"
        if sight.steady is not None and sight.steady.label is not None:
            return f"sees {sight.steady.label}, which steers nowhere"
        return _UNSURE


def _short(share: float) -> str:
    """A share as `.73`; `1.00` where it is whole."""
    return f"{share:.2f}".removeprefix("0")
