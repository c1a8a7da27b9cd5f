"""`edge-tl bench`, and what it remembers in the commands that come after."""

from __future__ import annotations

import json
from argparse import Namespace
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from device.commands import bench
from device.commands.doctor import speed_finding
from device.commands.main import main
from device.commands.options import asked_budget, context_of
from device.serve.build import open_pipeline
from device.serve.config import parse_config
from device.speed.boards import BOARDS
from device.speed.chosen import FILE_NAME, SpeedChoice, read_speed, this_machine, write_speed
from device.speed.measured import measure
from edge_tl.errors import ConfigError

FAST = {"hand": {"full": 40.0, "glanced": 1.0}, "frame": {"full": 20.0, "glanced": 20.0}}
SLOW = {"hand": {"full": 400.0, "glanced": 1.0}, "frame": {"full": 20.0, "glanced": 20.0}}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A measurement that takes no minute, on a machine without the models of hands and faces."""
    monkeypatch.setattr(bench, "measure", partial(measure, round_s=0.001))
    monkeypatch.setenv("EDGE_TL_MODELS", str(tmp_path / "none"))


@pytest.mark.usefixtures("quick")
def test_a_line_of_json_is_what_is_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, whole, with what was measured; what was chosen is remembered."""
    assert main(["bench", "--json", "--data-dir", str(tmp_path / "data")]) == 0
    (told,) = capsys.readouterr().out.splitlines()
    line = json.loads(told)
    assert line["machine"] == this_machine()
    assert line["ways_ms"]["frame"]["full"] > 0
    assert line["networks_ms"]["embedder"]["1"] > 0
    chosen = read_speed(tmp_path / "data")
    assert chosen is not None
    assert (chosen.threads, chosen.fps) == (line["threads"], line["fps"])


@pytest.mark.usefixtures("quick")
def test_a_dry_run_remembers_nothing_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And what was not measured is named, with what would change that."""
    assert main(["bench", "--dry-run", "--data-dir", str(tmp_path / "data")]) == 0
    told = capsys.readouterr().out
    assert "nothing was saved (--dry-run)" in told
    assert "hands (`edge-tl model get hands`)" in told
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("quick")
def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said before a minute is spent on measuring."""
    (tmp_path / "file").touch()
    assert main(["bench", "--data-dir", str(tmp_path / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def remembered(folder: Path, ms: dict[str, dict[str, float]] | None = None) -> Path:
    """A data folder in which three threads and ten answers a second were chosen for this machine."""
    write_speed(folder, SpeedChoice(this_machine(), 3, 10.0, ms or FAST))
    return folder


def test_threads_are_as_remembered_unless_they_are_given(tmp_path: Path) -> None:
    """An option goes before the file."""
    given = Namespace(data_dir=remembered(tmp_path), profile="default", model=None, threads=None)
    assert context_of(given).threads == 3
    given.threads = 1
    assert context_of(given).threads == 1
    given.data_dir, given.threads = tmp_path / "other", None
    assert context_of(given).threads is None


def test_the_budget_is_as_remembered_unless_it_is_given(tmp_path: Path) -> None:
    """--fps goes before the file, and 0 looks at each picture in full."""
    kept = asked_budget(None, remembered(tmp_path))
    assert kept is not None
    assert kept.fps == 10
    given = asked_budget(20.0, tmp_path)
    assert given is not None
    assert given.fps == 20
    assert asked_budget(0, tmp_path) is None
    assert asked_budget(None, tmp_path / "other") is None


def test_the_service_takes_what_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads and answers a second of the configuration go before it."""
    remembered(tmp_path)
    asked: list[int | None] = []
    service = SimpleNamespace(journal=SimpleNamespace(happened=print))

    def opened(one: object, profile: object, context: object, say: object) -> object:
        asked.append(vars(context)["threads"])
        raise ConfigError("far enough")

    monkeypatch.setattr("device.serve.build.adopt", opened)
    with ExitStack() as stack:
        for told in ("", "threads = 2\n"):
            config = parse_config(f'{told}[pipelines.signs]\ncamera = "sim"\n')
            with pytest.raises(ConfigError, match="far enough"):
                open_pipeline("signs", config.pipelines["signs"], config, tmp_path, service, stack)  # type: ignore[arg-type]
            stack.close()
    assert asked == [3, 2]


@pytest.mark.parametrize("fps", ["-1", "fast", "1e9", "nan"])
def test_a_wrong_number_is_refused(fps: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By the parser, in words."""
    with pytest.raises(SystemExit):
        main(["play", f"--fps={fps}"])
    assert "number" in capsys.readouterr().err


def test_doctor_says_what_a_slow_machine_can_do(tmp_path: Path) -> None:
    """Measured before predicted; below ten a second, the way to look that is fast enough."""
    slow = speed_finding(remembered(tmp_path / "slow", SLOW))
    assert slow.state == "note"
    assert "hand 5" in slow.detail
    assert "--look frame" in slow.mend
    fast = speed_finding(remembered(tmp_path / "fast"))
    assert (fast.state, fast.mend) == ("ok", "")
    none = speed_finding(tmp_path / "none")
    assert (none.state, none.mend) == ("note", "edge-tl bench")
    zero = next(board for board in BOARDS if board.name == "Zero 2 W")
    guessed = speed_finding(tmp_path / "none", zero)
    assert "predicted for a Pi Zero 2 W, not measured" in guessed.detail
    assert guessed.mend == "edge-tl bench"
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / FILE_NAME).write_text("{")
    bad = speed_finding(tmp_path / "bad")
    assert (bad.state, bad.mend) == ("missing", "edge-tl bench")
