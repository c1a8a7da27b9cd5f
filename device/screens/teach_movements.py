"""The teach screen for movements: press a key, do the movement, stop; its path is drawn, and kept or undone."""

from __future__ import annotations

from collections.abc import Callable

from device.screens.panel import missing_text, movement_text
from device.screens.plain import PlainTeach
from device.screens.teach import KEYS, TeachScreen
from device.screens.terminal import Terminal
from device.teach.lesson import Lesson
from device.teach.movement_guide import MATTERS, missing, next_step
from device.teach.movement_recorder import MovementRecorder
from edge_tl.embedders.look.marks import Mark, hand_mark
from edge_tl.labels import ORDINARY
from edge_tl.line.movement import MovementLine, unmirrored, way_mark
from edge_tl.movements.windows import middles

MOVEMENT_HELP = (
    "1-9 then move  space end  tab select  n new class  s new session  u undo  d delete  m mirror  t train  p  q quit",
    "1-9, space, n new, s place, u undo, d del, m mirror, t train, p play, q quit",
    "1-9, space, n new, s place, u undo, d del, m mirror, t train, p, q",
)
MIRRORED = "the camera mirrors its pictures, and this is undone: m changes it"
PLAIN = "the camera does not mirror its pictures: m changes it; earlier examples are not changed"


class MovementScreen(TeachScreen):
    """As TeachScreen, for demonstrations of movements.

    mirror: called to say whether the camera mirrors from now on; remembers it.
    """

    line: MovementLine
    recorder: MovementRecorder

    def __init__(
        self,
        term: Terminal,
        line: MovementLine,
        lesson: Lesson,
        recorder: MovementRecorder,
        clock: Callable[[], float],
        train: Callable[[], str],
        mirror: Callable[[bool], None],
    ) -> None:
        super().__init__(term, line, lesson, recorder, clock, train)
        self.mirror = mirror
        self.message = f"press a number key, do the movement, and stop; {self._next()}"

    @property
    def helps(self) -> tuple[str, ...]:
        """The keys, the longest line first."""
        return MOVEMENT_HELP

    def key(self, key: str) -> str | None:
        """Act on one key, as TeachScreen; `m` says that the camera mirrors, or does not."""
        kept = self.recorder.kept
        done = super().key(key)
        if key == " " and self.recorder.kept != kept:
            self.message = self.advice()  # it ended what was being recorded
        return done

    def advice(self) -> str:
        """What became of the last demonstration, and what helps most next."""
        return f"{self.recorder.kept}; u deletes it; {self._next()}" if self.recorder.kept else self._next()

    def _next(self) -> str:
        """The guide's sentence, with the key that goes with it."""
        counts = self.lesson.counts()
        said = next_step(counts)
        if MATTERS in said and ORDINARY in self.lesson.labels[: len(KEYS)]:
            return f"{said}: press {KEYS[self.lesson.labels.index(ORDINARY)]}"
        return said if missing(counts) else f"{said}; t trains"

    def _hint(self, position: int) -> str:
        return super()._hint(position).replace("hold", "press")

    def _otherwise(self, key: str) -> str:
        if key != "m":
            return super()._otherwise(key)
        self.recorder.release()
        self.line.mirrored = not self.line.mirrored
        self.mirror(self.line.mirrored)
        return MIRRORED if self.line.mirrored else PLAIN

    def _undo(self, key: str) -> None:
        super()._undo(key)
        self.recorder.forget()

    def _train(self) -> None:
        self.recorder.release()
        self.lesson.end()
        self.message = missing(self.lesson.counts())
        if not self.message:
            self.message = "training …"
            if self.term.ready:
                self.draw()  # the screen stands still while it trains
            self.message = self.train()

    def _marks(self) -> list[Mark]:
        """The hand, and the path of what is being done or was kept last."""
        found = [] if self.line.hand is None else [hand_mark(self.line.hand)]
        if len(self.recorder.path):
            found.append(way_mark(unmirrored(middles(self.recorder.path), self.line.mirrored)))
        return found

    def _hint_line(self) -> tuple[str, str]:
        """What is wrong, no hand, what is odd, the movement that was told, or that the camera mirrors; its colour."""
        if self.line.fault:
            return self.line.fault, "red"
        if wrong := missing_text(self.line) or self._notice:
            return wrong, "orange"
        if (moved := self.line.lately) is not None:
            return f"→ {movement_text(moved)}", "yellow"
        if self.line.doubted is not None:
            return self.line.doubted.why, "grey"
        return MIRRORED if self.line.mirrored else "", "green"


class PlainMovements(PlainTeach, MovementScreen):
    """The same in lines."""
