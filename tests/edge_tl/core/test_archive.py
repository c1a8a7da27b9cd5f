"""The one reader of archives and of arrays: bounded while it reads, and with one error for all damage."""

from __future__ import annotations

import errno
import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.core.archive import BLOCK_BYTES, Archive, DamagedArchive, packed_arrays, read_arrays, unpacked_array
from edge_tl.files import read_limited

ARRAYS = {
    "0.W": np.arange(12, dtype=np.float32).reshape(3, 4),
    "turned": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "words": np.array(["up", "über"]),
    "none": np.zeros((0, 7), np.int64),
    "one": np.array(True),
    "": np.array([1], ">i2"),
}


def npz(**members: bytes) -> bytes:
    """An archive of these members, each named with `.npy`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return out.getvalue()


def npy(descr: str, shape: str, data: bytes, version: bytes = b"\x01\x00") -> bytes:
    """A .npy file with this header."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + version + len(header).to_bytes(2 if version[0] == 1 else 4, "little") + header + data


def test_arrays_come_back_and_are_the_bytes_of_numpy(tmp_path: Path) -> None:
    """Every dtype, order and name, from bytes and from a file, writable; the file is numpy.savez's to the byte."""
    packed = packed_arrays(ARRAYS)
    (tmp_path / "a.npz").write_bytes(packed)
    for file in (packed, tmp_path / "a.npz"):
        found = read_arrays(file, 10_000)
        assert list(found) == list(ARRAYS)
        for name, array in ARRAYS.items():
            assert found[name].dtype == array.dtype
            assert np.array_equal(found[name], array)
            assert found[name].flags.writeable
    plain = {name: array for name, array in ARRAYS.items() if name}
    theirs = io.BytesIO()
    np.savez(theirs, **plain)  # type: ignore[arg-type]
    assert packed_arrays(plain) == theirs.getvalue()
    squeezed = io.BytesIO()
    np.savez_compressed(squeezed, **plain)  # type: ignore[arg-type]
    assert np.array_equal(read_arrays(squeezed.getvalue(), 10_000, ["0.W"])["0.W"], ARRAYS["0.W"])


def test_objects_and_fields_are_never_written() -> None:
    """What could not be read again is refused before it is written."""
    for array in (np.array([None]), np.zeros(2, "f4,i4")):
        with pytest.raises(ValueError, match="holds"):
            packed_arrays({"x": array})


def test_all_become_one_dtype_within_the_limit() -> None:
    """Numbers become float32, counted as such: small integers do not grow beyond the limit; text is refused."""
    packed = packed_arrays({"x": np.array([1, 2], np.int8), "y": np.array([1e300])})
    found = read_arrays(packed, 10_000, dtype=np.float32)
    assert [array.dtype for array in found.values()] == [np.float32] * 2
    assert found["x"].tolist() == [1, 2]
    assert np.isinf(found["y"])
    many = packed_arrays({"x": np.zeros(10_000, np.int8)})
    assert read_arrays(many, 11_000)["x"].size == 10_000
    for data in (many, packed_arrays({"x": np.array(["a"])}), packed_arrays({"x": np.array([1j])})):
        with pytest.raises(DamagedArchive, match="cannot become float32"):
            read_arrays(data, 11_000, dtype=np.float32)


@pytest.mark.parametrize(
    ("member", "says"),
    [
        (npy("'<f4'", "(1000000000000000,)", bytes(8)), "not as large as it says"),
        (npy("'<f4'", "(3,)", bytes(8)), "not as large as it says"),
        (npy("'<f4'", "(1,)", bytes(8)), "not as large as it says"),
        (npy("'<U0'", "(1000000000000000,)", b""), "not as large as it says"),
        (npy("'<f4'", "(" + "1, " * 200 + ")", bytes(4)), "dimension"),
        (npy("'|O'", "(1,)", b"cos\nsystem\n"), "something else than numbers"),
        (npy("[('a', '<f4')]", "(1,)", bytes(4)), "something else than numbers"),
        (npy("'<f99'", "(1,)", bytes(99)), "f99"),
        (npy("'<f4'", "(-1,)", bytes(4)), "something else than numbers"),
        (npy("'<f4'", "(1,)", bytes(4), b"\x02\x00")[:9], "something else"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + bytes(100), "no array"),
        (npy("'<f4'", "(1,)", bytes(4), b"\x09\x00"), "no array"),
        (b"", "no array"),
        (npy("'<f4'", "(" * 5000, bytes(4)), "something else than numbers"),
    ],
)
def test_a_header_is_a_claim(member: bytes, says: str) -> None:
    """Giant and negative shapes, objects, fields, endless headers: one line, and nothing is allocated on their word."""
    with pytest.raises(DamagedArchive, match=says) as caught:
        read_arrays(npz(x=member), 1_000_000)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_the_second_layout_of_numpy_is_read() -> None:
    """A .npy file of version 2, and one that Python 2 wrote."""
    for data in (npy("'<f4'", "(2,)", bytes(8), b"\x02\x00"), npy("'<f4'", "(2L,)", bytes(8))):
        assert unpacked_array(io.BytesIO(data), "it", 100).tolist() == [0, 0]


def test_the_limit_is_of_all_together() -> None:
    """Ten arrays that are small alone are refused together; of those that are not asked for none counts."""
    packed = packed_arrays({str(number): np.zeros(1000, np.uint8) for number in range(10)})
    assert len(read_arrays(packed, 12_000)) == 10
    assert list(read_arrays(packed, 2000, ["3"])) == ["3"]
    with pytest.raises(DamagedArchive, match="more than 9000 bytes"):
        read_arrays(packed, 9000)
    with pytest.raises(DamagedArchive, match=r"no 11\.npy"):
        read_arrays(packed, 9000, ["11"])


def test_what_no_archive_should_hold_is_refused() -> None:
    """A name twice, encryption, other packing, a member that is no array, a size that lies, a huge directory."""
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("x.npy", b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x.npy", b"")
    plain = npz(x=npy("'<f4'", "(1,)", bytes(4)))
    flags = plain.rindex(b"PK\x01\x02") + 8
    locked = plain[:6] + b"\x01" + plain[7:flags] + b"\x01" + plain[flags + 1 :]
    other, junk, crowd = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(other, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.npy", b"x")
    with zipfile.ZipFile(junk, "w") as archive:
        archive.writestr("x", b"x")
    size = plain.rindex(b"PK\x01\x02") + 24
    longer = plain[:size] + struct.pack("<I", 5000) + plain[size + 4 :]
    with zipfile.ZipFile(crowd, "w") as archive:
        for number in range(BLOCK_BYTES // 60):
            archive.writestr(f"{number:020}", b"")
    cases = {twice: "twice", other: "is packed in a way", junk: "no array", crowd: "directory is too large"}
    given = {made.getvalue(): says for made, says in cases.items()}
    for data, says in (given | {locked: "encrypted", longer: "not as long as it says", b"": "not a zip"}).items():
        with pytest.raises(DamagedArchive, match=says):
            read_arrays(data, 100_000)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    """A folder, a pipe, a device, a missing or a too large file are an OSError that says so, and nothing hangs."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(bytes(100))
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero"), tmp_path / "none"):
        with pytest.raises(OSError, match=r"directory|no regular file"):
            Archive(path)
        with pytest.raises(OSError, match=r"directory|no regular file"):
            read_limited(path, 10)
    assert read_limited(tmp_path / "large", 100) == bytes(100)
    with pytest.raises(OSError, match="larger than 99 bytes") as caught:
        read_limited(tmp_path / "large", 99)
    assert caught.value.errno == errno.EFBIG
    assert read_limited(Path("/proc/self/status"), 100_000).count(b"\n") > 10  # it says that it is empty


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_other_error_comes_of_damage(data: st.DataObject) -> None:
    """Any bytes of an archive changed, above all to what its numbers mean: arrays, or the one error in one line."""
    whole = data.draw(st.sampled_from([packed_arrays(ARRAYS), npz(x=npy("'<f4'", "(2,)", bytes(8)))]))
    spoilt = bytearray(whole)
    marks = [at for at in range(len(whole) - 3) if whole[at : at + 2] == b"PK"]
    for _ in range(data.draw(st.integers(1, 4))):
        near = st.builds(int.__add__, st.sampled_from(marks), st.integers(0, 60)) | st.integers(0, len(whole) - 1)
        at = min(data.draw(near), len(whole) - 1)
        spoilt[at : at + 1] = data.draw(st.sampled_from([b"\0", b"\x01", b"\xff", b"\xff" * 8]) | st.binary(max_size=2))
    said = ""
    try:
        read_arrays(bytes(spoilt), 10_000)
    except DamagedArchive as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 300
