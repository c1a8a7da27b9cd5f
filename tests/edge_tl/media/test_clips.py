"""A clip becomes pictures: frames at even distances, upright, so many and no more."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from phone_files import film, sound_file

from edge_tl.errors import ExampleError
from edge_tl.media.clips import MAX_FRAMES, clip_frames


def greys(count: int) -> list[np.ndarray]:
    """Pictures that become lighter one by one, from 20 to 220."""
    return [np.full((48, 64, 3), 20 + 200 * number // max(count - 1, 1), np.uint8) for number in range(count)]


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_frames_are_taken_at_even_distances(kind: str, tmp_path: Path) -> None:
    """Of two seconds six frames, from the first to the last part, equally far apart; from a file as from bytes."""
    data = film(greys(20), kind=kind)
    (tmp_path / "clip").write_bytes(data)
    for source in (data, tmp_path / "clip"):
        levels = [frame.mean() for frame in clip_frames(source)]
        assert len(levels) in (5, 6)
        steps = np.diff(levels)
        assert (steps > 0).all()
        assert steps.max() < 2 * steps.min()
        assert levels[0] < 70
        assert levels[-1] > 170


def test_a_long_clip_gives_no_more(tmp_path: Path) -> None:
    """Of a minute thirty frames, from all of it, found without decoding everything between."""
    levels = [frame.mean() for frame in clip_frames(film(greys(120), fps=2))]
    assert len(levels) == MAX_FRAMES
    assert levels[0] < 30
    assert levels[-1] > 210
    assert (np.diff(levels) > 0).all()


def test_a_single_frame_is_a_picture() -> None:
    """A clip of one frame gives it."""
    assert [round(frame.mean()) for frame in clip_frames(film(greys(1)))] == [pytest.approx(20, abs=4)]


def test_what_is_no_clip_is_one_line() -> None:
    """A sound, half a film and something else are each refused in a line."""
    data = film(greys(20))
    for source, said in (
        (sound_file("m4a", np.zeros(16_000, np.float32), 16_000), "holds no pictures, only sound"),
        (data[: len(data) // 2], "is damaged"),
        (io.BytesIO(b"GIF89a" + bytes(50)).getvalue(), "not a known kind of video or sound"),
    ):
        with pytest.raises(ExampleError, match=said) as caught:
            clip_frames(source)
        assert "\n" not in str(caught.value)
