"""Exercise 6: loss and time against the number of unfrozen layers, in detection; predicted first, then measured.

A head is trained on frozen features (phase 1). From there phase 2 is run four times: with nothing more unfrozen, and
with the last one, two and three pointwise convolutions of MobileNet v1 .25 and their batch norms.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from given import features_at, mobilenet_weights, quick

from edge_tl.detection.answers import ScaledShape, new_head
from edge_tl.detection.scenes import SHAPES, SIDE_PX, scenes
from edge_tl.nn import BatchNorm, Conv2D, DepthwiseConv2D, Epoch, Layer, Network, ReLU, RMSProp, fit
from edge_tl.tflite.weights import Weights

Curve = list[Epoch]
CUT = "conv_dw_9_relu"
BLOCK = ("conv_pw_9", "conv_dw_10", "conv_pw_10", "conv_dw_11", "conv_pw_11")
RATES = (5e-4, 1e-4)
"""Of the two phases; the text's, 5e-3 and 2e-3, are for as many scenes as it has."""
BATCH = 16


def main() -> None:
    """Phase 1 once, then phase 2 with each number of unfrozen layers."""
    taught, asked, first, second = (64, 48, 4, 2) if quick() else (400, 200, 20, 6)
    weights = mobilenet_weights()
    train, test = scenes(taught, seed=1), scenes(asked, seed=2)
    X, fresh = (features_at(CUT, weights, one.pictures) for one in (train, test))
    answers = ScaledShape(SHAPES, SIDE_PX)
    Y, wanted = (answers.targets(one.shapes, one.boxes) for one in (train, test))
    block = block_of(weights)
    head = new_head(Network(block)(X[:1]).shape[1:], answers.outputs, np.random.default_rng(0))
    network = Network([*block, *head])
    freeze(network, 0)
    train_for(network, X, Y, first, RATES[0], answers)
    begun = network.state()

    clock_s = time.process_time()
    Network(block)(X)
    forward_s = time.process_time() - clock_s
    print(
        "Prediction: the more layers are unfrozen, the lower the training loss. Running the block forward "
        f"takes {forward_s:.2f} s of CPU time for {taught} scenes; what is unfrozen is run forward once an epoch "
        "and backward twice (by its weights, by its inputs), so an epoch takes three times its share of that more."
    )
    times: list[float] = []
    losses: list[float] = []
    apart: list[float] = []
    for unfrozen in range(4):
        network = Network.from_state(begun[0], {name: array.copy() for name, array in begun[1].items()})
        freeze(network, unfrozen)
        clock_s = time.process_time()
        curve = train_for(network, X, Y, second, RATES[1], answers)
        took_s = time.process_time() - clock_s
        if network.front:
            clock_s = time.process_time()
            network(X, 0, network.front)
            took_s -= time.process_time() - clock_s  # what is frozen at the front is run once, not once an epoch
        times.append(took_s / second)
        predicted_s = times[0] + 3 * forward_s * share(network, X)
        losses.append(curve[-1].loss)
        apart.append(times[-1] / predicted_s - 1)
        loss = float(answers.loss(network(fresh), wanted)[0].mean())
        print(
            f"{unfrozen} unfrozen: {network.trainable_parameters} parameters trained; an epoch predicted "
            f"{predicted_s:.2f} s, measured {times[-1]:.2f} s; training loss {curve[-1].loss:.0f}, on new "
            f"scenes {loss:.0f}."
        )
    print(verdict(losses, apart[1:]))


def verdict(losses: Sequence[float], apart: Sequence[float]) -> str:
    """Whether it came as predicted: the losses by number of unfrozen layers, and how far the times were off."""
    falls = all(after < before for before, after in pairwise(losses))
    said = (
        "fell with every layer, as predicted"
        if falls
        else "did not fall with every layer: so short a run decides little"
    )
    off = max(apart, key=abs)
    return (
        f"Verdict: the training loss {said} ({', '.join(f'{loss:.0f}' for loss in losses)}); the times were "
        f"{abs(off):.0%} {'above' if off > 0 else 'below'} the prediction at most."
    )


def block_of(weights: Weights) -> list[Layer]:
    """The layers of BLOCK, each with its batch norm and its relu6, as arrays of NumPy."""
    layers: list[Layer] = []
    for name in BLOCK:
        W = weights.layers[name][0].copy()
        layers.append(DepthwiseConv2D(W[..., 0], None, (1, 1), "same") if "_dw_" in name else Conv2D(W))
        layers += [BatchNorm(*(array.copy() for array in weights.layers[f"{name}_bn"])), ReLU(6.0)]
    return layers


def freeze(network: Network, unfrozen: int) -> None:
    """Leave the last so many pointwise convolutions of the block and their batch norms trainable, and the head."""
    pointwise = [place for place, layer in enumerate(network.layers) if isinstance(layer, Conv2D)]
    chosen = pointwise[len(pointwise) - unfrozen :]
    for place, layer in enumerate(network.layers[: 3 * len(BLOCK)]):
        if layer.parameters:
            layer.trainable = place in chosen or place - 1 in chosen


def train_for(network: Network, X: np.ndarray, Y: np.ndarray, epochs: int, rate: float, answers: ScaledShape) -> Curve:
    """So many epochs from where it stands."""
    rng = np.random.default_rng(0)
    return fit(network, X, Y, loss=answers.loss, optimizer=RMSProp(rate), epochs=epochs, batch=BATCH, rng=rng)


def share(network: Network, X: np.ndarray) -> float:
    """How much of the block's multiplications lie at or above the lowest trainable layer, 0 to 1."""
    block = network.layers[: 3 * len(BLOCK)]
    pixels = np.prod(X.shape[1:3])  # all of them at stride 1: as many pixels in every layer
    costs = [layer.parameters["W"].size * pixels if "W" in layer.parameters else 0 for layer in block]
    return float(sum(costs[network.front :]) / sum(costs))


if __name__ == "__main__":
    main()
