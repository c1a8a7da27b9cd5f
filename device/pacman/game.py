"""The rules of the game, pure: no clock, no screen, no keys. One `step` is one tick of 1/20 s.

    game = Game(COMPACT, seed=1)
    while game.state is not State.LOST:
        events = game.step("left")      # or None: keep going
        print("\\n".join(game.lines()))

The same seed and the same wanted directions give the same game, on every machine.
"""

from __future__ import annotations

import random
from enum import StrEnum

from device.pacman.ghosts import Ghost, GhostPlace, Scene, make_ghosts
from device.pacman.maze import REVERSE, Cell, Maze
from device.pacman.walker import Walker

TICKS_PER_SECOND = 20

LIVES = 3
PELLET_POINTS, POWER_POINTS = 10, 50
GHOST_POINTS = (200, 400, 800, 1600)
EXTRA_LIFE_POINTS = 10_000

REMEMBER_TICKS = 20
"""How long a wanted turn waits for its opening: 1 s."""
READY_TICKS, DYING_TICKS, WON_TICKS = 40, 30, 40
FLASH_TICKS = 40
"""The end of a frightened phase, in which the ghosts flash."""
PHASES_TICKS = (120, 400, 120, 400, 80)
"""Scatter, chase, scatter, chase, scatter; then they chase for good. A frightened phase stops this clock."""

# Speeds in units a tick: 30 are 6 cells a second. Slower than the arcade: a head takes longer to turn than a stick.
PLAYER_UNITS = 30
FRIGHTENED_UNITS, TUNNEL_UNITS, EYES_UNITS = 15, 15, 60
TOUCH_UNITS = 60


class State(StrEnum):
    """What the game is doing."""

    READY = "ready"
    PLAYING = "playing"
    DYING = "dying"
    WON = "won"
    LOST = "lost"


class GameEvent(StrEnum):
    """What has happened in a tick."""

    STARTED = "started"
    PELLET = "pellet"
    POWER = "power"
    GHOST = "ghost"
    DIED = "died"
    EXTRA_LIFE = "extra life"
    LEVEL_WON = "level won"
    GAME_OVER = "game over"


def ghost_units(level: int) -> int:
    """A ghost's speed: from 25 units a tick in level 1 to 31, just faster than the player, from level 7 on."""
    return min(24 + level, 31)


def fright_ticks(level: int) -> int:
    """How long ghosts are frightened: 7 s in level 1, one less each level, at least 1 s."""
    return max(8 - level, 1) * TICKS_PER_SECOND


class Game:
    """One game of Pac-Man in a maze."""

    def __init__(self, maze: Maze, seed: int = 0) -> None:
        """seed: of the ghosts' random ways; `reset` starts from it again."""
        self.maze = maze
        self._seed = seed
        self.reset()

    def reset(self) -> None:
        """A new game: level 1, three lives, no points, not paused."""
        self._rng = random.Random(self._seed)
        self.score, self.lives, self.level = 0, LIVES, 1
        self.pellets_eaten = 0
        """Pellets and power pellets eaten in this game, over all levels."""
        self.ticks = 0
        """Ticks played; a paused game does not count them."""
        self._pause: str | None = None
        self._hold: str | None = None
        self._new_level()

    def _new_level(self) -> None:
        self.pellets, self.powers = set(self.maze.pellets), set(self.maze.powers)
        self._new_round()

    def _new_round(self) -> None:
        """Everybody back to the start."""
        self.player = Walker(self.maze, self.maze.start, "left")
        self.moving = False
        """True if the player moved in the last tick."""
        self.ghosts: list[Ghost] = make_ghosts(self.maze)
        self._wanted: str | None = None
        self._wanted_ticks = 0
        self.fright_left = 0
        """Ticks until the ghosts are brave again."""
        self._caught = 0
        self._phase_ticks = 0
        self.state = State.READY
        self._state_ticks = READY_TICKS

    @property
    def scattering(self) -> bool:
        """True in the phases in which the ghosts make for their corners."""
        ticks = self._phase_ticks
        for i, length in enumerate(PHASES_TICKS):
            if ticks < length:
                return i % 2 == 0
            ticks -= length
        return False

    @property
    def flashing(self) -> bool:
        """True while frightened ghosts are drawn bright: on and off, near the end of their fright."""
        return 0 < self.fright_left <= FLASH_TICKS and self.fright_left // 4 % 2 == 0

    @property
    def dying(self) -> float:
        """How far the player's end has come, 0..1; 0 while it lives."""
        return 1 - self._state_ticks / DYING_TICKS if self.state is State.DYING else 0.0

    @property
    def paused(self) -> str | None:
        """Why the game stands still, or None."""
        return self._hold or self._pause

    def pause(self) -> None:
        """Pause, or go on."""
        self._pause = None if self._pause else "paused"

    def stand_still(self) -> None:
        """Pause; a game that is paused stays so."""
        self._pause = "paused"

    def hold(self, held: bool, reason: str = "camera lost") -> None:
        """Stand still for as long as something is missing: nobody dies because a cable came loose."""
        self._hold = reason if held else None

    def restart_if_over(self) -> None:
        """A new game, if this one is lost."""
        if self.state is State.LOST:
            self.reset()

    def step(self, wanted: str | None) -> tuple[GameEvent, ...]:
        """One tick. wanted: `up`, `down`, `left`, `right`, or None to keep going.

        A wanted turn is remembered for 20 ticks and taken at the next opening; turning back is done at once.
        Returns what happened, in order. A paused or lost game does not change.
        """
        if self.paused or self.state is State.LOST:
            return ()
        self.ticks += 1
        if wanted is not None:
            self._wanted, self._wanted_ticks = wanted, REMEMBER_TICKS
        events: list[GameEvent] = []
        if self.state is State.PLAYING:
            self._play(events)
        else:
            self._state_ticks -= 1
            if self._state_ticks <= 0:
                self._next_state(events)
        if self._wanted_ticks:
            self._wanted_ticks -= 1
            if not self._wanted_ticks:
                self._wanted = None
        return tuple(events)

    def _next_state(self, events: list[GameEvent]) -> None:
        """What follows when everybody has stood still for long enough."""
        if self.state is State.READY:
            self.state = State.PLAYING
            events.append(GameEvent.STARTED)
        elif self.state is State.WON:
            self.level += 1
            self._new_level()
        elif self.lives > 0:
            self._new_round()
        else:
            self.state = State.LOST
            events.append(GameEvent.GAME_OVER)

    def _play(self, events: list[GameEvent]) -> None:
        self._move_player()
        self._eat(events)
        self._touch(events)
        if self.state is State.PLAYING:
            self._move_ghosts()
            self._touch(events)
        if self.state is State.PLAYING and not self.pellets and not self.powers:
            self._enter(State.WON, WON_TICKS)
            events.append(GameEvent.LEVEL_WON)

    def _enter(self, state: State, ticks: int) -> None:
        self.state, self._state_ticks = state, ticks
        self._wanted, self.moving = None, False

    def _move_player(self) -> None:
        player = self.player
        if self._wanted == REVERSE[player.direction] and not player.centred:
            player.direction, self._wanted = self._wanted, None
        self.moving = player.walk(PLAYER_UNITS, self._way)

    def _way(self, cell: Cell) -> str | None:
        """Where the player leaves the middle of a cell: the wanted turn, else straight on, else nowhere."""
        ways = self.maze.open(cell)
        if self._wanted in ways:
            wanted, self._wanted = self._wanted, None
            return wanted
        return self.player.direction if self.player.direction in ways else None

    def _eat(self, events: list[GameEvent]) -> None:
        cell = self.player.cell
        if cell in self.pellets:
            self.pellets.remove(cell)
            self._gain(PELLET_POINTS, GameEvent.PELLET, events)
        elif cell in self.powers:
            self.powers.remove(cell)
            self._gain(POWER_POINTS, GameEvent.POWER, events)
            self.fright_left, self._caught = fright_ticks(self.level), 0
            for ghost in self.ghosts:
                ghost.frighten()
        else:
            return
        self.pellets_eaten += 1

    def _gain(self, points: int, event: GameEvent, events: list[GameEvent]) -> None:
        before, self.score = self.score, self.score + points
        events.append(event)
        if before < EXTRA_LIFE_POINTS <= self.score:
            self.lives += 1
            events.append(GameEvent.EXTRA_LIFE)

    def _move_ghosts(self) -> None:
        if self.fright_left:
            self.fright_left -= 1
            if not self.fright_left:
                for ghost in self.ghosts:
                    ghost.frightened = False
        else:
            before = self.scattering
            self._phase_ticks += 1
            if self.scattering != before:
                for ghost in self.ghosts:
                    ghost.turning = True
        for ghost in self.ghosts:
            scene = Scene(self.player.cell, self.player.direction, self.ghosts[0].cell, ghost.cell, ghost.corner)
            target = ghost.corner if self.scattering else ghost.character.target(scene)
            ghost.move(self._units(ghost), target, self._rng)

    def _units(self, ghost: Ghost) -> int:
        if ghost.place is GhostPlace.EYES:
            return EYES_UNITS
        if ghost.cell in self.maze.tunnels:
            return TUNNEL_UNITS
        return FRIGHTENED_UNITS if ghost.frightened else ghost_units(self.level)

    def _touch(self, events: list[GameEvent]) -> None:
        for ghost in self.ghosts:
            if self.state is not State.PLAYING or ghost.place is GhostPlace.EYES:
                continue
            if ghost.distance_units(self.player) >= TOUCH_UNITS:
                continue
            if ghost.frightened:
                ghost.place, ghost.frightened = GhostPlace.EYES, False
                self._gain(GHOST_POINTS[min(self._caught, 3)], GameEvent.GHOST, events)
                self._caught += 1
            else:
                self.lives -= 1
                self._enter(State.DYING, DYING_TICKS)
                events.append(GameEvent.DIED)

    def lines(self) -> list[str]:
        """The board as ASCII art, one character a cell.

        `#` wall, `-` door, `.` pellet, `o` power pellet; the player as `<`, `>`, `^` or `v`, the way it faces, `x`
        when it was caught; a ghost as the first letter of its name, small when frightened, `"` for a pair of eyes.
        """
        grid = [[sign if sign in "#-" else " " for sign in line] for line in self.maze.art]
        for sign, cells in ((".", self.pellets), ("o", self.powers)):
            for row, column in cells:
                grid[row][column] = sign
        for ghost in reversed(self.ghosts):
            row, column = ghost.cell
            initial = ghost.character.name[0]
            sign = '"' if ghost.place is GhostPlace.EYES else initial.lower() if ghost.frightened else initial
            grid[row][column] = sign
        row, column = self.player.cell
        caught = self.state in (State.DYING, State.LOST)
        grid[row][column] = (
            "x" if caught else {"left": "<", "right": ">", "up": "^", "down": "v"}[self.player.direction]
        )
        return ["".join(line) for line in grid]
