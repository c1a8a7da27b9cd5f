"""`edge-tl play`: Pac-Man, steered by what was taught."""

from __future__ import annotations

import secrets
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import ExitStack

from device.assembly import clock, load_embedder, make_controller, open_camera, open_profile, taught_recognizer
from device.commands.train import save
from device.lesson import Lesson
from device.line import Line
from device.pacman.game import Game
from device.pacman.maze import pick_maze
from device.pacman.pilot import Pilot
from device.pacman.scores import HighScore
from device.round import Round
from device.screens.play import PlayScreen
from device.screens.terminal import Terminal
from device.steering import steering
from edge_tl.errors import ProfileLocked
from edge_tl.simulated import SimulatedPlayer


def run(arguments: Namespace) -> int:
    """The play screen, until the person quits."""
    with ExitStack() as stack:
        term = Terminal(min_rows=24, min_columns=80)
        source = open_camera(arguments, stack)
        if source is None:
            stack.enter_context(term)
            play_round(term, None, None, None, arguments)
            return 0
        embedder = load_embedder(arguments)
        try:
            profile = open_profile(arguments, stack, writable=True)
        except ProfileLocked:
            # Another process teaches this profile: playing reads only, and must not be refused.
            profile = open_profile(arguments, stack, writable=False)
        recognizer = taught_recognizer(profile, embedder, reject=not arguments.no_reject)
        line = Line(source, recognizer, clock, make_controller(recognizer))
        steering(recognizer.classes, arguments.steer)
        lesson = None
        if profile.writable:
            lesson = Lesson(profile.store, recognizer, clock)

        def relearn() -> str:
            assert lesson is not None
            learned = lesson.learn()
            save(profile, recognizer, learned, None)
            line.controller = make_controller(recognizer)
            return f"learned {learned.examples} in {learned.train_ms:.0f} ms"

        stack.enter_context(term)
        play_round(term, line, lesson, relearn, arguments)
    return 0


def play_round(
    term: Terminal, line: Line | None, lesson: Lesson | None, relearn: Callable[[], str] | None, arguments: Namespace
) -> None:
    """Pac-Man on the terminal until `q`; the high score is kept beside the profiles."""
    seed = getattr(arguments, "seed", None)
    game = Game(pick_maze(*term.size), seed=secrets.randbits(32) if seed is None else seed)
    directions = steering(line.recognizer.classes, getattr(arguments, "steer", ())) if line is not None else {}
    pilot = None
    if line is not None and isinstance(line.source, SimulatedPlayer):
        # Nobody sits before a simulated camera: the pilot plays, and the drawn head looks where it wants to go.
        pilot = posing(Pilot(game), line.source, directions)
    round_ = Round(game, line, directions, clock, time.sleep)
    scores = HighScore(arguments.data_dir / "high_score.json")
    try:
        PlayScreen(term, round_, clock, lesson, relearn, pilot, scores.best(game.maze.name)).run()
    finally:
        scores.record(game.maze.name, game.score)


def posing(pilot: Pilot, player: SimulatedPlayer, directions: dict[str, str]) -> Callable[[], None]:
    """A function that turns the simulated player's head to where the pilot wants to go."""
    pose_of = {direction: label for label, direction in directions.items()}

    def pose() -> None:
        wanted = pilot.wanted()
        if pose_of.get(wanted) in player.labels:
            player.pose = pose_of[wanted]

    return pose
