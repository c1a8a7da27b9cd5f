"""A camera's buffer → RGB: the pixel formats in which libcamera hands over pictures. Pure functions."""

from __future__ import annotations

import numpy as np

from edge_tl.errors import SourceError, counted

# libcamera names packed formats like DRM does, from the high byte to the low one, so that in memory (little endian)
# they read backwards: "RGB888" lies there as B, G, R. Picamera2's request.py says the same (its PIL modes).
RGB_ORDER, BGR_ORDER = slice(0, 3), slice(2, None, -1)
PACKED = {
    "BGR888": (3, RGB_ORDER),
    "RGB888": (3, BGR_ORDER),
    "XBGR8888": (4, RGB_ORDER),
    "XRGB8888": (4, BGR_ORDER),
}
FORMATS = (*PACKED, "NV12", "YUV420")


def unpack(
    buffer: np.ndarray, pixel_format: str, size_px: tuple[int, int], stride_bytes: int, full_range: bool = False
) -> np.ndarray:
    """One picture out of a camera's buffer, uint8 (height, width, 3) RGB, a new array.

    buffer: uint8 (N,), rows of `stride_bytes` (of the first plane). pixel_format: one of FORMATS, libcamera's names.
    size_px: (width, height). full_range: whether luma spans 0..255 (sYCC, JPEG) instead of 16..235 (SMPTE 170M).
    Raises SourceError for another format or a buffer too small.
    """
    width, height = size_px
    if pixel_format not in FORMATS:
        raise SourceError(f"camera: pixel format {pixel_format}; wanted one of {', '.join(FORMATS)}")
    halves = 2 if pixel_format in PACKED else 3
    if buffer.size < stride_bytes * height * halves // 2:
        raise SourceError(
            f"camera: {counted(buffer.size, 'byte')} for {width}×{height} {pixel_format}; the driver's buffer is short"
        )
    if pixel_format in PACKED:
        depth, order = PACKED[pixel_format]
        rows = buffer[: stride_bytes * height].reshape(height, stride_bytes)[:, : width * depth]
        return rows.reshape(height, width, depth)[..., order].copy()
    luma = buffer[: stride_bytes * height].reshape(height, stride_bytes)[:, :width]
    chroma = buffer[stride_bytes * height : stride_bytes * height * 3 // 2]
    if pixel_format == "NV12":
        pairs = chroma.reshape(height // 2, stride_bytes)[:, :width].reshape(height // 2, width // 2, 2)
        return yuv_to_rgb(luma, pairs[..., 0], pairs[..., 1], full_range)
    planes = chroma.reshape(2, height // 2, stride_bytes // 2)[..., : width // 2]
    return yuv_to_rgb(luma, planes[0], planes[1], full_range)


def yuv_to_rgb(y: np.ndarray, u: np.ndarray, v: np.ndarray, full_range: bool = False) -> np.ndarray:
    """BT.601 YCbCr 4:2:0 → uint8 (height, width, 3) RGB, by the matrix of ITU-R BT.601-7 in 1/32 of a grey level.

    y: uint8 (height, width), even sides. u, v: uint8 (height/2, width/2), each for a square of four pixels.
    """
    # 16 bits hold 32 × (1.164 × 255 + 2.017 × 128) and no more; half the memory traffic of 32.
    gain, chroma_gain, black = (1.0, 1.0, 0) if full_range else (255.0 / 219.0, 255.0 / 224.0, 16)
    luma_table = np.rint((np.arange(256) - black) * gain * 32.0 + 16.0).astype(np.int16)
    offset = (np.arange(256) - 128) * chroma_gain * 32.0
    red = np.rint(offset * 1.402).astype(np.int16)[v]
    green = np.rint(-offset * 0.714136).astype(np.int16)[v] + np.rint(-offset * 0.344136).astype(np.int16)[u]
    blue = np.rint(offset * 1.772).astype(np.int16)[u]
    # Each row and column of colour serves two of luma: a view of luma in squares of four spares enlarging the colour.
    height, width = y.shape
    luma = luma_table[y].reshape(height // 2, 2, width // 2, 2)
    rgb = np.empty((height, width, 3), np.uint8)
    for channel, colour in enumerate((red, green, blue)):
        plane = (luma + colour[:, None, :, None]) >> 5
        rgb[..., channel] = np.clip(plane, 0, 255, out=plane).reshape(height, width)
    return rgb
