"""Boxes compared: intersection over union, by counting pixels and for boxes of every kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_tl.core.metrics import iou
from edge_tl.errors import ShapeError

SIDE = 12
CORNERS = st.tuples(*[st.integers(0, SIDE)] * 4)


def pixels(box: tuple[int, ...]) -> np.ndarray:
    """The cells of a small picture that lie in a box."""
    left, top, right, bottom = box
    inside = np.zeros((SIDE, SIDE), bool)
    inside[top:bottom, left:right] = True
    return inside


@given(st.lists(st.tuples(CORNERS, CORNERS), min_size=1, max_size=20))
def test_iou_is_that_of_counted_pixels(pairs: list[tuple[tuple[int, ...], tuple[int, ...]]]) -> None:
    """Boxes on whole pixels, also empty ones and those inside out, agree with sets of pixels, either way round."""
    a, b = (np.array([pair[side] for pair in pairs], np.float32) for side in (0, 1))
    wanted = []
    for one, other in pairs:
        union = np.count_nonzero(pixels(one) | pixels(other))
        wanted.append(np.count_nonzero(pixels(one) & pixels(other)) / union if union else 0.0)
    np.testing.assert_allclose(iou(a, b), wanted, atol=1e-12)
    np.testing.assert_array_equal(iou(a, b), iou(b, a))


def test_iou_of_the_same_box_is_one_and_of_no_boxes_nothing() -> None:
    """A box is itself, at any size; no boxes are no answer, not an error."""
    boxes = np.array([[0.1, 0.2, 0.3, 0.4], [-5, -5, 1e6, 2], [0, 0, 1e-6, 1e-6]])
    np.testing.assert_allclose(iou(boxes, boxes), 1)
    assert iou(np.empty((0, 4)), np.empty((0, 4))).shape == (0,)


@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_iou_of_a_box_that_is_not_finite_is_zero(strange: float) -> None:
    """What a network that ran away says is a miss, not a warning and not a NaN in a mean."""
    assert iou(np.array([[0, 0, strange, 4]]), np.array([[0, 0, 4, 4]])).tolist() == [0.0]


@pytest.mark.parametrize("shape", [(4,), (2, 3), (3, 4)])
def test_iou_says_what_is_wanted(shape: tuple[int, ...]) -> None:
    """Arrays that are no rows of four, or of unequal number, are refused in one line."""
    with pytest.raises(ShapeError, match="are wanted"):
        iou(np.zeros(shape), np.zeros((2, 4)))
