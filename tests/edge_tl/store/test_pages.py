"""Pages of examples and takes: what the whole list says, without reading it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_tl.core.examples import Example
from edge_tl.store.examples import ExampleStore

EACH, TAKES = 3, 4


@pytest.fixture
def store(tmp_path: Path) -> ExampleStore:
    """Takes of several lengths and two labels, taken in turns, with and without a picture; one take is empty."""
    store = ExampleStore(tmp_path / "examples.sqlite", writable=True)
    takes = [store.new_take(label, "made") for label in ("up", "down", "up", "up", "down", "up", "up")]
    for number in range(30):
        store.add(takes[number % 6], None, np.zeros(4, np.float32), "0" * 64)
    store.flush()
    return store


def listed(store: ExampleStore, label: str, take: int = 0) -> list[Example]:
    """The newest first."""
    return [one for one in reversed(store.list()) if label in ("", one.label) and take in (0, one.take)]


@pytest.mark.parametrize("label", ["", "up", "down", "none"])
def test_takes_page_by_page_are_those_of_the_list(store: ExampleStore, label: str) -> None:
    """Every take with an example comes once, the newest first, with its first and its newest examples."""
    with store:
        wanted = listed(store, label)
        numbers = list(dict.fromkeys(one.take for one in sorted(wanted, key=lambda one: -one.take)))
        before, seen = 0, []
        for _ in range(9):
            total, older, page = store.pages.takes(label, before, TAKES, EACH)
            assert total == len(numbers)
            seen += [one.take for one in page]
            assert older == len(numbers) - len(seen)
            for one in page:
                of_take = listed(store, label, one.take)
                assert (one.total, one.first, one.newest) == (len(of_take), of_take[-1], of_take[:EACH])
            if not older:
                break
            before = seen[-1]
        assert seen == numbers


@pytest.mark.parametrize(("label", "take"), [("", 0), ("up", 0), ("", 2), ("down", 2), ("up", 2), ("none", 0)])
def test_examples_page_by_page_are_those_of_the_list(store: ExampleStore, label: str, take: int) -> None:
    """Of a label, of a take, of both or of all: each once, the newest first."""
    with store:
        wanted = listed(store, label, take)
        before, seen = 0, []
        for _ in range(20):
            total, older, page = store.pages.examples(label, take, before, TAKES)
            seen += page
            assert (total, older) == (len(wanted), len(wanted) - len(seen))
            if not older:
                break
            before = page[-1].id
        assert seen == wanted


def test_what_the_files_take_is_their_sum(tmp_path: Path) -> None:
    """Pictures and sounds alone, embeddings not counted."""
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        assert store.pages.media_bytes() == 0
        take = store.new_take("up", "made")
        for number in range(3):
            picture = np.random.default_rng(number).integers(0, 256, (16, 16, 3), np.uint8)
            store.add(take, picture, np.zeros(4, np.float32), "0" * 64)
        store.flush()
        assert store.pages.media_bytes() == sum(one.media_bytes_len for one in store.list()) > 0
