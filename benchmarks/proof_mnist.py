"""Layer freezing on handwritten digits (spec S5), NumPy on the device beside Keras, and a base adapted to one writer.

modes     the base of digits 0 to 4 adapted to 5 to 9: Adam 0.01, ten epochs of eight steps, three modes. Each seed
          draws other examples, the same for all modes, NumPy and Keras, which take turns at being first; Keras has the
          first few of the seeds, for it takes long. Asked: all test digits 5 to 9. An epoch's time is the median over
          the epochs of a run without the first (Keras compiles there), in seconds of the processor, because other
          programs share it, on as many threads for both; what NumPy computes once for the frozen front stands apart.
writers   the base of digits 0 to 9 adapted to drawn writers, 50 of whose digits it is taught (Adam 0.001, ten epochs);
          asked: 1 500 other test digits in that hand, and the same as everybody wrote them.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.interleaved import ratio, spread, words
from benchmarks.record import anew, table
from device.report.modes import modes_drawing
from edge_tl.finetune.adaptation import MODES, accuracy, adapt
from edge_tl.finetune.handwriting import Writer, read_mnist
from edge_tl.finetune.picture_base import PictureBase
from edge_tl.nn import Epoch

SIZES = (1024, 128, 32)
SEEDS, KERAS_SEEDS = 10, 3
WATCHED = 1024
WRITERS, OWN, OTHERS = 10, 50, 1500
KNOWN_RATE = 1e-3
GOAL, FROZEN_GOAL = 0.965, 0.6
TEXT = ("freeze", "reset", "all")
"""The modes from the best to the worst, as the source text reports them."""
Labelled = tuple[np.ndarray, list[str]]


def threads() -> int:
    """How many threads NumPy's BLAS has here, which Keras is given too."""
    return int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0)))


def rows_of(of: Labelled, rows: np.ndarray) -> Labelled:
    """Some of them."""
    return of[0][rows], [of[1][row] for row in rows]


def only(of: Labelled, wanted: tuple[str, ...]) -> Labelled:
    """Those of these digits."""
    return rows_of(of, np.flatnonzero(np.isin(of[1], wanted)))


class Transfer:
    """One base, and the digits it does not know."""

    def __init__(self, base: PictureBase, mnist: Path) -> None:
        self.base = base
        self.others = tuple(digit for digit in "0123456789" if digit not in base.about.labels)
        self.train, self.test = (only(read_mnist(mnist, part), self.others) for part in ("train", "test"))
        self.curves: dict[str, list[Epoch]] = {}

    def numpy(self, examples: Labelled, mode: str, seed: int, watch: bool) -> dict[str, Any]:
        """On the device."""
        watched = rows_of(self.test, np.random.default_rng(0).permutation(len(self.test[1]))[:WATCHED])
        one = adapt(
            self.base,
            examples,
            mode,
            rng=np.random.default_rng(seed),
            clock=time.process_time,
            validation=watched if watch else None,
        )
        if watch:
            self.curves[mode] = list(one.curve)
        right = accuracy(self.base, one.network, one.labels, self.test)
        return {
            "accuracy": right,
            "epoch_s": float(np.median(one.epoch_s[1:])),
            "front_s": one.front_s,
            "trainable": one.trainable,
            "parameters": one.parameters,
        }

    def keras(self, examples: Labelled, mode: str, seed: int, watch: bool) -> dict[str, Any]:
        """On the host."""
        from host_tools.mnist_transfer import adapt_in_keras
        from host_tools.tf import keras

        settings = {"held": self.test, "clock": time.process_time}
        one = adapt_in_keras(self.base.network, examples, self.others, mode, seed, **settings)
        keras().backend.clear_session()
        return {
            "accuracy": one.curve[-1]["val_accuracy"],
            "epoch_s": float(np.median(one.epoch_s[1:])),
            "trainable": one.trainable,
            "parameters": one.parameters,
        }


def measure(
    base: PictureBase, whole: PictureBase, mnist: Path, sizes: tuple[int, ...] = SIZES, seeds: int = SEEDS
) -> dict[str, Any]:
    """Both parts; base: of some digits, whole: of all that a writer writes."""
    return {**modes(base, mnist, sizes, seeds), "writers": writers(whole, mnist)}


def modes(base: PictureBase, mnist: Path, sizes: tuple[int, ...] = SIZES, seeds: int = SEEDS) -> dict[str, Any]:
    """The first part; `python -m benchmarks.prove mnist_few mnist_times` measures it anew but for most examples."""
    transfer = Transfer(base, mnist)
    runs = {"NumPy": transfer.numpy}
    if importlib.util.find_spec("tensorflow"):
        from host_tools.tf import tensorflow

        tensorflow().config.threading.set_intra_op_parallelism_threads(threads())
        tensorflow().config.threading.set_inter_op_parallelism_threads(threads())
        runs["Keras"] = transfer.keras
    else:
        print("Keras is left out: TensorFlow is not installed (pip install -e .[host])", file=sys.stderr)
    found: dict[str, Any] = {}
    for size in sizes:
        found[str(size)] = {name: {mode: [] for mode in MODES} for name in runs}
        for seed in range(seeds):
            order = np.random.default_rng(seed).permutation(len(transfer.train[1]))[:size]
            examples = rows_of(transfer.train, order)
            names = list(runs)[: 2 if seed < KERAS_SEEDS else 1]
            names = names if seed % 2 else names[::-1]
            for mode in MODES:
                for name in names:
                    one = runs[name](examples, mode, seed, size == max(sizes) and not seed)
                    found[str(size)][name][mode].append(one)
            print(f"{size} examples, seed {seed}", file=sys.stderr, flush=True)
    curves = {mode: [point(epoch) for epoch in curve] for mode, curve in transfer.curves.items()}
    return {
        "threads": threads(),
        "asked": len(transfer.test[1]),
        "modes": {
            size: {name: {mode: gathered(ones) for mode, ones in of.items()} for name, of in by.items()}
            for size, by in found.items()
        },
        "curves": curves,
    }


def gathered(ones: list[dict[str, Any]]) -> dict[str, Any]:
    """One list a figure, in the order of the seeds."""
    first = ones[0]
    fixed = {key: first[key] for key in ("trainable", "parameters")}
    return fixed | {key: [one[key] for one in ones] for key in first if key not in fixed}


def point(epoch: Epoch) -> list[float | None]:
    """An epoch for JSON."""
    return [epoch.loss, epoch.score, epoch.validation_loss, epoch.validation_score]


def writers(whole: PictureBase, mnist: Path) -> list[dict[str, Any]]:
    """Before and after, of each writer and each mode, in that hand and in everybody's."""
    test = only(read_mnist(mnist, "test"), whole.about.labels)
    found = []
    for seed in range(WRITERS):
        writer = Writer.draw(np.random.default_rng(1000 + seed))
        order = np.random.default_rng(seed).permutation(len(test[1]))
        own, rest = rows_of(test, order[:OWN]), rows_of(test, order[OWN : OWN + OTHERS])
        asked = {"writer": (writer.write(rest[0]), rest[1]), "everyone": rest}
        one: dict[str, Any] = {"slant": writer.slant, "turn_degrees": writer.turn_degrees, "stroke": writer.stroke}
        one["before"] = {who: accuracy(whole, whole.network, whole.about.labels, of) for who, of in asked.items()}
        for mode in MODES:
            rng = np.random.default_rng(seed)
            written = writer.write(own[0]), own[1]
            made = adapt(whole, written, mode, rng=rng, clock=time.perf_counter, rate=KNOWN_RATE)
            one[mode] = {who: accuracy(whole, made.network, made.labels, of) for who, of in asked.items()}
        found.append(one)
    return found


def report(result: dict[str, Any]) -> str:
    """What was reached, how long it took, whether the text's ordering holds, and the writers."""
    parts = [reached(result), times(result), "\n".join(ordering(result)), hands(result), "\n".join(goals(result))]
    return "\n\n".join([*parts, *anew(result)])


def short(result: dict[str, Any]) -> str:
    """What was reached, and the times."""
    return "\n\n".join([reached(result), times(result), hands(result)])


def reached(result: dict[str, Any]) -> str:
    """Accuracy by examples and mode: mean ± standard deviation over the seeds."""
    names = list(next(iter(result["modes"].values())))
    rows: list[list[object]] = []
    for size, by in result["modes"].items():
        for mode in MODES:
            found = [by[name][mode]["accuracy"] if name in by else [] for name in names]
            shown = [f"{np.mean(one):.4f} ± {deviation(one):.4f} ({len(one)})" if one else "" for one in found]
            rows.append([size, mode, *shown])
    return table(["examples", "mode", *(f"{name}, mean ± sd (seeds)" for name in names)], rows)


def times(result: dict[str, Any]) -> str:
    """Seconds an epoch, most examples."""
    size, by = next(iter(result["modes"])), timed(result)
    rows: list[list[object]] = []
    for mode in MODES:
        mine = by["NumPy"][mode]
        once = f"{np.median(mine['front_s']):.2f}" if any(mine["front_s"]) else ""
        rows.append([mode, mine["trainable"], mine["parameters"] - mine["trainable"]])
        rows[-1] += [words(spread(mine["epoch_s"]), 3), once]
        if "Keras" in by:
            theirs = by["Keras"][mode]["epoch_s"]
            rows[-1] += [words(spread(theirs), 3), words(ratio(mine["epoch_s"][: len(theirs)], theirs))]
    head = [f"{size} examples, {result['threads']} thread", "trained", "frozen", "NumPy, s an epoch", "once, s"]
    return table([*head, "Keras, s an epoch", "NumPy / Keras"][: len(rows[0])], rows)


def timed(result: dict[str, Any]) -> dict[str, Any]:
    """What was measured with most examples; the times alone may have been measured later."""
    return dict(result.get("times") or next(iter(result["modes"].values())))


def ordering(result: dict[str, Any]) -> list[str]:
    """Whether freeze > reset > all, as the text has it; pairs of the same examples, mean ± standard error."""
    said = []
    for name, modes in next(iter(result["modes"].values())).items():
        ours = sorted(MODES, key=lambda mode: -np.mean(modes[mode]["accuracy"]))
        pairs = []
        for better, worse in (TEXT[:2], TEXT[1:], (TEXT[0], TEXT[2])):
            gain = 100 * (np.array(modes[better]["accuracy"]) - modes[worse]["accuracy"])
            pairs.append(f"{better} − {worse} {gain.mean():+.2f} ± {deviation(gain) / np.sqrt(len(gain)):.2f}")
        holds = "holds" if tuple(ours) == TEXT else "does not hold"
        wanted, got = " > ".join(TEXT), " > ".join(ours)
        said.append(f"{name}: the text's ordering {wanted} {holds}; here {got}: {', '.join(pairs)} points.")
    return said


def hands(result: dict[str, Any]) -> str:
    """Means over the writers, and the least."""
    of = result["writers"]
    rows: list[list[object]] = []
    for mode in ("before", *MODES):
        entries = [[one[mode][who] for one in of] for who in ("writer", "everyone")]
        rows.append([mode, float(np.mean(entries[0])), float(np.min(entries[0])), float(np.mean(entries[1]))])
    return table([f"{len(of)} writers, {OWN} digits each", "that writer", "the worst", "everyone"], rows)


def goals(result: dict[str, Any]) -> list[str]:
    """What was wanted, and whether it was reached."""
    mean = float(np.mean(next(iter(result["modes"].values()))["NumPy"]["freeze"]["accuracy"]))
    by = timed(result)
    mine = by["NumPy"]
    said = [f"freeze, mean {mean:.4f}: goal ≥ {GOAL} {met(mean >= GOAL)}."]
    for other in ("all", "reset"):
        share = ratio(mine["freeze"]["epoch_s"], mine[other]["epoch_s"])
        good = share["median"] <= FROZEN_GOAL
        said.append(f"A frozen epoch / one of {other}: {words(share)}, goal ≤ {FROZEN_GOAL} {met(good)}.")
    if "Keras" in by:
        for mode in MODES:
            theirs = by["Keras"][mode]["epoch_s"]
            share = ratio(mine[mode]["epoch_s"][: len(theirs)], theirs)
            good = share["median"] <= 1
            said.append(f"NumPy's epoch / Keras', {mode}: {words(share)}, goal ≤ 1 {met(good)}.")
    return said


def met(good: bool) -> str:
    """In a word."""
    return "reached" if good else "**missed**"


def deviation(values: Any) -> float:
    """The standard deviation over the seeds."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def drawing(result: dict[str, Any]) -> str:
    """The curves of the first seed as SVG."""
    curves = {
        mode: [Epoch(number, *values) for number, values in enumerate(curve, 1)]
        for mode, curve in result["curves"].items()
    }
    size = next(iter(result["modes"]))
    return modes_drawing(curves, f"Digits 5 to 9 from {size} examples, the network of digits 0 to 4").svg()
