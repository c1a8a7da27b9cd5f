"""A YOLO of another maker: known by its output, decoded, doubles suppressed, boxes within the picture."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tiny_yolo
from PIL import Image
from tiny_foreign import needs_schema

from device.commands.main import main
from edge_tl.detection.yolo import YOLODetector
from edge_tl.detection.yolo_maps import YOLOMaps
from edge_tl.errors import ModelError

pytestmark = needs_schema


def load(path: Path, data: bytes, **more: object) -> YOLODetector:
    """A detector of these bytes."""
    path.mkdir(exist_ok=True)
    (path / "yolo.tflite").write_bytes(data)
    found = YOLODetector.load(path / "yolo.tflite", threads=1, **more)  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("pixels", [False, True])
@pytest.mark.parametrize("kind", ["v5", "v8", "turned"])
def test_things_are_found_where_they_are(tmp_path: Path, kind: str, pixels: bool) -> None:
    """Of every layout, in shares and in pixels, boxes lie in the picture as it came, and the file's names are told."""
    detector = load(tmp_path, tiny_yolo.make(kind, pixels=pixels))
    assert detector.labels == ("red", "blue")
    found = detector.detect(tiny_yolo.scene())
    assert [one.label for one in found] == ["red", "blue"]
    np.testing.assert_allclose(found[0].box, (32, 16, 48, 32), atol=0.01)
    np.testing.assert_allclose(found[1].box, (96, 32, 112, 48), atol=0.01)
    assert all(0.9 < one.confidence <= 1 for one in found)
    assert detector.detect(np.zeros((64, 128, 3), np.uint8)) == ()


def test_doubles_go_and_boxes_end_at_the_border(tmp_path: Path) -> None:
    """An export that gives corners is read; of a tall picture letterboxed at its sides no box leaves it."""
    detector = load(tmp_path, tiny_yolo.make("ended"))
    picture = np.zeros((128, 72, 3), np.uint8)
    picture[..., 0] = 255  # 36 of the model's 64 columns: the fields at its border reach beyond
    found = detector.detect(picture, 0.3)
    assert found
    boxes = np.array([one.box for one in found])
    assert boxes.min() >= 0
    assert boxes[:, 2].max() <= 72
    assert len(detector.detect(picture, 0.3, 5)) == 5


@pytest.mark.parametrize(
    ("note", "says"),
    [
        (tiny_yolo.NOTE.replace("detect", "pose"), "is a YOLO for pose"),
        (tiny_yolo.NOTE.replace("{0: 'red', 1: 'blue'}", "{0: 'red'}"), "2 classes, and 1 label"),
    ],
)
def test_another_task_or_other_labels_are_refused(tmp_path: Path, note: str, says: str) -> None:
    """A YOLO for poses, and names that are fewer than the classes, are one line."""
    with pytest.raises(ModelError, match=says):
        load(tmp_path, tiny_yolo.make("v8", note=note))


@pytest.mark.parametrize("note", ["", "nonsense", "{" * 100_000, "[1]", "{'names': {0: 'a', 5: 'b'}}"])
def test_a_note_that_names_nothing_is_no_error(tmp_path: Path, note: str) -> None:
    """Things are called by their number where the archive is missing or says nothing that can be read."""
    found = load(tmp_path, tiny_yolo.make("v8", note=note)).detect(tiny_yolo.scene())
    assert [one.label for one in found] == ["class 0", "class 1"]


def test_the_command_finds_things_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`detect --ssd` takes a YOLO; anchors are refused; and `predict --model` says which command runs it."""
    load(tmp_path, tiny_yolo.make("v8"))
    model, picture = str(tmp_path / "yolo.tflite"), str(tmp_path / "scene.png")
    Image.fromarray(tiny_yolo.scene()).save(picture)
    assert main(["detect", "--ssd", model, picture, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["label"] for one in told["found"]] == ["red", "blue"]
    assert main(["detect", "--ssd", model, picture, "--anchors", picture]) == 1
    assert main(["predict", "--model", model, picture, "--data-dir", str(tmp_path)]) == 1
    assert "edge-tl detect --ssd" in capsys.readouterr().err


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("kind", ["maps", "apart"])
def test_maps_that_are_not_decoded_are_decoded_here(tmp_path: Path, kind: str, first: bool) -> None:
    """Three maps or six, channels last or first: what was found in the decoded one, where it is."""
    detector = load(tmp_path, tiny_yolo.make(kind, channels_first=first))
    found = detector.detect(tiny_yolo.scene())
    assert [one.label for one in found] == ["red", "blue"]
    np.testing.assert_allclose(found[0].box, (32, 16, 48, 32), atol=0.1)
    np.testing.assert_allclose(found[1].box, (96, 32, 112, 48), atol=0.1)
    assert all(0.9 < one.confidence <= 1 for one in found)
    assert detector.detect(np.zeros((64, 128, 3), np.uint8)) == ()


def maps(channels: tuple[int, ...], *, first: bool = False, size: tuple[int, int] = (640, 480)) -> Any:
    """What is read off a model of such maps alone: its shapes."""
    sides = [(size[0] // stride, size[1] // stride) for stride in (8, 16, 32)]
    sides = [side for side in sides for _ in range(len(channels) // 3)]
    shapes = [(1, many, *side) if first else (1, *side, many) for side, many in zip(sides, channels, strict=True)]
    infos = [SimpleNamespace(shape=shape) for shape in shapes]
    return SimpleNamespace(inputs=[SimpleNamespace(shape=(1, *size, 3))], outputs=infos)


def test_what_maps_are_is_never_guessed() -> None:
    """80 classes beside 80 x 80 cells are told by the other maps; where only labels tell v8 from v5 they are asked for;
    anchors, which no file holds, and maps that contradict each other are refused."""
    square = maps((64, 80) * 3, first=True, size=(640, 640))
    found = YOLOMaps.of(square, "m", 0)
    assert found is not None
    assert found.classes == 80
    clear = YOLOMaps.of(maps((65,) * 3), "m", 0)
    assert clear is not None
    assert clear.classes == 1
    with pytest.raises(ModelError, match=r"2 classes, or 17 beside boxes with anchors: .*--labels FILE"):
        YOLOMaps.of(maps((66,) * 3), "m", 0)
    told = YOLOMaps.of(maps((66,) * 3), "m", 2)
    assert told is not None
    assert told.classes == 2
    for channels, labels in (((66,) * 3, 17), ((255,) * 3, 80), ((18,) * 3, 0)):
        with pytest.raises(ModelError, match=r"anchors .* the file does not hold"):
            YOLOMaps.of(maps(channels), "m", labels)
    for channels in ((64, 64) * 3, (32, 80) * 3, (64, 64, 80, 80, 64, 80), (66, 67, 66)):
        with pytest.raises(ModelError, match=r"a map of 64|three maps"):
            YOLOMaps.of(maps(channels), "m", 0)
    other = maps((66,) * 3)
    other.outputs[2].shape = (1, 7, 7, 66)
    assert YOLOMaps.of(other, "m", 0) is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_values_that_are_no_numbers_find_nothing_wrong(value: float) -> None:
    """Whatever a broken map holds, boxes and scores are arrays of their shape, and no warning is raised."""
    read = YOLOMaps.of(maps((65,) * 3, size=(64, 64)), "m", 0)
    assert read is not None
    made = [np.full((1, 64 // stride, 64 // stride, 65), value, np.float32) for stride in (8, 16, 32)]
    made[0][0, 0, 0, :3] = 1.0
    corners, scores = read.decoded(made)
    assert (corners.shape, scores.shape) == ((84, 4), (84, 1))
    assert np.isfinite(corners).all()
