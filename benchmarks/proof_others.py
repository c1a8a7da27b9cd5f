"""What other people get where "none of these" may be answered: do their right answers pass, and unknown ones not?

Some people teach all classes but one, the others of the same half are asked: what they show of the taught classes, and
what they show of the class that nobody taught, each class left out in turn. cmu_faces: poses, a picture with sunglasses
is of another take; sign_digits: people told apart by their numbers, each picture a take. *Chosen*: every other person;
the settings of made strangers were chosen there, and the deviations of people (`made_heads.PEOPLE`) are of these.
*Reported*: the rest. Only pictures in which something is found count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.look_ways import Way
from benchmarks.pictures import numbers
from benchmarks.proof_few import HALVES, signers
from benchmarks.record import table
from edge_tl.core.kept import from_kept

PEOPLE = {"poses": (1, 2, 3), "digits": (5, 10)}
"""So many teach."""
DRAWS = 6
GOALS = "Goals: right answers that pass ≥ 0.85, unknown ones ≤ 0.05."


def drawn(way: Way, kind: str, half: str, count: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """What is taught, asked and unknown, bool (N,) each: draw by draw, each class left out."""
    pictures, y, found = way.seen.pictures, way.seen.y, way.seen.X.any(axis=1)
    people = signers(pictures) if kind == "digits" else numbers(pictures.groups)
    mine = np.unique(people)[HALVES.index(half) :: 2]
    for number in range(DRAWS):
        turned = np.random.default_rng(number).permutation(mine) if count > 1 else np.roll(mine, -number)
        teach, ask = np.isin(people, turned[:count]) & found, np.isin(people, turned[count:]) & found
        for label in np.unique(y):
            yield teach & (y != label), ask & (y != label), ask & (y == label)


def eyes(way: Way) -> np.ndarray:
    """int64 (N,): the takes of cmu_faces by person, pose and sunglasses."""
    names = [
        f"{path.parent.name} {path.stem.split('_')[0]} {path.stem.split('_')[2]}" for path in way.seen.pictures.paths
    ]
    return numbers(np.array(names))


def one(way: Way, taught: np.ndarray, asked: np.ndarray, unknown: np.ndarray) -> dict[str, float]:
    """Of the asked: named rightly, of these answered, and right and answered of all; of the unknown: answered."""
    recognizer = way.teach(taught, reject=True)
    known = [recognizer.recognize(from_kept(row)) for row in way.seen.X[asked]]
    right = np.array([seen.best for seen in known]) == way.seen.y[asked]
    answered = np.array([seen.label is not None for seen in known])
    strange = [recognizer.recognize(from_kept(row)).label is not None for row in way.seen.X[unknown]]
    return {
        "ready": float(recognizer.rejector.ready),
        "right": float(right.mean()),
        "pass": float(answered[right].mean()) if right.any() else 0.0,
        "got": float((right & answered).mean()),
        "unknown": float(np.mean(strange)),
    }


def measure(ways: dict[str, dict[str, Way]]) -> dict[str, Any]:
    """By kind, way to look, half and number of people who teach: the means over draws and classes left out."""
    result: dict[str, Any] = {}
    for kind, counts in PEOPLE.items():
        for name, way in ways[kind].items():
            way = replace(way, takes=eyes(way)) if kind == "poses" else way
            for half in HALVES:
                for count in counts:
                    turns = [one(way, *masks) for masks in drawn(way, kind, half, count)]
                    means = {key: float(np.mean([turn[key] for turn in turns])) for key in turns[0]}
                    result.setdefault(kind, {}).setdefault(name, {}).setdefault(half, {})[str(count)] = {
                        "turns": len(turns),
                        **means,
                    }
    return result


def report(result: dict[str, Any]) -> str:
    """One row a way to look, half and number of people."""
    rows: list[list[object]] = [
        [kind, name, half, count, found["right"], found["pass"], found["got"], found["unknown"]]
        for kind, ways in result.items()
        for name, halves in ways.items()
        for half, counts in halves.items()
        for count, found in counts.items()
    ]
    head = ["shown", "way", "half", "people who teach", "named rightly", "of these pass", "right and answered"]
    return table([*head, "unknown pass"], rows) + f"\n\n{GOALS}"
