"""`edge-tl examples type`: a word by its spelling becomes takes that are known to be typed wherever they go."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_run import Run, run_on
from made_words import write_clips
from stand_in_voices import install_flite

pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """How the one program that speaks was called."""
    return install_flite(monkeypatch, tmp_path / "voices")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command on a data folder of this test."""
    return run_on(tmp_path / "data", capsys)


def test_a_typed_word_is_trained_and_told_of(run: Run, log: Path, tmp_path: Path) -> None:
    """Typed, listed as typed, trained with the caution; typed again, in any profile, no program runs; beside recordings
    it is not asked, and the caution goes; exported and imported it is typed still; its session is removed by name."""
    code, said, err = run("examples", "type", "humming", "--label", "hum", "--profile", "a")
    assert code == 0
    # Three lengths of the same sound: the stand-in knows no pace.
    assert (
        said.splitlines()[0]
        == "typed hum: 3 takes of 'humming' by 1 voice of flite; 9 are copies of others and were skipped"
    )
    assert "better with three recordings of yours" in said
    assert err.strip() == "edge-tl: flite failed (rms is hoarse)"
    called = log.read_text()
    assert run("examples", "type", "humming", "--label", "hum", "--profile", "b")[0] == 0
    assert log.read_text().count("awb") == called.count("awb")
    _, said, _ = run("examples", "list", "--profile", "a")
    assert said.splitlines()[0].endswith("hum (3 typed)")
    _, listed, _ = run("examples", "list", "--json", "--profile", "a")
    assert all(one["typed"] and one["source"].startswith("typed: flite awb ") for one in listed)
    assert {one["session_name"] for one in listed} == {"typed"}
    code, said, _ = run("train", "--profile", "a")
    assert code == 0
    assert "hum: typed: better with three recordings of yours" in said
    assert "accuracy is that of the synthetic voices, not of people" in run("evaluate", "--profile", "a")[1]
    run("examples", "import", write_clips(tmp_path / "clips"), "--profile", "a")
    code, made, _ = run("train", "--json", "--profile", "a")
    assert made["examples"] == 24
    assert not [one for one in made["cautions"] if "typed:" in one]
    used = next(one for one in made["thresholds"] if one["threshold"] == made["listening"]["threshold"])
    assert used["words"] == 16
    # Three and more are recorded: what more of them would help is not said.
    run("examples", "import", tmp_path / "clips", "--profile", "later")
    _, said, _ = run("examples", "type", "humming", "--label", "hum", "--profile", "later")
    assert said.splitlines()[1] == "run `edge-tl train --profile later` to apply it"
    code, judged, _ = run("evaluate", "--json", "--profile", "a")
    assert judged["examples"] == 21
    assert judged["by_session"] == []
    run("examples", "export", tmp_path / "out", "--profile", "a")
    run("examples", "import", tmp_path / "out", "--profile", "c")
    _, again, _ = run("examples", "list", "--json", "--profile", "c")
    assert sorted(one["label"] for one in again if one["typed"]) == ["hum"] * 3
    _, _, err = run("examples", "export", tmp_path / "out.bin", "--format", "tfjsscds", "--profile", "a")
    assert "3 recordings were typed, which that format cannot store" in err
    code, said, _ = run("examples", "remove", "--session", "typed", "--profile", "a")
    assert "removed 3 examples" in said


def test_a_recorded_wake_word_is_advised_to_be_typed(run: Run, log: Path, tmp_path: Path) -> None:
    """Of few words the ones that are not typed yet; what is no word of Latin letters, or a command, is not named."""
    clips = write_clips(tmp_path / "clips")
    (clips / "hiss").rename(clips / "hiss_1")
    run("examples", "import", clips, "--profile", "a")
    _, said, _ = run("train", "--profile", "a")
    assert "hum: detected more often in other people's voices if it is also typed (`edge-tl examples type hum" in said
    _, said, _ = run("train", "--closed", "--profile", "a")
    assert "is also typed" not in said
    run("examples", "type", "hum", "--profile", "a")
    assert "is also typed" not in run("train", "--open", "--profile", "a")[1]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["$(reboot)"], "cannot be spoken"),
        (["fine", "<ssml>"], "cannot be spoken"),
        (["أعلى"], "say which language it is, e.g. --language ar"),
        (["hum", "--language", "-v x"], "one like en, en-gb, ar, cmn is wanted"),
        (["hum", "--engine", "festival"], "`sudo apt install festival`"),
        (["hum", "--label", "background noise"], "it is recorded, and not typed"),
    ],
)
def test_what_cannot_be_typed_leaves_no_profile(
    run: Run, log: Path, tmp_path: Path, words: list[str], line: str
) -> None:
    """One line, before anything is made or any program is run."""
    arguments = [one if one != "-v x" else "v x" for one in words]
    code, out, err = run("examples", "type", *arguments, "--profile", "a")
    assert code != 0
    assert not out
    assert line in err
    assert len(err.strip().splitlines()) == 1
    assert not log.exists()
    assert not (tmp_path / "data" / "profiles" / "a").exists()
