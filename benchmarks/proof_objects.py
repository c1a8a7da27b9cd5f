"""Boxes from a few examples: how well, how many are needed, how long it takes, and what each part of it is worth.

hands_sessions with its boxes (one person's hand, four rooms), and drawn scenes (spec S6: a triangle or a rectangle
among clutter). Beside it stands the head of spec S6, a dense layer of 200 on the map of the whole picture, trained in
NumPy on the same views of the same examples.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pictures import DATA
from benchmarks.record import table
from edge_tl.core.metrics import iou
from edge_tl.detection.answers import ClassAndBox, new_head, ordered
from edge_tl.detection.few import LOOKS, BoxedPicture, BoxHead, FewDetector, Views, all_of, look, views_of
from edge_tl.detection.scenes import SHAPES, scenes
from edge_tl.detection.windows import coded
from edge_tl.embedders.embedder import Embedder
from edge_tl.media.image import decode
from edge_tl.nn import Adam, Network, fit

SIZES = (10, 20, 50)
ASKED = 50
"""Pictures asked in each place, evenly spread over those there are."""
GOAL = 0.8
"""Of the boxes in rooms that were taught, found (IoU .5) after 50 examples."""
SIDE = 100
"""Of the square that the dense head's boxes are told in."""
EPOCHS = 60


def listed(folder: Path, session: str) -> list[tuple[Path, str, np.ndarray]]:
    """File, label and box of each picture of a session, label by label, in the order of names."""
    with (folder / "boxes.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["file"].startswith(f"{session}/")]
    rows.sort(key=lambda row: row["file"])
    sides = ("left", "top", "right", "bottom")
    return [(folder / row["file"], row["label"], np.array([float(row[side]) for side in sides])) for row in rows]


def halves(folder: Path, session: str) -> tuple[list[Any], list[Any]]:
    """The first half of each label of a session, to be taught, and the second, to be asked: no neighbours in time."""
    first: list[Any] = []
    second: list[Any] = []
    rows = listed(folder, session)
    for label in sorted({label for _, label, _ in rows}):
        own = [row for row in rows if row[1] == label]
        first += own[: len(own) // 2]
        second += own[len(own) // 2 :]
    return first, second


def spread(rows: Sequence[Any], count: int, shift: float = 0.0) -> list[Any]:
    """So many of them, evenly spread; shift, 0 to 1: others of the same spread."""
    if len(rows) <= count:
        return list(rows)
    return [rows[int((place + shift) * len(rows) / count)] for place in range(count)]


def opened(rows: Sequence[Any], label: str | None = "hand") -> list[BoxedPicture]:
    """The pictures; label: instead of their own."""
    return [BoxedPicture(decode(path), label or own, box) for path, own, box in rows]


def drawn(count: int, seed: int) -> list[BoxedPicture]:
    """Scenes of spec S6."""
    made = scenes(count, seed)
    return [
        BoxedPicture(picture, SHAPES[shape], box)
        for picture, shape, box in zip(made.pictures, made.shapes, made.boxes, strict=True)
    ]


def asked(detector: FewDetector, examples: Sequence[BoxedPicture]) -> dict[str, float]:
    """What is found in pictures that were not taught, after the whole picture alone and after all looks."""
    first, last, right, there = [], [], [], []
    for one in examples:
        whole = all_of(one.picture.shape)
        row = look(detector.embedder, one.picture, whole)
        first.append(detector.head.find(row, whole))
        found, presence = detector.locate(one.picture, row)
        last.append(found.box)
        right.append(found.label == one.label)
        there.append(presence >= 0.5)
    truth = np.array([one.box for one in examples])
    ious = iou(np.array(last), truth)
    return {
        "whole_only": float(iou(np.array(first), truth).mean()),
        "mean_iou": float(ious.mean()),
        "found": float((ious >= 0.5).mean()),
        "label": float(np.mean(right)),
        "told": float(np.mean(there)),
    }


class Dense:
    """The head of spec S6, trained on the whole-picture views of the same examples."""

    def __init__(self, embedder: Embedder, views: Views, taught: Sequence[BoxedPicture]) -> None:
        self.embedder = embedder
        labels = tuple(sorted({one.label for one in taught}))
        places = np.array([labels.index(taught[number].label) for number in views.whole_of])
        self.answers = ClassAndBox(labels, SIDE)
        rng = np.random.default_rng(0)
        X = self._rows(views.whole)
        self.network = Network(new_head(X.shape[1:], self.answers.outputs, rng))
        targets, settings = self.answers.targets(places, in_side(views.whole_codes)), {"epochs": EPOCHS, "batch": 16}
        began_s = time.process_time()
        fit(self.network, X, targets, loss=self.answers.loss, optimizer=Adam(1e-4), rng=rng, **settings)
        self.fit_s = time.process_time() - began_s

    def _rows(self, maps: np.ndarray) -> np.ndarray:
        """Maps of unit length as rows whose values are about 1, which a fresh dense layer wants."""
        return np.asarray(maps * np.sqrt(maps.shape[1]).astype(np.float32))

    def mean_iou(self, examples: Sequence[BoxedPicture]) -> float:
        """Of the boxes that it finds."""
        ious = []
        for one in examples:
            whole = all_of(one.picture.shape)
            _, found = self.answers.read(self.network(self._rows(look(self.embedder, one.picture, whole)[None])))
            ious.append(iou(ordered(found), in_side(coded(np.asarray(one.box)[None], whole[None])))[0])
        return float(np.mean(ious))


def in_side(codes: np.ndarray) -> np.ndarray:
    """The boxes (N, 4) of codes (N, 4) of whole pictures, in a square of SIDE."""
    middles, parts = codes[:, :2], np.exp(codes[:, 2:]) / 2
    return SIDE * np.concatenate([middles - parts, middles + parts], axis=1)


def contest(
    embedder: Embedder, taught: list[BoxedPicture], others: dict[str, list[BoxedPicture]], *, beside: bool = False
) -> dict[str, Any]:
    """Teach, and ask elsewhere; beside: also the dense head."""
    began_s = time.process_time()
    views = views_of(embedder, taught)
    looked_s = time.process_time() - began_s
    head = BoxHead().fit(views, [one.label for one in taught])
    train_s = time.process_time() - began_s
    detector = FewDetector(embedder, head)
    result: dict[str, Any] = {"examples": len(taught), "look_s": looked_s, "train_s": train_s}
    other = Dense(embedder, views, taught) if beside else None
    if other is not None:
        result["dense_fit_s"] = other.fit_s
    for place, examples in others.items():
        result[place] = asked(detector, examples)
        if other is not None:
            result[place]["dense"] = other.mean_iou(examples)
    return result


def measure(embedder: Embedder, data: Path = DATA, sizes: Sequence[int] = SIZES, most: int = ASKED) -> dict[str, Any]:
    """Hands taught in one room and in two, fingers named, and drawn scenes."""
    folder = data / "hands_sessions"
    split = {name: halves(folder, name) for name in ("session_2", "session_3")}
    elsewhere = [row for name in ("session_5", "session_15") for row in listed(folder, name)]
    rooms: dict[str, tuple[str, ...]] = {"one room": ("session_2",), "two rooms": ("session_2", "session_3")}
    result: dict[str, Any] = {"looks": LOOKS, "goal": GOAL, "hand": {}, "scenes": {}}
    for title, names in rooms.items():
        same = spread([row for name in names for row in split[name][1]], most)
        far = spread(elsewhere if len(names) == 2 else elsewhere + listed(folder, "session_3"), most)
        others = {"same": opened(same), "elsewhere": opened(far)}
        result["hand"][title] = [
            contest(
                embedder,
                opened([row for name in names for row in spread(split[name][0], size // len(names))]),
                others,
                beside=len(names) == 2 and size == max(sizes),
            )
            for size in sizes
        ]
    fingers = [row for name in rooms["two rooms"] for row in spread(split[name][0], max(sizes) // 2)]
    same = spread([row for name in rooms["two rooms"] for row in split[name][1]], most)
    result["fingers"] = contest(embedder, opened(fingers, None), {"same": opened(same, None)})
    fresh = {"same": drawn(most, 1)}
    result["scenes"] = [contest(embedder, drawn(size, 2), fresh) for size in sizes]
    return result


def report(result: dict[str, Any]) -> str:
    """A row for each number of examples and each place asked."""
    rows: list[list[object]] = []
    tasks = {f"hand, {title}": entries for title, entries in result["hand"].items()} | {"scenes": result["scenes"]}
    for title, entries in tasks.items():
        for entry in entries:
            for place in ("same", "elsewhere"):
                if place not in entry:
                    continue
                told = entry[place]
                other = told.get("dense")
                rows.append(
                    [
                        title,
                        entry["examples"],
                        "new pictures"
                        if title == "scenes"
                        else "other rooms"
                        if place == "elsewhere"
                        else "same rooms",
                        f"{told['whole_only']:.2f}",
                        f"{told['mean_iou']:.2f}",
                        f"{told['found']:.0%}",
                        f"{other:.2f}" if other is not None else "",
                        f"{entry['train_s']:.1f}",
                        f"{entry['look_s'] + entry['dense_fit_s']:.0f}" if other is not None else "",
                    ]
                )
    looks = result["looks"]
    heads = ["taught", "examples", "asked in", "IoU, whole picture", f"IoU, {looks} closer looks", "found (IoU .5)"]
    heads += ["IoU, dense head of S6", "training, CPU s", "its training, CPU s"]
    fingers, shapes = result["fingers"]["same"], result["scenes"][-1]["same"]
    hands = [entries[-1]["same"]["found"] for entries in result["hand"].values()]
    most = result["scenes"][-1]["examples"]
    goal = (
        f"Goal: {result['goal']:.0%} of the hands in taught rooms found after {most} examples: "
        f"{min(hands):.0%} and {max(hands):.0%}."
    )
    labels = (
        f"Labels: six counts of fingers {fingers['label']:.0%} right (chance 17 %), the two shapes of the scenes "
        f"{shapes['label']:.0%}."
    )
    return f"{table(heads, rows)}\n\n{goal} {labels}"
