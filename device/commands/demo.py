"""`edge-tl demo`: the main job by itself — teach, train, evaluate on unseen takes, play by recognition alone."""

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

from device.assembly import clock, load_embedder, make_controller
from device.choose import parse_camera
from device.line import Line
from device.output import Progress, print_json, warn
from device.pacman.game import Game, State
from device.pacman.maze import pick_maze
from device.pacman.pilot import Pilot
from device.players import FolderPlayer, Player, SimulatedDemo, directions
from device.round import Round
from device.screens.play import PlayScreen
from device.screens.terminal import Terminal
from edge_tl.errors import ConfigError
from edge_tl.examples import ExampleStore
from edge_tl.heads import make_head
from edge_tl.recognizer import Learned, Recognizer
from edge_tl.validation import random_split


@dataclass(frozen=True)
class Played:
    """What came of playing."""

    round: Round
    right: list[bool]
    """For each frame with a steady label: whether it was the player's true pose."""
    score: int
    pellets_eaten: int


def run(arguments: Namespace) -> int:
    """Teach, train, evaluate and play; print what was measured. Nothing of it is kept."""
    term = None
    if not arguments.json and sys.stdin.isatty() and sys.stdout.isatty():
        term = Terminal(min_rows=24, min_columns=80)
        term.check()  # before half a minute of teaching, not after it
    player = choose_player(arguments)
    recognizer = Recognizer(load_embedder(arguments), arguments.head or "ridge")
    with tempfile.TemporaryDirectory(prefix="edge-tl-demo-") as folder:
        learned = teach(player, recognizer, Path(folder) / "examples.sqlite")
    honest, naive = evaluate(player, recognizer)
    played = play(player, recognizer, arguments, term)
    result = summary(player, recognizer, learned, honest, naive, played)
    if arguments.json:
        print_json(result)
    else:
        print(text(result))
    return 0


def choose_player(arguments: Namespace) -> Player:
    """The simulated player, or the folder of `--camera`."""
    if arguments.no_camera or arguments.camera in ("sim", "auto"):
        return SimulatedDemo(arguments.seed, clock)
    folder = parse_camera(arguments.camera).path
    if folder is None or not folder.is_dir():
        raise ConfigError(
            f"demo --camera {arguments.camera}: the demo teaches itself from sim or a folder of CLASS/picture; "
            "`edge-tl teach` takes cameras"
        )
    return FolderPlayer(folder, arguments.seed, clock, time.sleep, warn)


def teach(player: Player, recognizer: Recognizer, path: Path) -> Learned:
    """Record every teaching take through the store, as `teach` does, and learn."""
    with Progress("teaching") as progress, ExampleStore(path, writable=True) as store:
        taught = 0
        for label, frames in player.takes(testing=False):
            take = store.new_take(label, source=player.name)
            for frame in frames:
                embedding = recognizer.embed(frame)
                store.add(take, frame.data, embedding, recognizer.embedder.fingerprint)
                recognizer.add(embedding, label, take)
                taught += 1
                progress(taught, label)
        store.flush()
    return recognizer.learn()


def evaluate(player: Player, recognizer: Recognizer) -> tuple[float, float]:
    """Accuracy on takes that were not taught, and what a random split of all frames would have claimed."""
    X, y, _ = recognizer.rows
    rows, truth, answers = [], [], []
    with Progress("evaluating") as progress:
        for label, frames in player.takes(testing=True):
            for frame in frames:
                embedding = recognizer.embed(frame)
                rows.append(recognizer.features(embedding, recognizer.embedder.embedding_shape))
                truth.append(label)
                answers.append(recognizer.recognise(embedding).best)
                progress(len(truth), label)
    honest = float(np.mean(np.array(truth) == np.array(answers)))
    naive = random_split(lambda: make_head(recognizer.head.name), np.vstack([X, *rows]), np.concatenate([y, truth]))
    return honest, naive.accuracy


def play(player: Player, recognizer: Recognizer, arguments: Namespace, term: Terminal | None) -> Played:
    """Play for `--seconds`; the pilot wants to go somewhere, the player looks there, and only what is seen steers."""
    with ExitStack() as stack:
        if term is not None:
            stack.enter_context(term)
        player.open()
        stack.callback(player.close)
        game = Game(pick_maze(*(term.size if term else (24, 80))), seed=arguments.seed)
        line = Line(player, recognizer, clock, make_controller(recognizer))
        steering = directions(player.labels)
        pose_of = {direction: label for label, direction in steering.items()}
        pilot = Pilot(game)
        round_ = Round(game, line, steering, clock, time.sleep)
        right: list[bool] = []
        counted = None
        score = pellets = 0

        def follow() -> None:
            nonlocal counted, score, pellets
            if game.state is State.LOST:
                score, pellets = score + game.score, pellets + game.pellets_eaten
                game.reset()
            sight = round_.sight
            if sight is not None and sight is not counted:
                counted = sight
                if sight.steady is not None and sight.steady.label is not None:
                    right.append(sight.steady.label == sight.frame.truth)
            wanted = pilot.wanted()
            if wanted in pose_of:
                player.pose = pose_of[wanted]

        until_s = clock() + arguments.seconds
        if term is not None:
            PlayScreen(term, round_, clock, pilot=follow).run(until_s)
        else:
            while clock() < until_s:
                follow()
                round_.step()
    return Played(round_, right, score + game.score, pellets + game.pellets_eaten)


def summary(
    player: Player, recognizer: Recognizer, learned: Learned, honest: float, naive: float, played: Played
) -> dict[str, Any]:
    """What `--json` prints."""
    latencies = list(played.round.latencies_ms)
    p50, p95 = np.round(np.percentile(latencies, [50, 95]), 2).tolist() if latencies else (None, None)
    return {
        "source": player.name,
        "embedder": recognizer.embedder.name,
        "head": learned.head,
        "classes": list(learned.classes),
        "examples": learned.examples,
        "train_ms": round(learned.train_ms, 3),
        "accuracy": round(honest, 4),
        "accuracy_random_split": round(naive, 4),
        "fps": round(played.round.line.fps if played.round.line else 0.0, 2),
        "latency_ms_p50": p50,
        "latency_ms_p95": p95,
        "score": played.score,
        "pellets_eaten": played.pellets_eaten,
        "steered_right_ratio": round(float(np.mean(played.right)), 4) if played.right else None,
    }


def text(result: dict[str, Any]) -> str:
    """What a person reads."""
    lines = [
        f"{result['source']}, {result['embedder']}, {result['head']} head",
        f"taught {result['examples']} pictures of {', '.join(result['classes'])}; "
        f"trained in {result['train_ms']:.0f} ms",
        f"accuracy on takes it had not seen: {result['accuracy']:.1%} "
        f"(a random split would have claimed {result['accuracy_random_split']:.1%})",
        f"played Pac-Man by what it saw: {result['score']} points, {result['pellets_eaten']} pellets, "
        f"{result['fps']:.0f} frames/s",
    ]
    if result["latency_ms_p50"] is not None:
        lines[-1] += (
            f", {result['latency_ms_p50']:.0f} ms from frame to action (95 % within {result['latency_ms_p95']:.0f})"
        )
    if result["steered_right_ratio"] is not None:
        lines.append(
            f"steered where the player looked in {result['steered_right_ratio']:.1%} of the frames with an answer"
        )
    return "\n".join(lines)
