"""Does the accuracy that other people get lie in the 95 % interval that `evaluate` states?

Of cmu_faces (12 people) and sign_digits (people told apart by their numbers) some people are drawn and teach a ridge
head; the interval is that of each left out in turn. *Got* is the share of right answers of the others of the same half.
*Chosen*: every other person; `metrics.SPREAD` was chosen on that. *Reported*: the rest. Where something is looked for,
only pictures in which it is found count, for both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.look_ways import Way
from benchmarks.proof_few import HALVES, signers
from benchmarks.record import table
from edge_tl.core.folds import whole_sessions
from edge_tl.core.metrics import grouped_interval
from edge_tl.heads.base import TaughtRows
from edge_tl.judge.validation import cross_validate, fitted_ridge
from edge_tl.recognizer import Recognizer

PEOPLE = {"poses": (2, 3, 4), "digits": (2, 3, 4, 6, 8)}
"""So many teach."""
DRAWS = {"poses": 15, "digits": 25}
MAX_TAUGHT, MAX_ASKED = 500, 1000


def draw(way: Way, kind: str, half: str, count: int, number: int) -> tuple[float, float, float]:
    """The interval that so many people give, and what the others of their half get."""
    recognizer = Recognizer(way.embedder)
    found = way.seen.X.any(axis=1)
    X, y = recognizer.features(way.seen.X[found], way.seen.shape), way.seen.y[found]
    pictures = way.seen.pictures
    people = (signers(pictures) if kind == "digits" else way.seen.takes())[found]
    random = np.random.default_rng([number, count])
    drawn = random.permutation(np.unique(people)[HALVES.index(half) :: 2])
    taught = np.flatnonzero(np.isin(people, drawn[:count]))
    taught = np.sort(random.permutation(taught)[:MAX_TAUGHT])
    asked = np.flatnonzero(np.isin(people, drawn[count:]) & np.isin(y, y[taught]))
    asked = random.permutation(asked)[:MAX_ASKED]
    rows = TaughtRows.check(X[taught], y[taught], people[taught])
    came = cross_validate(recognizer.new_head, rows, whole_sessions(rows.y, people[taught]))
    right = (came.y_true == came.y_pred)[came.judged]
    (low, high), _ = grouped_interval(right, came.folds[came.judged])
    head = fitted_ridge(recognizer.new_head, rows)
    assert head is not None
    return low, high, float((head.predict(X[asked]) == y[asked]).mean())


def measure(ways: dict[str, dict[str, Way]]) -> dict[str, Any]:
    """By kind, way to look, half and number of people: in how many draws it held, and how wide it was."""
    result: dict[str, Any] = {}
    for kind, counts in PEOPLE.items():
        for name, way in ways[kind].items():
            for half in HALVES:
                for count in counts:
                    drawn = np.array([draw(way, kind, half, count, number) for number in range(DRAWS[kind])])
                    held = (drawn[:, 0] <= drawn[:, 2]) & (drawn[:, 2] <= drawn[:, 1])
                    one = {
                        "draws": len(held),
                        "held": int(held.sum()),
                        "wide": float(np.ptp(drawn[:, :2], axis=1).mean()),
                    }
                    result.setdefault(kind, {}).setdefault(name, {}).setdefault(half, {})[str(count)] = one
    return result


def report(result: dict[str, Any]) -> str:
    """The share of draws whose interval holds what others get, and its width, by half and number of people."""
    rows: list[list[object]] = []
    for half in HALVES:
        for count in sorted({int(count) for of in PEOPLE.values() for count in of}):
            some = [of[half][str(count)] for ways in result.values() for of in ways.values() if str(count) in of[half]]
            draws, held = sum(one["draws"] for one in some), sum(one["held"] for one in some)
            rows.append([half, count, draws, held / draws, float(np.mean([one["wide"] for one in some]))])
    return table(["half", "people who teach", "draws", "held", "wide"], rows)
