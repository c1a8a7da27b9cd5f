"""The four ghosts, and how each of them chooses its way.

    Ember   chases: it wants to be where the player is
    Viola   ambushes: it wants to be four cells ahead of the player
    Azur    flanks: it wants to be where Ember would be, mirrored at the player, so that the two close in
    Moss    is shy: it wanders about, and within six cells of the player it makes for its corner

All of them make for their own corner in the scatter phases, run at random while they are frightened, and return home as
a pair of eyes when they have been eaten.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from device.pacman.maze import DIRECTIONS, REVERSE, Cell, Maze
from device.pacman.walker import Walker

AMBUSH_CELLS = 4
SHY_CELLS = 6


@dataclass(frozen=True)
class Scene:
    """What a ghost knows when it chooses."""

    player: Cell
    heading: str
    """The direction the player faces."""
    chaser: Cell
    """Where the first ghost is."""
    own: Cell
    corner: Cell


def chase(scene: Scene) -> Cell | None:
    """Where the player is."""
    return scene.player


def ambush(scene: Scene) -> Cell | None:
    """Four cells ahead of the player, also where that lies in a wall or outside."""
    dr, dc = DIRECTIONS[scene.heading]
    return scene.player[0] + AMBUSH_CELLS * dr, scene.player[1] + AMBUSH_CELLS * dc


def flank(scene: Scene) -> Cell | None:
    """The first ghost's cell, mirrored at the player."""
    return 2 * scene.player[0] - scene.chaser[0], 2 * scene.player[1] - scene.chaser[1]


def shy(scene: Scene) -> Cell | None:
    """Nowhere (a random way) while the player is far, its own corner when the player is near."""
    far = _square(scene.own, scene.player) > SHY_CELLS**2
    return None if far else scene.corner


@dataclass(frozen=True)
class Character:
    """What tells one ghost from the others."""

    name: str
    colour: str
    target: Callable[[Scene], Cell | None]
    corner: tuple[bool, bool]
    """(lower, right): the corner it makes for in the scatter phases."""
    wait_ticks: int
    """How long it stays in the house at the start of a round."""


CHARACTERS = (
    Character("Ember", "red", chase, (False, True), 0),
    Character("Viola", "violet", ambush, (False, False), 40),
    Character("Azur", "cyan", flank, (True, True), 120),
    Character("Moss", "green", shy, (True, False), 200),
)


class GhostPlace(StrEnum):
    """Where a ghost is in its life."""

    HOME = "home"
    LEAVING = "leaving"
    OUT = "out"
    EYES = "eyes"


class Ghost(Walker):
    """One ghost: where it is, and how it chooses its way."""

    def __init__(self, maze: Maze, character: Character, bed: Cell) -> None:
        """bed: where it begins: in the house, or, for the first ghost, before its door."""
        outside = bed in maze.ways
        super().__init__(maze, bed, "left" if outside else "up")
        self.character = character
        self.corner = (maze.rows - 1 if character.corner[0] else 0, maze.columns - 1 if character.corner[1] else 0)
        self.place = GhostPlace.OUT if outside else GhostPlace.HOME
        self.wait_ticks = character.wait_ticks
        self.frightened = False
        self.turning = False
        """True when it turns back in the middle of the next cell, because the phase has changed."""

    @property
    def dangerous(self) -> bool:
        """True if touching it costs a life."""
        return self.place is not GhostPlace.EYES and not self.frightened

    def frighten(self) -> None:
        """Become frightened and turn back, unless it is a pair of eyes."""
        if self.place is not GhostPlace.EYES:
            self.frightened = True
            if self.place is GhostPlace.OUT:
                self.turn_back()

    def move(self, units: int, target: Cell | None, rng: random.Random) -> None:
        """One tick: so many units towards the target (None: a random way), or out of the house, or home."""
        if self.place is GhostPlace.HOME:
            self.wait_ticks -= 1
            if self.wait_ticks > 0:
                return
            self.place = GhostPlace.LEAVING

        def decide(cell: Cell) -> str:
            if self.place is GhostPlace.EYES and self.maze.steps_home[cell] == 0:
                self.place = GhostPlace.LEAVING
            if self.place is GhostPlace.LEAVING and cell == self.maze.exit:
                self.place = GhostPlace.OUT
                self.direction = "left"
            if self.place is GhostPlace.EYES:
                return self._down(self.maze.steps_home, cell)
            if self.place is GhostPlace.LEAVING:
                return self._down(self.maze.steps_to_exit, cell)
            return self._choose(cell, target, rng)

        self.walk(units, decide)

    def _down(self, steps: dict[Cell, int], cell: Cell) -> str:
        """The direction in which the steps grow fewer."""
        around = self.maze.neighbours(cell)
        return min((name for name in around if around[name] in steps), key=lambda name: steps[around[name]])

    def _choose(self, cell: Cell, target: Cell | None, rng: random.Random) -> str:
        """At a branch: the way that looks nearest to the target; ghosts turn back only when they must."""
        ways = self.maze.open(cell)
        back = REVERSE[self.direction]
        if self.turning and back in ways:
            self.turning = False
            return back
        self.turning = False
        if len(ways) > 1:
            ways.pop(back, None)
        if self.frightened or target is None:
            return rng.choice(list(ways))
        return min(ways, key=lambda name: _square(ways[name], target))


def _square(a: Cell, b: Cell) -> int:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2


def make_ghosts(maze: Maze) -> list[Ghost]:
    """The four ghosts at their places: the first before the door, the others in the house; none without a house."""
    if not maze.house:
        return []
    beds = [maze.exit, *(maze.beds[i % len(maze.beds)] for i in range(len(CHARACTERS) - 1))]
    return [Ghost(maze, character, bed) for character, bed in zip(CHARACTERS, beds, strict=True)]
