"""A TensorFlow.js speech model → Keras → TFLite: its words, and the base below them with the dense layer apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.embedders.speech_base import WINDOW_SHAPE, SpeechBase, write_base
from edge_tl.errors import ExampleError, ModelError, counted
from edge_tl.labels import check_label
from edge_tl.media.sound import label_of
from edge_tl.nn.network import Upper
from edge_tl.tflite.interpreter import Interpreter
from host_tools.tf import keras, silence, tensorflow, versions
from host_tools.tfjs import LayersModel

KEPT: dict[str, tuple[str, ...]] = {
    "Conv2D": ("filters", "kernel_size", "strides", "padding", "activation", "use_bias", "dilation_rate"),
    "DepthwiseConv2D": ("kernel_size", "strides", "padding", "activation", "use_bias", "depth_multiplier"),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "AveragePooling2D": ("pool_size", "strides", "padding"),
    "BatchNormalization": ("axis", "epsilon", "center", "scale"),
    "Dense": ("units", "activation", "use_bias"),
    "Activation": ("activation",),
    "Flatten": (),
    "Dropout": ("rate",),
}
"""The layers that are taken, and what of their configuration decides their answer."""
WEIGHTS = {
    "Conv2D": ("kernel", "bias"),
    "DepthwiseConv2D": ("depthwise_kernel", "bias"),
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "Dense": ("kernel", "bias"),
}
TRIALS = 16
"""Windows on which TFLite is held against Keras."""
LARGEST_ERROR = 1e-5
ACTIVATIONS = ("linear", "relu", "relu6", "elu", "tanh", "sigmoid", "softmax")
MAX_VALUES = 10_000_000
"""That a layer may give for one window: 40 MB, a hundred times what the published model's widest layer gives."""


@dataclass(frozen=True)
class SpeechConversion:
    """What came out, and how exact it is."""

    about: SpeechBase
    parameters: int
    error: float
    """The largest difference between TFLite's and Keras' probabilities on `TRIALS` windows of noise."""


def to_keras(model: LayersModel) -> Any:
    """The Keras Sequential model with its weights, input (43, 232, 1); ModelError where it cannot be built."""
    made = keras().Sequential([keras().Input(WINDOW_SHAPE[1:], batch_size=1)])
    for kind, config in model.layers:
        if kind == "InputLayer":
            continue
        if kind not in KEPT:
            raise ModelError(f"a layer of kind {kind[:40]!r} is not known; {', '.join(KEPT)} are")
        name = str(config.get("name", ""))
        names = [f"{name}/{part}" for part in WEIGHTS.get(kind, ())]
        values = [model.weights[one] for one in names if one in model.weights]
        what = f"layer {name[:40]!r} ({kind})"
        _check(what, config, values)
        try:
            made.add(getattr(keras().layers, kind)(**{key: config[key] for key in KEPT[kind] if key in config}))
            made.layers[-1].set_weights(values)
            size = math.prod(made.output_shape)
        except Exception as error:  # Keras and TensorFlow raise many kinds
            reason = " ".join(str(error).split())[:120]
            raise ModelError(f"{what} cannot be built with its weights: {reason}") from None
        if size > MAX_VALUES:
            raise ModelError(f"{what} gives {counted(size, 'value')} for a window; {MAX_VALUES} at most are taken")
    return made


def _check(what: str, config: dict[str, Any], values: list[np.ndarray]) -> None:
    """ModelError for what Keras would take wrongly: names of functions, and sizes that would fill the memory."""
    if config.get("activation", "linear") not in ACTIVATIONS:
        said = repr(config["activation"])[:40]
        raise ModelError(f"{what} has the activation {said}; one of {', '.join(ACTIVATIONS)} is wanted")
    if config.get("data_format") not in (None, "channels_last"):
        raise ModelError(f"{what} has its channels first; the last axis is wanted")
    shape = values[0].shape if values else ()
    wide = config.get("units", config.get("filters"))
    if wide is not None and shape[-1:] != (wide,):
        raise ModelError(f"{what} has {repr(wide)[:20]} outputs, its weights {shape}; get the files again")
    size = config.get("kernel_size")
    if size is not None and [*shape[:2]] != (size if isinstance(size, list) else [size, size]):
        raise ModelError(f"{what} has the kernel {repr(size)[:20]}, its weights {shape}; get the files again")


def convert_speech(model: LayersModel, out: Path, name: str, origin: str, licence: str) -> SpeechConversion:
    """Write the folder of a base of speech (edge_tl/embedders/speech_base.py), its TFLite files held against Keras.

    ModelError, one line, where the model is no such recognizer, cannot be converted, or does not agree with itself.
    """
    with silence():
        whole = to_keras(model)
    dense, head = _upper_layers(whole)
    labels = model.labels or tuple(f"word {number}" for number in range(int(head.units)))
    if len(labels) != int(head.units):
        raise ModelError(
            f"the model has {counted(int(head.units), 'output')}, its metadata names {counted(len(labels), 'word')}"
        )
    flat = whole.layers[whole.layers.index(dense) - 1].output
    base = keras().Model(whole.inputs, flat)
    upper = Upper(*(np.asarray(one, np.float32) for layer in (dense, head) for one in layer.get_weights()))
    base_file, words_file = _tflite(base), _tflite(whole)
    error = _largest_error(whole, base_file, words_file, upper)
    if not error <= LARGEST_ERROR:
        raise ModelError(f"TFLite differs from Keras by {error:.2g}; at most {LARGEST_ERROR:g} is wanted")
    try:
        named = tuple(label_of(check_label(label)) for label in labels)
    except ExampleError as wrong:
        raise ModelError(f"metadata.json: {wrong}") from None
    if len(set(named)) < len(named):
        raise ModelError("its metadata names a word twice; each of its outputs is wanted by a name of its own")
    about = write_base(
        out,
        base_file,
        words_file,
        upper,
        {
            "name": name,
            "labels": named,
            "weights": {"origin": origin, "licence": licence, "sha256": model.sha256},
            "tools": versions(),
        },
    )
    return SpeechConversion(about, int(whole.count_params()), error)


def _upper_layers(whole: Any) -> tuple[Any, Any]:
    """The two dense layers at the top, the second with a softmax."""
    dense = [layer for layer in whole.layers if layer.__class__.__name__ == "Dense"]
    if len(dense) < 2 or dense[-1].activation.__name__ != "softmax" or dense[-2].activation.__name__ != "relu":
        raise ModelError("a dense relu layer and a dense softmax layer are wanted at its top; it has others")
    if not all(len(layer.get_weights()) == 2 for layer in dense[-2:]):
        raise ModelError("its dense layers have no bias; that is not supported")
    first, last = (whole.layers.index(layer) for layer in dense[-2:])
    between = {layer.__class__.__name__ for layer in whole.layers[first + 1 : last]}
    if not first or len(dense[-2].input.shape) != 2 or between - {"Dropout"} or last != len(whole.layers) - 1:
        raise ModelError("its dense layers do not lie one upon the other on a flattened layer; that is not supported")
    return dense[-2], dense[-1]


def _tflite(model: Any) -> bytes:
    try:
        with silence():
            return bytes(tensorflow().lite.TFLiteConverter.from_keras_model(model).convert())
    except Exception as error:  # the converter raises many kinds
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"TensorFlow cannot convert it ({reason})") from error


def _largest_error(whole: Any, base: bytes, words: bytes, upper: Upper) -> float:
    """Of both ways to the words (all in TFLite; convolutions in TFLite and the rest in NumPy) against Keras."""
    rng = np.random.default_rng(0)
    below, all_of_it = Interpreter(base, 1), Interpreter(words, 1)
    worst = 0.0
    for _ in range(TRIALS):
        window = rng.normal(size=WINDOW_SHAPE).astype(np.float32)
        with silence():
            wanted = np.asarray(whole(window, training=False))
        (fused,) = all_of_it.invoke(window)
        (flat,) = below.invoke(window)
        apart = upper.words(upper.units(flat))
        worst = max(worst, float(np.abs(fused - wanted).max()), float(np.abs(apart - wanted).max()))
    return worst
