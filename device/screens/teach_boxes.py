"""The screen of `teach --boxes`: hold still, press a class's key, draw the box around the thing, enter keeps it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from device.cli.calling import as_called
from device.screens import box as boxes
from device.screens.cells import fit, fit_apart, shrink, wrap
from device.screens.keyboard import PASTE
from device.screens.layouts import command, foreign
from device.screens.naming import NameField
from device.screens.teach import KEYS, PASTED
from device.screens.terminal import Terminal
from device.teach.box_lesson import NOTHING, BoxLesson
from device.teach.detect_line import COLOURS, DetectionWatch, WatchedPicture
from edge_tl.core.examples import Box
from edge_tl.errors import EdgeTLError
from edge_tl.media.image import boxed

HELP = (
    "1-9 draw a box  x no object  n new class  s new session  u undo  t train  q quit",
    "1-9 box, x nothing, n new, s place, u undo, t train, q quit",
)
DRAWING = "arrows move, + - size, < > width, f fine steps, enter saves, escape cancels"
COARSE, FINE = 0.05, 0.01
SHORTEST = 0.03
"""The shortest side of a box, as a share of the picture."""


class BoxScreen:
    """Runs until the person quits; watch: the camera, whose pictures are searched by what was trained so far."""

    def __init__(self, term: Terminal, watch: DetectionWatch, lesson: BoxLesson, clock: Callable[[], float]) -> None:
        self.term, self.watch, self.lesson, self.clock = term, watch, lesson, clock
        self.message = "show the object, press its number, and draw a box around it"
        self._seen: WatchedPicture | None = None
        self._still: np.ndarray | None = None
        self._box: Box = boxes.MIDDLE
        self._label = ""
        self._step = COARSE
        self._naming: NameField | None = None
        self._asked = False
        self._busy: Callable[[], str] | None = None

    def run(self) -> None:
        """The loop: one picture, the keys, the drawing."""
        while True:
            self._seen = self.watch.read(timeout_s=0.05) or self._seen
            for key in self.term.keys():
                try:
                    if self.key(key):
                        return
                except EdgeTLError as error:  # a full disk: what was counted is safe
                    self.message = str(error)
            if self.term.ready or self._busy is not None:
                self.draw()
            if self._busy is not None:  # after the screen has said so
                self.term.settle()
                work, self._busy = self._busy, None
                try:
                    self.message = work()
                except EdgeTLError as error:
                    self.message = str(error)

    def key(self, key: str) -> bool:
        """Act on one key; True ends the screen."""
        if self._naming is not None:
            self._name(self._naming, key)
            return False
        if key.startswith(PASTE):
            self.message = PASTED
            return False
        key = command(key, "+-<>" if self._still is not None else "")
        if self._asked:
            self._asked = False
            self.message = self.lesson.undo() if key in ("u", "y") else "it stays"
        elif self._still is not None:
            self._draw_box(key)
        elif key in ("q", "escape"):
            return True
        elif key in KEYS[: len(self.lesson.labels)]:
            self._begin(self.lesson.labels[KEYS.index(key)])
        elif key == "x":
            self._nothing()
        elif key == "n":
            self._naming = NameField(session=False)
        elif key == "s":
            # Without a name, so that the next key draws and is not taken for one.
            self.lesson.store.new_session()
            self.message = "a new session begins: draw a few boxes in the new place"
        elif key == "u":
            last = self.lesson.last()
            self._asked = last is not None
            self.message = f"delete the last example, of {last}? u again or y" if last else "there is nothing to undo"
        elif key == "t":
            self.message, self._busy = "looking at every example from several places …", self.lesson.train
        else:
            self.message = foreign(key) or self.message
        return False

    def _begin(self, label: str) -> None:
        """The picture of now stands still; the box begins where the thing was found, else where the last one was."""
        if self._seen is None:
            self.message = "there is no picture yet"
            return
        self._still, self._label = self._seen.picture, label
        if self._seen.found:
            height, width = self._still.shape[:2]
            self._box = self._rounded(np.array(self._seen.found[0].box) / (width, height, width, height))
        self.message = f"{label}: {DRAWING}"

    def _draw_box(self, key: str) -> None:
        assert self._still is not None
        if key == "escape":
            self._still, self.message = None, "no example was saved"
        elif key == "enter":
            self.lesson.keep(self._still, self._label, self._box, self.watch.source.name)
            count = self.lesson.counts()[self._label].examples
            self._still, self.message = None, f"{self._label}: {count} saved; move the object, or press t to train"
        elif key == "f":
            self._step = FINE if self._step == COARSE else COARSE
        else:
            self._box = boxes.changed(self._box, key, self._step, SHORTEST)

    def _nothing(self) -> None:
        if self._seen is None:
            self.message = "there is no picture yet"
            return
        self.lesson.keep(self._seen.picture, NOTHING, None, self.watch.source.name)
        self.message = "saved as a picture without an object"

    def _name(self, naming: NameField, key: str) -> None:
        if key not in ("enter", "escape"):
            naming.press(key)
            return
        self._naming = None
        if key == "enter":
            label = self.lesson.store.add_label(naming.text)
            self.message = f"new class {label}: press its number"

    @staticmethod
    def _rounded(box: np.ndarray) -> Box:
        left, top, right, bottom = np.clip(box, 0, 1).tolist()
        return boxes.rounded(left, top, max(right, left + SHORTEST), max(bottom, top + SHORTEST))

    def draw(self) -> None:
        """Everything, anew."""
        term = self.term
        rows, columns = term.size
        term.clear()
        term.put(0, 0, "edge-tl teach --boxes", "yellow", bold=True)
        if self._seen is not None:
            term.put(
                0,
                24,
                fit(term.slow or f"{self.watch.fps:.1f} pictures/s  {self.watch.source.name}", columns - 25),
                "grey",
            )
        picture = self._still if self._still is not None else self._seen.picture if self._seen else None
        wide = columns - 30
        if self.watch.state != "open":
            term.put(rows // 2, 0, fit("camera lost, searching for it …", wide), "red", bold=True)
        elif picture is None:
            term.put(rows // 2, 0, "waiting for the camera …", "grey")
        else:
            wide = self._draw_picture(picture, rows - 5, wide)
        self._draw_classes(wide + 2, columns - wide - 3, rows - 5)
        said = self._naming.prompt if self._naming is not None else as_called(self.message)
        lines = wrap(said, columns - 1, 2)
        for row, text in enumerate(lines, rows - 1 - len(lines)):
            term.put(row, 0, fit(text, columns - 1), "cyan", bold=True)
        term.put(rows - 1, 0, fit(next((text for text in HELP if len(text) < columns), HELP[-1]), columns - 1), "grey")
        term.show()

    def _draw_picture(self, picture: np.ndarray, rows: int, columns: int) -> int:
        """The picture with the box that is drawn, else with what is found; how wide it is."""
        height, width = picture.shape[:2]
        wide = max(8, min(columns, round(2 * rows * width / height)))
        high, wide = self.term.fitting(max(1, min(rows, round(wide * height / width / 2))), wide)
        scale = np.array((wide, 2 * high, wide, 2 * high))
        things = []
        if self._still is not None:
            things = [(scale * self._box - (0, 0, 1, 1), "", COLOURS[1])]
        elif self._seen is not None:
            pixels = (width, height, width, height)
            things = [(scale * one.box / pixels - (0, 0, 1, 1), "", COLOURS[0]) for one in self._seen.found]
        frames = [(tuple(box.tolist()), words, colour) for box, words, colour in things]
        self.term.picture(1, 0, boxed(shrink(picture, 2 * high, wide), frames), high, wide)
        return wide

    def _draw_classes(self, column: int, columns: int, limit: int) -> None:
        counts = self.lesson.counts()
        row = 1
        labels = self.lesson.labels[:limit]
        names = fit_apart(labels, max(4, columns - 8))
        for position, (label, name) in enumerate(zip(labels, names, strict=True)):
            number = counts[label].examples if label in counts else 0
            drawing = self._still is not None and label == self._label
            key = KEYS[position] if position < len(KEYS) else " "
            text = f"{key} {name}{number:4}"
            self.term.put(row, column, text, "red" if drawing else "white", bold=drawing)
            row += 1
        if NOTHING in counts:
            self.term.put(row, column, f"x {fit(NOTHING, max(4, columns - 8))}{counts[NOTHING].examples:4}", "grey")
            row += 1
        if self._seen is not None and self._still is None:
            for one in self._seen.found[: limit - row]:
                self.term.put(row + 1, column, fit(f"→ {one.label} {one.confidence:.0%}", columns), "yellow", bold=True)
                row += 1
