"""A sensible player: where the simulated player's head turns, so that there is a true direction to recognize."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from device.pacman.game import EYES_UNITS, FRIGHTENED_UNITS, PLAYER_UNITS, Game, ghost_units
from device.pacman.ghosts import GhostPlace
from device.pacman.maze import DIRECTIONS, Cell
from device.pacman.walker import CELL_UNITS

AHEAD_CELLS = 3
"""How early a turn is announced: the recognition needs its time, and the game remembers a turn for six cells."""
SWIPED_AHEAD_CELLS = 8
"""The same where a movement announces it: it takes half a second, and is told half a second later."""
MARGIN_TICKS = 4
"""A cell is safe if no ghost can be there this much earlier than the player, or later."""
HUNT_CELLS = 8
"""Frightened ghosts are hunted within this distance."""


@dataclass(frozen=True)
class _Path:
    """A way for the player: directions from its cell on, and the goal."""

    directions: tuple[str, ...]
    cells: tuple[Cell, ...]
    """The cells in which each direction is taken."""


class Pilot:
    """Goes to the nearest pellet on ways that no ghost reaches first; with none, to where ghosts are farthest."""

    def __init__(self, game: Game, ahead_cells: int = AHEAD_CELLS) -> None:
        """ahead_cells: how early a turn is announced."""
        self.game, self.ahead_cells = game, ahead_cells
        self._situation: object = None
        self._wanted: str = game.player.direction
        self._steps_from: dict[Cell, dict[Cell, int]] = {}

    def wanted(self) -> str:
        """The direction that the player should be told now: `up`, `down`, `left` or `right`."""
        game = self.game
        situation = (
            game.player.cell,
            game.player.direction,
            game.level,
            game.state,
            *((ghost.cell, ghost.dangerous, ghost.place) for ghost in game.ghosts),
        )
        if situation != self._situation:
            self._situation = situation
            self._wanted = self._announce(self._plan())
        return self._wanted

    def _announce(self, path: _Path) -> str:
        """The first turn of the path, as soon as saying it cannot send the player into an earlier opening."""
        for i, (direction, cell) in enumerate(zip(path.directions, path.cells, strict=True)):
            if direction == self.game.player.direction:
                continue
            openings = (self.game.maze.open(earlier) for earlier in path.cells[:i])
            if i <= self.ahead_cells and not any(direction in ways for ways in openings):
                return direction
            # Still too early for the turn: go on until the opening before it is passed.
            return path.directions[0] if cell != path.cells[0] else direction
        return path.directions[0] if path.directions else self.game.player.direction

    def _first_cell(self) -> Cell:
        """Where the player decides next: the cell it stands in, or the one it walks into."""
        player, maze = self.game.player, self.game.maze
        dr, dc = DIRECTIONS[player.direction]
        row, column = player.row, player.column
        if dr + dc > 0:
            row, column = row + CELL_UNITS - 1, column + CELL_UNITS - 1
        return row // CELL_UNITS % maze.rows, column // CELL_UNITS % maze.columns

    def _danger_ticks(self) -> dict[Cell, float]:
        """How soon a ghost that is or will be dangerous can be in each cell, in ticks."""
        game, maze = self.game, self.game.maze
        soonest: dict[Cell, float] = {}
        for ghost in game.ghosts:
            delay = 0.0
            if ghost.place is GhostPlace.HOME:
                delay = ghost.wait_ticks
            elif ghost.place is GhostPlace.EYES:
                delay = maze.steps_home.get(ghost.cell, 0) * CELL_UNITS / EYES_UNITS
            elif ghost.frightened:
                delay = game.fright_left
            start = maze.beds[0] if ghost.place is GhostPlace.EYES else ghost.cell
            if start not in self._steps_from:
                self._steps_from[start] = maze.distances([start], maze.ways | maze.house)
            for cell, steps in self._steps_from[start].items():
                # The cell is rounded: a ghost may be half a cell nearer.
                ticks = delay + max(steps - 0.5, 0) * CELL_UNITS / ghost_units(game.level)
                soonest[cell] = min(soonest.get(cell, ticks), ticks)
        return soonest

    def _plan(self) -> _Path:
        game, maze = self.game, self.game.maze
        danger = self._danger_ticks()
        prey = {g.cell for g in game.ghosts if g.frightened and g.place is GhostPlace.OUT}
        start = self._first_cell()
        came: dict[Cell, tuple[Cell, str] | None] = {start: None}
        steps = {start: 0}
        queue = deque([start])
        refuge, refuge_gain = start, float("-inf")
        while queue:
            cell = queue.popleft()
            arrival = steps[cell] * CELL_UNITS / PLAYER_UNITS
            if (
                cell in prey
                and steps[cell] <= HUNT_CELLS
                and game.fright_left > arrival + CELL_UNITS / FRIGHTENED_UNITS
            ):
                return self._path(came, cell)
            if (cell in game.pellets or cell in game.powers) and steps[cell]:
                return self._path(came, cell)
            gain = danger.get(cell, 1e9) - arrival
            if gain > refuge_gain and steps[cell]:
                refuge, refuge_gain = cell, gain
            # Of two goals equally far the one ahead: who changes his mind in every cell gets nowhere.
            for name, other in sorted(maze.open(cell).items(), key=lambda way: way[0] != game.player.direction):
                ticks = (steps[cell] + 1) * CELL_UNITS / PLAYER_UNITS
                if other not in steps and ticks + MARGIN_TICKS < danger.get(other, 1e9):
                    steps[other] = steps[cell] + 1
                    came[other] = (cell, name)
                    queue.append(other)
        if refuge == start:
            # Cut off on all sides: away from whoever comes first.
            ways = maze.open(start)
            best = max(ways, key=lambda name: danger.get(ways[name], 1e9))
            return _Path((best,), (start,))
        return self._path(came, refuge)

    @staticmethod
    def _path(came: dict[Cell, tuple[Cell, str] | None], goal: Cell) -> _Path:
        directions: list[str] = []
        cells: list[Cell] = []
        step = came[goal]
        while step is not None:
            cells.append(step[0])
            directions.append(step[1])
            step = came[step[0]]
        return _Path(tuple(reversed(directions)), tuple(reversed(cells)))
