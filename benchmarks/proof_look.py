"""Another day, another place, another person: does it help to find the hand or the face first?

**The split.** hands_sessions: one person shows 0 … 5 fingers in four sessions, rooms and days apart; frames of one
session are near-duplicates, so a session is never on both sides. *One*: taught on all pictures of one session, asked
all pictures of each other one (12 pairs). *Three*: taught on three, asked the fourth (4 turns). *A few*: as three,
thinned to BASE pictures of each class and session, plus 1, 3 or 5 of each class of the fourth, drawn by SEEDS seeds,
never more than half of what there is; asked the rest of the fourth. Faces: taught on eleven of the twelve people of
cmu_faces, asked the twelfth.

**The score** is the mean of the classes' recalls (chance 1/6), for faces the accuracy (poses are equally frequent). A
picture in which nothing is found is wrong. Every head is the Recognizer's ridge with the product's defaults; a take
is a run of pictures of one label, of faces a pose of one person. Nothing is chosen on what is asked. SOURCES.md has
these four sessions only; further ones are kept out of it on purpose, so the third column of section J cannot be
repeated.

**Boxes.** `box` is a rectangle of the picture that is drawn once. Three rectangles, of boxes that a person drew
around each hand: around all hands of the taught sessions, and around the middle one (median sides, 1.4 times as
large), both then used in the asked sessions too; and drawn anew in each session around all its hands. Beside them
what nobody has: a rectangle around the hand of each picture, 1.4 times as large, which bounds what finding it without
turning it upright can give.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.look_ways import (
    Way,
    answers,
    around_all,
    as_box,
    hand_boxes,
    mean_recall,
    middle_box,
    see_in_box,
    takes_of,
    wider,
)
from benchmarks.pictures import Embedded, Pictures, numbers
from benchmarks.record import table
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.look.embedders import BoxEmbedder

HANDS = ("frame", "hand-crop", "hand")
FACES = ("frame", "face", "face-crop")
FEW = (0, 1, 3, 5)
SEEDS = 10
BASE = 20
GOALS = {"hand": (0.88, 0.93), "hand-crop": (None, 0.80)}
FACE_GOALS = (0.97, 0.85)
BOXES = {
    "box around all taught hands": "all",
    "box around the middle taught hand": "middle",
    "box drawn anew in each session": "anew",
    "true box of each picture": "true",
}
Look = Callable[[np.ndarray], Way]
"""The pictures as seen by whoever teaches those of a mask, bool (N,)."""


def taught_and_asked(way: Way, taught: np.ndarray, asked: np.ndarray) -> float:
    """The mean recall on the pictures of one mask after those of another were taught."""
    return mean_recall(way.seen.y[asked], answers(way.teach(taught), way.seen.X[asked]))


def on_one(look: Look, groups: np.ndarray) -> dict[str, dict[str, float]]:
    """Taught on one session, then on another one asked: recall by taught and asked session."""
    found: dict[str, dict[str, float]] = {}
    for session in np.unique(groups):
        way = look(groups == session)
        others = [other for other in np.unique(groups) if other != session]
        recognizer = way.teach(groups == session)
        named = answers(recognizer, way.seen.X)
        found[str(session)] = {str(o): mean_recall(way.seen.y[groups == o], named[groups == o]) for o in others}
    return found


def on_three(look: Look, groups: np.ndarray) -> dict[str, float]:
    """Taught on all sessions but one: recall on that one."""
    return {
        str(session): taught_and_asked(look(groups != session), groups != session, groups == session)
        for session in np.unique(groups)
    }


def protocols(look: Look, groups: np.ndarray) -> dict[str, Any]:
    """Both, with their means and least."""
    one, three = on_one(look, groups), on_three(look, groups)
    pairs = [value for row in one.values() for value in row.values()]
    return {
        "one": {"mean": np.mean(pairs), "least": min(pairs), "pairs": one},
        "three": {"mean": np.mean(list(three.values())), "least": min(three.values()), "sessions": three},
    }


def box_look(kind: str, pictures: Pictures, inner: Embedder) -> Look:
    """The pictures through a rectangle of a kind of BOXES."""
    drawn, takes = hand_boxes(pictures), takes_of(pictures)

    def boxes(taught: np.ndarray) -> np.ndarray:
        if kind == "true":
            return np.array([wider(box) for box in drawn])
        if kind == "anew":
            return np.array([around_all(drawn[pictures.groups == session]) for session in pictures.groups])
        one = around_all(drawn[taught]) if kind == "all" else middle_box(drawn[taught])
        return np.tile(one, (len(drawn), 1))

    def look(taught: np.ndarray) -> Way:
        rows = boxes(taught)
        return Way(BoxEmbedder(inner, as_box(rows[0])), see_in_box(pictures, inner, rows), takes)

    fixed = look(np.ones(len(drawn), bool)) if kind in ("true", "anew") else None
    return (lambda taught: fixed) if fixed is not None else look


def thinned(y: np.ndarray, groups: np.ndarray, most: int) -> np.ndarray:
    """bool (N,): at most so many pictures of each class of each group, evenly spread."""
    kept = np.zeros(len(y), bool)
    for group in np.unique(groups):
        for label in np.unique(y):
            rows = np.flatnonzero((groups == group) & (y == label))
            if len(rows):
                kept[rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int))]] = True
    return kept


def with_a_few(way: Way, count: int, seeds: int = SEEDS) -> dict[str, float]:
    """The mean recall on a session of which `count` pictures a class were taught too: mean and spread over seeds.

    Each seed's value is the mean over the sessions; what is asked is the same for each count under one seed.
    """
    y, groups = way.seen.y, way.seen.groups
    base = thinned(y, groups, BASE)
    means = []
    for seed in range(seeds):
        scores = []
        for session in np.unique(groups):
            out = groups == session
            random = np.random.default_rng(seed)
            own, kept_for_teaching = [], []
            for label in np.unique(y):
                rows = random.permutation(np.flatnonzero(out & (y == label)))
                may = min(max(FEW), len(rows) // 2)
                kept_for_teaching.append(rows[:may])
                own.append(rows[: min(count, may)])
            taught = np.union1d(np.flatnonzero(base & ~out), np.concatenate(own))
            asked = np.setdiff1d(np.flatnonzero(out), np.concatenate(kept_for_teaching))
            scores.append(taught_and_asked(way, taught, asked))
        means.append(float(np.mean(scores)))
    return {"mean": float(np.mean(means)), "sd": float(np.std(means, ddof=1)), "least": min(means), "seeds": seeds}


def people(way: Way) -> dict[str, Any]:
    """The accuracy on each person after all others were taught; mean, worst, and the share without a face."""
    groups, scores = way.seen.groups, {}
    for person in np.unique(groups):
        out = groups == person
        scores[str(person)] = float(np.mean(answers(way.teach(~out), way.seen.X[out]) == way.seen.y[out]))
    found = list(scores.values())
    return {"mean": np.mean(found), "worst": min(found), "people": scores, "nothing_found": nothing(way)}


def nothing(way: Way) -> float:
    """The share of pictures in which nothing is found."""
    return float(np.mean(~way.seen.X.any(axis=1)))


def face_takes(pictures: Pictures) -> np.ndarray:
    """int64 (N,): a take for each pose of each person."""
    return numbers(np.char.add(np.char.add(pictures.groups, "/"), pictures.labels))


def measure(hands: dict[str, Embedded], faces: dict[str, Embedded], ways: dict[str, Embedder]) -> dict[str, Any]:
    """All of it; `hands` and `faces` hold the pictures as each of HANDS and FACES sees them."""
    pictures = hands[HANDS[0]].pictures
    groups, takes = pictures.groups, takes_of(pictures)
    seen = {name: Way(ways[name], hands[name], takes) for name in HANDS}
    found: dict[str, Any] = {}
    for name, way in seen.items():
        found[name] = protocols(lambda taught, way=way: way, groups) | {"nothing_found": nothing(way)}
    for name, kind in BOXES.items():
        found[name] = protocols(box_look(kind, pictures, ways["frame"]), groups)
    poses = face_takes(faces[FACES[0]].pictures)
    return {
        "pictures": {str(session): int(np.sum(groups == session)) for session in np.unique(groups)},
        "hands": found,
        "few": {name: {str(count): with_a_few(seen[name], count) for count in FEW} for name in HANDS},
        "faces": {name: people(Way(ways[name], faces[name], poses)) for name in FACES},
        "inner": ways["frame"].name,
    }


def report(result: dict[str, Any]) -> str:
    """The tables of a result."""
    sessions = list(result["pictures"])
    rows: list[list[object]] = []
    for name, value in result["hands"].items():
        one, three = value["one"], value["three"]
        goal = GOALS.get(name, (None, None))
        rows.append(
            [
                name,
                met(one["mean"], goal[0]),
                float(one["least"]),
                met(three["mean"], goal[1]),
                *[float(three["sessions"][session]) for session in sessions],
                f"{100 * value['nothing_found']:.1f} %" if "nothing_found" in value else "",
            ]
        )
    head = ["way to look", "taught on one", "worst pair", "taught on three", *sessions, "nothing found"]
    few: list[list[object]] = [
        [name, *[f"{value[str(count)]['mean']:.3f} ± {value[str(count)]['sd']:.3f}" for count in FEW]]
        for name, value in result["few"].items()
    ]
    faces = result["faces"]
    names = list(faces)
    poses: list[list[object]] = [
        [who, *[float(faces[name]["people"][who]) for name in names]] for who in faces[names[0]]["people"]
    ]
    for key, i in (("mean", 0), ("worst", 1)):
        goals = dict.fromkeys(("face", "face-crop"), FACE_GOALS[i])
        poses.append([f"**{key}**", *[met(faces[name][key], goals.get(name)) for name in names]])
    poses.append(["nothing found", *[f"{100 * faces[name]['nothing_found']:.1f} %" for name in names]])
    return "\n\n".join(
        [
            table(head, rows),
            table(["pictures a class of the new session taught too", *[str(count) for count in FEW]], few),
            table(["person left out", *names], poses),
        ]
    )


def short(result: dict[str, Any]) -> str:
    """The figures of hands that somebody wants who chooses a way to look."""
    rows: list[list[object]] = [
        [name, *[float(value[taught][which]) for taught in ("one", "three") for which in ("mean", "least")]]
        for name, value in result["hands"].items()
        if name != "true box of each picture"
    ]
    few: list[list[object]] = [
        [name, *[float(value[str(count)]["mean"]) for count in FEW]] for name, value in result["few"].items()
    ]
    faces: list[list[object]] = [
        [name, *[float(value[key]) for key in ("mean", "worst")]] for name, value in result["faces"].items()
    ]
    head = ["a hand; `--look`", "trained on one session", "worst", "trained on three", "worst"]
    return "\n\n".join(
        [
            table(head, rows),
            table(["a hand; pictures per class of the new day added", *[str(count) for count in FEW]], few),
            table(["head pose of unseen people; `--look`", "mean of 12", "worst"], faces),
        ]
    )


def met(value: float, goal: float | None) -> str:
    """A value, beside its goal where it has one."""
    return f"{value:.3f}" + ("" if goal is None else f" (goal ≥ {goal:.2f})")
