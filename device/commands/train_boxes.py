"""`edge-tl train` and `evaluate` of a profile that was taught boxes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from device.assembly import Context, clock, load_saved
from device.cli.output import Progress, print_json, say
from device.teach.box_score import score_lines
from device.teach.boxed import BoxedExamples, finds_boxes, has_boxes, learn, read_boxed, save
from edge_tl.detection.few import NAME, FewDetector, map_of
from edge_tl.detection.judging import LeftOutDetections
from edge_tl.embedders.look.choices import Look
from edge_tl.errors import ConfigError, counted


def holds_boxes(context: Context, of_words: str | None, *, as_trained: bool) -> bool:
    """Whether a profile is there and one of boxes; ConfigError where it is and an option that goes with words came.

    as_trained: whether what was trained last decides, which may name whole pictures although boxes were taught.
    """
    if not context.profile_folder.is_dir():
        return False
    with ExitStack() as stack:
        profile = context.open_profile(stack, writable=False)
        boxes = finds_boxes(profile, load_saved(profile)) if as_trained else has_boxes(profile.store)
    if boxes and of_words is not None:
        raise ConfigError(f"{of_words} goes with words; this profile was taught boxes")
    return boxes


def train(context: Context, *, as_json: bool) -> int:
    """Train on every box, save a new generation, say how well it works."""
    with ExitStack() as stack:
        embedder = context.load_embedder(Look())
        map_of(embedder)
        profile = context.open_profile(stack, writable=True)
        with Progress("reading pictures") as progress:
            boxed = read_boxed(profile.store, progress.of)
        began_s = clock()
        with Progress("computing embeddings of several windows") as progress:
            trained_s = 0.0

            def judging(done: int, total: int) -> None:
                nonlocal trained_s
                trained_s = trained_s or clock() - began_s
                progress.what = "evaluating on held-out examples"
                progress.of(done, total)

            detector, judged = learn(embedder, boxed, progress.of, judging)
        train_ms = 1000 * (trained_s or clock() - began_s)
        generation = save(profile, detector, boxed.boxes, train_ms, judged)
    if as_json:
        print_json({"generation": generation, "train_ms": round(train_ms, 1), **described(detector, boxed, judged)})
        return 0
    say(
        f"trained {NAME} on {counted(boxed.boxes, 'box', 'boxes')} of {', '.join(detector.labels)} in "
        f"{train_ms / 1000:.1f} s: generation {generation}"
    )
    say(*score_lines(boxed, judged))
    return 0


def evaluate(context: Context, *, as_json: bool) -> int:
    """How well boxes are found in what was left out."""
    with ExitStack() as stack:
        embedder = context.load_embedder(Look())
        map_of(embedder)
        profile = context.open_profile(stack, writable=False)
        with Progress("reading pictures") as progress:
            boxed = read_boxed(profile.store, progress.of)
        with Progress("computing embeddings, and evaluating on held-out examples") as progress:
            detector, judged = learn(embedder, boxed, progress.of, progress.of)
    if as_json:
        print_json(described(detector, boxed, judged))
        return 0
    say(f"{NAME} head, {counted(len(boxed.examples), 'example')}, {boxed.boxes} with a box")
    say(*score_lines(boxed, judged))
    return 0


def described(detector: FewDetector, boxed: BoxedExamples, judged: LeftOutDetections | None) -> dict[str, Any]:
    """What `--json` prints."""
    known = judged.as_dict() if judged is not None else {}
    return {"head": NAME, "examples": len(boxed.examples), "labels": list(detector.labels)} | {
        "near_copies": boxed.near_copies,
        **known,
    }
