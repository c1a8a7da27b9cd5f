"""The MLP head: S2's layers and recipe, Keras' Adam, and training in the span."""

from __future__ import annotations

import numpy as np
import pytest
from lacking import lacking
from scipy.stats import truncnorm
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from edge_tl.core.gram import Span
from edge_tl.errors import ConfigError
from edge_tl.heads.mlp import MLPHead, two_layers
from edge_tl.nn import Adam, CrossEntropy, Network, fit
from edge_tl.nn.layers import variance_scaling
from edge_tl.nn.losses import softmax

pytestmark = pytest.mark.exact


def examples(n: int = 30, columns: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, columns) float64 and codes of three classes that depend on them."""
    rng = np.random.default_rng(0)
    codes = np.arange(n) % 3
    return rng.normal(size=(3, columns))[codes] + rng.normal(size=(n, columns)), codes


def fresh(columns: int, units: int, classes: int = 3, dtype: type = np.float32) -> Network:
    """The head's network with first weights as the head draws them."""
    rng = np.random.default_rng(1)
    W1, W2 = variance_scaling((columns, units), rng), variance_scaling((units, classes), rng)
    return two_layers(W1.astype(dtype), np.zeros(units, dtype), W2.astype(dtype))


def test_it_is_the_network_of_the_text() -> None:
    """On 12 544 values with 100 units and 4 classes it has 1 254 900 parameters, and no bias at the output."""
    head = MLPHead(epochs=1, fast=False).fit(np.eye(4, 12544, dtype=np.float32), list("abcd"))
    assert sum(part.size for part in head.weights_) == 1_254_900
    assert [part.shape for part in head.weights_] == [(12544, 100), (100,), (100, 4)]
    recipe = MLPHead(fast=False)
    assert (recipe.units, recipe.epochs, recipe.batch_fraction, recipe.rate) == (100, 20, 0.4, 1e-4)


def test_kernels_start_with_variance_scaling() -> None:
    """First weights are of variance 1/inputs, cut at two standard deviations of the uncut normal."""
    values = variance_scaling((250, 400), np.random.default_rng(0))
    assert values.dtype == np.float32
    assert values.std() == pytest.approx(1 / np.sqrt(250), rel=0.01)
    assert np.abs(values).max() <= 2 / (0.8796256610342398 * np.sqrt(250)) * (1 + 1e-6)
    assert truncnorm(-2, 2).std() == pytest.approx(0.87962566103423978)


@pytest.mark.host
def test_training_is_that_of_keras() -> None:
    """From the same weights, twelve batches of the recipe give Keras' weights and losses."""
    keras = pytest.importorskip("tensorflow", reason=lacking("TensorFlow")).keras
    X, codes = examples(30, 50)
    X = X.astype(np.float32)
    network = fresh(50, 10)
    model = keras.Sequential(
        [
            keras.Input((50,)),
            keras.layers.Dense(10, "relu"),
            keras.layers.Dense(3, "softmax", use_bias=False),
        ]
    )
    model.set_weights([part.copy() for part in network.learning()])
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
    rng = np.random.default_rng(7)
    curve = fit(network, X, Y, loss=CrossEntropy(), optimizer=Adam(1e-3), epochs=4, batch=12, rng=rng)
    np.testing.assert_allclose([epoch.loss for epoch in curve], losses, rtol=1e-4)
    for mine, theirs in zip(network.learning(), model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_descent_in_the_span_is_descent_on_the_examples(momentum: float) -> None:
    """Gradient descent with momentum and L2 on the rotated rows gives the weights of the same on the rows."""
    X, codes = examples()
    Y = np.eye(3)[codes]
    span = Span.of(X)
    in_span = fresh(span.L.shape[1], 7, dtype=np.float64)
    W1, b1, W2 = in_span.learning()
    primal = two_layers(span.expand(W1), b1.copy(), W2.copy())
    order, loss = np.random.default_rng(2), CrossEntropy()
    speeds = [[np.zeros_like(part) for part in network.learning()] for network in (in_span, primal)]
    for _ in range(60):
        rows = order.permutation(30)[:12]
        for network, data, speed in ((in_span, span.L, speeds[0]), (primal, X, speeds[1])):
            outputs, saved = network.forward(data[rows], order)
            gradients = network.backward(loss(outputs, Y[rows])[1], saved)
            for part, gradient, moving in zip(network.learning(), gradients, speed, strict=True):
                moving *= momentum
                moving -= 0.01 * (gradient + 1e-2 * part)
                part += moving
    assert np.abs(primal.learning()[0]).max() > 0.1
    np.testing.assert_allclose(span.expand(W1), primal.learning()[0], atol=1e-5)
    np.testing.assert_allclose(W2, primal.learning()[2], atol=1e-5)
    np.testing.assert_allclose(in_span(span.L), primal(X), atol=1e-5)


def test_the_weights_act_on_rows_as_they_did_in_the_span() -> None:
    """What the fast form learned in the span it says of whole rows: the first layer is expanded, scale included."""
    X, codes = examples()
    y = np.array(["a", "b", "c"])[codes]
    head = MLPHead(epochs=60).fit(X.astype(np.float32), y)
    assert head.weights_[0].shape == (200, 100)
    assert head.score(X, y) == 1.0
    new = X + 0.1 * np.random.default_rng(3).normal(size=X.shape)
    W1, b1, W2 = head.weights_
    wanted = softmax(np.maximum(new @ W1 + b1, 0) @ W2)
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
    np.testing.assert_array_equal(one.weights_[0], same.weights_[0])
    assert np.abs(one.weights_[0] - other.weights_[0]).max() > 1e-3
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
    np.testing.assert_array_equal(head.weights_[0], again.weights_[0])


def test_settings_out_of_range() -> None:
    """No units, no epochs, a fraction above one and a rate of zero are each one clear line."""
    for bad in ({"units": 0}, {"epochs": 0}, {"batch_fraction": 1.5}, {"batch_fraction": 0}, {"rate": 0}):
        with pytest.raises(ConfigError, match="wanted units and epochs of 1 or more"):
            MLPHead(**bad)
