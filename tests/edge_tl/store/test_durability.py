"""What was counted is on disk: real processes killed, real disks full, real folders read-only."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from fake_clocks import SET_S
from old_store import old_store
from places import ROOT

from edge_tl.core.answers import SavedHead
from edge_tl.core.kept import as_stored
from edge_tl.store.generations import KEPT
from edge_tl.store.profile import Profile

PRINT = "a" * 64
NURSERY = ROOT / "tests" / "parts" / "durability_child.py"


class Nursery:
    """A process that forks a child for each order, so that 60 children cost one start of Python."""

    def __init__(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=environment,
        )

    def lines(self, what: str, *arguments: object) -> Iterator[str]:
        """Order a child and return its lines, the PID first; they end when it is dead."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\t".join([what, *map(str, arguments)]) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("dead"):
                return
            yield line.rstrip("\n")
        raise AssertionError("the nursery died")

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Where the children come from."""
    nursery = Nursery()
    yield nursery
    nursery.close()


def kill_after(lines: Iterator[str], wanted: int, spins: int) -> list[str]:
    """Kill the child with SIGKILL some moment after its so-manieth line; all that it said until it was dead."""
    pid = int(next(lines))
    said = []
    for line in lines:
        said.append(line)
        if len(said) == wanted:
            sum(range(spins))  # no sleep, but another moment each time
            os.kill(pid, signal.SIGKILL)
    return said


def test_kill_9_loses_no_counted_example(nursery: Nursery, tmp_path: Path) -> None:
    """Killed 25 times at random moments, every example that was counted is there, whole, and the file opens at once."""
    rng = random.Random(4)
    counted = written = 0
    for _ in range(25):
        said = kill_after(nursery.lines("teach", tmp_path, written), rng.randrange(1, 20), rng.randrange(200_000))
        counted = max([counted, *map(int, said)])
        with Profile(tmp_path, writable=bool(rng.randrange(2))) as profile:
            got = profile.store.matrix(PRINT)
            assert len(got.ids) == sum(count.examples for count in profile.store.counts().values())
            assert len(got.ids) >= counted
            for number, row, label, one in zip(got.ids, got.X, got.y, profile.store.list(), strict=True):
                value = int(one.time_s)
                assert np.array_equal(row, as_stored(np.full(500, value, np.float32)))
                assert label == f"label {value // 7 % 3}"
                assert len(profile.store.picture(int(number))) == one.media_bytes_len > 0
            written = len(got.ids)
    assert counted > 200
    raw = sqlite3.connect(tmp_path / "examples.sqlite")
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    raw.close()


def test_kill_9_while_the_file_is_made_leaves_one_that_opens(nursery: Nursery, tmp_path: Path) -> None:
    """Killed while a new profile is made, it can be opened and taught."""
    rng = random.Random(5)
    for number in range(12):
        folder = tmp_path / str(number)
        lines = nursery.lines("teach", folder, 0)
        pid = int(next(lines))
        sum(range(rng.randrange(150_000)))
        os.kill(pid, signal.SIGKILL)
        counted = max([0, *(int(line) for line in lines)])
        with Profile(folder, writable=True) as profile:
            assert len(profile.store.list()) >= counted
            profile.store.add_label("left")


def test_kill_9_while_saving_leaves_a_whole_generation(nursery: Nursery, tmp_path: Path) -> None:
    """Killed 20 times while saving, the generation last reported, or a later one, loads whole and without warning."""
    rng = random.Random(6)
    reported = 0
    for _ in range(20):
        said = kill_after(nursery.lines("save", tmp_path, reported), rng.randrange(1, 12), rng.randrange(200_000))
        reported = max([reported, *map(int, said)])
        with Profile(tmp_path) as profile:
            saved = profile.load()
            assert saved is not None
            assert profile.warnings == []
            number = saved.meta["number"]
            assert number >= reported
            assert np.array_equal(saved.arrays["W"], np.full(20_000, number, np.float32))
            assert all(one.ok for one in profile.generations())
            assert len(profile.generations()) <= KEPT + 1
    with Profile(tmp_path, writable=True) as profile:
        profile.save(SavedHead({"number": -1}))
    assert len(list((tmp_path / "generations").iterdir())) == KEPT


def test_kill_9_while_upgrading_leaves_the_old_file_or_the_new(nursery: Nursery, tmp_path: Path) -> None:
    """Killed while a file gets its sessions, it is old or new, whole, and nothing is lost; the next start goes on."""
    rng = random.Random(7)
    made = old_store(tmp_path / "made", SET_S + np.arange(2000.0) // 10 * 3600, picture=False)
    for number in range(14):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(made, folder / "examples.sqlite")
        said = kill_after(nursery.lines("upgrade", folder), 1, rng.randrange(2_000_000))
        raw = sqlite3.connect(folder / "examples.sqlite")
        (version,) = raw.execute("PRAGMA user_version").fetchone()
        names = {name for (name,) in raw.execute("SELECT name FROM sqlite_master")}
        made_since = names & {"sessions", "boxes", "boots"}
        assert (version, sorted(made_since)) in (
            (1, []),
            (2, ["sessions"]),
            (3, ["sessions"]),
            (4, ["boxes", "sessions"]),
            (5, ["boots", "boxes", "sessions"]),
        )
        assert version == 5 or "upgraded 200" not in said
        raw.close()
        for writable in (False, True):
            with Profile(folder, writable=writable) as profile:
                examples = profile.store.matrix(PRINT)
                assert (len(examples.ids), len(np.unique(examples.sessions))) == (2000, 200)


def test_an_old_profile_is_read_where_it_may_not_be_written(nursery: Nursery, public: Path) -> None:
    """A file without sessions on a read-only card is read with those that its pauses tell, and stays as it is."""
    path = old_store(public / "old" / "examples.sqlite", [SET_S, SET_S + 5, SET_S + 9000])
    close(public / "old")
    before = path.read_bytes()
    said = list(nursery.lines("read", public / "old"))[1:]
    assert said == ["examples 3", "sessions 2", "generation None", "pictures 3"]
    assert path.read_bytes() == before


def test_a_reader_in_another_process_works_beside_the_writer(nursery: Nursery, tmp_path: Path) -> None:
    """While a writer teaches as fast as it can, each read is whole and never behind what was counted before."""
    lines = nursery.lines("teach", tmp_path, 0)
    pid, counted = int(next(lines)), 0
    with Profile(tmp_path) as profile:
        for line in lines:
            counted = int(line)
            got = profile.store.matrix(PRINT)
            assert len(got.ids) >= counted
            assert got.ids.tolist() == list(range(1, len(got.ids) + 1))
            if counted > 150:
                os.kill(pid, signal.SIGKILL)
                break
        rest = list(lines)
        assert len(profile.store.list()) >= max([counted, *map(int, rest)])


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


def teach(folder: Path, examples: int) -> None:
    """A profile with some examples and a generation."""
    with Profile(folder, writable=True) as profile:
        take = profile.store.new_take("up")
        for number in range(examples):
            profile.store.add(take, np.full((8, 8, 3), number, np.uint8), np.full(500, number), PRINT)
        profile.store.flush()
        profile.save(SavedHead({"number": 1}, {"W": np.ones(3)}))


def close(folder: Path) -> None:
    """Let nobody write to a folder any more."""
    for path in folder.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    folder.chmod(0o555)


def test_readers_work_in_a_read_only_folder(nursery: Nursery, public: Path) -> None:
    """Without the right to write, everything can be read and nothing is left behind; a writer is told in one line."""
    teach(public / "me", 5)
    close(public / "me")
    before = sorted(public.rglob("*"))
    said = list(nursery.lines("read", public / "me"))[1:]
    assert said == ["examples 5", "generation 1", "pictures 5"]
    said = list(nursery.lines("write", public / "me"))[1:]
    assert len(said) == 1
    assert said[0].startswith("ProfileError: ")
    assert "check its rights" in said[0]
    assert sorted(public.rglob("*")) == before


def test_a_read_only_copy_of_a_killed_profile_hides_nothing(nursery: Nursery, public: Path, tmp_path: Path) -> None:
    """What a killed writer left in its log is read without the right to write, or the reader is told; never less."""
    counted = int(kill_after(nursery.lines("teach", tmp_path, 0), 15, 1000)[-1])
    shutil.copytree(tmp_path, public / "me")
    assert (public / "me" / "examples.sqlite-wal").stat().st_size > 0
    (public / "me" / "examples.sqlite-shm").unlink()
    close(public / "me")
    said = list(nursery.lines("read", public / "me"))[1:]
    assert len(said) == 1
    assert "examples.sqlite-wal" in said[0]
    public.joinpath("me").chmod(0o755)
    shutil.copy(tmp_path / "examples.sqlite-shm", public / "me")
    close(public / "me")
    said = list(nursery.lines("read", public / "me"))[1:]
    assert said[0].startswith("examples ")
    assert int(said[0].split()[1]) >= counted


@contextmanager
def disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """A disk of that size."""
    folder.mkdir()
    options = f"size={size_bytes},mode=0755"
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
    ).returncode:
        pytest.skip("only root can mount a small disk to fill it")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def check_full(nursery: Nursery, order: str, folder: Path) -> None:
    """A child teaches until it fails: it is told in one line, and what it had counted is there."""
    said = list(nursery.lines(order, folder, 0))[1:]
    assert said[-1].startswith("ProfileError: ")
    assert "free some space" in said[-1]
    counted = int(said[-2])
    assert counted > 0
    with Profile(folder) as profile:
        assert len(profile.store.matrix(PRINT).ids) >= counted
        assert len(profile.store.list()) >= counted


def test_a_full_disk_loses_nothing(nursery: Nursery, tmp_path: Path) -> None:
    """On a disk that fills up, teaching and saving end with one line; all that was counted or saved can be read."""
    with disk(tmp_path / "small", 2_000_000) as folder:
        with Profile(folder / "me", writable=True) as profile:
            profile.save(SavedHead({"number": 1}))
        check_full(nursery, "teach", folder / "me")
        (folder / "filler").write_bytes(bytes(shutil.disk_usage(folder).free))
        said = list(nursery.lines("save", folder / "me", 1))[1:]
        assert said[-1].startswith("ProfileError: ")
        assert "No space left" in said[-1]
        with Profile(folder / "me") as profile:
            assert len(profile.store.list()) > 0
            assert profile.load() is not None
            assert profile.warnings == []
        subprocess.run(["mount", "-o", "remount,size=8000000", folder], check=True)
        with Profile(folder / "me", writable=True) as profile:
            before = len(profile.store.list())
            label, examples = profile.store.undo_last_take() or ("", 0)
            assert label.startswith("label")
            assert len(profile.store.list()) == before - examples < before
            assert profile.save(SavedHead({"number": 2})) > 1


def test_a_disk_that_takes_no_more_loses_nothing(nursery: Nursery, tmp_path: Path) -> None:
    """With files limited in size, which needs no root, teaching ends with one line and keeps what was counted."""
    check_full(nursery, "teach-limited", tmp_path / "me")
    said = list(nursery.lines("save-limited", tmp_path / "me", 0))[1:]
    assert len(said) == 1
    assert said[0].startswith("ProfileError: ")
    with Profile(tmp_path / "me") as profile:
        assert profile.load() is None


def test_what_waits_is_tried_again(tmp_path: Path) -> None:
    """After a failed commit the waiting examples are kept, and committed once the disk takes them again."""
    with Profile(tmp_path, writable=True) as profile:
        take = profile.store.new_take("up")
        profile.store.add(take, None, np.zeros(3), PRINT)
        blocker = sqlite3.connect(tmp_path / "examples.sqlite", isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        profile.store._db._db.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(Exception, match="in use by another program"):
            profile.store.flush()
        assert profile.store.counts() == {}
        blocker.close()
        assert profile.store.flush() == 1
        assert profile.store.counts()["up"].examples == 1
