"""manifest.json: what is written is read, and whatever else lies there gets one clear line."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_tl.errors import ModelError
from edge_tl.tflite.manifest import (
    COLOUR_ORDERS,
    KINDS,
    QUANTIZATIONS,
    RESIZES,
    Manifest,
    Scaling,
    read_manifest,
    write_manifest,
)

SAMPLE = Manifest(
    name="mobilenet_v1-0.25-224-conv_pw_13_relu",
    model="embedder.tflite",
    sha256="0123456789abcdef" * 4,
    architecture="mobilenet_v1",
    alpha=0.25,
    layer="conv_pw_13_relu",
    input_shape=(224, 224, 3),
    colour_order="rgb",
    resize="crop",
    scaling=Scaling((2 / 255,) * 3, (-1.0,) * 3),
    output_shape=(7, 7, 256),
    quantization="float32",
    weights={"origin": "a file", "licence": "Apache-2.0", "sha256": "ff"},
    tools={"tensorflow": "2.21.0"},
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(codec="utf-8"), min_size=1)
SIZE = st.integers(1, 4096)
MANIFESTS = st.builds(
    Manifest,
    name=TEXT,
    model=st.from_regex(r"[A-Za-z0-9_-]+\.tflite", fullmatch=True),
    sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    architecture=TEXT,
    alpha=st.none() | FINITE,
    layer=TEXT,
    input_shape=st.tuples(SIZE, SIZE, st.just(3)),
    colour_order=st.sampled_from(COLOUR_ORDERS),
    resize=st.sampled_from(RESIZES),
    scaling=st.builds(Scaling, st.tuples(FINITE, FINITE, FINITE), st.tuples(FINITE, FINITE, FINITE)),
    output_shape=st.lists(SIZE, min_size=1, max_size=3).map(tuple),
    quantization=st.sampled_from(QUANTIZATIONS),
    weights=st.dictionaries(TEXT, TEXT, max_size=3),
    tools=st.dictionaries(TEXT, TEXT, max_size=3),
    kind=st.sampled_from(KINDS),
)


@given(MANIFESTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read(tmp_path: Path, manifest: Manifest) -> None:
    """Every manifest comes back as it was written, each number to its last bit."""
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest


def test_the_file_is_json_that_people_can_read(tmp_path: Path) -> None:
    """manifest.json is indented JSON with the names that Manifest has."""
    write_manifest(tmp_path, SAMPLE)
    text = (tmp_path / "manifest.json").read_text()
    assert json.loads(text)["scaling"] == {"scale": [2 / 255] * 3, "offset": [-1.0] * 3}
    assert json.loads(text).keys() == {field.name for field in dataclasses.fields(Manifest)}
    assert text.count("\n") > 20


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("format", 2, "format 2 is unknown"),
        ("format", None, "format None is unknown"),
        ("name", "", "name is ''"),
        ("model", "../other.tflite", "is a path"),
        ("model", "..", "is a path"),
        ("model", 5, "model is 5"),
        ("sha256", "ABC", "sha256"),
        ("alpha", "wide", "alpha is 'wide'"),
        ("alpha", float("nan"), "alpha is nan"),
        ("alpha", True, "alpha is True"),
        ("input_shape", [224, 224], "input_shape"),
        ("input_shape", [224, -1, 3], "input_shape"),
        ("input_shape", "224", "input_shape"),
        ("output_shape", [], "output_shape"),
        ("output_shape", [7.0, 7], "output_shape"),
        ("colour_order", "grb", "one of rgb, bgr"),
        ("resize", "zoom", "one of crop, stretch, letterbox"),
        ("quantization", ["int8"], "quantization"),
        ("scaling", [1, 0], "scaling"),
        ("scaling", {"scale": [1, 1, 1]}, "scaling"),
        ("scaling", {"scale": [1, 1], "offset": [0, 0, 0]}, "scale"),
        ("scaling", {"scale": [1, 1, float("inf")], "offset": [0, 0, 0]}, "scale"),
        ("weights", {"origin": 3}, "weights"),
        ("tools", None, "tools"),
        ("kind", "smell", "kind"),
        ("colour", "rgb", "unknown fields colour"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, key: str, value: Any, said: str) -> None:
    """A manifest with one wrong value is refused in one line that names the file and the value."""
    values = dataclasses.asdict(SAMPLE) | {key: value}
    (tmp_path / "manifest.json").write_text(json.dumps(values))
    with pytest.raises(ModelError) as caught:
        read_manifest(tmp_path)
    message = str(caught.value)
    assert said in message
    assert str(tmp_path / "manifest.json") in message
    assert "\n" not in message


@pytest.mark.parametrize("key", sorted({field.name for field in dataclasses.fields(Manifest)} - {"kind", "format"}))
def test_a_missing_field_is_named(tmp_path: Path, key: str) -> None:
    """A manifest that lacks a field is refused with the field's name."""
    values = dataclasses.asdict(SAMPLE)
    del values[key]
    (tmp_path / "manifest.json").write_text(json.dumps(values))
    with pytest.raises(ModelError, match=f"lacks {key};"):
        read_manifest(tmp_path)


def test_a_bad_manifest_is_not_written(tmp_path: Path) -> None:
    """Writing refuses what reading would refuse, and leaves no file."""
    with pytest.raises(ModelError, match="resize"):
        write_manifest(tmp_path, dataclasses.replace(SAMPLE, resize="zoom"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_manifest(tmp_path: Path) -> None:
    """A folder without manifest.json, or with a folder of that name, gets one line each."""
    with pytest.raises(ModelError, match=r"no manifest\.json there") as caught:
        read_manifest(tmp_path)
    assert "\n" not in str(caught.value)
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(ModelError, match="cannot be read"):
        read_manifest(tmp_path)


@given(st.binary(max_size=60) | st.text('[]{}",:0123456789eE.-+nul ', max_size=40).map(str.encode))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_get_one_line(tmp_path: Path, data: bytes) -> None:
    """Whatever bytes manifest.json holds, the answer is a ModelError of one line."""
    (tmp_path / "manifest.json").write_bytes(data)
    with pytest.raises(ModelError) as caught:
        read_manifest(tmp_path)
    assert "\n" not in str(caught.value)


def test_deep_json_gets_one_line(tmp_path: Path) -> None:
    """JSON nested deeper than Python recurses is damage, not a crash."""
    (tmp_path / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(ModelError, match="is not JSON"):
        read_manifest(tmp_path)
