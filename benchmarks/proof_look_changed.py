"""What does each way to look bear? Taught on clean pictures, asked pictures that are darker, turned, blurred …

hands_sessions: taught on all pictures of three sessions, asked up to EACH pictures of each class of the fourth,
evenly spread, four turns; turning and scaling are about the middle of the hand's box. cmu_faces: taught on eleven
people, asked up to EACH_POSE pictures of each pose of the twelfth; about the picture's middle; mirrored, who looked
left looks right. The changes and their units are in `picture_changes.py`; the random generator of a picture is seeded
by its position. A hand that a change moves out of the picture counts as any other. The score is the mean recall of
the classes, mean over the turns; nothing found is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.curves import panels
from benchmarks.look_ways import Way, answers, hand_boxes, mean_recall, middle_box, see, see_in_box
from benchmarks.picture_changes import CHANGES, Change
from benchmarks.pictures import Embedded, Pictures
from benchmarks.proof_look import thinned
from benchmarks.record import table
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.look.embedders import BoxEmbedder
from edge_tl.media.image import decode
from edge_tl.recognizer import Recognizer

EACH, EACH_POSE = 5, 2
MIRRORED = {"left": "right", "right": "left"}
CLEAN = Change("clean", "", (0.0,), lambda picture, level, random, middle: picture)


def asked_of(seen: Embedded, most: int) -> np.ndarray:
    """bool (N,): the pictures that are changed."""
    return thinned(seen.y, seen.groups, most)


def changed(
    pictures: Pictures, ways: dict[str, Embedder], change: Change, level: float, middles: np.ndarray
) -> dict[str, Embedded]:
    """Pictures as each way sees them after a change; middles (N, 2) in pixels."""

    def apply(i: int, picture: np.ndarray) -> np.ndarray:
        return change.apply(picture, level, np.random.default_rng(i), middles[i])

    return see(pictures, ways, apply)


def curves(
    pictures: Pictures,
    middles: np.ndarray,
    taught: dict[str, dict[str, Recognizer]],
    label: Callable[[str, str], str] = lambda label, change: label,
    changes: tuple[Change, ...] = CHANGES,
) -> dict[str, dict[str, list[float]]]:
    """Mean recall by change and way, a value a level, of pictures asked of the recognizers of their group.

    taught: by group and way.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for change in (CLEAN, *changes):
        found[change.name] = {}
        for level in change.levels:
            scores: dict[str, list[float]] = {}
            for group, recognizers in taught.items():
                mine = pictures.groups == group
                ways = {name: one.embedder for name, one in recognizers.items()}
                seen = changed(pictures.where(mine), ways, change, level, middles[mine])
                y = np.array([label(str(one), change.name) for one in pictures.labels[mine]])
                for name, one in recognizers.items():
                    scores.setdefault(name, []).append(mean_recall(y, answers(one, seen[name].X)))
            for name, values in scores.items():
                found[change.name].setdefault(name, []).append(float(np.mean(values)))
    return found


def with_box(hands: dict[str, Way]) -> dict[str, dict[str, Recognizer]]:
    """By session left out: every way taught on the three others, and a box around the middle one of their hands."""
    frame = hands["frame"]
    pictures, groups = frame.seen.pictures, frame.seen.groups
    boxes = hand_boxes(pictures)
    taught: dict[str, dict[str, Recognizer]] = {}
    for session in np.unique(groups):
        box = middle_box(boxes[groups != session])
        seen = see_in_box(pictures, frame.embedder, np.tile(box, (len(boxes), 1)))
        ways = hands | {"box": Way(BoxEmbedder(frame.embedder, box), seen, frame.takes)}
        taught[str(session)] = {name: way.teach(groups != session) for name, way in ways.items()}
    return taught


def measure(hands: dict[str, Way], faces: dict[str, Way]) -> dict[str, Any]:
    """Curves of the hands and of the faces."""
    pictures = hands["frame"].seen.pictures
    chosen = asked_of(hands["frame"].seen, EACH)
    sizes = np.array([decode(path).shape[1::-1] for path in pictures.where(chosen).paths])
    boxes = hand_boxes(pictures)[chosen]
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2 * sizes
    people = next(iter(faces.values())).seen
    some = asked_of(people, EACH_POSE)
    centres = np.array([decode(path).shape[1::-1] for path in people.pictures.where(some).paths]) / 2
    unseen = {
        str(person): {name: way.teach(people.groups != person) for name, way in faces.items()}
        for person in np.unique(people.groups)
    }
    return {
        "changes": {change.name: {"unit": change.unit, "levels": change.levels} for change in CHANGES},
        "pictures": {"hands": int(chosen.sum()), "faces": int(some.sum())},
        "hands": curves(pictures.where(chosen), middles, with_box(hands)),
        "faces": curves(people.pictures.where(some), centres, unseen, turned),
    }


def turned(label: str, change: str) -> str:
    """What a face's label becomes."""
    return MIRRORED.get(label, label) if change == "mirror" else label


def report(result: dict[str, Any]) -> str:
    """A row for each change and way: a recall a level."""
    rows: list[list[object]] = []
    for of in ("hands", "faces"):
        for change, about in result["changes"].items():
            for name, values in result[of][change].items():
                clean = float(result[of]["clean"][name][0])
                at = ", ".join(f"{level:g}" for level in about["levels"])
                cells = " ".join(f"{value:.2f}" for value in values)
                rows.append([of, f"{change} {at} ({about['unit']})", name, f"{clean:.2f}", cells])
    counts = result["pictures"]
    about = f"Asked: {counts['hands']} pictures of hands and {counts['faces']} of faces at each level."
    return table(["", "change, its levels", "way", "clean", "at each level"], rows) + "\n\n" + about


def drawing(result: dict[str, Any]) -> str:
    """The curves as an SVG document."""
    rows = {}
    for of in ("hands", "faces"):
        rows[of] = {
            f"{change} ({about['unit']})": (
                ["–", *[f"{level:g}" for level in about["levels"]]],
                {name: [result[of]["clean"][name][0], *values] for name, values in result[of][change].items()},
            )
            for change, about in result["changes"].items()
        }
    return panels(rows)
