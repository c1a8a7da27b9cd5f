"""What a tracker gives becomes tracks, or one clear line; and where in a demonstration the movement is."""

from __future__ import annotations

import numpy as np
import pytest
from made_movements import HAND, performed, rest

from edge_tl.errors import ExampleError, ShapeError
from edge_tl.movements.demonstration import VIEWS, movement_in, ordinary_windows, repeats, taught_windows, whole_window
from edge_tl.movements.track import Track, longest, tracks_of
from edge_tl.movements.windows import VALUES, rows_of


@pytest.mark.parametrize("shape", [(21, 2), (21, 3), (42,), (63,)], ids=str)
def test_landmarks_come_flat_or_not_with_depth_or_without(shape: tuple[int, ...]) -> None:
    """x and y of 21 points are taken from rows of 42 or 63 numbers too; depth is left out."""
    track = performed("left", 0)
    values = shape[-1] if len(shape) == 2 else shape[0] // 21
    full = np.concatenate([track.landmarks, np.full((len(track.times_s), 21, 1), 7)], axis=2)[..., :values]
    (found,) = tracks_of(full.reshape(len(full), *shape), track.times_s)
    np.testing.assert_array_equal(found.landmarks, track.landmarks)


def test_a_lost_hand_is_bridged_for_a_moment_and_ends_the_track_after_it() -> None:
    """Rows of zeros and of NaN are no hand: 0.2 s of them are bridged, 0.5 s begin another track."""
    track = performed("left", 0)
    landmarks = track.landmarks.copy()
    landmarks[5:10] = 0
    landmarks[20:36] = np.nan
    first, second = tracks_of(landmarks, track.times_s)
    assert (len(first.times_s), len(second.times_s)) == (15, len(track.times_s) - 36)
    assert longest([first, second]) == max((first, second), key=lambda one: one.duration_s)


def test_of_two_hands_the_one_that_is_there_most_is_taken() -> None:
    """Landmarks of two hands side by side give the track of the one that is seen in more frames."""
    track = performed("left", 0)
    both = np.stack([np.zeros_like(track.landmarks), track.landmarks], axis=1)
    both[3:6, 0] = HAND
    (found,) = tracks_of(both, track.times_s)
    np.testing.assert_array_equal(found.landmarks, track.landmarks)


def test_time_stamps_that_stand_or_run_back_are_passed_over_or_refused() -> None:
    """A few frames that come no later are left out; where most do, one line says so."""
    track = performed("left", 0)
    times = track.times_s.copy()
    times[10] = times[9]
    times[20] = times[15]
    (found,) = tracks_of(track.landmarks, times)
    assert len(found.times_s) == len(times) - 2
    assert (np.diff(found.times_s) > 0).all()
    for wrong in (np.zeros(len(times)), times[::-1]):
        with pytest.raises(ExampleError, match=r"stand still or run back: rising seconds"):
            tracks_of(track.landmarks, wrong)


@pytest.mark.parametrize("wrong", ["words", "shape", "joints", "times", "nan times", "milliseconds"])
def test_what_is_no_track_is_one_line(wrong: str) -> None:
    """Text, other shapes, another number of joints, and times that are none are refused in one line."""
    track = performed("left", 0)
    landmarks: np.ndarray = track.landmarks
    times = track.times_s
    if wrong == "words":
        landmarks = np.full(len(times), "left")
    elif wrong == "shape":
        landmarks = landmarks[0]
    elif wrong == "joints":
        landmarks = np.concatenate([landmarks, landmarks[:, :1]], axis=1)
    elif wrong == "times":
        times = times[:-1]
    elif wrong == "nan times":
        times = np.append(times[:-1], np.nan)
    else:
        times = 1e6 * times
    with pytest.raises((ExampleError, ShapeError)) as caught:
        tracks_of(landmarks, times)
    assert "\n" not in str(caught.value)
    assert "wanted" in str(caught.value)


def test_another_order_of_points_is_seen() -> None:
    """Joints sorted by their place in the finger, as other trackers have them, are refused and not learned."""
    track = performed("left", 0)
    by_joint = [0] + [1 + 4 * finger + joint for joint in range(4) for finger in range(5)]
    with pytest.raises(ExampleError, match="another order than MediaPipe's"):
        tracks_of(track.landmarks[:, by_joint], track.times_s)


def test_one_frame_is_no_track() -> None:
    """A clip of one frame, or without a hand, has no track, and asking for the longest says what to do."""
    track = performed("left", 0)
    assert tracks_of(track.landmarks[:1], track.times_s[:1]) == []
    assert tracks_of(np.zeros((0, 21, 2)), np.zeros(0)) == []
    with pytest.raises(ExampleError, match="show one"):
        longest([])


@pytest.mark.parametrize("label", ["left", "circle", "wave"])
def test_begin_and_end_are_found(label: str) -> None:
    """Of 0.6 s of rest, a movement and 0.6 s of rest, the movement is found to within 0.25 s."""
    for seed in range(5):
        track = performed(label, seed, rest_s=0.6)
        part = movement_in(track)
        assert part.times_s[0] == pytest.approx(0.6, abs=0.25)
        assert part.times_s[-1] == pytest.approx(track.times_s[-1] - 0.6, abs=0.25)


def test_what_is_no_demonstration_is_one_line() -> None:
    """A hand that rests, two frames, and ten minutes of moving about are each told in a line."""
    still = performed("left", 0)
    still = Track(np.repeat(still.landmarks[:1], len(still.times_s), axis=0), still.times_s)
    for track in (still, Track(still.landmarks[:2], still.times_s[:2])):
        with pytest.raises(ExampleError, match="hardly moved"):
            movement_in(track)
    with pytest.raises(ExampleError, match="one at a time"):
        movement_in(rest(0, 600))


def test_a_demonstration_is_taught_whole_and_cut() -> None:
    """Nine windows of it are taught, all of it in the middle; moving about gives as many as would be asked."""
    movement = movement_in(performed("left", 0))
    views = taught_windows(movement)
    assert views.shape == (VIEWS, VALUES)
    np.testing.assert_array_equal(views[VIEWS // 2], whole_window(movement))
    assert whole_window(movement)[-1] == pytest.approx(movement.duration_s)
    assert len(ordinary_windows(rest(0, 10))) > 20
    assert ordinary_windows(rest(0, 0.5)).shape == (0, VALUES)


def test_a_wave_goes_to_and_fro_and_nothing_else_does() -> None:
    """A wave repeats, a swipe and a circle do not."""
    shown = {
        label: [whole_window(movement_in(performed(label, seed))) for seed in range(8)]
        for label in ("wave", "left", "circle")
    }
    assert repeats(rows_of(np.stack(shown["wave"]))).all()
    assert not repeats(rows_of(np.stack(shown["left"] + shown["circle"]))).any()


def test_a_mirrored_track_is_mirrored_again() -> None:
    """Mirroring turns the path over, and twice is as before."""
    track = performed("left", 0)
    assert whole_window(track.mirrored())[0] == pytest.approx(-whole_window(track)[0], abs=0.05)
    np.testing.assert_array_equal(track.mirrored().mirrored().landmarks, track.landmarks)
