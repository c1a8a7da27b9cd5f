"""How a .tflite file says that its pixels are scaled, and what a file that was cut from it keeps of that."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from edge_tl.errors import ModelError
from edge_tl.tflite.file_metadata import ModelMetadata, file_metadata, metadata
from edge_tl.tflite.manifest import Scaling

TITLE = "edge_tl.pixels"
"""Of the metadata in which a cut file keeps what was known of its input: JSON."""
FORMAT = 1


@dataclass(frozen=True)
class Pixels:
    """What a file says of its pixels; None where it does not."""

    scaling: Scaling | None = None
    colour_order: str | None = None
    """`rgb`, `bgr` or `grey`."""
    resize: str | None = None
    """As of a manifest."""


def pixels_told(data: bytes, name: str) -> Pixels:
    """What the bytes of a file, seen whole, say of its pixels: what a cut kept, or TensorFlow's metadata.

    ModelError (one line) where that is damaged or makes no sense.
    """
    held = metadata(data, name).get(TITLE)
    if held is not None:
        return _parsed(held, name)
    said = file_metadata(data, name)
    scaling = _normalized(said, name) if said.mean and said.deviation else None
    return Pixels(scaling, said.colours or None)


def pixels_text(pixels: Pixels) -> bytes:
    """What a cut file keeps under `TITLE`."""
    assert pixels.scaling is not None
    scaling = {"scale": pixels.scaling.scale, "offset": pixels.scaling.offset}
    said = {"scaling": scaling, "colour_order": pixels.colour_order, "resize": pixels.resize}
    return json.dumps({"format": FORMAT} | said).encode()


def _parsed(held: bytes, name: str) -> Pixels:
    """What `pixels_text` wrote."""
    try:
        said = json.loads(held)
        if said["format"] != FORMAT:
            raise ValueError(said["format"])
        scale, offset = (tuple(map(float, said["scaling"][part])) for part in ("scale", "offset"))
        if len(scale) != 3 or len(offset) != 3 or not all(map(math.isfinite, scale + offset)):
            raise ValueError(scale)
        order, resize = (None if said[key] is None else str(said[key]) for key in ("colour_order", "resize"))
        return Pixels(Scaling(scale, offset), order, resize)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelError(f"{name}: what it says of its pixels is damaged; cut the model again") from None


def _normalized(said: ModelMetadata, name: str) -> Scaling:
    """The scaling that metadata tell: a mean is taken off and a deviation divided by."""
    means, deviations = (one * 3 if len(one) == 1 else one for one in (said.mean, said.deviation))
    whole = len(means) == len(deviations) == 3 and all(map(math.isfinite, (*means, *deviations)))
    if not whole or min(deviations) <= 0:
        raise ModelError(f"{name}: its metadata scale pixels by {said.deviation}; say it by --scaling LOW,HIGH")
    red, green, blue = (1 / one for one in deviations)
    offsets = [-mean / deviation for mean, deviation in zip(means, deviations, strict=True)]
    return Scaling((red, green, blue), (offsets[0], offsets[1], offsets[2]))
