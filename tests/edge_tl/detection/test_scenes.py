"""The drawn scenes of spec S6: every number of it, and the same ones from the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.detection import scenes as room
from edge_tl.detection.scenes import SHAPES, SIDE_PX, scenes
from edge_tl.errors import ConfigError


def test_a_scene_is_the_same_whatever_is_drawn_beside_it() -> None:
    """Scenes are numbered: a seed and a number give the picture and its truth, another seed others."""
    many, one = scenes(5, 3), scenes(1, 3, first=4)
    np.testing.assert_array_equal(many.pictures[4], one.pictures[0])
    np.testing.assert_array_equal(many.boxes[4], one.boxes[0])
    assert many.shapes[4] == one.shapes[0]
    assert (many.pictures != scenes(5, 4).pictures).any(axis=(1, 2, 3)).all()
    assert scenes(0, 3).pictures.shape == (0, SIDE_PX, SIDE_PX, 3)
    with pytest.raises(ConfigError, match="0 or more"):
        scenes(-1, 3)


def test_targets_have_the_sides_of_the_specification_and_lie_inside() -> None:
    """Rectangles of 40 to 100, triangles of side 50 to 100, anywhere within 224×224, both kinds as often."""
    drawn = scenes(400, 1)
    assert drawn.boxes.min() >= 0
    assert drawn.boxes.max() <= SIDE_PX
    assert 0.4 < drawn.shapes.mean() < 0.6
    width, height = drawn.boxes[:, 2] - drawn.boxes[:, 0], drawn.boxes[:, 3] - drawn.boxes[:, 1]
    rectangle = drawn.shapes == SHAPES.index("rectangle")
    for sides in (width[rectangle], height[rectangle]):
        assert 40 <= sides.min() < 45
        assert 95 < sides.max() <= 100
    # An equilateral triangle of side a, turned any way, has a box of a·cos t by a·cos(30° − t), with t from 0 to 30°.
    w, h = width[~rectangle], height[~rectangle]
    side = 2 * np.sqrt(w**2 + h**2 - np.sqrt(3) * w * h)
    assert 50 <= side.min() < 53
    assert 97 < side.max() <= 100 + 1e-9
    np.testing.assert_allclose(np.arccos(w / side) + np.arccos(h / side), np.pi / 6, atol=1e-6)


@pytest.mark.parametrize("shape", range(2))
def test_the_box_is_that_of_the_drawn_target(monkeypatch: pytest.MonkeyPatch, shape: int) -> None:
    """Without clutter what is not white is the target: its extent is the box, and it is filled as its kind."""
    monkeypatch.setattr(room, "CIRCLES", 0)
    monkeypatch.setattr(room, "LINES", 0)
    drawn = scenes(60, 2)
    for picture, box in zip(drawn.pictures[drawn.shapes == shape], drawn.boxes[drawn.shapes == shape], strict=True):
        inked = (picture < 250).any(axis=2)
        if not inked.any():
            continue  # drawn in what is nearly white
        rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
        found = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        # A pixel at a sharp corner of a triangle is covered too little to be told from white.
        np.testing.assert_allclose(found, box, atol=1.01 if SHAPES[shape] == "rectangle" else 2.5)
        filled = inked.sum() / ((box[2] - box[0]) * (box[3] - box[1]))
        assert filled > 0.95 if SHAPES[shape] == "rectangle" else 0.4 < filled < 0.6


def test_clutter_lies_over_and_under_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten circles of radius 5 to 20 and ten lines, each over or under the target as chance has it."""
    order: list[list[str]] = []

    def recorded(kind: str):  # type: ignore[no-untyped-def]
        from PIL.ImageDraw import ImageDraw

        original = getattr(ImageDraw, kind)

        def draw(self, places, *rest, **named):  # type: ignore[no-untyped-def]
            order[-1].append(kind)
            if kind == "ellipse":
                left, top, right, bottom = (side / room.FINER for side in places)
                assert 5 <= (right - left) / 2 <= 20
                assert right - left == pytest.approx(bottom - top)
            return original(self, places, *rest, **named)

        monkeypatch.setattr(ImageDraw, kind, draw)

    for kind in ("ellipse", "line", "polygon"):
        recorded(kind)
    over = []
    for number in range(30):
        order.append([])
        scenes(1, 6, first=number)
        assert order[-1].count("ellipse") == order[-1].count("line") == 10
        assert order[-1].count("polygon") == 1
        over.append(20 - order[-1].index("polygon"))
    assert min(over) < 8
    assert max(over) > 12
    assert 8 < np.mean(over) < 12
