"""Where do people look whom nobody taught? cmu_faces, one of twelve people left out at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.pictures import Embedded
from benchmarks.record import table
from edge_tl.core.features import FeatureMap
from edge_tl.embedders.embedder import Embedder
from edge_tl.heads import make_head
from edge_tl.media.image import decode

POOLS = ("grid2", "grid3", "flatten")
OWN = (1, 2, 4)
SEEDS = 10
SHIRT_TOP_PX = 88
"""Of the 120 rows; below it the people of this set show their clothes."""
WORDS = {
    "as_is": "as the pictures are",
    "shirt_at_0.35": "clothes darkened to 0.35",
    "gamma_2": "gamma 2",
    "recentred": "every person's mean row subtracted",
}


def unseen_people(
    faces: Embedded, pool: str = FeatureMap().pool, only: Sequence[str] | None = None
) -> dict[str, float]:
    """Accuracy on each person (or on those in `only`) of a ridge head that was taught all the others."""
    X, y, takes = faces.rows(pool), faces.y, faces.takes()
    scores = {}
    for person in only or np.unique(faces.groups):
        out = faces.groups == person
        scores[str(person)] = make_head("ridge").fit(X[~out], y[~out], takes[~out]).score(X[out], y[out])
    return scores


def recentred(faces: Embedded) -> dict[str, float]:
    """The same with each person's mean row taken away first: needs pictures of all poses, but no labels of them."""
    X, y, people = faces.rows().copy(), faces.y, faces.groups
    for person in np.unique(people):
        X[people == person] -= X[people == person].mean(axis=0)
    scores = {}
    for person in np.unique(people):
        out = people == person
        head = make_head("ridge").fit(X[~out], y[~out], faces.takes()[~out])
        scores[str(person)] = head.score(X[out], y[out])
    return scores


def with_own_pictures(faces: Embedded, person: str, count: int) -> float:
    """Accuracy on a person after `count` pictures a pose of that person were taught too; mean over SEEDS choices."""
    X, y, takes = faces.rows(), faces.y, faces.takes()
    mine = faces.groups == person
    scores = []
    for seed in range(SEEDS):
        random = np.random.default_rng(seed)
        own = [random.permutation(np.flatnonzero(mine & (y == pose)))[:count] for pose in np.unique(y)]
        taught = np.concatenate([np.flatnonzero(~mine), *own])
        asked = np.setdiff1d(np.flatnonzero(mine), taught)
        scores.append(make_head("ridge").fit(X[taught], y[taught], takes[taught]).score(X[asked], y[asked]))
    return float(np.mean(scores))


def changed(faces: Embedded, person: str, embedder: Embedder, change: Callable[[np.ndarray], np.ndarray]) -> float:
    """Accuracy on a person, taught by the others, after each of that person's pictures was changed."""
    out = faces.groups == person
    X, y, takes = faces.rows(), faces.y, faces.takes()
    head = make_head("ridge").fit(X[~out], y[~out], takes[~out])
    pictures = [change(decode(path)) for path in faces.pictures.where(out).paths]
    asked = FeatureMap()(np.stack([embedder.embed(picture) for picture in pictures]), faces.shape)
    return head.score(asked, y[out])


def brightness(faces: Embedded) -> dict[str, float]:
    """The mean of all pixels of each person's pictures, 0..255."""
    means = np.array([decode(path).mean() for path in faces.pictures.paths])
    return {str(person): float(means[faces.groups == person].mean()) for person in np.unique(faces.groups)}


def darker_shirt(picture: np.ndarray) -> np.ndarray:
    """The part below the face at a third of its brightness."""
    dark = picture.copy()
    dark[SHIRT_TOP_PX:] = (dark[SHIRT_TOP_PX:] * 0.35).astype(np.uint8)
    return dark


def darker_midtones(picture: np.ndarray) -> np.ndarray:
    """Gamma 2: black and white stay, what is between becomes darker."""
    return ((picture / 255.0) ** 2 * 255).astype(np.uint8)


def measure(embedded: dict[str, Embedded], embedders: dict[str, Embedder]) -> dict[str, Any]:
    """All that is proven about faces, by embedder."""
    result: dict[str, Any] = {"head": "ridge", "default_pool": FeatureMap().pool}
    for name, faces in embedded.items():
        pools = {}
        for pool in POOLS:
            people = unseen_people(faces, pool)
            scores = list(people.values())
            pools[pool] = {"mean": np.mean(scores), "median": np.median(scores), "people": people}
        known = unseen_people(faces)
        worst = min(known, key=lambda person: known[person])
        X, y, out = faces.rows(), faces.y, faces.groups == worst
        head = make_head("ridge").fit(X[~out], y[~out], faces.takes()[~out])
        recentred_people = recentred(faces)
        result[name] = {
            "pictures": len(y),
            "pools": pools,
            "brightness_of_255": brightness(faces),
            "recentred": {"mean": np.mean(list(recentred_people.values())), "people": recentred_people},
            "worst": {
                "person": worst,
                "as_is": known[worst],
                "recall": {str(pose): head.score(X[out & (y == pose)], y[out & (y == pose)]) for pose in np.unique(y)},
                "shirt_at_0.35": changed(faces, worst, embedders[name], darker_shirt),
                "gamma_2": changed(faces, worst, embedders[name], darker_midtones),
                "recentred": recentred_people[worst],
                "own_pictures_a_pose": {str(count): with_own_pictures(faces, worst, count) for count in OWN},
            },
        }
    return result


def report(result: dict[str, Any]) -> str:
    """The tables of a result."""
    names = [name for name, value in result.items() if isinstance(value, dict)]
    pool = result["default_pool"]
    people = list(result[names[0]]["pools"][pool]["people"])
    rows: list[list[object]] = [
        [who, *[result[name]["pools"][pool]["people"][who] for name in names]] for who in people
    ]
    for what in ("mean", "median"):
        rows.append([f"**{what}**", *[float(result[name]["pools"][pool][what]) for name in names]])
    for other in POOLS:
        if other != pool:
            rows.append([f"mean, rows {other}", *[float(result[name]["pools"][other]["mean"]) for name in names]])
    rows.append(["mean, recentred", *[float(result[name]["recentred"]["mean"]) for name in names]])
    worst = [result[name]["worst"] for name in names]
    after: list[list[object]] = [["person", *[one["person"] for one in worst]]]
    for key, words in WORDS.items():
        after.append([words, *[float(one[key]) for one in worst]])
    for count in OWN:
        after.append(
            [f"{count} of their own a pose taught", *[one["own_pictures_a_pose"][str(count)] for one in worst]]
        )
    return table(["person left out", *names], rows) + "\n\n" + table(["the worst", *names], after)
