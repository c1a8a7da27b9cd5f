"""The database under the store: durable, told from other files, and never trusted when it is damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_tl.core.kept import as_stored
from edge_tl.errors import EdgeTLError, ProfileError
from edge_tl.media import image
from edge_tl.store.database import Database
from edge_tl.store.examples import ExampleStore
from edge_tl.store.schema import TABLES, UPGRADES, VERSION

PRINT = "a" * 64


def picture(seed: int) -> np.ndarray:
    """A picture that no other seed gives."""
    return np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def embedding(seed: int) -> np.ndarray:
    """An embedding that no other seed gives."""
    return np.random.default_rng(seed).standard_normal(12).astype(np.float32)


def test_durability_is_on(tmp_path: Path) -> None:
    """The file is in WAL mode, every commit is synced, and the file says that it is ours."""
    path = tmp_path / "examples.sqlite"
    database = Database(path, writable=True, tables=TABLES, version=VERSION, upgrades=UPGRADES)
    assert database.one("PRAGMA journal_mode") == ("wal",)
    assert database.one("PRAGMA synchronous") == (2,)
    database.close()
    assert path.read_bytes()[68:72] == b"edge"


def test_a_reader_of_nothing_is_told_what_to_do(tmp_path: Path) -> None:
    """Without a file, or with the empty file of a writer killed at once, a reader gets one line."""
    (tmp_path / "empty.sqlite").touch()
    for name in ("none.sqlite", "empty.sqlite"):
        with pytest.raises(ProfileError, match=r"no examples at .* teach"):
            ExampleStore(tmp_path / name, writable=False)
    assert not (tmp_path / "none.sqlite").exists()
    with ExampleStore(tmp_path / "empty.sqlite", writable=True) as store:
        assert store.counts() == {}


@pytest.mark.parametrize("writable", [True, False])
def test_files_that_are_no_store_are_refused(tmp_path: Path, writable: bool) -> None:
    """Garbage, another program's database and a newer edge-tl's each give one clear line, and stay as they are."""
    garbage, other, newer = tmp_path / "garbage", tmp_path / "other", tmp_path / "newer"
    garbage.write_bytes(bytes(range(256)) * 40)
    db = sqlite3.connect(other)
    db.execute("CREATE TABLE t (x)")
    db.commit()
    db.close()
    ExampleStore(newer, writable=True).close()
    db = sqlite3.connect(newer)
    db.execute("PRAGMA user_version = 99")
    db.close()
    for path, line in ((garbage, "damaged"), (other, "another program"), (newer, "newer edge-tl .*99.*upgrade")):
        before = path.read_bytes()
        with pytest.raises(ProfileError, match=line) as caught:
            ExampleStore(path, writable=writable)
        assert "\n" not in str(caught.value)
        assert path.read_bytes() == before


@contextmanager
def or_one_line() -> Iterator[None]:
    """The block succeeds, or ends with an error of ours, of one line."""
    line = ""
    try:
        yield
    except EdgeTLError as error:
        line = str(error)
    assert len(line.splitlines()) <= 1


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store with pictures."""
    path = tmp_path_factory.mktemp("whole") / "examples.sqlite"
    with ExampleStore(path, writable=True) as store:
        for take in range(4):
            number = store.new_take("up" if take % 2 else "down", source="camera")
            for seed in range(3 * take, 3 * take + 3):
                store.add(number, picture(seed), embedding(seed), PRINT)
    return path


@settings(max_examples=150)
@example(place=0.046875, mask=128, cut=False)  # in the schema: SQLite quotes it, no longer UTF-8, in its error
@given(place=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255), cut=st.booleans())
def test_damage_never_gives_a_wrong_embedding_or_picture(whole: Path, place: float, mask: int, cut: bool) -> None:
    """With any byte flipped or the file cut anywhere, each read gives what was stored, or one line."""
    path, good = whole.with_name("damaged.sqlite"), whole.read_bytes()
    at = int(place * len(good))
    path.write_bytes(good[:at] if cut else good[:at] + bytes([good[at] ^ mask]) + good[at + 1 :])
    for rest in ("-wal", "-shm"):
        path.with_name(path.name + rest).unlink(missing_ok=True)
    rows = {as_stored(embedding(seed)).tobytes() for seed in range(12)}
    pictures = {image.encode_jpeg(picture(seed)) for seed in range(12)}
    for writable in (False, True):
        with or_one_line(), ExampleStore(path, writable=writable) as store:
            for read in (store.counts, store.labels, store.list):
                with or_one_line():
                    read()
            with or_one_line():
                assert {row.tobytes() for row in store.matrix(PRINT).X} <= rows
            for number in range(1, 13):
                with or_one_line():
                    assert store.picture(number) in pictures
