"""What was seen of pictures is kept beside them for the next program, and goes with the example."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import edge_tl.store.near_copies as looked
from edge_tl.store.examples import ExampleStore
from edge_tl.store.near_copies import SEEN
from edge_tl.testing import FakeEmbedder

EMBEDDER = FakeEmbedder()


def fill(path: Path, count: int = 4) -> None:
    """So many pictures, each in a take of its own."""
    with ExampleStore(path, writable=True) as store:
        for seed in range(count):
            picture = np.random.default_rng(seed).integers(0, 256, (24, 32, 3)).astype(np.uint8)
            store.add(store.new_take("a"), picture, EMBEDDER.embed(picture), EMBEDDER.fingerprint)


def beats(path: Path, *, writable: bool) -> int:
    """How many pictures had to be looked at."""
    seen: list[int] = []
    with ExampleStore(path, writable=writable) as store:
        store.held(store.matrix(EMBEDDER.fingerprint), lambda: seen.append(1))
    return len(seen)


def kept(path: Path) -> list[int]:
    """The examples of which the file beside them holds something."""
    with np.load(path.with_name(SEEN), allow_pickle=False) as file:
        assert len(file["files"]) == len(file["small"])
        return [int(number) for number in file["files"][:, 0]]


def test_the_second_program_looks_at_what_is_new_only(tmp_path: Path) -> None:
    """A writer keeps what it saw; readers and later writers use it; a reader writes nothing."""
    path = tmp_path / "examples.sqlite"
    fill(path)
    assert beats(path, writable=False) == 4
    assert not path.with_name(SEEN).exists()
    assert beats(path, writable=True) == 4
    assert [beats(path, writable=writable) for writable in (False, True)] == [0, 0]
    fill(path, 2)
    assert beats(path, writable=True) == 2
    assert kept(path) == [1, 2, 3, 4, 5, 6]


def test_what_was_seen_goes_with_the_example(tmp_path: Path) -> None:
    """However an example is removed, nothing of its picture stays; with the last the file goes."""
    path = tmp_path / "examples.sqlite"
    fill(path, 5)
    beats(path, writable=True)
    with ExampleStore(path, writable=True) as store:
        store.remove([1])
        assert kept(path) == [2, 3, 4, 5]
        store.undo_last_take()
        assert kept(path) == [2, 3, 4]
        store.remove_take(2)
        assert kept(path) == [3, 4]
        store.remove_label("a")
    assert not path.with_name(SEEN).exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", "other"])
def test_a_damaged_or_foreign_file_only_makes_it_slower(tmp_path: Path, content: bytes | str) -> None:
    """What is no file of ours, or speaks of other pictures, is looked past and made anew."""
    path = tmp_path / "examples.sqlite"
    fill(path)
    if isinstance(content, bytes):
        path.with_name(SEEN).write_bytes(content)
    else:
        np.savez(path.with_name(SEEN), files=np.array([[1, 2, 3]]), small=np.zeros((1, looked.SIDE**2), np.uint8))
    assert beats(path, writable=True) == 4
    assert beats(path, writable=True) == 0


def test_a_file_that_unfolds_without_an_end_is_not_unfolded(tmp_path: Path) -> None:
    """A hundred kilobytes that hold a hundred million zeros are looked past, and take no memory."""
    path = tmp_path / "examples.sqlite"
    fill(path)
    small = np.zeros((100_000_000 // looked.SIDE**2, looked.SIDE**2), np.uint8)
    np.savez_compressed(path.with_name(SEEN), files=np.zeros((len(small), 3), np.int64), small=small)
    del small
    tracemalloc.start()
    assert beats(path, writable=True) == 4
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 20_000_000


def test_a_disk_that_takes_nothing_only_makes_it_slower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file cannot be written nothing is said and nothing is left, and the next program looks again."""
    path = tmp_path / "examples.sqlite"
    fill(path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert [beats(path, writable=True) for _ in range(2)] == [4, 4]
    assert sorted(one.name for one in tmp_path.iterdir() if "sqlite" not in one.name) == []
