"""`edge-tl play`: Pac-Man, steered by what was taught."""

from __future__ import annotations

import secrets
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from device.assembly import (
    Context,
    check_hearing,
    clock,
    load_saved,
    make_controller,
    open_microphone,
    taught_recognizer,
)
from device.cli.calling import speaking_of
from device.cli.output import print_json, warn_all
from device.commands.options import asked_budget, check_keys, context_of
from device.commands.predict_movements import movement_json
from device.pacman.game import Game
from device.pacman.maze import pick_maze
from device.pacman.pilot import SWIPED_AHEAD_CELLS, Pilot
from device.pacman.round import Round
from device.pacman.scores import HighScore
from device.pacman.swiper import Swiper
from device.screens.plain import PlainPlay, PlainTerminal
from device.screens.play import PlayScreen
from device.screens.terminal import Terminal
from device.teach.explaining import Explainer
from device.teach.lesson import Lesson
from device.teach.steering import steering
from device.teach.training import save
from edge_tl.embedders.embedder import Embedder
from edge_tl.errors import ConfigError, ProfileError, counted
from edge_tl.heads.movement import MovementHead
from edge_tl.line import Line, PictureLine, SoundLine
from edge_tl.line.movement import MovementLine
from edge_tl.listener import Listener, listening_config
from edge_tl.sources.moving_hand import MovingHand
from edge_tl.sources.simulated import SimulatedPlayer
from edge_tl.store.settings import read_hearing, read_mirrored

ROWS, COLUMNS = 24, 80
"""The smallest window that shows the compact maze and the panel."""


def run(arguments: Namespace) -> int:
    """The play screen, until the person quits."""
    context, steer, reject = context_of(arguments), arguments.steer, not arguments.no_reject
    with ExitStack() as stack:
        notes: list[str] = []
        stack.callback(warn_all, notes)
        games: list[dict[str, Any]] = []
        if arguments.json:
            stack.callback(lambda: print_json(games[0]) if games else None)
        term = PlainTerminal() if arguments.plain else Terminal(min_rows=ROWS, min_columns=COLUMNS, has_plain=True)
        term.check()
        play_so = partial(play_round, term, context.data_dir, notes, seed=arguments.seed, steer=steer)
        voice = None
        if arguments.mic is not None:
            check_keys(arguments.mic)
            # The words of `--mic-profile`, or of `--profile` where the camera does not play too.
            words = replace(context, profile=arguments.mic_profile or context.profile)
            with speaking_of(words.profile):
                voice = open_ear(words, arguments.mic, steer if arguments.mic_profile is None else (), reject, stack)
            if arguments.mic_profile is None:
                stack.enter_context(term)
                games.append(play_so(voice))
                return 0
        if arguments.no_camera:
            stack.enter_context(term)
            games.append(play_so(None, voice=voice))
            return 0
        if read_hearing(context.profile_folder) is not None:
            raise ConfigError(f"profile {context.profile!r} was taught words: give --mic, or another --profile")
        embedder = context.load_embedder(movements=True)
        if embedder.kind == "movement":
            line = movement_line(context, embedder, arguments, steer, stack)
            stack.enter_context(term)
            games.append(play_so(line, voice=voice))
            return 0
        try:
            profile = context.open_profile(stack, writable=True)
        except ProfileError as error:
            # Another process teaches this profile, or its folder may only be read: playing needs no more than that.
            profile = context.open_profile(stack, writable=False)
            notes.append(f"played without recording examples: {error}")
        recognizer = taught_recognizer(profile, embedder, reject=reject)
        steering(recognizer.classes, steer)  # before the camera: a wrong --steer is told at once
        source = context.open_camera(arguments.camera, arguments.rotate, stack)
        budget = asked_budget(arguments.fps, context.data_dir)
        seeing = PictureLine(source, recognizer, clock, make_controller(recognizer), budget)
        lesson = Lesson(profile.store, recognizer, clock) if profile.writable else None

        def relearn() -> str:
            assert lesson is not None
            lesson.hold(lambda: None)
            learned = lesson.learn()
            save(profile, recognizer, learned, None)
            seeing.controller = make_controller(recognizer)
            return f"trained on {counted(learned.examples, 'example')} in {learned.train_ms:.0f} ms"

        def explain(picture: np.ndarray) -> list[str]:
            return Explainer(profile.store, recognizer).picture(picture).lines()

        stack.enter_context(term)
        games.append(play_so(seeing, lesson, relearn, voice, explain=explain))
    return 0


def open_ear(words: Context, mic: str, steer: Sequence[str], reject: bool, stack: ExitStack) -> SoundLine:
    """What listens for the words of a profile; ConfigError where `steer` names one that it does not know."""
    check_hearing(words)
    embedder = words.load_embedder()
    profile = words.open_profile(stack, writable=False)
    recognizer = taught_recognizer(profile, embedder, reject=reject)
    steering(recognizer.classes, steer)
    listener = Listener(recognizer.classes, listening_config(load_saved(profile)))
    return SoundLine(open_microphone(mic, stack, loop=True), recognizer, clock, listener)


def movement_line(
    context: Context, embedder: Embedder, arguments: Namespace, steer: Sequence[str], stack: ExitStack
) -> MovementLine:
    """What watches for the movements of a profile; ConfigError where its head cannot find them in a stream."""
    profile = context.open_profile(stack, writable=False)
    recognizer = taught_recognizer(profile, embedder)
    if not isinstance(recognizer.head, MovementHead):
        raise ConfigError(
            f"profile {context.profile!r} was trained with head {recognizer.head.name}, which finds no movement in a "
            f"stream: run `edge-tl train --head {MovementHead.name}`"
        )
    steering(recognizer.classes, steer)  # before the camera: a wrong --steer is told at once
    hands = context.load_hands()
    source = context.open_camera(arguments.camera, arguments.rotate, stack)
    return MovementLine(source, recognizer, clock, hands, mirrored=read_mirrored(profile.folder))


def play_round(
    term: Terminal,
    data_dir: Path,
    notes: list[str],
    line: Line | None,
    lesson: Lesson | None = None,
    relearn: Callable[[], str] | None = None,
    voice: SoundLine | None = None,
    *,
    explain: Callable[[np.ndarray], list[str]] | None = None,
    seed: int | None = None,
    steer: Sequence[str] = (),
) -> dict[str, Any]:
    """Pac-Man on the terminal until `q`; what came of it, JSON-able.

    data_dir: the high score is kept there. notes: takes a line for what should be told once the terminal is closed.
    voice: what listens beside a camera; its words steer by their names. seed: the ghosts', None for a new one. steer:
    `--steer`, direction=label. explain: as of PlayScreen.
    """
    plain = isinstance(term, PlainTerminal)
    rows, columns = (ROWS, COLUMNS) if plain else term.size
    if rows < ROWS or columns < COLUMNS:
        wanted = f"playing needs {COLUMNS}×{ROWS}; make it larger, or give --plain"
        raise ConfigError(f"the window has {columns}×{rows} characters, {wanted}")
    game = Game(pick_maze(rows, columns), seed=secrets.randbits(32) if seed is None else seed)
    directions = steering(line.recognizer.classes, steer) if line is not None else {}
    pilot: Callable[[], None] | None = None
    # Nobody sits before a simulated camera: the pilot plays, and the drawn head looks where it wants to go.
    if line is not None and isinstance(line.source, SimulatedPlayer):
        pilot = posing(Pilot(game), line.source, directions)
    if line is not None and isinstance(line.source, MovingHand):
        pilot = Swiper(Pilot(game, SWIPED_AHEAD_CELLS), line.source, directions)
    round_ = Round(game, line, directions, clock, time.sleep, voice)

    def learn_more() -> str:
        assert relearn is not None
        assert line is not None
        said = relearn()
        round_.steering = steering(line.recognizer.classes, steer)  # the classes may be others now
        return said

    scores = HighScore(data_dir / "high_score.json")
    kind = PlainPlay if plain else PlayScreen
    best = scores.best(game.maze.name)
    screen = kind(term, round_, clock, lesson, learn_more if relearn else None, pilot, best, explain)
    try:
        screen.run()
    finally:
        try:
            scores.record(game.maze.name, screen.best_played)
        except ConfigError as error:  # a finished game is no error
            notes.append(str(error))
    return summary(round_, screen.best_played)


def summary(round_: Round, score: int) -> dict[str, Any]:
    """What `--json` prints after the game: its points, and of movements which were told and which were doubted."""
    line = round_.line
    made: dict[str, Any] = {"score": score, "level": round_.game.level}
    if isinstance(line, MovementLine):
        made["movements"] = [movement_json(one, line.first_s) for one in line.reported]
        made["unsure"] = [movement_json(one.moved, line.first_s) | {"threshold": one.least} for one in line.doubts]
    return made


def posing(pilot: Pilot, player: SimulatedPlayer, directions: dict[str, str]) -> Callable[[], None]:
    """A function that turns the simulated player's head to where the pilot wants to go."""
    pose_of = {direction: label for label, direction in directions.items()}

    def pose() -> None:
        wanted = pilot.wanted()
        if pose_of.get(wanted) in player.labels:
            player.pose = pose_of[wanted]

    return pose
