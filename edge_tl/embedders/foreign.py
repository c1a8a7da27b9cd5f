"""A .tflite file of any maker, described: what it does not say, and nobody else either, is asked for and not guessed.

How pixels are scaled is what files differ in, and a wrong scaling gives answers that look right. It is known from what
a person says, from what `edge-tl model truncate` or TensorFlow's metadata hold in the file, from a quantised input
whose range is one of those that pixels are scaled to, or from Teachable Machine's archive, whose float model always
takes -1 to 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge_tl.embedders.speech_base import WINDOW_SHAPE
from edge_tl.errors import ModelError, counted
from edge_tl.tflite.file_metadata import ModelMetadata, file_metadata
from edge_tl.tflite.interpreter import Interpreter, TensorInfo
from edge_tl.tflite.label_files import bundled_labels, read_labels
from edge_tl.tflite.manifest import COLOUR_ORDERS, RESIZES, Manifest, Scaling
from edge_tl.tflite.pixels import Pixels, pixels_told

RANGES = ((-1.0, 1.0), (0.0, 1.0), (0.0, 255.0))
"""What pixels 0 to 255 are scaled to before a network: a quantised input of such a range takes them as they are."""
RESIZE = "crop"
LABEL_FILES = ("labels.txt", "label.txt", "labelmap.txt", "labels_map.txt", "classes.txt")
"""How a file of labels beside a model is called."""
_TEACHABLE_MACHINE = "model_unquant.tflite"
_STRIDES = (8, 16, 32)
"""Of the three maps of a YOLO."""


@dataclass(frozen=True)
class ModelHints:
    """What a person says of a model file; None leaves it to the file, or to the default."""

    scaling: Scaling | None = None
    colour_order: str | None = None
    """One of `COLOUR_ORDERS`."""
    resize: str | None = None
    """One of `RESIZES`; `crop` by default."""
    size: tuple[int, int] | None = None
    """(height_px, width_px) of pictures, for a model that takes any."""
    labels: Path | None = None
    """A text file of labels, a line each."""


def scaling_to(low: float, high: float) -> Scaling:
    """The scaling that makes `low` of a pixel 0 and `high` of 255."""
    return Scaling(((high - low) / 255,) * 3, (low,) * 3)


def open_file(
    data: bytes, name: str, threads: int | None, backend: str | None, size: tuple[int, int] | None
) -> Interpreter:
    """The interpreter of a model file of pictures; `size`: (height_px, width_px), for a model that takes any.

    ModelError (one line) where the file leaves its size open and none came, or cannot be loaded.
    """
    opened = Interpreter(data, threads=threads, backend=backend, name=name, pictures=True)
    first = opened.inputs[0]
    if len(first.shape) != 4 or not {1, 2} & {*first.open_axes}:
        return opened
    if size is None:
        raise ModelError(f"{name}: takes pictures of any size: say which by --size PIXELS (what it was trained with)")
    shape = (1, first.shape[3], *size) if first.channels_first else (1, *size, first.shape[3])
    return Interpreter(data, threads=threads, backend=backend, name=name, input_shapes=(shape,), pictures=True)


def described(opened: Interpreter, data: bytes, file: Path, sha256: str, given: ModelHints) -> Manifest:
    """The manifest of a file that has none: what a person says, else what the file says of itself.

    ModelError (one line) for a file that is none of pictures, and where its scaling is known from nowhere.
    """
    name, said = str(file), file_metadata(data, str(file))
    check_pictures(opened, said, name, given.colour_order)
    wanted, made = opened.inputs[0], opened.outputs[0]
    _, height, width, channels = wanted.shape
    if given.size is not None and (height, width) != given.size:
        raise ModelError(f"{name}: its input is {width}×{height} px and stays so: leave --size out")
    kept = Pixels() if given.scaling is not None else pixels_told(data, name)
    scaling = given.scaling or scaling_of(wanted, said, kept, file)
    if scaling is None:
        raise ModelError(
            f"{name}: does not say how its pixels are scaled: give --scaling LOW,HIGH, what 0 and 255 become (-1,1 for "
            "most MobileNets, 0,1 for Edge Impulse, 0,255 where the model scales by itself; torch for PyTorch's)"
        )
    order = given.colour_order or kept.colour_order or ("rgb" if channels == 3 else "grey")
    if order not in COLOUR_ORDERS:
        raise ModelError(f"colour_order is {order!r}; one of {', '.join(COLOUR_ORDERS)} is wanted")
    if (order == "grey") != (channels == 1):
        raise ModelError(f"{name}: its input has {counted(channels, 'channel')}, and the colour order is {order}")
    resize = given.resize or kept.resize or RESIZE
    if resize not in RESIZES:
        raise ModelError(f"resize is {resize!r}; one of {', '.join(RESIZES)} is wanted")
    return Manifest(
        name=file.stem,
        model=file.name,
        sha256=sha256,
        architecture="unknown",
        alpha=None,
        layer=made.name,
        input_shape=(height, width, channels),
        colour_order=order,
        resize=resize,
        scaling=scaling,
        output_shape=made.shape[1:],
        quantization="float32" if wanted.scale is None and made.scale is None else "int8",
        weights={},
        tools={},
    )


def several(opened: Interpreter, name: str) -> ModelError:
    """The error (one line) of a model that has more or less than one input and one output, with what to do."""
    found = f"{counted(len(opened.inputs), 'input')} and {counted(len(opened.outputs), 'output')}"
    return ModelError(
        f"{name}: the model has {found}; one of each is wanted, a picture and what is seen in it: give another model "
        "(docs/models.md)"
    )


def check_pictures(opened: Interpreter, said: ModelMetadata, name: str, order: str | None) -> None:
    """ModelError (one line, with the command that is for it) unless a model takes one picture and gives one thing."""
    if len(opened.inputs) != 1:
        raise several(opened, name)
    first = opened.inputs[0]
    if said.kind == "sound" or (len(first.shape) < 3 and np.prod(first.shape) >= 400):
        what = f"{name}: is a model of sound: it takes {counted(int(np.prod(first.shape)), 'value')}"
        if not said.rate_hz:
            raise ModelError(
                f"{what}, and does not say the rate of its samples in its metadata: take a file that does, or a base "
                "of `edge-tl-host convert speech`"
            )
        raise ModelError(
            f"{what} at {said.rate_hz} Hz, and pictures are wanted: `edge-tl listen --base FILE` and `edge-tl predict "
            "--model FILE SOUND.wav` run it"
        )
    if first.shape == WINDOW_SHAPE:
        raise ModelError(
            f"{name}: is a model of sound: it takes spectrograms (43×232) of a browser's recognizer, and pictures are "
            "wanted: `edge-tl-host convert speech` makes a base for words of its TensorFlow.js files"
        )
    if len(first.shape) != 4 or first.shape[0] != 1 or first.shape[3] not in (1, 3):
        raise ModelError(f"{name}: its input is {first.shape}; (1, height, width, 3) is wanted, or 1 channel for grey")
    _, height, width, channels = first.shape
    if channels == 1 and height != width and order != "grey" and said.kind != "picture":
        raise ModelError(
            f"{name}: its input {height}×{width} with 1 channel may be a spectrogram or a grey picture: where it is "
            "one of pictures, give --colour-order grey"
        )
    if is_detector([one.shape for one in opened.outputs], (height, width)):
        raise ModelError(
            f"{name}: finds things, each with its box: `edge-tl detect --ssd FILE` runs it, and a model that gives one "
            "answer for a whole picture is wanted here"
        )
    if len(opened.outputs) != 1:
        shapes = ", ".join(str(one.shape) for one in opened.outputs)
        raise ModelError(f"{name}: has {counted(len(opened.outputs), 'output')}, {shapes}; one is wanted")


def is_detector(shapes: Sequence[tuple[int, ...]], size: tuple[int, int]) -> bool:
    """Whether outputs of these shapes, for pictures of this (height_px, width_px), are an SSD's or a YOLO's."""
    if len(shapes) in (2, 4) and any(len(one) == 3 and one[0] == 1 and one[2] == 4 for one in shapes):
        return True
    return yolo_maps(shapes, size) is not None or (len(shapes) == 1 and yolo_boxes(shapes[0], size) is not None)


def yolo_boxes(shape: tuple[int, ...], size: tuple[int, int]) -> tuple[int, bool, bool] | None:
    """(Boxes, whether each is a row, whether each has a score of its own beside its classes') of a YOLO's output.

    YOLOv5 gives three boxes a cell of its maps, (1, boxes, 5 + classes); YOLOv8 and 11 one, (1, 4 + classes, boxes),
    and an export may turn that. None for any other output. `size`: (height_px, width_px) of its input.
    """
    if len(shape) != 3 or shape[0] != 1 or any(side % _STRIDES[-1] for side in size):
        return None
    cells = sum((size[0] // stride) * (size[1] // stride) for stride in _STRIDES)
    for boxes, least, own in ((3 * cells, 6, True), (cells, 5, False)):
        for rows in (True, False):
            along, each = shape[1:] if rows else shape[:0:-1]
            if along == boxes and each >= least:
                return boxes, rows, own
    return None


class YOLOMap(NamedTuple):
    """One of the maps of a YOLO whose boxes are not decoded."""

    stride_px: int
    channels_first: bool
    channels: int


def yolo_maps(shapes: Sequence[tuple[int, ...]], size: tuple[int, int]) -> tuple[YOLOMap, ...] | None:
    """What outputs of these shapes are, each, where they are the three maps of a YOLO that is not decoded, or the six
    where boxes and scores are apart; None for any others. `size`: (height_px, width_px) of its input."""
    if len(shapes) not in (3, 6) or any(len(one) != 4 or one[0] != 1 for one in shapes):
        return None
    cells = {(size[0] / stride, size[1] / stride): stride for stride in _STRIDES}
    found = []
    for _, one, two, three in shapes:  # 80 classes may stand beside 80 × 80 cells: what is clear tells the others
        either = [first for first, side in ((True, (two, three)), (False, (one, two))) if side in cells]
        found.append((either, (one, two, three)))
    clear = {either[0] for either, _ in found if len(either) == 1}
    if len(clear) != 1 or not all(clear & {*either} for either, _ in found):
        return None
    first = clear.pop()
    maps = tuple(
        YOLOMap(cells[sides[1:] if first else sides[:2]], first, sides[0] if first else sides[2]) for _, sides in found
    )
    each = [sum(one.stride_px == stride for one in maps) for stride in _STRIDES]
    return maps if each == [len(shapes) // 3] * 3 else None


def scaling_of(first: TensorInfo, said: ModelMetadata, kept: Pixels, file: Path) -> Scaling | None:
    """How a file wants its pixels scaled; None where it does not say so."""
    if first.scale is not None:  # a quantised input says it better than metadata do
        return _quantized(first, said) or kept.scaling
    if kept.scaling is not None:
        return kept.scaling
    if _is_teachable_machine(first, file):
        return scaling_to(-1.0, 1.0)
    return None


def _quantized(first: TensorInfo, said: ModelMetadata) -> Scaling | None:
    """Of an input of 8 bits: pixels as they are, where its range is one that pixels are scaled to.

    TensorFlow's own programs give such pixels to every uint8 model whose metadata say that it takes a picture.
    """
    assert first.scale is not None
    bounds = np.iinfo(first.dtype)
    low, high = ((bound - first.zero_point) * first.scale for bound in (int(bounds.min), int(bounds.max)))
    usual = any(abs(low - one[0]) + abs(high - one[1]) <= 0.04 * (one[1] - one[0]) for one in RANGES)
    if not usual and not (said.kind == "picture" and first.dtype == np.uint8):
        return None
    return scaling_to(low, high)


def _is_teachable_machine(first: TensorInfo, file: Path) -> bool:
    """Whether a float file is Teachable Machine's: called as in its archive, with its numbered labels beside it."""
    labels = file.parent / "labels.txt"
    if file.name != _TEACHABLE_MACHINE or first.shape != (1, 224, 224, 3) or not labels.is_file():
        return False
    lines = labels.read_bytes()[:100_000].decode("utf-8-sig", "replace").splitlines()
    return all(re.match(rf"{number} \S", line) for number, line in enumerate(filter(str.strip, lines)))


def labels_for(data: bytes, file: Path, given: ModelHints, outputs: int, *, classifier: bool) -> tuple[str, ...]:
    """The names of a classifier's outputs: those of a person's file, of the archive in the model, or of the text beside
    it; none where there are none. Every name is there once.

    ModelError (one line) where they are not as many as there are outputs; unless it is not known that the model is a
    `classifier` and nobody gave them: then they are of another model.
    """
    name = str(file)
    where = given.labels
    if where is not None:
        found = read_labels(where, outputs)
    else:
        found = bundled_labels(data, name, file_metadata(data, name).labels_file, outputs)
        where = next((file.parent / one for one in LABEL_FILES if (file.parent / one).is_file()), None)
        if not found and where is not None:
            found = read_labels(where, outputs)
    if not found:
        return ()
    if outputs == 1 and len(found) == 2:
        return found
    if len(found) != outputs and not classifier and given.labels is None:
        return ()
    if len(found) != outputs:
        of = name if where is None else str(where)
        raise ModelError(
            f"{of}: {counted(len(found), 'label')}, and the model has {counted(outputs, 'output')}: give its own by "
            "--labels FILE, a line each in the order of the outputs"
        )
    once: dict[str, int] = {}
    for label in found:  # ImageNet has two kinds of crane
        number, name = 1, label
        while name in once:
            number += 1
            name = f"{label} ({number})"
        once[name] = number
    return tuple(once)
