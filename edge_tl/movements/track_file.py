"""A track as a file: an .npz that holds landmarks with their time stamps, or a table (CSV) of a row a frame."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_tl.core.archive import DamagedArchive, packed_arrays, read_arrays
from edge_tl.errors import ExampleError, ShapeError
from edge_tl.files import read_limited
from edge_tl.movements.track import Track, tracks_of
from edge_tl.movements.windows import POINTS, middles, palm_lengths

MAX_BYTES = 50_000_000
"""An hour of one hand at 30 frames a second is 18 MB."""
_LANDMARKS, _TIMES, _ASPECT, _CUT = "landmarks", "times_s", "aspect", "cut"


@dataclass(frozen=True, slots=True)
class Recording:
    """What a file holds."""

    tracks: list[Track]
    """As of `tracks_of`."""
    duration_s: float
    """From its first time stamp to its last one."""
    cut: bool
    """Whether a store wrote it: its one track is an example as it is."""


def packed_track(track: Track) -> bytes:
    """A track as an .npz: landmarks float16 in palm lengths from where the hand was first, times_s from 0.

    What is written so and read again gives the same windows, to what float16 rounds away.
    """
    size = float(np.percentile(palm_lengths(track.landmarks), 80))
    landmarks = (track.landmarks - middles(track.landmarks)[0]) / max(size, 1e-9)
    times = (track.times_s - track.times_s[0]).astype(np.float32)
    return packed_arrays({_LANDMARKS: landmarks.astype(np.float16), _TIMES: times, _CUT: np.array(True)})


def read_recording(file: Path | bytes, name: str = "the file") -> Recording:
    """The tracks in a file, or in the bytes of an .npz, which errors call by `name`.

    .npz: `landmarks` (frames, 21, 2 or 3) of any unit, `times_s` (frames,) in seconds; where they are shares of a
    picture, `aspect`, its width over its height. CSV: a row a frame, its time in seconds, then 42 or 63 numbers (x, y,
    and z, of each point); one line above may name them; empty cells are no hand. ExampleError (one line) for others.
    """
    called = name if isinstance(file, bytes) else str(file)
    try:
        if isinstance(file, Path) and file.suffix.lower() == ".csv":
            landmarks, times = _table(read_limited(file, MAX_BYTES))
            cut = False
        else:
            landmarks, times, cut = _arrays(file)
        tracks = tracks_of(landmarks, times)
    except DamagedArchive as error:
        raise ExampleError(f"{called}: is no .npz of landmarks and times_s ({error})") from None
    except OSError as error:
        raise ExampleError(f"{called} cannot be read ({error.strerror})") from None
    except (ExampleError, ShapeError, ValueError) as error:
        raise ExampleError(f"{called}: {error}") from None
    return Recording(tracks, float(times[-1] - times[0]) if len(times) else 0.0, cut and len(tracks) == 1)


def _arrays(file: Path | bytes) -> tuple[np.ndarray, np.ndarray, bool]:
    """Landmarks and times of an .npz, and whether a store wrote it."""
    arrays = read_arrays(file, MAX_BYTES)
    missing = [name for name in (_LANDMARKS, _TIMES) if name not in arrays]
    if missing:
        held = ", ".join(sorted(arrays)[:5]) or "nothing"
        raise DamagedArchive(f"it holds {held[:100]!a}, and no {' or '.join(missing)}")
    landmarks, times = arrays[_LANDMARKS], arrays[_TIMES]
    if times.dtype.kind not in "fiu" or times.ndim != 1:
        raise ExampleError(f"times_s are {times.dtype} of shape {times.shape}; seconds, one for each frame, are wanted")
    if _ASPECT in arrays:
        aspect = arrays[_ASPECT]
        if aspect.shape or aspect.dtype.kind not in "fiu" or not 0 < float(aspect) < 100:
            raise ExampleError("aspect is no number above 0: the picture's width over its height is wanted")
        if landmarks.dtype.kind in "fiu" and landmarks.ndim >= 3:
            landmarks = landmarks[..., :2] * np.array((float(aspect), 1.0))
    return landmarks, times.astype(np.float64), _CUT in arrays


def _table(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks and times of a CSV."""
    try:
        text = data.decode("utf-8-sig")
        lines = [line for line in csv.reader(io.StringIO(text)) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ExampleError(f"is no table (CSV): {error}") from None
    if ";" in text or "\t" in text:  # as spreadsheets write it where 0,5 is a half
        raise ExampleError("has other separators than commas: 0.5,0.25 is wanted, with points in the numbers")
    if lines and not _number(lines[0][0]):
        lines = lines[1:]
    if not lines:
        raise ExampleError("has no row of numbers: a row for each frame is wanted, its time in seconds first")
    widths = {len(line) for line in lines}
    if not widths <= {1 + 2 * POINTS, 1 + 3 * POINTS} or len(widths) > 1:
        shown = ", ".join(map(str, sorted(widths)[:3]))
        raise ExampleError(
            f"has {shown} columns; the time in seconds and {2 * POINTS} or {3 * POINTS} numbers are wanted: x, y (and "
            f"z) of {POINTS} points"
        )
    try:
        values = np.array([[float(cell) if cell.strip() else np.nan for cell in line] for line in lines])
    except ValueError as error:
        raise ExampleError(f"holds what is no number ({error})") from None
    return values[:, 1:], values[:, 0]


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
