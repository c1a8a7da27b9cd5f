"""The worst mistakes on what was left out, each beside what was taught, with the likely causes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from device.report.pictures import Thumbnail, make_thumbnail
from device.teach.explaining import Explainer, named
from edge_tl.judge.validation import NOTHING, Validation
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile

SHOWN = 4
"""So many mistakes are shown, of different takes and classes first."""


@dataclass(frozen=True)
class WorstMistake:
    """An example that a head which was not taught its session, or its take, names wrongly."""

    position: int
    """Among the examples."""
    group: int
    """What was left out with it."""
    answer: str
    """What it is taken for; empty where nothing was found."""
    chances: dict[str, float]


@dataclass(frozen=True)
class ShownMistake:
    """The same with pictures and words."""

    pictures: tuple[tuple[Thumbnail | None, str], ...]
    """It, the nearest examples and the nearest of its class, each with a line."""
    causes: tuple[str, ...]


def worst(of: Validation, positions: np.ndarray, aside: np.ndarray, groups: np.ndarray) -> list[WorstMistake]:
    """The surest mistakes of a validation, at most `SHOWN`, of as many classes and groups as there are.

    positions: of its rows among the examples; aside: bool (N,), rows that no lesson here recorded; groups: (N,) what
    each is left out with.
    """
    rows = np.flatnonzero(of.judged & ~aside & (of.y_pred != of.y_true))
    sure = np.nan_to_num(of.proba[rows]).max(axis=1, initial=0)
    order = rows[np.argsort(-sure, kind="stable")]
    chosen: list[int] = []
    for different in (True, False):
        for row in order:
            seen = {(of.y_true[one], groups[one]) for one in chosen}
            if len(chosen) < SHOWN and row not in chosen and not (different and (of.y_true[row], groups[row]) in seen):
                chosen.append(row)
    chances = [dict(zip(map(str, of.classes), map(float, np.nan_to_num(of.proba[row])), strict=True)) for row in chosen]
    return [
        WorstMistake(
            int(positions[row]), int(groups[row]), str(of.y_pred[row]), {} if of.y_pred[row] == NOTHING else one
        )
        for row, one in zip(chosen, chances, strict=True)
    ]


def shown(
    profile: Profile, recognizer: Recognizer, wrong: Sequence[WorstMistake], groups: np.ndarray, ids: np.ndarray
) -> tuple[ShownMistake, ...]:
    """The mistakes with pictures; groups: (N,) what each example is left out with; ids: (N,) of the examples."""
    if not wrong:
        return ()
    explainer, made = Explainer(profile.store, recognizer), []
    place = {int(number): at for at, number in enumerate(ids)}
    own = groups[[place[int(number)] for number in explainer.ids]]
    at = {int(number): at for at, number in enumerate(explainer.ids)}
    for one in wrong:
        why = explainer.mistake(at[int(ids[one.position])], own != one.group, one.chances)
        number = int(ids[one.position])
        told = (
            f"{number} is {why.was}, taken for {one.answer}" if one.answer else f"{number} is {why.was}: nothing found"
        )
        pictures = [(number, told), *((near["id"], named(near)) for near in why.nearest)]
        if why.right is not None and why.right["id"] not in [near["id"] for near in why.nearest]:
            pictures.append((why.right["id"], f"nearest {why.was}: {named(why.right)}"))
        thumbnails = tuple((make_thumbnail(profile.store, id_, recognizer.embedder), line) for id_, line in pictures)
        made.append(ShownMistake(thumbnails, tuple(cause.text for cause in why.explanation.causes)))
    return tuple(made)
