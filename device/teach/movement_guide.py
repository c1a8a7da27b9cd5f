"""The teacher's guide to movements: what helps most next, and what a training has shown, a sentence each."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from device.teach.lesson import Lesson
from device.teach.score import Score
from device.teach.training import ASKED_FOR, movement_cautions
from edge_tl.core.answers import TrainingResult
from edge_tl.core.examples import Count
from edge_tl.errors import counted
from edge_tl.judge.evaluation import Evaluation
from edge_tl.judge.guide import MIXED, Advice
from edge_tl.labels import ORDINARY
from edge_tl.movements.demonstration import STEP_S
from edge_tl.movements.taking import MINUTE_S

BETTER = 5
"""Demonstrations of a movement, from which on more help little."""
MIN_S = 10.0
"""Of moving about at least so much is recorded at a time, however much there is already."""
JUDGED_S = 6.0
"""How long a head of movements may be judged when it was trained: the screen stands still meanwhile."""
MATTERS = f"{ORDINARY}, a minute of ordinary hand motion, matters most"
"""What must be said plainly."""


def demonstrations(counts: Mapping[str, Count]) -> dict[str, int]:
    """How many each movement has, `nothing` left out."""
    return {label: count.examples for label, count in counts.items() if label != ORDINARY}


def ordinary_s(counts: Mapping[str, Count]) -> float:
    """How much moving about was recorded."""
    return STEP_S * counts[ORDINARY].examples if ORDINARY in counts else 0.0


def next_step(counts: Mapping[str, Count]) -> str:
    """What helps most now; names no keys."""
    done = {label: number for label, number in demonstrations(counts).items() if number}
    few = [f"{label} has {number}" for label, number in done.items() if number < ASKED_FOR]
    if not done:
        return f"{ASKED_FOR} demonstrations of each movement are needed, {BETTER} are better"
    if few:
        shown = ", ".join(few[:3]) + (f" and {counted(len(few) - 3, 'more class', 'more classes')}" if few[3:] else "")
        return f"{shown}: {ASKED_FOR} are needed, {BETTER} are better, one is for this person only"
    if ordinary_s(counts) < MINUTE_S - MIN_S:
        return f"now {MATTERS}"
    if min(done.values()) < BETTER:
        return f"{ASKED_FOR} of each are there, and {BETTER} are recognized better"
    return "enough of every movement; for other people, let two more show each"


def advised(counts: Mapping[str, Count], evaluation: Evaluation | None) -> Advice:
    """The same for a page, which knows what is taken for what in demonstrations left out."""
    few = any(0 < number < ASKED_FOR for number in demonstrations(counts).values())
    if evaluation is None or few or ordinary_s(counts) < MINUTE_S - MIN_S:
        return Advice("few", next_step(counts))
    matrix = np.asarray(evaluation.confusion)
    mixed = np.triu(matrix + matrix.T, 1)
    a, b = np.unravel_index(int(mixed.argmax()), mixed.shape)
    of = int(matrix[[a, b]].sum())
    if mixed[a, b] < max(2, MIXED * of):
        return Advice("ready", next_step(counts))
    pair = evaluation.classes[a], evaluation.classes[b]
    how = "do it larger, or teach more of both" if ORDINARY in pair else "do them more differently"
    return Advice("overlap", f"{pair[0]} and {pair[1]} are confused in {mixed[a, b]} of {of}: {how}", pair)


def wanted_s(counts: Mapping[str, Count]) -> float:
    """How much moving about is to be recorded next: what a minute wants, and after that another one."""
    missing_s = MINUTE_S - ordinary_s(counts)
    return MINUTE_S if missing_s <= MIN_S else missing_s


def missing(counts: Mapping[str, Count]) -> str:
    """What must be recorded before anything can be learned; empty where that is enough."""
    done = sum(number > 0 for number in demonstrations(counts).values())
    if not done:
        return f"still needed: a demonstration of a movement; {next_step(counts)}"
    if done == 1 and not ordinary_s(counts):
        return f"still needed: a second movement, or {ORDINARY}: with one class there is nothing to distinguish"
    return ""


def in_words(lesson: Lesson, learned: TrainingResult, found: Score, then: str) -> str:
    """What `t` says: what was learned and how well, and what is missing still; then: what one may do now."""
    counts = lesson.counts()
    shown = counted(sum(demonstrations(counts).values()), "demonstration")
    about = f" and {ordinary_s(counts):.0f} s of {ORDINARY}" if ordinary_s(counts) else ""
    told = f"trained on {shown}{about} in {learned.train_ms / 1000:.1f} s"
    if min(number for number in demonstrations(counts).values() if number) == 1:
        told += "; the accuracy cannot be measured with one demonstration"
    elif math.isnan(found.accuracy):
        told += "; `edge-tl evaluate` measures the accuracy"
    else:
        told += f", {found.accuracy:.0%} right {found.where}"
    if found.low:
        told += ": too few to rely on"
    return "; ".join([told, *movement_cautions(lesson.recognizer)[:1], then])
