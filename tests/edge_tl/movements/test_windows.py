"""Windows: what is compared of a track does not depend on the camera, and is what a reference computes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_movements import PATHS, performed
from scipy.interpolate import interp1d

from edge_tl.errors import ShapeError
from edge_tl.movements.convolutions import FEATURES, KERNELS, LENGTH, Convolutions, _convolved, _kernels
from edge_tl.movements.demonstration import whole_window
from edge_tl.movements.windows import MOMENTS, PLAIN_ROW, ROW, VALUES, kept, middles, palm_lengths, resampled, rows_of

pytestmark = pytest.mark.exact
SLOW = sorted(set(PATHS) - {"wave"})
"""Movements that six frames a second show; a wave turns back three times a second."""


def test_moments_lie_on_the_lines_that_scipy_draws() -> None:
    """Between frames at any times, landmarks are what SciPy interpolates; outside the track the hand stands."""
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(0, 3, 40))
    landmarks = rng.normal(size=(40, 21, 2)).astype(np.float32)
    found = resampled(landmarks, times, np.array([0.5, -1.0]), np.array([2.0, 9.0]))
    lines = interp1d(times, landmarks, axis=0, bounds_error=False, fill_value=(landmarks[0], landmarks[-1]))
    for window, (start, end) in zip(found, ((0.5, 2.0), (-1.0, 9.0)), strict=True):
        np.testing.assert_allclose(window, lines(np.linspace(start, end, MOMENTS)), atol=2e-5)


@given(st.sampled_from(SLOW), st.integers(0, 50), st.sampled_from([9, 15, 24, 60]))
def test_the_frame_rate_does_not_matter(label: str, seed: int, fps: int) -> None:
    """Another frame rate, with every third frame lost, gives nearly the same rows: other movements are far off."""
    track = performed(label, seed, fps=120)
    few = np.arange(0, len(track.times_s), 120 // fps)
    few = few[np.arange(len(few)) % 3 != 1]
    start, end = np.array([track.times_s[0]]), np.array([track.times_s[few[-1]]])
    all_of_it = rows_of(kept(resampled(track.landmarks, track.times_s, start, end), end - start)).moments
    some = rows_of(kept(resampled(track.landmarks[few], track.times_s[few], start, end), end - start)).moments
    assert ((all_of_it - some) ** 2).sum(axis=2).mean() < 0.15


def test_neither_size_nor_place_matters() -> None:
    """A hand twice as near, elsewhere in the picture, is kept as the same window."""
    track = performed("circle", 1)
    near = type(track)(2 * track.landmarks + 300, track.times_s)
    np.testing.assert_allclose(whole_window(near), whole_window(track), atol=1e-4)


def test_the_other_hand_gives_the_same_rows() -> None:
    """A left hand that goes the way of a right one changes as it does; by all landmarks they differ, and so do ways."""
    right = np.stack([whole_window(performed(label, 3)) for label in ("left", "circle")])
    left = right.copy()
    seen = left[:, :-1].reshape(2, MOMENTS, 21, 2)
    middle = middles(seen)[..., 0, np.newaxis]
    seen[..., 0] = 2 * middle - seen[..., 0]
    ours, theirs = rows_of(right), rows_of(left)
    np.testing.assert_allclose(theirs.moments, ours.moments, atol=1e-4)
    assert ((theirs.plain - ours.plain) ** 2).sum(axis=2).mean(axis=1).min() > 0.01
    assert ((theirs.moments[0] - ours.moments[1]) ** 2).sum(axis=1).mean() > 0.1


def test_rows_have_length_one_and_say_how_much_the_hand_moved() -> None:
    """Rows of both kinds have a mean squared length of 1; a swipe moved more than a hand that rests."""
    swipe, still = performed("left", 0), performed("left", 0)
    still = type(still)(np.repeat(still.landmarks[:1], len(still.times_s), axis=0), still.times_s)
    rows = rows_of(np.stack([whole_window(swipe), whole_window(still)]))
    for seen, values in ((rows.moments, ROW), (rows.plain, PLAIN_ROW)):
        assert seen.shape == (2, MOMENTS, values)
        np.testing.assert_allclose((seen**2).sum(axis=2).mean(axis=1), 1, atol=1e-4)
    assert rows.moved[0] > 0.3
    assert rows.moved[1] < 1e-6


def test_a_palm_is_as_long_as_it_is() -> None:
    """The made hand's palm, from the wrist to the fingers' roots, is about one palm length."""
    assert palm_lengths(performed("left", 0, unit=1.0).landmarks).mean() == pytest.approx(1.0, abs=0.25)


def test_convolutions_are_those_of_numpy() -> None:
    """What each kernel gives is np.convolve of what it adds up, with zeros beyond the window."""
    moments = np.random.default_rng(0).normal(size=(2, MOMENTS, ROW)).astype(np.float32)
    mix, weights = _kernels()
    assert set(np.unique(weights)) == {-1, 2}
    assert ((weights == 2).sum(axis=0) == 3).all()
    assert (np.abs(mix[:2]).sum(axis=0) > 0).sum() == KERNELS // 3
    given_ = _convolved(moments)
    for kernel in (0, 1, 299):
        line = moments[1, :, : len(mix)] @ mix[:, kernel]
        wanted = np.convolve(line, weights[::-1, kernel], mode="full")[LENGTH // 2 : LENGTH // 2 + MOMENTS]
        np.testing.assert_allclose(given_[1, :, kernel], wanted, atol=1e-4)


def test_features_are_shares_of_time_and_extremes() -> None:
    """Of each kernel three shares of time above a bias, and its extremes in five standard deviations."""
    moments = np.random.default_rng(0).normal(size=(20, MOMENTS, ROW)).astype(np.float32)
    features = Convolutions.fit(moments)(moments)
    assert features.shape == (20, FEATURES)
    shares = features[:, : 3 * KERNELS]
    assert ((shares >= 0) & (shares <= 1)).all()
    assert (features[:, 3 * KERNELS : 4 * KERNELS] >= features[:, 4 * KERNELS :]).all()


def test_rows_of_anything_else_are_refused() -> None:
    """Windows of another length are one clear line."""
    with pytest.raises(ShapeError, match=f"{VALUES}"):
        rows_of(np.zeros((2, 60), np.float32))
