"""Running a file that `fuse` made: it knows its labels and what a picture or a sound needs on its way in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from edge_tl.core.answers import Observation
from edge_tl.embedders.browser import WORD_AT
from edge_tl.embedders.speech_base import WINDOW_SHAPE
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.embedders.windows import fitted
from edge_tl.errors import ExampleError, ModelError, ShapeError
from edge_tl.labels import check_label
from edge_tl.media.frontend import RATE_HZ, WINDOW_SAMPLES, SpectrogramStream, model_input
from edge_tl.media.sound import Sound
from edge_tl.tflite.file_metadata import metadata
from edge_tl.tflite.flatbuffer import check_whole
from edge_tl.tflite.interpreter import Interpreter, check_model, read_model
from edge_tl.tflite.manifest import KINDS, Manifest, parse_manifest

LABELS, ABOUT = "edge_tl.labels", "edge_tl.fused"
"""Titles of the metadata: a label a line in UTF-8, and JSON."""
FORMAT = 1


@dataclass(frozen=True)
class About:
    """What a fused file says of itself."""

    labels: tuple[str, ...]
    """In the order of its outputs."""
    kind: str
    """`picture` or `sound`."""
    head: str
    """The name of the head that was trained."""
    manifest: Manifest | None
    """Of a picture's embedder: what a picture needs on its way in."""


def read_about(data: bytes, name: str = "the model") -> About | None:
    """What the bytes of a .tflite file say of themselves, None where `fuse` did not make it.

    ModelError (one line) for a damaged file. It needs no LiteRT.
    """
    check_model(data, name)
    check_whole(data, name)
    held = metadata(data, name)
    if ABOUT not in held:
        return None
    try:
        about = json.loads(held[ABOUT])
        labels = tuple(check_label(label) for label in held[LABELS].decode().split("\n"))
        if about["format"] != FORMAT or about["kind"] not in KINDS:
            raise ModelError(f"is of format {about['format']!r} and {about['kind']!r}; upgrade edge-tl")
        manifest = parse_manifest(about["manifest"]) if about["kind"] == "picture" else None
        return About(labels, about["kind"], str(about["head"]), manifest)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from None
    except (ValueError, KeyError, TypeError, RecursionError, ExampleError):
        raise ModelError(f"{name}: its metadata are damaged; fuse the profile again") from None


class FusedModel:
    """A fused file, ready to name pictures or words; made by `load`, not for two threads at once."""

    def __init__(self, about: About, network: TFLiteEmbedder | Interpreter) -> None:
        """Take what the file says of itself and what runs it: an embedder of pictures, or of sounds the interpreter."""
        self.about = about
        self.classes = about.labels
        self._network = network

    @classmethod
    def load(cls, path: Path, threads: int | None = None, backend: str | None = None) -> Self:
        """A file of `edge-tl model fuse`; ModelError, one line, where it is none, is damaged or contradicts itself."""
        name, data = str(path), read_model(path)
        about = read_about(data, name)
        if about is None:
            raise ModelError(f"{name}: carries no labels; a file of `edge-tl model fuse` is wanted")
        interpreter = Interpreter(data, threads, backend, name=name, pictures=about.manifest is not None)
        made, wanted = interpreter.outputs[0], (1, len(about.labels))
        if len(interpreter.outputs) != 1 or made.shape != wanted or made.dtype.name != "float32":
            raise ModelError(f"{name}: gives {made.dtype} {made.shape}, its labels want {wanted}; fuse again")
        if about.manifest is not None:
            fingerprint = hashlib.sha256(data).hexdigest()
            manifest = replace(about.manifest, model=path.name, sha256=fingerprint, output_shape=wanted[1:])
            return cls(about, TFLiteEmbedder(interpreter, manifest))
        if len(interpreter.inputs) != 1 or interpreter.inputs[0].shape != WINDOW_SHAPE:
            raise ModelError(f"{name}: takes {interpreter.inputs[0].shape}; {WINDOW_SHAPE} is wanted; fuse again")
        return cls(about, interpreter)

    def observe(self, data: np.ndarray | Sound) -> Observation:
        """Name a picture uint8 (height_px, width_px, 3) RGB, or a Sound; ShapeError for the other of the two.

        It always names a class, and `known` is True: what "none of these" needs is not in the file.
        """
        if isinstance(data, Sound) != (self.about.kind == "sound"):
            raise ShapeError(
                f"got a {'sound' if isinstance(data, Sound) else 'picture'}; a {self.about.kind} is wanted"
            )
        probabilities = self._probabilities(data)
        best = self.classes[int(probabilities.argmax())]
        return Observation(best, best, probabilities, known=True)

    def _probabilities(self, data: np.ndarray | Sound) -> np.ndarray:
        if isinstance(self._network, TFLiteEmbedder):
            assert not isinstance(data, Sound)
            return self._network.embed(data)
        assert isinstance(data, Sound)
        window = fitted(data.at(RATE_HZ), RATE_HZ, WINDOW_SAMPLES, WORD_AT)
        (made,) = self._network.invoke(model_input(SpectrogramStream().push(window)))
        return made[0]


def named_fused(path: Path | None, threads: int | None) -> FusedModel | None:
    """The fused file of `--model`; None where it is a folder, another file, or not given."""
    if path is None or not path.is_file() or read_about(read_model(path), str(path)) is None:
        return None
    return FusedModel.load(path, threads)
