"""What the console says next to whoever teaches: the guide's sentences, where they are found quickly."""

from __future__ import annotations

import itertools

from device.teach.lesson import Lesson
from device.teach.movement_guide import next_step
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
