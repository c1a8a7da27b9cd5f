"""What a person says was told wrongly, or missed: kept by the pipeline that heard it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from device.serve.pipeline import Pipeline
from device.serve.storage_limits import make_room
from device.teach.marked import mark, miss
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.errors import ConfigError
from edge_tl.store.examples import ExampleStore

Keep = Callable[[ExampleStore, SoundEmbedder, bool], str]


def mark_told(one: Pipeline, given: dict[str, Any]) -> None:
    """`{"number": 3, "was": "hum"}`: what was told was that; without `was` nothing, without `number` the last one."""
    number, was = given.get("number"), given.get("was")
    if number is not None and (type(number) is not int or number < 1):
        raise ConfigError("number: one of those in `heard` is wanted, or null for the last")
    if was is not None and not isinstance(was, str):
        raise ConfigError("was: a word is wanted, or null for nothing")
    _kept(one, lambda store, embedder, keep: mark(one.mistakes, store, embedder, was, number, keep))


def mark_missed(one: Pipeline, given: dict[str, Any]) -> None:
    """`{"was": "hum"}`: it was said in the last seconds, and not told."""
    was = given.get("was")
    if not isinstance(was, str):
        raise ConfigError("was: the word that was missed is wanted")
    _kept(one, lambda store, embedder, keep: miss(one.mistakes, store, embedder, was, keep))


def _kept(one: Pipeline, keep_it: Keep) -> None:
    """Keep it, and have the pipeline say so; ProfileError while nothing can be taught."""
    one.check_teaching()
    embedder = one.line.recognizer.sound
    if embedder is None:
        raise ConfigError(f"{one.name} is a camera: only words can be corrected")
    lesson = one.lesson
    make_room(lesson, one.limits)
    with one.saving():
        one.said = keep_it(one.profile.store, embedder, one.limits.keep == "all")
        lesson.use(one.line.recognizer)
