"""Of many boxes around one thing, the surest."""

from __future__ import annotations

import numpy as np

from edge_tl.core.metrics import area


def overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union float64 (N, M) of boxes (N, 4) with others (M, 4): left, top, right, bottom."""
    boxes, others = np.asarray(boxes, np.float64), np.asarray(others, np.float64)
    with np.errstate(invalid="ignore", over="ignore"):  # as `iou`, without a copy of each box for each other one
        low = np.maximum(boxes[:, np.newaxis, :2], others[:, :2])
        sides = np.maximum(np.minimum(boxes[:, np.newaxis, 2:], others[:, 2:]) - low, 0)
        shared = sides[..., 0] * sides[..., 1]
        both = area(boxes)[:, np.newaxis] + area(others) - shared
        found = np.divide(shared, both, out=np.zeros(both.shape), where=both > 0)
    return np.where(np.isfinite(found), found, 0.0)


def surest(boxes: np.ndarray, scores: np.ndarray, overlap: float, most: int) -> np.ndarray:
    """Non-maximum suppression: which boxes (N, 4) are left, the surest first, at most `most`; int64 (K,).

    `scores`: (N,). A box goes where a surer one that stays overlaps it by more than `overlap` (intersection over
    union). Of equal scores the first comes first.
    """
    order = np.argsort(-scores, kind="stable")
    covers = overlaps(boxes[order], boxes[order]) > overlap
    there = np.ones(len(order), bool)
    kept: list[int] = []
    for number in range(len(order)):
        if there[number]:
            kept.append(number)
            if len(kept) == most:
                break
            there &= ~covers[number]
    return order[kept] if kept else np.zeros(0, np.int64)
