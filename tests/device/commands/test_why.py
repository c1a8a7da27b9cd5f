"""`edge-tl predict --why`: the nearest taught examples and likely causes, in words and as JSON; and in the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command_run import Run, run_on

from device.commands.main import main
from edge_tl.judge.why import CAUSES
from edge_tl.labels import NOISE
from edge_tl.media.image import decode, encode_jpeg
from edge_tl.sources.simulated import SimulatedPlayer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained profile `default` of the simulated player: two classes, three takes of four pictures; and one apart."""
    root = tmp_path_factory.mktemp("why")
    player = SimulatedPlayer(seed=3)
    player.open()
    for take in range(4):
        for label in ("up", "left"):
            player.new_session()
            player.pose = label
            for _ in range(8):
                player.read()
            place = root / ("unseen" if take == 3 else "taught") / label / f"take{take}"
            place.mkdir(parents=True)
            for i in range(4):
                place.joinpath(f"{i}.jpg").write_bytes(encode_jpeg(player.read().data))
    data = ["--data-dir", str(root / "data")]
    assert main(["examples", "import", str(root / "taught"), "--look", "frame", *data]) == 0
    assert main(["train", *data]) == 0
    return root


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command on that profile."""
    capsys.readouterr()
    return run_on(folder / "data", capsys)


def test_an_answer_is_explained_in_words(run: Run, folder: Path, tmp_path: Path) -> None:
    """A picture that was made dark: near examples, the nearest of what it was, that it is darker, and what to show."""
    picture = decode(folder / "unseen/up/take3/0.jpg")
    dark = tmp_path / "dark.jpg"
    dark.write_bytes(encode_jpeg((picture * 0.2).astype(np.uint8)))
    code, said, err = run("predict", "--why", "--was", "left", dark)
    assert (code, err) == (0, "")
    assert "\n  nearest taught: " in said
    assert "\n  nearest left: " in said
    assert "\n  why: darker than what was taught: mean grey " in said
    code, said, _ = run("predict", "--why", folder / "taught/up/take0/0.jpg")
    assert code == 0
    assert "nearest up" not in said  # nobody said what it was
    assert "(example 1," not in said  # it is none of its neighbours itself


def test_a_right_answer_is_said_to_be_right(run: Run, folder: Path) -> None:
    """What was taught is named as it was taught, and then there is nothing to explain."""
    code, said, _ = run("predict", "--no-reject", "--why", "--was", "up", folder / "taught/up/take0/1.jpg")
    assert code == 0
    assert "why: the answer was right" in said


def test_programs_get_the_same(run: Run, folder: Path) -> None:
    """As JSON: neighbours with their numbers, causes with what was measured, and of several files what each brings."""
    files = sorted((folder / "unseen").rglob("*.jpg"))[:3]
    code, found, _ = run("predict", "--why", "--json", "--was", "up", *files)
    assert code == 0
    answers = found if isinstance(found, list) else json.loads(found)
    for one in answers:
        why = one["why"]
        assert set(why) == {"was", "right_answer", "nearest", "right", "causes", "next", "gain"}
        assert len(why["nearest"]) == 3
        assert set(why["nearest"][0]) == {"id", "label", "likeness", "take", "session"}
        assert all(cause["kind"] in CAUSES and cause["strength"] >= 0 for cause in why["causes"])
        assert why["right_answer"] == (one["label"] == "up")
        assert np.isfinite(why["gain"])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--was", "up"), "--was says what the files show, for --why: give that too"),
        (("--why", "--was", "sideways"), "there is no class 'sideways'; those there are: left, up"),
    ],
)
def test_what_cannot_be_explained_is_one_line(run: Run, folder: Path, arguments: tuple[str, ...], line: str) -> None:
    """--was alone, and a class that nothing was taught of."""
    code, out, err = run("predict", *arguments, folder / "taught/up/take0/0.jpg")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert line in err


def test_the_report_shows_the_worst_mistakes(run: Run, folder: Path, tmp_path: Path) -> None:
    """A wrong label's picture is a mistake of the head that was taught the other takes: it stands beside these."""
    wrong = folder / "wrong"
    for label in ("up", "left"):
        for take in ("take0", "take1"):
            for i in range(4):
                to = wrong / ("left" if (label, take, i) == ("up", "take1", 2) else label) / take / f"{label}{i}.jpg"
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes((folder / "taught" / label / take / f"{i}.jpg").read_bytes())
    data = ["--profile", "wrong", "--data-dir", str(folder / "data")]
    assert main(["examples", "import", str(wrong), "--look", "frame", *data]) == 0
    page = tmp_path / "page.html"
    assert main(["report", "--out", str(page), *data]) == 0
    text = page.read_text()
    part = text[text.index("Why was it wrong? The surest mistakes") :]
    assert "is left, taken for up" in part
    assert "nearest left: " in part
    assert "<li>" in part


def test_words_are_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a sound: the nearest recordings and the nearest of the word that it was."""
    pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
    pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
    pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")
    from made_words import room, spoken, write

    for label in ("hum", "hiss"):
        for seed in range(4):
            write(tmp_path / "sounds" / label / f"{seed}.wav", spoken(label, seed))
    for number in range(3):
        write(tmp_path / "sounds" / NOISE / f"{number}.wav", room(2.0, seed=number))
    data = ["--data-dir", str(tmp_path / "data")]
    assert main(["examples", "import", str(tmp_path / "sounds"), *data]) == 0
    assert main(["train", *data]) == 0
    write(tmp_path / "asked.wav", spoken("hum", 9))
    capsys.readouterr()
    run = run_on(tmp_path / "data", capsys)
    code, found, _ = run("predict", "--why", "--was", "hiss", "--json", tmp_path / "asked.wav")
    assert code == 0
    (one,) = found if isinstance(found, list) else json.loads(found)
    assert one["label"] == "hum"
    assert [near["label"] for near in one["why"]["nearest"]] == ["hum"] * 3
    assert one["why"]["right"]["label"] == "hiss"
    assert "thin" in [cause["kind"] for cause in one["why"]["causes"]]
