"""How light, contrasty, grainy and sharp a picture is: four numbers to hold against those of other pictures."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from edge_tl.media.image import check_picture, thumbnail

SIDE_PX = 320
"""The longer side at which pictures are measured, so that a camera's size does not count."""
MIN_VALUE = 0.5
"""Of 255: what is less cannot be told from rounding."""


@dataclass(frozen=True)
class PictureMeasures:
    """Four measures of one picture, in units of 255 but for the last."""

    light: float
    """The mean of its grey values."""
    contrast: float
    """Their standard deviation."""
    grain: float
    """The standard deviation of what no edge explains: noise."""
    sharp: float
    """How steep its edges are beside the same picture a little blurred; the more, the sharper."""

    def row(self) -> np.ndarray:
        """float64 (4,): the logarithms of the four, so that twice as much is as far away as half as much."""
        return np.log(np.maximum(np.array(astuple(self)), MIN_VALUE))


def measure_picture(picture: np.ndarray) -> PictureMeasures:
    """The measures of a picture uint8 (height_px, width_px, 3) RGB; ShapeError where it is none."""
    check_picture(picture)
    grey = thumbnail(picture, SIDE_PX).astype(np.float32) @ np.array((0.299, 0.587, 0.114), np.float32)
    # Immerkær, Computer Vision and Image Understanding 64 (1996) 300: what this mask gives is no edge, ramp or curve.
    rows = grey[:-2] - 2 * grey[1:-1] + grey[2:]
    left = np.abs(rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:])
    grain = float(np.median(left)) / 0.6745 / 6 if left.size else 0.0
    steep, soft = _steepness(grey), _steepness(_blurred(grey))
    return PictureMeasures(
        float(grey.mean()), float(grey.std()), grain, 100 * steep / max(soft, 1e-6) if steep else 0.0
    )


def _steepness(grey: np.ndarray) -> float:
    """The steepest fiftieth of the slopes: edges, not the walls between them."""
    slopes = np.hypot(np.diff(grey, axis=0)[:, :-1], np.diff(grey, axis=1)[:-1])
    return float(np.quantile(slopes, 0.98)) if slopes.size else 0.0


def _blurred(grey: np.ndarray) -> np.ndarray:
    """The mean of 5 × 5 values."""
    padded = np.pad(grey, 2, mode="edge")
    sums = padded.cumsum(axis=0)
    rows = sums[4:] - np.concatenate([np.zeros_like(sums[:1]), sums[:-5]])
    sums = rows.cumsum(axis=1)
    return np.asarray((sums[:, 4:] - np.concatenate([np.zeros_like(sums[:, :1]), sums[:, :-5]], axis=1)) / 25)
