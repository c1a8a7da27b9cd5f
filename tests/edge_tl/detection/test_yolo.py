"""A YOLO of another maker: known by its output, decoded, doubles suppressed, boxes within the picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_yolo
from PIL import Image
from tiny_foreign import needs_schema

from device.commands.main import main
from edge_tl.detection.yolo import YOLODetector
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
