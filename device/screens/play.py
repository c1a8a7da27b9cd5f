"""The play screen: Pac-Man, and beside it what the camera sees and what is made of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from device.cli.calling import as_called
from device.pacman.game import State
from device.pacman.round import Round
from device.pacman.screen import BoardScreen
from device.screens.cells import fit, text_columns, wrap
from device.screens.layouts import command, foreign
from device.screens.panel import (
    draw_movements,
    draw_picture,
    draw_probabilities,
    missing_text,
    speed_text,
    way_text,
)
from device.screens.teach import KEYS
from device.screens.terminal import AWAY, Terminal
from device.teach.lesson import Lesson
from device.teach.notice import PictureNotice
from device.teach.players import show
from device.teach.recorder import KeyHold
from device.teach.steering import DIRECTIONS
from edge_tl.errors import EdgeTLError
from edge_tl.line.movement import MovementLine

PANEL_COLUMNS = 30
KEY_LINES = {
    True: ("1-9 teach  w why  p pause  r restart  q quit", "1-9 teach  p pause  r restart  q"),
    False: ("arrows  p pause  r restart  q quit", "p pause  r restart  q quit"),
}
"""The keys, for wide panels and for narrow ones; True: with teaching."""


SLOWER = "half speed: swipes take time"
WHY, UNSURE = "w why?", "…"


class PlayScreen:
    """Runs until `q`, or until `until_s` of the clock; `run` returns nothing.

    lesson: where given, holding a number key records examples of that class while playing, and the head learns them
    as soon as the key is let go (`relearn` is called). pilot: tells a simulated player which way to look.
    best: the score to beat. explain: says why a picture uint8 (height_px, width_px, 3) is answered as it is, in lines.
    """

    def __init__(
        self,
        term: Terminal,
        round_: Round,
        clock: Callable[[], float],
        lesson: Lesson | None = None,
        relearn: Callable[[], str] | None = None,
        pilot: Callable[[], None] | None = None,
        best: int = 0,
        explain: Callable[[np.ndarray], list[str]] | None = None,
    ) -> None:
        self.term, self.round, self.clock = term, round_, clock
        self.explain = explain
        self.reasons: list[str] = []
        """Why the last answer was asked for, as long as nobody plays on."""
        self.lesson, self.relearn, self.pilot = lesson, relearn, pilot
        self.board = BoardScreen(best)
        self.holding = KeyHold()
        self.message = ""
        self._notice, self._noticing = "", PictureNotice()
        self._ended_best = 0
        self._restarts = False

    @property
    def best_played(self) -> int:
        """The best score of all games on this screen, the one that runs included."""
        return max(self._ended_best, self.round.game.score)

    def run(self, until_s: float = float("inf")) -> None:
        """The loop: keys, one frame, the ticks due, the drawing."""
        while self.clock() < until_s:
            direction = None
            for key in map(command, self.term.keys()):
                if key in ("q", "escape"):
                    return
                direction = self.key(key) or direction
            if self.pilot is not None and self.holding.held(self.clock()) is None:
                self.pilot()
            sight = self.round.step(direction)
            if sight is not None and (line := self.round.line) is not None and line.kind == "picture":
                recognizer = line.recognizer
                self._notice = self._noticing(
                    recognizer.embedder, sight.frame.data, nobody=recognizer.nobody, then="nothing steers"
                )
            try:
                self.record(sight is not None)
            except EdgeTLError as error:  # too little to learn from, or a full disk: no reason to end the game
                self.holding.release()
                self.message = str(error)
            if self.term.ready:
                self.draw()

    def key(self, key: str) -> str | None:
        """Act on one key; a direction is returned."""
        game = self.round.game
        asked, self._restarts = self._restarts, False
        self.reasons = []
        if key in DIRECTIONS:
            return key
        if key == AWAY:
            self.holding.release()
            game.stand_still()
        elif key == "p":
            game.pause()
        elif key == "w" and self.explain is not None:
            self.say_why(self.explain)
        elif key == "r" and not asked and game.state is not State.LOST:
            self._restarts, self.message = True, "r again restarts, p plays on"
            game.stand_still()
        elif key == "r" or (key in ("enter", " ") and game.state is State.LOST):
            self._ended_best = self.best_played
            self.board.best = max(self.board.best, self._ended_best)
            self.message = ""
            game.reset()
        elif self.lesson is not None and key in KEYS[: len(self.lesson.labels)]:
            self.holding.press(self.lesson.labels[KEYS.index(key)], self.clock())
        else:
            self.message = foreign(key) or self.message
        return None

    def say_why(self, explain: Callable[[np.ndarray], list[str]]) -> None:
        """Why the picture of now is answered as it is; nobody dies while reading."""
        sight = self.round.sight
        if sight is None:
            self.message = "nothing was seen yet"
            return
        self.holding.release()
        self.round.game.stand_still()
        try:
            self.reasons = explain(sight.frame.data)
            self.message = "p plays on"
        except EdgeTLError as error:  # there is nothing to hold it against: no reason to end the game
            self.message = str(error)

    def record(self, fresh: bool) -> None:
        """Keep teaching while playing."""
        if self.lesson is None or self.round.line is None:
            return
        label = self.holding.held(self.clock())
        if label is not None and self.round.silence is not None:
            self.round.silence.broken()  # who teaches does not steer
        if label != self.lesson.recording:
            if self.lesson.end() and self.relearn is not None:
                self.message = self.relearn()
            if label is not None:
                show(self.round.line.source, label)
                self.lesson.begin(label, self.round.line.source.name)
                self.message = f"recording {label}"
        if fresh and self.round.sight is not None:
            self.lesson.frame(self.round.sight)

    def draw(self) -> None:
        """Everything, anew."""
        term, line = self.term, self.round.line
        rows, columns = term.size
        term.clear()
        board_rows, board_columns = self.board.size(self.round.game)
        self.board.draw(term, self.round.game, 0, 0)
        doubt = line.doubted if isinstance(line, MovementLine) else None
        why = self.round.silence.why if self.round.silence is not None else ""
        if why and (doubt is None or why != doubt.why):
            lines = wrap(why, board_columns, min(2, rows - board_rows))
            for row, text in enumerate(lines, rows - len(lines)):
                term.put(row, 0, fit(text, board_columns), "grey")
        column, width = board_columns + 2, columns - board_columns - 3
        term.put(0, column, "edge-tl play", "yellow", bold=True)
        if line is None:
            term.put(2, column, "arrow keys steer", "white")
        elif self.reasons:
            texts = [text for one in self.reasons for text in wrap(one, width, rows)]
            for row, text in enumerate(texts[: rows - 5], 2):
                term.put(row, column, fit(text, width), "white")
        else:
            term.put(0, column + 14, fit(way_text(line), width - 14), "grey")
            classes = self.round.sight.classes if self.round.sight else ()
            # Every class has a row for its bar; the picture gets what is left.
            picture_rows = max(4, min(24, rows - 14, rows - 9 - len(classes), width * 3 // 8))
            draw_picture(term, 1, column, picture_rows, min(width, picture_rows * 8 // 3), line, self.round.sight)
            row = picture_rows + 3
            if isinstance(line, MovementLine):
                row = draw_movements(term, row, column, width, line, min(5, rows - row - 7))
            else:
                row = draw_probabilities(term, row, column, width, self.round.sight, rows - row - 5)
            sight = self.round.sight
            steady = line.label
            seen = sight.observation if sight else None
            nothing = missing_text(line) or "none of these"
            label = steady or (nothing if seen is not None and not seen.known else UNSURE)
            term.put(row + 1, column, fit(f"→ {label}", width), "yellow" if steady else "grey", bold=bool(steady))
            if self.explain is not None and label != UNSURE and width > text_columns(f"→ {label}{WHY}"):
                term.put(row + 1, column + width - len(WHY), WHY, "grey")
            notices = [self._notice] if doubt is None else wrap(doubt.why, width, 2)
            for below, text in enumerate(notices, row + 3):
                term.put(below, column, fit(text, width), "orange")
            speed = term.slow or speed_text(line, list(self.round.latencies_ms), width)
            term.put(row + 2, column, fit(speed, width), "orange" if term.slow else "grey")
        if self.message:
            term.put(rows - 2, column, fit(as_called(self.message), width), "cyan")
        voice = self.round.voice
        if self.round.pace < 1 and voice is None:
            term.put(rows - 3, column, fit(SLOWER, width), "grey")
        if voice is not None and (word := voice.lately) is not None:
            term.put(rows - 3, column, fit(f"heard: {word.label}", width), "yellow", bold=True)
        lines_of_keys = KEY_LINES[self.lesson is not None]
        keys = next((text for text in lines_of_keys if len(text) <= width), lines_of_keys[-1])
        term.put(rows - 1, column, fit(keys, width), "grey")
        term.show()
