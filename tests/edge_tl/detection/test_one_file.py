"""A trained detector as one .tflite: the same boxes as its folder, and what it says of itself, damaged or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lacking import lacking
from small_detector import layers

from device.commands.main import main
from edge_tl.detection.answers import ClassAndBox, OutputColumns, ScaledShape, new_head
from edge_tl.detection.base import read_base, read_detector, write_detector
from edge_tl.detection.detector import features
from edge_tl.detection.one_file import ABOUT, fuse_detector, read_one_file
from edge_tl.detection.scenes import scenes
from edge_tl.errors import ModelError
from edge_tl.media.image import fit, save_png
from edge_tl.models import default_model
from edge_tl.nn import BatchNorm, Dense, Network
from edge_tl.tflite.file_metadata import metadata

pytestmark = pytest.mark.exact

pytest.importorskip("ai_edge_litert.interpreter", reason="only LiteRT brings the schema", exc_type=ImportError)

SIDE_PX = 128
"""Of the shipped embedder."""
ANSWERS: dict[str, Callable[[], OutputColumns]] = {
    "scaled": lambda: ScaledShape(("triangle", "rectangle"), SIDE_PX),
    "plain": lambda: ScaledShape(("triangle", "rectangle"), SIDE_PX, scaled=False),
    "classes": lambda: ClassAndBox(("cup", "ball", "key"), SIDE_PX),
    "one or nothing": lambda: ClassAndBox(("cup",), SIDE_PX, nothing=True),
}


def write(folder: Path, answers: OutputColumns) -> None:
    """A detector that learned nothing, but whose outputs are as large as those of one that did."""
    rng = np.random.default_rng(0)
    base = read_base(default_model(), 1)
    block = layers(base.embedder.embedding_shape[-1])
    for layer in block.layers:
        if isinstance(layer, BatchNorm):
            layer.mean[...] = rng.normal(size=len(layer.mean))
            layer.variance[...] = rng.uniform(0.5, 2, len(layer.variance))
    head = new_head(base.embedder.embedding_shape, answers.outputs, rng, units=16)
    last = head[-1]
    assert isinstance(last, Dense)
    assert last.b is not None
    last.b[-4:] = (40, 50, 120, 130)
    network = Network([*block.layers, *head])
    write_detector(folder, default_model(), "drawn", network, len(block.layers), {"origin": "drawn"}, answers)


@pytest.fixture(scope="module")
def fused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fused file of two shapes."""
    folder = tmp_path_factory.mktemp("shapes")
    write(folder / "made", ANSWERS["scaled"]())
    (folder / "x.tflite").write_bytes(fuse_detector(folder / "made"))
    return folder / "x.tflite"


@pytest.mark.parametrize("kind", ANSWERS)
def test_the_file_finds_what_the_folder_finds(kind: str, tmp_path: Path) -> None:
    """Confidences and boxes, as shares of the side, are within 1e-5, for every meaning that the outputs can have."""
    write(tmp_path / "made", ANSWERS[kind]())
    (tmp_path / "x.tflite").write_bytes(fuse_detector(tmp_path / "made"))
    apart, one = read_detector(tmp_path / "made", 1), read_one_file(tmp_path / "x.tflite", 1)
    assert (one.labels, one.name, one.least) == (apart.labels, "drawn", apart.least)
    pictures = [np.repeat(picture, 2, axis=1) for picture in scenes(3, 9).pictures]
    read = [each.answers.read(each.network(features(each.embedder, SIDE_PX, pictures))) for each in (apart, one)]
    np.testing.assert_allclose(read[1][0], read[0][0], atol=1e-5)
    np.testing.assert_allclose(read[1][1] / SIDE_PX, read[0][1] / SIDE_PX, atol=1e-5)
    apart.least = one.least = 0.0
    (found,), (wanted,) = one.detect(pictures[0]), apart.detect(pictures[0])
    assert found.label == wanted.label
    np.testing.assert_allclose(found.box, wanted.box, atol=0.01)


@pytest.mark.host
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_tensorflow_runs_it_with_what_it_says_of_itself(fused: Path) -> None:
    """TensorFlow's interpreter gives the folder's box for a picture that was scaled as the metadata say."""
    tensorflow = pytest.importorskip("tensorflow", reason=lacking("TensorFlow"))
    about = json.loads(metadata(fused.read_bytes(), "x")[ABOUT])
    assert about["columns"][1:] == ["left", "top", "right", "bottom"]
    assert about["threshold"] == 0.5
    picture = fit(scenes(1, 9).pictures[0], (SIDE_PX, SIDE_PX), "stretch")
    scaling = about["manifest"]["scaling"]
    assert about["manifest"]["colour_order"] == "rgb"
    given = picture * np.float32(scaling["scale"]) + np.float32(scaling["offset"])
    interpreter = tensorflow.lite.Interpreter(str(fused))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], given[np.newaxis].astype(np.float32))
    interpreter.invoke()
    (made,) = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    detector = read_detector(fused.parent / "made", 1)
    proba, boxes = detector.answers.read(detector.network(features(detector.embedder, SIDE_PX, [picture])))
    np.testing.assert_allclose(np.clip(made[0], 0, 1), proba[0, 1], atol=1e-5)
    np.testing.assert_allclose(made[1:], boxes[0] / SIDE_PX, atol=1e-5)


def test_the_commands(fused: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`model fuse --detector` writes it and says how near it is; `detect --detector` runs file and folder alike."""
    out = tmp_path / "y.tflite"
    assert main(["model", "fuse", "--detector", str(fused.parent / "made"), "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["largest_difference"] < 1e-5
    assert said["labels"] == ["triangle", "rectangle"]
    assert out.read_bytes() == fused.read_bytes()
    assert main(["model", "info", str(out)]) == 0
    assert "labels: triangle, rectangle\ncolumns: rectangle, else triangle" in capsys.readouterr().out
    sample = tmp_path / "scene.png"

    save_png(sample, scenes(1, 9).pictures[0])
    found = []
    for one in (out, fused.parent / "made"):
        assert main(["detect", "--detector", str(one), str(sample), "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["found"])
    assert found[0] == found[1]
    for arguments, wanted in (
        (["model", "fuse", "--detector", str(default_model()), "--out", str(out)], "holds no detector"),
        (["model", "fuse", "--detector", "a", "--network", "b", "--out", str(out)], "leave the other out"),
        (["detect", "--detector", str(sample), str(sample)], "scene.png"),
        (["detect", "--detector", str(next(default_model().glob("*.tflite"))), str(sample)], "no fused detector"),
    ):
        assert main(arguments) == 1
        error = capsys.readouterr().err
        assert wanted in error
        assert error.count("\n") == 1


@settings(max_examples=40)
@given(data=st.data())
def test_a_damaged_file_is_one_line(fused: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """What the file says of itself, changed anywhere, is a detector or a ModelError of one line."""
    whole = bytearray(fused.read_bytes())
    start = whole.index(b'{"format"')
    place = data.draw(st.integers(start, whole.index(b'"manifest"')))
    whole[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "x.tflite"
    path.write_bytes(bytes(whole))
    try:
        read_one_file(path, 1)
    except ModelError as error:
        assert "\n" not in str(error)  # noqa: PT017 - most damage is an error, some is harmless
