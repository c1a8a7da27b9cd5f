"""A YOLO (v5, v8, 11 and their like) in a .tflite file: known by the shape of its one output, and decoded here.

What is read: (1, boxes, 5 + classes) of v5, middle, size, how sure it is of a thing, and of each class; of v8 and 11
(1, 4 + classes, boxes), turned or not; and (1, things, 6) of exports that suppress doubles themselves. Boxes are shares
of the model's picture or its pixels. Maps that are not decoded are read by `yolo_maps.py`. Nothing of Ultralytics'
program is used.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from edge_tl.core.archive import Archive, DamagedArchive
from edge_tl.core.boxes import surest
from edge_tl.detection.found import DetectedThing
from edge_tl.detection.ssd import MAX_THINGS, SURE, real
from edge_tl.detection.yolo_maps import YOLOMaps
from edge_tl.embedders.foreign import yolo_boxes, yolo_maps
from edge_tl.errors import ModelError, counted
from edge_tl.media.image import fit, letterbox
from edge_tl.tflite.interpreter import Interpreter, read_model
from edge_tl.tflite.label_files import bundled_labels, read_labels

RANGE = (0.0, 1.0)
"""What pixels 0 to 255 become for a float input: every YOLO is trained so."""
OVERLAP = 0.45
"""Of two boxes of one class that overlap by more than this one goes."""
CANDIDATES = 400
"""Of the boxes above the least score the surest so many are looked at, so that no file can take for ever."""
SLACK = 0.02
"""So far outside 0 to 1 a score may lie by rounding."""
SURE_ANYWHERE = 0.5
"""Most of a picture's cells hold nothing: where half of them score more, these are no scores."""
MAX_ENDED = 1000
"""Rows of an export that suppressed doubles itself."""
_MAX_NOTE_BYTES = 200_000
_NOTES = ("metadata.json", "temp_meta.txt")
"""What Ultralytics' exports hold in the archive at the file's end: names and the task."""

Boxes = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Corners (N, 4) in the model's pixels, class numbers (N,), scores (N,)."""


class YOLODetector:
    """A YOLO as an ObjectDetector; made by `load`, not for two threads at once."""

    def __init__(
        self, interpreter: Interpreter, name: str, labels: tuple[str, ...], pixels: tuple[float, float]
    ) -> None:
        """Take an opened model that `is_yolo` knows; ModelError where its labels are others than its classes."""
        self.name = name
        self._interpreter, self._pixels = interpreter, pixels
        self._input, self._output = interpreter.inputs[0], interpreter.outputs[0]
        self._size = self._input.shape[1], self._input.shape[2]
        self._maps = YOLOMaps.of(interpreter, name, len(labels))
        self._shape = None if self._maps is not None else yolo_boxes(self._output.shape, self._size)
        classes = None if self._shape is None else _classes(self._output.shape, self._shape)
        classes = classes if self._maps is None else self._maps.classes
        if labels and classes is not None and len(labels) != classes:
            raise ModelError(
                f"{name}: scores {counted(classes, 'class', 'classes')}, and {counted(len(labels), 'label')} came; "
                "give the labels of this model"
            )
        self.labels = labels
        """All that the file names; empty where it names nothing, and things are then called by their number."""

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        labels: Path | None = None,
        pixels: tuple[float, float] | None = None,
        threads: int | None = None,
    ) -> Self | None:
        """Load a model file; None where it is no YOLO.

        `labels`: a text file with a label a line; None for those in the file. `pixels`: what 0 and 255 become for a
        float input; None for 0 to 1. ModelError (one line) for a file that is missing, damaged, or one of a YOLO for
        something else than boxes.
        """
        data, name = read_model(path), str(path)
        opened = Interpreter(data, threads=threads, name=name, pictures=True)
        if other := _other_task(opened):
            raise ModelError(f"{name}: is a YOLO for {other}; one that finds boxes (task detect) is wanted")
        if not is_yolo(opened):
            return None
        note = _note(data)
        task = "detect" if note is None else str(note.get("task", "detect"))
        if task != "detect":
            raise ModelError(f"{name}: is a YOLO for {task[:20]}; one that finds boxes (task detect) is wanted")
        if labels is not None:
            named = read_labels(labels)
        else:
            named = bundled_labels(data, name) if note is None else _names(note)
        return cls(opened, name, named, pixels or RANGE)

    def detect(self, picture: np.ndarray, least: float = SURE, most: int = MAX_THINGS) -> tuple[DetectedThing, ...]:
        """The things in a picture uint8 (height_px, width_px, 3) RGB that score `least` and more, the surest first.

        Boxes end at the picture's border. ShapeError for an array that is no picture.
        """
        small = fit(picture, self._size, "letterbox")
        view = self._interpreter.input_view()[0]
        if self._input.dtype == np.float32:
            low, high = self._pixels
            np.multiply(small, (high - low) / np.float32(255), out=view, casting="same_kind")
            view += low
        else:  # the pixels as they are
            np.add(small, np.uint8(0 if self._input.dtype == np.uint8 else 128), out=view.view(np.uint8))
        del view
        made = zip(self._interpreter.invoke(), self._interpreter.outputs, strict=True)
        corners, classes, scores = self._decoded([real(array, info) for array, info in made], least)
        # Of each class for itself: far apart, boxes of two classes do not overlap.
        apart = corners + (classes * 4.0 * max(self._size))[:, np.newaxis]
        kept = surest(apart, scores, OVERLAP, most)
        inner, top, left = letterbox(picture.shape[:2], self._size)
        height, width = picture.shape[:2]
        moved = (corners[kept] - (left, top, left, top)) * (np.array((width, height) * 2) / (inner[::-1] * 2))
        moved = np.clip(moved, 0, (width, height, width, height))
        return tuple(
            DetectedThing(self._label(int(number)), float(score), (box[0], box[1], box[2], box[3]))
            for box, number, score in zip(moved.tolist(), classes[kept], scores[kept], strict=True)
            if box[0] < box[2] and box[1] < box[3]
        )

    def _decoded(self, made: Sequence[np.ndarray], least: float) -> Boxes:
        """The boxes that score enough, the surest `CANDIDATES` of them."""
        rows = made[0][0]
        if self._maps is not None:
            corners, of_classes = self._maps.decoded(made)
            classes = of_classes.argmax(axis=1)
            scores = of_classes[np.arange(len(of_classes)), classes]
        elif self._shape is None:
            corners, scores, classes = rows[:, :4].astype(np.float64), rows[:, 4], rows[:, 5]
            corners = self._in_pixels(corners)
        else:
            _, as_rows, own = self._shape
            rows = rows if as_rows else rows.T
            of_classes = rows[:, 5:] * rows[:, 4:5] if own else rows[:, 4:]
            classes = of_classes.argmax(axis=1)
            scores = of_classes[np.arange(len(rows)), classes]
            self._check_scores(of_classes, scores)
            middles = self._in_pixels(rows[:, :4].astype(np.float64))
            halves = middles[:, 2:] / 2
            corners = np.concatenate([middles[:, :2] - halves, middles[:, :2] + halves], axis=1)
        with np.errstate(invalid="ignore"):
            enough = np.flatnonzero((scores >= least) & np.isfinite(corners).all(axis=1) & np.isfinite(classes))
        enough = enough[np.argsort(-scores[enough], kind="stable")][:CANDIDATES]
        return corners[enough], classes[enough], np.clip(scores[enough], 0, 1)

    def _check_scores(self, of_classes: np.ndarray, highest: np.ndarray) -> None:
        """ModelError where what stands beside the boxes is no score: key points and angles would pass for classes.

        Exports say in their archive what they are for; a converted file has lost it.
        """
        told = of_classes[np.isfinite(of_classes)]
        if told.size and not (
            told.min() >= -SLACK and told.max() <= 1 + SLACK and np.nanmedian(highest) < SURE_ANYWHERE
        ):
            raise ModelError(
                f"{self.name}: gives no scores of classes beside its boxes, but {told.min():.2g} to {told.max():.2g}: "
                "it is a YOLO for poses or turned boxes, or --pixels is not its own; one that finds boxes is wanted"
            )

    def _in_pixels(self, boxes: np.ndarray) -> np.ndarray:
        """Boxes in the model's pixels, whether they came so or as shares: a YOLO's cells cover all of its picture."""
        with np.errstate(invalid="ignore"):
            shares = not (boxes > 4.0).any()
        return boxes * ((self._size[1], self._size[0]) * 2) if shares else boxes

    def _label(self, number: int) -> str:
        return self.labels[number] if 0 <= number < len(self.labels) else f"class {number}"


def is_yolo(opened: Interpreter) -> bool:
    """Whether a model takes one picture and gives what a YOLO gives."""
    if len(opened.inputs) != 1:
        return False
    taken, given = opened.inputs[0].shape, opened.outputs[0].shape
    if len(taken) != 4 or taken[0] != 1 or taken[3] != 3:
        return False
    if len(opened.outputs) != 1:
        return yolo_maps([one.shape for one in opened.outputs], (taken[1], taken[2])) is not None
    ended = len(given) == 3 and given[0] == 1 and given[2] == 6 and given[1] <= MAX_ENDED
    return ended or yolo_boxes(given, (taken[1], taken[2])) is not None


def _other_task(opened: Interpreter) -> str:
    """What a YOLO is for that does more than find boxes, as its shapes tell; empty for any other model."""
    taken, given = opened.inputs[0].shape, [one.shape for one in opened.outputs]
    if len(opened.inputs) != 1 or len(taken) != 4 or taken[3] != 3:
        return ""
    rows = [shape for shape in given if len(shape) == 3]
    if len(given) == 2 and len(rows) == 1:
        quarter = (taken[1] // 4, taken[2] // 4)
        masks = any(shape in ((1, *quarter, 32), (1, 32, *quarter)) for shape in given)
        if masks and (yolo_boxes(rows[0], (taken[1], taken[2])) is not None or rows[0][2] == 6 + 32):
            return "masks (segment)"
    plain = any(yolo_boxes(shape, (taken[1], taken[2])) is not None for shape in rows)
    if len(given) == 1 and rows and not plain and rows[0][0] == 1 and rows[0][1] <= MAX_ENDED:
        return {7: "turned boxes (obb)", 6 + 17 * 3: "poses"}.get(rows[0][2], "")
    return ""


def _classes(output: tuple[int, ...], shape: tuple[int, bool, bool]) -> int:
    """How many classes an output of this shape scores."""
    _, as_rows, own = shape
    return output[2 if as_rows else 1] - (5 if own else 4)


def _note(data: bytes) -> dict[str, Any] | None:
    """What an export says of itself in the archive at its end, as far as it can be read; None where it has none."""
    try:
        with Archive(data) as archive:
            name = next((one for one in _NOTES if one in archive), None)
            if name is None:
                return None
            text = archive.read(name, _MAX_NOTE_BYTES).decode("utf-8", "replace")
    except DamagedArchive:
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            said = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        if isinstance(said, dict):
            return said
    return {}


def _names(note: dict[str, Any]) -> tuple[str, ...]:
    """The labels that an export names, in the order of its classes; none where it does not."""
    names = note.get("names")
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names:
        return ()
    numbered = {int(key): str(name) for key, name in names.items() if str(key).isdecimal()}
    if sorted(numbered) != list(range(len(names))):
        return ()
    return tuple(numbered[number] for number in range(len(numbered)))
