"""The one home of the TFLite runtime: LiteRT, or tflite-runtime where LiteRT is not installed.

Nothing is imported before the first Interpreter is made. Both runtimes are asked for their defaults, which run the
graph on XNNPACK. LiteRT verifies a file before it trusts it, tflite-runtime does not: `check_whole` does it for both.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.errors import MissingDependency, ModelError, ShapeError, counted, to_install
from edge_tl.tflite.file_metadata import custom_operators
from edge_tl.tflite.flatbuffer import check_whole
from edge_tl.tflite.other_formats import other_folder, other_format

BACKENDS = {"litert": ("ai_edge_litert", "ai-edge-litert"), "tflite-runtime": ("tflite_runtime", "tflite-runtime")}
"""Our word for a runtime → its Python package, its distribution; the first one installed is taken."""
MAX_THREADS = 4
"""A Raspberry Pi has four cores; small networks gain nothing from more."""
_AGAIN = "download or convert it again"
_CHATTER = b"INFO: Created TensorFlow Lite XNNPACK delegate"
_STDERR = threading.Lock()
CHANNELS_LAST, CHANNELS_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
"""The axes of a file that is channels first, in the order channels last, and back."""


@dataclass(frozen=True)
class TensorInfo:
    """One input or output of a model."""

    name: str
    """The name in the file."""
    shape: tuple[int, ...]
    """With the batch axis."""
    dtype: np.dtype[Any]
    """float32, int8, uint8 …"""
    scale: float | None = None
    """real = (stored - zero_point) * scale, where the tensor is quantised as a whole; else None."""
    zero_point: int = 0
    """The stored value that means 0."""
    open_axes: tuple[int, ...] = ()
    """Axes whose size the file leaves open, the batch axis not counted."""
    channels_first: bool = False
    """Whether the file has (1, channels, height, width) and `shape`, as all that goes in and out, is channels last."""


def read_model(path: Path) -> bytes:
    """The bytes of a model file, read and seen to be TFLite; ModelError (one line) otherwise."""
    try:
        if Path(path).is_char_device() or Path(path).is_block_device():  # /dev/zero never ends
            raise ModelError(f"{path}: is a device; a .tflite model is wanted")
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file; a .tflite model is wanted") from None
    except OSError as error:
        if Path(path).is_dir() and (other := other_folder(Path(path))):
            raise ModelError(f"{path}: {other}") from None
        raise ModelError(f"{path}: cannot be read ({error.strerror}); a .tflite model is wanted") from error
    check_model(data, str(path))
    return data


def check_model(data: bytes, name: str) -> None:
    """ModelError (one line) unless the bytes begin as a TFLite flatbuffer does.

    The identifier of the TFLite schema, `TFL3`, is at byte 4, after the 32-bit offset of the root table.
    """
    if len(data) < 8 or data[4:8] != b"TFL3":
        if other := other_format(data, name):
            raise ModelError(f"{name}: {other}")
        what = "is empty" if not data else f"is no TFLite model ({counted(len(data), 'byte')} without the mark TFL3)"
        raise ModelError(f"{name}: {what}; {_AGAIN}")


def check_operators(data: bytes, name: str) -> None:
    """ModelError (one line), with the file to take instead, for a model that was compiled for another processor, or
    that needs TensorFlow itself. `data`: seen whole by `check_whole`."""
    operators = custom_operators(data)
    if "edgetpu-custom-op" in operators:
        raise ModelError(
            f"{name}: is compiled for a Coral Edge TPU, which is not used here: take the file that it was compiled "
            "from, which mostly has the same name without _edgetpu"
        )
    if "ethos-u" in operators:
        raise ModelError(
            f"{name}: is compiled by Vela for an Arm Ethos-U, which no Raspberry Pi has: take the file that Vela was "
            "given, which mostly has the same name without _vela"
        )
    if flex := [operator for operator in operators if operator.startswith("Flex")]:
        raise ModelError(
            f"{name}: needs TensorFlow's own operators ({', '.join(flex[:3])}), which TFLite does not have: take a "
            "version that was converted with TFLITE_BUILTINS alone, without SELECT_TF_OPS"
        )


def default_threads(backend: str) -> int:
    """As many threads as this process has cores, at most four; of tflite-runtime (`backend`, its name first) one less.

    Its threads spin while they wait: with one for each of 2 cores, a frame took the demo 16 ms instead of 8, and
    450 ms instead of 8 when four demos shared them. LiteRT's give way, and gain by the last core.
    """
    cores = len(os.sched_getaffinity(0))
    return min(MAX_THREADS, max(1, cores - backend.startswith("tflite-runtime")))


class Interpreter:
    """A model loaded into the runtime: arrays in, arrays out.

    Not for two threads at once. A model is read into memory as a whole, so that the file may be replaced meanwhile.
    """

    backend: str
    """`litert 2.3.0` or `tflite-runtime 2.14.0`."""
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]

    def __init__(
        self,
        model: Path | bytes,
        threads: int | None = None,
        backend: str | None = None,
        *,
        name: str | None = None,
        input_shapes: tuple[tuple[int, ...], ...] | None = None,
        fixed: bool = True,
        pictures: bool = False,
    ) -> None:
        """Load a model.

        `model`: a path or the file's bytes. `threads`: 1 and more, None for `default_threads()`. `backend`: `litert`
        or `tflite-runtime`, None for the first one installed. `name`: what messages call the model.
        `input_shapes`: one for each input, for a model whose shapes are open (sounds of any length); None keeps the
        file's. `fixed`: whether sizes that the file gives must stay; a network of convolutions takes others too.
        `pictures`: what takes pictures channels first, as PyTorch's networks do, is turned: see `TensorInfo`.
        Raises ModelError for a file that is missing, truncated or no TFLite, or where a fixed size would
        change; MissingDependency where the runtime is not installed.
        """
        name = name or ("the model" if isinstance(model, bytes) else str(model))
        if isinstance(model, bytes):
            data = model
            check_model(data, name)
        else:
            data = read_model(model)
        check_whole(data, name)
        check_operators(data, name)
        if threads is not None and threads < 1:
            raise ModelError(f"threads is {threads}; 1 or more is wanted")
        runtime, self.backend = _runtime(backend)
        try:
            with _without_chatter():
                self._runtime = runtime.Interpreter(
                    model_content=data, num_threads=threads or default_threads(self.backend)
                )
                if input_shapes is not None:
                    self._resize(input_shapes, name, fixed)
                self._runtime.allocate_tensors()
            inputs, outputs = self._runtime.get_input_details(), self._runtime.get_output_details()
        except ModelError:
            raise
        except (ValueError, RuntimeError, MemoryError) as error:
            reason = _reason(error)
            lacking = next((one for one in custom_operators(data) if one in reason), None)
            advice = _AGAIN
            if lacking is not None:
                advice = f"{lacking} is no operator of TFLite's own: take a file that was converted to those alone"
            raise ModelError(f"{name}: {self.backend} cannot load it ({reason}); {advice}") from error
        self._name = name
        self._input_indices = [details["index"] for details in inputs]
        self._output_indices = [details["index"] for details in outputs]
        self.inputs = tuple(map(_info, inputs))
        self.outputs = tuple(map(_info, outputs))
        if pictures and len(self.inputs) == 1 and takes_channels_first(self.inputs[0]):
            self.inputs = (_channels_last(self.inputs[0]),)
            side = self.inputs[0].shape[1:3]
            self.outputs = tuple(_channels_last(one) if _is_map_of(side, one) else one for one in self.outputs)
        for info in (*self.inputs, *self.outputs):
            # LiteRT 2.3 dies running a model whose damaged options have made an output empty.
            if 0 in info.shape:
                raise ModelError(f"{name}: its tensor {info.name} is empty, {info.shape}; {_AGAIN}")

    def invoke(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run the model once and return a fresh copy of each output.

        `arrays`: one per input, of exactly its shape and dtype (ShapeError otherwise); or none at all, to run on what
        was written into `input_view`. ModelError where the runtime cannot run the model.
        """
        if arrays:
            if len(arrays) != len(self.inputs):
                raise ShapeError(f"got {counted(len(arrays), 'input')}; the model wants {len(self.inputs)}")
            for index, info, array in zip(self._input_indices, self.inputs, arrays, strict=True):
                if array.shape != info.shape or array.dtype != info.dtype:
                    raise ShapeError(
                        f"input {info.name} got {array.dtype} {array.shape}; the model wants {info.dtype} {info.shape}"
                    )
                self._runtime.set_tensor(
                    index, array.transpose(CHANNELS_FIRST).copy() if info.channels_first else array
                )
        try:
            self._runtime.invoke()
            made = (self._runtime.get_tensor(index) for index in self._output_indices)
            turned = zip(made, self.outputs, strict=True)
            return tuple(one.transpose(CHANNELS_LAST).copy() if info.channels_first else one for one, info in turned)
        except (ValueError, RuntimeError, MemoryError) as error:
            raise ModelError(f"{self._name}: {self.backend} cannot run it ({_reason(error)}); {_AGAIN}") from error

    def _resize(self, shapes: tuple[tuple[int, ...], ...], name: str, fixed: bool) -> None:
        """Give the inputs other shapes; ValueError of the runtime where a size is fixed."""
        inputs = self._runtime.get_input_details()
        if len(shapes) != len(inputs):
            raise ModelError(f"{name}: got {len(shapes)} input shapes; the model has {counted(len(inputs), 'input')}")
        for details, shape in zip(inputs, shapes, strict=True):
            self._runtime.resize_tensor_input(details["index"], shape, strict=fixed)

    def input_view(self, number: int = 0) -> np.ndarray:
        """The memory of an input, to be written before each `invoke()`; drop it before that call."""
        view: np.ndarray = self._runtime.tensor(self._input_indices[number])()
        return view.transpose(CHANNELS_LAST) if self.inputs[number].channels_first else view


def _runtime(backend: str | None) -> tuple[Any, str]:
    """The runtime's interpreter module and our name for it with its version."""
    if backend is not None and backend not in BACKENDS:
        raise ModelError(f"no runtime is called {backend!r}; one of {', '.join(BACKENDS)} is wanted")
    for name in (backend,) if backend else tuple(BACKENDS):
        package = BACKENDS[name][0]
        if importlib.util.find_spec(package) is None:
            continue
        version = importlib.import_module(package).__version__
        return importlib.import_module(f"{package}.interpreter"), f"{name} {version}"
    wanted = BACKENDS[backend or "litert"][1]
    raise MissingDependency(f"{wanted} is not installed; no model can run without it: {to_install(wanted)}")


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Keep LiteRT's announcement of XNNPACK off stderr; whatever else is written there meanwhile follows afterwards.

    It is written by C++, which has no switch for it: on a command line one error is to be one line.
    """
    with _STDERR:
        try:
            real = os.dup(2)
        except OSError:  # a service without a stderr: nothing can be heard anyway
            yield
            return
        held = os.memfd_create("stderr")
        os.dup2(held, 2)
        try:
            yield
        finally:
            os.dup2(real, 2)
            os.lseek(held, 0, os.SEEK_SET)
            with os.fdopen(held, "rb") as lines, os.fdopen(real, "wb") as stderr:
                stderr.writelines(line for line in lines if not line.startswith(_CHATTER))


def takes_channels_first(info: TensorInfo) -> bool:
    """Whether an input of pictures has its 1 or 3 channels before height and width, as those of PyTorch have."""
    if len(info.shape) != 4 or info.shape[1] not in (1, 3):
        return False
    return {2, 3} <= {*info.open_axes} or min(info.shape[2:]) > 3


def _is_map_of(size: tuple[int, ...], info: TensorInfo) -> bool:
    """Whether an output beside an input that is channels first is so too: a map that is no less shaped as the picture
    than it is the other way about. `size`: (height_px, width_px)."""
    if len(info.shape) != 4:
        return False

    def off(height: int, width: int) -> float:
        return abs(height * size[1] - width * size[0]) / (height * size[1])

    return off(*info.shape[2:]) <= off(*info.shape[1:3])


def _channels_last(info: TensorInfo) -> TensorInfo:
    """What is told of a tensor that is channels first."""
    shape, open_axes = (
        tuple(info.shape[axis] for axis in CHANNELS_LAST),
        tuple(sorted(map(CHANNELS_LAST.index, info.open_axes))),
    )
    return replace(info, shape=shape, open_axes=open_axes, channels_first=True)


def _reason(error: Exception) -> str:
    """The runtime's own words on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _info(details: dict[str, Any]) -> TensorInfo:
    """What we keep of a runtime's description of a tensor."""
    parameters = details["quantization_parameters"]
    scales, zero_points = parameters["scales"], parameters["zero_points"]
    return TensorInfo(
        name=str(details["name"]),
        shape=tuple(int(size) for size in details["shape"]),
        dtype=np.dtype(details["dtype"]),
        scale=float(scales[0]) if len(scales) == 1 else None,
        zero_point=int(zero_points[0]) if len(zero_points) == 1 else 0,
        open_axes=tuple(axis for axis, size in enumerate(details["shape_signature"]) if size < 0 and axis),
    )
