"""The mazes, and what is checked before one is played."""

from __future__ import annotations

import pytest

from device.pacman.maze import COMPACT, LARGE, PANEL_COLUMNS, REVERSE, Maze, board_size, mirrored, parse_maze, pick_maze
from edge_tl.errors import ConfigError

SMALL = "\n".join(  # the tunnel's row ends in a space
    ["#########", "#o.....o#", "#.##-##.#", " .#===#. ", "#.#####.#", "#...P...#", "#########"]
)


@pytest.mark.parametrize("maze", [COMPACT, LARGE], ids=lambda maze: maze.name)
def test_every_pellet_can_be_reached_on_foot(maze: Maze) -> None:
    """A walk from the start, without passing the ghosts' door, comes to every pellet of both mazes."""
    seen, todo = {maze.start}, [maze.start]
    while todo:
        row, column = todo.pop()
        for r, c in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
            cell = (r % maze.rows, c % maze.columns)
            if cell not in seen and maze.art[cell[0]][cell[1]] not in "#-=":
                seen.add(cell)
                todo.append(cell)
    assert seen == set(maze.ways)
    assert maze.pellets | maze.powers < seen
    assert len(maze.powers) == 4


@pytest.mark.parametrize("maze", [COMPACT, LARGE], ids=lambda maze: maze.name)
def test_the_mazes_play_well(maze: Maze) -> None:
    """No dead end traps the player, no way is two cells wide, left and right are alike, and there is a tunnel."""
    assert all(len(maze.open(cell)) >= 2 for cell in maze.ways)
    assert not any({(r + 1, c), (r, c + 1), (r + 1, c + 1)} <= maze.ways for r, c in maze.ways)
    assert all(line.replace("P", " ") == line.replace("P", " ")[::-1] for line in maze.art)
    assert {column for _, column in maze.tunnels} >= {0, maze.columns - 1}
    assert len(maze.beds) >= 3
    assert maze.exit in maze.ways


@pytest.mark.parametrize("maze", [COMPACT, LARGE], ids=lambda maze: maze.name)
def test_ways_lead_back(maze: Maze) -> None:
    """Every step can be taken back, through the tunnel too, and eyes find home from everywhere."""
    for cell in maze.ways:
        for direction, other in maze.open(cell).items():
            assert maze.open(other)[REVERSE[direction]] == cell
    assert maze.ways <= set(maze.steps_home)
    assert maze.house <= set(maze.steps_to_exit)


def test_the_mazes_fit_their_terminals() -> None:
    """The compact maze leaves the panel's 30 columns of 80×24; the large one has the classic 28×31 cells."""
    rows, columns = board_size(COMPACT)
    assert (rows, columns) == (21, 45)
    assert (LARGE.columns, LARGE.rows) == (28, 31)
    assert pick_maze(24, 80) is COMPACT
    assert pick_maze(33, 200) is COMPACT
    assert pick_maze(60, 85) is COMPACT
    assert pick_maze(34, 56 + PANEL_COLUMNS) is LARGE


def test_a_small_maze_is_read() -> None:
    """What the signs of the art mean: ways, pellets, the house with its door, the start and the tunnel."""
    maze = parse_maze(SMALL)
    assert maze.start == (5, 4)
    assert maze.powers == {(1, 1), (1, 7)}
    assert maze.exit == (1, 4)
    assert maze.beds == ((3, 4),)
    assert maze.tunnels == {(3, 0), (3, 8)}
    assert maze.open((3, 0)) == {"left": (3, 8), "right": (3, 1)}
    assert maze.steps_to_exit[(3, 3)] == 3
    assert mirrored("#.\n#P", shared=1) == "#.#\n#P#"
    assert mirrored("#.\n#P", shared=0) == "#..#\n#P #"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("#.##-##.#", "#.##-##.##", "different lengths"),
        ("#.##-##.#", "#.##X##.#", "sign 'X'"),
        ("#...P...#", "#.......#", "0 starts"),
        ("#...P...#", "#..PP...#", "2 starts"),
        ("#o.....o#", "#o.....o.", "border is open at row 1, column 8"),
        (" .#===#. \n#.#####.#", "###===###\n#########", "nobody can reach the pellet at row 1, column 1"),
        ("#.##-##.#", "#.#####.#", "ghosts' house"),
    ],
)
def test_a_spoilt_maze_is_one_clear_error(old: str, new: str, words: str) -> None:
    """A maze that cannot be played is refused in one line that says where it is wrong."""
    assert old in SMALL
    with pytest.raises(ConfigError, match=words) as error:
        parse_maze(SMALL.replace(old, new))
    assert "\n" not in str(error.value)
