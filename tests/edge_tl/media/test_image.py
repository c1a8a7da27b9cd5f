"""Pictures from the world, in all the ways they arrive, and their way to a model's size."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from edge_tl.errors import ExampleError, ShapeError, to_install
from edge_tl.media.image import check_picture, decode, encode_jpeg, fit, save_png, thumbnail


def file_of(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of a Pillow picture in a file format."""
    out = io.BytesIO()
    image.save(out, format=kind, **options)
    return out.getvalue()


def ramp(height: int, width: int) -> np.ndarray:
    """A picture whose red grows to the right and whose green grows downwards."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.linspace(0, 255, width)
    picture[..., 1] = np.linspace(0, 255, height)[:, None]
    return picture


def one_line(data: bytes | Path) -> str:
    """The message with which decoding fails, seen to be one line."""
    with pytest.raises(ExampleError) as caught:
        decode(data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_picture_of_64_megapixels_is_read_at_a_half() -> None:
    """A telephone's JPEG is decoded at a fraction; a progressive one, and a PNG of that size, would fill the memory."""
    out = io.BytesIO()
    wide = Image.new("RGB", (9248, 6936), (200, 30, 40))
    wide.save(out, "JPEG", quality=50)
    read = decode(out.getvalue())
    assert read.shape == (3468, 4624, 3)
    assert abs(read[1000, 1000].astype(int) - (200, 30, 40)).max() < 6
    out = io.BytesIO()
    wide.save(out, "JPEG", quality=50, progressive=True)
    with pytest.raises(ExampleError, match="at most 50 million pixels"):
        decode(out.getvalue())


@pytest.mark.parametrize(("sides", "shape"), [((49, 33), (17, 25)), ((97, 41), (21, 49)), ((50, 40), (20, 25))])
def test_odd_sides_are_read_at_a_fraction_too(
    sides: tuple[int, int], shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """8165×6124 pixels of a telephone came whole, and were refused as too many."""
    monkeypatch.setattr("edge_tl.media.image.MAX_PIXELS", 1_100)
    out = io.BytesIO()
    Image.new("RGB", sides, (200, 30, 40)).save(out, "JPEG", quality=50)
    assert decode(out.getvalue()).shape == (*shape, 3)


def test_a_png_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    """What save_png writes, decode reads unchanged, from the path and from the bytes."""
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    save_png(tmp_path / "a.png", picture)
    np.testing.assert_array_equal(decode(tmp_path / "a.png"), picture)
    np.testing.assert_array_equal(decode((tmp_path / "a.png").read_bytes()), picture)


def test_a_jpeg_comes_back_nearly() -> None:
    """What encode_jpeg writes is a JPEG that decodes to nearly the same picture, nearer with higher quality."""
    picture = ramp(64, 48)
    errors = []
    for quality in (30, 90):
        data = encode_jpeg(picture, quality)
        assert data[:3] == b"\xff\xd8\xff"
        errors.append(np.abs(decode(data).astype(int) - picture).mean())
    assert errors[1] < errors[0] < 10


def test_grey_becomes_rgb() -> None:
    """A grey picture has its value in all three channels."""
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(decode(file_of(Image.fromarray(grey))), np.stack([grey] * 3, axis=2))


@pytest.mark.parametrize("mode", ["1", "P", "LA", "CMYK", "YCbCr"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    """Bilevel, palette, grey with alpha, CMYK (as a JPEG) and YCbCr (as a JPEG) show the same white and black."""
    rgb = np.zeros((16, 32, 3), np.uint8)
    rgb[:, 16:] = 255
    kind = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    picture = decode(file_of(Image.fromarray(rgb).convert(mode), kind))
    assert picture.shape == rgb.shape
    assert np.abs(picture.astype(int) - rgb).max() <= 2


def test_transparency_lies_on_white() -> None:
    """Transparent pixels of an RGBA picture are white, half transparent ones half way there."""
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0, :, 3] = (0, 128, 255)
    np.testing.assert_allclose(decode(file_of(Image.fromarray(rgba)))[0, :, 0], (255, 127, 0), atol=1)


def test_a_transparent_palette_lies_on_white() -> None:
    """A palette picture with a transparent entry, given as a number or as bytes, shows white there."""
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8)).convert("P")
    image.putpalette([10, 20, 30, 200, 100, 50, 1, 2, 3] + [0] * 759)
    image.putdata([0, 1, 2])
    for transparency in (1, bytes((255, 0, 255))):
        picture = decode(file_of(image, transparency=transparency))
        np.testing.assert_array_equal(picture[0], [(10, 20, 30), (255, 255, 255), (1, 2, 3)])


def test_sixteen_bits_become_eight() -> None:
    """16-bit grey is scaled, not clipped: 0, 32768 and 65535 become 0, 128 and 255."""
    deep = np.array([[0, 257, 32768, 65278, 65535]], np.uint16)
    np.testing.assert_array_equal(decode(file_of(Image.fromarray(deep)))[0, :, 1], (0, 1, 128, 254, 255))


def test_sixteen_bit_colour_becomes_eight() -> None:
    """A 16-bit RGB PNG, written by hand as the PNG specification says, shows its high bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    row = b"\0" + struct.pack(">6H", 0, 0x8000, 0xFFFF, 0x1234, 0x5600, 0xABCD)
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
    np.testing.assert_allclose(decode(data)[0], [(0, 0x80, 0xFF), (0x12, 0x56, 0xAB)], atol=1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(orientation: int) -> None:
    """A picture held in any of the eight EXIF orientations is decoded upright."""
    upright = np.zeros((16, 24, 3), np.uint8)
    upright[:8, :8] = (250, 0, 0)
    upright[:8, 16:] = (0, 250, 0)
    # How a camera in each position holds the upright picture (EXIF 2.32, tag 0x0112).
    hold: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: np.rot90(p, 1),
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: np.rot90(p, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    held = Image.fromarray(np.ascontiguousarray(hold[orientation](upright)))
    np.testing.assert_array_equal(decode(file_of(held, exif=exif)), upright)


def test_damaged_exif_does_not_cost_the_picture() -> None:
    """Good pixels with broken metadata are a good picture."""
    image = Image.fromarray(ramp(8, 8))
    assert decode(file_of(image, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f\x12\x01\x03")).shape == (8, 8, 3)


def test_an_animation_shows_its_first_picture() -> None:
    """Of a GIF with two frames the first is taken."""
    first, second = (Image.new("RGB", (4, 4), colour) for colour in ((255, 0, 0), (0, 0, 255)))
    picture = decode(file_of(first, "GIF", save_all=True, append_images=[second]))
    assert tuple(picture[0, 0]) == (255, 0, 0)


def test_no_picture_gets_one_line(tmp_path: Path) -> None:
    """A text, an empty file, a missing file and a folder are each named in one line."""
    (tmp_path / "notes.jpg").write_text("not a picture\n")
    (tmp_path / "empty.png").touch()
    assert "notes.jpg: is no picture (14 bytes)" in one_line(tmp_path / "notes.jpg")
    assert "empty.png: is no picture (0 bytes)" in one_line(tmp_path / "empty.png")
    assert "gone.png: cannot be read (No such file" in one_line(tmp_path / "gone.png")
    assert "cannot be read" in one_line(tmp_path)
    assert "the picture: is no picture" in one_line(b"GIF")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_truncated_picture_is_damaged(kind: str) -> None:
    """A picture cut off half-way is named as damaged, not shown half grey."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = file_of(Image.fromarray(noise), kind)
    assert "is damaged (" in one_line(data[: len(data) // 2])


def test_a_single_pixel_and_a_strip_are_refused() -> None:
    """1×1 and 20 000×2 pixels show nothing: each is said with its size; small and wide pictures are still read."""
    assert "single pixel" in one_line(file_of(Image.new("RGB", (1, 1))))
    assert "20000×2 pixels" in one_line(file_of(Image.new("RGB", (20_000, 2))))
    assert "2×20000 pixels" in one_line(file_of(Image.new("RGB", (2, 20_000))))
    assert decode(file_of(Image.new("RGB", (2, 2)))).shape == (2, 2, 3)
    assert decode(file_of(Image.new("RGB", (100, 2)))).shape == (2, 100, 3)


@pytest.mark.parametrize(("width", "height"), [(8000, 8000), (10_000, 10_000), (60_000, 60_000)])
def test_a_bomb_is_refused_before_it_is_unpacked(width: int, height: int) -> None:
    """A small file that claims 64 to 3600 million pixels is refused by its header alone."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    # No pixel data follows: had it been unpacked, it would be damaged rather than too large.
    message = one_line(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 8) + b"IDAT" + bytes(12))
    assert "at most 50 million pixels" in message


def test_floating_point_pixels_are_refused() -> None:
    """A TIFF of floats has no range that everybody agrees on: one line says so."""
    image = Image.fromarray(np.ones((4, 4), np.float32))
    assert "floating-point" in one_line(file_of(image, "TIFF"))


JPEG = file_of(Image.fromarray(ramp(24, 24)), "JPEG")
PNG = file_of(Image.fromarray(ramp(24, 24)))


@given(st.sampled_from((JPEG, PNG)), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6))
def test_damage_gets_a_picture_or_one_line(data: bytes, changes: list[tuple[float, int]]) -> None:
    """Whatever bytes of a file are overwritten, the answer is a picture or an ExampleError of one line."""
    damaged = bytearray(data)
    for where, value in changes:
        damaged[int(where * (len(data) - 1))] = value
    try:
        picture, message = decode(bytes(damaged)), ""
    except ExampleError as error:
        picture, message = ramp(1, 1), str(error)
    check_picture(picture)
    assert "\n" not in message


SIDE = st.integers(1, 90)


@given(SIDE, SIDE, SIDE, SIDE, st.sampled_from(("crop", "stretch", "letterbox")))
@example(2, 20_000, 64, 64, "crop")
@example(20_000, 2, 64, 64, "letterbox")
@example(1, 1, 224, 224, "stretch")
def test_fit_always_gives_the_size_asked(rows: int, columns: int, height: int, width: int, resize: str) -> None:
    """Any picture comes to any size, uint8, in every way of resizing; a plain one keeps its colour."""
    fitted = fit(np.full((rows, columns, 3), 200, np.uint8), (height, width), resize)
    assert fitted.shape == (height, width, 3)
    assert fitted.dtype == np.uint8
    if resize != "letterbox":
        assert (fitted == 200).all()
    else:
        assert set(np.unique(fitted)) <= {0, 200}


def test_crop_takes_the_centre_square() -> None:
    """`crop` of a wide picture is the centre square, resized as Pillow does it."""
    picture = np.random.default_rng(1).integers(0, 256, (48, 80, 3), np.uint8)
    square = Image.fromarray(np.ascontiguousarray(picture[:, 16:64]))
    np.testing.assert_array_equal(
        fit(picture, (24, 24), "crop"), np.asarray(square.resize((24, 24), Image.Resampling.BILINEAR))
    )
    np.testing.assert_array_equal(fit(picture, (48, 48), "crop"), picture[:, 16:64])


def test_letterbox_keeps_the_aspect() -> None:
    """`letterbox` of a wide picture has equal black borders above and below, and all of the picture between."""
    fitted = fit(np.full((50, 100, 3), 255, np.uint8), (40, 40), "letterbox")
    assert (fitted[:10] == 0).all()
    assert (fitted[30:] == 0).all()
    assert (fitted[10:30] == 255).all()


def test_shrinking_averages_what_it_leaves_out() -> None:
    """A fine checkerboard shrinks to even grey: no aliasing."""
    board = (np.indices((320, 320)).sum(axis=0) % 2 * 255).astype(np.uint8)
    fitted = fit(np.stack([board] * 3, axis=2), (32, 32))
    assert np.abs(fitted.astype(int) - 127).max() <= 8


def test_a_fitting_picture_is_left_alone() -> None:
    """A picture of the size asked is returned itself."""
    picture = ramp(24, 32)
    assert fit(picture, (24, 32), "stretch") is picture


def test_a_view_of_a_picture_fits_like_its_copy() -> None:
    """Cropped, mirrored and read-only arrays are as good as fresh ones."""
    view = ramp(60, 80)[5:55, ::-1]
    view.flags.writeable = False
    np.testing.assert_array_equal(fit(view, (32, 32)), fit(view.copy(), (32, 32)))
    np.testing.assert_array_equal(decode(encode_jpeg(view)), decode(encode_jpeg(view.copy())))


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 4), (4, 4, 1), (4, 4, 4), (1, 4, 4, 3)])
def test_what_is_no_picture_is_a_shape_error(shape: tuple[int, ...]) -> None:
    """Arrays of another shape are refused by all that takes a picture, with the shape that came."""
    array = np.zeros(shape, np.uint8)
    calls: list[Callable[[], object]] = [
        lambda: fit(array, (8, 8)),
        lambda: encode_jpeg(array),
        lambda: thumbnail(array, 8),
        lambda: save_png(Path("never.png"), array),
    ]
    for call in calls:
        with pytest.raises(ShapeError, match="wanted") as caught:
            call()
        assert str(shape) in str(caught.value)


def test_floats_and_lists_are_shape_errors() -> None:
    """A float picture and a list are no pictures; an unknown way of resizing is named."""
    with pytest.raises(ShapeError, match="float64"):
        fit(np.zeros((4, 4, 3)), (8, 8))
    with pytest.raises(ShapeError, match="list"):
        check_picture([[[0, 0, 0]]])  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="one of crop, stretch, letterbox"):
        fit(ramp(4, 4), (8, 8), "zoom")


@given(SIDE, SIDE, SIDE)
def test_a_thumbnail_keeps_the_aspect(rows: int, columns: int, side: int) -> None:
    """A thumbnail is never larger than asked nor than the picture, and keeps the aspect to a pixel."""
    small = thumbnail(np.full((rows, columns, 3), 9, np.uint8), side)
    factor = min(1.0, side / max(rows, columns))
    assert abs(small.shape[0] - max(1.0, rows * factor)) <= 1
    assert abs(small.shape[1] - max(1.0, columns * factor)) <= 1
    assert max(small.shape[:2]) <= max(1, min(side, max(rows, columns)))


def test_real_pictures_decode(data: Callable[[str], Path]) -> None:
    """Grey PNGs of faces and colour JPEGs of hands come as RGB of their size."""
    face = decode(next(data("cmu_faces").rglob("*.png")))
    assert face.shape == (120, 128, 3)
    assert (face[..., 0] == face[..., 2]).all()
    hand = decode(next(data("hands_sessions").rglob("*.jpg")))
    assert hand.shape[1:] == (320, 3)
    assert hand.std() > 10


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_heic_says_what_to_do(brand: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A telephone's HEIC is known by its content, whatever its name; without pi-heif one line says what to do."""
    monkeypatch.setattr("edge_tl.media.heic.register_heic", lambda: False)
    said = one_line(b"\0\0\0\x18ftyp" + brand + bytes(100))
    assert said.endswith(f"is HEIC, which pi-heif reads: save or send it as JPEG, or {to_install('[phone]')}")


def test_heic_is_read_upright() -> None:
    """Where pi-heif is installed an iPhone's picture is read, turned as it asks; a cut one is damaged."""
    pytest.importorskip("pi_heif", reason='pi-heif is not installed: pip install "edge-tl[phone]"')
    from heic_file import heic

    left = np.zeros((64, 96, 3), np.uint8)
    left[:, :48] = 200, 40, 40
    assert np.abs(decode(heic(left)).astype(int) - left)[:, 8:-8].mean() < 3
    turned = decode(heic(left, quarters=1))
    assert turned.shape == (96, 64, 3)
    assert turned[80, 32, 0] > 150 > turned[16, 32, 0]
    assert "is damaged" in one_line(heic(left)[:60])


def test_a_sound_is_called_one() -> None:
    """Who gives a sound or a film where a picture is wanted reads that, and not that it is no picture alone."""
    for data in (b"RIFF\0\0\0\0WAVEfmt ", b"\0\0\0\x18ftypM4A " + bytes(99), b"OggS" + bytes(99)):
        assert "is a sound or a video, not a picture" in one_line(data)
