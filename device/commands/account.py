"""How good it is, as a person reads it: the figures of an evaluation, how they were found, and what must be known."""

from __future__ import annotations

import math

from device.screens.cells import fit, text_columns
from device.teach.box_score import near_copies_text
from edge_tl.errors import counted
from edge_tl.judge.evaluation import BySession, Evaluation

ONE_PLACE = {
    "frame": "it uses the whole picture, so it works only in the places and the light in which it was recorded",
    "box": "it uses one part of the picture, so it works only in the places and the light in which it was recorded",
}
"""What must be said of a way to look that sees the background too."""
ELSEWHERE = (
    "this session only: another room or day may look different; record a second, short session there (`edge-tl teach`, "
    "key s)"
)
OTHERS = (
    "these sessions only: if one person recorded them all, other people may be recognized less well; have somebody "
    "else record one"
)

SINGLE_TAKES = (
    "(lower than the first figure: with few takes per class more is left out at once, or a place is known only from "
    "other classes; record two or more takes of each class in each session)"
)
"""As many parts are left out as the class with the fewest takes has, and in each may be takes of several sessions."""


def accuracy_lines(evaluation: Evaluation, way: str = "frame", nobody: str | None = None) -> list[str]:
    """What a user gets, its interval, how it was found, and the flattering figures beside it.

    way: how the profile looks, as in `edge_tl.embedders.look`; one that sees the background gets the sentence that it
    knows only the places it was taught in. nobody: the class that is the answer where nothing was found.
    """
    headline = evaluation.headline
    if math.isnan(headline.accuracy):
        return ["accuracy unknown: no class has a second example to be tested on"]
    where = "on held-out sessions" if headline.kind == "session" else "on held-out takes"
    if (gets := headline.answers) is None:
        lines = [f"accuracy {headline.accuracy:.1%} {where} ({interval(headline.interval95)})"]
    else:
        lines = [
            f"answered correctly {gets.right:.1%} {where} ({interval(gets.right_interval95)})",
            f"  'none of these' for {gets.refused:.1%}, a wrong answer for {gets.wrong:.1%}",
            f"  accuracy {headline.accuracy:.1%} if it always answered ({interval(headline.interval95)})",
        ]
    lines.append(f"  by {headline.method}")
    across = evaluation.by_session
    if across is not None and headline.kind == "session":
        lines += session_lines(across)
        lines += take_lines(evaluation, across)
    elif across is not None:
        lines.append(
            f"  of {counted(len(across.sessions), 'session')} no two contain the same class: record every class in each"
        )
    if evaluation.near_copies:
        lines.append(f"  {near_copies_text(evaluation.near_copies)}")
    lines.append(f"  a naive random split would have claimed {evaluation.random_split_accuracy:.1%}")
    if way in ONE_PLACE:
        lines.append(f"  {ONE_PLACE[way]}")
    lines.append(f"  {OTHERS if headline.kind == 'session' else ELSEWHERE}")
    return lines + nothing_lines(evaluation, nobody)


def session_lines(across: BySession) -> list[str]:
    """What a user gets in each session from a head that was taught the others; without "none of these" its accuracy."""
    titles = {one.session: f"{one.session} {one.name}".strip() for one in across.sessions}
    width = max(map(text_columns, titles.values()))
    lines = []
    for one in across.sessions:
        share, what = (one.accuracy, "") if one.answered is None else (one.answered, " answered correctly,")
        if across.answers is not None and one.answered is None and one.examples:
            what = " if it always answered,"  # there are more sessions than are asked with "none of these" on
        figure = "     –" if math.isnan(share) else f"{share:6.1%}"
        lines.append(
            f"    session {fit(titles[one.session], width)}  {figure}{what} of {counted(one.examples, 'example')}"
        )
    return lines


def take_lines(evaluation: Evaluation, across: BySession) -> list[str]:
    """The same figure for takes left out of sessions that are in the training data, and why it may be the lower one."""
    elsewhere, here = across.answers, evaluation.answers
    if elsewhere is None or here is None:
        share, bounds, lower = evaluation.accuracy, evaluation.interval95, evaluation.accuracy < across.accuracy
        what = f"{share:.1%}"
    else:
        share, bounds, lower = here.right, here.right_interval95, here.right < elsewhere.right
        what = f"answered correctly {share:.1%}"
    lines = [
        f"  {what} on held-out takes of sessions that are in the training data ({interval(bounds)})",
        f"    by {evaluation.method}",
    ]
    return [*lines, f"    {SINGLE_TAKES}"] if lower else lines


def interval(bounds: tuple[float, float]) -> str:
    """An interval in words."""
    return f"95 % interval {bounds[0]:.1%} to {bounds[1]:.1%}"


def nothing_lines(evaluation: Evaluation, nobody: str | None) -> list[str]:
    """In how many examples nothing was found, class by class; no line where that never happened."""
    if not evaluation.nothing_found:
        return []
    counts = ", ".join(f"{number} of class {label}" for label, number in evaluation.nothing_found.items())
    answer = f"for which the answer is {nobody}" if nobody is not None else "which is no answer and a mistake"
    return [f"  nothing was found in examples: {counts}, {answer}"]
