"""An unknown gesture, and nobody there: what steers that should not, with each way to look?

**Unknown gestures.** hands_sessions: five of the six finger counts are taught in three sessions; in the fourth the
sixth one is the stranger and the five are the known (24 turns). **Nobody there.** All six are taught in three
sessions, the fourth is the known; strangers are the faces of cmu_faces, the rooms (the larger part of each picture of
the fourth session left or right of the hand, where it is wide enough), handwritten digits of MNIST, and noise and
evenly grey pictures. For `face`: poses of eight people are taught, four others are the known in three turns;
strangers are the hands of sign_digits, MNIST, noise.

**The score.** An answer with a label is accepted; `accepted` is the share of the known that gets a label, right or
wrong, at the threshold that the Rejector chose on what was taught; `steer` the share of strangers that gets one. Every
picture counts: one in which nothing is found is not accepted; `found` says how many there are. *At 95 %*: the same with
the threshold that accepts 95 % of the known of the held-out session (or all in which something is found, where these
are fewer). *Stream*: takes as streams of FPS frames a second through the Controller
with its defaults: share of frames that steer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.look_ways import Way, hand_boxes
from benchmarks.pictures import DATA, Pictures, numbers
from benchmarks.record import table
from edge_tl.controller import Controller
from edge_tl.core.kept import as_stored, from_kept
from edge_tl.core.metrics import roc
from edge_tl.embedders.embedder import Embedder, embed_kept
from edge_tl.media.image import decode
from edge_tl.recognizer import Recognizer

FPS = 20
ACCEPTED = 0.95
GOAL = 0.05
ROOM_PX = 100
"""The least width of the part of a picture beside the hand."""
EVERY = 3
"""Of the rooms and faces, one of so many."""
MNIST = 120
NOISE = 60
PEOPLE_OUT = 4


def noise_pictures() -> list[np.ndarray]:
    """Uniform noise of fine to coarse grain, and evenly grey pictures, 240×320."""
    pictures = []
    for i in range(NOISE):
        random = np.random.default_rng(i)
        grain = (1, 2, 4, 8, 16, 320)[i % 6]
        small = random.integers(0, 256, (-(-240 // grain), 320 // grain, 3)).astype(np.uint8)
        pictures.append(np.repeat(np.repeat(small, grain, axis=0), grain, axis=1)[:240])
    return pictures


def mnist_pictures() -> list[np.ndarray]:
    """Handwritten digits, white on black, each pixel eight of a picture 224×224."""
    with np.load(DATA / "mnist.npz") as file:
        chosen = file["x_test"][:MNIST]
    return [np.repeat(np.repeat(one, 8, axis=0), 8, axis=1)[..., None].repeat(3, axis=2) for one in chosen]


def rooms(pictures: Pictures) -> tuple[list[np.ndarray], np.ndarray]:
    """The larger part beside the hand of every EVERY-th picture that has one, and the session of each."""
    found, groups = [], []
    boxes = hand_boxes(pictures)
    for i in range(0, len(pictures.paths), EVERY):
        picture = decode(pictures.paths[i])
        columns = picture.shape[1]
        left, right = int(boxes[i, 0] * columns), int(np.ceil(boxes[i, 2] * columns))
        part = picture[:, :left] if left >= columns - right else picture[:, right:]
        if part.shape[1] >= ROOM_PX:
            found.append(np.ascontiguousarray(part))
            groups.append(str(pictures.groups[i]))
    return found, np.array(groups)


def embedded(embedder: Embedder, pictures: list[np.ndarray]) -> np.ndarray:
    """(N, D) float32, as they are stored."""
    return np.stack([as_stored(embed_kept(embedder, picture)) for picture in pictures])


def novelty(recognizer: Recognizer, X: np.ndarray) -> np.ndarray:
    """How strange embeddings (N, D) are; infinite where nothing was found."""
    rows = recognizer.features(X, recognizer.embedder.embedding_shape)
    return np.where(X.any(axis=1), recognizer.rejector.novelty(rows), np.inf)


def steered(recognizer: Recognizer, X: np.ndarray, takes: np.ndarray) -> np.ndarray:
    """bool (N,): on which frames the controller steers, each take a stream of its own."""
    steers = np.zeros(len(X), bool)
    for take in np.unique(takes):
        controller = Controller(recognizer.classes)
        for frame, i in enumerate(np.flatnonzero(takes == take)):
            seen = recognizer.recognize(from_kept(X[i]))
            steers[i] = controller.update(seen.probabilities, frame / FPS, seen.known).steers
    return steers


def turn(recognizer: Recognizer, known: np.ndarray, y: np.ndarray, takes: np.ndarray) -> dict[str, Any]:
    """What becomes of the known (N, D) labelled y in these takes; and `at`, the novelty that ACCEPTED of them reach."""
    seen = [recognizer.recognize(from_kept(row)) for row in known]
    named = np.array([one.label or "" for one in seen])
    strange = novelty(recognizer, known)
    there = np.sort(strange[np.isfinite(strange)])
    wanted = min(int(np.ceil(ACCEPTED * len(known))), len(there))
    return {
        "found": float(np.mean(known.any(axis=1))),
        "accepted": float(np.mean(named != "")),
        "right": float(np.mean(named == y)),
        "stream": float(steered(recognizer, known, takes).mean()),
        "at": float(there[wanted - 1]),
        "strange": strange,
    }


def against(recognizer: Recognizer, known: dict[str, Any], X: np.ndarray, takes: np.ndarray) -> dict[str, float]:
    """What becomes of strangers (N, D) beside the known of `turn`."""
    strange = novelty(recognizer, X)
    labels = [recognizer.recognize(from_kept(row)).label for row in X]
    least, most = -1e6, 1e6
    return {
        "strangers": len(X),
        "known_found": known["found"],
        "accepted": known["accepted"],
        "right": known["right"],
        "stream": known["stream"],
        "steer": float(np.mean([label is not None for label in labels])),
        "steer_in_stream": float(steered(recognizer, X, takes).mean()),
        "steer_at_95": float(np.mean(strange <= known["at"])),
        "auroc": roc(np.clip(known["strange"], least, most), np.clip(strange, least, most)).area,
        "nothing_found": float(np.mean(~X.any(axis=1))),
    }


def unknown_gestures(way: Way) -> list[dict[str, float]]:
    """Each gesture left out, in each session left out."""
    y, groups = way.seen.y, way.seen.groups
    found = []
    for session in np.unique(groups):
        for gesture in np.unique(y):
            recognizer = way.teach((groups != session) & (y != gesture), reject=True)
            asked, strange = (groups == session) & (y != gesture), (groups == session) & (y == gesture)
            known = turn(recognizer, way.seen.X[asked], y[asked], way.takes[asked])
            found.append(
                {"gesture": str(gesture)} | against(recognizer, known, way.seen.X[strange], way.takes[strange])
            )
    return found


def nobody(way: Way, others: dict[str, np.ndarray], beside: tuple[np.ndarray, np.ndarray]) -> dict[str, list[Any]]:
    """Each session left out, against others, and against the rooms (X, sessions) of that session."""
    y, groups = way.seen.y, way.seen.groups
    found: dict[str, list[Any]] = {name: [] for name in ("rooms", *others)}
    for session in np.unique(groups):
        recognizer = way.teach(groups != session, reject=True)
        out = groups == session
        known = turn(recognizer, way.seen.X[out], y[out], way.takes[out])
        kinds = {"rooms": beside[0][beside[1] == session]} | others
        for name, X in kinds.items():
            if len(X):
                found[name].append(against(recognizer, known, X, np.arange(len(X)) // FPS))
    return found


def nobody_looks(way: Way, others: dict[str, np.ndarray]) -> dict[str, list[Any]]:
    """Poses of eight people taught, four others known; three turns."""
    who = numbers(way.seen.groups)
    found: dict[str, list[Any]] = {name: [] for name in others}
    for first in range(0, who.max() + 1, PEOPLE_OUT):
        out = (who >= first) & (who < first + PEOPLE_OUT)
        recognizer = way.teach(~out, reject=True)
        known = turn(recognizer, way.seen.X[out], way.seen.y[out], way.takes[out])
        for name, X in others.items():
            found[name].append(against(recognizer, known, X, np.arange(len(X)) // FPS))
    return found


def summary(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over the turns; of the unknown gestures also the mean of each."""
    keys = [key for key in turns[0] if key not in ("gesture", "strangers")]
    found: dict[str, Any] = {key: float(np.mean([one[key] for one in turns])) for key in keys}
    found |= {"turns": len(turns), "strangers": int(np.mean([one["strangers"] for one in turns]))}
    gestures = sorted({one["gesture"] for one in turns if "gesture" in one})
    if gestures:
        found["steer_at_95_of"] = {
            gesture: float(np.mean([one["steer_at_95"] for one in turns if one["gesture"] == gesture]))
            for gesture in gestures
        }
    return found


def measure(hands: dict[str, Way], faces: dict[str, Way], digits: dict[str, np.ndarray]) -> dict[str, Any]:
    """By way: `hands` and `faces` as each way sees them, and sign_digits (N, D) as those of `faces` see it."""
    result: dict[str, Any] = {"accept": ACCEPTED, "fps": FPS, "goal": GOAL, "hands": {}, "faces": {}}
    nothing = {"MNIST": mnist_pictures(), "noise": noise_pictures()}
    pictures = next(iter(hands.values())).seen.pictures
    beside, sessions = rooms(pictures)
    people = [decode(path) for path in next(iter(faces.values())).seen.pictures.paths[::EVERY]]
    for name, way in hands.items():
        others = {kind: embedded(way.embedder, them) for kind, them in (nothing | {"faces": people}).items()}
        found = {"unknown gesture": summary(unknown_gestures(way))}
        for kind, turns in nobody(way, others, (embedded(way.embedder, beside), sessions)).items():
            found[kind] = summary(turns)
        result["hands"][name] = found
    for name, way in faces.items():
        others = {kind: embedded(way.embedder, them) for kind, them in nothing.items()} | {"hands": digits[name]}
        result["faces"][name] = {kind: summary(turns) for kind, turns in nobody_looks(way, others).items()}
    return result


def report(result: dict[str, Any]) -> str:
    """One row for each way and kind of stranger, and the unknown gestures one by one."""
    rows: list[list[object]] = []
    for taught in ("hands", "faces"):
        for name, kinds in result[taught].items():
            for kind, one in kinds.items():
                rows.append(
                    [
                        name,
                        kind,
                        f"{100 * one['nothing_found']:.0f} %",
                        *[
                            float(one[key])
                            for key in ("known_found", "accepted", "right", "steer", "steer_at_95", "auroc")
                        ],
                        *[float(one[key]) for key in ("stream", "steer_in_stream")],
                    ]
                )
    head = [
        "way", "strangers", "nothing found", "known found", "accepted", "named rightly", "strangers steer",
        f"at 95 % (goal ≤ {result['goal']:.2f})", "AUROC", "stream: known steer", "strangers steer",
    ]  # fmt: skip
    gestures = list(next(iter(result["hands"].values()))["unknown gesture"]["steer_at_95_of"])
    each: list[list[object]] = [
        [name, *[float(kinds["unknown gesture"]["steer_at_95_of"][gesture]) for gesture in gestures]]
        for name, kinds in result["hands"].items()
    ]
    return table(head, rows) + "\n\n" + table(["unknown gesture, steers at 95 %", *gestures], each)
