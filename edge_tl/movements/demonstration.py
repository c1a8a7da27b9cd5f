"""What is learned of a demonstration: where in it the movement begins and ends, and windows to teach."""

from __future__ import annotations

import numpy as np

from edge_tl.errors import ExampleError
from edge_tl.movements.spotter import LENGTHS_S, SPEED_S, WindowQueue
from edge_tl.movements.track import Track
from edge_tl.movements.windows import VALUES, Rows, kept, palm_lengths, resampled

VIEWS = 9
"""Windows that are taught of one demonstration; the middle one is all of it."""
SHORTEST_S, LONGEST_S = 0.25, 6.0
"""Of a movement."""
PIECE_S, STEP_S = 3.2, 1.0
"""Of moving about a piece is so long, and begins so much after the one before: the longest window fits into it."""
_CUTS = tuple((start, end) for start in (-0.1, 0.0, 0.1) for end in (0.9, 1.0, 1.1))
# In the stream no window begins and ends exactly where it should; before and after it the hand stands.
_STEP_S = 0.05
STILL = 0.2
"""Of the fastest: slower is before or after the movement."""
MIN_SPEED = 0.4
"""Palm lengths a second; a hand that is held still trembles at about 0.1."""
_MARGIN_S = 0.1
_TURNS, _TURN = 3, 0.5  # so often, and by so much of the largest distance from the middle
_MIN_PATH = 0.3  # of a row's length of 1: below, only the shape changes


def speeds(track: Track) -> tuple[np.ndarray, np.ndarray]:
    """When, (m,) every 0.05 s, and how fast the landmarks move then on average, (m,) in palm lengths a second."""
    half_s = min(SPEED_S, track.duration_s) / 2
    at = np.arange(track.times_s[0] + half_s, track.times_s[-1] - half_s + 1e-9, _STEP_S)
    both = np.concatenate([at - half_s, at + half_s])
    places = resampled(track.landmarks, track.times_s, both, both)[:, 0]
    size = float(np.percentile(palm_lengths(track.landmarks), 80))
    gone = np.linalg.norm(places[len(at) :] - places[: len(at)], axis=2).mean(axis=1)
    return at, np.asarray(gone / (2 * half_s) / max(size, 1e-9))


def movement_in(track: Track) -> Track:
    """The part in which the hand moves: from where it speeds up, or appears, to where it slows down for the last time.

    ExampleError, one line, where it hardly moves, and for what is shorter or longer than a movement.
    """
    at, fast = speeds(track)
    if not len(at) or fast.max() < MIN_SPEED:
        raise ExampleError("the hand hardly moved: press the key, do the movement, and stop")
    moving = np.flatnonzero(fast >= max(STILL * fast.max(), MIN_SPEED / 2))
    start_s, end_s = at[moving[0]] - _MARGIN_S, at[moving[-1]] + _MARGIN_S
    # A hand that comes into view moving has begun its movement outside.
    part = track.part(max(start_s, track.times_s[0]), min(end_s, track.times_s[-1]))
    if not SHORTEST_S <= part.duration_s <= LONGEST_S:
        raise ExampleError(
            f"the hand moves for {part.duration_s:.1f} s; a movement of {SHORTEST_S:g} to {LONGEST_S:g} s is wanted: "
            "one at a time, with the hand still before and after it"
        )
    return part


def taught_windows(movement: Track) -> np.ndarray:
    """What a head learns of a movement: float32 (9, 673), all of it in the middle, more and less around."""
    cuts = movement.times_s[0] + movement.duration_s * np.array(_CUTS)
    windows = resampled(movement.landmarks, movement.times_s, cuts[:, 0], cuts[:, 1])
    return kept(windows, cuts[:, 1] - cuts[:, 0])


def whole_window(movement: Track) -> np.ndarray:
    """All of a movement as one window, float32 (673,)."""
    return taught_windows(movement)[VIEWS // 2]


def ordinary_windows(track: Track, lengths_s: tuple[float, ...] = LENGTHS_S) -> np.ndarray:
    """What a head learns of a hand that does nothing in particular: the windows (N, 673) that would be asked."""
    windows = WindowQueue(lengths_s)
    asked = [windows.push(points, float(time_s)) for points, time_s in zip(track.landmarks, track.times_s, strict=True)]
    values = [one.values for one in asked if one is not None]
    return np.concatenate(values) if values else np.empty((0, VALUES), np.float32)


def ordinary_pieces(track: Track) -> list[Track]:
    """A hand's moving about in pieces of `PIECE_S`, one beginning every `STEP_S`: each becomes an example.

    One that is shorter is a piece itself.
    """
    if track.duration_s <= PIECE_S:
        return [track]
    starts = np.arange(track.times_s[0], track.times_s[-1] - PIECE_S + 1e-6, STEP_S)
    return [track.part(float(start), float(start) + PIECE_S + 1e-6) for start in starts]


def ordinary_views(piece: Track) -> np.ndarray:
    """What a head learns of such a piece: float32 (9, 673), windows of it that would be asked, from early to late.

    Where the hand slows down nowhere in it, all of it.
    """
    asked = ordinary_windows(piece)
    if not len(asked):
        ends = (np.full(VIEWS, at) for at in piece.times_s[[0, -1]])
        return kept(resampled(piece.landmarks, piece.times_s, *ends), np.full(VIEWS, piece.duration_s))
    return asked[np.linspace(0, len(asked) - 1, VIEWS).round().astype(np.int64)]


def repeats(rows: Rows) -> np.ndarray:
    """bool (N,): in which windows the hand goes to and fro, as in a wave: it turns back three times or more."""
    path = rows.moments[:, :, :2]
    # Along the direction in which it goes furthest.
    along = (path @ np.linalg.eigh(path.transpose(0, 2, 1) @ path)[1][:, :, -1:])[:, :, 0]
    least = _TURN * np.abs(along).max(axis=1)
    far = np.abs(along).max(axis=1) > _MIN_PATH
    return far & np.array([_turns(line, by) >= _TURNS for line, by in zip(along, least, strict=True)], bool)


def _turns(line: np.ndarray, least: float) -> int:
    """How often a line (T,) turns back by more than so much."""
    count, direction, furthest = 0, 0, line[0]
    for place in line[1:]:
        if direction * (place - furthest) > 0 or (not direction and abs(place - furthest) > least):
            direction = direction or int(np.sign(place - furthest))
            furthest = place
        elif direction and direction * (furthest - place) > least:
            count, direction, furthest = count + 1, -direction, place
    return count
