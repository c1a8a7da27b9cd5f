"""The game, drawn: a cell is one row high and two columns wide, which is about square."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

from device.pacman.game import TICKS_PER_SECOND, Game, State
from device.pacman.ghosts import Ghost, GhostPlace
from device.pacman.maze import Cell, Maze, board_size
from device.pacman.walker import CELL_UNITS

RGB = tuple[int, int, int]

WALL: RGB = (0, 95, 215)
WALL_WON: RGB = (215, 215, 255)
DOOR: RGB = (255, 175, 215)
PELLET: RGB = (255, 215, 175)
PLAYER: RGB = (255, 215, 0)
FRIGHTENED: RGB = (0, 0, 215)
FLASHING: RGB = (215, 215, 255)
GHOSTS: dict[str, RGB] = {"red": (255, 95, 95), "violet": (215, 95, 255), "cyan": (0, 215, 215), "green": (95, 215, 95)}

# Black on the player's yellow: three columns, the mouth towards where it goes.
_MOUTH_OPEN = {"right": " ·<", "left": ">· ", "up": "\\·/", "down": "/·\\"}
_MOUTH_SHUT = {"right": " ·-", "left": "-· ", "up": " ·|", "down": "|· "}
# Between or beside its eyes a ghost has its letter: not everybody tells its colour.
_EYES = {"right": "{}oo", "left": "oo{}", "up": "o{}o", "down": "o{}o"}

# (up, right, down, left) to the neighbours that a piece of wall is joined to.
_LINES = {
    (0, 0, 0, 0): " ",
    (1, 0, 0, 0): "│",
    (0, 0, 1, 0): "│",
    (1, 0, 1, 0): "│",
    (0, 1, 0, 0): "─",
    (0, 0, 0, 1): "─",
    (0, 1, 0, 1): "─",
    (0, 1, 1, 0): "╭",
    (0, 0, 1, 1): "╮",
    (1, 1, 0, 0): "╰",
    (1, 0, 0, 1): "╯",
    (1, 1, 1, 0): "├",
    (1, 0, 1, 1): "┤",
    (0, 1, 1, 1): "┬",
    (1, 1, 0, 1): "┴",
    (1, 1, 1, 1): "┼",
}


class Canvas(Protocol):
    """What the board is drawn on: a Terminal."""

    def put(
        self,
        row: int,
        column: int,
        text: str,
        colour: str | RGB = "white",
        *,
        bold: bool = False,
        reverse: bool = False,
        background: str | RGB = "black",
    ) -> None:
        """Write a text at a cell."""


@cache
def wall_lines(maze: Maze) -> tuple[str, ...]:
    """The walls as box-drawing lines: only their outlines, so that thick walls look like rooms seen from above.

    Result: one text a row of cells, each 2 × columns − 1 long.
    """

    def wall(row: int, column: int) -> bool:
        return 0 <= row < maze.rows and 0 <= column < maze.columns and maze.art[row][column] == "#"

    def seen(row: int, column: int) -> bool:
        """True for what a wall has an outline against: a way, the house, a door."""
        return 0 <= row < maze.rows and 0 <= column < maze.columns and maze.art[row][column] != "#"

    def joined(cell: Cell, dr: int, dc: int) -> bool:
        """Two pieces of wall are joined unless there is wall (or nothing) on both sides of the join."""
        (row, column), (r, c) = cell, (cell[0] + dr, cell[1] + dc)
        if not (wall(row, column) and wall(r, c)):
            return False
        return any(seen(row + s * dc, column + s * dr) or seen(r + s * dc, c + s * dr) for s in (-1, 1))

    lines = []
    for row in range(maze.rows):
        line = ""
        for column in range(maze.columns):
            cell = (row, column)
            joins = tuple(int(joined(cell, dr, dc)) for dr, dc in ((-1, 0), (0, 1), (1, 0), (0, -1)))
            door = maze.art[row][column] == "-"
            line += " " if door or not wall(row, column) else _LINES[joins]  # type: ignore[index]
            line += "─" if joins[1] else " "
        lines.append(line[:-1])
    return tuple(lines)


@dataclass
class BoardScreen:
    """Draws a game into a region of a terminal: the score above the maze, the lives below it."""

    best: int = 0
    """The score to beat; shown, and outgrown by the present game's."""

    def size(self, game: Game) -> tuple[int, int]:
        """(rows, columns) of the region."""
        return board_size(game.maze)

    def draw(self, term: Canvas, game: Game, row: int, column: int) -> None:
        """Draw everything; row, column: the region's upper left cell."""
        rows, columns = self.size(game)
        self._status(term, game, row, column, rows, columns)
        self._maze(term, game, row + 1, column)
        if game.state not in (State.WON, State.LOST):
            for ghost in reversed(game.ghosts):
                if game.state is not State.DYING:
                    self._ghost(term, game, ghost, row + 1, column)
            self._player(term, game, row + 1, column)
        self._message(term, game, row + 1, column, columns)

    def _status(self, term: Canvas, game: Game, row: int, column: int, rows: int, columns: int) -> None:
        term.put(row, column + 1, "SCORE", "grey")
        term.put(row, column + 7, f"{game.score}", "white", bold=True)
        best = f"BEST {max(self.best, game.score)}"
        term.put(row, column + (columns - len(best)) // 2, best, "grey")
        level = f"LEVEL {game.level}"
        term.put(row, column + columns - 1 - len(level), level, "grey")
        bottom = row + rows - 1
        for life in range(min(game.lives, 6)):
            term.put(bottom, column + 1 + 4 * life, _MOUTH_OPEN["right"], "black", background=PLAYER)
        left = f"{len(game.pellets) + len(game.powers)} left"
        term.put(bottom, column + columns - 1 - len(left), left, "grey")

    def _maze(self, term: Canvas, game: Game, row: int, column: int) -> None:
        won = game.state is State.WON and game.ticks // 5 % 2 == 0
        for r, line in enumerate(wall_lines(game.maze)):
            term.put(row + r, column, line, WALL_WON if won else WALL)
        for r, c in game.maze.cells("-"):
            term.put(row + r, column + 2 * c - 1, "───", DOOR)
        for r, c in game.pellets:
            term.put(row + r, column + 2 * c, "·", PELLET)
        if game.paused or game.ticks // 6 % 3 < 2:
            for r, c in game.powers:
                term.put(row + r, column + 2 * c, "●", PELLET, bold=True)

    def _player(self, term: Canvas, game: Game, row: int, column: int) -> None:
        player = game.player
        if game.state is State.DYING:
            # It shrinks away, over the ticks in which everybody stands still.
            shapes = ("\\·/", "\\_/", " v ", " · ")
            shape = shapes[min(int(game.dying * len(shapes)), len(shapes) - 1)]
            if shape.strip() in ("v", "·"):
                self._sprite(term, game, player.row, player.column, row, column, shape, PLAYER, (0, 0, 0))
                return
        else:
            shut = game.moving and game.ticks // 3 % 2
            shape = (_MOUTH_SHUT if shut else _MOUTH_OPEN)[player.direction]
        self._sprite(term, game, player.row, player.column, row, column, shape, (0, 0, 0), PLAYER)

    def _ghost(self, term: Canvas, game: Game, ghost: Ghost, row: int, column: int) -> None:
        letter = ghost.character.colour[0].upper()
        shape, text, background = _EYES[ghost.direction].format(letter), (0, 0, 0), GHOSTS[ghost.character.colour]
        if ghost.place is GhostPlace.EYES:
            shape, text, background = _EYES[ghost.direction].format(" "), (238, 238, 238), (0, 0, 0)
        elif ghost.frightened and game.flashing:
            shape, text, background = "o~o", (255, 95, 95), FLASHING
        elif ghost.frightened:
            shape, text, background = "o~o", (215, 215, 255), FRIGHTENED
        self._sprite(term, game, ghost.row, ghost.column, row, column, shape, text, background)

    def _sprite(
        self,
        term: Canvas,
        game: Game,
        at_row: int,
        at_column: int,
        row: int,
        column: int,
        shape: str,
        text: RGB,
        background: RGB,
    ) -> None:
        """Three columns around a position; what lies outside of the board is not drawn (in the tunnels)."""
        columns = 2 * game.maze.columns - 1
        left = (2 * at_column + CELL_UNITS // 2) // CELL_UNITS - 1
        r = (at_row + CELL_UNITS // 2) // CELL_UNITS % game.maze.rows
        begin, end = max(0, -left), min(3, columns - left)
        if begin < end:
            term.put(row + r, column + left + begin, shape[begin:end], text, bold=True, background=background)

    def _message(self, term: Canvas, game: Game, row: int, column: int, columns: int) -> None:
        text, colour = "", "yellow"
        if game.paused:
            text = game.paused.upper()
        elif game.state is State.READY:
            text = "READY!"
        elif game.state is State.WON:
            text = f"LEVEL {game.level} WON"
        elif game.state is State.LOST:
            text, colour = "GAME OVER · r restarts", "red"
        if text and (game.state is not State.READY or game.paused or game.ticks // (TICKS_PER_SECOND // 4) % 4):
            text = f" {text} "
            below = game.maze.exit[0] + 4 if game.maze.house else game.maze.rows // 2
            term.put(row + below, column + (columns - len(text)) // 2, text, colour, bold=True)
