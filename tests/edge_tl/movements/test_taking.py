"""A demonstration while it is given: found between stillness and stillness, or refused in a line; and moving about."""

from __future__ import annotations

import numpy as np
import pytest
from made_movements import PATHS, performed, rest, still, taken

from edge_tl.errors import ExampleError
from edge_tl.movements.demonstration import movement_in, ordinary_pieces
from edge_tl.movements.taking import DemonstrationRecorder, MovingAbout, Phase
from edge_tl.movements.track import Track


@pytest.mark.parametrize("label", PATHS)
@pytest.mark.parametrize("fps", [10, 30])
def test_a_movement_between_rests_is_cut_as_an_import_cuts_it(label: str, fps: int) -> None:
    """Begin and end are found within a tenth of a second of where the same track, imported whole, is cut."""
    for seed in range(4):
        track = performed(label, seed, rest_s=1.0, fps=fps)
        movement, whole = taken(track), movement_in(track)
        assert movement is not None
        assert movement.times_s[0] == pytest.approx(whole.times_s[0], abs=0.11)
        assert movement.times_s[-1] == pytest.approx(whole.times_s[-1], abs=0.11)


def test_raising_the_hand_is_no_part_of_it() -> None:
    """A hand that comes into view from below, holds still and then swipes has swiped, and no more."""
    raised, swiped = performed("up", 1, rest_s=0.0), performed("left", 1, rest_s=0.8)
    lifted = Track(raised.landmarks + swiped.landmarks[0] - raised.landmarks[-1], raised.times_s)
    both = Track(
        np.concatenate([lifted.landmarks, swiped.landmarks]),
        np.concatenate([lifted.times_s, lifted.times_s[-1] + 1 / 30 + swiped.times_s]),
    )
    movement = taken(both)
    assert movement is not None
    assert movement.times_s[0] > lifted.times_s[-1] + 0.4
    way = movement.landmarks[-1].mean(axis=0) - movement.landmarks[0].mean(axis=0)
    assert abs(way[0]) > 10 * abs(way[1])


def test_frames_that_come_late_or_twice_change_nothing() -> None:
    """A frame whose time stamp stands or runs back is skipped, and a hand lost for a moment is bridged."""
    track = performed("circle", 2, rest_s=1.0)
    taking, found = DemonstrationRecorder(), None
    for number, (points, time_s) in enumerate(zip(track.landmarks, track.times_s, strict=True)):
        seen = None if number % 9 in (4, 5) else points
        found = found or taking.push(seen, float(time_s))
        found = found or taking.push(points * 3, float(time_s))
        found = found or taking.push(points * 2, float(time_s) - 1)
    whole = movement_in(track)
    assert found is not None
    assert found.times_s[0] == pytest.approx(whole.times_s[0], abs=0.15)


def refused(track: Track, taking: DemonstrationRecorder | None = None) -> str:
    """The line with which a track is refused."""
    with pytest.raises(ExampleError) as error:
        taken(track, taking)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def test_what_is_no_demonstration_is_refused_in_a_line() -> None:
    """No hand, one never still, one that hardly moves, one that moves on, and one that only twitches."""
    nobody = Track(np.full((500, 21, 2), np.nan, np.float32), np.arange(500) / 30)
    assert "no hand was seen for 12 s" in refused(nobody)
    circling = Track(performed("circle", 0).landmarks[20:50].repeat(20, 0)[:1], np.zeros(1))
    times = np.arange(0, 15, 1 / 30)
    round_ = np.stack([np.cos(4 * times), np.sin(4 * times)], axis=1)[:, np.newaxis] * 60
    assert "never still" in refused(Track((circling.landmarks + round_).astype(np.float32), times))
    assert "hardly moved" in refused(still(14))
    begun = still(1.0)
    on = np.concatenate([np.zeros((30, 1, 2)), round_[:400] - round_[0]])
    both = np.concatenate([begun.landmarks[:30], np.repeat(begun.landmarks[-1:], 400, 0)]) + on
    assert "moves for more than 6 s" in refused(Track(both.astype(np.float32), np.arange(430) / 30))


def test_a_hand_that_is_lost_while_it_moves_is_refused_and_one_that_had_stopped_is_not() -> None:
    """Lost in the middle it says so; lost after the end of the movement, the movement is kept."""
    track, unseen = performed("right", 3, rest_s=0.8), np.full((21, 2), np.nan, np.float32)
    whole = movement_in(track)
    for until_s, lost in ((whole.times_s[0] + 0.5, True), (whole.times_s[-1] + 0.2, False)):
        seen = track.times_s <= until_s
        taking = DemonstrationRecorder()
        assert taken(Track(track.landmarks[seen], track.times_s[seen]), taking) is None
        after = Track(np.repeat(unseen[np.newaxis], 30, 0), until_s + 0.04 + np.arange(30) / 30)
        if lost:
            assert "lost while it moved" in refused(after, taking)
        else:
            movement = taken(after, taking)
            assert movement is not None
            assert movement.times_s[-1] == pytest.approx(whole.times_s[-1], abs=0.11)


def test_whoever_says_that_it_is_over_has_what_there_is() -> None:
    """`finish` gives the movement so far, or the line that says why there is none."""
    track = performed("left", 4, rest_s=0.5)
    taking = DemonstrationRecorder()
    with pytest.raises(ExampleError, match="no hand was seen"):
        taking.finish()
    seen = track.times_s < track.times_s[-1] - 0.4
    assert taken(Track(track.landmarks[seen], track.times_s[seen]), taking) is None
    assert taking.phase is Phase.STOPPED
    assert taking.finish().duration_s > 0.5
    resting = DemonstrationRecorder()
    taken(still(0.4), resting)
    with pytest.raises(ExampleError, match="hardly moved"):
        resting.finish()


def test_moving_about_is_cut_as_an_import_cuts_it() -> None:
    """Every piece comes as soon as it is whole, and all of them are those of the same minute imported."""
    track = rest(5, 20.5)
    about, pieces = MovingAbout(20), []
    for points, time_s in zip(track.landmarks, track.times_s, strict=True):
        pieces += about.push(points, float(time_s))
    wanted = ordinary_pieces(track)
    assert len(pieces) == len(wanted) == 18
    for piece, whole in zip(pieces, wanted, strict=True):
        np.testing.assert_array_equal(piece.times_s, whole.times_s)
        np.testing.assert_array_equal(piece.landmarks, whole.landmarks)
    assert about.over
    assert about.finish() == []


def test_moving_about_counts_while_a_hand_is_seen() -> None:
    """Each stretch between which the hand was away is cut for itself, and where it stays away a line ends it."""
    first, second = rest(6, 2.0), rest(7, 5.0)
    about, pieces = MovingAbout(), []
    for points, time_s in zip(first.landmarks, first.times_s, strict=True):
        pieces += about.push(points, float(time_s))
    assert pieces == []
    for points, time_s in zip(second.landmarks, second.times_s, strict=True):
        pieces += about.push(points, 4.0 + float(time_s))
    assert [round(piece.duration_s, 1) for piece in pieces] == [2.0, 3.2, 3.2]
    assert about.seen_s == pytest.approx(7.0, abs=0.1)
    assert about.push(None, 9.5) == []
    assert about.push(None, 21.0) == []
    with pytest.raises(ExampleError, match="what was recorded is kept"):
        about.push(None, 21.6)
