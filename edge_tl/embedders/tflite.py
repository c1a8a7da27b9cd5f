"""Picture → embedding: the embedder that runs a .tflite file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Self

import numpy as np

from edge_tl.embedders.foreign import ModelHints, described, open_file, several
from edge_tl.errors import ModelError, counted
from edge_tl.media.image import fit
from edge_tl.tflite.interpreter import Interpreter, TensorInfo, read_model
from edge_tl.tflite.manifest import FILE_NAME, Manifest, Scaling, read_manifest

_DTYPES = ("float32", "int8", "uint8")
_GREY = np.array((19595, 38470, 7471), np.uint32)
"""Red, green and blue of a grey picture in 65536ths: ITU-R BT.601, as Pillow rounds it."""


class TFLiteEmbedder:
    """A .tflite model as an Embedder; made by `load`, not for two threads at once.

    It holds no device and no file: it needs no closing.
    """

    kind = "picture"

    def __init__(self, interpreter: Interpreter, manifest: Manifest) -> None:
        """Take a loaded model and a manifest that describes it; ModelError where one contradicts the other."""
        _check_agree(interpreter, manifest)
        self._interpreter = interpreter
        self.manifest = manifest
        """What the model folder says, or the explicit arguments said."""
        self.file: Path | None = None
        """The file that it was loaded from."""
        self.name = manifest.name
        self.fingerprint = manifest.sha256
        self.embedding_shape = manifest.output_shape
        self.embedding_dim = int(np.prod(manifest.output_shape))
        self.backend = interpreter.backend
        """The runtime and its version, e.g. `litert 2.3.0`."""
        height, width, _ = manifest.input_shape
        self._size = (height, width)
        self._write = _writer(interpreter.inputs[0], manifest.scaling, manifest.input_shape)
        self._output = interpreter.outputs[0]
        self.map_is_turned = self._output.channels_first
        """Whether the file gives its map channels first, which is turned here."""
        # The first run allocates and packs weights: better now than with the first frame.
        if not np.isfinite(self.embed(np.full((height, width, 3), 127, np.uint8))).all():
            raise ModelError(f"{self.name}: gives NaN or infinity for a grey picture; convert the model again")

    @classmethod
    def load(
        cls,
        path: Path | str,
        threads: int | None = None,
        manifest: Manifest | None = None,
        *,
        scaling: Scaling | None = None,
        resize: str | None = None,
        colour_order: str | None = None,
        size: tuple[int, int] | None = None,
        backend: str | None = None,
    ) -> Self:
        """Load a model, check it, and run it once.

        `path`: a model folder, or a .tflite file of any maker, whose manifest is looked for beside it. `threads`: None
        for one per core, at most four. `manifest`: taken instead of the file's own. `scaling`, `resize` (crop, stretch,
        letterbox), `colour_order` (rgb, bgr, grey) and `size` (height_px, width_px): of a file that has no manifest and
        does not say it itself; none of them for one that has. `backend`: `litert`, `tflite-runtime`, or None for the
        one that is installed.

        Raises ModelError (one line) for a file that is missing, damaged, not the one that the manifest hashes, or not
        as the manifest says, and for one without a manifest whose scaling nobody knows; MissingDependency where no
        runtime is installed.
        """
        path = Path(path)
        manifest = manifest or _manifest_of(path)
        explicit = {"scaling": scaling, "resize": resize, "colour_order": colour_order, "size": size}
        if manifest is not None and (twice := [name for name, value in explicit.items() if value is not None]):
            raise ModelError(f"{path}: its manifest already gives {', '.join(twice)}; leave the arguments out")
        file = path / manifest.model if path.is_dir() and manifest is not None else path
        data = read_model(file) if manifest is None else read_hashed(file, manifest.sha256)
        fixed = size if manifest is None else manifest.input_shape[:2]
        interpreter = open_file(data, str(file), threads, backend, fixed)
        if manifest is None:
            given = ModelHints(scaling, colour_order, resize, size)
            manifest = described(interpreter, data, file, hashlib.sha256(data).hexdigest(), given)
        made = cls(interpreter, manifest)
        made.file = file
        return made

    def fit(self, data: np.ndarray) -> np.ndarray:
        """A picture uint8 (height_px, width_px, 3) RGB brought to the model's size as the manifest says.

        One of this size already is returned itself. ShapeError for an array that is no picture.
        """
        return fit(data, self._size, self.manifest.resize)

    def embed(self, data: np.ndarray) -> np.ndarray:
        """A picture uint8 (height_px, width_px, 3) RGB of any size → float32 (embedding_dim,), a new array.

        A picture of another size than the model's goes through `fit` first. ShapeError for an array that is no picture.
        """
        picture = self.fit(data)
        if self.manifest.colour_order == "bgr":
            picture = picture[..., ::-1]
        elif self.manifest.colour_order == "grey":
            picture = ((picture @ _GREY + 32768) >> 16).astype(np.uint8)[..., np.newaxis]
        self._write(picture, self._interpreter.input_view()[0])
        (stored,) = self._interpreter.invoke()
        embedding: np.ndarray = stored.reshape(-1)
        if self._output.scale is not None:
            embedding = (embedding.astype(np.float32) - self._output.zero_point) * np.float32(self._output.scale)
        return embedding


class _FloatWriter:
    """Scales pixels straight into a float input."""

    def __init__(self, scaling: Scaling, shape: tuple[int, int, int]) -> None:
        self._scale, self._offset = _spread(scaling.scale, shape), _spread(scaling.offset, shape)

    def __call__(self, picture: np.ndarray, out: np.ndarray) -> None:
        # A cast, then two passes in place: twice as fast as one ufunc that casts in small buffers.
        np.copyto(out, picture)
        np.multiply(out, self._scale, out=out)
        np.add(out, self._offset, out=out)


class _ShiftWriter:
    """Writes pixel + shift, modulo 256: what quantised inputs that span the pixels' range come to.

    Pixels outside `low` … `high` are first brought there: at an end of the range two may share a stored value.
    """

    def __init__(self, shift: int, low: int, high: int, shape: tuple[int, int, int]) -> None:
        self._shift = np.uint8(shift % 256)
        # Whole arrays: NumPy's minimum with a single number takes fourteen times as long.
        self._high = np.full(shape, high, np.uint8) if high < 255 else None
        self._low = np.full(shape, low, np.uint8) if low > 0 else None

    def __call__(self, picture: np.ndarray, out: np.ndarray) -> None:
        values = out.view(np.uint8)
        if self._high is not None:
            picture = np.minimum(picture, self._high, out=values)
        if self._low is not None:
            picture = np.maximum(picture, self._low, out=values)
        np.add(picture, self._shift, out=values)


class _TableWriter:
    """Looks each pixel up in its channel's table of 256 stored values."""

    def __init__(self, tables: np.ndarray, size: tuple[int, int]) -> None:
        self._tables = tables.reshape(-1)
        self._first = np.tile(256 * np.arange(len(tables)), (*size, 1))
        self._indices = np.empty_like(self._first)

    def __call__(self, picture: np.ndarray, out: np.ndarray) -> None:
        np.add(picture, self._first, out=self._indices)
        # The indices are within the table by construction; mode "raise" would copy the result once more.
        np.take(self._tables, self._indices, out=out, mode="clip")


def _writer(
    info: TensorInfo, scaling: Scaling, shape: tuple[int, int, int]
) -> _FloatWriter | _ShiftWriter | _TableWriter:
    """What brings the pixels of a fitted picture into the model's input, the cheapest way that is exact.

    `shape`: (height_px, width_px, channels) of the input.
    """
    if info.scale is None:
        return _FloatWriter(scaling, shape)
    bounds = np.iinfo(info.dtype)
    real = np.arange(256)[None, :] * np.array(scaling.scale)[:, None] + np.array(scaling.offset)[:, None]
    real = real[: shape[2]]
    # With an input of [-1, 1] every pixel lies half-way between two stored values. Which one is taken is free, but all
    # must go the same way or neighbours collapse; a hundredth of a step decides, where float rounding would.
    steps = np.floor(real / info.scale + 0.51) + info.zero_point
    tables = np.clip(steps, bounds.min, bounds.max).astype(info.dtype)
    first = tables[0].astype(np.int64)
    low, high = int(np.flatnonzero(first == first[0])[-1]), int(np.flatnonzero(first == first[-1])[0])
    if low < high and (tables == np.clip(np.arange(256), low, high) + first[low] - low).all():
        return _ShiftWriter(int(first[low]) - low, low, high, shape)
    return _TableWriter(tables, shape[:2])


def _spread(values: tuple[float, float, float], shape: tuple[int, int, int]) -> np.ndarray:
    """One float32 factor where all channels share it, else one for each pixel: both are walked at full speed."""
    if len(set(values[: shape[2]])) == 1:
        return np.array(values[0], np.float32)
    return np.tile(np.array(values, np.float32), (*shape[:2], 1))


def _manifest_of(path: Path) -> Manifest | None:
    """The manifest of a folder, or the one beside a file if it is about that file."""
    if path.is_dir():
        return read_manifest(path)
    if not path.is_file() or not (path.parent / FILE_NAME).is_file():
        return None
    manifest = read_manifest(path.parent)
    return manifest if manifest.model == path.name else None


def read_hashed(file: Path, sha256: str) -> bytes:
    """The bytes of a model file; ModelError unless they have the manifest's hash."""
    data = read_model(file)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ModelError(
            f"{file}: has SHA-256 {found[:12]}…, its manifest says {sha256[:12]}…; copy or convert the model again"
        )
    return data


def _check_agree(interpreter: Interpreter, manifest: Manifest) -> None:
    """ModelError (one line, naming both) where the manifest says other than the model, or it embeds no pictures."""
    name = manifest.model
    if manifest.kind != "picture":
        raise ModelError(f"{name}: its manifest says {manifest.kind}; a model of pictures is wanted")
    if len(interpreter.inputs) != 1 or len(interpreter.outputs) != 1:
        raise several(interpreter, name)
    wanted, made = interpreter.inputs[0], interpreter.outputs[0]
    for what, info, shape in (("input", wanted, manifest.input_shape), ("output", made, manifest.output_shape)):
        if info.shape != (1, *shape):
            said = f"its manifest says {what} {shape}, the model has {info.shape}"
            raise ModelError(f"{name}: {said}; convert the model again")
        if info.dtype.name not in _DTYPES:
            raise ModelError(f"{name}: its {what} is {info.dtype.name}; one of {', '.join(_DTYPES)} is wanted")
        if (info.dtype.name == "float32") != (info.scale is None):
            raise ModelError(f"{name}: its {what} is {info.dtype.name} but has no one scale; convert the model again")
        if info.scale is not None and manifest.quantization != "int8":
            said = f"its manifest says {manifest.quantization}, the model's {what} is {info.dtype.name}"
            raise ModelError(f"{name}: {said}; convert the model again")
    channels = 1 if manifest.colour_order == "grey" else 3
    if manifest.input_shape[2] != channels:
        raise ModelError(
            f"{name}: its input has {counted(manifest.input_shape[2], 'channel')}; {channels} for pictures that are "
            f"{manifest.colour_order}"
        )
