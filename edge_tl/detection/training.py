"""Teaching a detector in two phases (spec S6): the head above a frozen base, then the base's upper block with it.

    base = read_base(folder)
    trained = train(base, ScaledShape(SHAPES, base.side_px), Plan(), seed=1, clock=time.perf_counter)

What phase 2 trains of the block are its convolutions with their batch norms; depthwise layers stay as they are and are
passed through, as in the text. What is below the block is run once for every scene.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from edge_tl.core.metrics import iou
from edge_tl.detection.answers import OutputColumns, new_head
from edge_tl.detection.base import Base
from edge_tl.detection.detector import features
from edge_tl.detection.scenes import Scenes, scenes
from edge_tl.errors import ConfigError, counted
from edge_tl.nn import Adam, BatchNorm, Conv2D, Cosine, Dense, Epoch, Layer, Network, Optimizer, RMSProp, fit

OPTIMIZERS: dict[str, type[Adam] | type[RMSProp]] = {"adam": Adam, "rmsprop": RMSProp}
FRESH, FRESH_SEED = 500, 1_000_003
"""Scenes that a detector is judged on, of a seed that nobody trains with."""
AT_ONCE = 64
"""Scenes drawn at a time: as pictures they take more memory than as features."""


@dataclass(frozen=True)
class Plan:
    """What is trained on, and how; of pairs the first is phase 1, the second phase 2."""

    scenes: int = 12000
    """How many are drawn, those held out included."""
    held: float = 0.15
    """The share of them that is only judged on (spec S6)."""
    epochs: tuple[int, int] = (1, 16)
    rates: tuple[float, float] = (1e-3, 1e-3)
    batches: tuple[int, int] = (64, 32)
    optimizer: str = "adam"
    decay: bool = True
    """Whether each phase's rate falls to nothing along a half cosine."""
    freeze_bn: bool = False
    """Batch norms keep the base's statistics, gamma and beta: the fast mode. Else they train on the batch's."""
    anew: bool = False
    """Whether every epoch draws scenes of its own, so that none is seen twice."""

    def __post_init__(self) -> None:
        """ConfigError for what cannot be trained."""
        if self.scenes < 2 or not 0 < self.held < 1 or min(*self.epochs) < 0 or min(*self.batches) < 1:
            raise ConfigError(
                f"{counted(self.scenes, 'scene')}, {self.held} held out, epochs {self.epochs}, batches {self.batches}; "
                "e.g. 2000, 0.15, (2, 10), (64, 64) is wanted"
            )
        if not min(self.rates) > 0 or self.optimizer not in OPTIMIZERS:
            raise ConfigError(f"rates {self.rates}, {self.optimizer!r}; above 0, and adam or rmsprop, are wanted")

    @property
    def judged(self) -> int:
        """How many scenes are held out."""
        return min(self.scenes - 1, max(1, round(self.scenes * self.held)))

    @property
    def taught(self) -> int:
        """How many scenes an epoch has."""
        return self.scenes - self.judged

    def steps(self, phase: int) -> int:
        """How many steps a phase takes."""
        return self.epochs[phase] * -(-self.taught // self.batches[phase])


TEXT = Plan(2000, 0.15, (100, 200), (5e-3, 2e-3), (128, 64), "rmsprop", decay=False)
"""The numbers of spec S6; the text took up to 20 000 scenes."""


def plan_of(options: Mapping[str, Any]) -> Plan:
    """A plan of a command line's options: `text` for TEXT, `no_decay`, and fields of Plan that are not None."""
    known = asdict(TEXT if options.get("text") else Plan())
    known |= {name: options[name] for name in known if options.get(name) is not None}
    return Plan(**known | ({"decay": False} if options.get("no_decay") else {}))


@dataclass(frozen=True)
class DetectorScores:
    """How well boxes were found in scenes that taught nothing."""

    scenes: int
    loss: float
    shape: float
    """The share of right labels."""
    iou: float
    """The mean over all scenes, whatever the label."""


@dataclass(frozen=True)
class DetectorTraining:
    """What a training came to."""

    network: Network
    """The block and the head."""
    block: int
    """How many layers at the front are the base's."""
    parameters: int
    trainable: tuple[int, int]
    """How many of them each phase trained."""
    curve: tuple[Epoch, ...]
    """Both phases, one after the other; the loss held out beside each."""
    epoch_s: tuple[float, ...]
    """What each epoch took, with what was drawn for it."""


@dataclass(frozen=True)
class TrainingStart:
    """What a training begins with; the network's arrays are its own."""

    network: Network
    block: int
    """How many layers at the front are the base's."""
    examples: tuple[np.ndarray, np.ndarray]
    """Features (N, *embedding_shape) and targets."""
    held: tuple[np.ndarray, np.ndarray]


def begin(base: Base, answers: OutputColumns, plan: Plan, seed: int) -> TrainingStart:
    """Draw the scenes, run what is below the block on them, and put a fresh head above it."""
    held = examples(base, answers, plan.judged, seed, plan.taught)
    X, Y = examples(base, answers, plan.taught, seed)
    block = base.block()
    shape = Network(block)(X[:1]).shape[1:] if block else X.shape[1:]
    head = new_head(shape, answers.outputs, np.random.default_rng([seed, 2]))
    # Beginning at the mean box, where zero would be, saves hundreds of steps.
    last = head[-1]
    assert isinstance(last, Dense)
    assert last.b is not None
    last.b[...] = answers.mean(Y)
    return TrainingStart(Network([*block, *head]), len(block), (X, Y), held)


def train(
    base: Base,
    answers: OutputColumns,
    plan: Plan,
    *,
    seed: int,
    clock: Callable[[], float],
    progress: Callable[[Epoch], None] | None = None,
) -> DetectorTraining:
    """Both phases on drawn scenes of a seed; the base itself is not changed.

    clock: seconds, monotonic; progress(epoch) after each, numbered through both phases.
    """
    rng = np.random.default_rng([seed, 1])
    begun = begin(base, answers, plan, seed)
    network, (X, Y) = begun.network, begun.examples
    curve: list[Epoch] = []
    times_s: list[float] = []
    trained = []
    for phase, epochs in enumerate(plan.epochs):
        unfreeze(network, begun.block, phase == 1, plan.freeze_bn)
        trained.append(network.trainable_parameters)
        optimizer: Optimizer = OPTIMIZERS[plan.optimizer](plan.rates[phase])
        if plan.decay:
            optimizer = Cosine(optimizer, plan.steps(phase))
        begun_s = clock()

        def after(epoch: Epoch) -> None:
            nonlocal begun_s
            times_s.append(clock() - begun_s)
            curve.append(replace(epoch, number=len(curve) + 1))
            if progress is not None:
                progress(curve[-1])
            begun_s = clock()

        # Where each epoch has scenes of its own it is a fit of its own, with the same optimizer.
        for _ in range(epochs if plan.anew else min(epochs, 1)):
            if plan.anew and curve:
                X, Y = examples(base, answers, plan.taught, seed, plan.scenes + plan.taught * (len(curve) - 1))
            fit(
                network,
                X,
                Y,
                loss=answers.loss,
                optimizer=optimizer,
                epochs=1 if plan.anew else epochs,
                batch=plan.batches[phase],
                rng=rng,
                validation=begun.held,
                progress=after,
            )
    return DetectorTraining(
        network, begun.block, network.parameters, (trained[0], trained[1]), tuple(curve), tuple(times_s)
    )


def unfreeze(network: Network, block: int, fine: bool, freeze_bn: bool) -> None:
    """Say what is trained: the head always; in phase 2 (`fine`) the block's convolutions and the norms after them."""
    below: Layer | None = None
    for position, layer in enumerate(network.layers):
        if layer.parameters:
            unfrozen = fine and (
                isinstance(layer, Conv2D)
                or (isinstance(layer, BatchNorm) and isinstance(below, Conv2D) and not freeze_bn)
            )
            layer.trainable = unfrozen if position < block else True
        below = layer


def examples(
    base: Base, answers: OutputColumns, count: int, seed: int, first: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Features float32 (count, *embedding_shape) and targets of the scenes from `first` on."""
    X = np.empty((count, *base.embedder.embedding_shape), np.float32)
    Y = np.empty((count, answers.outputs), np.float32)
    for start_, part in drawn_in_parts(count, seed, first):
        rows = slice(start_, start_ + len(part.pictures))
        X[rows] = features(base.embedder, base.side_px, list(part.pictures))
        Y[rows] = targets(answers, part)
    return X, Y


def targets(answers: OutputColumns, part: Scenes) -> np.ndarray:
    """What is to be learned of scenes."""
    return answers.targets(part.shapes, part.boxes * (answers.side_px / part.pictures.shape[1]))


def drawn_in_parts(count: int, seed: int, first: int) -> Iterator[tuple[int, Scenes]]:
    """Scenes, a few at a time, and how many came before."""
    for begun in range(0, count, AT_ONCE):
        yield begun, scenes(min(AT_ONCE, count - begun), seed, first + begun)


def judge(base: Base, network: Network, answers: OutputColumns, count: int, seed: int) -> DetectorScores:
    """Ask about fresh scenes of another seed than was taught."""
    losses, right, overlaps = [], [], []
    for _, part in drawn_in_parts(count, seed, 0):
        outputs = network(features(base.embedder, base.side_px, list(part.pictures)))
        losses.append(answers.loss(outputs, targets(answers, part))[0])
        proba, boxes = answers.read(outputs)
        right.append(proba.argmax(axis=1) == part.shapes)
        overlaps.append(iou(boxes, part.boxes * (answers.side_px / part.pictures.shape[1])))
    mean = [float(np.concatenate(one).mean()) for one in (losses, right, overlaps)]
    return DetectorScores(count, *mean)
