"""Moving through a maze in whole units, a hundred to a cell, so that a film of a game is exact on every machine."""

from __future__ import annotations

from collections.abc import Callable

from device.pacman.maze import DIRECTIONS, REVERSE, Cell, Maze

CELL_UNITS = 100
"""The way from the middle of one cell to the middle of the next."""


class Walker:
    """Somebody who walks along the ways and decides in the middles of cells where to go on."""

    def __init__(self, maze: Maze, cell: Cell, direction: str) -> None:
        self.maze = maze
        self.row, self.column = cell[0] * CELL_UNITS, cell[1] * CELL_UNITS
        """The position in units; (0, 0) is the middle of the upper left cell."""
        self.direction = direction
        """The direction it walks in, or last walked in."""

    @property
    def cell(self) -> Cell:
        """The cell whose middle is nearest."""
        half = CELL_UNITS // 2
        return (
            (self.row + half) // CELL_UNITS % self.maze.rows,
            (self.column + half) // CELL_UNITS % self.maze.columns,
        )

    @property
    def centred(self) -> bool:
        """True in the middle of a cell."""
        return self.row % CELL_UNITS == 0 and self.column % CELL_UNITS == 0

    def put(self, cell: Cell) -> None:
        """Stand in the middle of a cell."""
        self.row, self.column = cell[0] * CELL_UNITS, cell[1] * CELL_UNITS

    def turn_back(self) -> None:
        """Face the other way, anywhere."""
        self.direction = REVERSE[self.direction]

    def walk(self, units: int, decide: Callable[[Cell], str | None]) -> bool:
        """Go so many units; in the middle of each cell `decide` names the direction to leave it in, or None to stay.

        Returns True if it moved.
        """
        moved = False
        while units > 0:
            if self.centred:
                direction = decide(self.cell)
                if direction is None:
                    return moved
                self.direction = direction
            dr, dc = DIRECTIONS[self.direction]
            beyond = (self.row if dr else self.column) % CELL_UNITS
            to_middle = CELL_UNITS - beyond if dr + dc > 0 else beyond or CELL_UNITS
            way = min(units, to_middle)
            self.row = (self.row + dr * way) % (self.maze.rows * CELL_UNITS)
            self.column = (self.column + dc * way) % (self.maze.columns * CELL_UNITS)
            units -= way
            moved = True
        return moved

    def distance_units(self, other: Walker) -> int:
        """The way to another walker along rows and columns, through the edges where that is shorter."""
        height, width = self.maze.rows * CELL_UNITS, self.maze.columns * CELL_UNITS
        down, right = (self.row - other.row) % height, (self.column - other.column) % width
        return min(down, height - down) + min(right, width - right)
