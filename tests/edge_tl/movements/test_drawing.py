"""The path of a hand as points and as a small picture."""

from __future__ import annotations

import numpy as np
from made_movements import performed

from edge_tl.movements.demonstration import movement_in
from edge_tl.movements.drawing import END, path_picture, path_points
from edge_tl.movements.track import Track
from edge_tl.movements.windows import middles


def test_points_lie_close_on_the_way_of_the_palm() -> None:
    """From the first frame's palm to the last one's, no two further apart than asked; none of no frames."""
    track = movement_in(performed("circle", 1))
    points = path_points(track.landmarks, 2.0)
    np.testing.assert_allclose(points[[0, -1]], middles(track.landmarks)[[0, -1]], rtol=1e-5)
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() <= 2.0 + 1e-6
    assert path_points(np.empty((0, 21, 2)), 1.0).shape == (0, 2)
    assert path_points(track.landmarks[:1], 1.0).shape == (1, 2)


def test_a_picture_shows_which_way_it_went() -> None:
    """A swipe to the left ends, brightest, at the left border; mirrored at the right; its size does not matter."""
    track = movement_in(performed("left", 2))
    for one, side in ((track, 0), (track.mirrored(), 1)):
        picture = path_picture(one, 48, 64)
        assert picture.shape == (48, 64, 3)
        bright = np.argwhere((picture == END.astype(np.uint8)).all(axis=2))
        assert len(bright)
        assert (bright[:, 1] > 32).all() == bool(side)
        assert abs(bright[:, 1] - (63 if side else 0)).max() < 16
    smaller = Track(track.landmarks / 100, track.times_s)
    assert (path_picture(smaller, 48, 64) == path_picture(track, 48, 64)).mean() > 0.99
