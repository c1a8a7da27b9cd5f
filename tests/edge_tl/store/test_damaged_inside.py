"""Generations that are whole by their check sums and damaged inside: the one before answers, whatever was changed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.assembly import taught_recognizer
from edge_tl.core.answers import SavedHead
from edge_tl.errors import EdgeTLError, ProfileError, escaped
from edge_tl.heads import HEADS
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile
from edge_tl.testing import FakeEmbedder

EMBEDDER = FakeEmbedder()
RNG = np.random.default_rng(0)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**14), 10**14) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def trained(head: str = "ridge") -> SavedHead:
    """What a recognizer of two colours saves."""
    recognizer = Recognizer(EMBEDDER, head)
    for take in range(4):
        for label, colour in (("red", (200, 20, 20)), ("blue", (20, 20, 200))):
            noise = RNG.integers(0, 30, (24, 32, 3))
            recognizer.teach(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8), label, take)
    recognizer.learn()
    return recognizer.save()


GOOD = {head: trained(head) for head in HEADS}


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in nested JSON."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, part in inside for place in places(part, (*at, key)))]


def changed(saved: SavedHead, at: tuple[Any, ...], to: Any) -> SavedHead:
    """The same with another value at a place of its JSON."""
    meta = copy.deepcopy(saved.meta)
    inner = meta
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = to
    return SavedHead(meta, saved.arrays)


def with_array(name: str, array: np.ndarray) -> Callable[[SavedHead], SavedHead]:
    return lambda saved: SavedHead(saved.meta, saved.arrays | {name: array})


BAD: dict[str, Callable[[SavedHead], SavedHead]] = {
    "no head": lambda saved: SavedHead({"features": {}}, {}),
    "nothing": lambda saved: SavedHead({}, {}),
    "another head": lambda saved: changed(saved, ("head", "name"), "\x1b[2J"),
    "labels that are none": lambda saved: changed(saved, ("head", "classes"), ["a\x1b[2Jb", "c"]),
    "too many labels": lambda saved: changed(saved, ("head", "classes"), [f"c{n}" for n in range(3000)]),
    "rows of text": with_array("head.coef", np.array([["a"]])),
    "another width": with_array("head.coef", np.zeros((7, 2))),
    "no numbers": with_array("head.intercept", np.full(2, np.nan)),
    "rejector": lambda saved: changed(saved, ("rejector",), {"accept": "x", "reason": 3}),
    "features": lambda saved: changed(saved, ("features",), {"pool": "flat", "root": 1, "unit": 2}),
}


@pytest.mark.parametrize("what", BAD)
def test_the_generation_before_answers(tmp_path: Path, what: str) -> None:
    """Whatever is wrong inside the newest one, the one before is taken, and one line says so."""
    with Profile(tmp_path / "p", writable=True) as profile:
        profile.save(GOOD["ridge"])
        profile.save(BAD[what](GOOD["ridge"]))
        if "features" in BAD[what](GOOD["ridge"]).meta:
            recognizer = taught_recognizer(profile, EMBEDDER)
            assert recognizer.classes == ("blue", "red")
            assert profile.loaded == 1
            assert len(profile.warnings) == 1
        profile.generations()


def test_where_all_are_damaged_inside_that_is_said(tmp_path: Path) -> None:
    """One line says to train again."""
    with Profile(tmp_path / "p", writable=True) as profile:
        profile.save(BAD["another width"](GOOD["ridge"]))
        with pytest.raises(ProfileError, match="train"):
            taught_recognizer(profile, EMBEDDER)


SOME = given(st.sampled_from(sorted(GOOD)), st.data())


def json_changed(head: str, data: st.DataObject) -> None:
    """Any value at any place of its JSON: it answers, or one line says that it cannot."""
    saved = GOOD[head]
    at = data.draw(st.sampled_from(places(saved.meta)[1:]))
    check(changed(saved, at, data.draw(JSON)))


def array_changed(head: str, data: st.DataObject) -> None:
    """An array of another shape or kind: likewise."""
    saved = GOOD[head]
    name = data.draw(st.sampled_from(sorted(saved.arrays)))
    shape = tuple(data.draw(st.lists(st.integers(0, 5), max_size=3)))
    dtype = data.draw(st.sampled_from(["f4", "f8", "i8", "U3", "c8", "?", "M8[s]"]))
    check(SavedHead(saved.meta, saved.arrays | {name: np.zeros(shape, dtype)}))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@SOME
def test_nothing_in_its_json_is_more_than_one_line(head: str, data: st.DataObject) -> None:
    """Any value at any place (`make check-hostile`: minutes of them)."""
    json_changed(head, data)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@SOME
def test_no_array_of_it_is_more_than_one_line(head: str, data: st.DataObject) -> None:
    """An array of another shape or kind."""
    array_changed(head, data)


def check(saved: SavedHead) -> None:
    said, recognizer = "", None
    try:
        recognizer = Recognizer.restore(saved, EMBEDDER)
    except EdgeTLError as error:
        said = str(error)
    if recognizer is None:
        assert escaped(said) == said
        return
    with np.errstate(all="ignore"):
        recognizer.observe(np.zeros((24, 32, 3), np.uint8))
