"""`python -m benchmarks.anew`: what is of another commit, when a machine is quiet, and what is said of a busy one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from benchmarks import anew
from benchmarks.record import BUSY, write
from benchmarks.tables import filled


def test_what_is_of_this_commit_is_not_made_again(tmp_path: Path) -> None:
    """A record that is absent, of another commit or of a tree with changes is missing; one of this commit is not."""
    for name, commit in (("bench_ssh", "b" * 40), ("bench_look", "a" * 40), ("bench_many", "b" * 40 + "-dirty")):
        (tmp_path / f"{name}.json").write_text(json.dumps({"commit": commit}))
    names = ["bench_ssh", "bench_look", "bench_many", "prove_faces"]
    assert anew.missing(names, "b" * 40, tmp_path) == ["bench_look", "bench_many", "prove_faces"]


def test_a_busy_machine_is_waited_for_and_then_said() -> None:
    """It waits while the load is high, gives 0 once it is low, and after the time it has, the load that there is."""
    cores = len(os.sched_getaffinity(0))
    loads = iter([9.0 * cores, 0.3 * cores, 0.2 * cores])
    slept: list[float] = []
    assert anew.wait_for_quiet(600, lambda: next(loads), lambda: sum(slept), slept.append) == 0
    assert len(slept) == 2
    slept.clear()
    assert anew.wait_for_quiet(60, lambda: 9.0 * cores, lambda: sum(slept), slept.append) == 9.0 * cores
    assert sum(slept) == 60


def test_a_tree_with_changes_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is run where what would be measured is in no commit, and a name that there is not is said."""
    monkeypatch.setattr(anew, "commit", lambda: "a" * 40 + "-dirty")
    monkeypatch.setattr(anew.subprocess, "run", None)
    for arguments, said in ((["bench_ssh"], "commit them first"), (["bench_nothing"], "no record bench_nothing")):
        with pytest.raises(SystemExit) as ended:
            anew.main(arguments)
        assert ended.value.code == 2
        assert said in " ".join(capsys.readouterr().err.split())


def test_the_table_of_a_busy_machine_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The load that a record was made under stands in its file and under its table."""
    monkeypatch.setenv(BUSY, "8.25")
    result = {"sent": {"play": {"80×24": {"bytes": 1000}}}, "slow": {}, "load": 8.0}
    path = write("bench_screens", result, tmp_path)
    assert json.loads(path.read_text())["busy"] == 8.25
    page = filled("<!-- results/bench_screens.json -->\n<!-- end -->\n", tmp_path)
    assert "on a busy machine (load 8.2)." in page
