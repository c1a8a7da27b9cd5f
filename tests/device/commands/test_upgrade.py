"""Upgrades: a profile, a backup and a service of every format before go on, and going back says what it cannot read.

`data/profiles/tables_N.zip` was made by the edge-tl of that format itself, from pictures of `tiny_profile` and
tones: its data folder, what it answered for `asked` (`signs.json`, `words.json`) and, from 3 on, a backup.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest
from places import DATA
from tiny_profile import LABELS, Run, picture

from benchmarks.serving import Serving
from device.commands.main import main
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_settings
from edge_tl.store.tuning import Tuning

EARLIEST, LATEST = 1, 4
CHOSEN = 3
"""The first format whose profiles remember their model, know words and can be backed up."""
SESSIONS = ["monday", "tuesday"]


@pytest.fixture(params=range(EARLIEST, LATEST + 1))
def version(request: pytest.FixtureRequest) -> int:
    """Of the tables that an edge-tl of before made."""
    return int(request.param)


@pytest.fixture
def old(version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What that edge-tl left, unpacked; the process stands in it."""
    with zipfile.ZipFile(DATA / "profiles" / f"tables_{version}.zip") as archive:
        archive.extractall(tmp_path / "old")
    monkeypatch.chdir(tmp_path / "old")
    return tmp_path / "old"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command as a user calls it."""

    def call(*words: str) -> tuple[int, Any, str]:
        code = main(list(words))
        out, error = capsys.readouterr()
        return code, json.loads(out) if "--json" in words else out, error

    return call


def model(version: int) -> list[str]:
    """What its profiles had to be told at every call."""
    return [] if version >= CHOSEN else ["--model", "tiny"]


def same(answers: list[dict[str, Any]], before: list[dict[str, Any]], within: float = 1e-5) -> None:
    """The same labels, the same probabilities."""
    assert [one["label"] for one in answers] == [one["label"] for one in before]
    for one, other in zip(answers, before, strict=True):
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=within)


def sizes(folder: Path) -> dict[str, int]:
    """Every file below a folder and its size."""
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def test_a_profile_answers_as_it_did_and_goes_on(old: Path, version: int, run: Run) -> None:
    """Nothing is asked for: the same answers to 1e-5, what was remembered, more examples, a training, a backup."""
    data = ["--profile", "signs", "--data-dir", "data"]
    asked = [f"asked/{label}.png" for label in LABELS]
    code, answers, _ = run("predict", *asked, "--json", *data, *model(version))
    assert code == 0
    before = json.loads((old / "signs.json").read_text())
    same(answers, before)
    found = read_settings(old / "data/profiles/signs", "look", "embedder", "tuning")
    if version > EARLIEST:
        assert found.look is not None
        assert found.look.box == (0.1, 0.1, 0.9, 0.9)
    if version >= CHOSEN:
        assert found.embedder == "tiny-503d0517ae83"
        assert found.tuning == Tuning(on=0.9, off=0.6)
    assert run("backup", "before.zip", *data)[0] == 0
    assert run("restore", "before.zip", "--profile", "before", "--data-dir", "data")[0] == 0
    code, answers, _ = run("predict", *asked, "--json", "--profile", "before", "--data-dir", "data", *model(version))
    assert code == 0
    same(answers, before)
    for label in LABELS:
        (old / "more" / label).mkdir(parents=True)
        picture(label, 50).save(old / "more" / label / "new.png")
    assert run("examples", "import", "more", *data, *model(version))[0] == 0
    with Profile(old / "data/profiles/signs") as profile:
        listed, sessions = profile.store.list(), profile.store.sessions()
        assert sorted(one.label for one in listed) == ["dark"] * 5 + ["light"] * 5
        assert [one.ok for one in profile.generations()] == [True] * (2 if version >= CHOSEN else 1)
        if version > EARLIEST:
            assert [one.name for one in sessions][:2] == SESSIONS
    assert run("train", *data, *model(version))[0] == 0
    assert run("backup", "now.zip", *data)[0] == 0
    assert run("restore", "now.zip", "--profile", "again", "--data-dir", "data")[0] == 0
    assert run("predict", *asked, "--profile", "again", "--data-dir", "data", *model(version))[0] == 0


@pytest.mark.parametrize("version", range(CHOSEN, LATEST + 1), indirect=True)
def test_words_are_told_as_before(old: Path, version: int, run: Run) -> None:
    """A profile of words names the same sounds, and is trained again.

    Format 3 laid the window of a word elsewhere by a fraction of a second, so its probabilities differ a little.
    """
    pytest.importorskip("pyopen_wakeword", reason="the speech model is not installed (extra speech)")
    data = ["--profile", "words", "--data-dir", "data"]
    code, answers, _ = run("predict", "asked/low.wav", "asked/noise.wav", "--json", *data)
    assert code == 0
    same(answers, json.loads((old / "words.json").read_text()), within=0.03 if version < LATEST else 1e-5)
    assert run("train", *data)[0] == 0


@pytest.mark.parametrize("version", [LATEST], indirect=True)
def test_boxes_are_where_they_were(old: Path, run: Run) -> None:
    """Things with their boxes come through, and make a head."""
    with Profile(old / "data/profiles/things") as profile:
        boxes = [one.box for one in profile.store.list()]
    assert boxes[0] == pytest.approx((8 / 64, 10 / 48, 24 / 64, 26 / 48), abs=1e-6)
    assert len(boxes) == 6
    assert run("train", "--profile", "things", "--data-dir", "data")[0] == 0


@pytest.mark.parametrize("version", range(CHOSEN, LATEST + 1), indirect=True)
def test_a_backup_of_before_is_restored(old: Path, run: Run) -> None:
    """It answers as the profile did that it was made of, with its way to look, its model's name and its thresholds."""
    assert run("restore", "backup.zip", "--profile", "back", "--data-dir", "data")[0] == 0
    asked = [f"asked/{label}.png" for label in LABELS]
    code, answers, _ = run("predict", *asked, "--json", "--profile", "back", "--data-dir", "data")
    assert code == 0
    same(answers, json.loads((old / "signs.json").read_text()))
    assert read_settings(old / "data/profiles/back", "tuning").tuning == Tuning(on=0.9, off=0.6)


@pytest.mark.parametrize("version", range(CHOSEN, LATEST + 1), indirect=True)
def test_a_service_goes_on_where_the_one_before_stopped(old: Path) -> None:
    """The state folder of before under today's service: what was taught is there, and is taught further."""
    pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
    with Serving(old / "service", '[pipelines.signs]\ncamera = "sim"\nprofile = "signs"\n') as serving:
        shutil.copytree(old / "data", serving.data)
        serving.start()
        state = serving.state()["signs"]
        assert {label: counts[0] for label, counts in state["counts"].items()} == {"dark": 4, "light": 4}
        assert (state["generation"], state["look"]) == (2, "box")
        serving.teach("dark", 1)
        assert serving.act("train")["generation"] == 3
        assert serving.stop() == 0
        assert "Traceback" not in serving.log


def test_going_back_says_what_it_cannot_read(old: Path, version: int, run: Run) -> None:
    """Tables of a later format: one line that says so, from every command that needs them; nothing of it changes."""
    folder = old / "data/profiles/signs"
    db = sqlite3.connect(folder / "examples.sqlite")
    db.execute("PRAGMA user_version = 99")
    db.close()
    data = ["--profile", "signs", "--data-dir", "data", *model(version)]
    before = sizes(folder)
    for words in (["train"], ["evaluate"], ["examples", "list"]):
        code, out, error = run(*words, *(data if words[0] != "examples" else data[:4]))
        assert (code, out) == (1, "")
        assert "made by a newer edge-tl (format 99" in error
        assert len(error.splitlines()) == 1
    after = sizes(folder)
    assert {name: after[name] for name in before} == before
