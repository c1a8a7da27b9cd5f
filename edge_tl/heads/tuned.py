"""Fine-tuning on the device: the dense layer of a base of speech, trained further together with a new top (spec S4).

Where the base was opened below it, the convolutions there are trained too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from edge_tl.errors import ConfigError, ShapeError, counted
from edge_tl.heads.base import Head, Progress, TaughtRows, check_rows, need
from edge_tl.nn import Adam, CrossEntropy, Dense, Epoch, Network, ReLU, fit
from edge_tl.nn.losses import softmax

if TYPE_CHECKING:
    from edge_tl.nn.network import Upper

EPOCHS = (40, 60)
"""Of the top alone, then of both layers. The text takes 100 and 300 with plain gradient descent; Adam needs fewer."""
RATES = (1e-3, 1e-4)
"""Adam's, of the two phases: the second must not undo what the base has learned."""
BATCH = 32
HELD = 4
"""One take in so many of each class is held out to choose the epoch (spec S4: 3 to 1)."""


class TunedHead(Head):
    """dense(2000, relu), which begins as the base has it, → dense(classes, softmax).

    With `labels`, the base's own, it is adapted instead of taught anew: the top begins as the base's, every label is
    kept, and only what was taught of them is trained further; labels that are new to the base get a fresh column.

    Phase 1 trains the top with all below it frozen, phase 2 the dense layer as well, and the convolutions `lower` where
    there are some; kept is the epoch with the least loss on the takes held out. Rows are the frozen convolutions'
    features as they are, and takes keep the views of a recording on one side. After `fit`: `curve_` (epoch, loss,
    accuracy) over both phases, `epochs_` the same with what was held out, `kink_` how many of them are phase 1,
    `held_out_` (N,) bool which examples were held out.
    """

    name = "tuned"

    def __init__(
        self,
        upper: Upper | None = None,
        epochs: tuple[int, int] = EPOCHS,
        rates: tuple[float, float] = RATES,
        seed: int = 0,
        labels: Sequence[str] = (),
        lower: Network | None = None,
        shape: tuple[int, ...] = (),
    ) -> None:
        """upper: the base's layers above its convolutions; epochs: 1 and more, 0 and more; seed: of the order; labels:
        of the base's outputs, to adapt it; lower: its last convolutions, which take rows of `shape`."""
        if epochs[0] < 1 or epochs[1] < 0 or not min(rates) > 0:
            raise ConfigError(f"epochs {epochs} and rates {rates} came; e.g. {EPOCHS} and {RATES} are wanted")
        self.upper, self.epochs, self.rates, self.seed = upper, tuple(epochs), tuple(rates), seed
        self.labels, self.lower, self.shape = tuple(labels), lower, tuple(shape)
        self._network: Network | None = None
        self.epochs_: list[Epoch] = []
        self.kink_ = 0
        self.held_out_ = np.empty(0, bool)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (M, C) of rows (M, D); each row sums to 1."""
        network = need(self._network, self.name)
        return softmax(network(self._shaped(check_rows(X, self._width(network)))))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What `predict` needs: a JSON-able dict and arrays."""
        *lower, hidden, _, top = need(self._network, self.name).layers
        meta = {"name": self.name, "classes": self.classes_.tolist(), "epochs": [*self.epochs], "seed": self.seed}
        arrays = {"dense": hidden.parameters["W"], "dense_bias": hidden.parameters["b"]}
        arrays |= {"top": top.parameters["W"], "top_bias": top.parameters["b"]}
        if lower:
            meta["lower"], below = Network(lower).state()
            meta["shape"] = [*self.shape]
            arrays |= {f"lower.{name}": array for name, array in below.items()}
        return meta, arrays

    @classmethod
    def of_base(
        cls, upper: Upper, labels: Sequence[str], lower: Network | None = None, shape: tuple[int, ...] = ()
    ) -> Self:
        """The base's own recognizer, as it was published; `labels` of its outputs."""
        head = cls(upper, labels=labels, lower=lower, shape=shape)
        head._classes, top, bias = head._top(np.unique(list(labels)), np.random.default_rng(0))
        head._network = head._stacked(Dense(upper.dense, upper.dense_bias), Dense(top, bias))
        return head

    def _stacked(self, hidden: Dense, top: Dense) -> Network:
        """The whole network, with a copy of the convolutions that is its own."""
        return Network([*([] if self.lower is None else self.lower.copy().layers), hidden, ReLU(), top])

    def _shaped(self, X: np.ndarray) -> np.ndarray:
        """Rows (M, D) as the network takes them."""
        return X.astype(np.float32, copy=False).reshape(len(X), *(self.shape or X.shape[1:]))

    def _width(self, network: Network) -> int:
        """How many values a row has."""
        return math.prod(self.shape) if self.shape else len(network.layers[0].parameters["W"])

    def _top(self, classes: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(C,) all classes, (units, C) and (C,) the top to begin with: fresh, or where labels are kept the base's."""
        assert self.upper is not None
        every = np.unique([*self.labels, *classes.tolist()])
        top = Dense.new(len(self.upper.dense_bias), len(every), rng)
        assert top.b is not None
        for column, label in enumerate(every.tolist()):
            if label in self.labels:
                place = self.labels.index(label)
                top.W[:, column], top.b[column] = self.upper.head[:, place], self.upper.head_bias[place]
        return every, top.W, top.b

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """A head that predicts as the one that `state` was taken of; it holds no examples and no base."""
        first, second = meta["epochs"]
        head = cls(epochs=(first, second), seed=meta["seed"], shape=tuple(meta.get("shape", ())))
        head._classes = np.asarray(meta["classes"])
        if "lower" in meta:
            below = {name.removeprefix("lower."): array for name, array in arrays.items() if name.startswith("lower.")}
            head.lower = Network.from_state(meta["lower"], below)
        head._network = head._stacked(
            Dense(arrays["dense"], arrays["dense_bias"]), Dense(arrays["top"], arrays["top_bias"])
        )
        return head

    def _learn(self, taught: TaughtRows, progress: Progress | None = None) -> Self:
        taught.need_two_classes(self.name)
        if self.upper is None:
            raise ConfigError("a tuned head needs the layers of a base of speech: make the profile with --base DIR")
        hidden = Dense(self.upper.dense.copy(), self.upper.dense_bias.copy())
        wanted = self._width(Network([hidden]))
        if taught.X.shape[1] != wanted:
            raise ShapeError(f"rows have {counted(taught.X.shape[1], 'value')}; the base's convolutions give {wanted}")
        rng = np.random.default_rng(self.seed)
        X = self._shaped(taught.X)
        classes, top, bias = self._top(taught.classes, rng)
        Y = np.eye(len(classes), dtype=np.float32)[np.searchsorted(classes, taught.y)]
        held = held_out(taught, rng)
        network = self._stacked(hidden, Dense(top, bias))
        below = [layer for layer in network.layers[:-1] if layer.parameters]
        epochs: list[Epoch] = []
        for phase, (count, rate) in enumerate(zip(self.epochs, self.rates, strict=True)):
            for layer in below:
                layer.trainable = phase > 0
            if not count:
                break
            watch = BestWeights(network, len(epochs), progress)
            fit(
                network,
                X[~held],
                Y[~held],
                loss=CrossEntropy(),
                optimizer=Adam(rate),
                epochs=count,
                batch=BATCH,
                rng=rng,
                validation=(X[held], Y[held]) if held.any() else None,
                progress=watch,
            )
            network.put_back(watch.best[1])
            epochs += watch.epochs
            self.kink_ = self.kink_ if phase else len(epochs)
            if watch.stopped:
                break
        self._network, self._taught, self._classes = network, replace(taught, gram=None), classes  # it needs none
        self.epochs_, self.held_out_ = epochs, held
        self.curve_ = [(epoch.number, epoch.loss, epoch.score) for epoch in epochs]
        return self


class BestWeights:
    """Looks on while a phase is trained: its epochs, numbered on from the phase before, and the best weights so far."""

    def __init__(self, network: Network, before: int, progress: Progress | None) -> None:
        self.epochs: list[Epoch] = []
        self.best = (float("inf"), network.copy_arrays())
        """The least loss, and all that is trained as it was then."""
        self.stopped = False
        self._network, self._before, self._progress = network, before, progress

    def __call__(self, epoch: Epoch) -> bool:
        """After each epoch; True stops the training."""
        epoch = replace(epoch, number=self._before + epoch.number)
        self.epochs.append(epoch)
        if epoch.judged_by < self.best[0]:
            self.best = epoch.judged_by, self._network.copy_arrays()
        self.stopped = bool(self._progress and self._progress(epoch.number, epoch.loss, epoch.score))
        return self.stopped


def held_out(taught: TaughtRows, rng: np.random.Generator) -> np.ndarray:
    """bool (N,): the examples that choose the epoch: of each class one take in four, none where it has fewer than two.

    Whole takes, and before anything else is done to them: no recording is on both sides, and every class is on each.
    """
    takes = np.arange(len(taught.y)) if taught.takes is None else taught.takes
    held = np.zeros(len(taught.y), bool)
    for label in taught.classes:
        own = np.unique(takes[taught.y == label])
        count = max(1, len(own) // HELD) if len(own) > 1 else 0
        held |= (taught.y == label) & np.isin(takes, rng.permutation(own)[:count])
    return held
