"""What a person says was told wrongly, or missed: kept by the pipeline that heard it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from device.serve.pipeline import Pipeline
from device.serve.storage_limits import make_room
from device.teach.marked import mark, mark_picture, miss, miss_picture
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.errors import ConfigError
from edge_tl.store.examples import ExampleStore

Keep = Callable[[ExampleStore, SoundEmbedder, bool], str]


def mark_told(one: Pipeline, given: dict[str, Any]) -> None:
    """`{"number": 3, "was": "hum"}`: what was told was that; without `number` the last one, of words without `was`
    nothing."""
    number, was = given.get("number"), given.get("was")
    if number is not None and (type(number) is not int or number < 1):
        raise ConfigError("number: one of those in `heard` is wanted, or null for the last")
    if was is not None and not isinstance(was, str):
        raise ConfigError("was: a word is wanted, or null for nothing")
    if one.kind == "picture":
        if was is None:
            raise ConfigError("was: the class that it was is wanted")
        store, recognizer = one.profile.store, one.line.recognizer
        _kept_picture(one, lambda keep: mark_picture(one.moments, store, recognizer, was, number, keep))
        return
    _kept(one, lambda store, embedder, keep: mark(one.mistakes, store, embedder, was, number, keep))


def mark_missed(one: Pipeline, given: dict[str, Any]) -> None:
    """`{"was": "hum"}`: it was said in the last seconds, or is shown now, and not told."""
    was = given.get("was")
    if not isinstance(was, str):
        raise ConfigError("was: the word that was missed is wanted, or the class that is shown now")
    if one.kind == "picture":
        store, recognizer = one.profile.store, one.line.recognizer
        _kept_picture(one, lambda keep: miss_picture(one.moments, store, recognizer, was, keep))
        return
    _kept(one, lambda store, embedder, keep: miss(one.mistakes, store, embedder, was, keep))


def _kept(one: Pipeline, keep_it: Keep) -> None:
    """Keep it, and have the pipeline say so; ProfileError while nothing can be taught."""
    one.check_teaching()
    embedder = one.line.recognizer.sound
    if embedder is None:
        raise ConfigError(f"{one.name} recognizes movements: only pictures and words can be corrected")
    _kept_picture(one, lambda keep: keep_it(one.profile.store, embedder, keep))


def _kept_picture(one: Pipeline, keep_it: Callable[[bool], str]) -> None:
    """The same of what is seen or heard."""
    one.check_teaching()
    if one.looking is not None and one.looking.busy:
        raise ConfigError("the pictures are being embedded again for another --look: try again when that is done")
    lesson = one.lesson
    make_room(lesson, one.limits)
    with one.saving():
        one.said = keep_it(one.limits.keep == "all")
        lesson.use(one.line.recognizer)
