"""Exercise 1: how many parameters are trainable before and after compile, and what a freeze after compile does.

The digits network (spec S5) is trained, its feature layers are frozen, and it is trained again: what changes, and how
long does an epoch take? In edge_tl there is no compile: `trainable` is read by the next `fit`. In Keras `fit` trains
what it was built for when it was compiled and first run, whatever the counts say afterwards.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from given import FEATURE_LAYERS, digits, digits_network, quick, twin

from edge_tl.nn import Adam, CrossEntropy, fit


def main() -> None:
    """Ours, then Keras'."""
    count, batch = (128, 32) if quick() else (1024, 128)
    X, Y = digits(count)
    ours(X, Y, batch)
    if twin():
        keras_twin(X, Y, batch)


def ours(X: np.ndarray, Y: np.ndarray, batch: int) -> None:
    """Freeze between two calls of fit."""
    network = digits_network()
    print(f"edge_tl: {network.parameters} parameters, {network.trainable_parameters} trainable.")
    for frozen in (0, FEATURE_LAYERS):
        for layer in network.layers[:frozen]:
            layer.trainable = False
        before = network.layers[0].parameters["W"].copy()
        begun_s = time.process_time()
        rng = np.random.default_rng(0)
        fit(network, X, Y, loss=CrossEntropy(), optimizer=Adam(1e-3), epochs=1, batch=batch, rng=rng)
        took_s = time.process_time() - begun_s
        moved = said(before, network.layers[0].parameters["W"])
        print(
            f"edge_tl: with {frozen} layers frozen {network.trainable_parameters} are trainable; an epoch took "
            f"{took_s:.2f} s of CPU time, and the first convolution {moved}."
        )


def keras_twin(X: np.ndarray, Y: np.ndarray, batch: int) -> None:
    """The same in Keras: compiled and run, frozen, run again, compiled again."""
    from host_tools.mnist_transfer import build
    from host_tools.tf import keras, versions

    keras().utils.set_random_seed(0)
    model = build(5)
    print(f"Keras {versions()['keras']}: {counted(model)} trainable before compile.")
    compiled(model)
    print(f"Keras: {counted(model)} trainable after compile.")
    epoch("compiled and run", model, X, Y, batch)
    for layer in model.layers[:FEATURE_LAYERS]:
        layer.trainable = False
    print(f"Keras: the feature layers are frozen now, after compile; it counts {counted(model)} trainable.")
    epoch("frozen after compile, not compiled again", model, X, Y, batch)
    compiled(model)
    epoch("compiled again", model, X, Y, batch)


def compiled(model: Any) -> None:
    """Compile it."""
    from host_tools.tf import keras

    model.compile(keras().optimizers.Adam(1e-3), "categorical_crossentropy")


def epoch(when: str, model: Any, X: np.ndarray, Y: np.ndarray, batch: int) -> None:
    """One to build what it runs where it has to, and one that is timed."""
    model.fit(X, Y, batch, verbose=0)
    before = model.layers[0].get_weights()[0]
    begun_s = time.process_time()
    model.fit(X, Y, batch, verbose=0)
    took_s = time.process_time() - begun_s
    moved = said(before, model.layers[0].get_weights()[0])
    print(f"Keras, {when}: an epoch took {took_s:.2f} s of CPU time, and the first convolution {moved}.")


def counted(model: Any) -> int:
    """What Keras calls trainable."""
    return sum(int(np.prod(one.shape)) for one in model.trainable_weights)


def said(before: np.ndarray, after: np.ndarray) -> str:
    """Whether it was trained."""
    return "is the same, bit for bit" if before.tobytes() == after.tobytes() else "was trained"


if __name__ == "__main__":
    main()
