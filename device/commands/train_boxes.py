"""`edge-tl train` and `evaluate` of a profile that was taught boxes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from device.assembly import Context, clock, load_saved
from device.cli.output import Progress, print_json, say
from device.teach.boxed import FEW, BoxedExamples, finds_boxes, has_boxes, learn, read_boxed, save
from edge_tl.detection.few import NAME, FewDetector, map_of
from edge_tl.detection.judging import Judged
from edge_tl.embedders.look.ways import Look
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
        with Progress("looking from several places") as progress:
            trained_s = 0.0

            def judging(done: int, total: int) -> None:
                nonlocal trained_s
                trained_s = trained_s or clock() - began_s
                progress.what = "evaluating on what is left out"
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
    say(*lines(boxed, judged))
    return 0


def evaluate(context: Context, *, as_json: bool) -> int:
    """How well boxes are found in what was left out."""
    with ExitStack() as stack:
        embedder = context.load_embedder(Look())
        map_of(embedder)
        profile = context.open_profile(stack, writable=False)
        with Progress("reading pictures") as progress:
            boxed = read_boxed(profile.store, progress.of)
        with Progress("looking, and evaluating on what is left out") as progress:
            detector, judged = learn(embedder, boxed, progress.of, progress.of)
    if as_json:
        print_json(described(detector, boxed, judged))
        return 0
    say(f"{NAME} head, {counted(len(boxed.examples), 'example')}, {boxed.boxes} with a box")
    say(*lines(boxed, judged))
    return 0


def described(detector: FewDetector, boxed: BoxedExamples, judged: Judged | None) -> dict[str, Any]:
    """What `--json` prints."""
    known = judged.as_dict() if judged is not None else {}
    return {"head": NAME, "examples": len(boxed.examples), "labels": list(detector.labels)} | {
        "near_copies": boxed.near_copies,
        **known,
    }


def lines(boxed: BoxedExamples, judged: Judged | None) -> list[str]:
    """The honest figures, and what helps."""
    told = judged.as_dict() if judged is not None else {}
    said = []
    if not told or told["mean_iou"] is None:
        said.append("how well it works is unknown: there is too little to leave any of it out")
    else:
        where = "in a session it was not taught" if told["left_out"] == "session" else "on takes it was not taught"
        said.append(
            f"mean IoU {told['mean_iou']:.2f} {where}; {told['found']:.0%} of "
            f"{counted(told['boxes'], 'box is', 'boxes are')} found (IoU .5)"
        )
        said.append(f"  by {told['method']}")
        if boxed.near_copies:
            said.append(f"  {near_copies_text(boxed.near_copies)}")
        if len({one.label for one in boxed.examples if one.box is not None}) > 1:
            said.append(f"  the label is right in {told['label_accuracy']:.1%}")
        said.append(f"  something is told in {told['told']:.1%} of the pictures that show it")
        if told["empty"]:
            shown = counted(told["empty"], "picture that shows", "pictures that show")
            said.append(f"  a false alarm in {told['false_alarms']:.1%} of {shown} nothing")
        if told["left_out"] == "take":
            said.append("  another room or day may look different: draw some boxes there too (key s begins a session)")
    if boxed.boxes < FEW:
        said.append(
            f"{counted(boxed.boxes, 'box is', 'boxes are')} few: {FEW} to 50, at several places and distances, make "
            "usable boxes"
        )
    if not any(one.box is None for one in boxed.examples):
        said.append("no picture without the thing was taught (key x): it may be told where it is not")
    return said


def near_copies_text(count: int) -> str:
    """How many examples are near-copies of others, and what becomes of them."""
    one = "example is a near-copy" if count == 1 else "examples are near-copies"
    return f"{count} {one} of others (the same picture or sound again), and left out together with these"
