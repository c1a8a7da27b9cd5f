"""The training engine: updates as Keras has them, frozen layers untouched, networks saved and read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lacking import lacking
from nn_parts import keras_of, norm, normal, weights_of
from scipy.optimize import check_grad
from sklearn.datasets import load_digits

from edge_tl.errors import ConfigError, ShapeError
from edge_tl.nn import (
    SGD,
    Adam,
    BatchNorm,
    Conv2D,
    Cosine,
    CrossEntropy,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    MaxPool,
    MeanSquared,
    Network,
    Optimizer,
    ReLU,
    RMSProp,
    fit,
)

pytestmark = pytest.mark.exact


def small(seed: int = 0) -> Network:
    """A network with every kind of layer, float32, for pictures of 12×12×1 and three classes."""
    rng = np.random.default_rng(seed)
    # Without a bias: before a batch norm its gradient is rounding, which RMSProp and Adam would make as large as any.
    conv = Conv2D(rng.normal(0, 0.3, (3, 3, 1, 6)).astype(np.float32))
    depthwise = DepthwiseConv2D(rng.normal(0, 0.3, (3, 3, 6)).astype(np.float32), None, (1, 1), "same")
    return Network(
        [
            conv,
            BatchNorm.new(6),
            ReLU(),
            depthwise,
            ReLU(6.0),
            MaxPool(),
            Dropout(0.0),
            Flatten(),
            Dense.new(150, 16, rng),
            ReLU(),
            Dense.new(16, 3, rng),
        ]
    )


def tiny_task(count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (count, 12, 12, 1) float32 of three patterns in noise, and indicators (count, 3)."""
    codes = np.arange(count) % 3
    return (normal(3, 12, 12, 1)[codes] + 0.5 * normal(count, 12, 12, 1, seed=1)).astype(np.float32), np.eye(
        3, dtype=np.float32
    )[codes]


OPTIMIZERS: dict[str, tuple[Callable[[], Optimizer], Callable[[Any], Any]]] = {
    "sgd": (lambda: SGD(0.05), lambda keras: keras.optimizers.SGD(0.05)),
    "momentum": (lambda: SGD(0.02, 0.9), lambda keras: keras.optimizers.SGD(0.02, momentum=0.9)),
    "rmsprop": (lambda: RMSProp(1e-3), lambda keras: keras.optimizers.RMSprop(1e-3)),
    "adam": (lambda: Adam(2e-3), lambda keras: keras.optimizers.Adam(2e-3)),
    "cosine": (
        lambda: Cosine(Adam(2e-3), 5),
        lambda keras: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, 5)),
    ),
}


@pytest.mark.host
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("frozen", [(), (0, 1), (1,)])
def test_a_training_is_that_of_keras_step_by_step(name: str, frozen: tuple[int, ...]) -> None:
    """From the same weights, each of eight batches changes them as Keras does, whichever layers are frozen."""
    keras = pytest.importorskip("tensorflow", reason=lacking("TensorFlow")).keras
    network = small()
    for position in frozen:
        network.layers[position].trainable = False
    model = keras.Sequential([keras.Input((12, 12, 1)), *(keras_of(layer, keras) for layer in network.layers)])
    for layer, theirs in zip(network.layers, model.layers, strict=True):
        if layer.arrays:
            theirs.set_weights([array.copy() for array in weights_of(layer)])
            theirs.trainable = layer.trainable
    X, Y = tiny_task()
    mine, other = OPTIMIZERS[name][0](), OPTIMIZERS[name][1](keras)
    model.compile(other, keras.losses.CategoricalCrossentropy(from_logits=True))
    loss, rng = CrossEntropy(), np.random.default_rng(0)
    for step in range(8):
        rows = slice(5 * step, 5 * step + 5)
        outputs, saved = network.forward(X[rows], rng)
        losses, back = loss(outputs, Y[rows])
        mine.step(network.learning(), network.backward(back, saved))
        model.reset_metrics()
        assert float(model.train_on_batch(X[rows], Y[rows])) == pytest.approx(float(losses.mean()), rel=2e-4, abs=1e-5)
    for layer, theirs in zip(network.layers, model.layers, strict=True):
        for array, wanted in zip(weights_of(layer), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(array, wanted, atol=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_frozen_arrays_stay_bit_for_bit(name: str) -> None:
    """Whichever layer is frozen, its arrays are the same bits after training, and those of all others are not."""
    X, Y = tiny_task()
    for position in (0, 1, 3, 8, 10):
        network = small()
        network.layers[position].trainable = False
        before = [{key: array.copy() for key, array in layer.arrays.items()} for layer in network.layers]
        rng = np.random.default_rng(0)
        fit(network, X, Y, loss=CrossEntropy(), optimizer=OPTIMIZERS[name][0](), epochs=2, batch=10, rng=rng)
        for here, (layer, then) in enumerate(zip(network.layers, before, strict=True)):
            for key, array in layer.arrays.items():
                assert (array.tobytes() == then[key].tobytes()) == (here == position), (here, key)


def test_trainable_is_read_at_the_next_fit() -> None:
    """Unfreezing needs no second compile: the next `fit` trains what is trainable then, and counts it."""
    network = small()
    for layer in network.layers[:8]:
        layer.trainable = False
    assert (network.front, network.trainable_parameters) == (8, 150 * 16 + 16 + 16 * 3 + 3)
    total = network.parameters
    network.layers[0].trainable = True
    assert network.front == 0
    assert network.trainable_parameters == 150 * 16 + 16 + 16 * 3 + 3 + 9 * 6
    assert network.parameters == total
    before = network.layers[0].parameters["W"].copy()
    X, Y = tiny_task()
    rng = np.random.default_rng(0)
    fit(network, X, Y, loss=CrossEntropy(), optimizer=SGD(0.1), epochs=1, batch=8, rng=rng)
    assert np.abs(network.layers[0].parameters["W"] - before).max() > 0


def test_what_is_frozen_at_the_front_is_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen convolution at the front sees each picture once in ten epochs, and the result is the same."""
    X, Y = tiny_task()
    seen: list[int] = []
    forward = Conv2D.forward

    def counted(self: Conv2D, x: np.ndarray, *others: Any) -> tuple[np.ndarray, Any]:
        seen.append(len(x))
        return forward(self, x, *others)

    monkeypatch.setattr(Conv2D, "forward", counted)
    results = []
    for cached in (True, False):
        network = small()
        for layer in network.layers[:8]:
            layer.trainable = False
        if not cached:  # without its front the network has to run it in every step
            monkeypatch.setattr(Network, "front", 0)
        seen.clear()
        rng = np.random.default_rng(3)
        fit(network, X, Y, loss=CrossEntropy(), optimizer=Adam(1e-2), epochs=10, batch=8, rng=rng)
        assert sum(seen) == (len(X) if cached else 10 * len(X))
        results.append(network.learning())
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_dropout_is_never_cached() -> None:
    """Dropout below the first trainable layer is drawn anew each epoch, though nothing learns there."""
    network = Network([Flatten(), Dropout(0.5), Dense(np.ones((4, 2), np.float32))])
    assert network.front == 1
    network.layers[1] = Dropout(0.0)
    assert network.front == 2


def test_adam_is_the_published_rule() -> None:
    """Five steps are those of the rule as Keras documents it, in float64, with the gradient of each step."""
    rng = np.random.default_rng(0)
    part, gradients = rng.normal(size=(4, 3)), rng.normal(size=(5, 4, 3))
    wanted, m, v = part.copy(), 0.0, 0.0
    adam = Adam(0.01)
    for t, gradient in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        wanted = wanted - 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)
        adam.step([part], [gradient.copy()])
        np.testing.assert_allclose(part, wanted, atol=1e-12)


def test_losses_and_their_slopes() -> None:
    """Both losses are their formulas, and their gradients are finite differences of the mean."""
    outputs, targets = normal(6, 3), np.eye(3)[[0, 1, 2, 0, 1, 2]]
    for loss in (CrossEntropy(), MeanSquared(), MeanSquared(np.array([224.0, 1.0, 0.5]))):
        slope = loss(outputs, targets)[1]
        error = check_grad(
            lambda flat, loss=loss: float(loss(flat.reshape(6, 3), targets)[0].mean()),
            lambda _, slope=slope: slope.ravel(),
            outputs.ravel(),
        )
        assert error < 1e-5 * max(1, float(np.abs(slope).max()))
    wanted = np.mean((outputs - targets * [224.0, 1.0, 0.5]) ** 2, axis=1)
    np.testing.assert_allclose(MeanSquared(np.array([224.0, 1.0, 0.5]))(outputs, targets)[0], wanted)
    right = CrossEntropy().score(outputs, targets)
    np.testing.assert_array_equal(right, outputs.argmax(axis=1) == [0, 1, 2, 0, 1, 2])
    assert MeanSquared(2.0).score(np.array([[4.0, 8.0]]), np.array([[1.0, 6.0]])) == pytest.approx(-1.5)


def test_it_learns_handwritten_digits_and_judges_what_it_did_not_see() -> None:
    """A small convolutional network taught 1 000 of scikit-learn's digits reads nine in ten of 300 others."""
    data, target = load_digits(return_X_y=True)
    X = (data / 16).astype(np.float32).reshape(-1, 8, 8, 1)
    Y = np.eye(10, dtype=np.float32)[target]
    rng = np.random.default_rng(0)
    network = Network(
        [Conv2D.new((3, 3), 1, 8, rng), ReLU(), MaxPool(), Dropout(0.1), Flatten(), Dense.new(72, 10, rng)]
    )
    curve = fit(
        network,
        X[:1000],
        Y[:1000],
        loss=CrossEntropy(),
        optimizer=Adam(0.01),
        epochs=20,
        batch=32,
        rng=rng,
        validation=(X[1000:1300], Y[1000:1300]),
    )
    assert len(curve) == 20
    assert curve[-1].validation_score is not None
    assert curve[-1].validation_score > 0.9
    outputs = network(X[1000:1300])
    assert curve[-1].validation_loss == pytest.approx(float(CrossEntropy()(outputs, Y[1000:1300])[0].mean()))


def test_stopping_gives_back_the_best_epoch() -> None:
    """True from progress stops there; arrays and running statistics are those after the best validation loss."""
    X, Y = tiny_task()
    network = small()
    kept: list[list[bytes]] = []

    def watch(epoch: Any) -> bool:
        kept.append([array.tobytes() for layer in network.layers for array in layer.arrays.values()])
        return epoch.number == 8

    rng = np.random.default_rng(0)
    curve = fit(
        network,
        X[:30],
        Y[:30],
        loss=CrossEntropy(),
        optimizer=SGD(1.5),
        epochs=50,
        batch=10,
        rng=rng,
        validation=(X[30:], Y[30:]),
        progress=watch,
    )
    assert len(curve) == 8
    best = int(np.argmin([epoch.validation_loss for epoch in curve]))
    assert best < 7  # a rate far too high: the loss goes up and down
    assert [array.tobytes() for layer in network.layers for array in layer.arrays.values()] == kept[best]


def test_a_saved_network_is_the_same_network() -> None:
    """state and from_state give the same outputs, settings and frozen layers, for every kind of layer."""
    network = small()
    network.layers[0].trainable = False
    X, _ = tiny_task(6)
    again = Network.from_state(*network.state())
    np.testing.assert_array_equal(again(X), network(X))
    assert [layer.trainable for layer in again.layers] == [layer.trainable for layer in network.layers]
    assert again.state()[0] == network.state()[0]


@settings(max_examples=60)
@example(position=1, key="epsilon", value="")
@example(position=1, key="epsilon", value=-1)
@given(
    position=st.integers(0, 10),
    key=st.sampled_from(["kind", "strides", "padding", "size", "rate", "most", "epsilon", "trainable"]),
    value=st.one_of(st.none(), st.text(max_size=5), st.integers(-3, 3), st.lists(st.integers(-2, 2), max_size=3)),
)
def test_a_damaged_network_is_one_clear_line(position: int, key: str, value: Any) -> None:
    """Whatever is written into a saved network, it is a network or a ConfigError or ShapeError of one line."""
    meta, arrays = small().state()
    meta["layers"][position][key] = value
    try:
        Network.from_state(meta, arrays)
    except (ConfigError, ShapeError) as error:
        assert "\n" not in str(error)  # noqa: PT017 - most damage is an error, some is harmless


def test_bad_input_is_one_clear_line() -> None:
    """Wrong shapes, kernels larger than the picture, bad settings and unequal lengths say what is wanted."""
    rng = np.random.default_rng(0)
    conv = Conv2D.new((3, 3), 1, 4, rng)
    X, Y = tiny_task(6)
    for make, what in (
        (lambda: conv.forward(normal(2, 8, 8, 2)), r"\(N, height, width, 1\) are wanted"),
        (lambda: conv.forward(normal(2, 2, 8, 1)), "smaller than the kernel"),
        (lambda: Conv2D(normal(3, 3, 1)), "wanted"),
        (lambda: Conv2D(normal(3, 3, 1, 2), None, (0, 1)), "wanted numbers of 1 or more"),
        (lambda: Conv2D(normal(3, 3, 1, 2), None, (1, 1), "full"), "valid or same"),
        (lambda: DepthwiseConv2D(normal(3, 3)), "wanted"),
        (lambda: Dense(normal(3)), "wanted"),
        (lambda: BatchNorm(normal(3), normal(3), normal(2), normal(3)), "are wanted"),
        (lambda: norm().forward(normal(2, 4)), "is wanted"),
        (lambda: ReLU(0.0), "above 0"),
        (lambda: Dropout(1.0), "below 1"),
        (lambda: Network([]), "one layer or more"),
        (
            lambda: fit(small(), X, Y[:3], loss=CrossEntropy(), optimizer=SGD(0.1), epochs=1, batch=2, rng=rng),
            "as many",
        ),
    ):
        with pytest.raises((ShapeError, ConfigError), match=what) as caught:
            make()
        assert "\n" not in str(caught.value)


def test_no_rows_give_no_outputs() -> None:
    """An empty set of pictures has an empty output of the right shape."""
    assert small()(np.zeros((0, 12, 12, 1), np.float32)).shape == (0, 3)
