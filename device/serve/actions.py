"""What a POST may ask of a pipeline: each action, what its object may hold, and what the loop does with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, NamedTuple

from device.serve.marks import mark_missed, mark_told
from device.serve.pipeline import Pipeline
from device.serve.typed import type_in
from edge_tl.embedders.look.choices import Look
from edge_tl.errors import ConfigError
from edge_tl.store.tuning import Tuning


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise ConfigError(f"{name}: a text is wanted")
    return value


def _optional_text(given: dict[str, Any], name: str) -> str | None:
    return None if given.get(name) is None else _text(given, name)


def _forget(one: Pipeline, given: dict[str, Any]) -> dict[str, Any]:
    ids = given.get("ids")
    if not isinstance(ids, list) or not all(type(number) is int and 0 < number < 2**63 for number in ids):
        raise ConfigError("ids: a list of numbers is wanted")
    return {"removed": one.remove(ids)}


def _forget_take(one: Pipeline, given: dict[str, Any]) -> dict[str, Any]:
    take = given.get("take")
    if type(take) is not int or not 0 < take < 2**63:
        raise ConfigError("take: a number is wanted")
    return {"removed": one.remove_take(take)}


def _release(one: Pipeline, _: dict[str, Any]) -> None:
    one.release()
    one.check_teaching()  # a disk that failed meanwhile took none of what was held


def _undo(one: Pipeline, _: dict[str, Any]) -> dict[str, Any]:
    undone = one.undo()
    return {"undone": None if undone is None else list(undone)}


def _look(one: Pipeline, given: dict[str, Any]) -> None:
    box = given.get("box")
    if box is not None and not (
        isinstance(box, list) and len(box) == 4 and all(type(share) in (int, float) for share in box)
    ):
        raise ConfigError("box: a list of left, top, right, bottom is wanted, shares of 0 to 1")
    hands = "largest" if given.get("hands") is None else _text(given, "hands")
    one.look(Look(_text(given, "way"), None if box is None else (box[0], box[1], box[2], box[3]), hands))


class Action(NamedTuple):
    """What a POST may ask for."""

    do: Callable[[Pipeline, dict[str, Any]], dict[str, Any] | None]
    """What the loop does with the pipeline and the JSON object."""
    takes: tuple[str, ...] = ()
    """The names that the object may hold."""
    long: str = ""
    """What the loop is at meanwhile, of what may take long."""


ACTIONS: dict[str, Action] = {
    "record": Action(lambda one, given: one.record(_text(given, "label")), ("label",)),
    "release": Action(_release),
    "undo": Action(_undo),
    "label": Action(lambda one, given: one.add_label(_text(given, "label")), ("label",)),
    "forget-label": Action(lambda one, given: one.remove_label(_text(given, "label")), ("label",)),
    "rename": Action(lambda one, given: one.rename(_text(given, "label"), _text(given, "to")), ("label", "to")),
    "forget": Action(_forget, ("ids",)),
    "forget-take": Action(_forget_take, ("take",)),
    "mark": Action(mark_told, ("number", "was")),
    "missed": Action(mark_missed, ("was",)),
    "type": Action(type_in, ("word", "language"), "speaking a word for"),
    "end-take": Action(lambda one, _: one.end_take()),
    "session": Action(lambda one, given: one.new_session(_text(given, "name")), ("name",)),
    "train": Action(lambda one, given: one.train(_optional_text(given, "head")), ("head",), "training"),
    "roll-back": Action(lambda one, _: {"generation": one.roll_back()}),
    "roll-forward": Action(lambda one, _: {"generation": one.roll_forward()}),
    "look": Action(_look, ("way", "box", "hands")),
    "stop-look": Action(lambda one, _: one.stop_look()),
    "tune": Action(lambda one, given: one.tune(Tuning.of(given)), tuple(one.name for one in fields(Tuning))),
}
"""By the name in the address."""
