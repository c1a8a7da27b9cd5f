"""A .tflite file whose pictures are channels first, as PyTorch's networks take them, is run as any other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_yolo
from PIL import Image
from tiny_foreign import NAMES, classifier, coloured, needs_schema, put, said, with_labels
from tiny_profile import Run

from device.commands.main import main
from edge_tl.detection.yolo import YOLODetector
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.testing import check_embedder
from edge_tl.tflite.interpreter import Interpreter, TensorInfo, takes_channels_first
from edge_tl.tflite.manifest import Scaling

pytestmark = needs_schema
SCALED = Scaling((2 / 255,) * 3, (-1.0,) * 3)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command on a state folder of its own."""

    def call(*arguments: object) -> tuple[int, Any, str]:
        capsys.readouterr()
        code = main([*map(str, arguments), "--data-dir", str(tmp_path / "data")])
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in arguments and out else out, err

    return call


@pytest.mark.parametrize("kind", ["float32", "uint8", "int8"])
def test_pictures_are_named_as_by_the_same_network_channels_last(run: Run, tmp_path: Path, kind: str) -> None:
    """Labels and scaling come from the file; the probabilities are the same to the bit."""
    pictures = [coloured(tmp_path / "pictures", name) for name in NAMES]
    told = []
    for first in (False, True):
        data = with_labels(classifier(kind, held=said(), channels_first=first))
        code, answers, err = run("predict", "--model", put(tmp_path / f"{first}", data), *pictures, "--json")
        assert (code, err) == (0, "")
        assert [one["label"] for one in answers] == list(NAMES)
        told.append([one["probabilities"] for one in answers])
    assert told[0] == told[1]


@pytest.mark.parametrize("kind", ["float32", "int8"])
@pytest.mark.parametrize("channels", [1, 3])
def test_its_map_is_channels_last_for_whoever_learns_from_it(tmp_path: Path, kind: str, channels: int) -> None:
    """Of any picture the map is that of the same network channels last, in shape and values."""
    made = []
    for first in (False, True):
        data = classifier(kind, end="map", channels=channels, channels_first=first)
        order = "grey" if channels == 1 else None
        made.append(TFLiteEmbedder.load(put(tmp_path / f"{first}", data), scaling=SCALED, colour_order=order))
    assert made[0].embedding_shape == made[1].embedding_shape == (2, 2, channels)
    check_embedder(made[1])
    rng = np.random.default_rng(0)
    for size in ((8, 8), (30, 17)):
        picture = rng.integers(0, 256, (*size, 3), np.uint8)
        assert np.array_equal(made[0].embed(picture), made[1].embed(picture))


def test_an_open_size_is_asked_for_and_given(run: Run, tmp_path: Path) -> None:
    """As of a file that is channels last."""
    model = put(tmp_path / "m", with_labels(classifier(open_size=True, held=said(), channels_first=True)))
    blue = coloured(tmp_path / "pictures", "blue")
    code, out, err = run("predict", "--model", model, blue)
    assert (code, out) == (1, "")
    assert "--size PIXELS" in err
    assert run("predict", "--model", model, blue, "--size", 16, "--json")[1][0]["label"] == "blue"


def test_arrays_go_in_and_come_out_channels_last() -> None:
    """Without `pictures` a file is as it is; with it all that is not a picture's stays too."""
    data = classifier(end="map", channels_first=True)
    picture = np.random.default_rng(0).random((1, 8, 8, 3), np.float32)
    whole, turned = Interpreter(data, 1), Interpreter(data, 1, pictures=True)
    assert (whole.inputs[0].shape, whole.outputs[0].shape) == ((1, 3, 8, 8), (1, 3, 2, 2))
    assert (turned.inputs[0].shape, turned.outputs[0].shape) == ((1, 8, 8, 3), (1, 2, 2, 3))
    (one,), (other,) = whole.invoke(picture.transpose(0, 3, 1, 2).copy()), turned.invoke(picture)
    assert np.array_equal(one.transpose(0, 2, 3, 1), other)
    turned.input_view()[:] = picture
    assert np.array_equal(turned.invoke()[0], other)
    last = Interpreter(classifier(end="map"), 1, pictures=True)
    assert (last.inputs[0].shape, last.outputs[0].shape) == ((1, 8, 8, 3), (1, 2, 2, 3))
    for shape, first in (((1, 3, 8, 8), True), ((1, 1, 28, 28), True), ((1, 8, 8, 3), False), ((1, 3, 3, 64), False)):
        assert takes_channels_first(TensorInfo("x", shape, np.dtype("float32"))) == first


@pytest.mark.parametrize("kind", ["v5", "v8"])
def test_a_yolo_that_is_channels_first_finds_the_same(tmp_path: Path, kind: str) -> None:
    """Boxes, labels and scores are those of the same network channels last."""
    found = []
    for first in (False, True):
        path = tmp_path / f"{first}.tflite"
        path.write_bytes(tiny_yolo.make(kind, channels_first=first))
        detector = YOLODetector.load(path, threads=1)
        assert detector is not None
        found.append(detector.detect(tiny_yolo.scene()))
    assert found[0] == found[1]
    assert {one.label for one in found[1]} == {"red", "blue"}


def test_it_is_taught_with_and_what_cannot_be_done_with_it_says_so(run: Run, tmp_path: Path) -> None:
    """A profile learns from its map; `model fuse`, which appends to a map that is channels last, refuses in a line; of
    one without a map it makes a file that runs."""
    folder = tmp_path / "folder"
    for name in NAMES:
        for number in range(4):
            shade = np.random.default_rng(number).integers(0, 90, (24, 24, 3), np.uint8)
            shade[..., NAMES.index(name)] += 150
            (folder / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(shade).save(folder / name / f"{number}.png")
    model = put(tmp_path / "m", classifier(end="map", held=said(), channels_first=True))
    code, out, err = run("examples", "import", folder, "--model", model)
    assert code == 0, (out, err)
    code, out, err = run("train")
    assert code == 0, (out, err)
    code, out, err = run("predict", folder / "green" / "0.png", "--json")
    assert (code, out[0]["label"]) == (0, "green"), err
    made = tmp_path / "one.tflite"
    code, out, err = run("model", "fuse", "--out", made)
    assert (code, made.exists()) == (1, False), (out, err)
    assert len(err.splitlines()) == 1
    assert "channels first" in err
    flat = put(tmp_path / "flat", classifier(end="features", held=said(), channels_first=True))
    assert run("examples", "import", folder, "--model", flat, "--profile", "flat")[0] == 0
    assert run("train", "--profile", "flat")[0] == 0
    code, out, err = run("model", "fuse", "--profile", "flat", "--out", made)
    assert code == 0, (out, err)
    code, out, err = run("predict", "--model", made, folder / "blue" / "0.png", "--json")
    assert (code, out[0]["label"]) == (0, "blue"), err
