"""The MLP head: S2's layers and recipe, Keras' Adam, and training in the span."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.stats import truncnorm
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from edge_tl.errors import ConfigError
from edge_tl.heads.dense import Adam, Layers, train, variance_scaling
from edge_tl.heads.mlp import MLPHead
from edge_tl.heads.taught import softmax
from edge_tl.span import Span


def examples(n: int = 30, columns: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, columns) float64 and codes of three classes that depend on them."""
    rng = np.random.default_rng(0)
    codes = np.arange(n) % 3
    return rng.normal(size=(3, columns))[codes] + rng.normal(size=(n, columns)), codes


def double(columns: int, units: int = 7) -> Layers:
    """Fresh layers in float64."""
    layers = Layers.new(columns, units, 3, np.random.default_rng(1))
    return Layers(*(part.astype(np.float64) for part in layers.parts()))


def test_it_is_the_network_of_the_text() -> None:
    """On 12 544 values with 100 units and 4 classes it has 1 254 900 parameters, and no bias at the output."""
    layers = Layers.new(12544, 100, 4, np.random.default_rng(0))
    assert sum(part.size for part in layers.parts()) == 1_254_900
    assert [part.shape for part in layers.parts()] == [(12544, 100), (100,), (100, 4)]
    recipe = MLPHead(fast=False)
    assert (recipe.units, recipe.epochs, recipe.batch_fraction, recipe.rate) == (100, 20, 0.4, 1e-4)


def test_kernels_start_with_variance_scaling() -> None:
    """First weights are of variance 1/inputs, cut at two standard deviations of the uncut normal."""
    values = variance_scaling((250, 400), np.random.default_rng(0))
    assert values.dtype == np.float32
    assert values.std() == pytest.approx(1 / np.sqrt(250), rel=0.01)
    assert np.abs(values).max() <= 2 / (0.8796256610342398 * np.sqrt(250)) * (1 + 1e-6)
    assert truncnorm(-2, 2).std() == pytest.approx(0.87962566103423978)


def test_gradients_are_those_of_the_loss() -> None:
    """Backward agrees with finite differences of the mean cross-entropy for every array."""
    X, codes = examples(12, 9)
    Y = np.eye(3)[codes]
    layers = double(9)
    shapes = [part.shape for part in layers.parts()]
    cuts = np.cumsum([part.size for part in layers.parts()])[:-1]

    def of(flat: np.ndarray) -> Layers:
        return Layers(*(part.reshape(shape) for part, shape in zip(np.split(flat, cuts), shapes, strict=True)))

    def loss(flat: np.ndarray) -> float:
        return float(-np.log(of(flat).forward(X)[np.arange(12), codes]).mean())

    def gradient(flat: np.ndarray) -> np.ndarray:
        return np.concatenate([part.ravel() for part in of(flat).gradients(X, Y)[0]])

    start = np.concatenate([part.ravel() for part in layers.parts()])
    assert check_grad(loss, gradient, start) < 1e-6


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


@pytest.mark.host
def test_training_is_that_of_keras() -> None:
    """From the same weights, twelve batches of the recipe give Keras' weights and losses."""
    keras = pytest.importorskip("tensorflow").keras
    X, codes = examples(30, 50)
    X = X.astype(np.float32)
    layers = Layers.new(50, 10, 3, np.random.default_rng(1))
    model = keras.Sequential(
        [
            keras.Input((50,)),
            keras.layers.Dense(10, "relu"),
            keras.layers.Dense(3, "softmax", use_bias=False),
        ]
    )
    model.set_weights([part.copy() for part in layers.parts()])
    model.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy")
    Y = np.eye(3, dtype=np.float32)[codes]
    order, losses = np.random.default_rng(7), []
    for _ in range(4):
        rows = order.permutation(30)
        loss = 0.0
        for first in range(0, 30, 12):
            batch = rows[first : first + 12]
            model.reset_metrics()
            loss += len(batch) * float(model.train_on_batch(X[batch], Y[batch]))
        losses.append(loss / 30)
    _, curve = train(layers, X, codes, epochs=4, batch=12, optimizer=Adam(1e-3), rng=np.random.default_rng(7))
    np.testing.assert_allclose([point[1] for point in curve], losses, rtol=1e-4)
    for mine, theirs in zip(layers.parts(), model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_descent_in_the_span_is_descent_on_the_examples(momentum: float) -> None:
    """Gradient descent with momentum and L2 on the rotated rows gives the weights of the same on the rows."""
    X, codes = examples()
    Y = np.eye(3)[codes]
    span = Span.of(X)
    in_span = double(span.L.shape[1])
    primal = Layers(span.expand(in_span.W1), in_span.b1.copy(), in_span.W2.copy())
    order = np.random.default_rng(2)
    speeds = [[np.zeros_like(part) for part in layers.parts()] for layers in (in_span, primal)]
    for _ in range(60):
        rows = order.permutation(30)[:12]
        for layers, data, speed in ((in_span, span.L, speeds[0]), (primal, X, speeds[1])):
            gradients, _ = layers.gradients(data[rows], Y[rows])
            for part, gradient, moving in zip(layers.parts(), gradients, speed, strict=True):
                moving *= momentum
                moving -= 0.01 * (gradient + 1e-2 * part)
                part += moving
    assert np.abs(primal.W1).max() > 0.1
    np.testing.assert_allclose(span.expand(in_span.W1), primal.W1, atol=1e-5)
    np.testing.assert_allclose(in_span.W2, primal.W2, atol=1e-5)
    np.testing.assert_allclose(in_span.forward(span.L), primal.forward(X), atol=1e-5)


def test_the_weights_act_on_rows_as_they_did_in_the_span() -> None:
    """What the fast form learned in the span it says of whole rows: the first layer is expanded, scale included."""
    X, codes = examples()
    y = np.array(["a", "b", "c"])[codes]
    head = MLPHead(epochs=60).fit(X.astype(np.float32), y)
    assert head.layers_.W1.shape == (200, 100)
    assert head.score(X, y) == 1.0
    new = X + 0.1 * np.random.default_rng(3).normal(size=X.shape)
    layers = head.layers_
    wanted = softmax(np.maximum(new @ layers.W1 + layers.b1, 0) @ layers.W2)
    np.testing.assert_allclose(head.predict_proba(new), wanted)


@pytest.mark.parametrize("fast", [True, False])
def test_both_forms_read_handwritten_digits(fast: bool) -> None:
    """Taught 900 of scikit-learn's digits, either form reads nine in ten of the others."""
    X, y = load_digits(return_X_y=True)
    train_X, test_X, train_y, test_y = train_test_split(X / 16, y.astype(str), train_size=900, random_state=0)
    head = MLPHead(fast=fast, epochs=60, rate=None if fast else 3e-3, batch_fraction=0.1).fit(train_X, train_y)
    assert head.score(test_X, test_y) > 0.9
    assert head.curve_[-1][1] < 0.3 * head.curve_[0][1]


def test_the_seed_is_the_only_chance() -> None:
    """The same seed gives the same weights, another one others, and labels as good."""
    X, codes = examples()
    y = np.array(["a", "b", "c"])[codes]
    one, same, other = (MLPHead(seed=seed, epochs=40).fit(X, y) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.layers_.W1, same.layers_.W1)
    assert np.abs(one.layers_.W1 - other.layers_.W1).max() > 1e-3
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


def test_stopping_keeps_the_best_so_far() -> None:
    """Every epoch is shown; True stops there, and the weights are those of the epoch with the least loss."""
    X, codes = examples()
    y = np.array(["a", "b", "c"])[codes]
    seen: list[tuple[int, float, float]] = []

    def watch(epoch: int, loss: float, accuracy: float) -> bool:
        seen.append((epoch, loss, accuracy))
        return epoch == 9

    # A rate far too high, so that the loss goes up and down.
    head = MLPHead(rate=1.0, epochs=50).fit(X, y, progress=watch)
    assert seen == head.curve_
    assert [point[0] for point in seen] == list(range(1, 10))
    best = 1 + int(np.argmin([point[1] for point in seen]))
    assert best < 9
    again = MLPHead(rate=1.0, epochs=best).fit(X, y)
    np.testing.assert_array_equal(head.layers_.W1, again.layers_.W1)


def test_settings_out_of_range() -> None:
    """No units, no epochs, a fraction above one and a rate of zero are each one clear line."""
    for bad in ({"units": 0}, {"epochs": 0}, {"batch_fraction": 1.5}, {"batch_fraction": 0}, {"rate": 0}):
        with pytest.raises(ConfigError, match="wanted units and epochs of 1 or more"):
            MLPHead(**bad)
