"""The listen screen: the scrolling spectrogram, what each word's probability is now, and the words that were told."""

from __future__ import annotations

import time
from collections.abc import Callable

from device.screens.cells import fit
from device.screens.layouts import command
from device.screens.panel import draw_picture, draw_probabilities, speed_text
from device.screens.terminal import Terminal
from device.teach.marked import WordMarker
from device.teach.silence import WordSilence
from edge_tl.errors import SourceClosed
from edge_tl.line import Sight, SoundLine
from edge_tl.store.moments import in_words


class ListenScreen:
    """Runs until `q`; what was told stays when a recording is over."""

    def __init__(
        self, term: Terminal, ear: SoundLine, clock: Callable[[], float], marking: WordMarker | None = None
    ) -> None:
        """marking: takes what the person says was wrong; None where nothing can be kept."""
        self.term, self.ear, self.clock, self.marking = term, ear, clock, marking
        self._sight: Sight | None = None
        self._log: list[str] = []
        self._silence = WordSilence(ear, clock)
        self._over = False

    def run(self, seconds: float = float("inf")) -> None:
        """The loop: one block, the keys, the drawing."""
        until_s = self.clock() + seconds
        while self.clock() < until_s:
            for key in map(command, self.term.keys(0.05 if self._over else 0.0)):
                if key in ("q", "escape"):
                    return
                if self.marking is not None and (said := self.marking.key(key)):
                    self._log.append(said)
            sight = None
            try:
                sight = None if self._over else self.ear.read(timeout_s=0.05)
            except SourceClosed:  # the recording is over, and what was told in it stays to be read
                self._over = True
            if sight is not None:
                self._sight = sight
                self._silence.take(sight, busy=False)
                if self.marking is not None:
                    self.marking.heed(sight)
                if sight.steady is not None:
                    word = self.ear.words[-1]
                    self._log.append(f"{in_words(time.time(), '%H:%M:%S')}  {word.label}  {word.confidence:.0%}")
            if self.term.ready:
                self.draw()

    @property
    def keys(self) -> str:
        """What can be pressed."""
        marks = "" if self.marking is None else f"  {self.marking.keys}"
        return f"the recording is over  q quit{marks}" if self._over else f"q quit{marks}"

    def draw(self) -> None:
        """Everything, anew."""
        term, ear = self.term, self.ear
        rows, columns = term.size
        term.clear()
        term.put(0, 0, "edge-tl listen", "yellow", bold=True)
        threshold = ear.controller.config.threshold if ear.controller else 0.0
        term.put(0, 16, fit(f"threshold {threshold:g}  {term.slow or speed_text(ear, [])}", columns - 17), "grey")
        picture_rows = max(5, min(rows // 2 - 2, 14))
        wide = max(24, columns - 34)
        draw_picture(term, 1, 0, picture_rows, wide, ear, self._sight)
        draw_probabilities(term, 2, wide + 2, columns - wide - 3, self._sight, picture_rows)
        row = picture_rows + 3
        if ear.fault:
            term.put(row, 0, fit(ear.fault, columns - 1), "red", bold=True)
        elif (word := ear.lately) is not None:
            term.put(row, 0, fit(f"→ {word.label}", columns - 1), "yellow", bold=True)
        else:
            term.put(row, 0, fit(f"… {self._silence.why}", columns - 1), "grey")
        for offset, text in enumerate(reversed(self._log[-(rows - row - 3) :])):
            term.put(row + 1 + offset, 2, fit(text, columns - 3), "white" if offset else "cyan")
        term.put(rows - 1, 0, fit(self.keys, columns - 1), "grey")
        term.show()
