"""Sessions in the store: which take belongs to which, and files made before there were sessions."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from fake_clocks import SET_S, FakeClocks
from hypothesis import given, settings
from hypothesis import strategies as st
from old_store import PRINT, old_store

from edge_tl.errors import ExampleError, ProfileError
from edge_tl.store.examples import ExampleStore
from edge_tl.store.moments import BEGUN_S
from edge_tl.store.schema import VERSION
from edge_tl.store.sessions import PAUSE_S, Session, in_one_session_only


@pytest.fixture
def clock() -> FakeClocks:
    """Clocks of the test's own."""
    return FakeClocks()


def record(store: ExampleStore, label: str, examples: int = 1, session: int | None = None) -> int:
    """A take on disk; its number."""
    take = store.new_take(label, session=session)
    for number in range(examples):
        store.add(take, None, np.full(5, take + number), PRINT)
    store.flush()
    return take


def test_a_pause_begins_a_session(tmp_path: Path, clock: FakeClocks) -> None:
    """Takes belong together while no more than half an hour lies between two of them, however long it all lasts."""
    with ExampleStore(tmp_path / "e", writable=True, clock=clock) as store:
        for pause_s in (0, PAUSE_S, PAUSE_S, PAUSE_S + 1, 5):
            clock.advance(pause_s)
            record(store, "up")
        assert [example.session for example in store.list()] == [1, 1, 1, 2, 2]
        assert store.matrix(PRINT).sessions.tolist() == [1, 1, 1, 2, 2]
        assert [(one.id, one.takes, one.examples) for one in store.sessions()] == [(1, 3, 3), (2, 2, 2)]


def test_a_session_goes_on_after_a_restart(tmp_path: Path, clock: FakeClocks) -> None:
    """Started anew within the pause the program goes on with the session, and after it begins another."""
    for pause_s in (0, PAUSE_S - 1, PAUSE_S + 1):
        clock.advance(pause_s)
        with ExampleStore(tmp_path / "e", writable=True, clock=clock) as store:
            record(store, "up")
    assert [(one.id, one.takes) for one in ExampleStore(tmp_path / "e", writable=False).sessions()] == [(1, 2), (2, 1)]


def test_a_session_by_hand_has_a_name(tmp_path: Path, clock: FakeClocks) -> None:
    """A session that was begun by hand is the current one; it waits for its first take however long that lasts."""
    with ExampleStore(tmp_path / "e", writable=True, clock=clock) as store:
        record(store, "up")
        kitchen = store.new_session(" kitchen ☕ ")
        clock.advance(10 * PAUSE_S)
        assert store.session() == kitchen
        assert len(store.sessions()) == 1
        record(store, "up", 2)
        record(store, "down", 3)
        assert store.sessions()[1] == Session(2, "kitchen ☕", clock.wall_s, 2, (("up", 2), ("down", 3)))
        assert [one.title for one in store.sessions()] == ["session 1", "kitchen ☕"]
        store.rename_session(1, "desk")
        assert store.session_name(1) == "desk"
        with pytest.raises(ExampleError, match="no session 7; those there are: 1 desk, 2 kitchen"):
            store.rename_session(7, "desk")
        with pytest.raises(ExampleError, match="unprintable"):
            store.new_session("a\nb")
        with pytest.raises(ExampleError, match="no session 9"):
            store.new_take("up", session=9)


def test_an_import_is_closed(tmp_path: Path, clock: FakeClocks) -> None:
    """What is recorded after an import does not belong to its session, nor do takes before and after it part."""
    with ExampleStore(tmp_path / "e", writable=True, clock=clock) as store:
        record(store, "up")
        record(store, "up", session=store.new_session("holiday", closed=True))
        record(store, "up")
    with ExampleStore(tmp_path / "e", writable=True, clock=clock) as store:
        record(store, "up")
        assert [(one.name, one.takes) for one in store.sessions()] == [("", 3), ("holiday", 1)]


def test_an_emptied_session_is_not_shown(tmp_path: Path, clock: FakeClocks) -> None:
    """Undo, and removing takes, labels or single examples, leave no session without examples in the list."""
    with ExampleStore(tmp_path / "e", writable=True, clock=clock) as store:
        record(store, "up")
        for name in "abcd":
            store.new_session(name)
            take = record(store, name)
        assert store.undo_last_take() == ("d", 1)
        store.remove_label("c")
        store.remove([store.list()[-1].id])
        assert [one.name for one in store.sessions()] == ["", "a"]
        store.remove_take(take - 3)
        assert [one.name for one in store.sessions()] == [""]
        record(store, "up")
        assert [one.name for one in store.sessions()] == ["", "d"]  # it goes on: only its take was a mistake


def test_labels_of_one_session_only() -> None:
    """Of two sessions, the labels that one of them lacks are named; of one session nothing is said."""
    one, two = Session(1, "", 0, 1, (("up", 1), ("wink", 1))), Session(2, "", 0, 1, (("up", 1),))
    assert in_one_session_only([one]) == []
    assert in_one_session_only([one, two]) == ["wink"]


def by_hand(takes_s: list[float]) -> list[int]:
    """The session of each take, by a loop."""
    sessions: list[int] = []
    for number, time_s in enumerate(takes_s):
        begins = not number or (time_s - takes_s[number - 1] > PAUSE_S and takes_s[number - 1] >= BEGUN_S)
        sessions.append((sessions[-1] if sessions else 0) + begins)
    return sessions


@settings(max_examples=20)
@given(
    gaps_s=st.lists(st.sampled_from([0.0, 5.0, PAUSE_S, PAUSE_S + 1, 86400.0, -9000.0]), min_size=1, max_size=12),
    was_set=st.booleans(),
)
def test_old_takes_get_sessions_by_their_pauses(
    tmp_path_factory: pytest.TempPathFactory, gaps_s: list[float], was_set: bool
) -> None:
    """A file without sessions reads the same before the upgrade, where it may not be written, and after it."""
    takes_s = (SET_S * was_set + np.cumsum(gaps_s)).tolist()
    path = old_store(tmp_path_factory.mktemp("old") / "examples.sqlite", takes_s)
    before = path.read_bytes()
    with ExampleStore(path, writable=False) as reader:
        old = reader.matrix(PRINT), reader.list(), reader.sessions(), reader.counts()
        assert path.read_bytes() == before
        with ExampleStore(path, writable=True) as store:
            new = store.matrix(PRINT), store.list(), store.sessions(), store.counts()
        assert reader.sessions() == new[2]  # a reader from before the upgrade goes on
    assert old[1:] == new[1:]
    assert old[0].sessions.tolist() == new[0].sessions.tolist() == by_hand(takes_s)
    assert np.array_equal(old[0].X, new[0].X)
    assert [example.media_bytes_len > 0 for example in new[1]] == [True] * len(takes_s)


def test_an_upgraded_file_is_as_a_new_one(tmp_path: Path, clock: FakeClocks) -> None:
    """After the upgrade the file has the tables of a new one, and teaching goes on with the session or a new one."""
    path = old_store(tmp_path / "old", [SET_S - 9000, SET_S - 60])
    with ExampleStore(path, writable=True, clock=clock) as store:
        record(store, "up")
        store.new_session("kitchen")
        record(store, "up")
        assert [(one.id, one.name, one.takes) for one in store.sessions()] == [
            (1, "", 1),
            (2, "", 2),
            (3, "kitchen", 1),
        ]
    ExampleStore(tmp_path / "new", writable=True).close()
    names, columns = [], []
    for file in (path, tmp_path / "new"):
        db = sqlite3.connect(file)
        names.append(sorted(db.execute("SELECT type, name FROM sqlite_master")))
        tables = [name for kind, name in names[-1] if kind in ("table", "view")]
        columns.append([db.execute(f"PRAGMA table_info({table})").fetchall() for table in tables])
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()
    assert names[0] == names[1]
    assert columns[0] == columns[1]


def test_an_old_file_without_takes(tmp_path: Path) -> None:
    """A file without any take is upgraded too."""
    with ExampleStore(old_store(tmp_path / "old", []), writable=True) as store:
        assert store.sessions() == []
        record(store, "up")
        assert len(store.sessions()) == 1


def test_an_upgrade_that_fails_changes_nothing(tmp_path: Path) -> None:
    """Where another program holds the file, the upgrade is one line, and the old file is as it was."""
    path = old_store(tmp_path / "old", [0, 5])
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edge_tl.store.database.BUSY_S", 0.0)
        with pytest.raises(ProfileError, match="in use by another program"):
            ExampleStore(path, writable=True)
    blocker.close()
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'sessions'").fetchone() == (0,)
    db.close()
