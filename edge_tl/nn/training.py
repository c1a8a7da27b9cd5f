"""The one training loop: shuffled batches, curves, and the best so far when it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_tl.errors import ShapeError, counted
from edge_tl.nn.losses import Loss
from edge_tl.nn.memory import empty, kept
from edge_tl.nn.network import Network
from edge_tl.nn.optimizers import Optimizer


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one pass over the examples came to."""

    number: int
    """From 1 up."""
    loss: float
    """The mean over the epoch's batches, each before its step, as Keras shows it."""
    score: float
    """The same of the loss' score: the accuracy, for CrossEntropy."""
    validation_loss: float | None = None
    """After the epoch; None without validation examples."""
    validation_score: float | None = None

    @property
    def judged_by(self) -> float:
        """The loss that says which epoch was best: on examples that nothing was learned from, where there are any."""
        return self.loss if self.validation_loss is None else self.validation_loss


@kept()
def fit(
    network: Network,
    X: np.ndarray,
    Y: np.ndarray,
    *,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    batch: int,
    rng: np.random.Generator,
    shuffle: bool = True,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    progress: Callable[[Epoch], bool | None] | None = None,
) -> list[Epoch]:
    """Train what is trainable in `network`, in place; an Epoch for every epoch.

    X (N, …) and targets Y (N, C); rng: shuffles the examples anew each epoch, and drives dropout. What is frozen at
    the front is run once, not once an epoch. progress(epoch): what returns True stops there, and gives the network back
    as it was after its best epoch. A fresh optimizer for every `fit`.
    ShapeError where X and Y differ in length or hold nothing.
    """
    if len(X) != len(Y) or not len(X):
        raise ShapeError(
            f"{counted(len(X), 'example')} and {counted(len(Y), 'target')} came; as many of both, one or more, are "
            "wanted"
        )
    first = network.front
    X = network(X, 0, first) if first else X
    held = None
    if validation is not None:
        held = (network(validation[0], 0, first) if first else validation[0]), validation[1]
    learning = network.learning()
    curve: list[Epoch] = []
    best: tuple[float, list[np.ndarray]] | None = None
    for number in range(1, epochs + 1):
        order = rng.permutation(len(X)) if shuffle else np.arange(len(X))
        lost = scored = 0.0
        for start in range(0, len(X), batch):
            rows = order[start : start + batch]
            targets = Y[rows]
            inputs = X.take(rows, 0, empty((len(rows), *X.shape[1:]), X.dtype), "clip")
            outputs, saved = network.forward(inputs, rng, first)
            losses, back = loss(outputs, targets)
            optimizer.step(learning, network.backward(back, saved))
            lost += float(losses.sum())
            scored += float(loss.score(outputs, targets).sum())
            del inputs, outputs, saved, back  # the next step takes their memory
        judged: tuple[float | None, float | None] = (None, None)
        if held is not None:
            outputs = network(held[0], first)
            judged = float(loss(outputs, held[1])[0].mean()), float(loss.score(outputs, held[1]).mean())
        curve.append(Epoch(number, lost / len(X), scored / len(X), *judged))
        if progress is not None:
            if best is None or curve[-1].judged_by < best[0]:
                best = curve[-1].judged_by, network.copy_arrays()
            if progress(curve[-1]) is True:
                network.put_back(best[1])
                break
    return curve
