"""`edge-tl demo`: the main job by itself — teach, train, evaluate today and tomorrow, play by recognition alone."""

from __future__ import annotations

import sys
import tempfile
import time
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from device.assembly import clock, make_controller, subject_of
from device.cli.calling import as_called
from device.cli.model_places import has_models
from device.cli.output import columns_of, print_json, warn, wrapped
from device.cli.spoken_demo import voice_demo, voice_lines
from device.commands import demo_movements
from device.commands.options import asked_look, describing
from device.pacman.game import Game, State
from device.pacman.maze import pick_maze
from device.pacman.pilot import Pilot
from device.pacman.round import Round
from device.screens.play import PlayScreen
from device.screens.rehearsal import RehearsalScreen
from device.screens.terminal import Terminal
from device.sources.choose import parse_camera
from device.teach.players import FolderPlayer, Player, SimulatedDemo, directions
from device.teach.rehearsal import RehearsalScore, evaluate, teach
from edge_tl.core.answers import TrainingResult
from edge_tl.embedders.look.choices import NEEDS, Look
from edge_tl.errors import ConfigError, counted
from edge_tl.line import PictureLine
from edge_tl.recognizer import Recognizer

FRAME = Look()
"""The whole picture: what every other way to look is held against."""
FINDING = {"head": "face-crop", "hand": "hand"}
"""The way to look that finds what the simulated player shows."""


@dataclass(frozen=True)
class DemoGame:
    """What came of playing."""

    round: Round
    right: list[bool]
    """For each frame with a steady label: whether it was the player's true pose."""
    score: int
    pellets_eaten: int
    day: str
    """today or tomorrow."""


def run(arguments: Namespace) -> int:
    """Teach, train, evaluate and play; print what was measured. Nothing of it is kept."""
    term = None
    if not arguments.json and sys.stdin.isatty() and sys.stdout.isatty():
        term = Terminal(min_rows=24, min_columns=80)
        term.check()  # before what is slow to load
    context = describing(arguments)
    if demo_movements.asked_for(arguments):
        moved = demo_movements.demo(arguments, context, term)
        if arguments.json:
            print_json(moved)
        else:
            columns = columns_of(sys.stdout)
            lines = demo_movements.text(moved)
            print("\n".join(wrapped(as_called(line), columns) for line in lines))
        return 0
    camera = "auto" if arguments.no_camera else arguments.camera
    look = asked_look(arguments, look_at_shown(camera, context.data_dir))
    player = choose_player(camera, look, arguments.seed, sessions=arguments.sessions, degrees=arguments.rotate)
    # The whole picture stands beside whatever else is looked at.
    looks = [look] if look == FRAME else [look, FRAME]
    recognizers = [Recognizer(context.load_embedder(way), arguments.head or "ridge") for way in looks]
    with ExitStack() as stack:
        watch = None
        if term is not None:
            stack.enter_context(term)
            watch = RehearsalScreen(term, recognizers[0], player.labels)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="edge-tl-demo-"))
        learned = teach(player, recognizers, Path(folder) / "examples.sqlite", watch)
        scores = evaluate(player, recognizers, watch)
        day = "tomorrow"
        if scores[0].tomorrow is None or (look == FRAME and arguments.look is None):
            day = "today"
            player.today()
        played = play(player, recognizers[0], term, day, seed=arguments.seed, seconds=arguments.seconds)
    result = summary(player, look, recognizers[0], learned[0], scores, played)
    if arguments.look is None and isinstance(player, SimulatedDemo):
        result["voice"] = voice_demo(context.threads, arguments.seed)
    if arguments.json:
        print_json(result)
    else:
        said = text(result)
        if look == FRAME and isinstance(player, SimulatedDemo):
            said.append(advice(context.data_dir, player.subject))
        columns = columns_of(sys.stdout)
        print("\n".join(wrapped(as_called(line), columns) for line in said))
    return 0


def look_at_shown(camera: str, data_dir: Path) -> Look:
    """The way to look without `--look`: at what the simulated player shows, where its models are installed."""
    choice = parse_camera(camera)
    if choice.kind not in ("auto", "sim"):
        return FRAME
    look = Look(FINDING[choice.subject or "head"])
    return look if has_models(data_dir, NEEDS[look.way]) else FRAME


def choose_player(camera: str, look: Look, seed: int, *, sessions: bool, degrees: int) -> Player:
    """The simulated player, who shows what is looked at, or the folder of `--camera`."""
    choice = parse_camera(camera)
    if choice.kind in ("auto", "sim"):
        if degrees:
            raise ConfigError("--rotate turns the pictures of a folder: give --camera FOLDER too")
        if sessions:
            raise ConfigError("--sessions describes the folders of --camera FOLDER: give that too")
        return SimulatedDemo(seed, clock, choice.subject or subject_of(look.way))
    if choice.path is None or not choice.path.is_dir():
        raise ConfigError(
            f"demo --camera {camera}: the demo uses sim or a folder CLASS/picture; for a camera use `edge-tl teach`"
        )
    return FolderPlayer(choice.path, seed, clock, time.sleep, warn, sessions=sessions, degrees=degrees)


def play(
    player: Player, recognizer: Recognizer, term: Terminal | None, day: str, *, seed: int, seconds: float
) -> DemoGame:
    """Play for so long; the pilot wants to go somewhere, the player looks there, and only what is seen steers."""
    with ExitStack() as stack:
        player.open()
        stack.callback(player.close)
        game = Game(pick_maze(*(term.size if term else (24, 80))), seed=seed)
        line = PictureLine(player, recognizer, clock, make_controller(recognizer))
        steering = directions(player.labels)
        pose_of = {direction: label for label, direction in steering.items()}
        pilot = Pilot(game)
        round_ = Round(game, line, steering, clock, time.sleep)
        right: list[bool] = []
        judged = None
        score = pellets = 0

        def follow() -> None:
            nonlocal judged, score, pellets
            if game.state is State.LOST:
                score, pellets = score + game.score, pellets + game.pellets_eaten
                game.reset()
            sight = round_.sight
            if sight is not None and sight is not judged:
                judged = sight
                if sight.steady is not None and sight.steady.label is not None:
                    right.append(sight.steady.label == sight.frame.truth)
            wanted = pilot.wanted()
            if wanted in pose_of:
                player.pose = pose_of[wanted]

        until_s = clock() + seconds
        if term is not None:
            PlayScreen(term, round_, clock, pilot=follow).run(until_s)
        else:
            while clock() < until_s:
                follow()
                round_.step()
    return DemoGame(round_, right, score + game.score, pellets + game.pellets_eaten, day)


def summary(
    player: Player,
    look: Look,
    recognizer: Recognizer,
    learned: TrainingResult,
    scores: list[RehearsalScore],
    played: DemoGame,
) -> dict[str, Any]:
    """What `--json` prints."""
    latencies = list(played.round.latencies_ms)
    p50, p95 = np.round(np.percentile(latencies, [50, 95]), 2).tolist() if latencies else (None, None)
    return {
        "source": player.name,
        "look": str(look),
        "embedder": recognizer.embedder.name,
        "head": learned.head,
        "classes": list(learned.classes),
        "examples": learned.examples,
        "train_ms": round(learned.train_ms, 3),
        **figures(scores[0]),
        "beside": {"look": str(FRAME), **figures(scores[1])} if len(scores) > 1 else None,
        "tomorrow": player.tomorrow_name,
        "played": played.day,
        "fps": round(played.round.line.fps if played.round.line else 0.0, 2),
        "latency_ms_p50": p50,
        "latency_ms_p95": p95,
        "score": played.score,
        "pellets_eaten": played.pellets_eaten,
        "steered_right_ratio": round(float(np.mean(played.right)), 4) if played.right else None,
    }


def figures(score: RehearsalScore) -> dict[str, float | None]:
    """A score for `--json`."""
    return {
        "accuracy": round(score.takes, 4),
        "accuracy_random_split": round(score.random_split, 4),
        "accuracy_tomorrow": None if score.tomorrow is None else round(score.tomorrow, 4),
        "nothing_found": round(score.nothing_found, 4),
        "passed_over": None if score.passed_over is None else round(score.passed_over, 4),
    }


def text(result: dict[str, Any]) -> list[str]:
    """What a person reads; what it ends with is tomorrow."""
    played = (
        f"played Pac-Man {result['played']} by its own recognition: {counted(result['score'], 'point')}, "
        f"{counted(result['pellets_eaten'], 'pellet')}, {result['fps']:.0f} frames/s"
    )
    if result["latency_ms_p50"] is not None:
        played += (
            f", {result['latency_ms_p50']:.0f} ms from frame to action (95 % within {result['latency_ms_p95']:.0f})"
        )
    lines = [
        f"{result['source']}, {result['embedder']}, {result['head']} head",
        f"recorded {counted(result['examples'], 'picture')} of {', '.join(result['classes'])}; "
        f"trained in {result['train_ms']:.0f} ms",
        played,
    ]
    if result["steered_right_ratio"] is None:
        lines.append("nothing steered: no frame had an answer")
    elif not result["pellets_eaten"]:
        lines.append("almost nothing steered: no pellet was eaten, because so few frames had an answer")
    else:
        lines.append(
            f"steered where the player wanted in {result['steered_right_ratio']:.1%} of the frames with an answer"
        )
    if "voice" in result:
        lines += voice_lines(result["voice"])
    if result["nothing_found"]:
        lines.append(f"found nothing in {result['nothing_found']:.1%} of the pictures, which counts as a mistake")
    if result["passed_over"]:
        share = f"{result['passed_over']:.1%} of tomorrow's pictures"
        lines.append(f"{share} are rejected as unlike all training examples: they steer nothing")
    if result["tomorrow"]:
        lines.append(f"tomorrow is the session {result['tomorrow']}, which is held out")
    return lines + accuracies(result)


def accuracies(result: dict[str, Any]) -> list[str]:
    """The accuracies of a way to look, and beside them those of the whole picture: a table, tomorrow last."""
    columns = [result] if result["beside"] is None else [result, result["beside"]]
    rows = [
        ("a random split of today (too optimistic)", "accuracy_random_split"),
        ("today, on held-out takes", "accuracy"),
        ("tomorrow, in a new session", "accuracy_tomorrow"),
    ]
    widths = [max(len(column["look"]), 7) + 2 for column in columns]

    def line(title: str, cells: list[str]) -> str:
        return f"{title:<42}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))

    lines = [line("accuracy (frame: the whole picture)", [column["look"] for column in columns])]
    for title, key in rows:
        if result[key] is not None:
            lines.append(line(title, [f"{column[key]:.1%}" for column in columns]))
    return lines


def advice(data_dir: Path, subject: str) -> str:
    """How to see what tomorrow is like for those who find the head or the hand first."""
    way = FINDING[subject]
    first = "" if has_models(data_dir, NEEDS[way]) else "`edge-tl model get all` (35 MB), then "
    again = "edge-tl demo" if subject == "head" else f"edge-tl demo --look {way}"
    return f"the whole picture works only in its place; to use the {subject} instead: {first}`{again}`"
