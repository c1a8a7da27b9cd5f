"""How well boxes are found in pictures that were not taught: sessions or takes left out, each judged by the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_tl.core.metrics import iou
from edge_tl.detection.few import MIN_EXAMPLES, SURE, BoxedPicture, BoxHead, FewDetector, Views
from edge_tl.embedders.embedder import Embedder
from edge_tl.labels import label_texts

PARTS = 5
"""Takes are left out in so many contiguous parts: pictures that follow each other resemble each other."""
GOOD = 0.5
"""A box is found where it overlaps the true one by this (intersection over union), the usual measure."""


@dataclass(frozen=True)
class LeftOutDetections:
    """What was found in each example by a head that was taught others."""

    kind: str
    """`session` or `take`: what was left out."""
    ious: np.ndarray
    """float64 (N,): of the box with the true one; NaN where there is none, or where it could not be judged."""
    boxes: np.ndarray
    """float64 (N, 4): those that were found, left, top, right, bottom in pixels; NaN where it could not be judged."""
    labels: np.ndarray
    """(N,) str: those that were found."""
    there: np.ndarray
    """float64 (N,): the probability that something is there; NaN where it could not be judged."""
    right: np.ndarray
    """bool (N,): the label is right; False where nothing was judged."""

    @property
    def method(self) -> str:
        """What was done, in words."""
        if self.kind == "session":
            return "leaving each session out"
        return f"leaving a {PARTS}th of the takes out in turn, those that follow each other together"

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints; what is not known is null."""
        boxed = np.isfinite(self.ious)
        empty = ~boxed & np.isfinite(self.there)

        def share(of: np.ndarray, among: np.ndarray) -> float | None:
            return round(float(of[among].mean()), 4) if among.any() else None

        return {
            "method": self.method,
            "left_out": self.kind,
            "boxes": int(boxed.sum()),
            "mean_iou": share(self.ious, boxed),
            "found": share(self.ious >= GOOD, boxed),
            "label_accuracy": share(self.right, boxed),
            "told": share(self.there >= SURE, boxed),
            "empty": int(empty.sum()),
            "false_alarms": share(self.there >= SURE, empty),
        }


def folds_of(takes: np.ndarray, sessions: np.ndarray, boxed: np.ndarray) -> tuple[str, np.ndarray]:
    """What is left out together, and the fold int64 (N,) of each example.

    Sessions, where two have enough boxed examples for the others to be judged by; else contiguous parts of the takes.
    """
    numbers = np.unique(sessions[boxed])
    if len(numbers) > 1 and all((boxed & (sessions != number)).sum() >= MIN_EXAMPLES for number in numbers):
        return "session", np.searchsorted(np.unique(sessions), sessions)
    place = np.unique(takes, return_inverse=True)[1].reshape(-1)
    count = int(place.max(initial=0)) + 1
    return "take", place * min(PARTS, count) // count


def judge(
    embedder: Embedder,
    examples: Sequence[BoxedPicture],
    views: Views,
    takes: np.ndarray,
    sessions: np.ndarray,
    progress: Callable[[int, int], object] | None = None,
) -> LeftOutDetections:
    """Find the box of every example with a head that was not taught its fold; progress(done, total) as it goes."""
    boxed = np.array([one.box is not None for one in examples])
    kind, folds = folds_of(takes, sessions, boxed)
    names = label_texts([one.label for one in examples]).tolist()
    ious, there = np.full(len(examples), np.nan), np.full(len(examples), np.nan)
    boxes = np.full((len(examples), 4), np.nan)
    labels, right = np.full(len(examples), "", object), np.zeros(len(examples), bool)
    done = 0
    for fold in np.unique(folds):
        taught = folds != fold
        if (taught & boxed).sum() < MIN_EXAMPLES:
            continue
        detector = FewDetector(embedder, BoxHead().fit(views, names, taught))
        for number in np.flatnonzero(~taught).tolist():
            one = examples[number]
            own = np.flatnonzero(views.whole_of == number)[:1]
            found, there[number] = detector.locate(one.picture, views.whole[own[0]] if len(own) else None)
            labels[number], boxes[number] = found.label, found.box
            if one.box is not None:
                ious[number] = iou(np.array([found.box]), one.box[None])[0]
                right[number] = found.label == names[number]
            done += 1
            if progress:
                progress(done, len(examples))
    return LeftOutDetections(kind, ious, boxes, labels.astype(str), there, right)
