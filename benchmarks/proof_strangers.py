"""“None of these”: who passes, of those that were never taught? ROC on hands, faces and noise."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from benchmarks.pictures import Embedded, numbers
from benchmarks.record import table
from edge_tl.core.features import FeatureMap
from edge_tl.core.metrics import Roc, roc
from edge_tl.embedders.embedder import Embedder
from edge_tl.heads.rejection import Rejector

TAUGHT = 30
"""Pictures a digit that are taught; as many are asked."""
TAKE = 5
"""Pictures in a take: five in the order in which they were taken."""
PEOPLE_OUT = 4
FALSE_RATES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
"""Where a curve is kept: the share of known pictures that are refused."""
NOISE = 60


def noise(embedder: Embedder, shape: tuple[int, ...]) -> np.ndarray:
    """Rows of pictures of nothing: uniform noise of fine to coarse grain, and evenly grey pictures."""
    pictures = []
    for i in range(NOISE):
        random = np.random.default_rng(i)
        grain = (1, 2, 4, 8, 16, 96)[i % 6]
        small = random.integers(0, 256, (96 // grain, 96 // grain, 3)).astype(np.uint8)
        pictures.append(np.repeat(np.repeat(small, grain, axis=0), grain, axis=1))
    return FeatureMap()(np.stack([embedder.embed(picture) for picture in pictures]), shape)


def hands_taught(digits: Embedded, others: dict[str, np.ndarray], choices: int | None = None) -> list[dict[str, Any]]:
    """For each choice of four digits (or for some of the 15), curves against the two other digits and `others`."""
    X, y = digits.rows(), digits.y
    found = []
    everything = list(combinations(np.unique(y), 4))
    for choice in everything[:: len(everything) // choices if choices else 1]:
        taught, asked = [], []
        for number, label in enumerate(choice):
            order = np.random.default_rng([number, TAUGHT]).permutation(np.flatnonzero(y == label))
            taught.append(np.sort(order[:TAUGHT]))
            asked.append(order[TAUGHT:])
        rows, known = np.concatenate(taught), X[np.concatenate(asked)]
        rejector = Rejector().fit(X[rows], y[rows], np.arange(len(rows)) // TAKE)
        strange = {"other digits": X[~np.isin(y, choice)], **others}
        found.append({kind: judged(rejector, known, them) for kind, them in strange.items()})
    return found


def faces_taught(faces: Embedded, others: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Poses of eight people taught, the four others known but unseen, in three turns; curves against `others`."""
    X, y, people = faces.rows(), faces.y, numbers(faces.groups)
    takes = numbers(np.char.add(np.char.add(faces.groups, "/"), y))
    found = []
    for first in range(0, people.max() + 1, PEOPLE_OUT):
        out = (people >= first) & (people < first + PEOPLE_OUT)
        rejector = Rejector().fit(X[~out], y[~out], takes[~out])
        found.append({kind: judged(rejector, X[out], them) for kind, them in others.items()})
    return found


def judged(rejector: Rejector, known: np.ndarray, strange: np.ndarray) -> tuple[Roc, float, float]:
    """The curve, and at the rejector's own threshold the shares of the known and of the strangers that pass."""
    curve = roc(rejector.novelty(known), rejector.novelty(strange))
    return curve, float(rejector.known(known).mean()), float(rejector.known(strange).mean())


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over the turns, by kind of stranger."""
    result = {}
    for kind in found[0]:
        turns = [turn[kind] for turn in found]
        points = np.mean([[curve.true_rate_at(rate) for rate in FALSE_RATES] for curve, _, _ in turns], axis=0)
        result[kind] = {
            "auroc": np.mean([curve.area for curve, _, _ in turns]),
            "auroc_least": min(curve.area for curve, _, _ in turns),
            "pass_at_95_known": 1 - points[FALSE_RATES.index(0.05)],
            "pass_at_threshold": np.mean([strange for _, _, strange in turns]),
            "known_at_threshold": np.mean([known for _, known, _ in turns]),
            "roc": {"known_refused": FALSE_RATES, "strangers_refused": points},
        }
    return result


def measure(
    digits: dict[str, Embedded],
    faces: dict[str, Embedded],
    hands: dict[str, Embedded],
    embedders: dict[str, Embedder],
) -> dict[str, Any]:
    """Hands taught against other digits, faces and noise; faces taught against hands and noise; by embedder."""
    result: dict[str, Any] = {"accept": Rejector().accept, "pool": FeatureMap().pool}
    for name in digits:
        nothing = noise(embedders[name], digits[name].shape)
        hand_rows = np.concatenate([digits[name].rows(), hands[name].rows()])
        result[name] = {
            "digits": summary(hands_taught(digits[name], {"faces": faces[name].rows(), "noise": nothing})),
            "poses": summary(faces_taught(faces[name], {"hands": hand_rows, "noise": nothing})),
        }
    return result


def report(result: dict[str, Any]) -> str:
    """A table, and the curve against the hardest strangers."""
    rows: list[list[object]] = []
    drawings = []
    for name, of in result.items():
        if not isinstance(of, dict):
            continue
        for taught, kinds in of.items():
            for kind, value in kinds.items():
                keys = ("auroc", "auroc_least", "pass_at_95_known", "known_at_threshold", "pass_at_threshold")
                rows.append([name, taught, kind, *[float(value[key]) for key in keys]])
        drawings.append(f"{name}: digits taught, strangers refused (up) against known refused (right)")
        drawings.append(drawn(of["digits"]["other digits"]["roc"], of["digits"]["faces"]["roc"]))
    head = ["embedder", "taught", "strangers", "AUROC", "least", "pass at 95 % known", "known pass", "strangers pass"]
    return table(head, rows) + "\n\n" + "\n".join(drawings)


def drawn(digits: dict[str, Any], faces: dict[str, Any], columns: int = 51, lines: int = 11) -> str:
    """Two curves in text: `o` against other digits, `x` against faces, `.` chance."""
    at = np.linspace(0, 1, columns)
    canvas = [[" "] * columns for _ in range(lines)]
    for sign, heights in (
        (".", at),
        ("o", np.interp(at, digits["known_refused"], digits["strangers_refused"])),
        ("x", np.interp(at, faces["known_refused"], faces["strangers_refused"])),
    ):
        for column, height in enumerate(heights):
            canvas[lines - 1 - round(float(height) * (lines - 1))][column] = sign
    text = [f"{1 - i / (lines - 1):4.1f} |{''.join(line)}" for i, line in enumerate(canvas)]
    return "\n".join(
        [*text, "     +" + "-" * columns, "      0    (o other digits, x faces, . chance)" + "1".rjust(columns - 38)]
    )
