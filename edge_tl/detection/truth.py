"""Pictures with their true boxes as a folder: scene PNGs and truth.csv; and both kinds of boxes drawn side by side."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge_tl.detection.found import DetectedThing, ObjectDetector
from edge_tl.detection.scenes import SHAPES, scenes
from edge_tl.errors import ConfigError
from edge_tl.files import write_synced
from edge_tl.media.image import boxed, save_png

FILE_NAME = "truth.csv"
COLUMNS = ("file", "label", "left", "top", "right", "bottom")
"""Boxes in pixels, fractions kept."""
TRUE, TOLD = (0, 158, 115), (213, 94, 0)
"""Green and vermilion, told apart by the colour-blind too (Okabe, Ito 2008)."""
GAP_PX = 4


def write_scenes(folder: Path, count: int, seed: int) -> None:
    """Write scenes 0 to `count` of a seed as PNG, and last what is true of them; ConfigError where it cannot be."""
    rows = io.StringIO()
    table = csv.writer(rows, lineterminator="\n")
    table.writerow(COLUMNS)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            one = scenes(1, seed, number)
            name = f"scene-{number:05}.png"
            save_png(folder / name, one.pictures[0])
            table.writerow([name, SHAPES[one.shapes[0]], *(f"{side:.2f}" for side in one.boxes[0])])
        (folder / FILE_NAME).unlink(missing_ok=True)
        write_synced(folder / FILE_NAME, rows.getvalue().encode())
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written ({error.strerror}); choose another --out") from error


def compared(
    pictures: Sequence[np.ndarray],
    truth: Sequence[tuple[str, Sequence[float]]],
    found: Sequence[Sequence[DetectedThing]],
    columns: int = 4,
) -> np.ndarray:
    """Pictures of one size as a sheet uint8 (height_px, width_px, 3), true boxes in green, those told in vermilion.

    truth: (label, left, top, right, bottom) of each; a told label that is wrong ends with "?".
    """
    drawn = []
    for picture, (label, box), told in zip(pictures, truth, found, strict=True):
        left, top, right, bottom = map(float, box)
        things = [
            (one.box, f"{one.label}{'' if one.label == label else '?'} {one.confidence:.0%}", TOLD) for one in told
        ]
        drawn.append(boxed(picture, [*things, ((left, top, right, bottom), "", TRUE)]))
    height, width, _ = drawn[0].shape
    rows = -(-len(drawn) // columns)
    wide = min(columns, len(drawn))
    sheet = np.full((rows * (height + GAP_PX) - GAP_PX, wide * (width + GAP_PX) - GAP_PX, 3), 128, np.uint8)
    for number, one in enumerate(drawn):
        down, across = (number // columns) * (height + GAP_PX), (number % columns) * (width + GAP_PX)
        sheet[down : down + height, across : across + width] = one
    return sheet


def sheet_of(detector: ObjectDetector, count: int, seed: int) -> np.ndarray:
    """What a detector finds in the first scenes of a seed, drawn as `compared` does."""
    some = scenes(count, seed)
    truth = [(SHAPES[shape], box) for shape, box in zip(some.shapes, some.boxes.tolist(), strict=True)]
    return compared(list(some.pictures), truth, [detector.detect(picture) for picture in some.pictures])
