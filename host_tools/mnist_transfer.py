"""The source text's MNIST network (spec S5) in Keras: the base, its export for the Pi, and the three modes there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.errors import ConfigError, ModelError
from edge_tl.finetune.adaptation import BATCH, EPOCHS, MODES, RATE, batch_of
from edge_tl.finetune.handwriting import read_mnist
from edge_tl.finetune.picture_base import NetworkDescription, freeze, write_picture_base
from edge_tl.nn import Network
from edge_tl.tflite.interpreter import Interpreter
from host_tools.layers import to_layers
from host_tools.tf import keras, silence, tensorflow, versions

FROZEN = 7
"""Conv, relu, conv, relu, pool, dropout, flatten: the feature layers (spec S5)."""
SCALE = 1 / 255
BASE_RATE = 1e-3
LARGEST_ERROR = 1e-5
TRIALS = 64


@dataclass(frozen=True)
class BaseTraining:
    """What came out of a base's training."""

    about: NetworkDescription
    parameters: int
    accuracy: float
    """On the test digits of the base's own kinds."""
    error: float
    """The largest difference between the front in TFLite, in NumPy and in Keras, on test digits."""


@dataclass(frozen=True)
class KerasMode:
    """One mode trained by Keras: the same numbers as edge_tl.finetune.adaptation.AdaptationResult has."""

    mode: str
    parameters: int
    trainable: int
    epoch_s: tuple[float, ...]
    curve: tuple[dict[str, float], ...]
    """loss, accuracy, and val_loss, val_accuracy where something was held out, of each epoch."""
    model: Any


def build(classes: int) -> Any:
    """The network of spec S5: twelve layers, each relu and the softmax counted as a layer of its own."""
    layers = keras().layers
    return keras().Sequential(
        [
            keras().Input((28, 28, 1)),
            layers.Conv2D(32, 3),
            layers.ReLU(),
            layers.Conv2D(32, 3),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128),
            layers.ReLU(),
            layers.Dropout(0.5),
            layers.Dense(classes),
            layers.Softmax(),
        ]
    )


def digits_of(path: Path | None, part: str, wanted: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    """The pictures of these digits, uint8 (N, 28, 28), and their labels; without a path Keras downloads the file."""
    if path is None:
        try:
            with silence():
                path = Path(keras().utils.get_file("mnist.npz", origin=_origin()))
        except Exception as error:  # URLError, and what Keras makes of it
            reason = " ".join(str(error).split())[:120]
            raise ConfigError(f"MNIST cannot be downloaded ({reason}); get mnist.npz and give --mnist FILE") from None
    pictures, labels = read_mnist(path, part)
    chosen = np.isin(labels, wanted)
    return pictures[chosen], [label for label in labels if label in wanted]


def _origin() -> str:
    return "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"


def train_base(
    examples: tuple[np.ndarray, list[str]], digits: tuple[str, ...], epochs: int, seed: int, progress: Any = None
) -> Any:
    """A network trained on these pictures with Adam 1e-3, batches of 128; progress(epoch, logs) after each epoch."""
    keras().utils.set_random_seed(seed)
    model = build(len(digits))
    model.compile(keras().optimizers.Adam(BASE_RATE), "categorical_crossentropy", metrics=["accuracy"])
    watch = [keras().callbacks.LambdaCallback(on_epoch_end=progress)] if progress else []
    X, Y = arrays(examples, digits)
    model.fit(X, Y, BATCH, epochs, verbose=0, callbacks=watch)
    return model


def arrays(examples: tuple[np.ndarray, list[str]], digits: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Float32 pixels (N, 28, 28, 1) from 0 to 1, and indicators (N, digits)."""
    pictures, labels = examples
    if not len(pictures):
        raise ConfigError(f"there are no pictures of {', '.join(digits)}; e.g. --digits 0-4 is wanted")
    codes = [digits.index(label) for label in labels]
    return pictures[..., np.newaxis] * np.float32(SCALE), np.eye(len(digits), dtype=np.float32)[codes]


def to_network(model: Any) -> Network:
    """The same network for edge_tl/nn, with copies of the weights; its softmax is part of the loss there."""
    return Network(to_layers(model.layers))


def export(
    model: Any, out: Path, name: str, digits: tuple[str, ...], test: tuple[np.ndarray, list[str]], origin: str
) -> BaseTraining:
    """Write the folder of finetune/picture_base.py, its front held against Keras; ModelError where not equal."""
    network = to_network(model)
    freeze(network, FROZEN)
    with silence():
        below = keras().Model(model.inputs[0], model.layers[network.front - 1].output)
        converted = bytes(tensorflow().lite.TFLiteConverter.from_keras_model(below).convert())
    X, Y = arrays(test, digits)
    error = _largest_error(below, converted, network, X[:TRIALS])
    if not error <= LARGEST_ERROR:
        raise ModelError(f"TFLite and NumPy differ from Keras by {error:.2g}; at most {LARGEST_ERROR:g} is wanted")
    accuracy = float(np.mean(network(X).argmax(axis=1) == Y.argmax(axis=1)))
    described = {
        "name": name,
        "labels": digits,
        "input_shape": (28, 28, 1),
        "scale": SCALE,
        "frozen": FROZEN,
        "weights": {"origin": origin, "licence": "CC BY-SA 3.0 (the pictures)", "test_accuracy": f"{accuracy:.4f}"},
        "tools": versions(),
    }
    about = write_picture_base(out, network, converted, described)
    return BaseTraining(about, network.parameters, accuracy, error)


def _largest_error(below: Any, converted: bytes, network: Network, X: np.ndarray) -> float:
    wanted = np.asarray(below(X, training=False))
    interpreter = Interpreter(converted, 1)
    one_by_one = np.concatenate([interpreter.invoke(x[np.newaxis])[0] for x in X])
    return max(float(np.abs(got - wanted).max()) for got in (one_by_one, network(X, 0, network.front)))


def load_network(network: Network, model: Any) -> None:
    """Give a Keras model of `build` the weights of a network for edge_tl/nn."""
    with_weights = [layer for layer in model.layers if layer.get_weights()]
    for layer, mine in zip(with_weights, [one for one in network.layers if one.parameters], strict=True):
        layer.set_weights(list(mine.parameters.values()))


def adapt_in_keras(
    base: Network,
    examples: tuple[np.ndarray, list[str]],
    digits: tuple[str, ...],
    mode: str,
    seed: int,
    *,
    epochs: int = EPOCHS,
    rate: float = RATE,
    held: tuple[np.ndarray, list[str]] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> KerasMode:
    """What edge_tl.finetune.adaptation.adapt does, done by Keras' fit, from the same weights: for comparison.

    base: the base's network, as many outputs as digits; mode: freeze, reset or all; clock: seconds, of each epoch.
    """
    if mode not in MODES:
        raise ConfigError(f"mode {mode!r} came; one of {', '.join(MODES)} is wanted")
    keras().utils.set_random_seed(seed)
    model = build(len(digits))
    if mode != "reset":
        load_network(base, model)
    for layer in model.layers[: FROZEN if mode == "freeze" else 0]:
        layer.trainable = False
    model.compile(keras().optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"])
    X, Y = arrays(examples, digits)
    times_s: list[float] = []
    curve: list[dict[str, float]] = []
    begun_s = [0.0]

    def ended(_: int, logs: dict[str, float]) -> None:
        times_s.append(clock() - begun_s[0])
        curve.append({key: float(value) for key, value in logs.items()})

    def begun(*_: object) -> None:
        begun_s[0] = clock()

    # Judged apart, so that an epoch's time is that of training alone, as in edge_tl.finetune.adaptation.
    watch = keras().callbacks.LambdaCallback(on_epoch_begin=begun, on_epoch_end=ended)
    model.fit(X, Y, batch_of(len(X)), epochs, verbose=0, callbacks=[watch])
    if held is not None:
        lost, right = model.evaluate(*arrays(held, digits), batch_size=512, verbose=0)
        curve[-1] |= {"val_loss": float(lost), "val_accuracy": float(right)}
    trainable = sum(int(np.prod(one.shape)) for one in model.trainable_weights)
    return KerasMode(mode, int(model.count_params()), trainable, tuple(times_s), tuple(curve), model)
