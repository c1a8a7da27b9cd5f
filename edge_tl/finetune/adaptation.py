"""A trained picture network, adapted in NumPy to other labels or to another hand, in three modes (spec S5).

freeze   the front of the network stays as it is, bit for bit, and is run once; what is above it is trained further
all      nothing is frozen: all of it is trained further
reset    the same network with all weights drawn anew: what training without a base comes to
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge_tl.errors import ConfigError, ShapeError, counted
from edge_tl.finetune.picture_base import PictureBase, freeze
from edge_tl.labels import label_texts
from edge_tl.nn import Adam, Conv2D, CrossEntropy, Dense, Epoch, Layer, Network, fit
from edge_tl.tflite.interpreter import Interpreter

MODES = ("freeze", "reset", "all")
RATE, BATCH, EPOCHS = 0.01, 128, 10
"""Adam's rate, and the text's other numbers (spec S5), which are for 1 024 examples: eight steps an epoch."""
STEPS = 8
AT_ONCE = 64
"""Pictures that the interpreter takes in one go."""

Labelled = tuple[np.ndarray, Sequence[str]]
"""Pictures uint8 (N, h, w) or (N, h, w, C), and a label for each, known by its text."""


@dataclass(frozen=True)
class AdaptationResult:
    """What one training came to."""

    mode: str
    network: Network
    labels: tuple[str, ...]
    """In the order of the outputs."""
    parameters: int
    trainable: int
    """How many of them were trained."""
    front_s: float
    """What running the frozen front took, once for all examples; 0 where nothing is frozen."""
    epoch_s: tuple[float, ...]
    """What each epoch took, without judging on the validation examples."""
    curve: tuple[Epoch, ...]


def adapt(
    base: PictureBase,
    examples: Labelled,
    mode: str,
    *,
    rng: np.random.Generator,
    clock: Callable[[], float],
    epochs: int = EPOCHS,
    rate: float = RATE,
    batch: int | None = None,
    validation: Labelled | None = None,
    progress: Callable[[Epoch], None] | None = None,
) -> AdaptationResult:
    """Train a copy of the base's network on the examples.

    Labels that the base knows keep their outputs (model adaptation); as many others as it has outputs take their
    places in sorted order, as in the text (transfer); any other number gets a fresh last layer.
    batch: examples a step, None for `batch_of`; rng: order, dropout and fresh weights; clock: seconds, monotonic;
    progress(epoch) after each.
    ConfigError for an unknown mode or settings out of range, ShapeError for pictures of another size or unknown labels.
    """
    if mode not in MODES or epochs < 1 or (batch is not None and batch < 1) or not rate > 0:
        raise ConfigError(
            f"mode {mode!r}, {counted(epochs, 'epoch')}, batch {batch}, rate {rate}; e.g. {MODES[0]!r}, 10, 128, .01"
        )
    pictures, names = examples[0], label_texts(examples[1]).tolist()
    labels = outputs_for(base.about.labels, names)
    network = base.copy()
    if labels is None:
        labels = tuple(sorted(set(names)))
        top = network.layers[-1]
        assert isinstance(top, Dense)
        network.layers[-1] = Dense.new(len(top.W), len(labels), rng)
    if mode == "reset":
        network.layers = [fresh(layer, rng) for layer in network.layers]
    freeze(network, base.about.frozen if mode == "freeze" else 0)
    X, Y = base.pixels(pictures), indicators(names, labels)
    held = None if validation is None else (base.pixels(validation[0]), indicators(validation[1], labels))
    begun_s = clock()
    first = network.front if mode == "freeze" else 0
    X = front(base, network, X, first)
    front_s = clock() - begun_s if first else 0.0
    if held is not None:
        held = front(base, network, held[0], first), held[1]
    upper = Network(network.layers[first:])
    curve: list[Epoch] = []
    times_s: list[float] = []
    loss = CrossEntropy()
    begun_s = clock()

    def after(epoch: Epoch) -> None:
        nonlocal begun_s
        times_s.append(clock() - begun_s)
        if held is not None:
            outputs = upper(held[0])
            lost, scored = loss(outputs, held[1])[0], loss.score(outputs, held[1])
            epoch = replace(epoch, validation_loss=float(lost.mean()), validation_score=float(scored.mean()))
        curve.append(epoch)
        if progress is not None:
            progress(epoch)
        begun_s = clock()

    size = batch or batch_of(len(X))
    fit(upper, X, Y, loss=loss, optimizer=Adam(rate), epochs=epochs, batch=size, rng=rng, progress=after)
    return AdaptationResult(
        mode, network, labels, network.parameters, network.trainable_parameters, front_s, tuple(times_s), tuple(curve)
    )


def batch_of(examples: int) -> int:
    """Examples a step: the text's 128 of 1 024, and of fewer an eighth, for as many steps."""
    return max(1, min(BATCH, examples // STEPS))


def accuracy(base: PictureBase, network: Network, labels: Sequence[str], asked: Labelled) -> float:
    """The share of the asked pictures that the network names rightly."""
    named = network(base.pixels(asked[0])).argmax(axis=1)
    return float(np.mean(label_texts(labels)[named] == label_texts(asked[1])))


def outputs_for(known: Sequence[str], names: Sequence[str]) -> tuple[str, ...] | None:
    """The labels of the outputs, in their order, or None where the network needs another number of them."""
    wanted = sorted(set(names))
    if len(wanted) < 1:
        raise ShapeError("no examples came; some of each class are wanted")
    if set(wanted) <= set(known):
        return tuple(known)
    return tuple(wanted) if len(wanted) == len(known) else None


def indicators(names: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Float32 (N, labels): 1 where a name is the label; ShapeError for a name that is not one of them."""
    places, names = {label: place for place, label in enumerate(labels)}, label_texts(names).tolist()
    if strange := sorted({name for name in names if name not in places}):
        raise ShapeError(f"{strange[0]!r} is none of the labels that are trained: {', '.join(labels)}")
    return np.eye(len(labels), dtype=np.float32)[[places[name] for name in names]]


def front(base: PictureBase, network: Network, X: np.ndarray, layers: int) -> np.ndarray:
    """What the first layers give for pixels (N, h, w, C): by the interpreter where the base brings them as TFLite."""
    if not layers:
        return X
    if base.front_model is None:
        return network(X, 0, layers)
    interpreter = Interpreter(base.front_model, input_shapes=((AT_ONCE, *X.shape[1:]),), name=base.about.name)
    outputs = []
    for start in range(0, len(X), AT_ONCE):
        part = np.zeros((AT_ONCE, *X.shape[1:]), np.float32)
        count = len(X[start : start + AT_ONCE])
        part[:count] = X[start : start + AT_ONCE]
        outputs.append(interpreter.invoke(part)[0][:count])
    return np.concatenate(outputs)


def fresh(layer: Layer, rng: np.random.Generator) -> Layer:
    """A layer of the same kind and settings with weights drawn anew, as Keras does; those without weights as they are.

    ConfigError for kinds whose fresh weights nobody has defined here.
    """
    if not layer.parameters:
        return layer
    if isinstance(layer, Dense):
        return Dense.new(layer.W.shape[0], layer.W.shape[1], rng)
    if isinstance(layer, Conv2D):
        height, width, inputs, filters = layer.W.shape
        window = layer.window
        return Conv2D.new((height, width), inputs, filters, rng, window.strides, window.padding)
    raise ConfigError(f"reset: {layer.kind} layers are not drawn anew; use freeze or all")
