"""The four ghosts: each has its own way, and each can be told from the others by it."""

from __future__ import annotations

import random

import pytest

from device.pacman.game import READY_TICKS, Game
from device.pacman.ghosts import CHARACTERS, Ghost, GhostPlace, Scene, ambush, chase, flank, make_ghosts, shy
from device.pacman.maze import COMPACT, LARGE, Maze, parse_maze

CROSS = parse_maze("""
#######
#.....#
#.#.#.#
#.....#
#.#P#.#
#.....#
#######
""")


def ghost_at(row: int, column: int, direction: str, maze: Maze = CROSS) -> Ghost:
    """A ghost that is out, in the middle of a cell."""
    ghost = Ghost(maze, CHARACTERS[0], (row, column))
    ghost.direction = direction
    return ghost


def test_each_ghost_wants_something_else() -> None:
    """Chase: the player; ambush: four cells ahead; flank: the chaser mirrored at the player; shy: far off, anywhere."""
    scene = Scene(player=(10, 10), heading="up", chaser=(12, 9), own=(1, 1), corner=(18, 0))
    assert chase(scene) == (10, 10)
    assert ambush(scene) == (6, 10)
    assert flank(scene) == (8, 11)
    assert shy(scene) is None
    assert shy(Scene(scene.player, "up", scene.chaser, own=(10, 14), corner=(18, 0))) == (18, 0)
    assert len({character.target for character in CHARACTERS}) == 4
    assert len({character.corner for character in CHARACTERS}) == 4


def test_a_ghost_takes_the_way_that_looks_nearest() -> None:
    """At a branch the neighbour nearest to the target wins; a tie goes to up, left, down, right in this order."""
    for target, direction in (((1, 3), "up"), ((3, 5), "right"), ((5, 3), "down"), ((2, 4), "up")):
        ghost = ghost_at(3, 3, "right")
        ghost.move(10, target, random.Random(0))
        assert ghost.direction == direction


def test_a_ghost_does_not_turn_back() -> None:
    """A ghost that has just passed its target goes on; only a change of phase turns it, in the next cell's middle."""
    ghost = ghost_at(3, 3, "right")
    ghost.move(10, (3, 1), random.Random(0))
    assert ghost.direction != "left"
    ghost = ghost_at(3, 3, "right")
    ghost.turning = True
    ghost.move(10, (3, 5), random.Random(0))
    assert ghost.direction == "left"


def test_a_frightened_ghost_turns_back_and_runs_at_random() -> None:
    """Fright turns a ghost on the spot, and then the same seed gives the same random way, another seed another."""
    ghost = ghost_at(3, 3, "right")
    ghost.move(30, (3, 5), random.Random(0))
    ghost.frighten()
    assert ghost.direction == "left"
    assert not ghost.dangerous

    def way(seed: int) -> list[tuple[int, int]]:
        ghost, rng = ghost_at(3, 3, "right"), random.Random(seed)
        ghost.frighten()
        return [(ghost.row, ghost.column) for _ in range(60) if ghost.move(25, (1, 1), rng) is None]

    assert way(1) == way(1)
    assert len({tuple(way(seed)) for seed in range(8)}) > 1


@pytest.mark.parametrize("maze", [COMPACT, LARGE], ids=lambda maze: maze.name)
def test_eyes_go_home_and_come_out_again(maze: Maze) -> None:
    """A pair of eyes finds the house from the farthest cell, and the ghost leaves it, brave again."""
    far = max(maze.ways, key=lambda cell: maze.steps_home[cell])
    ghost = ghost_at(*far, "left", maze)
    ghost.place = GhostPlace.EYES
    places = []
    for _ in range(2000):
        ghost.move(60, maze.start, random.Random(0))
        if not places or places[-1] != ghost.place:
            places.append(ghost.place)
        if ghost.place is GhostPlace.OUT:
            break
    assert places == [GhostPlace.EYES, GhostPlace.LEAVING, GhostPlace.OUT]
    assert ghost.dangerous


@pytest.mark.parametrize("maze", [COMPACT, LARGE], ids=lambda maze: maze.name)
def test_the_ghosts_come_out_one_after_the_other(maze: Maze) -> None:
    """The first waits before the door, the others in beds of their own, and leave after their waiting times."""
    ghosts = make_ghosts(maze)
    assert ghosts[0].cell == maze.exit
    assert len({ghost.cell for ghost in ghosts}) == 4
    out: list[str] = []
    for _ in range(400):
        for ghost in ghosts:
            ghost.move(25, (1, 1), random.Random(0))
            if ghost.place is GhostPlace.OUT and ghost.character.name not in out:
                out.append(ghost.character.name)
    assert out == [character.name for character in CHARACTERS]


@pytest.mark.parametrize("maze", [COMPACT, LARGE], ids=lambda maze: maze.name)
def test_ghosts_stay_on_the_ways(maze: Maze) -> None:
    """In a long game no ghost is ever in a wall, and none that is out enters the house unless it was eaten."""
    game = Game(maze, seed=4)
    rng = random.Random(4)
    for tick in range(READY_TICKS + 1500):
        game.step(rng.choice(["up", "down", "left", "right", None]))
        game.restart_if_over()
        for ghost in game.ghosts:
            assert ghost.cell in (maze.ways if ghost.place is GhostPlace.OUT else maze.ways | maze.house), tick


def test_without_a_house_there_are_no_ghosts() -> None:
    """A maze without a house is a maze for practice."""
    assert make_ghosts(CROSS) == []
