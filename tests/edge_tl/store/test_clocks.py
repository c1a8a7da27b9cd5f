"""Sessions and dates where the clock on the wall is not set, is set during a lesson, or jumps."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from fake_clocks import SET_S, FakeClocks
from hypothesis import given, settings
from hypothesis import strategies as st
from places import ROOT

from device.commands.main import main
from edge_tl.core.answers import SavedHead
from edge_tl.store.backup import restore_backup, write_backup
from edge_tl.store.examples import ExampleStore
from edge_tl.store.moments import BEGUN_S, in_words, now
from edge_tl.store.profile import Profile
from edge_tl.store.sessions import PAUSE_S

PRINT = "a" * 64
YEAR_S = 365 * 86_400.0
DATA = ROOT / "tests" / "data"


def record(store: ExampleStore, label: str = "up") -> None:
    """A take with one example, on disk."""
    store.add(store.new_take(label), None, np.ones(4, np.float32), PRINT)
    store.flush()


def shown(path: Path, clocks: FakeClocks) -> tuple[list[float | None], list[float | None]]:
    """When the examples were and the sessions began, as another process reads it."""
    with ExampleStore(path, writable=False, clock=clocks) as reader:
        return [one.time_s for one in reader.list()], [one.started_s for one in reader.sessions()]


STEPS = st.tuples(
    st.sampled_from([0.0, 4.0, 600.0, PAUSE_S, PAUSE_S + 1, 9000.0]),
    st.one_of(st.none(), st.sampled_from([0.0, 60.0, SET_S, SET_S + 30 * YEAR_S]), st.floats(0, 4e9)),
    st.booleans(),
)


@settings(max_examples=60)
@given(steps=st.lists(STEPS, min_size=1, max_size=10), wall_s=st.sampled_from([0.0, SET_S]))
def test_sessions_follow_the_time_that_passed(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[float, float | None, bool]], wall_s: float
) -> None:
    """However the wall clock jumps between the takes of a boot, sessions are those of the time that passed."""
    path, clocks = tmp_path_factory.mktemp("jumps") / "e", FakeClocks(wall_s, boot_s=20.0)
    store, wanted = ExampleStore(path, writable=True, clock=clocks), []
    for number, (elapsed_s, jump_s, restarts) in enumerate(steps):
        clocks.advance(elapsed_s)
        if jump_s is not None:
            clocks.jump(jump_s)
        if restarts:
            store.close()
            store = ExampleStore(path, writable=True, clock=clocks)
        record(store)
        wanted.append((wanted[-1] if wanted else 1) + (number > 0 and elapsed_s > PAUSE_S))
    assert [one.session for one in store.list()] == wanted
    store.close()


def test_a_lesson_that_begins_in_1970_gets_its_dates(tmp_path: Path) -> None:
    """Examples and session that came before the network told the time have dates as soon as it did, and keep them."""
    clocks = FakeClocks(60.0, boot_s=30.0)
    with ExampleStore(tmp_path / "e", writable=True, clock=clocks) as store:
        record(store)
        assert shown(tmp_path / "e", clocks) == ([None], [None])
        clocks.advance(5)
        clocks.jump(SET_S)
        assert shown(tmp_path / "e", clocks) == ([SET_S - 5], [SET_S - 5])  # also where nobody has written since
        assert [one.started_s for one in store.sessions()] == [SET_S - 5]
        record(store)
    clocks.reboot("second", wall_s=0.0)
    assert shown(tmp_path / "e", clocks) == ([SET_S - 5, SET_S], [SET_S - 5])


def test_a_clock_that_is_set_after_the_lesson_is_enough(tmp_path: Path) -> None:
    """Closing the profile, or opening it again in the same boot, keeps what the clock tells by then."""
    clocks = FakeClocks(60.0)
    with ExampleStore(tmp_path / "e", writable=True, clock=clocks) as store:
        record(store)
        clocks.jump(SET_S)
    with ExampleStore(tmp_path / "f", writable=True, clock=FakeClocks(60.0)) as store:
        record(store)
    ExampleStore(tmp_path / "f", writable=True, clock=clocks).close()
    later = FakeClocks(0.0, "second")
    for name in "ef":
        assert shown(tmp_path / name, later) == ([SET_S], [SET_S])


def test_what_nobody_knows_stays_unknown(tmp_path: Path) -> None:
    """Of a boot in which the clock was never set there are no dates; the next boot's time says nothing about it."""
    clocks = FakeClocks(60.0)
    with ExampleStore(tmp_path / "e", writable=True, clock=clocks) as store:
        record(store)
    clocks.reboot("second", SET_S)
    with ExampleStore(tmp_path / "e", writable=True, clock=clocks) as store:
        record(store)
    assert shown(tmp_path / "e", clocks) == ([None, SET_S], [None])


@pytest.mark.parametrize(
    ("before_s", "after_s", "sessions"),
    [
        (SET_S, SET_S + PAUSE_S - 9, 1),
        (SET_S, SET_S + PAUSE_S + 9, 2),
        (SET_S, 60.0, 1),  # not set: before there was edge-tl
        (SET_S, SET_S - 86_400.0, 1),  # not set: before what was recorded
        (60.0, SET_S, 1),
        (60.0, 60.0 + 2 * PAUSE_S, 1),
    ],
)
def test_from_boot_to_boot_a_clock_that_was_set_decides(
    tmp_path: Path, before_s: float, after_s: float, sessions: int
) -> None:
    """A pause over a restart of the machine is one where both times are known, and none where one is not."""
    clocks = FakeClocks(before_s, boot_s=5000.0)
    with ExampleStore(tmp_path / "e", writable=True, clock=clocks) as store:
        record(store)
    clocks.reboot("second", after_s)
    with ExampleStore(tmp_path / "e", writable=True, clock=clocks) as store:
        record(store)
        assert len(store.sessions()) == sessions


def test_an_undone_take_leaves_its_session_where_it_began(tmp_path: Path) -> None:
    """With its only take gone the session goes on in the same boot, whatever the clock shows after a restart."""
    clocks = FakeClocks(60.0)
    with ExampleStore(tmp_path / "e", writable=True, clock=clocks) as store:
        record(store)
        store.undo_last_take()
    clocks.jump(SET_S)
    with ExampleStore(tmp_path / "e", writable=True, clock=clocks) as store:
        assert store.session() == 1


def test_generations_get_their_dates_too(tmp_path: Path) -> None:
    """Saved before the clock was set a generation has no date, and gets one when the boot's beginning is known."""
    clocks = FakeClocks(60.0)
    with Profile(tmp_path, writable=True, clock=clocks) as profile:
        record(profile.store)
        profile.save(SavedHead({"head": {"name": "ridge"}}))
        assert [(one.ok, one.time_s) for one in profile.generations()] == [(True, None)]
        clocks.advance(9)
        clocks.jump(SET_S)
        assert [one.time_s for one in profile.generations()] == [SET_S - 9]
    clocks.reboot("second", 0.0)
    with Profile(tmp_path, clock=clocks) as profile:
        assert [one.time_s for one in profile.generations()] == [SET_S - 9]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A profile as edge-tl made it before it knew boots (tables 4): one take in 1970 and two in two sessions later."""
    restore_backup(DATA / "tables_4.zip", tmp_path / "old")
    return tmp_path / "old"


def test_a_profile_of_the_format_before_goes_on(old: Path, tmp_path: Path) -> None:
    """It comes out of its backup, reads the same before and after the upgrade, and is taught further and backed up."""
    clocks = FakeClocks(datetime(2026, 11, 25, 10, tzinfo=UTC).timestamp())
    with Profile(old, clock=clocks) as profile:
        before = profile.store.list(), profile.store.sessions(), profile.generations()
    with Profile(old, writable=True, clock=clocks) as profile:
        assert (profile.store.list(), profile.store.sessions(), profile.generations()) == before
        assert [one.time_s for one in before[0]] == [None] * 2 + [1795600000.0] * 2 + [1795600300.0] * 2
        assert [one.started_s for one in before[1]] == [None, 1795600000.0]
        assert [one.time_s for one in before[2]] == [1795600400.0, None]
        record(profile.store)
        assert [one.takes for one in profile.store.sessions()] == [1, 3]
        write_backup(profile, "again", tmp_path / "again.zip", 0.0)
    restore_backup(tmp_path / "again.zip", tmp_path / "again")
    with Profile(tmp_path / "again") as profile:
        assert len(profile.store.list()) == 7


def test_unset_dates_are_said_in_words(tmp_path: Path, old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`examples list`, `model list` and `restore` say that the clock was not set, and never name 1970."""
    shutil.copytree(old, tmp_path / "profiles" / "default")
    for words in (("examples", "list"), ("model", "generations")):
        assert main([*words, "--data-dir", str(tmp_path)]) == 0
        said = capsys.readouterr().out
        assert "clock not set" in said
        assert "1970" not in said
    assert main(["examples", "list", "--json", "--data-dir", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)[0]["time_s"] is None
    with Profile(old) as profile:
        write_backup(profile, "p", tmp_path / "b.zip", 60.0)
    assert main(["restore", str(tmp_path / "b.zip"), "--profile", "again", "--data-dir", str(tmp_path)]) == 0
    assert "from the backup (clock not set)" in capsys.readouterr().out
    assert in_words(BEGUN_S - 1) == in_words(None) == "clock not set"


CHILD = """
import sys, time, numpy as np
if sys.argv[2]:
    time.time = lambda: float(sys.argv[2])
from pathlib import Path
from edge_tl.store.examples import ExampleStore
with ExampleStore(Path(sys.argv[1]), writable=True) as store:
    store.add(store.new_take("up"), None, np.ones(4, np.float32), "a" * 64)
"""


def test_processes_of_one_boot_agree(tmp_path: Path) -> None:
    """Processes whose wall clocks show 1970, 2060 and the time make one session, by the kernel's boot."""
    assert now().boot
    path = tmp_path / "examples.sqlite"
    for wall in ("60", str(SET_S + 34 * YEAR_S), "60", ""):
        subprocess.run([sys.executable, "-c", CHILD, path, wall], check=True, cwd=ROOT)
    with ExampleStore(path, writable=False) as reader:
        assert [one.takes for one in reader.sessions()] == [4]
        times = [one.time_s for one in reader.list()]
        assert None not in times
        assert max(times) - min(times) < 600
        assert abs(times[-1] - now().wall_s) < 600
