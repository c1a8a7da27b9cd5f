"""`--plain`: the screens as lines of text, one a change, for screen readers, serial consoles and terminals of paper."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from device.cli.calling import as_called
from device.pacman.game import Game, State
from device.pacman.ghosts import GhostPlace
from device.pacman.walker import CELL_UNITS
from device.screens.cells import ascii_text, printable
from device.screens.codes import Codes
from device.screens.listen import ListenScreen
from device.screens.panel import missing_text, movement_text, way_text
from device.screens.play import KEY_LINES, SLOWER, PlayScreen
from device.screens.teach import TeachScreen
from device.screens.terminal import Colour, Terminal
from edge_tl.errors import ConfigError, counted
from edge_tl.line.movement import MovementLine
from edge_tl.movements.spotter import FoundMovement

NEAR_CELLS = 5
"""A ghost is told from so near on."""
EACH = 5
"""While a class is recorded every so many examples are a line."""
POINTS = 100
"""Points are told in steps of so many."""
_NO_CODES = Codes("plain", 0, b"", b"", b"", fills=False, scrolls=False, ecma=False, asks=b"")


class PlainTerminal(Terminal):
    """A terminal that is written to line by line; whatever is drawn on it is not seen.

    `tell` writes a line where what it is about has changed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, str] = {}

    def check(self) -> None:
        """Raise the ConfigError that entering would raise: keys come from a terminal, whatever kind it is."""
        if not (os.isatty(0) and os.isatty(1)):
            raise ConfigError("--plain needs a terminal for its keys, but input or output is not one")
        self._codes = _NO_CODES

    def _close_screen(self) -> None:
        self._tty.give_back(b"", throw_away=b"")

    def put(
        self,
        row: int,
        column: int,
        text: str,
        colour: Colour = "white",
        *,
        bold: bool = False,
        reverse: bool = False,
        background: Colour = "black",
    ) -> None:
        """Nothing: there is no cell."""

    def picture(self, row: int, column: int, rgb: np.ndarray, rows: int, columns: int) -> None:
        """Nothing: there is no cell."""

    def show(self) -> None:
        """Nothing was drawn."""

    def tell(self, about: str, text: str) -> None:
        """Write a line, if it is another than the last about the same; an empty one is only remembered."""
        if self._told.get(about) == text:
            return
        self._told[about] = text
        if text:
            line = printable(text)
            self._tty.write((line if self.unicode else ascii_text(line)).encode() + b"\n")


def lines_of(term: Terminal) -> Callable[[str, str], None]:
    """What writes the lines of a plain terminal."""
    assert isinstance(term, PlainTerminal)
    return term.tell


class PlainTeach(TeachScreen):
    """The teach screen in lines: what to do, what is recorded, how many there are, and what is recognized."""

    _recording: str | None = None

    def draw(self) -> None:
        """Tell what has changed."""
        tell = lines_of(self.term)
        tell("title", f"edge-tl teach  {way_text(self.line)}  {self.lesson.session}")
        tell("keys", self.helps[0])
        tell("classes", "  ".join(f"{number} {label}" for number, label in enumerate(self.lesson.labels, 1)))
        recording, self._recording = self._recording, self.lesson.recording
        counts = self.lesson.counts()
        if recording is not None and recording != self._recording:
            count = counts.get(recording)
            tell(
                "count",
                f"{recording}: {count.examples if count else 0} in {counted(count.takes if count else 0, 'take')}",
            )
        tell("recording", f"recording {self._recording}" if self._recording else "")
        if self._recording in counts and (so_far := counts[self._recording].examples // EACH * EACH):
            tell("so far", f"{self._recording}: {so_far} so far")
        if self.looking is not None and self.looking.progress is not None:
            done, total = self.looking.progress
            tell("hint", f"embedding again: {10 * (10 * done // max(total, 1))} %")
        else:
            tell("hint", self._hint_line()[0])
        if self._naming is not None:
            tell("prompt", f"{self._naming.text}_" if self._naming.text else self._naming.prompt)
        else:
            tell("prompt", as_called(self._way.prompt if self._way else self.recorder.prompt or self.message))
        tell("selected", f"selected: {self.lesson.labels[self.selected]}" if self.lesson.labels else "")
        seen = self._sight.observation if self._sight is not None else None
        answer = f"→ {seen.label}" if seen is not None and seen.label else missing_text(self.line)
        tell("answer", answer if self.line.controller is None else f"→ {self.line.label}" if self.line.label else "")


MAX_REASONS = 12
"""So many lines of an explanation may be told again once it was left."""


class PlainPlay(PlayScreen):
    """The game in lines: what steers, how it stands, and which ghost is near."""

    _moved: FoundMovement | None = None

    def draw(self) -> None:
        """Tell what has changed."""
        tell, game, line = lines_of(self.term), self.round.game, self.round.line
        tell("title", f"edge-tl play  {way_text(line)}" if line is not None else "edge-tl play  arrow keys steer")
        tell("keys", KEY_LINES[self.lesson is not None][0])
        tell("pace", SLOWER if self.round.pace < 1 else "")
        tell("lives", f"level {game.level}, {counted(game.lives, 'life', 'lives')}")
        tell("state", standing(game))
        tell("points", counted(game.score // POINTS * POINTS, "point") if game.score >= POINTS else "")
        tell("ghost", nearest(game))
        tell("message", as_called(self.message))
        if isinstance(line, MovementLine):
            if line.reported and line.reported[-1] is not self._moved:
                self._moved = line.reported[-1]
                tell("answer", "")
                tell("answer", f"→ {movement_text(self._moved)}")
            tell("notice", line.doubted.why if line.doubted is not None else missing_text(line))
        elif line is not None:
            tell("answer", f"→ {line.label}" if line.label else missing_text(line))
            tell("notice", self._notice)
        for number, reason in enumerate(self.reasons or [""] * MAX_REASONS):
            tell(f"reason {number}", reason)
        if self.round.silence is not None:
            tell("silence", self.round.silence.why)
        voice = self.round.voice
        word = voice.lately if voice is not None else None
        tell("heard", f"heard: {word.label}" if word is not None else "")


def standing(game: Game) -> str:
    """How a game stands, in words; empty while it runs."""
    if game.paused:
        return game.paused
    if game.state is State.LOST:
        return f"game over: {counted(game.score, 'point')}; r restarts"
    words = {State.READY: "ready", State.DYING: "caught", State.WON: f"level {game.level} won"}
    return words.get(game.state, "go")


def nearest(game: Game) -> str:
    """The ghost that is near and dangerous, and where it is; empty where none is."""
    if game.state is not State.PLAYING or game.paused:
        return ""
    found = ""
    least = NEAR_CELLS * CELL_UNITS + 1
    for ghost in game.ghosts:
        down, right = ghost.row - game.player.row, ghost.column - game.player.column
        if ghost.place is GhostPlace.EYES or ghost.frightened or abs(down) + abs(right) >= least:
            continue
        least = abs(down) + abs(right)
        where = ("below" if down > 0 else "above") if abs(down) > abs(right) else ("right" if right > 0 else "left")
        found = f"{ghost.character.colour} ghost near, {where}"
    return found


class PlainListen(ListenScreen):
    """The listen screen in lines: each word that was told."""

    _lines_told = 0

    def draw(self) -> None:
        """Tell what has changed."""
        tell = lines_of(self.term)
        tell("title", f"edge-tl listen  {self.ear.source.name}  {self.keys}")
        tell("fault", self.ear.fault)
        for text in self._log[self._lines_told :]:
            tell("word", "")
            tell("word", text)
        self._lines_told = len(self._log)
        tell("over", "the recording is over  q quit" if self._over else "")
