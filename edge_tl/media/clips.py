"""A clip, a short film of one thing, as pictures: frames at even distances, a bounded number, each upright."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.errors import ExampleError, counted
from edge_tl.media.containers import one_error, open_container, upright_rgb
from edge_tl.media.image import MAX_PIXELS, thumbnail

FRAMES_A_SECOND = 3
"""So many are taken of a second: more look like those beside them."""
MAX_FRAMES = 30
"""So many are taken of a clip, however long it is."""
MAX_SIDE_PX = 1280
"""Larger frames are made smaller at once: thirty of a telephone's largest would be 750 MB."""
_NEAR_S = 2.0
"""A frame that is no farther ahead is reached by decoding all between; films have a place to begin every second."""


def clip_frames(source: Path | bytes, name: str = "the clip") -> list[np.ndarray]:
    """Frames of a film, in their order: uint8 (height_px, width_px, 3) RGB, upright, a side at most 1280 pixels.

    source: a path, or the file's bytes, which errors call by `name`. Of each part of the film, all equally long, the
    middle: 3 a second, 1 at least and 30 at most. ExampleError (one line) for what is no film or damaged.
    """
    name = name if isinstance(source, bytes) else str(source)
    length_s = _length_s(source, name)
    count = min(MAX_FRAMES, max(1, int(FRAMES_A_SECOND * length_s)))
    with open_container(source, name) as container:
        times = [(number + 0.5) * length_s / count for number in range(count)]
        frames = [_picture(frame) for frame in _frames_at(container, times, name)]
    if not frames:
        raise ExampleError(f"{name}: holds no picture that can be decoded; record or copy it again")
    return frames


def _length_s(source: Path | bytes, name: str) -> float:
    """How long the pictures go on by their packets, of which none is decoded."""
    with open_container(source, name) as container:
        if not container.streams.video:
            raise ExampleError(f"{name}: holds no pictures, only sound")
        stream = container.streams.video[0]
        if stream.width * stream.height > MAX_PIXELS:
            most = counted(MAX_PIXELS // 10**6, "million pixel")
            raise ExampleError(f"{name}: is {stream.width}×{stream.height} pixels; at most {most} are read")
        times = [packet.pts for packet in container.demux(stream) if packet.pts is not None]
        first = stream.start_time or 0
        return float((max(times, default=first) - first) * stream.time_base)


def _frames_at(container: Any, times_s: list[float], name: str) -> Iterator[Any]:
    """The first frame at or after each of these times since the first; each frame once."""
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    start_s = float((stream.start_time or 0) * stream.time_base)
    at_s, last = -1.0, None
    with one_error(name):
        decoded = container.decode(stream)
        for time_s in times_s:
            if time_s - at_s > _NEAR_S:
                container.seek(int((start_s + time_s) / stream.time_base), stream=stream)
                decoded = container.decode(stream)
            for frame in decoded:
                last, at_s = frame, (frame.time or 0.0) - start_s
                if at_s >= time_s:
                    yield frame
                    last = None
                    break
            else:
                break
    if last is not None:  # the film ends before its header says
        yield last


def _picture(frame: Any) -> np.ndarray:
    picture = upright_rgb(frame)
    return thumbnail(picture, MAX_SIDE_PX) if max(picture.shape[:2]) > MAX_SIDE_PX else picture
