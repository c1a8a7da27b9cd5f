"""A hand that is held is a sign, also once it was stored; one that moves is none."""

from __future__ import annotations

import numpy as np
import pytest
from made_movements import PATHS, performed, still, taken

from edge_tl.embedders.look.movement import MovementEmbedder
from edge_tl.errors import ExampleError
from edge_tl.movements.demonstration import movement_in
from edge_tl.movements.drawing import path_picture
from edge_tl.movements.held import are_signs, demonstration_in, holds_still
from edge_tl.movements.taking import SIGN_S, DemonstrationRecorder
from edge_tl.movements.track import Track
from edge_tl.movements.track_file import packed_track, read_recording


@pytest.mark.parametrize("label", PATHS)
def test_a_demonstration_is_a_movement_or_a_sign(label: str) -> None:
    """By whether the hand moves in it, before and after it was stored; so its rows say which it is."""
    embedder = MovementEmbedder()
    for track, held in ((movement_in(performed(label, 3)), False), (still(1.0, performed(label, 3)), True)):
        stored = read_recording(packed_track(track)).tracks[0]
        assert holds_still(track) == holds_still(stored) == held
        rows = embedder.taught(stored, label).reshape(9, -1)
        assert are_signs(rows).tolist() == [held] * 9
        np.testing.assert_allclose(rows, embedder.taught(track, label).reshape(9, -1), atol=0.02)
        assert (embedder.embed_track(track) == embedder.taught(track, label).reshape(9, -1)[4]).all()
        assert path_picture(track, 48, 64).any()


def test_a_sign_is_the_same_wherever_the_hand_is() -> None:
    """Its rows do not change with place, size and turn of the hand, nor with which hand it is."""
    embedder, points = MovementEmbedder(), still(1.0).landmarks[:1]
    turn = np.array(((0.8, 0.6), (-0.6, 0.8)))
    row = embedder.embed_held(points)
    for other in (points * 3 + 50, points @ turn, points * (-1, 1)):
        np.testing.assert_allclose(embedder.embed_held(other)[:, :60], row[:, :60], atol=1e-4)


def test_what_is_imported_is_a_sign_a_movement_or_a_line() -> None:
    """All of a short hold, six seconds of a long one; a hand that trembles too much, or for too short, is neither."""
    assert demonstration_in(still(1.0)).duration_s == pytest.approx(1.0, abs=0.05)
    assert demonstration_in(still(60.0)).duration_s == pytest.approx(6.0, abs=0.05)
    assert not holds_still(movement_in(performed("left", 1)))
    with pytest.raises(ExampleError, match="hardly moved"):
        demonstration_in(still(0.3))


def test_a_sign_that_is_waited_for_is_recorded_once_it_was_held() -> None:
    """For two seconds; a hand that moves goes on being waited for, and one that never rests is said so."""
    sign = taken(still(4.0), DemonstrationRecorder(held=True))
    assert sign is not None
    assert sign.duration_s == pytest.approx(SIGN_S, abs=0.05)
    assert holds_still(sign)
    moved = performed("circle", 1, rest_s=0.3)
    rested = still(3.0, moved, start_s=float(moved.times_s[-1]) + 0.03)
    both = Track(np.concatenate([moved.landmarks, rested.landmarks]), np.append(moved.times_s, rested.times_s))
    sign = taken(both, DemonstrationRecorder(held=True))
    assert sign is not None
    assert sign.times_s[0] > moved.times_s[-1] - 0.5
    swinging = performed("wave", 1, lasts_s=1.0, rest_s=0.0)
    again = np.concatenate([swinging.landmarks] * 16)
    with pytest.raises(ExampleError, match=r"never (held )?still"):
        taken(Track(again, np.arange(len(again)) / 30), DemonstrationRecorder(held=True))


def test_whoever_ends_it_while_the_hand_is_held_has_made_a_sign() -> None:
    """`finish` gives what was held, where nothing moved before; of a movement that was begun the movement."""
    taking = DemonstrationRecorder()
    assert taken(still(3.0), taking) is None
    assert taking.finish().duration_s == pytest.approx(SIGN_S, abs=0.05)
    waiting = DemonstrationRecorder(held=True)
    assert taken(still(0.4), waiting) is None
    with pytest.raises(ExampleError, match=r"was not held still for 0\.5 s"):
        waiting.finish()
