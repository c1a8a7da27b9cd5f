"""The maze: ASCII art in, walls and ways out. Own mazes; not those of the arcade.

    #  wall          .  pellet        o  power pellet      (space) way without a pellet
    -  the ghosts' door               =  inside the ghosts' house
    P  where the player starts

A way that leads out of the picture is a tunnel to the opposite side. Mazes here are drawn as their left half: the
right half is its mirror image.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from edge_tl.errors import ConfigError

Cell = tuple[int, int]
"""(row, column), counted from the upper left corner."""

DIRECTIONS: dict[str, Cell] = {"up": (-1, 0), "left": (0, -1), "down": (1, 0), "right": (0, 1)}
"""What a step in each direction adds to (row, column); the order settles ties between ghosts' ways."""

REVERSE = {"up": "down", "down": "up", "left": "right", "right": "left"}


@dataclass(frozen=True)
class Maze:
    """A maze that has been checked: every pellet can be reached and no way leads into the void."""

    name: str
    art: tuple[str, ...]

    @property
    def rows(self) -> int:
        """The height in cells."""
        return len(self.art)

    @property
    def columns(self) -> int:
        """The width in cells."""
        return len(self.art[0])

    def cells(self, signs: str) -> list[Cell]:
        """The cells that have one of these signs, from the upper left to the lower right."""
        return [(r, c) for r, line in enumerate(self.art) for c, sign in enumerate(line) if sign in signs]

    @cached_property
    def pellets(self) -> frozenset[Cell]:
        """Where pellets lie at the start."""
        return frozenset(self.cells("."))

    @cached_property
    def powers(self) -> frozenset[Cell]:
        """Where power pellets lie at the start."""
        return frozenset(self.cells("o"))

    @cached_property
    def ways(self) -> frozenset[Cell]:
        """The cells that the player may enter."""
        return frozenset(self.cells(".o P"))

    @cached_property
    def house(self) -> frozenset[Cell]:
        """The inside of the ghosts' house and its door; empty where there is none."""
        return frozenset(self.cells("=-"))

    @cached_property
    def start(self) -> Cell:
        """Where the player starts."""
        return self.cells("P")[0]

    @cached_property
    def exit(self) -> Cell:
        """The way before the ghosts' door."""
        return next(cell for door in self.cells("-") for cell in self.neighbours(door).values() if cell in self.ways)

    @cached_property
    def beds(self) -> tuple[Cell, ...]:
        """Where ghosts wait in the house, the one nearest to the door first: every second cell, to be told apart."""
        inside = self.cells("=")
        row, middle = inside[len(inside) // 2][0], min(inside, key=lambda cell: abs(cell[1] - self.exit[1]))[1]
        beds = [cell for cell in inside if cell[0] == row and (cell[1] - middle) % 2 == 0]
        return tuple(sorted(beds, key=lambda cell: (abs(cell[1] - middle), cell[1])))

    @cached_property
    def tunnels(self) -> frozenset[Cell]:
        """The cells of ways that lead out of the picture, up to the first branch: ghosts are slow there."""
        found: set[Cell] = set()
        edge = {(r, c) for r, c in self.ways if r in (0, self.rows - 1) or c in (0, self.columns - 1)}
        while edge:
            found |= edge
            beyond = {other for cell in edge for other in self.open(cell).values()}
            edge = {cell for cell in beyond - found if len(self.open(cell)) <= 2}
        return frozenset(found)

    def neighbours(self, cell: Cell) -> dict[str, Cell]:
        """The four cells around a cell, through the tunnels where it lies at the edge."""
        row, column = cell
        return {name: ((row + dr) % self.rows, (column + dc) % self.columns) for name, (dr, dc) in DIRECTIONS.items()}

    def open(self, cell: Cell) -> dict[str, Cell]:
        """The directions in which the player may leave a cell, and where they lead."""
        return {name: other for name, other in self.neighbours(cell).items() if other in self.ways}

    def distances(self, goals: Iterable[Cell], passable: frozenset[Cell]) -> dict[Cell, int]:
        """The steps from each passable cell to the nearest goal; cells that cannot reach one are absent."""
        steps = dict.fromkeys(goals, 0)
        queue = deque(steps)
        while queue:
            cell = queue.popleft()
            for other in self.neighbours(cell).values():
                if other in passable and other not in steps:
                    steps[other] = steps[cell] + 1
                    queue.append(other)
        return steps

    @cached_property
    def steps_to_exit(self) -> dict[Cell, int]:
        """The steps to the way before the door: how a ghost leaves."""
        return self.distances([self.exit], self.ways | self.house)

    @cached_property
    def steps_home(self) -> dict[Cell, int]:
        """The steps to the middle bed: how a pair of eyes returns."""
        return self.distances([self.beds[0]], self.ways | self.house)


def parse_maze(art: str, name: str = "maze") -> Maze:
    """A maze from ASCII art (see the top of this file).

    Raises ConfigError, in one line, for lines of different length, an unknown sign, no start or more than one, a way
    out without its counterpart, a house without a door or a door without a way before it, or a pellet nobody reaches.
    """
    lines = tuple(art.strip("\n").split("\n"))
    if len({len(line) for line in lines}) != 1:
        raise ConfigError(f"{name}: its lines have different lengths; draw all with the same number of characters")
    maze = Maze(name, lines)
    unknown = set("".join(lines)) - set("#.o -=P")
    if unknown:
        raise ConfigError(f"{name}: the sign {min(unknown)!r} is unknown; a maze is drawn with # . o - = P and spaces")
    if len(maze.cells("P")) != 1:
        raise ConfigError(f"{name}: {len(maze.cells('P'))} starts; put exactly one P where the player starts")
    for row, column in maze.cells(".o P=-"):
        opposite = None
        if row in (0, maze.rows - 1):
            opposite = (maze.rows - 1 - row, column)
        elif column in (0, maze.columns - 1):
            opposite = (row, maze.columns - 1 - column)
        if opposite and (opposite not in maze.ways or (row, column) not in maze.ways):
            raise ConfigError(f"{name}: the border is open at row {row}, column {column}, but not on the other side")
    reached = maze.distances([maze.start], maze.ways)
    lost = sorted((maze.pellets | maze.powers) - set(reached))
    if lost:
        raise ConfigError(f"{name}: nobody can reach the pellet at row {lost[0][0]}, column {lost[0][1]}")
    if maze.house:
        doors = [door for door in maze.cells("-") if any(c in reached for c in maze.neighbours(door).values())]
        inside = maze.cells("=")
        if not doors or not inside or set(inside) - set(maze.distances(doors, maze.house)):
            raise ConfigError(f"{name}: the ghosts' house needs an inside (=) and a door (-) with a way before it")
    return maze


def mirrored(half: str, *, shared: int) -> str:
    """The whole maze from its left half; shared: 1 if the last column is the middle one, 0 if it is doubled.

    The start, drawn in the half only, is not mirrored.
    """
    lines = half.strip("\n").split("\n")
    return "\n".join(line + line[: len(line) - shared][::-1].replace("P", " ") for line in lines)


COMPACT = parse_maze(
    mirrored(
        """
############
#.........##
#.##.####.##
#o##.####.##
#...........
#.##.##.####
#....##.....
####.##.###-
    ....#===
####.##.####
####.##.....
#....##.####
#.##......##
#.##.#.##.##
#o...#.##..P
#.##.#.#####
#.##.#.#####
#...........
############
""",
        shared=1,
    ),
    "compact",
)
"""23×19 cells: with its status lines it leaves 30 columns of an 80×24 terminal to others."""

LARGE = parse_maze(
    mirrored(
        """
##############
#......##.....
#.####.##.####
#o####.##.####
#.####....####
#......##.....
###.##.##.##.#
###.##.##.##.#
#...##....##..
#.####.##.####
#.####.##.####
#......##.....
####.####.###-
####.####.#===
    ......#===
####.####.####
####.####.....
#......##.####
#.####.##.####
#.####......##
#.##...####.##
#.##.######...
#o..........##
###.##.##.####
###.##.##.####
#...##.##....P
#.####....####
#.####.##.####
#.####.##.####
#.............
##############
""",
        shared=0,
    ),
    "large",
)
"""28×31 cells, the classic size."""

STATUS_ROWS = 2
"""What a board needs above and below its maze: the score, and the lives."""

PANEL_COLUMNS = 30
"""What a terminal keeps beside the board for the camera's picture and the probabilities."""


def board_size(maze: Maze) -> tuple[int, int]:
    """(rows, columns) of a terminal that a maze takes when drawn, the status lines included: two columns a cell."""
    return maze.rows + STATUS_ROWS, 2 * maze.columns - 1


def pick_maze(rows: int, columns: int) -> Maze:
    """The larger maze where the terminal has room for it and a panel, else the compact one, which fits 80×24."""
    large_rows, large_columns = board_size(LARGE)
    return LARGE if rows > large_rows and columns > large_columns + PANEL_COLUMNS else COMPACT
