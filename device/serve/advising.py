"""What the console says next to whoever teaches: the guide's sentences, where they are found quickly."""

from __future__ import annotations

import itertools
from typing import Any

from device.teach.lesson import Lesson
from device.teach.movement_guide import next_step
from device.teach.typed import typed_cautions
from edge_tl.core.answers import TrainingResult
from edge_tl.judge.evaluation import Evaluation
from edge_tl.judge.guide import every_advice

ADVICES, ADVISED = 3, 600
"""Sentences of advice after a training, and the most examples with which any is given: what is looked into takes 0.5 s
with 600 of them and twenty times that with 3 000, while nothing is recognized."""


def advice(lesson: Lesson, kind: str, sentences: int) -> list[str]:
    """What helps most next, the most helpful first; kind: of the line."""
    if kind == "movement":
        return [next_step(lesson.counts())]
    if len(lesson.recognizer.rows[1]) > ADVISED * lesson.recognizer.views:
        return []
    return [one.text for one in itertools.islice(every_advice(lesson.recorded()), sentences)]


def said_of_training(
    generation: int,
    result: TrainingResult,
    evaluation: Evaluation,
    lesson: Lesson,
    kind: str,
) -> dict[str, Any]:
    """What a training is answered with, JSON-able; kind: of the line."""
    recognizer = lesson.recognizer
    return {
        "generation": generation,
        "examples": result.examples,
        "head": result.head,
        "train_ms": round(result.train_ms, 1),
        "cautions": [*result.cautions, *typed_cautions(recognizer), *filter(None, [lesson.without_lessons])],
        "evaluation": evaluation.as_dict(),
        "advice": advice(lesson, kind, ADVICES),
        "curve": [[float(value) for value in point] for point in recognizer.head.curve_],
    }
