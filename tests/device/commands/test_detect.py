"""`edge-tl detect`: pictures, the camera, the screen, and what is wrong with any of them in one line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from places import DATA
from terminal_pty import Pty
from tiny_ssd import scene

from device.commands.main import main
from edge_tl.media.image import decode, save_png

SSD = str(DATA / "tiny_ssd_old.tflite")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with a scene and a picture of nothing, and the labels beside it."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    save_png(folder / "a.png", scene())
    save_png(folder / "b.png", np.zeros((90, 120, 3), np.uint8))
    (tmp_path / "labels.txt").write_text("???\nred\nblue\n")
    return folder


def detect(pictures: Path, *arguments: object) -> int:
    """The command with the tiny detector and its labels."""
    labels = str(pictures.parent / "labels.txt")
    return main(["detect", "--ssd", SSD, "--labels-file", labels, *map(str, arguments)])


def test_pictures_as_text_and_png(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line a thing, and a PNG with frames on it where they belong; a name that is taken is not written over."""
    out = pictures.parent / "out"
    for _ in range(2):
        assert detect(pictures, pictures / "a.png", pictures / "b.png", "--out", out) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("a.png: red  95.4%  from 68,42 to 140,86")
    assert lines[2].endswith("b.png: nothing was found")
    assert sorted(path.name for path in out.iterdir()) == ["a-2.png", "a.png", "b-2.png", "b.png"]
    drawn = decode(out / "a.png")
    assert drawn.shape == scene().shape
    changed = (drawn != scene()).any(axis=2)
    assert changed[86, 100]
    assert changed[60, 68]
    assert not changed[70, 100]
    assert not changed[10, 10]
    np.testing.assert_array_equal(decode(out / "b.png"), 0)


def test_pictures_as_json(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line of JSON a picture; a file that is none is one line on stderr and exit code 1; turned pictures too."""
    assert detect(pictures, pictures / "a.png", pictures.parent / "labels.txt", "--json", "--rotate", "180") == 1
    told = capsys.readouterr()
    (one,) = map(json.loads, told.out.splitlines())
    assert (one["width"], one["height"]) == (320, 160)
    assert [thing["label"] for thing in one["found"]] == ["red", "blue"]
    assert one["found"][0]["box"] == pytest.approx([147.8, 81.9, 220.2, 126.1], abs=0.1)
    assert len(told.err.splitlines()) == 1


def test_camera_as_json(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A camera's pictures are a line each, for so many seconds; those with something in them are kept."""
    out = pictures.parent / "out"
    assert detect(pictures, "--camera", pictures, "--seconds", "0.2", "--json", "--out", out) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["at_s"] == 0
    assert lines[-1]["at_s"] >= 0.2
    assert {len(line["found"]) for line in lines} == {0, 2}
    assert len(list(out.iterdir())) == sum(bool(line["found"]) for line in lines)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--anchors", "nowhere.csv"], "nowhere.csv: cannot be read"),
        (["--show"], "name some pictures"),
        (["--labels-file", str(SSD)], "is no"),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: list[str], told: str, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each mistake is one line that says what to do."""
    assert detect(pictures, *arguments) == 1
    said = capsys.readouterr().err
    assert told in said
    assert len(said.splitlines()) == 1


def spawn(pictures: Path, *arguments: object) -> Pty:
    """The command in a real terminal."""
    code = "import sys; from device.commands.main import main; sys.exit(main())"
    labels = pictures.parent / "labels.txt"
    command = ["detect", "--ssd", SSD, "--labels-file", str(labels), *map(str, arguments)]
    return Pty.spawn([sys.executable, "-c", code, *command], 24, 90)


def test_the_live_screen(pictures: Path) -> None:
    """The camera's picture with its things named, s keeps one, q leaves the terminal as it was."""
    (pictures / "b.png").unlink()
    out = pictures.parent / "out"
    with spawn(pictures, "--camera", pictures, "--out", out) as pty:
        pty.wait_for("95% red")
        pty.wait_for("92% blue")
        pty.send("s")
        pty.wait_for("kept as")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert pty.restored()
    assert len(list(out.iterdir())) == 1


def test_show_pictures(pictures: Path) -> None:
    """Named pictures one after the other, by the arrows."""
    with spawn(pictures, pictures / "a.png", pictures / "b.png", "--show") as pty:
        pty.wait_for("95% red")
        pty.send("right")
        pty.wait_for("nothing was found")
        pty.send("left")
        pty.wait_for("1 of 2")
        pty.send("q")
        assert pty.wait_exit() == 0
