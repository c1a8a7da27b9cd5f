"""The screen while the demo teaches and asks: what the player shows, what is made of it, and how far it is."""

from __future__ import annotations

from collections import Counter

from device.screens.cells import fit, fit_apart
from device.screens.chart import bar, bars
from device.screens.layouts import command
from device.screens.panel import preview
from device.screens.terminal import Terminal
from device.teach.rehearsal import RehearsalPicture
from edge_tl.embedders.look.marks import marks
from edge_tl.recognizer import Recognizer

SAYS = {"teaching": "teaching", "today": "testing, on held-out takes", "tomorrow": "testing, on another day"}


class RehearsalScreen:
    """Draws what a rehearsal shows; `q` ends it as Ctrl-C does.

    recognizer: what its embedder finds is drawn over the picture. labels: the classes that are taught, each with a bar.
    """

    def __init__(self, term: Terminal, recognizer: Recognizer, labels: tuple[str, ...]) -> None:
        self.term, self.recognizer, self.labels = term, recognizer, labels
        self._taught: Counter[str] = Counter()
        self._right: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()

    def __call__(self, shown: RehearsalPicture) -> None:
        """Take in one picture; draw when it is time."""
        if shown.answer is None:
            self._taught[shown.label] += 1
        else:
            self._asked[shown.phase] += 1
            self._right[shown.phase] += shown.answer.best == shown.label and shown.answer.found
        if {"q", "escape"} & set(map(command, self.term.keys())):
            raise KeyboardInterrupt
        if self.term.ready or shown.done == shown.total:
            self.draw(shown)

    def draw(self, shown: RehearsalPicture) -> None:
        """Everything, anew."""
        term = self.term
        rows, columns = term.size
        term.clear()
        term.put(0, 0, "edge-tl demo", "yellow", bold=True)
        term.put(0, 14, fit(SAYS[shown.phase], columns - 15), "green")
        picture_rows = max(4, min(rows - 8, 24))
        wide = max(8, min(picture_rows * 8 // 3, columns - 32))
        found = marks(self.recognizer.embedder, shown.picture.shape)
        high, across = term.fitting(picture_rows, wide)
        down, right = (picture_rows - high) // 2, (wide - across) // 2
        term.picture(2 + down, right, preview(shown.picture, found, 2 * high, across), high, across)
        column, room = wide + 2, columns - wide - 3
        if shown.answer is None:
            self._draw_taught(2, column, room, shown)
        else:
            self._draw_answer(2, column, room, shown)
        share = shown.done / max(shown.total, 1)
        done = f" {shown.done} of {shown.total}"
        term.put(rows - 3, 0, bar(share, columns - 2 - len(done)) + done, "cyan")
        term.put(rows - 1, 0, f"q quit  {term.slow}", "grey")
        term.show()

    def _draw_taught(self, row: int, column: int, columns: int, shown: RehearsalPicture) -> None:
        """How many pictures of each class were taught, the one being shown highlighted."""
        most = max(self._taught.values())
        for label, name in zip(self.labels, fit_apart(self.labels, 10), strict=True):
            count = f"{self._taught[label]:5}"
            text = f"{name} {bar(self._taught[label] / most, columns - 11 - len(count))}{count}"
            now = label == shown.label
            self.term.put(row, column, text, "yellow" if now else "white", bold=now)
            row += 1

    def _draw_answer(self, row: int, column: int, columns: int, shown: RehearsalPicture) -> None:
        """A bar a class, what is shown, and how many were right so far."""
        assert shown.answer is not None
        for text in bars(self.recognizer.classes, shown.answer.probabilities.tolist(), columns):
            self.term.put(row, column, text, "white")
            row += 1
        right = shown.answer.best == shown.label and shown.answer.found
        said = shown.answer.best if shown.answer.found else "nothing found"
        self.term.put(row + 1, column, fit(f"shown: {shown.label}", columns), "white")
        self.term.put(row + 2, column, fit(f"answered: {said}", columns), "green" if right else "red")
        asked, good = self._asked[shown.phase], self._right[shown.phase]
        self.term.put(row + 4, column, fit(f"{good} of {asked} right", columns), "cyan")
