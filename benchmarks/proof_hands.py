"""Other people's hands, the other hand, and a hand from its back: what each way to look at a hand keeps.

**People.** sign_digits: those of every other person, the first, third and so on, teach (`proof_few.signers`).
*Chosen*: half of them teach and the others are asked, drawn anew each time; settings were chosen on that. *Reported*:
all of them teach, all other people are asked. Asked are the pictures, the same mirrored (which is the other hand), and,
of `hand` only, the same hands from the back: their shapes turned over, as an ideal hand finder would see them; none of
the shared sets shows the back of a hand. *worst*: the mean of the three people with the fewest right.

**Rooms.** hands_sessions, taught on three sessions: the fourth, and up to EACH pictures of each class of it mirrored
and turned. *Pointing*: of 1, 2, 4 and 5 fingers each is three classes, upright and turned by 90° to either side; taught
are POINTING pictures of each.

**One of two hands.** As for `--hands both`: shapes taught in the right hand's place are asked in the left one's, and
both places as two classes of their own. *As before* are the rows of before `AnySide`.

Nothing found is wrong. Times are the processor's, one thread, in turns: an embedding while the hand is followed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.look_ways import Way, answers, hand_boxes, see, takes_of
from benchmarks.picture_changes import mirror, moved
from benchmarks.pictures import Embedded, Pictures, digits, sessions
from benchmarks.proof_few import HALVES, signers
from benchmarks.proof_look import thinned
from benchmarks.record import table
from edge_tl.core.features import FeatureMap
from edge_tl.embedders.embedder import Embedder, Finder
from edge_tl.embedders.look.any_side import HAND_VALUES, AnySide
from edge_tl.embedders.look.embedders import (
    PLAIN,
    SMOOTH,
    HandAndCropEmbedder,
    HandCropEmbedder,
    HandEmbedder,
    load_tracker,
)
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.heads.ridge import RidgeHead
from edge_tl.media.image import decode
from edge_tl.models import default_model

WAYS = ("hand", "hand-crop", "hand-and-crop")
COUNTS = (1, 2, 3, 5, 10, 20)
DRAWS = 20
EACH, POINTING = 5, 5
TURNS_DEG = (30, -30, 90, -90)
FRAMES, RUNS = 60, 5


class AsBefore(HandEmbedder):
    """`hand` as heads saw it before: the shape of a right hand, whichever side is seen."""

    features = PLAIN


def change(name: str, middles: np.ndarray) -> Callable[[int, np.ndarray], np.ndarray]:
    """`mirrored`, or turned by so many degrees about middles (N, 2), shares of the width and height."""

    def apply(i: int, picture: np.ndarray) -> np.ndarray:
        if name == "mirrored":
            return mirror(picture, 1, np.random.default_rng(i), middles[i])
        c, s = np.cos(np.deg2rad(float(name))), np.sin(np.deg2rad(float(name)))
        about = middles[i] * (picture.shape[1], picture.shape[0])
        return moved(picture, np.array(((c, -s), (s, c))), about, np.zeros(2))

    return apply


def taught_rows(X: np.ndarray, y: np.ndarray, takes: np.ndarray, prior: float | None) -> RidgeHead:
    """The default head on rows."""
    head = RidgeHead(prior=prior)
    head.fit(X, y, takes)
    return head


def people(
    finder: Finder[Any], seen: Embedded, asked: dict[str, np.ndarray], half: str, count: int
) -> dict[str, float]:
    """Taught `count` pictures a class: the share of what is in `asked`, kept embeddings (N, D), that is right."""
    y, who = seen.y, signers(seen.pictures)
    odd = np.unique(who[who % 2 == 0])
    X, found = finder.features(seen.X, seen.shape), seen.X.any(axis=1)
    rows = {name: (finder.features(kept, seen.shape), kept.any(axis=1)) for name, kept in asked.items()}
    right: dict[str, list[float]] = {name: [] for name in asked}
    each: dict[int, list[float]] = {}
    for draw in range(DRAWS):
        random = np.random.default_rng([draw, count])
        drawn = random.permutation(odd)
        teachers, others = (drawn[::2], drawn[1::2]) if half == "chosen" else (odd, np.unique(who[who % 2 == 1]))
        may = np.isin(who, teachers) & found
        taught = np.concatenate([random.permutation(np.flatnonzero(may & (y == one)))[:count] for one in np.unique(y)])
        head = taught_rows(X[taught], y[taught], np.arange(len(taught)), finder.ridge_prior)
        ask = np.isin(who, others)
        for name, (them, there) in rows.items():
            hit = (head.predict(them) == y) & there
            right[name].append(float(hit[ask].mean()))
            if name == "plain":
                for person in others:
                    each.setdefault(int(person), []).append(float(hit[who == person].mean()))
    worst = sorted(float(np.mean(values)) for values in each.values())[:3]
    return {name: float(np.mean(values)) for name, values in right.items()} | {"worst": float(np.mean(worst))}


def from_the_back(X: np.ndarray) -> np.ndarray:
    """Kept shapes (N, 60) as of the same hands seen from the other side."""
    turned = X.copy()
    turned[:, : 2 * 20 : 2] *= -1
    return turned


def rooms(way: Way, few: np.ndarray, changed: dict[str, np.ndarray]) -> dict[str, float]:
    """Taught on three sessions: the fourth, and its pictures `few` (positions) as changed (len(few), D)."""
    y, groups = way.seen.y, way.seen.groups
    scores: dict[str, list[float]] = {name: [] for name in ("plain", *changed)}
    for session in np.unique(groups):
        out = groups == session
        recognizer = way.teach(~out)
        for name in scores:
            asked = np.flatnonzero(out) if name == "plain" else few[out[few]]
            X = way.seen.X[asked] if name == "plain" else changed[name][out[few]]
            named = answers(recognizer, X)
            scores[name].append(float(np.mean([np.mean(named[y[asked] == one] == one) for one in np.unique(y[asked])])))
    return {name: float(np.mean(values)) for name, values in scores.items()}


def pointing(way: Way, few: np.ndarray, changed: dict[str, np.ndarray]) -> float:
    """Upright and turned to either side as classes of their own: the share right in sessions that were not taught."""
    finder, y, groups = way.embedder, way.seen.y[few], way.seen.groups[few]
    assert isinstance(finder, Finder)
    shown = {"up": way.seen.X[few], "right": changed["90"], "left": changed["-90"]}
    X = np.concatenate([finder.features(kept, way.seen.shape) for kept in shown.values()])
    found = np.concatenate([kept.any(axis=1) for kept in shown.values()])
    labels = np.concatenate([np.char.add(y, name) for name in shown])
    sessions, wanted = np.tile(groups, 3), np.tile(np.isin(y, list("1245")), 3)
    scores = []
    for session in np.unique(groups):
        random = np.random.default_rng(0)
        may = (sessions != session) & found & wanted
        taught = np.concatenate(
            [random.permutation(np.flatnonzero(may & (labels == one)))[:POINTING] for one in np.unique(labels[wanted])]
        )
        head = taught_rows(X[taught], labels[taught], np.arange(len(taught)), finder.ridge_prior)
        asked = (sessions == session) & wanted
        scores.append(float(np.mean((head.predict(X[asked]) == labels[asked]) & found[asked])))
    return float(np.mean(scores))


def one_of_two(way: Way, features: FeatureMap | AnySide) -> dict[str, float]:
    """Taught in the right place: asked there, and in the left one; and how often both, taught, are told apart."""
    y, groups, takes, shapes = way.seen.y, way.seen.groups, way.takes, way.seen.X[:, :HAND_VALUES]
    none = np.zeros_like(shapes)
    places = {"right": np.hstack([none, shapes]), "left": np.hstack([shapes, none])}
    rows = {name: features(kept, (2 * HAND_VALUES,)) for name, kept in places.items()}
    found = shapes.any(axis=1)
    scores: dict[str, list[float]] = {name: [] for name in ("right", "left", "which")}
    for session in np.unique(groups):
        taught, asked = (groups != session) & found, groups == session
        head = taught_rows(rows["right"][taught], y[taught], takes[taught], SMOOTH)
        for name, X in rows.items():
            scores[name].append(float(np.mean((head.predict(X[asked]) == y[asked]) & found[asked])))
        both = np.concatenate([X[taught] for X in rows.values()])
        labels = np.concatenate([np.char.add(y[taught], name) for name in rows])
        head = taught_rows(both, labels, np.concatenate([takes[taught], takes[taught] + takes.max() + 1]), SMOOTH)
        told = [(head.predict(X[asked]) == np.char.add(y[asked], name)) & found[asked] for name, X in rows.items()]
        scores["which"].append(float(np.mean(told)))
    return {name: float(np.mean(values)) for name, values in scores.items()}


def speed(folder: Path, pictures: Pictures) -> dict[str, float]:
    """Milliseconds an embedding, the middle of the runs' medians, each way with a tracker of its own."""
    inner = TFLiteEmbedder.load(default_model(), threads=1)
    ways: dict[str, Finder[Any]] = {
        "hand": HandEmbedder(load_tracker(folder, 1)),
        "hand-crop": HandCropEmbedder(load_tracker(folder, 1), inner),
        "hand-and-crop": HandAndCropEmbedder(load_tracker(folder, 1), inner),
    }
    stream = [decode(path) for path in pictures.paths[:FRAMES]]
    took: dict[str, list[float]] = {name: [] for name in ways}
    for finder in ways.values():
        finder.following = True
    for _ in range(RUNS):
        for name, finder in ways.items():
            times = []
            for picture in stream:
                start_s = time.process_time()
                finder.embed(picture)
                times.append(1000 * (time.process_time() - start_s))
            took[name].append(float(np.median(times)))
    return {name: float(np.median(values)) for name, values in took.items()}


def measure(ways: dict[str, Embedder], folder: Path) -> dict[str, Any]:
    """All of it, of the ways of WAYS; folder: where the models of hands are."""
    signs, shown = digits(), sessions()
    middle = np.full((len(signs.paths), 2), 0.5)
    seen, other = see(signs, ways), see(signs, ways, change("mirrored", middle))
    rooms_seen, takes = see(shown, ways), takes_of(shown)
    few = np.flatnonzero(thinned(shown.labels, shown.groups, EACH))
    boxes = hand_boxes(shown)[few]
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    part = shown.where(np.isin(np.arange(len(shown.labels)), few))
    changed = {name: see(part, ways, change(name, middles)) for name in ("mirrored", *map(str, TURNS_DEG))}
    finders = {name: one for name, one in ways.items() if isinstance(one, Finder)}
    finders = {"hand, as before": AsBefore(finders["hand"].tracker), **finders}
    result: dict[str, Any] = {"people": {}, "rooms": {}, "pointing": {}, "both": {}}
    for name, finder in finders.items():
        of = "hand" if name == "hand, as before" else name
        asked = {"plain": seen[of].X, "mirrored": other[of].X}
        if of == "hand":
            asked["back"] = from_the_back(seen[of].X)
        result["people"][name] = {
            half: {str(count): people(finder, seen[of], asked, half, count) for count in COUNTS} for half in HALVES
        }
        way = Way(finder, rooms_seen[of], takes)
        turned = {kind: one[of].X for kind, one in changed.items()}
        result["rooms"][name] = rooms(way, few, turned)
        result["pointing"][name] = pointing(way, few, turned)
    hand = Way(finders["hand"], rooms_seen["hand"], takes)
    result["both"] = {"both, as before": one_of_two(hand, PLAIN), "both": one_of_two(hand, AnySide(hands=2))}
    result["ms"] = speed(folder, shown.where(shown.groups == "session_2"))
    return result


def report(result: dict[str, Any]) -> str:
    """A table for people, one for rooms, one for two hands."""
    first: list[list[object]] = []
    for half in HALVES:
        for name, halves in result["people"].items():
            of = halves[half]
            plain = [float(of[str(count)]["plain"]) for count in COUNTS]
            ten = of["10"]
            first.append([half, name, *plain, ten["worst"], ten["mirrored"], ten.get("back", "")])
    head = ["people", "looked with", *[f"{count} a class" for count in COUNTS], "worst, 10", "mirrored, 10", "back, 10"]
    kinds = list(result["rooms"]["hand"])
    second: list[list[object]] = [
        [name, *[float(one[kind]) for kind in kinds], float(result["pointing"][name]), result["ms"].get(name, "")]
        for name, one in result["rooms"].items()
    ]
    third: list[list[object]] = [
        [name, *[float(value) for value in one.values()]] for name, one in result["both"].items()
    ]
    return "\n\n".join(
        [
            table(head, first),
            table(["rooms, three taught", *kinds, "pointing, 5 a class", "ms"], second),
            table(["one of two hands", "where it was taught", "the other hand", "left and right told"], third),
        ]
    )
