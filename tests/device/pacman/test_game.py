"""The game as a film: mazes and expected boards are ASCII art, an engine without a screen plays them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.pacman.game import (
    DYING_TICKS,
    EXTRA_LIFE_POINTS,
    PHASES_TICKS,
    PLAYER_UNITS,
    READY_TICKS,
    REMEMBER_TICKS,
    TICKS_PER_SECOND,
    WON_TICKS,
    Game,
    GameEvent,
    State,
    fright_ticks,
    ghost_units,
)
from device.pacman.ghosts import GhostPlace
from device.pacman.maze import COMPACT, LARGE, Maze, parse_maze
from device.pacman.pilot import Pilot
from device.pacman.walker import CELL_UNITS

CORRIDOR = parse_maze("""
#########
#...P...#
#.#.###.#
#...#####
#########
""")

LOOP = parse_maze("\n".join(["#####", "#...#", " .#. ", "#.P.#", "#####"]))


def begun(maze: Maze, seed: int = 0) -> Game:
    """A game in its first tick of play."""
    game = Game(maze, seed)
    while game.state is State.READY:
        game.step(None)
    return game


def play(game: Game, ticks: int, wanted: str | None = None) -> list[GameEvent]:
    """Say a direction once, then keep going for so many ticks; what happened."""
    events = list(game.step(wanted))
    for _ in range(ticks - 1):
        events += game.step(None)
    return events


def board(art: str) -> list[str]:
    """Expected boards, drawn side by side."""
    return art.strip("\n").split("\n")


def beside(frames: Iterable[list[str]]) -> list[str]:
    """Frames of a film side by side, for comparison with ASCII art."""
    return ["  ".join(lines) for lines in zip(*frames, strict=True)]


def test_a_walk_is_a_film() -> None:
    """The player goes left, eats, is stopped by the wall, and turns down when told to."""
    game = begun(CORRIDOR)
    frames = [game.lines()]
    for ticks, wanted in ((5, "left"), (20, None), (7, "down"), (4, "right")):
        play(game, ticks, wanted)
        frames.append(game.lines())
    assert beside(frames) == board("""
#########  #########  #########  #########  #########
#...<...#  #..< ...#  #<   ...#  #    ...#  #    ...#
#.#.###.#  #.#.###.#  #.#.###.#  # #.###.#  # #.###.#
#...#####  #...#####  #...#####  #v..#####  # >.#####
#########  #########  #########  #########  #########
""")
    assert game.score == 60
    assert game.pellets_eaten == 6


def test_a_wanted_turn_waits_for_its_opening() -> None:
    """A turn said before its opening is taken there; the player keeps going until then and stops at no wall for it."""
    game = begun(CORRIDOR)
    game.step("left")
    play(game, 7, "down")
    assert game.lines()[2] == "#.#v###.#"


def test_a_wanted_turn_is_forgotten_after_a_second() -> None:
    """A turn that found no opening in 20 ticks is not taken at a later one."""
    corridor = parse_maze("\n".join(["#" * 14, "#P..........##", "#.#########.##", "#...........##", "#" * 14]))
    for ticks_before, goes_down in ((REMEMBER_TICKS - 1, True), (REMEMBER_TICKS + 1, False)):
        game = begun(corridor)
        play(game, 1, "right")
        # Stand so that the opening in column 11 comes after exactly so many ticks.
        game.player.column = 11 * CELL_UNITS - ticks_before * PLAYER_UNITS
        assert game.player.column > CELL_UNITS
        play(game, ticks_before + 2, "down")
        assert (game.player.row > CELL_UNITS) is goes_down


def test_turning_back_is_done_at_once() -> None:
    """The opposite direction is taken between two cells too, and costs no tick."""
    game = begun(CORRIDOR)
    play(game, 2, "left")
    before = game.player.column
    game.step("right")
    assert game.player.column == before + PLAYER_UNITS


def test_a_wall_does_not_stop_the_player_who_wants_into_it() -> None:
    """Steering into a wall changes nothing: the player goes on, as in every game of this kind."""
    game, same = begun(CORRIDOR), begun(CORRIDOR)
    for tick in range(15):
        game.step("left" if tick == 0 else "up")
        same.step("left" if tick == 0 else None)
        assert game.lines() == same.lines()


def test_the_tunnel_leads_to_the_other_side() -> None:
    """Who leaves on the left comes in on the right, without a jump: each tick moves by the same way."""
    game = begun(LOOP)
    play(game, 4, "left")
    play(game, 3, "up")
    columns, frames = [], []
    for wanted in ["left", *[None] * 9]:
        game.step(wanted)
        columns.append(game.player.column)
        frames.append(game.lines()[2])
    width = LOOP.columns * CELL_UNITS
    assert {(a - b) % width for a, b in pairwise(columns)} == {PLAYER_UNITS}
    assert [line for i, line in enumerate(frames) if line not in frames[:i]] == [" <#. ", "< #. ", "  #.<", "  #< "]


def test_the_ready_time_moves_nobody() -> None:
    """Before the start everybody stands still for two seconds; a direction said meanwhile is taken at the start."""
    game = Game(COMPACT)
    first = game.lines()
    events = play(game, READY_TICKS - 1)
    assert game.lines() == first
    assert events == []
    assert game.step("right") == (GameEvent.STARTED,)
    game.step(None)
    assert game.player.direction == "right"


def test_points() -> None:
    """A pellet gives 10 points, a power pellet 50, and ghosts 200, 400, 800 and 1600 in one fright."""
    game = begun(COMPACT)
    game.player.put((3, 1))
    game.player.direction = "up"
    assert GameEvent.POWER in play(game, 1)
    assert game.score == 50
    assert all(ghost.frightened for ghost in game.ghosts)
    gained = []
    for ghost in game.ghosts:
        ghost.place = GhostPlace.OUT
        game.player.put(game.player.cell)
        ghost.put(game.player.cell)
        before = game.score
        events = game.step(None)
        gained.append(game.score - before - 10 * events.count(GameEvent.PELLET))
        assert ghost.place is GhostPlace.EYES
    assert gained == [200, 400, 800, 1600]


def test_a_second_power_pellet_counts_from_200_again() -> None:
    """The doubling belongs to one fright: the next power pellet begins at 200."""
    game = begun(COMPACT)
    for power in sorted(game.powers)[:2]:
        game.player.put(power)
        game.step(None)
        ghost = next(ghost for ghost in game.ghosts if ghost.frightened)
        ghost.place = GhostPlace.OUT
        ghost.put(game.player.cell)
        before = game.score
        events = game.step(None)
        assert game.score - before - 10 * events.count(GameEvent.PELLET) == 200


def test_fright_ends_and_flashes_before() -> None:
    """Ghosts are frightened for seven seconds in the first level, flash in the last two, and are dangerous again."""
    game = begun(COMPACT)
    game.player.put((3, 1))
    game.step(None)
    film = []
    while game.fright_left:
        film.append(game.flashing)
        game.player.put((17, 1))
        game.ghosts[0].put((1, 1))
        game.step(None)
    assert len(film) == 7 * TICKS_PER_SECOND - 1
    assert not any(film[: 5 * TICKS_PER_SECOND - 1])
    assert 0.3 < sum(film[-2 * TICKS_PER_SECOND :]) / (2 * TICKS_PER_SECOND) < 0.7
    assert all(ghost.dangerous for ghost in game.ghosts)


def test_levels_are_harder() -> None:
    """Each level has faster ghosts and a shorter fright, down to a second; a ghost never gets much faster than you."""
    assert [fright_ticks(level) // TICKS_PER_SECOND for level in (1, 2, 7, 8, 50)] == [7, 6, 1, 1, 1]
    assert [ghost_units(level) for level in (1, 2, 7, 50)] == [25, 26, 31, 31]
    assert ghost_units(1) < PLAYER_UNITS < ghost_units(50) < PLAYER_UNITS * 1.05


def test_a_touch_costs_a_life_and_the_third_the_game() -> None:
    """A caught player loses a life and starts again with the pellets that were left; after three the game is over."""
    game = begun(COMPACT)
    play(game, 5, "left")
    eaten = len(COMPACT.pellets) - len(game.pellets)
    assert eaten > 0
    for lives in (2, 1, 0):
        game.ghosts[0].put(game.player.cell)
        assert GameEvent.DIED in game.step(None)
        assert game.state is State.DYING
        assert game.lives == lives
        left = len(game.pellets)
        events = play(game, DYING_TICKS)
        if lives:
            assert game.state is State.READY
            assert game.player.cell == COMPACT.start
            assert len(game.pellets) == left
            play(game, READY_TICKS)
    assert events[-1] is GameEvent.GAME_OVER
    assert game.state is State.LOST
    last = game.lines()
    assert play(game, 50, "up") == []
    assert game.lines() == last
    game.restart_if_over()
    assert (game.state, game.lives, game.score, game.level) == (State.READY, 3, 0, 1)


def test_nobody_walks_through_a_ghost() -> None:
    """Player and ghost running at each other always touch, whatever their speeds and distance."""
    for level in range(1, 9):
        for gap in range(100, 400, 7):
            game = begun(COMPACT)
            game.level = level
            for ghost in game.ghosts[1:]:
                ghost.place, ghost.wait_ticks = GhostPlace.HOME, 10_000
            game.player.put((17, 7))
            game.player.direction = "right"
            ghost = game.ghosts[0]
            ghost.put((17, 7))
            ghost.column += gap
            ghost.direction = "left"
            events = play(game, 12)
            assert GameEvent.DIED in events, (level, gap)


def test_a_won_level_is_followed_by_the_next() -> None:
    """The last pellet wins the level; after a moment the next begins, full of pellets, with lives and score kept."""
    game = begun(CORRIDOR)
    game.pellets = {(1, 3)}
    events = play(game, 5, "left")
    assert events == [GameEvent.PELLET, GameEvent.LEVEL_WON]
    assert game.state is State.WON
    play(game, WON_TICKS)
    assert (game.state, game.level, game.score, game.lives) == (State.READY, 2, 10, 3)
    assert game.pellets == CORRIDOR.pellets


def test_an_extra_life_at_ten_thousand() -> None:
    """Reaching 10 000 points gives one more life, once."""
    game = begun(CORRIDOR)
    game.score = EXTRA_LIFE_POINTS - 10
    events = play(game, 20, "left")
    assert events.count(GameEvent.EXTRA_LIFE) == 1
    assert game.lives == 4


def test_a_pause_stops_everything() -> None:
    """Paused by the player or by a lost camera, no tick changes the game; each of the two ends on its own."""
    game = begun(COMPACT)
    play(game, 10, "left")
    before = game.lines(), game.score, game.ticks
    game.pause()
    game.hold(True)
    assert game.paused == "camera lost"
    assert play(game, 100, "right") == []
    game.hold(False)
    assert game.paused == "paused"
    assert play(game, 100, "right") == []
    assert (game.lines(), game.score, game.ticks) == before
    game.pause()
    assert game.paused is None
    play(game, 1)
    assert game.ticks == before[2] + 1


def test_scatter_and_chase_alternate() -> None:
    """Ghosts scatter and chase in turns, then chase for good; at each change they turn back."""
    game = begun(COMPACT)
    phases: list[list[int]] = []
    turned = 0
    for _ in range(sum(PHASES_TICKS) + 500):
        game.player.put((17, 1))
        game.ghosts[0].put((4, 11))
        for ghost in game.ghosts[1:]:
            ghost.place, ghost.wait_ticks = GhostPlace.HOME, 10_000
        before = game.scattering
        game.step(None)
        turned += game.scattering != before
        if not phases or phases[-1][0] != game.scattering:
            phases.append([game.scattering, 0])
        phases[-1][1] += 1
    assert [bool(scatter) for scatter, _ in phases] == [True, False, True, False, True, False]
    assert [length for _, length in phases[1:-1]] == list(PHASES_TICKS[1:])
    assert turned == len(PHASES_TICKS)


def test_scattering_ghosts_make_for_their_corners() -> None:
    """In the scatter phase each ghost heads for a corner of its own: that is how a player learns to tell them apart."""
    game = begun(LARGE)
    for _ in range(PHASES_TICKS[0] - 2):
        game.step(None)
        game.lives = 3
    ember, viola = game.ghosts[:2]
    assert ember.cell[1] > LARGE.columns // 2 > viola.cell[1]
    assert max(ember.cell[0], viola.cell[0]) < LARGE.rows // 2


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.integers(0, 2**31), st.sampled_from([COMPACT, LARGE]))
def test_the_same_seed_is_the_same_game(seed: int, keys: int, maze: Maze) -> None:
    """A seed and the wanted directions make the game: twice the same film; a reset is the same game again."""

    def film(game: Game) -> list[tuple[tuple[GameEvent, ...], int, tuple[str, ...]]]:
        rng = random.Random(keys)
        ways = ["up", "down", "left", "right", None]
        return [(game.step(rng.choice(ways)), game.score, tuple(game.lines())) for _ in range(300)]

    game = Game(maze, seed)
    first = film(game)
    game.reset()
    assert first == film(game) == film(Game(maze, seed))


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["up", "down", "left", "right", None]), min_size=50, max_size=600), st.integers(0, 99))
def test_the_rules_hold_in_any_game(wanted: list[str | None], seed: int) -> None:
    """Whatever is steered: the player is on a way, points never fall, pellets never return, lives stay in range."""
    game = Game(COMPACT, seed)
    score, left = 0, len(game.pellets)
    for direction in wanted:
        game.step(direction)
        assert game.player.cell in COMPACT.ways
        assert game.score >= score
        assert len(game.pellets) <= left
        assert 0 <= game.lives <= 4
        assert game.pellets_eaten == len(COMPACT.pellets | COMPACT.powers) - len(game.pellets) - len(game.powers)
        score, left = game.score, len(game.pellets)


@pytest.mark.parametrize("maze", [COMPACT, LARGE], ids=lambda maze: maze.name)
@pytest.mark.parametrize("delay_ticks", [0, 4])
def test_the_pilot_is_a_sensible_player(maze: Maze, delay_ticks: int) -> None:
    """The pilot eats most pellets of either maze in a minute, also when each direction arrives 0.2 s late."""
    shares = []
    for seed in range(3):
        game = Game(maze, seed)
        pilot = Pilot(game)
        late: list[str | None] = [None] * delay_ticks
        for _ in range(60 * TICKS_PER_SECOND):
            late.append(pilot.wanted())
            game.step(late.pop(0))
        shares.append(game.pellets_eaten / len(maze.pellets | maze.powers))
    assert sum(shares) / len(shares) > (0.75 if maze is COMPACT else 0.5)


def test_the_pilot_keeps_its_distance() -> None:
    """With a ghost waiting between it and the last pellet, the pilot goes the other way."""
    game = begun(COMPACT)
    game.pellets, game.powers = {(17, 11)}, {(3, 1)}
    game.player.put((17, 6))
    game.player.direction = "right"
    for ghost in game.ghosts:
        ghost.place = GhostPlace.OUT
        ghost.put((17, 9))
        ghost.direction = "left"
    assert Pilot(game).wanted() != "right"
