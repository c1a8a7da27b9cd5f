"""How good it is, as a person reads it: the figures of an evaluation, how they were found, and what must be known."""

from __future__ import annotations

import math

from device.screens.cells import fit, text_columns
from device.teach.box_score import near_copies_text
from edge_tl.errors import counted
from edge_tl.judge.evaluation import BySession, Evaluation

ONE_PLACE = {
    "frame": "it looks at the whole picture, so it knows only the places and the light that it was taught in",
    "box": "it looks at one part of the picture, so it knows only the places and the light that it was taught in",
}
"""What must be said of a way to look that sees the background too."""
ELSEWHERE = (
    "this session only: another room or day may look different; record a second, short session there (`edge-tl teach`, "
    "key s)"
)
OTHERS = (
    "these sessions only: where one person taught them all, somebody else may be told less well; have somebody else "
    "teach one"
)

SINGLE_TAKES = (
    "(below the first figure: where classes have few takes more is left out at once, or a place is known by other "
    "classes only; record two or more of each in each session)"
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
    where = "in a session it was not taught" if headline.kind == "session" else "on takes it was not taught"
    if (gets := headline.answers) is None:
        lines = [f"accuracy {headline.accuracy:.1%} {where} ({interval(headline.interval95)})"]
    else:
        lines = [
            f"right and answered {gets.right:.1%} {where} ({interval(gets.right_interval95)})",
            f"  'none of these' to {gets.refused:.1%}, a wrong answer to {gets.wrong:.1%}",
            f"  accuracy {headline.accuracy:.1%} if it always answered ({interval(headline.interval95)})",
        ]
    lines.append(f"  by {headline.method}")
    across = evaluation.by_session
    if across is not None and headline.kind == "session":
        lines += session_lines(across)
        lines += [
            f"  {evaluation.accuracy:.1%} on takes it was not taught, of sessions that it knows "
            f"({interval(evaluation.interval95)})",
            f"    by {evaluation.method}",
        ]
        if evaluation.accuracy < across.accuracy:
            lines.append(f"    {SINGLE_TAKES}")
    elif across is not None:
        lines.append(
            f"  of {counted(len(across.sessions), 'session')} no two show the same class: show every class in each"
        )
    if evaluation.near_copies:
        lines.append(f"  {near_copies_text(evaluation.near_copies)}")
    lines.append(f"  a naive random split would have claimed {evaluation.random_split_accuracy:.1%}")
    if way in ONE_PLACE:
        lines.append(f"  {ONE_PLACE[way]}")
    lines.append(f"  {OTHERS if headline.kind == 'session' else ELSEWHERE}")
    return lines + nothing_lines(evaluation, nobody)


def session_lines(across: BySession) -> list[str]:
    """The accuracy of each session, by a head that was taught the others."""
    titles = {one.session: f"{one.session} {one.name}".strip() for one in across.sessions}
    width = max(map(text_columns, titles.values()))
    return [
        f"    session {fit(titles[one.session], width)}  "
        + ("     –" if math.isnan(one.accuracy) else f"{one.accuracy:6.1%}")
        + f" of {counted(one.examples, 'example')}"
        for one in across.sessions
    ]


def interval(bounds: tuple[float, float]) -> str:
    """An interval in words."""
    return f"95 % interval {bounds[0]:.1%} to {bounds[1]:.1%}"


def nothing_lines(evaluation: Evaluation, nobody: str | None) -> list[str]:
    """In how many examples nothing was found, class by class; no line where that never happened."""
    if not evaluation.nothing_found:
        return []
    counts = ", ".join(f"{number} of class {label}" for label, number in evaluation.nothing_found.items())
    answer = f"which is answered {nobody}" if nobody is not None else "which gets no answer and counts as a mistake"
    return [f"  nothing was found in examples: {counts}, {answer}"]
