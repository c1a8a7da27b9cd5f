"""Lessons of others beside a profile: kept as they came, used as decided, forgotten for good."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_tl.core.kept import as_stored
from edge_tl.errors import ConfigError, ProfileError
from edge_tl.fleet.keys import DeviceKey
from edge_tl.fleet.lesson import FleetLesson, LessonHeader, new_lessons, new_tombstone
from edge_tl.store.backup import restore_backup, write_backup
from edge_tl.store.database import Database
from edge_tl.store.lessons import ACCEPTED, ASIDE, LEFT, TABLES, TAKEN, WAITING, LessonStore, taken_lessons
from edge_tl.store.own_takes import OwnTakes
from edge_tl.store.profile import Profile

pytest.importorskip("cryptography", reason="cryptography is not installed (extra fleet)")
MINE, DESK, SHELF = (DeviceKey(bytes([number]) * 32) for number in range(3))
PRINT = "ab" * 32


def lesson(key: DeviceKey, take: int, label: str = "fist") -> FleetLesson:
    """Some take of a device."""
    seed = key.public[0] * 1000 + take
    rows = np.random.default_rng(seed).normal(size=(4, 8)).astype(np.float32)
    header = LessonHeader("x", PRINT, "", label, take, 1)
    return new_lessons(key, header, np.stack([as_stored(row) for row in rows]))[0]


def filled(folder: Path) -> LessonStore:
    """Two lessons of the desk and one of the shelf, which waits."""
    store = LessonStore(folder, writable=True)
    store.call({DESK.public: "desk", SHELF.public: "shelf"})
    with store.together():
        store.add(lesson(DESK, 1), TAKEN)
        store.add(lesson(DESK, 2, "palm"), TAKEN)
        store.add(lesson(SHELF, 1), WAITING)
    return store


def used(folder: Path) -> set[str]:
    """What teaches, as any process reads it."""
    return {one.hash for one in taken_lessons(folder, PRINT)[0]}


def test_what_teaches_is_decided_when_it_is_asked_for(tmp_path: Path) -> None:
    """Setting a device aside, and taking it back, loses nothing; who waits teaches once somebody says yes."""
    every = {lesson(DESK, 1).hash, lesson(DESK, 2, "palm").hash}
    with filled(tmp_path) as store:
        assert used(tmp_path) == every == set(store.used())
        store.decide(DESK.public, ASIDE)
        assert used(tmp_path) == set()
        store.decide(SHELF.public, ACCEPTED)
        assert used(tmp_path) == {lesson(SHELF, 1).hash}
        store.decide(DESK.public, "")
        store.judge(lambda _key, label: LEFT if label == "palm" else TAKEN)
        assert used(tmp_path) == {lesson(DESK, 1).hash, lesson(SHELF, 1).hash}
        desk, shelf = store.devices()
        assert (desk.name, desk.lessons, desk.used, desk.labels) == ("desk", 2, 1, ("fist", "palm"))
        assert (shelf.name, shelf.decision, shelf.waiting) == ("shelf", ACCEPTED, 0)
        assert store.device("desk").key == store.device(DESK.id).key == DESK.public
        with pytest.raises(ConfigError, match="there are: desk"):
            store.device("attic")
    assert taken_lessons(tmp_path, "other")[0] == []
    assert taken_lessons(tmp_path / "none", PRINT) == ([], {})


def test_what_was_taken_back_never_teaches_again(tmp_path: Path) -> None:
    """A tombstone of the lesson's own device buries it; one of another device does nothing to it; a hundred are one."""
    one = lesson(DESK, 1)
    with filled(tmp_path) as store:
        with store.together():
            assert not store.bury(new_tombstone(SHELF, one.hash))
        assert one.hash in used(tmp_path)
        for _ in range(100):
            with store.together():
                store.bury(new_tombstone(DESK, one.hash))
        assert one.hash not in used(tmp_path)
        assert store.buried(one.hash, DESK.public)
        assert len(store.tombstones()) == 2


def test_own_takes_are_given_and_taken_back(tmp_path: Path) -> None:
    """The own lessons teach nobody twice, here least of all, and are named by a few of their digits."""
    mine = lesson(MINE, 5)
    with filled(tmp_path) as store:
        with store.together():
            store.share(5, "stamp", [mine])
        assert mine.hash not in used(tmp_path)
        assert store.shared() == {5: ("stamp", [mine.hash])}
        assert store.given() == [(mine.hash, "fist", 5, 4)]
        assert store.own(mine.hash[:8]) == mine.hash
        for wrong in ("zz", lesson(DESK, 1).hash[:12], "'; DROP"):
            with pytest.raises(ConfigError):
                store.own(wrong)
        with store.together(), pytest.raises(ProfileError, match="was not shared"):
            store.withdraw(lesson(DESK, 1).hash, MINE, forget=False)
        with store.together():
            store.withdraw(mine.hash, MINE, forget=False)
        assert store.given() == []
        assert store.shared() == {5: ("stamp", [mine.hash])}
        with store.together():  # as after a restart: it stays taken back
            store.share(5, "stamp", [mine])
        assert store.given() == []


def test_the_own_takes_of_a_profile_are_what_was_recorded(tmp_path: Path) -> None:
    """Their rows are those that the own head learns; what a program spoke is not given; a change changes the stamp."""
    with Profile(tmp_path / "p", writable=True) as profile:
        store = profile.store
        take, spoken = store.new_take("up"), store.new_take("up", "typed: up")
        for number in (take, take, spoken):
            store.add(number, None, np.full(8, 0.1, np.float32), PRINT)
        store.flush()
        with OwnTakes(profile.folder) as own:
            (one,) = own.listed()
            assert (one.take, one.label, one.fingerprint) == (take, "up", PRINT)
            rows = own.embeddings(take)
            assert rows is not None
            assert np.array_equal(rows, store.matrix(PRINT).X[:2])
            store.rename("up", "down")
            assert own.listed()[0].stamp != one.stamp
            store.remove_take(take)
            assert own.listed() == []
            assert own.embeddings(take) is None


def test_a_backup_brings_lessons_and_refuses_what_is_none(tmp_path: Path) -> None:
    """Lessons come back with the profile; a file with other tables, or with rows that are no lessons, is refused."""
    with Profile(tmp_path / "p", writable=True) as profile:
        profile.store.add_label("fist")
        filled(profile.folder).close()
        write_backup(profile, "p", tmp_path / "good.zip", 0.0)
    restore_backup(tmp_path / "good.zip", tmp_path / "again")
    assert used(tmp_path / "again") == used(tmp_path / "p") != set()
    with Profile(tmp_path / "p", writable=True) as profile:
        database = Database(tmp_path / "p" / "lessons.sqlite", writable=True, tables=TABLES, version=1, upgrades={})
        with database.writing():
            database.change("UPDATE lessons SET label = 'a' || char(27) || 'b'")
        database.close()
        write_backup(profile, "p", tmp_path / "bad.zip", 0.0)
    with pytest.raises(ProfileError, match="invalid lessons"):
        restore_backup(tmp_path / "bad.zip", tmp_path / "never")
    assert not (tmp_path / "never").exists()


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from test_lessons import DESK, LessonStore, TAKEN, lesson
with LessonStore(Path({folder!r}), writable=True) as store:
    for take in range({first}, 10_000):
        with store.together():
            store.add(lesson(DESK, take), TAKEN)
        print(take, flush=True)
"""


def test_what_was_kept_survives_a_kill(tmp_path: Path) -> None:
    """A process is killed while it keeps lessons, again and again: what it said to be kept is there, and whole."""
    kept: set[str] = set()
    for round_ in range(3):
        code = CHILD.format(here=str(Path(__file__).parent), folder=str(tmp_path), first=100 * round_)
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        try:
            assert child.stdout is not None
            for _ in range(5 + round_):
                kept.add(lesson(DESK, int(child.stdout.readline())).hash)
            os.kill(child.pid, signal.SIGKILL)
        finally:
            child.kill()
            child.wait()
            assert child.stdout is not None
            child.stdout.close()
        assert kept <= used(tmp_path)
