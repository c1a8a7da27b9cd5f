"""Model files of other programs: each is named, with what to do, and never "download it again"."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from edge_tl.errors import ModelError
from edge_tl.tflite.interpreter import read_model
from edge_tl.tflite.manifest import read_manifest


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("m.onnx", b"\x08\x07", "is an ONNX model: convert it"),
        ("m.h5", b"\x89HDF\r\n\x1a\n0000", "`edge-tl-host convert teachable` takes Teachable Machine's keras_model.h5"),
        ("m.pt", b"\x80\x02", "export it to .tflite where it was trained"),
        ("m.eim", b"\x7fELF0000", "take the TensorFlow Lite file"),
        ("model.json", b'{"modelTopology": {}}', "is a model of TensorFlow.js"),
        ("other.json", b' {"weightsManifest": []}', "is a model of TensorFlow.js"),
        ("m.pb", b"\x08", "SavedModel|from_saved_model"),
        ("m.hef", b"x", "Hailo"),
        ("m.tflite", b"<html>not found", "download or convert it again"),
        ("m.tflite", b"", "is empty"),
    ],
)
def test_a_file_is_named(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    """By its first bytes, else by its ending; what nobody knows may be downloaded again."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError, match=said) as caught:
        read_model(tmp_path / name)
    assert ("download" in str(caught.value)) == (name == "m.tflite")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["model_unquant.tflite", "labels.txt"], "unpack it and give model_unquant.tflite"),
        (["config.json", "model.weights.h5"], "is a Keras model"),
        (["archive/data.pkl"], "PyTorch"),
        (["x/model.json", "x/weights.bin"], "its model.json is a model of TensorFlow.js"),
        (["keras_model.h5", "labels.txt"], "its keras_model.h5 is a Keras file"),
        (["saved_model.pb"], "SavedModel"),
        (["notes.txt"], "download or convert it again"),
    ],
)
def test_an_archive_is_looked_into(tmp_path: Path, files: list[str], said: str) -> None:
    """What it holds tells what it is."""
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as packed:
        for file in files:
            packed.writestr(file, b"x")
    with pytest.raises(ModelError, match=said):
        read_model(tmp_path / "m.zip")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("saved_model.pb", "holds a TensorFlow SavedModel"),
        ("model.json", "its model.json is a model of TensorFlow.js"),
        ("keras_model.h5", "its keras_model.h5 is a Keras file"),
        ("m.tflite", "has no manifest.json: give the file in it"),
        ("notes.txt", "no manifest.json there"),
    ],
)
def test_a_folder_is_named(tmp_path: Path, file: str, said: str) -> None:
    """A folder that is none of ours is known by the file that lies in it, wherever one is given."""
    (tmp_path / file).write_bytes(b"x")
    with pytest.raises(ModelError, match=said):
        read_manifest(tmp_path)
