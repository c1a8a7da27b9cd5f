"""The commands of detection as somebody would type them: scenes, training on the Pi and on a host, what is found."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from small_detector import WEIGHTS, write_small_base

from device.commands.main import main
from edge_tl.detection.base import read_detector
from edge_tl.detection.scenes import SHAPES, scenes
from edge_tl.media.image import decode
from host_tools.cli import main as host

QUICK = ["--scenes", "40", "--epochs", "1,1", "--threads", "1"]


@pytest.fixture(scope="module")
def small_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base that learns."""
    return write_small_base(tmp_path_factory.mktemp("base"))


def test_scenes_are_written_with_their_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The PNGs are the scenes of the seed, and truth.csv has a row for each, without TensorFlow."""
    assert host(["detect", "scenes", "--count", "3", "--seed", "5", "--out", str(tmp_path / "some")]) == 0
    assert "3 scenes" in capsys.readouterr().out
    drawn = scenes(3, 5)
    with (tmp_path / "some" / "truth.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row, picture, shape, box in zip(rows, drawn.pictures, drawn.shapes, drawn.boxes, strict=True):
        np.testing.assert_array_equal(decode(tmp_path / "some" / row["file"]), picture)
        assert row["label"] == SHAPES[shape]
        sides = [float(row[side]) for side in ("left", "top", "right", "bottom")]
        np.testing.assert_allclose(sides, box, atol=0.006)


def test_a_detector_is_trained_shown_and_asked(
    small_base: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`model detector` writes a folder, a curve and a picture; `detect --detector` and `detect show` use the folder."""
    out, curve, picture = tmp_path / "shapes", tmp_path / "curve.svg", tmp_path / "found.png"
    drawn = ["--curve", str(curve), "--picture", str(picture)]
    assert main(["model", "detector", str(small_base), *QUICK, *drawn, "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "phase 1:" in told
    assert "phase 2:" in told
    assert "500 fresh scenes:" in told
    assert "mean IoU" in told
    assert "the base's upper layers too" in curve.read_text().replace("&#x27;", "'")
    assert decode(picture).shape == (3 * 228 - 4, 4 * 228 - 4, 3)
    assert host(["detect", "scenes", "--count", "2", "--out", str(tmp_path / "some")]) == 0
    capsys.readouterr()
    asked = str(tmp_path / "some" / "scene-00001.png")
    assert main(["detect", "--detector", str(out), asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["found"]
    (wanted,) = read_detector(out, 1).detect(scenes(1, 0, 1).pictures[0])
    assert found[0]["label"] == wanted.label
    np.testing.assert_allclose(found[0]["box"], wanted.box, atol=0.06)
    assert host(["detect", "show", str(out), "--count", "5", "--out", str(tmp_path / "five.png")]) == 0
    assert decode(tmp_path / "five.png").shape == (2 * 228 - 4, 4 * 228 - 4, 3)


def test_the_figures_come_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a base the shipped model carries the head; `--json` is one object."""
    options = ["--loss", "classes", "--optimizer", "rmsprop", "--no-decay", "--json"]
    assert main(["model", "detector", *QUICK, *options, "--out", str(tmp_path / "made")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["plan"]["optimizer"] == "rmsprop"
    assert told["plan"]["decay"] is False
    assert [epoch["number"] for epoch in told["curve"]] == [1, 2]
    assert told["trainable"][0] == told["parameters"]
    assert 0 <= told["judged"]["iou"] <= 1


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["detect", "--detector", "{tmp}", "--ssd", "x.tflite"], "leave the other out"),
        (["detect", "--detector", "{tmp}"], "manifest.json"),
        (["model", "detector", "{tmp}/none", "--out", "{tmp}/x"], "none"),
        (["model", "detector", "--scenes", "1", "--out", "{tmp}/x"], "is wanted"),
        (["model", "detector", "--out", "{tmp}/file"], "is a file"),
    ],
)
def test_wrong_wishes_are_one_line(
    argv: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be done is refused before anything is drawn."""
    (tmp_path / "file").write_text("")
    assert main([word.format(tmp=tmp_path) for word in argv]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["show", "{tmp}", "--out", "{tmp}/x.png"], "manifest.json"),
        (["scenes", "--out", "{tmp}/file"], "cannot be written"),
        (["train", "--out", "{tmp}/file"], "is a file"),
        (["train", "--base", "{tmp}", "--epochs", "0,0", "--out", "{tmp}/x"], "which --base is already"),
    ],
)
def test_wrong_wishes_on_a_host_are_one_line(
    argv: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same of edge-tl-host, without TensorFlow being started."""
    (tmp_path / "file").write_text("")
    assert host(["detect", *(word.format(tmp=tmp_path) for word in argv)]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.host
def test_a_host_trains_what_the_pi_trains_further(data, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    """`detect train` writes a base, and from it a detector by Keras; the Pi's command takes both."""
    base, made = tmp_path / "base", tmp_path / "made"
    weights = ["--weights", str(data(WEIGHTS)), "--licence", "Apache-2.0"]
    assert host(["detect", "train", *weights, "--epochs", "0,0", "--out", str(base)]) == 0
    assert "Keras differ by" in capsys.readouterr().out
    assert host(["detect", "train", "--base", str(base), "--scenes", "40", "--epochs", "1,1", "--out", str(made)]) == 0
    assert "500 fresh scenes" in capsys.readouterr().out
    assert main(["model", "detector", str(made), *QUICK, "--freeze-bn", "--out", str(tmp_path / "more")]) == 0
    assert "phase 2: 5067957 of" in capsys.readouterr().out
