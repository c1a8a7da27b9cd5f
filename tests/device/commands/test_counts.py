"""What commands say of none, of one and of two of a thing, as a person reads it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tiny_profile import LABELS, Run, fill, model_folder, picture, runner

from device.commands.main import main

ONE = re.compile(r"(?<![\d.,:-])\b1 (\w+s)\b")
IS_ONE = {"class", "is", "was", "has", "ms", "looks"}
"""What ends in s behind a 1 and is no plural of more."""


def said_wrongly(text: str) -> list[str]:
    """The places of a text where one thing is said as several, or none is counted in none."""
    found = [match[0] for match in ONE.finditer(text) if match[1] not in IS_ONE]
    return found + re.findall(r"\b0 (?:[a-z]+ )?in 0\b|\(s\)", text)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command on an empty data folder, with the tiny model."""
    model_folder(tmp_path / "model")
    model_folder(tmp_path / "other", name="other", more=bytes(16))
    return runner(tmp_path, tmp_path / "data", capsys)


def filled(tmp_path: Path, takes: int, pictures: int) -> Path:
    """A folder of so many takes of so many pictures of each class, one of them twice, and one that is no picture."""
    root = fill(tmp_path / "pictures", takes, pictures)
    for label in LABELS[:1]:
        first = root / label / "take0" / "0.png"
        (first.with_name("again.png")).write_bytes(first.read_bytes())
        first.with_name("damaged.png").write_bytes(b"no")
    return root


@pytest.mark.parametrize(("takes", "pictures"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_a_profile_of_one_and_of_two(run: Run, tmp_path: Path, takes: int, pictures: int) -> None:
    """From the import to the removal no command says "1 takes", "1 examples" or "0 in 0"."""
    root = filled(tmp_path, takes, pictures)
    backup, model = tmp_path / "backup.zip", tmp_path / "other"
    for words in (
        ("examples", "import", root),
        ("examples", "import", root),
        ("examples", "list"),
        ("train",),
        ("evaluate",),
        ("report", "--out", tmp_path / "report.html", "--model", tmp_path / "model"),
        ("predict", root / "dark" / "take0" / "0.png"),
        ("examples", "export", tmp_path / "out"),
        ("examples", "export", tmp_path / "out.csv", "--format", "csv"),
        ("model", "list"),
        ("backup", backup),
        ("restore", backup, "--profile", "again"),
        ("examples", "re-embed", "--model", model),
        ("examples", "remove", "--label", "dark"),
        ("examples", "list"),
        ("evaluate",),
        ("train",),
    ):
        code, out, err = run(*words)
        assert code in (0, 1), err
        assert not said_wrongly(out + err), words
    assert not said_wrongly(re.sub(r"<[^>]*>", " ", (tmp_path / "report.html").read_text()))


def test_a_profile_of_nothing(run: Run, tmp_path: Path) -> None:
    """Where nothing is recorded no command counts none in none."""
    (tmp_path / "empty").mkdir()
    for words in (
        ("examples", "list"),
        ("examples", "import", tmp_path / "empty"),
        ("examples", "list"),
        ("train",),
        ("evaluate",),
        ("report", "--out", tmp_path / "report.html", "--model", tmp_path / "model"),
        ("model", "list"),
        ("backup", tmp_path / "backup.zip"),
    ):
        code, out, err = run(*words)
        assert code in (0, 1), err
        assert not said_wrongly(out + err), words


@pytest.mark.parametrize("number", [1, 2])
def test_boxes_of_one_and_of_two(tmp_path: Path, capsys: pytest.CaptureFixture[str], number: int) -> None:
    """A list of one picture with a box is told as one picture."""
    model_folder(tmp_path / "model")
    lines = ["file,width,height,label,left,top,right,bottom"]
    for at in range(number):
        picture("light", at).save(tmp_path / f"{at}.png")
        lines += [f"{at}.png,32,24,light,4,4,20,20", f"{at}.png,32,24,light,4,4,9,9"]
    (tmp_path / "boxes.csv").write_text("\n".join(lines))
    there = ["--data-dir", str(tmp_path / "data")]
    for words in (["examples", "import", str(tmp_path / "boxes.csv")], ["examples", "list"], ["train"], ["evaluate"]):
        assert main([*words, *there]) in (0, 1)
        assert not said_wrongly("".join(capsys.readouterr())), words


def test_the_search_finds_what_it_looks_for() -> None:
    """The search itself: it finds one thing said as several, and passes over what is right."""
    assert said_wrongly("1 takes; 0 in 0; 0 pictures in 0 takes; 2 example(s)") == [
        "1 takes",
        "0 in 0",
        "0 pictures in 0",
        "(s)",
    ]
    assert not said_wrongly("1 class, 1 take, 21 takes, 0.1 takes, 10 in 0 and 1 ms")
