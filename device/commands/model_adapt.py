"""`edge-tl model adapt`: a small picture network trained further on this machine, in NumPy, in one mode or in three."""

from __future__ import annotations

import time
from argparse import Namespace
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from device.cli.output import Progress, print_json, say, warn
from device.report.modes import modes_drawing
from device.screens.chart import curves
from edge_tl.core.near_copies import SIDE, joined, ties
from edge_tl.errors import ConfigError, ExampleError, counted
from edge_tl.finetune.adaptation import MODES, AdaptationResult, accuracy, adapt
from edge_tl.finetune.handwriting import Writer, read_mnist
from edge_tl.finetune.picture_base import PictureBase, read_picture_base, write_picture_base
from edge_tl.media.image import decode, fit, grey_square
from edge_tl.store.folders import import_folder
from edge_tl.store.layouts.registry import check_classes

EXAMPLES, OF_A_WRITER = 1024, 50
NEW_RATE, KNOWN_RATE = 0.01, 0.001
"""Adam's: for labels that are new to the base (spec S5), and for those it knows, which must not be forgotten."""
WATCHED = 1024
"""Held-out examples that each epoch is judged on."""
HELD = 4
"""Of a folder one picture in so many of each class is held out, and one at least."""
Labelled = tuple[np.ndarray, list[str]]


@dataclass(frozen=True)
class Task:
    """What is trained on and what is asked."""

    examples: Labelled
    asked: Labelled
    everyone: Labelled | None = None
    """What others wrote, where `asked` is one writer's."""
    what: str = ""
    """For the screen."""


def run(arguments: Namespace) -> int:
    """Adapt, say how it went, and write what was asked for."""
    if arguments.out is not None and arguments.mode == "compare":
        raise ConfigError("--out takes one network: choose --mode freeze, all or reset")
    base = read_picture_base(arguments.base)
    rng = np.random.default_rng(arguments.seed)
    task = read_task(arguments.examples, arguments.classes, arguments.writer, arguments.count, base, rng)
    known = set(task.examples[1]) <= set(base.about.labels)
    rate = arguments.rate or (KNOWN_RATE if known else NEW_RATE)
    before = {}
    if known:
        before = {name: accuracy(base, base.network, base.about.labels, asked) for name, asked in parties(task).items()}
    # A curve over some of them is as good, and on a Pi ten times over all would take longer than the training.
    watched, _ = some(task.asked, WATCHED, rng)
    done: dict[str, AdaptationResult] = {}
    for mode in MODES if arguments.mode == "compare" else (arguments.mode,):
        with Progress(f"{mode}: epoch", arguments.epochs) as progress:
            done[mode] = adapt(
                base,
                task.examples,
                mode,
                rng=np.random.default_rng(arguments.seed),
                clock=time.perf_counter,
                epochs=arguments.epochs,
                rate=rate,
                batch=arguments.batch,
                validation=watched,
                progress=lambda epoch, progress=progress: progress(epoch.number, f"loss {epoch.loss:.3f}"),  # type: ignore[misc]
            )
    after = {
        mode: {name: accuracy(base, one.network, one.labels, asked) for name, asked in parties(task).items()}
        for mode, one in done.items()
    }
    if arguments.curve is not None:
        curves = {mode: one.curve for mode, one in done.items()}
        modes_drawing(curves, f"{base.about.name}: {task.what}").write(arguments.curve)
    if arguments.out is not None:
        write(arguments.out, base, done[arguments.mode])
    if arguments.json:
        print_json(
            {"what": task.what, "before": before, "modes": {mode: described(done[mode], after[mode]) for mode in done}}
        )
    else:
        say(*lines(task, before, done, after))
        if arguments.out is not None:
            print(f"written to {arguments.out}")
    return 0


def parties(task: Task) -> dict[str, Labelled]:
    """Who is asked."""
    return {"asked": task.asked} if task.everyone is None else {"writer": task.asked, "everyone": task.everyone}


def described(one: AdaptationResult, after: dict[str, float]) -> dict[str, Any]:
    """For JSON."""
    return {
        "labels": list(one.labels),
        "parameters": one.parameters,
        "trainable": one.trainable,
        "frozen": one.parameters - one.trainable,
        "front_s": one.front_s,
        "epoch_s": list(one.epoch_s),
        "accuracy": after,
        "curve": [asdict(epoch) for epoch in one.curve],
    }


def lines(
    task: Task, before: dict[str, float], done: dict[str, AdaptationResult], after: dict[str, dict[str, float]]
) -> list[str]:
    """What the screen says: the curves, a line a mode, and before and after."""
    said = [task.what]
    for name, pick in (("loss", lambda e: e.validation_loss), ("accuracy", lambda e: e.validation_score)):
        values = {mode: [pick(epoch) for epoch in one.curve] for mode, one in done.items()}
        said += [f"{name}, held out", *curves(values, 10, 64, low=0.0 if name == "loss" else None)]
    for mode, one in done.items():
        once = f", and {one.front_s:.2f} s once for what is frozen" if one.front_s else ""
        said.append(
            f"{mode}: {one.trainable} of {counted(one.parameters, 'parameter')} trained, "
            f"{one.parameters - one.trainable} frozen; "
            f"{np.median(one.epoch_s):.3f} s an epoch{once}"
        )
        for party, (_, labels) in parties(task).items():
            was = f"{before[party]:.1%} before, " if party in before else ""
            said.append(f"  accuracy, {party}: {was}{after[mode][party]:.1%} of {len(labels)}")
    return said


def write(out: Path, base: PictureBase, one: AdaptationResult) -> None:
    """The adapted network as a folder like its base's; its front as TFLite only where it is still the same."""
    about = base.about
    described = {
        "name": out.absolute().name,
        "labels": one.labels,
        "input_shape": about.input_shape,
        "scale": about.scale,
        "frozen": about.frozen,
        "weights": about.weights | {"adapted": f"{one.mode}, from {about.name}"},
        "tools": about.tools,
    }
    write_picture_base(out, one.network, base.front_model if one.mode == "freeze" else None, described)


def read_task(
    path: Path,
    classes: list[str] | None,
    seed: int | None,
    count: int | None,
    base: PictureBase,
    rng: np.random.Generator,
) -> Task:
    """The examples and what is held out; ExampleError or ConfigError (one line) where there are none.

    classes: None for all. seed: of a writer to be drawn, whose hand is asked; None for no writer.
    """
    count = count or (EXAMPLES if seed is None else OF_A_WRITER)
    if path.is_dir():
        if seed is not None:
            raise ConfigError("--writer draws on mnist.npz; a folder holds what somebody really wrote: leave it out")
        return from_folder(path, classes, base, count, rng)
    test = chosen(read_mnist(path, "test"), classes, path)
    if seed is None:
        examples = some(chosen(read_mnist(path, "train"), classes, path), count, rng)[0]
        what = (
            f"{counted(len(examples[1]), 'example')} of {', '.join(sorted(set(examples[1])))}; tested: "
            f"{counted(len(test[1]), 'test digit')}"
        )
        return Task(examples, test, what=what)
    writer = Writer.draw(np.random.default_rng(seed))
    own, everyone = some(test, count, rng)
    if not everyone[1]:
        raise ConfigError(f"--count {count}: all test digits; fewer than {len(test[1])} leave some to ask")
    what = (
        f"{counted(len(own[1]), 'digit')} of a writer: slant {writer.slant:+.2f}, turned {writer.turn_degrees:+.0f}°, "
        f"stroke {writer.stroke:+.2f}; tested: the {counted(len(everyone[1]), 'other')} in this hand and as they are"
    )
    return Task((writer.write(own[0]), own[1]), (writer.write(everyone[0]), everyone[1]), everyone, what)


def chosen(of: Labelled, classes: list[str] | None, path: Path) -> Labelled:
    """Those of the wanted classes."""
    if classes is None:
        return of
    if missing := sorted(set(classes) - set(of[1])):
        raise ExampleError(f"{path}: has no {missing[0]!r}; there are {', '.join(sorted(set(of[1])))}")
    return of[0][np.isin(of[1], classes)], [label for label in of[1] if label in classes]


def some(of: Labelled, count: int, rng: np.random.Generator) -> tuple[Labelled, Labelled]:
    """So many, drawn, and all others."""
    order = rng.permutation(len(of[1]))
    both = [(of[0][rows], [of[1][row] for row in rows]) for rows in (order[:count], order[count:])]
    return both[0], both[1]


def held_out_of(small: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """bool (N,): about `count` pictures of a class, near-copies all or none; small: uint8 (N, SIDE²)."""
    everything = np.arange(len(small))
    _, copies = ties(small, everything, np.zeros(len(small), np.int64))
    blocks = joined(len(small), copies)
    held = np.zeros(len(small), bool)
    for block in rng.permutation(np.unique(blocks))[:-1]:  # one is left to learn from
        if held.sum() >= count:
            break
        held |= blocks == block
    return held


def from_folder(root: Path, classes: list[str] | None, base: PictureBase, count: int, rng: np.random.Generator) -> Task:
    """Pictures of a folder; a picture of each class in four, and one at least, is held out and asked.

    Near-copies are on one side; of a class that is nothing but copies of one picture none is asked.
    """
    check_classes(root)
    found: dict[str, list[np.ndarray]] = defaultdict(list)
    small: dict[str, list[np.ndarray]] = defaultdict(list)
    for one in import_folder(root, lambda path, reason: warn(f"{path}: {reason}")):
        if classes is None or one.label in classes:
            try:
                picture, seen = decode(one.path), grey_square(one.path.read_bytes(), SIDE).reshape(-1)
                found[one.label].append(fitted(picture, base.about.input_shape))
                small[one.label].append(seen)
            except (ExampleError, OSError) as error:
                warn(f"{error}; left out")
    if missing := sorted(set(classes or ()) - set(found)):
        raise ExampleError(f"{root}: has no pictures of {missing[0]!r}; there are {', '.join(sorted(found)) or 'none'}")
    if len(found) < 2 or min(map(len, found.values())) < 2:
        raise ExampleError(
            f"{root}: holds {counted(len(found), 'class', 'classes')}; two or more with two pictures each are wanted"
        )
    taught: list[tuple[np.ndarray, str]] = []
    asked: list[tuple[np.ndarray, str]] = []
    for label, pictures in sorted(found.items()):
        held = held_out_of(np.array(small[label]), max(1, len(pictures) // HELD), rng)
        asked += [(picture, label) for picture, out in zip(pictures, held, strict=True) if out]
        taught += [(picture, label) for picture, out in zip(pictures, held, strict=True) if not out]
    if not asked:
        raise ExampleError(f"{root}: every class is one picture again and again; two different ones each are wanted")
    examples, _ = some((np.stack([x for x, _ in taught]), [label for _, label in taught]), count, rng)
    held_out = np.stack([x for x, _ in asked]), [label for _, label in asked]
    what = f"{counted(len(examples[1]), 'example')} of {', '.join(sorted(found))}; tested: {len(asked)} held out"
    return Task(examples, held_out, what=what)


def fitted(picture: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """A picture uint8 RGB (h, w, 3) as the base takes it: grey light on dark (h, w, 1), or colours (h, w, 3).

    Ink on paper is turned around: where the border is brighter than the middle grey, grey pictures are inverted.
    """
    small = fit(picture, shape[:2])
    if shape[2] == 3:
        return small
    # ITU-R BT.601
    grey = np.rint(small @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return (255 - grey if np.median(border) > 127 else grey)[..., np.newaxis]
