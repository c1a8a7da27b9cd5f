"""How well a head that was just trained does, in words for the person who taught it, and at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from device.teach.lesson import Lesson
from edge_tl.core.answers import TrainingResult
from edge_tl.errors import counted
from edge_tl.heads.ridge import RidgeHead
from edge_tl.judge.evaluation import Evaluation
from edge_tl.judge.guide import advise, named
from edge_tl.recognizer import Recognizer

QUICK_ROWS = 600
"""The most rows with which a ridge head is judged anew: 400 take 0.2 s, 1000 1.7 s, and the screen stands still."""
QUICK_S = 1.0
"""How long other heads, which are trained anew for each take, may be judged: the screen stands still."""


class _LateError(Exception):
    """It takes too long."""


@dataclass(frozen=True, slots=True)
class Score:
    """What is known of a head at once."""

    accuracy: float
    """If it always answered; NaN where nothing could be judged, or that takes too long."""
    where: str
    """On what, after "right" or "it confuses the classes"; {who} is who was taught."""
    classes: int
    evaluation: Evaluation | None
    """The whole account, where that was quick."""

    @property
    def answered(self) -> float | None:
        """The share that is answered, and rightly; None where it always answers, or nobody knows."""
        answers = None if self.evaluation is None else self.evaluation.headline.answers
        return None if answers is None else answers.right

    @property
    def low(self) -> bool:
        """Whether it is nearer to guessing than to always being right."""
        return self.accuracy < (1 + 1 / self.classes) / 2


def learn_and_score(
    lesson: Lesson, clock: Callable[[], float], quick_s: float = QUICK_S
) -> tuple[TrainingResult, Score]:
    """Train on all that was recorded, near-copies held together, and judge it at once; quick_s: as of `score`."""
    lesson.hold(lambda: None)
    learned, found = lesson.learn(), score(lesson, clock, quick_s)
    lesson.recognizer.head.release()
    return learned, found


def score(lesson: Lesson, clock: Callable[[], float], quick_s: float = QUICK_S) -> Score:
    """Judge what a lesson's recognizer has learned as `Recognizer.evaluate` does, where that takes `quick_s` or less.

    Where it is not, a ridge head tells what it found while it was trained, leaving takes out; others tell nothing.
    """
    recognizer = lesson.recognizer
    head, classes = recognizer.head, len(recognizer.classes)
    evaluation = _evaluate(lesson, clock, quick_s)
    if evaluation is not None:
        accuracy, by_session = evaluation.headline.accuracy, evaluation.headline.kind == "session"
    else:
        accuracy, by_session = head.loo_accuracy_ if isinstance(head, RidgeHead) else math.nan, False
    if by_session:
        where = "on held-out sessions"
    elif len(one_take_only(recognizer)) == classes:
        where = "on the takes it was trained on"
    else:
        where = "on held-out takes"
    return Score(accuracy, where, classes, evaluation)


def _evaluate(lesson: Lesson, clock: Callable[[], float], quick_s: float) -> Evaluation | None:
    """The whole account, None where it takes too long."""
    recognizer = lesson.recognizer
    if isinstance(recognizer.head, RidgeHead) and len(recognizer.rows[1]) > QUICK_ROWS:
        return None
    until_s = clock() + quick_s

    def step(*_: int) -> None:
        if clock() > until_s:
            raise _LateError

    try:
        return recognizer.evaluate(step, {one.id: one.name for one in lesson.store.sessions()})
    except _LateError:
        return None


def one_take_only(recognizer: Recognizer) -> list[str]:
    """The classes that were shown in one take: what is said of them is of the same place and moment."""
    _, y, takes = recognizer.rows
    return [str(name) for name in np.unique(y) if len(np.unique(takes[y == name])) == 1]


def rejection_off(recognizer: Recognizer) -> str:
    """For what "none of these" is off, as `Rejector.off`; empty where it is on, not wanted, or of movements."""
    return recognizer.rejector.off if recognizer.reject and recognizer.embedder.kind != "movement" else ""


def in_words(lesson: Lesson, learned: TrainingResult, found: Score, noun: str, then: str) -> str:
    """What `t` says: what was learned and how well, or, where that is badly, what to record.

    noun: of one example; then: what one may do now.
    """
    off = rejection_off(lesson.recognizer)
    nothing_else = f"; 'none of these' is off{off.partition(':')[0]}" if off else ""
    if found.low:
        advice = advise(lesson.recorded())
        where = found.where
        return f"trained, but it confuses the classes {where} ({found.accuracy:.0%}): {advice.text}{nothing_else}"
    told = f"trained on {counted(learned.examples, noun)} in {learned.train_ms:.0f} ms"
    if math.isnan(found.accuracy):
        told += "; `edge-tl evaluate` measures the accuracy"
    else:
        right = f"{found.accuracy:.0%} right"
        if found.answered is not None:
            right = f"{found.answered:.0%} answered correctly, {found.accuracy:.0%} if it always answered,"
        told += f", {right} {found.where}"
    single = one_take_only(lesson.recognizer)
    if single:
        return f"{told}; {then}; one take only of {named(single)}: record a second{nothing_else}"
    return f"{told}; {then}" + (f"; {learned.cautions[0]}" if learned.cautions else "")
