"""Windows: parts of a picture that an embedder looks at on their own, and boxes told relative to them.

Boxes and windows are float64 (…, 4): left, top, right, bottom. A picture's own window is (0, 0, width, height).
"""

from __future__ import annotations

import numpy as np

ZOOM = 1.4
"""A window around a thing is a square of so many times the box's longer side: with 1.8 a hand's box is 8 points of IoU
worse, for the thing has fewer cells of the map then."""


def around(box: np.ndarray, zoom: float = ZOOM) -> np.ndarray:
    """The square window around a box (4,); never smaller than 8 pixels."""
    middle = (box[:2] + box[2:]) / 2
    half = max(8.0, zoom * float((box[2:] - box[:2]).max())) / 2
    return np.concatenate([middle - half, middle + half])


def near(box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A window around a box (4,), moved and sized at random: as far off as a first find may be."""
    window = around(box, ZOOM * np.exp(rng.uniform(-0.35, 0.35)))
    return np.asarray(window + np.tile(rng.uniform(-0.3, 0.3, 2) * (box[2:] - box[:2]).max(), 2))


def anywhere(shape: tuple[int, ...], box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Part of a picture of this shape (height_px, width_px, …) with the middle of a box in it: nearer or farther off.

    What the picture would be had the camera stood elsewhere; it may reach beyond the picture.
    """
    size = np.array((shape[1], shape[0])) * np.exp(rng.uniform(np.log(0.5), np.log(1.25)) + rng.uniform(-0.1, 0.1, 2))
    corner = (box[:2] + box[2:]) / 2 - size * rng.uniform(0.2, 0.8, 2)
    return np.concatenate([corner, corner + size])


def apart(shape: tuple[int, ...], box: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """A square window in which the thing is not, or hardly; box: None where there is none in the picture."""
    height, width = shape[:2]
    longest = min(height, width) / 2 if box is None else float((box[2:] - box[:2]).max()) * ZOOM
    tried = []
    for _ in range(20):
        half = longest * np.exp(rng.uniform(-0.5, 0.3)) / 2
        middle = rng.uniform((0, 0), (width, height))
        window = np.concatenate([middle - half, middle + half])
        if box is None:
            return window
        shared = np.minimum(window[2:], box[2:]) - np.maximum(window[:2], box[:2])
        tried.append((float(np.prod(np.clip(shared, 0, None)) / np.prod(box[2:] - box[:2])), window))
        if tried[-1][0] < 0.1:
            break
    return min(tried, key=lambda one: one[0])[1]


def coded(boxes: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Boxes (N, 4) relative to windows (N, 4), as what is learned: middle, then the logarithms of width and height."""
    sizes = windows[:, 2:] - windows[:, :2]
    middles = ((boxes[:, :2] + boxes[:, 2:]) / 2 - windows[:, :2]) / sizes
    return np.concatenate([middles, np.log((boxes[:, 2:] - boxes[:, :2]) / sizes)], axis=1)


def placed(codes: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """The boxes (N, 4) that `coded` made codes of; never absurdly small or large beside their windows."""
    sizes = windows[:, 2:] - windows[:, :2]
    middles = windows[:, :2] + np.clip(codes[:, :2], -1, 2) * sizes
    halves = np.exp(np.clip(codes[:, 2:], -4, 1)) * sizes / 2
    return np.concatenate([middles - halves, middles + halves], axis=1)
