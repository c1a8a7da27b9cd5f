"""How an example lies on disk: pictures as small upright JPEG files, embeddings in half the room."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from edge_tl.core.kept import as_stored, checksum, pack
from edge_tl.errors import ExampleError
from edge_tl.media import image
from edge_tl.store.media import MAX_SIDE_PX, stored_jpeg


def picture(seed: int, height_px: int = 24, width_px: int = 32) -> np.ndarray:
    """A picture that no other seed gives."""
    return np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)


@given(
    hnp.arrays(
        np.float32,
        st.integers(1, 40),
        elements=st.floats(-(2.0**100), 2.0**100, width=32) | st.floats(-70000, 70000, width=32),
    )
)
def test_stored_embeddings_are_close_and_rounding_twice_changes_nothing(x: np.ndarray) -> None:
    """An embedding comes back within 1/1024 of its length, exactly where it is stored as float32, never as inf."""
    kept = as_stored(x)
    assert kept.dtype == np.float32
    assert np.isfinite(kept).all()
    assert np.linalg.norm(kept.astype(float) - x) <= np.linalg.norm(x.astype(float)) / 1024 * 1.001
    assert np.array_equal(as_stored(kept), kept)
    if pack(x)[0] == "<f4":
        assert np.array_equal(kept, x)


def test_embeddings_use_half_the_room_where_that_is_exact_enough() -> None:
    """float16 is taken for usual values; large ones, and ones so small that it would lose them, stay float32."""
    assert pack(np.random.default_rng(0).standard_normal(12))[0] == "<f2"
    assert pack(np.array([1.0, 65503.0]))[0] == "<f2"
    assert pack(np.array([1.0, 65504.0]))[0] == "<f4"
    assert pack(np.full(5, 1e-9, np.float32))[0] == "<f4"
    assert pack(np.zeros(5))[0] == "<f2"


def test_the_check_sum_covers_all_that_an_embedding_means() -> None:
    """Another model, number format or value changes the check sum."""
    sums = {checksum(print_, dtype, data) for print_ in "ab" for dtype in ("<f2", "<f4") for data in (b"1234", b"1235")}
    assert len(sums) == 8


def jpeg(width_px: int, height_px: int, **options: object) -> bytes:
    """A JPEG file by Pillow."""
    out = io.BytesIO()
    Image.fromarray(picture(1, height_px, width_px)).save(out, "JPEG", quality=80, **options)
    return out.getvalue()


def test_small_upright_jpeg_files_are_kept_byte_for_byte() -> None:
    """A JPEG of at most 640 px is stored as it came, also progressive or grey; a larger picture is shrunk."""
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    upright = Image.Exif()
    upright[0x0112] = 1
    grey = io.BytesIO()
    Image.new("L", (20, 10), 7).save(grey, "JPEG")
    for data in (
        jpeg(640, 480),
        jpeg(64, 48, progressive=True),
        jpeg(64, 48, exif=exif.tobytes()),
        jpeg(64, 48, exif=upright.tobytes()),
        grey.getvalue(),
    ):
        assert stored_jpeg(data) is data
    shrunk = image.decode(stored_jpeg(jpeg(800, 600)))
    assert shrunk.shape == (480, 640, 3)
    assert image.decode(stored_jpeg(picture(3, 900, 300))).shape == (MAX_SIDE_PX, 213, 3)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_turned_jpeg_files_are_stored_upright(orientation: int) -> None:
    """What EXIF turns is stored turned, so that nobody has to read the metadata again."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = jpeg(40, 20, exif=exif.tobytes())
    kept = stored_jpeg(data)
    assert kept != data
    assert image.decode(kept).shape == image.decode(data).shape
    with Image.open(io.BytesIO(kept)) as opened:
        assert opened.getexif().get(0x0112, 1) == 1


def test_a_turn_in_xmp_is_taken_for_a_turn() -> None:
    """A JPEG whose XMP metadata has an orientation is stored anew, as the pixels were seen."""
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="6"/></x:xmpmeta>'
    plain = jpeg(40, 20)
    segment = b"http://ns.adobe.com/xap/1.0/\0" + xmp
    data = plain[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + plain[2:]
    kept = stored_jpeg(data)
    assert b"Orientation" not in kept
    assert image.decode(kept).shape == image.decode(data).shape


def test_other_picture_files_become_jpeg() -> None:
    """A PNG is stored as the JPEG of its pixels, and a file far larger than its picture without what lies behind."""
    out = io.BytesIO()
    Image.fromarray(picture(4)).save(out, "PNG")
    assert stored_jpeg(out.getvalue()) == image.encode_jpeg(picture(4))
    assert len(stored_jpeg(jpeg(40, 20) + bytes(2_000_000))) < 10_000


@settings(max_examples=200)
@given(place=st.integers(0, 400), data=st.binary(min_size=1, max_size=8))
def test_damaged_jpeg_headers_never_raise_anything_else(place: int, data: bytes) -> None:
    """Whatever the header of a picture holds, it is stored as a picture that can be read, or refused in one line."""
    exif = Image.Exif()
    exif[0x0112] = 6
    good = jpeg(40, 20, exif=exif.tobytes())
    bad = good[:place] + data + good[place + len(data) :]
    line = ""
    try:
        assert image.decode(stored_jpeg(bad)).size
    except ExampleError as error:
        line = str(error)
    assert len(line.splitlines()) <= 1
