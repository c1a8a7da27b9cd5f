"""How one example lies on disk: its picture as a small JPEG, its sound as a WAV file."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np

from edge_tl.media import image
from edge_tl.media.sound import Sound, read_sound
from edge_tl.media.tfjsscds import SpokenExample, read_tfjsscds, write_tfjsscds
from edge_tl.media.wav import encode_wav
from edge_tl.movements.track import Track, longest
from edge_tl.movements.track_file import packed_track, read_recording

JPEG, WAV, TFJSSCDS = "image/jpeg", "audio/wav", "application/x-tfjsscds"
TRACK = "application/x-edge-tl-track"
"""The media types of what is kept."""
MAX_SIDE_PX = 640
"""Larger pictures are thumbnailed: every embedder sees at most a few hundred pixels, and SD cards are small."""
_MAX_KEPT_BYTES = 1_000_000  # a JPEG of 640×640 px above this is metadata, or something else behind the picture


class StoredMedia(NamedTuple):
    """A file as the store keeps it."""

    media_type: str
    data: bytes

    @property
    def check_sum(self) -> int:
        """The CRC-32 that is stored beside it."""
        return zlib.crc32(self.data)


Media = np.ndarray | bytes | Sound | SpokenExample | Track | StoredMedia


def stored_media(media: Media) -> StoredMedia:
    """A picture (as in `stored_jpeg`) or a sound as the store keeps it; what is `Kept` is that already.

    A hand's track becomes an .npz of landmarks and times, a sound a WAV file of 16 bits at its own rate
    (MissingDependency where soundfile is not installed), an example of a browser's data set a data set of its own, so
    that nothing of it is lost.
    """
    if isinstance(media, StoredMedia):
        return media
    if isinstance(media, Track):
        return StoredMedia(TRACK, packed_track(media))
    if isinstance(media, SpokenExample):
        return StoredMedia(TFJSSCDS, write_tfjsscds([media]))
    if isinstance(media, Sound):
        return StoredMedia(WAV, encode_wav(media.samples, media.rate_hz))
    return StoredMedia(JPEG, stored_jpeg(media))


def stored_sound(kind: str, media: bytes) -> Sound | None:
    """The sound in a stored file of this media type; None where it holds none: a picture, or a spectrogram alone."""
    if kind == WAV:
        return read_sound(media)
    if kind != TFJSSCDS:
        return None
    (spoken,) = read_tfjsscds(media)
    if spoken.samples is None or spoken.rate_hz is None:
        return None
    return Sound(np.clip(spoken.samples, -1.0, 1.0), spoken.rate_hz)


def stored_track(media: bytes) -> Track:
    """The track in a stored file; ExampleError where it holds none."""
    return longest(read_recording(media, "what was kept").tracks)


def stored_jpeg(picture: np.ndarray | bytes) -> bytes:
    """The picture as the store keeps it: a JPEG, at most 640 px a side.

    picture: uint8 (height_px, width_px, 3) RGB, or the bytes of a picture file. A JPEG file that is small enough and
    not turned by EXIF is kept byte for byte; anything else is decoded, thumbnailed and encoded. Raises ExampleError for
    bytes that are no picture, ShapeError for an array that is none.
    """
    if isinstance(picture, bytes):
        decoded = image.decode(picture)  # also of one kept as it is: a truncated picture must not become an example
        if max(decoded.shape[:2]) <= MAX_SIDE_PX and len(picture) <= _MAX_KEPT_BYTES and _is_upright_jpeg(picture):
            return picture
        picture = decoded
    if max(picture.shape[:2]) > MAX_SIDE_PX:
        picture = image.thumbnail(picture, MAX_SIDE_PX)
    return image.encode_jpeg(picture)


def _is_upright_jpeg(data: bytes) -> bool:
    """Whether the bytes are a JPEG that no EXIF or XMP orientation turns (ITU T.81 annex B: markers and segments)."""
    if data[:3] != b"\xff\xd8\xff":
        return False
    at = 2
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:  # start of scan: the metadata is over
            return True
        segment = data[at + 4 : at + 2 + length]
        if marker == 0xE1 and _turns(segment):
            return False
        at += 2 + length
    return False  # an unusual structure that Pillow still read: encode it anew


def _turns(segment: bytes) -> bool:
    """Whether an APP1 segment may turn the picture: EXIF 2.3 tag 0x0112 other than 1, or any XMP orientation."""
    if segment[:6] != b"Exif\0\0":
        return b"Orientation" in segment
    tiff = segment[6:]
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    try:
        if order is None:
            return True
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(entries):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, start + 2 + 12 * entry)
            if tag == 0x0112:
                return bool(value != 1)
    except struct.error:
        return True  # damaged metadata: encode anew, as Pillow saw it
    return False
