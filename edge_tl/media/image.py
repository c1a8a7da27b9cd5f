"""Pictures: any file → RGB → what the model wants to see. Pure functions, and the home of Pillow.

Pillow is imported on first use, because a picture that already has the model's size does not need it.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_tl.errors import ExampleError, ShapeError, counted
from edge_tl.media.containers import container_of
from edge_tl.media.heic import is_heic, register_heic, unread_heic

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 50_000_000
"""Above this a file is taken for a decompression bomb; a Pi camera takes 12 million, and 50 are 150 MB of RGB."""
MAX_JPEG_PIXELS = 178_000_000
"""A JPEG of up to so many is decoded at a half or a quarter where it has more than the above: telephones take 108."""
MAX_ASPECT = 50
"""A strip longer than this times its width shows nothing once it is square."""
_EXIF, _TAKEN, _CHANGED = 0x8769, 0x9003, 0x0132
"""Tags: the camera's part of the metadata, when it took the picture, when the file was made."""


def check_picture(picture: np.ndarray) -> None:
    """ShapeError unless the array is uint8 (height_px, width_px, 3) with at least one pixel."""
    if not isinstance(picture, np.ndarray):
        raise ShapeError(f"got a {type(picture).__name__}; a NumPy picture uint8 (height, width, 3) is wanted")
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
        raise ShapeError(f"got {picture.dtype} {picture.shape}; a picture uint8 (height, width, 3) RGB is wanted")


def decode(data: bytes | Path, name: str = "the picture") -> np.ndarray:
    """A picture file as uint8 (height_px, width_px, 3) RGB, upright.

    `data`: a path, or the bytes of a JPEG, PNG or anything else that Pillow reads; of an animation the first picture.
    HEIC is read where pi-heif is installed.
    `name`: what errors call bytes; a path is called by itself.
    EXIF rotation is applied; grey, palette, CMYK and 16-bit become RGB; what is transparent lies on white.
    A JPEG of more than 50 million pixels is decoded at a fraction that has no more: nobody looks that closely.
    ExampleError (one line) for what is no picture, is damaged or truncated, has more pixels otherwise, a single one, or
    a side more than 50 times the other.
    """
    from PIL import Image, UnidentifiedImageError

    if not isinstance(data, bytes):
        name = str(data)
        try:
            if Path(data).is_char_device() or Path(data).is_block_device():  # /dev/zero never ends
                raise ExampleError(f"{name}: is a device; a picture file is wanted")
            data = Path(data).read_bytes()
        except OSError as error:
            raise ExampleError(f"{name}: cannot be read ({error.strerror}); a picture file is wanted") from error
    try:
        with _opened(data) as image:
            _draft(image)
            _check_size(name, *image.size)
            image.load()
            return _rgb(_upright(image))
    except ExampleError:
        raise
    except UnidentifiedImageError:
        if is_heic(data):
            raise ExampleError(f"{name}: {unread_heic()}") from None
        if container_of(data[:16]) or data[8:12] == b"WAVE":
            raise ExampleError(f"{name}: is a sound or a video, not a picture; a JPEG or PNG file is wanted") from None
        raise ExampleError(
            f"{name}: is no picture ({counted(len(data), 'byte')}); a JPEG or PNG file is wanted"
        ) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ExampleError(f"{name}: is too large; at most {MAX_PIXELS // 10**6} million pixels are read") from None
    except Exception as error:  # Pillow's parsers raise OSError, SyntaxError, struct.error, IndexError … on damage
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ExampleError(f"{name}: is damaged ({reason}); copy or take it again") from error


def grey_square(data: bytes, side_px: int) -> np.ndarray:
    """A picture file as a small grey square uint8 (side_px, side_px), whatever its shape: how one looks from afar.

    A JPEG is decoded no larger than it needs to be: 0.5 ms each. ExampleError for a file that cannot be read.
    """
    from PIL import Image

    try:
        with _opened(data) as image:
            _draft(image)
            _check_size("the picture", *image.size)
            image.draft("L", (4 * side_px, 4 * side_px))
            return np.asarray(image.convert("L").resize((side_px, side_px), Image.Resampling.BILINEAR))
    except Exception as error:  # as in `decode`
        raise ExampleError(f"the picture: is damaged ({' '.join(str(error).split())})") from error


def taken_s(data: bytes) -> float | None:
    """When a camera took a picture file by its EXIF, in seconds of the camera's own clock; None where it does not say.

    Only differences of such times count: no camera tells its time zone.
    """
    try:
        with _opened(data) as image:
            exif = image.getexif()
            told = exif.get_ifd(_EXIF).get(_TAKEN) or exif.get(_CHANGED)
        return datetime.strptime(str(told), "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except Exception:  # as in `decode`, and dates that are none: a picture without a time is as good
        return None


def encode_jpeg(picture: np.ndarray, quality: int = 90) -> bytes:
    """A picture uint8 (height_px, width_px, 3) as a JPEG file; `quality` 1..95; ShapeError for another array."""
    image = _image(picture)
    out = io.BytesIO()
    image.save(out, format="JPEG", quality=quality)
    return out.getvalue()


def save_png(path: Path, picture: np.ndarray) -> None:
    """Write a picture uint8 (height_px, width_px, 3) as a PNG file, without loss; ShapeError for another array."""
    _image(picture).save(path, format="PNG")


def fit(picture: np.ndarray, size: tuple[int, int], resize: str = "crop") -> np.ndarray:
    """A picture brought to a model's size: uint8 (height_px, width_px, 3).

    `picture`: uint8 (any height, any width, 3). `size`: (height_px, width_px). `resize`: `crop` takes the largest
    centred part of the wanted aspect (of a square model: the centre square), `stretch` all of it, `letterbox` all of
    it with its aspect kept and black borders. Bilinear with antialiasing. A picture of this size already is returned
    itself, not copied. ShapeError for an array that is no picture.
    """
    check_picture(picture)
    height, width = size
    if picture.shape[:2] == (height, width):
        return picture
    rows, columns = picture.shape[:2]
    if resize == "crop":
        # Both sides shrink by the same factor, so one of them stays whole; never below one pixel.
        crop_rows = min(rows, max(1, round(columns * height / width)))
        crop_columns = min(columns, max(1, round(rows * width / height)))
        top, left = (rows - crop_rows) // 2, (columns - crop_columns) // 2
        return _resized(picture[top : top + crop_rows, left : left + crop_columns], height, width)
    if resize == "stretch":
        return _resized(picture, height, width)
    if resize == "letterbox":
        inner, top, left = letterbox((rows, columns), size)
        boxed = np.zeros((height, width, 3), np.uint8)
        boxed[top : top + inner[0], left : left + inner[1]] = _resized(picture, *inner)
        return boxed
    raise ShapeError(f"resize is {resize!r}; one of crop, stretch, letterbox is wanted")


def letterbox(shape: tuple[int, ...], size: tuple[int, int]) -> tuple[tuple[int, int], int, int]:
    """Where `fit` puts a picture whose aspect it keeps: its (height_px, width_px) there, the top row, the left column.

    `shape`: of the picture, (rows, columns). `size`: (height_px, width_px) with the borders.
    """
    (rows, columns), (height, width) = shape, size
    factor = min(height / rows, width / columns)
    inner = min(height, max(1, round(rows * factor))), min(width, max(1, round(columns * factor)))
    return inner, (height - inner[0]) // 2, (width - inner[1]) // 2


def cut_out(picture: np.ndarray, window: Sequence[float], size: tuple[int, int]) -> np.ndarray:
    """A part of a picture as one of its own: uint8 (height_px, width_px, 3), black where it reaches beyond the border.

    `window`: left, top, right, bottom in the picture's pixels. `size`: (height_px, width_px); the part is stretched to
    it, bilinear with antialiasing. ShapeError for an array that is no picture.
    """
    check_picture(picture)
    height, width = size
    left, top, right, bottom = window
    scale_x, scale_y = width / (right - left), height / (bottom - top)
    rows, columns = picture.shape[:2]
    x0, x1 = max(0, math.floor(left)), min(columns, math.ceil(right))
    y0, y1 = max(0, math.floor(top)), min(rows, math.ceil(bottom))
    made = np.zeros((height, width, 3), np.uint8)
    # Where the visible part lies in the new picture, in whole pixels.
    u0, u1 = max(0, round((x0 - left) * scale_x)), min(width, round((x1 - left) * scale_x))
    v0, v1 = max(0, round((y0 - top) * scale_y)), min(height, round((y1 - top) * scale_y))
    if x0 < x1 and y0 < y1 and u0 < u1 and v0 < v1:
        made[v0:v1, u0:u1] = _resized(picture[y0:y1, x0:x1], v1 - v0, u1 - u0)
    return made


def warp(picture: np.ndarray, affine: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Any parallelogram of a picture as a picture of its own: uint8 (height_px, width_px, 3).

    `affine`: (2, 3), from (x, y, 1) in the new picture to x and y in the old one; both are in pixels, the first of
    which covers 0 to 1. `size`: (height_px, width_px). Bilinear, without antialiasing; black beyond the border.
    ShapeError for an array that is no picture.
    """
    from PIL import Image

    height, width = size
    values = tuple(float(value) for value in np.asarray(affine, np.float64).reshape(6))
    warped = _image(picture).transform((width, height), Image.Transform.AFFINE, values, Image.Resampling.BILINEAR)
    return np.array(warped)


def marked(
    picture: np.ndarray,
    outlines: Sequence[np.ndarray],
    points: Sequence[np.ndarray],
    line: tuple[int, int, int] = (95, 215, 95),
    dot: tuple[int, int, int] = (255, 215, 0),
) -> np.ndarray:
    """A copy of a picture uint8 (height_px, width_px, 3) with lines around what was found, and dots on its points.

    `outlines`: each (K, 2), corners in turn. `points`: each (N, 2). Pixels, x and y; what lies outside is left out.
    `line`, `dot`: RGB. Lines and dots are one pixel wide: meant for the small pictures of a screen.
    """
    from PIL import ImageDraw

    image = _image(picture)
    draw = ImageDraw.Draw(image)
    for outline in outlines:
        corners = [(float(x) - 0.5, float(y) - 0.5) for x, y in outline]
        draw.line([*corners, corners[0]], fill=line)
    drawn = np.array(image)
    for group in points:
        places = np.floor(group).astype(np.int64)
        inside = ((places >= 0) & (places < (drawn.shape[1], drawn.shape[0]))).all(axis=1)
        drawn[places[inside, 1], places[inside, 0]] = dot
    return drawn


def boxed(
    picture: np.ndarray, things: Sequence[tuple[tuple[float, float, float, float], str, tuple[int, int, int]]]
) -> np.ndarray:
    """A copy of a picture uint8 (height_px, width_px, 3) with a frame around each thing, and words on it.

    things: (left, top, right, bottom) in pixels, the words (may be empty), an RGB colour; the first lies on top. Lines
    are as wide as the picture is large.
    """
    from PIL import Image, ImageDraw, ImageFont

    image = _image(picture)
    wide = max(1, round(min(image.size) / 160))
    font = ImageFont.load_default()
    for box, words, colour in reversed(things):
        draw = ImageDraw.Draw(image)
        left, top, right, bottom = np.clip(box, -1, (*image.size, *image.size)).round().astype(int).tolist()
        draw.rectangle((left, top, max(left, right), max(top, bottom)), outline=colour, width=wide)
        if not words:
            continue
        # Pillow's own font knows Latin letters only: what it lacks is shown as a question mark.
        words = words.encode("latin-1", "replace").decode("latin-1")
        ends = font.getbbox(words)
        size = int(ends[2]) + 4, int(ends[3]) + 3
        label = Image.new("RGB", size, colour)
        dark = sum(np.array(colour) * (299, 587, 114)) > 128_000
        ImageDraw.Draw(label).text((2, 1), words, fill="black" if dark else "white", font=font)
        factor = max(1, round(min(image.size) / 300))
        label = label.resize((size[0] * factor, size[1] * factor), Image.Resampling.NEAREST)
        # Above the frame where there is room, else inside.
        image.paste(label, (max(0, left), top - label.height if top >= label.height else max(0, top)))
    return np.array(image)


def drawn(
    shape: tuple[int, int],
    lines: Sequence[tuple[Sequence[tuple[float, float]], str, bool]],
    words: Sequence[tuple[tuple[float, float], str, str, str]],
    scale: float,
) -> np.ndarray:
    """A white picture uint8 (height_px, width_px, 3) with lines and words on it; `shape` is its height and width.

    lines: (points, colour, dashed). words: (where the text's line stands, text, "start", "middle" or "end" there,
    colour). Points are (x, y) times `scale`; colours as "#rrggbb".
    """
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (shape[1], shape[0]), "white")
    draw = ImageDraw.Draw(picture)
    for points, colour, dashed in lines:
        scaled = [(scale * x, scale * y) for x, y in points]
        if dashed:  # Pillow has no dashes of its own
            x, y = np.array(scaled).T
            along = np.append(0, np.hypot(np.diff(x), np.diff(y)).cumsum())
            steps = max(2, int(along[-1] / (7 * scale)))
            at = np.arange(0, steps, 0.5) * along[-1] / steps
            ends = list(zip(np.interp(at, along, x), np.interp(at, along, y), strict=True))
            for start, end in zip(ends[::2], ends[1::2], strict=True):
                draw.line([start, end], fill=colour, width=round(scale))
        else:
            draw.line(scaled, fill=colour, width=round(1.4 * scale), joint="curve")
    font = ImageFont.load_default()
    for (x, y), text, anchor, colour in words:
        # The default font of old and new Pillows alike: drawn small and enlarged, so that it keeps its place.
        left, above, right, below = font.getbbox(text)
        small = Image.new("L", (int(right - left) + 1, int(below - above) + 1))
        ImageDraw.Draw(small).text((-left, -above), text, fill=255, font=font)
        mask = small.resize((round(small.width * scale), round(small.height * scale)), Image.Resampling.BICUBIC)
        before = {"start": 0, "middle": mask.width // 2, "end": mask.width}[anchor]
        corner = round(scale * x) - before, round(scale * y) - mask.height
        picture.paste(Image.new("RGB", mask.size, colour), corner, mask)
    return np.asarray(picture)


def thumbnail(picture: np.ndarray, max_side_px: int) -> np.ndarray:
    """The picture with its aspect kept and its longer side at most `max_side_px`: uint8 (height_px, width_px, 3)."""
    check_picture(picture)
    rows, columns = picture.shape[:2]
    factor = min(1.0, max_side_px / max(rows, columns))
    return _resized(picture, max(1, round(rows * factor)), max(1, round(columns * factor)))


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """A picture file as Pillow opens it, nothing decoded yet; Pillow's errors for what is none or too large."""
    from PIL import Image

    if is_heic(data):
        register_heic()
    # Pillow warns of odd metadata, which is nobody's concern here, and of bombs, which is.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Opening decodes nothing; `_check_size` is stricter than Pillow's own limit, except for what is drafted.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(data)) as image:
            yield image


def _image(picture: np.ndarray) -> Image.Image:
    """A picture as Pillow holds it."""
    from PIL import Image

    check_picture(picture)
    return Image.fromarray(np.ascontiguousarray(picture))


def _resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """All of a picture brought to another size."""
    from PIL import Image

    image = _image(picture).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.array(image)


def _draft(image: Image.Image) -> None:
    """Let a JPEG larger than what is read be decoded at a fraction; no progressive one, which lies in memory whole."""
    (width, height), part = image.size, 1
    if image.format not in ("JPEG", "MPO") or width * height > MAX_JPEG_PIXELS or "progressive" in image.info:
        return
    while width * height > part * part * MAX_PIXELS:
        part *= 2
    if part > 1:
        # Rounded up, an odd side would be decoded whole.
        image.draft("RGB", (width // part, height // part))


def _check_size(name: str, width: int, height: int) -> None:
    """ExampleError for a picture too large to decode or of a shape in which nothing can be seen."""
    if width * height > MAX_PIXELS:
        most = f"{MAX_PIXELS // 10**6} million pixels are read"
        raise ExampleError(f"{name}: is {width}×{height} pixels; at most {most}: make it smaller")
    if width * height == 1:
        raise ExampleError(f"{name}: is a single pixel; a picture in which something can be seen is wanted")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ExampleError(
            f"{name}: is {width}×{height} pixels; a side at most {MAX_ASPECT} times the other is wanted: crop it"
        )


def _upright(image: Image.Image) -> Image.Image:
    """The picture turned as its EXIF orientation says."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image) or image
    except Exception:  # damaged metadata around good pixels: the pixels count
        return image


def _rgb(image: Image.Image) -> np.ndarray:
    """A loaded picture of any mode as uint8 (height_px, width_px, 3)."""
    from PIL import Image

    if image.mode == "I" or image.mode.startswith("I;16"):
        grey: np.ndarray[Any, Any] = np.asarray(image).astype(np.int64)
        if grey.min() < 0 or grey.max() > 0xFFFF:
            raise ValueError(f"grey values {grey.min()} to {grey.max()}, 0 to 65535 are read")
        return np.repeat(((grey * 255 + 0x7FFF) // 0xFFFF).astype(np.uint8)[..., None], 3, axis=2)
    if image.mode == "F":
        raise ValueError("floating-point pixels have no agreed range")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return np.array(image.convert("RGB"))
