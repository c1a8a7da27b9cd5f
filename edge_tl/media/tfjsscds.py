"""TFJSSCDS: the data set file of TensorFlow.js' speech commands, read and written to the byte (spec S4).

`TFJSSCDS`, version, length and text of a JSON manifest, then each example's spectrogram and, where it was kept, its
sound, all little-endian without padding. Whoever taught words in a browser brings them along in such a file.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_tl.errors import ExampleError, counted

MAGIC = b"TFJSSCDS"
VERSION = 1
HEADER = struct.Struct("<8sII")
FLOAT = np.dtype("<f4")


@dataclass(frozen=True, slots=True, eq=False)
class SpokenExample:
    """One example of such a file."""

    label: str
    spectrogram: np.ndarray
    """float32 (frames, size), finite: 20·log10 of the magnitudes, a row every hop."""
    key_frame: int | None = None
    """The row where the word is loudest, where that was kept."""
    samples: np.ndarray | None = None
    """float32 (samples,), finite, the sound itself, where that was kept."""
    rate_hz: int | None = None
    """Samples a second of `samples`."""


def read_tfjsscds(data: bytes) -> list[SpokenExample]:
    """The examples of a file, in its order; ExampleError (one line) for anything that is no whole TFJSSCDS file."""
    if len(data) < HEADER.size or data[:8] != MAGIC:
        raise ExampleError(
            "this is no TFJSSCDS file: it does not begin with that word; one from speech commands is wanted"
        )
    _, version, length = HEADER.unpack_from(data)
    if version != VERSION:
        raise ExampleError(f"a TFJSSCDS file of version {version} came; version {VERSION} is wanted")
    if length > len(data) - HEADER.size:
        raise _damaged(f"its manifest of {counted(length, 'byte')} reaches beyond its end")
    try:
        manifest = json.loads(data[HEADER.size : HEADER.size + length].decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged("its manifest is no JSON") from error
    if not isinstance(manifest, list):
        raise _damaged("its manifest is no list")
    at = HEADER.size + length
    examples = []
    for number, entry in enumerate(manifest):
        if not isinstance(entry, dict):
            raise _damaged(f"entry {number} of its manifest is no object")
        label = entry.get("label")
        if not isinstance(label, str):
            raise _damaged(f"entry {number} has no label")
        frames = _whole(entry, number, "spectrogramNumFrames", 1)
        size = _whole(entry, number, "spectrogramFrameSize", 1)
        assert frames is not None
        assert size is not None
        key_frame = _whole(entry, number, "spectrogramKeyFrameIndex", 0, missing=True)
        if key_frame is not None and key_frame >= frames:
            raise _damaged(f"entry {number}: key frame {key_frame} of {counted(frames, 'frame')}")
        samples = _whole(entry, number, "rawAudioNumSamples", 1, missing=True)
        rate_hz = _whole(entry, number, "rawAudioSampleRateHz", 1, missing=True)
        if (samples is None) != (rate_hz is None):
            raise _damaged(f"entry {number} has a number of samples without a rate, or a rate without samples")
        # What must still be there is checked before anything is made of it: a hostile length costs nothing.
        if (frames * size + (samples or 0)) * FLOAT.itemsize > len(data) - at:
            raise _damaged(f"entry {number} reaches beyond its end")
        spectrogram = _floats(data, at, frames * size, number).reshape(frames, size)
        at += spectrogram.nbytes
        sound = None
        if samples is not None:
            sound = _floats(data, at, samples, number)
            at += sound.nbytes
        examples.append(SpokenExample(label, spectrogram, key_frame, sound, rate_hz))
    if at != len(data):
        raise _damaged(f"{counted(len(data) - at, 'byte follows', 'bytes follow')} its last example")
    return examples


def write_tfjsscds(examples: Iterable[SpokenExample]) -> bytes:
    """The file that speech commands would write of these examples: by label, within a label in the order given.

    ExampleError for values that are not finite and for shapes that are none.
    """
    # JavaScript sorts text by UTF-16 code units; sorted() keeps the order of equals.
    ordered = sorted(examples, key=lambda example: example.label.encode("utf-16-be", "surrogatepass"))
    manifest, values = [], []
    for example in ordered:
        spectrogram = np.ascontiguousarray(example.spectrogram, FLOAT)
        if spectrogram.ndim != 2 or not spectrogram.size or (example.samples is None) != (example.rate_hz is None):
            raise ExampleError(
                f"{example.label}: a spectrogram {spectrogram.shape} came; (frames, size) is wanted, and samples with "
                "their rate or neither"
            )
        entry: dict[str, Any] = {
            "label": example.label,
            "spectrogramNumFrames": spectrogram.shape[0],
            "spectrogramFrameSize": spectrogram.shape[1],
        }
        if example.key_frame is not None:
            entry["spectrogramKeyFrameIndex"] = int(example.key_frame)
        values.append(spectrogram)
        if example.samples is not None:
            values.append(np.ascontiguousarray(example.samples, FLOAT))
            entry["rawAudioNumSamples"] = values[-1].size
            entry["rawAudioSampleRateHz"] = example.rate_hz
        if not all(np.isfinite(array).all() for array in values[-2:]):
            raise ExampleError(f"{example.label}: values that are not finite came; decibels and samples are wanted")
        manifest.append(entry)
    # As JSON.stringify writes it: no spaces, every character as it is.
    text = json.dumps(manifest, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return b"".join([HEADER.pack(MAGIC, VERSION, len(text)), text, *(array.tobytes() for array in values)])


def _floats(data: bytes, at: int, count: int, number: int) -> np.ndarray:
    """A copy of `count` float32 values; ExampleError where one is not finite."""
    values = np.frombuffer(data, FLOAT, count, at).astype(np.float32)
    if not np.isfinite(values).all():
        raise _damaged(f"entry {number} holds values that are not finite")
    return values


def _whole(entry: dict[str, Any], number: int, key: str, least: int, *, missing: bool = False) -> int | None:
    """A whole number of a manifest's entry; None where it may be missing and is."""
    if missing and key not in entry:
        return None
    value = entry.get(key)
    if type(value) is not int or value < least:
        shown = json.dumps(value)[:30]
        raise _damaged(f"entry {number}: {key} is {shown}; a whole number from {least} up is wanted")
    return value


def _damaged(what: str) -> ExampleError:
    return ExampleError(f"this TFJSSCDS file is damaged ({what}): export it again")
