"""`edge-tl train`: the head learns from the recorded examples."""

from __future__ import annotations

import json
import signal
import sys
from argparse import Namespace
from contextlib import ExitStack
from types import FrameType
from typing import Any

from device.assembly import load_embedder, open_profile
from device.screens.chart import curve
from edge_tl.errors import NotFittedError
from edge_tl.profile import Profile
from edge_tl.recognizer import Learned, Recognizer
from edge_tl.validation import Evaluation


def run(arguments: Namespace) -> int:
    """Train on everything recorded, save a new generation, say how well it works."""
    with ExitStack() as stack:
        profile = open_profile(arguments, stack, writable=True)
        embedder = load_embedder(arguments)
        saved = profile.load()
        name = arguments.head or (saved.meta["head"]["name"] if saved else "ridge")
        recognizer = Recognizer(embedder, name)
        recognizer.replace(profile.store.matrix(embedder.fingerprint))
        check_enough(recognizer, force=arguments.force)
        learned, points = train(recognizer)
        evaluation = recognizer.evaluate()
        generation = save(profile, recognizer, learned, evaluation)
    if arguments.json:
        print(json.dumps(report(learned, evaluation, generation, points), indent=2))
        return 0
    if points:
        print("loss")
        print("\n".join(curve([loss for _, loss, _ in points], 10, 64, low=0.0)))
    print(
        f"trained {learned.head} on {learned.examples} examples of {len(learned.classes)} classes "
        f"in {learned.train_ms:.1f} ms: generation {generation}"
    )
    print("\n".join(accuracy_lines(evaluation)))
    return 0


def check_enough(recognizer: Recognizer, *, force: bool, minimum: int = 2) -> None:
    """Raise NotFittedError, saying what is missing, where there is too little to train on."""
    _, labels, _ = recognizer.rows
    counts = {str(label): int((labels == label).sum()) for label in sorted(set(labels))}
    if not counts:
        raise NotFittedError("nothing was recorded yet: run `edge-tl teach`, or `edge-tl examples import FOLDER`")
    few = [f"{label} has {number}" for label, number in counts.items() if number < minimum]
    if few and not force:
        raise NotFittedError(f"{', '.join(few)}; wanted {minimum} or more a class: record more, or train with --force")


def train(recognizer: Recognizer) -> tuple[Learned, list[tuple[int, float, float]]]:
    """Learn with a line of progress; Ctrl-C stops an iterative head and keeps the best so far."""
    points: list[tuple[int, float, float]] = []
    shown = sys.stderr.isatty()
    stopped = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    def progress(epoch: int, loss: float, accuracy: float) -> bool:
        points.append((epoch, loss, accuracy))
        if shown:
            print(
                f"\r\x1b[Kepoch {epoch}  loss {loss:.4f}  accuracy {accuracy:.1%}", end="", file=sys.stderr, flush=True
            )
        return stopped

    before = signal.signal(signal.SIGINT, stop)
    try:
        learned = recognizer.learn(progress)
    finally:
        signal.signal(signal.SIGINT, before)
        if shown and points:
            print("\r\x1b[K", end="", file=sys.stderr)
    return learned, points


def save(profile: Profile, recognizer: Recognizer, learned: Learned, evaluation: Evaluation | None) -> int:
    """Write a new generation with what is known about its accuracy."""
    summary = None if evaluation is None else {"accuracy": evaluation.accuracy, "method": evaluation.method}
    return profile.save(recognizer.save(examples=learned.examples, train_ms=learned.train_ms, evaluation=summary))


def accuracy_lines(evaluation: Evaluation) -> list[str]:
    """The honest figure, its interval, how it was found, and the flattering one beside it."""
    low, high = evaluation.interval95
    return [
        f"accuracy {evaluation.accuracy:.1%} (95 % interval {low:.1%} to {high:.1%})",
        f"  by {evaluation.method}",
        f"  a naive random split would have claimed {evaluation.random_split_accuracy:.1%}",
    ]


def report(
    learned: Learned, evaluation: Evaluation, generation: int, points: list[tuple[int, float, float]]
) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "generation": generation,
        "head": learned.head,
        "examples": learned.examples,
        "classes": list(learned.classes),
        "train_ms": round(learned.train_ms, 3),
        "accuracy": evaluation.accuracy,
        "accuracy_interval95": list(evaluation.interval95),
        "method": evaluation.method,
        "accuracy_random_split": evaluation.random_split_accuracy,
        "curve": [{"epoch": epoch, "loss": loss, "accuracy": accuracy} for epoch, loss, accuracy in points],
    }
