"""Where it is in the picture: anchors, the decoding of detections, turned regions and their crops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.embedders.look.anchors import anchors
from edge_tl.embedders.look.palm_and_face import decode, weighted
from edge_tl.embedders.look.region import Region, around, upright, whole
from edge_tl.media.image import fit, letterbox, warp

pytestmark = pytest.mark.exact

REGIONS = st.builds(
    Region,
    st.floats(-500, 900),
    st.floats(-500, 900),
    st.floats(1, 2000),
    st.floats(-np.pi, np.pi),
    st.booleans(),
)


def test_anchors_are_the_cells_centres_in_the_models_order() -> None:
    """192 pixels give 2016 anchors and 128 give 896, row by row: two a cell at stride 8, then six at stride 16."""
    for size_px, count in ((192, 2016), (128, 896)):
        wanted = []
        for stride, copies in ((8, 2), (16, 6)):
            for row in range(size_px // stride):
                for column in range(size_px // stride):
                    wanted += [((column + 0.5) * stride, (row + 0.5) * stride)] * copies
        assert len(wanted) == count
        np.testing.assert_allclose(anchors(size_px), wanted)


@given(REGIONS, st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_into_a_crop_and_back_is_where_it_was(region: Region, size_px: int, seed: int) -> None:
    """A point of the picture, taken into a region's crop and back, has not moved; mirrored or not."""
    points = np.random.default_rng(seed).uniform(-1000, 1000, (5, 2))
    np.testing.assert_allclose(region.to_picture(region.to_crop(points, size_px), size_px), points, atol=1e-6)


@given(REGIONS)
def test_a_region_is_a_square_around_its_centre(region: Region) -> None:
    """The four sides are `side_px` long, the corners' mean is the centre, and the upper side is turned by the angle."""
    corners = region.corners()
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    np.testing.assert_allclose(sides, region.side_px, rtol=1e-9)
    np.testing.assert_allclose(corners.mean(axis=0), (region.x_px, region.y_px), atol=1e-6)
    along = (corners[1] - corners[0]) / region.side_px * (-1 if region.mirrored else 1)
    np.testing.assert_allclose(along, (np.cos(region.angle_rad), np.sin(region.angle_rad)), atol=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_upright_turns_a_hand_up(seed: int) -> None:
    """In a crop turned by `upright`, the way from tail to head goes straight up."""
    tail, head = np.random.default_rng(seed).uniform(-300, 300, (2, 2))
    way = np.diff(Region(0, 0, 100, upright(tail, head)).to_crop(np.stack([tail, head]), 100), axis=0)[0]
    assert abs(way[0]) < 1e-6 * (1 + abs(way[1]))
    assert way[1] < 0


@given(st.integers(0, 2**32 - 1), st.floats(-np.pi, np.pi), st.floats(1.0, 3.0))
def test_around_holds_all_points(seed: int, angle_rad: float, scale: float) -> None:
    """Every point lies in the region around them, and the longer extent takes one part in `scale` of its side."""
    points = np.random.default_rng(seed).uniform(-300, 300, (12, 2))
    inside = around(points, angle_rad, scale, 0.0).to_crop(points, 1)
    assert inside.min() > -1e-6
    assert inside.max() < 1 + 1e-6
    np.testing.assert_allclose(np.ptp(inside, axis=0).max(), 1 / scale, rtol=1e-6)


def test_a_crop_of_quarter_turns_is_exact() -> None:
    """The crop of a whole square picture is the picture; turned by a quarter, or mirrored, it is NumPy's."""
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    whole = Region(16, 16, 32)
    assert (whole.crop(picture, 32) == picture).all()
    quarter = Region(16, 16, 32, np.pi / 2).crop(picture, 32)
    assert np.abs(quarter.astype(int) - np.rot90(picture)).max() <= 1
    assert (Region(16, 16, 32, 0.0, mirrored=True).crop(picture, 32) == picture[:, ::-1]).all()


def test_beyond_the_border_is_black() -> None:
    """A region that lies wholly outside gives a black crop, and one half outside keeps what is inside."""
    picture = np.full((20, 30, 3), 200, np.uint8)
    assert not Region(-100, -100, 50).crop(picture, 16).any()
    half = warp(picture, np.array(((1, 0, -10), (0, 1, 0))), (20, 20))
    assert not half[:, :9].any()
    assert (half[:, 11:] == 200).all()


@settings(max_examples=50)
@given(REGIONS)
def test_the_networks_see_the_border_repeated_or_black(region: Region) -> None:
    """Of a white picture the crop is all white where the border is repeated, and black beyond it otherwise."""
    white = np.full((120, 160, 3), 255, np.uint8)
    if region.side_px < 1000:
        assert (region.model_input(white, 16, repeat=True) == 255).all()
    places = region.to_picture(np.argwhere(np.ones((16, 16)))[:, ::-1].astype(float), 16) + 0.5
    beyond = ((places < -1) | (places > (161, 121))).any(axis=1).reshape(16, 16)
    assert not region.model_input(white, 16)[beyond].any()


def test_the_networks_input_is_opencvs() -> None:
    """The input's pixel (x, y) is the picture's where the region's affine maps (x, y), both counted from corners."""
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    assert (Region(20, 20, 16).model_input(picture, 16) == picture[12:28, 12:28]).all()
    assert (Region(20, 20, 32).model_input(picture, 16) == picture[4:36:2, 4:36:2]).all()
    assert (whole(picture).model_input(picture, 60)[10:50] == picture).all()


@settings(max_examples=30)
@given(st.integers(1, 400), st.integers(1, 400))
def test_letterbox_says_where_fit_puts_the_picture(rows: int, columns: int) -> None:
    """Where `letterbox` says, `fit` has put a white picture, and its borders are black."""
    boxed = fit(np.full((rows, columns, 3), 255, np.uint8), (64, 64), "letterbox")
    (height, width), top, left = letterbox((rows, columns), (64, 64))
    inside = np.zeros((64, 64), bool)
    inside[top : top + height, left : left + width] = True
    assert (boxed[..., 0] == np.where(inside, 255, 0)).all()


def test_decoding_against_a_loop() -> None:
    """Scores and boxes of random outputs are those of the formulas written out one anchor at a time."""
    random = np.random.default_rng(1)
    grid = anchors(128)
    offsets, logits = random.normal(0, 20, (896, 16)).astype(np.float32), random.normal(-2, 2, 896).astype(np.float32)
    scores, points = decode(offsets, logits, grid, 0.5)
    wanted = []
    for row, logit, (x, y) in zip(offsets.astype(float), logits, grid, strict=True):
        if logit >= 0:
            across, down = abs(row[2]) / 2, abs(row[3]) / 2
            corners = [(row[0] + x - across, row[1] + y - down), (row[0] + x + across, row[1] + y + down)]
            wanted.append(corners + [(row[4 + 2 * k] + x, row[5 + 2 * k] + y) for k in range(6)])
    np.testing.assert_allclose(points, wanted, atol=1e-4)
    np.testing.assert_allclose(scores, [1 / (1 + np.exp(-float(one))) for one in logits if one >= 0], rtol=1e-6)
    none, nowhere = decode(offsets, np.full(896, -1000, np.float32), grid, 0.5)
    assert none.shape == (0,)
    assert nowhere.shape == (0, 8, 2)


def test_overlapping_detections_become_their_weighted_mean() -> None:
    """Two boxes of one thing give one box between them, nearer the surer; another thing stays itself."""
    points = np.array((((0, 0), (10, 10)), ((2, 0), (12, 10)), ((50, 50), (60, 60))), float)
    things = weighted(np.array((0.6, 0.9, 0.7)), points)
    assert [score for score, _ in things] == [0.9, 0.7]
    np.testing.assert_allclose(things[0][1], (0.6 * points[0] + 0.9 * points[1]) / 1.5)
    np.testing.assert_allclose(things[1][1], points[2])
