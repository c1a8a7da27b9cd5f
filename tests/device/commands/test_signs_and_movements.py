"""Signs and movements in one profile, on the command line: imported, trained, judged, asked, shown and carried off."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command_run import Run, run_on
from shown_signs import MOVED, SIGNS, about, shown

from edge_tl.movements.track import Track


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command on a data folder of its own: (exit code, stdout as JSON or text, stderr)."""
    return run_on(tmp_path / "data", capsys)


def write(path: Path, track: Track) -> Path:
    """A track as whoever has landmarks writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, landmarks=track.landmarks, times_s=track.times_s)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three demonstrations of three signs and two movements, and half a minute of nothing."""
    for label in (*SIGNS, *MOVED):
        for seed in range(3):
            write(tmp_path / "in" / label / f"{seed}.npz", shown(label, seed))
    write(tmp_path / "in" / "nothing" / "about.npz", about(9, 12))
    return tmp_path / "in"


def test_one_profile_holds_both_from_the_files_to_the_answers(run: Run, folder: Path, tmp_path: Path) -> None:
    """One head is trained of both; a file that holds a hand still is a sign, one that moves it a movement."""
    code, told, err = run("examples", "import", folder, "--json")
    assert (code, err, told["bad"], told["takes"]) == (0, "", 0, 16)
    code, told, _ = run("train", "--json")
    assert (code, told["head"]) == (0, "movement")
    assert told["classes"] == sorted([*SIGNS, *MOVED, "nothing"])
    assert told["accuracy"] > 0.8
    assert not [text for text in told["cautions"] if "sign" in text]
    asked = [write(tmp_path / f"{label}.npz", shown(label, 80)) for label in (*SIGNS, *MOVED)]
    code, answers, err = run("predict", "--json", *asked)
    assert (code, err) == (0, "")
    assert [one["label"] for one in answers] == [*SIGNS, *MOVED]
    assert [one["told"] for one in answers[: len(SIGNS)]] == [[]] * len(SIGNS)
    code, _, err = run("report", "--out", tmp_path / "report.html")
    assert (code, err) == (0, "")
    page = (tmp_path / "report.html").read_text()
    assert all(label in page for label in (*SIGNS, *MOVED))


def test_both_are_exported_brought_in_again_and_restored(run: Run, folder: Path, tmp_path: Path) -> None:
    """Byte for byte, as copies, into another profile, and as a backup whose generation answers as before."""
    run("examples", "import", folder)
    run("train")
    assert run("examples", "export", tmp_path / "out")[0] == 0
    code, told, _ = run("examples", "import", tmp_path / "out", "--json", "--profile", "other")
    assert (code, told["bad"]) == (0, 0)
    code, told, _ = run("train", "--json", "--profile", "other")
    assert (code, told["accuracy"] > 0.8) == (0, True)
    assert run("backup", tmp_path / "all.zip")[0] == 0
    assert run("restore", tmp_path / "all.zip", "--profile", "again")[0] == 0
    asked = write(tmp_path / "fist.npz", shown("fist", 81))
    first, again = (run("predict", "--json", asked, *more)[1][0] for more in ((), ("--profile", "again")))
    assert first == again
    assert first["label"] == "fist"
    assert json.dumps(first["probabilities"])


def test_one_sign_alone_is_said_to_be_too_few(run: Run, folder: Path) -> None:
    """It is trained, and a line says that a second one is needed before it is reported."""
    for label in SIGNS[1:]:
        for path in (folder / label).iterdir():
            path.unlink()
    assert run("examples", "import", folder)[0] == 0
    code, text, _ = run("train")
    assert code == 0
    assert f"{SIGNS[0]} is the only sign" in text
