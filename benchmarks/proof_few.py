"""One, two, three … examples a class: how many heads are right, in every way to look, on people that chose nothing.

**Digits** (sign_digits): pictures of many people, told apart by their numbers; those of every other person, the first,
third and so on, teach. *Chosen*: asked are the others of these people; settings may be chosen on that. *Reported*:
asked are all other people. **Poses** (cmu_faces): six people for either half; three of them, drawn, teach and the other
three are asked. **Rooms** (hands_sessions): taught in one of two sessions, asked in the other; another two for the
other half.

Examples are drawn anew each time, each stands for itself (a take of its own), and is one in which something was found.
Asked is everything; where nothing is found, the answer is wrong. *said*: how sure the answers of the ridge head were
where something was found, and how many of these were right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.look_ways import Way
from benchmarks.pictures import Pictures
from benchmarks.record import table
from edge_tl.heads.base import TaughtRows
from edge_tl.judge.confidence import Confidence
from edge_tl.recognizer import Recognizer

COUNTS = (1, 2, 3, 5, 10, 20)
HEADS = ("ridge", "softmax", "prototype", "knn")
HALVES = ("chosen", "reported")
DRAWS = 30
MANY, DRAWS_OF_MANY = 10, 10
"""From so many examples a class on fewer draws do."""
PEOPLE_APART = 5
"""Pictures of one person are numbered on from the digit 0; another person begins at least so much later."""
SESSIONS = {"chosen": ("session_2", "session_3"), "reported": ("session_5", "session_15")}
SAID = 3
"""Up to so many examples a class it is told how sure the answers are."""


def signers(pictures: Pictures) -> np.ndarray:
    """int64 (N,): who shows the digit in each picture of sign_digits, in the order of the pictures' numbers."""
    numbers = np.array([int(re.sub(r"\D", "", path.stem)) for path in pictures.paths])
    begins, which = np.unique(numbers - pictures.labels.astype(int), return_inverse=True)
    return np.cumsum(np.r_[0, np.diff(begins) >= PEOPLE_APART])[which]


def sides(kind: str, pictures: Pictures, half: str, draw: int) -> tuple[np.ndarray, np.ndarray]:
    """bool (N,) twice: who may teach in this draw, and who is asked; disjoint but for the digits' chosen half."""
    if kind == "digits":
        odd = signers(pictures) % 2 == 0  # the first is number 0
        return odd, odd if half == "chosen" else ~odd
    if kind == "poses":
        mine = np.unique(pictures.groups)[HALVES.index(half) :: 2]
        mine = np.random.default_rng(draw).permutation(mine)
        return np.isin(pictures.groups, mine[:3]), np.isin(pictures.groups, mine[3:])
    pair = SESSIONS[half][:: 1 if draw % 2 else -1]
    return pictures.groups == pair[0], pictures.groups == pair[1]


def drawn(kind: str, way: Way, half: str, count: int, draws: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions of what is taught, `count` of each class where there are so many, and what is asked, draw by draw."""
    pictures, found = way.seen.pictures, way.seen.X.any(axis=1)
    for draw in range(draws):
        random = np.random.default_rng([draw, count])
        teach, ask = sides(kind, pictures, half, draw)
        taught = np.concatenate(
            [
                random.permutation(np.flatnonzero(teach & found & (pictures.labels == label)))[:count]
                for label in np.unique(pictures.labels)
            ]
        )
        yield taught, np.setdiff1d(np.flatnonzero(ask), taught)


def curve(kind: str, way: Way, half: str, count: int, heads: tuple[str, ...] = HEADS, draws: int = 0) -> dict[str, Any]:
    """The mean accuracy of each head after so many examples a class, and what ridge said of itself."""
    recognizer = Recognizer(way.embedder)
    X, y = recognizer.features(way.seen.X, way.seen.shape), way.seen.y
    found = way.seen.X.any(axis=1)
    right: dict[str, list[float]] = {name: [] for name in heads}
    said: list[tuple[float, float]] = []
    for taught, asked in drawn(kind, way, half, count, draws or (DRAWS if count < MANY else DRAWS_OF_MANY)):
        rows = TaughtRows(X[taught], y[taught], np.arange(len(taught)))
        seen = asked[found[asked]]
        for name in heads:
            head = recognizer.new_head(name).fit(rows.X, rows.y, rows.takes)
            right[name].append(float((head.predict(X[seen]) == y[seen]).sum() / len(asked)))
            if name == "ridge" and count <= SAID:
                sure = Confidence().fit(recognizer.new_head, head, rows)
                proba = sure(head.predict_proba(X[seen]), X[seen])
                named = head.classes_[proba.argmax(axis=1)]
                said.append((float(proba.max(axis=1).mean()), float(np.mean(named == y[seen]))))
    result: dict[str, Any] = {name: float(np.mean(values)) for name, values in right.items()}
    if said:
        result |= dict(zip(("said", "said_right"), np.mean(said, axis=0).tolist(), strict=True))
    return result


def measure(ways: dict[str, dict[str, Way]]) -> dict[str, Any]:
    """By kind (`digits`, `poses`, `rooms`), way to look, half and number of examples a class."""
    return {
        kind: {
            name: {half: {str(count): curve(kind, way, half, count) for count in COUNTS} for half in HALVES}
            for name, way in of.items()
        }
        for kind, of in ways.items()
    }


def report(result: dict[str, Any]) -> str:
    """The default head's curves on the reported half, every head with one and two examples, and what ridge says."""
    curves: list[list[object]] = []
    others: list[list[object]] = []
    for kind, of in result.items():
        for name, halves in of.items():
            reported = halves["reported"]
            curves.append([kind, name, *[float(reported[str(count)]["ridge"]) for count in COUNTS]])
            row: list[object] = [kind, name]
            for count in ("1", "2"):
                row += [float(reported[count][head]) for head in HEADS]
            one = reported["1"]
            others.append([*row, f"{one['said']:.2f} where {one['said_right']:.2f}"])
    first = table(["ridge, reported half", "looked with", *[f"{count} a class" for count in COUNTS]], curves)
    heads = [f"{head}, {count}" for count in (1, 2) for head in HEADS]
    second = table(["1 and 2 a class", "looked with", *heads, "with 1 says … where … are right"], others)
    return f"{first}\n\n{second}"
