"""A track in a file: what is kept is what was seen, and anything else in its place is one clear line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_movements import performed, rest

from edge_tl.core.archive import packed_arrays
from edge_tl.errors import ExampleError
from edge_tl.movements.demonstration import PIECE_S, STEP_S, VIEWS, ordinary_pieces, ordinary_views, whole_window
from edge_tl.movements.track_file import packed_track, read_recording
from edge_tl.movements.windows import VALUES
from edge_tl.store.media import TRACK, stored_media, stored_track


def test_what_is_kept_gives_the_same_window() -> None:
    """Kept in float16 and read again, a track gives its window to a hundredth of a palm, and the same bytes."""
    track = performed("circle", 3)
    kept = stored_media(track)
    assert kept.media_type == TRACK
    again = stored_track(kept.data)
    np.testing.assert_allclose(whole_window(again), whole_window(track), atol=0.01)
    np.testing.assert_allclose(again.times_s, track.times_s - track.times_s[0], atol=1e-6)
    assert packed_track(track) == kept.data
    assert read_recording(kept.data).cut


def test_shares_of_a_picture_are_brought_to_one_unit() -> None:
    """With `aspect`, x and y in shares of a picture of 4:3 are what they are in pixels."""
    track = performed("left", 0)
    shares = track.landmarks / np.array((640, 480))
    file = packed_arrays({"landmarks": shares, "times_s": track.times_s, "aspect": np.array(640 / 480)})
    (found,) = read_recording(file).tracks
    np.testing.assert_allclose(whole_window(found), whole_window(track), atol=1e-4)


def test_a_table_is_read_with_and_without_names_and_depth(tmp_path: Path) -> None:
    """42 or 63 numbers after the time, a line of names or none, and empty cells for no hand."""
    track = performed("left", 0)
    rows = np.column_stack([track.times_s, track.landmarks.reshape(len(track.times_s), -1)])
    deep = np.concatenate([track.landmarks, np.ones((len(rows), 21, 1))], axis=2).reshape(len(rows), -1)
    for name, table, head in (("a", rows, ""), ("b", rows, "t,x"), ("c", np.column_stack([track.times_s, deep]), "t")):
        path = tmp_path / f"{name}.csv"
        np.savetxt(path, table, delimiter=",", header=head, comments="")
        lines = path.read_text().splitlines()
        lines[5 + bool(head)] = lines[5 + bool(head)].split(",")[0] + "," * (table.shape[1] - 1)
        path.write_text("\n".join(lines))
        (found,) = read_recording(path).tracks
        assert len(found.times_s) == len(rows) - 1
        np.testing.assert_allclose(found.landmarks[0], track.landmarks[0], rtol=1e-5)


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_one_line(data: bytes) -> None:
    """Whatever the bytes are: they are no track, and one line says so."""
    with pytest.raises(ExampleError) as caught:
        read_recording(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "arrays",
    [
        {"landmarks": np.zeros((3, 21, 2)), "times_s": np.zeros((3, 2))},
        {"landmarks": np.zeros((3, 21, 2)), "times_s": np.array(["a", "b", "c"])},
        {"landmarks": np.array(["a", "b", "c"]), "times_s": np.arange(3.0)},
        {"landmarks": np.zeros((3, 21, 2)), "times_s": np.arange(3.0), "aspect": np.array(0)},
        {"landmarks": np.zeros((3, 21, 2)), "times_s": np.arange(3.0), "aspect": np.arange(2)},
    ],
    ids=["times of two", "times of text", "landmarks of text", "aspect 0", "aspects"],
)
def test_arrays_of_other_kinds_are_refused(arrays: dict[str, np.ndarray]) -> None:
    """Arrays that cannot be meant are told in one line that names the file."""
    with pytest.raises(ExampleError, match=r"^clip: .*wanted"):
        read_recording(packed_arrays(arrays), "clip")


def test_moving_about_is_cut_into_pieces() -> None:
    """A minute is a piece a second, each with three windows; what is shorter than a piece is one."""
    pieces = ordinary_pieces(rest(0, 60))
    assert len(pieces) == pytest.approx((60 - PIECE_S) / STEP_S, abs=1.5)
    assert all(ordinary_views(piece).shape == (VIEWS, VALUES) for piece in pieces[:5])
    assert len(ordinary_pieces(rest(0, 2))) == 1
