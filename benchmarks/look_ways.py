"""The ways to look, opened once, and what each of them makes of the pictures of the proofs."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pictures import DATA, ROOT, Embedded, Pictures
from edge_tl.core.features import FeatureMap
from edge_tl.core.kept import as_stored, from_kept
from edge_tl.embedders.embedder import Embedder, embed_kept
from edge_tl.embedders.look.embedders import (
    BoxEmbedder,
    FaceCropEmbedder,
    FaceEmbedder,
    HandAndCropEmbedder,
    HandCropEmbedder,
    HandEmbedder,
    load_face_tracker,
    load_tracker,
)
from edge_tl.embedders.look.face import FaceTracker
from edge_tl.embedders.look.hand import HandTracker
from edge_tl.embedders.look.models import VERSION, install_models
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.media.image import decode
from edge_tl.models import default_model
from edge_tl.recognizer import Recognizer

DOWNLOADS = ROOT / "downloads"
WIDER = 1.4
"""How much larger than a hand the box is that is drawn around it."""
SIDES = ("left", "top", "right", "bottom")
NOBODY = ""
"""The answer where no hand or face was found: no label can be empty."""


class Once:
    """A tracker that looks once where several embedders ask about the same picture."""

    def __init__(self, tracker: HandTracker | FaceTracker) -> None:
        self._tracker = tracker
        self._asked: np.ndarray | None = None
        self._found: Any = None

    def find(self, picture: np.ndarray) -> Any:
        """The tracker's answer."""
        if picture is not self._asked:
            self._asked, self._found = picture, self._tracker.find(picture)
        return self._found


@dataclass(frozen=True)
class Way:
    """One way to look at pictures that were taken one by one."""

    embedder: Embedder
    seen: Embedded
    takes: np.ndarray
    """int64 (N,): the take of each picture."""

    def teach(self, rows: np.ndarray, reject: bool = False) -> Recognizer:
        """A recognizer that was taught these positions or mask, as the product does."""
        recognizer = Recognizer(self.embedder, features=features_of(self.embedder), reject=reject)
        for i in np.arange(len(self.takes))[rows]:
            recognizer.add(self.seen.X[i], str(self.seen.y[i]), int(self.takes[i]))
        recognizer.learn()
        return recognizer


def features_of(embedder: Embedder) -> FeatureMap:
    """What a head should see of an embedder: its own word, or the default."""
    return getattr(embedder, "features", FeatureMap())


def answers(recognizer: Recognizer, X: np.ndarray) -> np.ndarray:
    """(N,) str: what it names embeddings (N, D), NOBODY where that is no label."""
    return np.array([recognizer.recognize(from_kept(row)).label or NOBODY for row in X], dtype=str)


def mean_recall(y: np.ndarray, named: np.ndarray) -> float:
    """The mean of the classes' recalls, each of those that y (N,) holds; NOBODY is always wrong."""
    return float(np.mean([np.mean(named[y == label] == label) for label in np.unique(y)]))


def models_folder() -> Path | None:
    """Where the models of hands and faces are, taken out of the wheel in downloads; None, said aloud, if not."""
    folder = DOWNLOADS / "models"
    wheels = sorted(DOWNLOADS.glob(f"mediapipe-{VERSION}-*.whl"))
    if not wheels:
        print(f"the ways to look are left out: no wheel of mediapipe {VERSION} in {DOWNLOADS}", file=sys.stderr)
        return None
    for which in ("hands", "face"):
        install_models(wheels[0], folder, which)
    return folder


def open_ways(folder: Path, threads: int = 1) -> dict[str, Embedder]:
    """The ways that need nothing but a picture; those that look for the same share one tracker."""
    inner = TFLiteEmbedder.load(default_model(), threads=threads)
    tracker, faces = Once(load_tracker(folder, threads)), Once(load_face_tracker(folder, threads))
    return {
        "frame": inner,
        "hand-crop": HandCropEmbedder(tracker, inner),
        "hand": HandEmbedder(tracker),
        "hand-and-crop": HandAndCropEmbedder(tracker, inner),
        "face": FaceEmbedder(faces),
        "face-crop": FaceCropEmbedder(faces, inner),
    }


def see(
    pictures: Pictures, ways: dict[str, Embedder], change: Callable[[int, np.ndarray], np.ndarray] | None = None
) -> dict[str, Embedded]:
    """The embeddings of all pictures by way, as they are stored; `change(position, picture)` comes before."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in ways}
    for i, path in enumerate(pictures.paths):
        picture = decode(path)
        if change is not None:
            picture = change(i, picture)
        for name, embedder in ways.items():
            found[name].append(as_stored(embed_kept(embedder, picture)))
    return {name: Embedded(pictures, np.stack(rows), ways[name].embedding_shape) for name, rows in found.items()}


def takes_of(pictures: Pictures) -> np.ndarray:
    """int64 (N,): runs of one label in the order in which a session's pictures were taken, by their file numbers."""
    numbers = [int(re.sub(r"\D", "", path.stem) or 0) for path in pictures.paths]
    order = np.lexsort((numbers, pictures.groups))
    labels, groups = pictures.labels[order], pictures.groups[order]
    begins = np.r_[True, (labels[1:] != labels[:-1]) | (groups[1:] != groups[:-1])]
    takes = np.empty(len(order), np.int64)
    takes[order] = np.cumsum(begins) - 1
    return takes


def hand_boxes(pictures: Pictures, data: Path = DATA) -> np.ndarray:
    """float64 (N, 4): left, top, right, bottom of the hand in each, as a person drew it, in shares of the sides."""
    folder = data / "hands_sessions"
    with (folder / "boxes.csv").open() as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    boxes = []
    for path in pictures.paths:
        row = rows[path.relative_to(folder).as_posix()]
        width, height = float(row["width"]), float(row["height"])
        boxes.append([float(row[key]) / (width if key in ("left", "right") else height) for key in SIDES])
    return np.clip(np.array(boxes), 0, 1)


def around_all(boxes: np.ndarray) -> tuple[float, float, float, float]:
    """The least box around boxes (N, 4)."""
    return as_box(np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)]))


def middle_box(boxes: np.ndarray) -> tuple[float, float, float, float]:
    """The box whose sides are the medians of boxes (N, 4), made WIDER."""
    return wider(np.median(boxes, axis=0))


def wider(box: np.ndarray) -> tuple[float, float, float, float]:
    """A box (4,) made WIDER about its middle, as far as the picture goes."""
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * WIDER
    return as_box(np.clip(np.concatenate([middle - half, middle + half]), 0, 1))


def as_box(values: Sequence[float] | np.ndarray) -> tuple[float, float, float, float]:
    """Four plain floats."""
    left, top, right, bottom = (float(value) for value in values)
    return left, top, right, bottom


def see_in_box(pictures: Pictures, inner: Embedder, boxes: np.ndarray) -> Embedded:
    """Each picture through the box embedder with its own row of boxes (N, 4)."""
    rows = [
        as_stored(BoxEmbedder(inner, as_box(box)).embed(decode(path)))
        for path, box in zip(pictures.paths, boxes, strict=True)
    ]
    return Embedded(pictures, np.stack(rows), inner.embedding_shape)
