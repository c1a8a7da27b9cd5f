"""A single-shot detector (SSD) in a .tflite file of any maker: things of many kinds in a picture, each with its box.

Two kinds of files are known by their outputs: with the operator TFLite_Detection_PostProcess at the end (boxes,
classes, scores, count, in any order), and without it (offsets to anchors, scores of every class), where the decoding
and the suppression of doubles are done here, as that operator does them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self

import numpy as np

from edge_tl.core.boxes import surest
from edge_tl.detection.found import DetectedThing
from edge_tl.detection.ssd_anchors import decoded, read_anchors, standard_anchors
from edge_tl.errors import ModelError, counted
from edge_tl.media.image import fit
from edge_tl.tflite.file_metadata import custom_outputs, file_metadata
from edge_tl.tflite.interpreter import Interpreter, TensorInfo, read_model
from edge_tl.tflite.label_files import UNKNOWN, bundled_labels, read_labels

POST_PROCESS = "TFLite_Detection_PostProcess"
SURE = 0.5
"""The least score that is told."""
MAX_THINGS = 100
"""The most things that are told of a picture."""
OVERLAP = 0.6
"""What the published models are exported with: of two boxes that overlap by more than this one goes."""
CANDIDATES = 400
"""Of the boxes above the least score the surest so many are looked at, so that no file can take for ever."""
NOTHING = (UNKNOWN, "background")
"""How label files call the class of no thing, where they name it: always the first."""
RANGE = (-1.0, 1.0)
"""What pixels 0 to 255 become for a float input whose file says nothing: that of the published MobileNet SSDs."""

_DTYPES = ("float32", "uint8", "int8")

Decoded = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Boxes (K, 4), left, top, right, bottom as shares of the picture; class numbers and scores (K,), the surest first."""


class SSDDetector:
    """An SSD as an ObjectDetector; made by `load`, not for two threads at once."""

    def __init__(
        self,
        data: bytes,
        name: str,
        *,
        labels: tuple[str, ...] = (),
        anchors: np.ndarray | None = None,
        pixels: tuple[float, float] | None = None,
        threads: int | None = None,
    ) -> None:
        """Take the bytes of a file; arguments as `load`, `anchors` (N, 4) as in `standard_anchors`."""
        self.name = name
        self._interpreter = Interpreter(data, threads=threads, name=name, pictures=True)
        if len(self._interpreter.inputs) != 1:
            raise ModelError(f"{name}: has {counted(len(self._interpreter.inputs), 'input')}; one picture is wanted")
        self._input = self._interpreter.inputs[0]
        shape = self._input.shape
        if len(shape) != 4 or shape[0] != 1 or shape[3] != 3 or self._input.dtype.name not in _DTYPES:
            raise ModelError(f"{name}: its input is {self._input.dtype} {shape}; (1, height, width, 3) is wanted")
        self._size = shape[1], shape[2]
        self._pixels = _scaling(data, name, pixels)
        labels = labels or bundled_labels(data, name)
        self._decoder = _decoder(data, name, self._interpreter.outputs, anchors, self._size, labels)
        self._names = labels[1:] if labels and labels[0] in NOTHING else labels
        self.labels: tuple[str, ...] = tuple(dict.fromkeys(label for label in self._names if label not in NOTHING))
        """All that the file names; empty where it names nothing, and things are then called by their number."""

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        labels: Path | None = None,
        anchors: Path | None = None,
        pixels: tuple[float, float] | None = None,
        threads: int | None = None,
    ) -> Self:
        """Load a model file and check it.

        `labels`: a text file with a label a line, or "number label"; None for the one in the file. `anchors`: as in
        `read_anchors`; None for the standard ones; for files without the operator only. `pixels`: what 0 and 255
        become for a float input; None for what the file says, else RANGE. ModelError (one line) for a file that is
        missing, damaged, or no SSD.
        """
        return cls(
            read_model(path),
            str(path),
            labels=read_labels(labels) if labels is not None else (),
            anchors=read_anchors(anchors) if anchors is not None else None,
            pixels=pixels,
            threads=threads,
        )

    def detect(self, picture: np.ndarray, least: float = SURE, most: int = MAX_THINGS) -> tuple[DetectedThing, ...]:
        """The things in a picture uint8 (height_px, width_px, 3) RGB that score `least` and more, the surest first.

        ShapeError for an array that is no picture.
        """
        small = fit(picture, self._size, "stretch")
        view = self._interpreter.input_view()[0]
        if self._input.dtype == np.float32:
            low, high = self._pixels
            np.multiply(small, (high - low) / np.float32(255), out=view, casting="same_kind")
            view += low
        else:  # the pixels as they are: quantised SSDs span exactly 0 to 255
            np.add(small, np.uint8(0 if self._input.dtype == np.uint8 else 128), out=view.view(np.uint8))
        del view
        made = zip(self._interpreter.invoke(), self._interpreter.outputs, strict=True)
        boxes, classes, scores = self._decoder([real(array, info) for array, info in made], least, most)
        height, width = picture.shape[:2]
        boxes = boxes * (width, height, width, height)
        return tuple(
            DetectedThing(self._label(int(number)), float(score), (left, top, right, bottom))
            for (left, top, right, bottom), number, score in zip(boxes.tolist(), classes, scores, strict=True)
        )

    def _label(self, number: int) -> str:
        return self._names[number] if 0 <= number < len(self._names) else f"class {number}"


class PostProcessed:
    """Reads the four outputs of the operator; `roles`: which output is boxes, classes, scores, count."""

    def __init__(self, roles: tuple[int, int, int, int]) -> None:
        self._roles = roles

    def __call__(self, outputs: list[np.ndarray], least: float, most: int) -> Decoded:
        """The things that score enough."""
        boxes, classes, scores, count = (outputs[role] for role in self._roles)
        found = count.ravel()[0]
        # A damaged model may count anything, NaN too.
        number = int(np.clip(np.nan_to_num(found), 0, boxes.shape[1]))
        boxes, classes, scores = boxes[0, :number], classes.reshape(-1)[:number], scores.reshape(-1)[:number]
        whole = np.isfinite(boxes).all(axis=1) & np.isfinite(classes) & (scores >= least)
        order = np.flatnonzero(whole)[np.argsort(-scores[whole], kind="stable")][:most]
        return boxes[order][:, [1, 0, 3, 2]].astype(np.float64), classes[order], np.clip(scores[order], 0, 1)


class Raw:
    """Decodes offsets to anchors and the scores of all classes; `first`: 1 where the first class is "no thing"."""

    def __init__(self, roles: tuple[int, int], anchors: np.ndarray, first: int) -> None:
        self._roles, self._anchors, self._first = roles, anchors, first

    def __call__(self, outputs: list[np.ndarray], least: float, most: int) -> Decoded:
        """The things that score enough, doubles suppressed whatever their class, as the operator does by default."""
        offsets, scores = (outputs[role][0] for role in self._roles)
        if scores.min() < 0 or scores.max() > 1:  # logits; NaN stays NaN and is never enough
            scores = 1 / (1 + np.exp(-np.clip(scores.astype(np.float64), -100, 100)))
        scores = scores[:, self._first :]
        classes = scores.argmax(axis=1)
        best = scores[np.arange(len(scores)), classes]
        enough = np.flatnonzero((best >= least) & np.isfinite(offsets).all(axis=1))
        enough = enough[np.argsort(-best[enough], kind="stable")][:CANDIDATES]
        boxes = decoded(offsets[enough], self._anchors[enough])
        kept = surest(boxes, best[enough], OVERLAP, most)
        return boxes[kept], classes[enough[kept]], best[enough[kept]]


def real(array: np.ndarray, info: TensorInfo) -> np.ndarray:
    """An output as float numbers, also of a quantised model."""
    if info.scale is None:
        return np.asarray(array, np.float32)
    return (array.astype(np.float32) - info.zero_point) * np.float32(info.scale)


def _decoder(
    data: bytes,
    name: str,
    outputs: tuple[TensorInfo, ...],
    anchors: np.ndarray | None,
    size: tuple[int, int],
    labels: tuple[str, ...],
) -> PostProcessed | Raw:
    """What makes boxes of the outputs; ModelError where they are not those of an SSD."""
    shapes = [info.shape for info in outputs]
    if len(shapes) == 4:
        if anchors is not None:
            raise ModelError(f"{name}: ends with its own operator, which holds its anchors; leave --anchors out")
        return PostProcessed(_roles(data, name, outputs))
    threes = [number for number, shape in enumerate(shapes) if len(shape) == 3 and shape[0] == 1]
    boxes = [number for number in threes if shapes[number][2] == 4]
    if len(shapes) != 2 or len(threes) != 2 or not boxes or shapes[0][1] != shapes[1][1]:
        raise ModelError(
            f"{name}: is no SSD: its outputs are {', '.join(map(str, shapes))}; boxes, classes, scores and count are "
            "wanted, or offsets (1, N, 4) and scores (1, N, classes)"
        )
    if len(boxes) == 2:  # a model of four classes: the name tells
        boxes = [number for number in boxes if "box" in outputs[number].name.lower()] or boxes
    offsets, scores = boxes[0], 1 - boxes[0]
    count, classes = shapes[scores][1], shapes[scores][2]
    if anchors is None:
        anchors = standard_anchors(*size)
        if len(anchors) != count:
            raise ModelError(
                f"{name}: has {counted(count, 'box', 'boxes')}, and the standard anchors of {size[1]}×{size[0]} px are "
                f"{len(anchors)}: give its own by --anchors FILE"
            )
    if len(anchors) != count:
        raise ModelError(
            f"{name}: has {counted(count, 'box', 'boxes')}, and {counted(len(anchors), 'anchor')} came; give those of "
            "this model"
        )
    named = len(labels) - (bool(labels) and labels[0] in NOTHING)
    if named and classes - named not in (0, 1):
        raise ModelError(
            f"{name}: scores {counted(classes, 'class', 'classes')}, and {counted(named, 'label')} came; give the "
            "labels of this model"
        )
    return Raw((offsets, scores), anchors, classes - named if named else 1)


def _roles(data: bytes, name: str, outputs: tuple[TensorInfo, ...]) -> tuple[int, int, int, int]:
    """Which outputs are boxes, classes, scores and count: by the operator's own order, else by shapes and names."""
    shapes = [info.shape for info in outputs]
    made = custom_outputs(data, POST_PROCESS)
    boxes = [number for number, shape in enumerate(shapes) if len(shape) == 3 and shape[0] == 1 and shape[2] == 4]
    counts = [number for number, shape in enumerate(shapes) if np.prod(shape) == 1]
    lists = [number for number in range(4) if number not in boxes[:1] + counts[:1]]
    if made is not None and sorted(made) == [0, 1, 2, 3]:
        first, second, third, fourth = (made.index(role) for role in range(4))
        roles = first, second, third, fourth
    elif len(boxes) != 1 or len(lists) != 2 or not counts:
        raise ModelError(f"{name}: is no SSD: its outputs are {', '.join(map(str, shapes))}")
    else:
        # Exported from TensorFlow 1 boxes come first, then classes; from TensorFlow 2 scores come before classes.
        classes = [number for number in lists if re.search("class|categor", outputs[number].name, re.IGNORECASE)]
        scores = [number for number in lists if re.search("score", outputs[number].name, re.IGNORECASE)]
        if len(classes) != 1:
            classes = [number for number in lists if number not in scores] if len(scores) == 1 else []
        (of_class,) = classes or ([lists[0]] if boxes[0] == 0 else [lists[1]])
        roles = boxes[0], of_class, lists[1 - lists.index(of_class)], counts[0]
    number = shapes[roles[0]][1] if len(shapes[roles[0]]) == 3 else 0
    if not number or any(np.prod(shapes[role]) != number for role in roles[1:3]) or np.prod(shapes[roles[3]]) != 1:
        raise ModelError(f"{name}: is no SSD: its outputs are {', '.join(map(str, shapes))}")
    return roles


def _scaling(data: bytes, name: str, pixels: tuple[float, float] | None) -> tuple[float, float]:
    """What pixels 0 and 255 become for a float input."""
    if pixels is not None:
        return pixels
    said = file_metadata(data, name)
    if not said.mean or not said.deviation:
        return RANGE
    mean, deviation = said.mean[0], said.deviation[0]
    if not np.isfinite([mean, deviation]).all() or deviation <= 0:
        raise ModelError(f"{name}: its metadata scale pixels by {deviation}; say the range by --pixels LOW,HIGH")
    return -mean / deviation, (255 - mean) / deviation
