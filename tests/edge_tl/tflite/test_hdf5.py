"""Keras' .h5 files are read without libhdf5, as libhdf5 reads them, and a hostile one is one line, at once."""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import DATA

from edge_tl.errors import ConfigError, ModelError
from edge_tl.tflite.hdf5 import read_layers
from edge_tl.tflite.weights import read_weights

FILES = ("mobilenet_2_5_224_tf_no_top.h5", "mobilenet_2_5_224_tf.keras.h5")
TINY = (DATA / "tiny_keras.h5").read_bytes()
"""Written by h5py 3.14 as Keras does, names as texts of any length: conv1 with kernel:0, conv1_bn with four arrays."""


def test_a_small_file_is_read_as_it_was_written() -> None:
    """Names, order, shapes and numbers of layers and arrays are the file's."""
    layers = read_layers(TINY, "tiny")
    assert list(layers) == ["input_1", "conv1", "conv1_bn"]
    assert layers["input_1"] == []
    np.testing.assert_array_equal(layers["conv1"][0], np.arange(54, dtype=np.float32).reshape(3, 3, 3, 2))
    assert [array.tolist() for array in layers["conv1_bn"]] == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]]


@pytest.mark.parametrize("name", FILES)
def test_published_weights_are_read_as_libhdf5_reads_them(name: str, data: Callable[[str], Path]) -> None:
    """Every array of Keras' own MobileNet files, with and without top, equals what h5py gives, in the same order."""
    h5py = pytest.importorskip("h5py")
    path = data(f"mobilenet_v1_0.25_224/{name}")
    layers = read_layers(path.read_bytes(), name)
    with h5py.File(path) as file:
        root = file.get("model_weights", file)
        assert list(layers) == [layer.decode() for layer in root.attrs["layer_names"]]
        for layer, arrays in layers.items():
            weights = [weight.decode() for weight in root[layer].attrs["weight_names"]]
            for weight, array in zip(weights, arrays, strict=True):
                np.testing.assert_array_equal(array, root[layer][weight])


def written(**settings: Any) -> bytes:
    """A file of one layer with one array, as h5py writes it with these settings."""
    h5py = pytest.importorskip("h5py")
    made = io.BytesIO()
    with h5py.File(made, "w") as file:
        file.attrs["layer_names"] = [b"dense"]
        group = file.create_group("dense")
        group.attrs["weight_names"] = [b"dense/kernel:0"]
        group.create_dataset("dense/kernel:0", **settings)
    return made.getvalue()


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8", "<i4", "<i8", "u1"])
def test_numbers_of_every_usual_kind_are_read(dtype: str) -> None:
    """Floats and whole numbers of either byte order come out right."""
    values = np.arange(12).reshape(3, 4).astype(dtype)
    (read,) = read_layers(written(data=values), "x")["dense"]
    np.testing.assert_array_equal(read, values)


def test_what_keras_does_not_write_is_refused() -> None:
    """Packed, chunked or textual arrays, arrays that were never written, and links each end in one line."""
    h5py = pytest.importorskip("h5py")
    values = np.zeros((64, 64), np.float32)
    for settings_ in (
        {"data": values, "chunks": (8, 8)},
        {"data": values, "compression": "gzip"},
        {"shape": (1 << 20, 1 << 20), "dtype": "f4"},
        {"data": np.array([b"text"])},
        {"data": np.array([1 + 2j])},
    ):
        with pytest.raises(ModelError) as caught:
            read_layers(written(**settings_), "odd.h5")
        assert str(caught.value).startswith("odd.h5: ")
        assert "\n" not in str(caught.value)
    for link in (h5py.SoftLink("/elsewhere"), h5py.ExternalLink("/dev/zero", "/x")):
        made = io.BytesIO()
        with h5py.File(made, "w") as file:
            file.attrs["layer_names"] = [b"dense"]
            file["dense"] = link
        with pytest.raises(ModelError):
            read_layers(made.getvalue(), "x")


def test_a_newer_layout_names_the_way_out() -> None:
    """A file in HDF5's newer layout says what to do."""
    h5py = pytest.importorskip("h5py")
    made = io.BytesIO()
    with h5py.File(made, "w", libver="latest") as file:
        file.attrs["layer_names"] = [b"dense"]
    with pytest.raises(ModelError, match=r"model\.save\('NAME\.h5'\)"):
        read_layers(made.getvalue(), "x")


@pytest.mark.parametrize("length", range(0, len(TINY), 97))
def test_a_truncated_file_is_one_line(length: int) -> None:
    """However much of a download is missing, it is noticed, or all that was asked for is there."""
    with pytest.raises(ModelError) as caught:
        read_layers(TINY[:length], "cut.h5")
    assert "\n" not in str(caught.value)


@settings(max_examples=300)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from([0, 1, 2, 8, 127, 255])), max_size=4),
    wide=st.booleans(),
)
def test_damage_never_raises_anything_else(changes: list[tuple[float, int]], wide: bool) -> None:
    """Whatever bytes or words are changed, it ends at once in arrays that fit into the file, or in one line."""
    spoilt = bytearray(TINY)
    for place, value in changes:
        at = int(place * (len(spoilt) - 8))
        spoilt[at : at + (8 if wide else 1)] = bytes([value]) * (8 if wide else 1)
    said, layers, began_s = "", {}, time.process_time()
    try:
        layers = read_layers(bytes(spoilt), "x")
    except ModelError as error:
        said = str(error)
    assert time.process_time() - began_s < 1  # of this processor's time: what other programs take is not ours
    assert "\n" not in said
    assert sum(array.nbytes for arrays in layers.values() for array in arrays) <= len(TINY)


def test_addresses_that_go_round_in_circles_end() -> None:
    """Headers and trees that point at themselves are refused, not walked for ever."""
    for mark in (b"TREE", b"SNOD"):
        at = TINY.index(mark)
        for offset in range(8, 72, 8):
            spoilt = bytearray(TINY)
            spoilt[at + offset : at + offset + 8] = struct.pack("<Q", at)
            try:
                layers = read_layers(bytes(spoilt), "x")
            except ModelError:
                layers = {}
            assert len(layers) in (0, 3)


def test_files_that_are_none_are_one_line(tmp_path: Path) -> None:
    """A text called .h5, a folder, a file that is not there and another kind are said to be so."""
    (tmp_path / "text.h5").write_text("hello")
    (tmp_path / "folder.h5").mkdir()
    for name, said in (("text.h5", "no HDF5 mark"), ("folder.h5", "Is a directory"), ("gone.h5", "no such file")):
        with pytest.raises(ModelError, match=said):
            read_weights(tmp_path / name)
    with pytest.raises(ConfigError, match=r"a \.h5, \.pth or \.whl file"):
        read_weights(tmp_path / "weights.onnx")


def test_weights_of_keras_3_are_known_by_the_names_of_their_layers() -> None:
    """A `.weights.h5` groups layers by kind and number, in models in models: names and arrays are the layers'."""
    h5py = pytest.importorskip("h5py")
    made = io.BytesIO()
    wanted = {"conv1": [np.ones((1, 1, 3, 2)), np.zeros(2)], "conv2": [np.full((1, 1, 2, 2), 5.0)]}
    with h5py.File(made, "w") as file:
        places = {"conv1": "layers/conv2d/vars", "conv2": "layers/functional/layers/conv2d/vars"}
        for name, place in places.items():
            group = file.create_group(place)
            group.attrs["name"] = name
            for number, values in enumerate(wanted[name]):
                group.create_dataset(str(number), data=values.astype(np.float32))
        file.create_group("layers/re_lu/vars")
    layers = read_layers(made.getvalue(), "it")
    assert sorted(layers) == sorted(wanted)
    for name, arrays in wanted.items():
        for one, other in zip(layers[name], arrays, strict=True):
            np.testing.assert_array_equal(one, other)
