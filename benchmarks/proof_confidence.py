"""Do probabilities mean what they say, where it was taught and elsewhere? Before and after `judge/confidence.py`.

simulated     a head before the camera, 1 to 4 takes of each of five poses, each take another scene; asked are fresh
              frames of the scenes that were taught (here), and frames of other scenes (elsewhere)
hands         hands_sessions: two sessions taught, the first 70 % of each class in two takes; asked are the last 30 % of
              these sessions (here, a little later) and the other sessions (elsewhere)
faces         cmu_faces: eight people, every fourth picture left out and asked (here), and four other people (elsewhere)
digits        sign_digits: 20 pictures a digit, each of another person, in takes of five; all others asked (elsewhere)
words         six Arabic words, one speaker's first six recordings; the other four (here), other speakers (elsewhere)

"before" is the head's own probabilities, one temperature for all places. Settings were chosen on every other choice of
each set (`chosen`); the figures are of the rest (`shown`), with the chosen beside them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.look_ways import features_of
from benchmarks.pictures import Embedded, numbers
from benchmarks.proof_words import Spoken, arabic
from benchmarks.record import table
from edge_tl.core.features import Features
from edge_tl.embedders.embedder import Embedder, SoundEmbedder, embed_kept
from edge_tl.heads import make_head
from edge_tl.heads.base import TaughtRows
from edge_tl.judge.calibration import reliability
from edge_tl.judge.confidence import Confidence
from edge_tl.sources.simulated import POSES, SimulatedPlayer

HEADS = ("ridge", "softmax", "mlp", "knn", "prototype")
TAKE_FRAMES, FRESH_FRAMES = 20, 10
SEEDS, SCENES, OTHER_SCENES, MAX_TAKES = 6, 6, 2, 4
SURE = 0.6
"""What steers: the controller's threshold."""


@dataclass(frozen=True)
class Case:
    """One choice of what is taught and what is asked."""

    name: str
    half: str
    """`chosen`: settings were chosen on it; `shown`."""
    X: np.ndarray
    """(N, F) float32 rows."""
    y: np.ndarray
    takes: np.ndarray
    sessions: np.ndarray
    taught: np.ndarray
    """bool (N,)."""
    asked: dict[str, np.ndarray]
    """`here` and `elsewhere`: bool (N,)."""
    in_time: bool = True


def half(number: int) -> str:
    """Even choices chose the settings, odd ones are shown."""
    return "shown" if number % 2 else "chosen"


def simulated(name: str, embedder: Embedder, seeds: range = range(SEEDS)) -> Iterator[Case]:
    """The simulated head, looked at so."""
    features: Features = features_of(embedder)
    for seed in seeds:
        player = SimulatedPlayer(seed=seed)
        player.open()
        scene, labels, number, rows = [], [], [], []
        for place in range(SCENES):
            for pose in POSES:
                player.pose = pose
                player.new_session()
                frames = 0
                while frames < TAKE_FRAMES + FRESH_FRAMES:
                    frame = player.read()
                    if not player.settled:
                        continue
                    rows.append(embed_kept(embedder, frame.data))
                    scene.append(place)
                    labels.append(pose)
                    number.append(frames)
                    frames += 1
        X = features(np.stack(rows), embedder.embedding_shape)
        places, fresh, y = np.array(scene), np.array(number) >= TAKE_FRAMES, np.array(labels)
        takes = places * len(POSES) + numbers(y)
        for count in range(1, MAX_TAKES + 1):
            known = places < count
            asked = {"here": known & fresh, "elsewhere": (places >= SCENES - OTHER_SCENES) & fresh}
            case = f"simulated {name}, {count} take{'s' if count > 1 else ''}"
            yield Case(case, half(seed), X, y, takes, np.zeros(len(y), int), known & ~fresh, asked)


def hands(name: str, embedder: Embedder, seen: Embedded) -> Iterator[Case]:
    """One person's hands, two sessions taught."""
    X, y, session = features_of(embedder)(seen.X, seen.shape), seen.y, seen.takes()
    found, place = X.any(axis=1), np.zeros(len(y))
    for one in np.unique(session):
        for label in np.unique(y):
            own = np.flatnonzero((session == one) & (y == label))
            place[own] = np.arange(len(own)) / max(1, len(own))
    takes = (session * 10 + numbers(y)) * 2 + (place > 0.35)
    large = [one for one in np.unique(session) if (session == one).sum() > 60]
    pairs = [(a, b) for a in large for b in large if a < b]
    for number, pair in enumerate(pairs):
        known = np.isin(session, pair)
        asked = {"here": known & (place >= 0.7) & found, "elsewhere": ~known & found}
        yield Case(f"hands {name}", half(number), X, y, takes, session, known & (place < 0.7) & found, asked)


def faces(name: str, embedder: Embedder, seen: Embedded) -> Iterator[Case]:
    """Where people look, eight people taught."""
    X, y, person = features_of(embedder)(seen.X, seen.shape), seen.y, seen.takes()
    found, place = X.any(axis=1), np.zeros(len(y), int)
    for one in np.unique(person):
        for label in np.unique(y):
            own = np.flatnonzero((person == one) & (y == label))
            place[own] = np.arange(len(own))
    for number, first in enumerate(range(0, person.max() + 1, 4)):
        known = (person < first) | (person >= first + 4)
        asked = {"here": known & (place % 4 == 3) & found, "elsewhere": ~known & found}
        takes = person * 10 + numbers(y)
        yield Case(f"faces {name}", half(number), X, y, takes, person, known & (place % 4 != 3) & found, asked)


def digits(name: str, embedder: Embedder, seen: Embedded, choices: int = 4) -> Iterator[Case]:
    """Many people's hands, each picture another's."""
    X, y = features_of(embedder)(seen.X, seen.shape), seen.y
    found = X.any(axis=1)
    for number in range(choices):
        random, taught, takes = np.random.default_rng(number), np.zeros(len(y), bool), np.zeros(len(y), int)
        for code, label in enumerate(np.unique(y)):
            own = np.sort(random.permutation(np.flatnonzero((y == label) & found))[:TAKE_FRAMES])
            taught[own], takes[own] = True, code * 100 + np.arange(len(own)) // 5
        nowhere = np.zeros(len(y), int)
        yield Case(f"digits {name}", half(number), X, y, takes, nowhere, taught, {"elsewhere": ~taught & found})


def words(embedder: SoundEmbedder) -> Iterator[Case]:
    """Six Arabic words, one speaker taught; the rows of a recording are its views, of which the middle one is asked."""
    files, views = arabic(), embedder.views
    of = Spoken(files, embedder)
    X = embedder.features(of.X.reshape(len(files) * views, -1), embedder.embedding_shape)
    middle = np.tile(np.arange(views) == views // 2, len(files))
    recording = np.repeat([int(path.stem.split("_")[-1]) for _, _, path in files], views)
    y, speaker = np.repeat(of.y, views), np.repeat(numbers(of.speakers), views)
    takes, nowhere = np.repeat(np.arange(len(files)), views), np.zeros(len(y), int)
    for one in np.unique(speaker):
        own, first = speaker == one, recording <= 6
        asked = {"here": own & ~first & middle, "elsewhere": ~own & middle}
        yield Case("words", half(int(one)), X, y, takes, nowhere, own & first, asked, in_time=False)


def judged(case: Case, head: str) -> dict[str, dict[str, tuple[float, ...]]]:
    """Of a case, for `here` and `elsewhere`: right, and before and after: mean confidence, error, sure and right or
    wrong."""
    X, y, takes = case.X[case.taught], case.y[case.taught], case.takes[case.taught]
    made = make_head(head).fit(X, y, takes)
    taught = TaughtRows(X, y, takes.astype(np.int64))
    sure = Confidence().fit(lambda: make_head(head), made, taught, case.sessions[case.taught], in_time=case.in_time)
    found = {}
    for where, rows in case.asked.items():
        if rows.any():
            before = made.predict_proba(case.X[rows])
            told = {"before": before, "after": sure(before, case.X[rows])}
            found[where] = {key: figures(p, made.classes_, case.y[rows]) for key, p in told.items()}
    return found


def figures(proba: np.ndarray, classes: np.ndarray, y: np.ndarray) -> tuple[float, ...]:
    """The shares of right answers, the mean confidence, the expected calibration error, and the shares of answers that
    are sure enough to steer and right, and sure enough and wrong."""
    confidence, right = proba.max(axis=1), classes[proba.argmax(axis=1)] == y
    sure = confidence >= SURE
    return (
        float(right.mean()),
        float(confidence.mean()),
        reliability(confidence, right).error,
        float((sure & right).mean()),
        float((sure & ~right).mean()),
    )


def measure(cases: list[Case], heads: tuple[str, ...] = HEADS) -> dict[str, Any]:
    """By head, case and half: the means over the choices."""
    every: dict[str, Any] = {}
    for head in heads:
        for case in cases:
            for where, told in judged(case, head).items():
                place = every.setdefault(head, {}).setdefault(f"{case.name}: {where}", {}).setdefault(case.half, {})
                for key, values in told.items():
                    place.setdefault(key, []).append(values)
    names = ("right", "confidence", "error", "sure_right", "sure_wrong")
    for of_head in every.values():
        for of_case in of_head.values():
            for told in of_case.values():
                for key, values in told.items():
                    told[key] = dict(zip(names, np.mean(values, axis=0).tolist(), strict=True))
    return every


def report(result: dict[str, Any]) -> str:
    """A table a head: the shown half, with the error of the chosen one beside it."""
    parts = []
    for head, cases in result.items():
        if not isinstance(cases, dict) or head == "later":
            continue
        rows: list[list[object]] = []
        for name, halves in cases.items():
            of = halves.get("shown", halves.get("chosen"))
            one, two = of["before"], of["after"]
            chosen = halves.get("chosen", of)
            rows.append(
                [
                    name,
                    one["right"],
                    *[
                        f"{one[key]:.2f} → {two[key]:.2f}"
                        for key in ("confidence", "error", "sure_right", "sure_wrong")
                    ],
                    f"{chosen['before']['error']:.2f} → {chosen['after']['error']:.2f}",
                ]
            )
        columns = [
            "asked",
            "right",
            "confidence",
            "ECE",
            f"≥ {SURE:.0%} sure and right",
            "and wrong",
            "ECE, chosen half",
        ]
        parts.append(f"{head}\n\n" + table([f"{head}: {columns[0]}", *columns[1:]], rows))
    return "\n\n".join(parts)
