"""Light, contrast, grain and sharpness of a picture, and what undoes a turn, a distance, a shift and a mirror."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.picture_changes import CHANGES
from edge_tl.errors import ShapeError
from edge_tl.media.image import check_picture
from edge_tl.media.picture_measures import measure_picture
from edge_tl.media.repairs import repairs

MIDDLE = np.array((160.0, 120.0))


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A soft grey room with a bright shape in it that is no mirror image of itself, 240 × 320."""
    y, x = np.mgrid[:240, :320]
    grey = 90 + 20 * np.sin(x / 60) + 15 * np.cos(y / 50)
    grey = np.where((abs(x - 160) < 30) & (abs(y - 120) < 60), 180, grey)
    grey = np.where((abs(x - 200) < 30) & (abs(y - 90) < 12), 210, grey)
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


def changed(picture: np.ndarray, name: str, level: float) -> np.ndarray:
    """One change of the benchmarks."""
    change = next(one for one in CHANGES if one.name == name)
    return change.apply(picture, level, np.random.default_rng(0), MIDDLE)


@pytest.mark.parametrize(
    ("name", "level", "moved"),
    [
        ("brightness", 0.5, {0: np.log(0.5), 1: np.log(0.5)}),
        ("contrast", 0.5, {1: np.log(0.5)}),
        ("noise", 20.0, {2: None}),
        ("blur", 3.0, {3: None}),
        ("mirror", 1.0, {}),
        ("rotation", 180.0, {}),
    ],
)
def test_each_change_moves_its_own_measure(
    picture: np.ndarray, name: str, level: float, moved: dict[int, float | None]
) -> None:
    """Darker, flatter, noisier and softer pictures are measured as that, turned ones as they were."""
    away = measure_picture(changed(picture, name, level)).row() - measure_picture(picture).row()
    for measure, by in moved.items():
        if by is None:
            assert abs(away[measure]) > 0.35, measure
        else:
            assert away[measure] == pytest.approx(by, abs=0.05)
    still = [one for one in range(3) if one not in moved and not (name == "noise" and one == 1)]
    assert np.abs(away[still]).max() < 0.1


def test_a_camera_of_any_size_measures_alike(picture: np.ndarray) -> None:
    """Twice as many pixels change little; a flat picture, and one of a few pixels, have finite measures."""
    large = picture.repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_allclose(measure_picture(large).row(), measure_picture(picture).row(), atol=0.3)
    for shape in ((240, 320), (2, 2), (1, 5)):
        assert np.isfinite(measure_picture(np.full((*shape, 3), 70, np.uint8)).row()).all()
    with pytest.raises(ShapeError):
        measure_picture(np.zeros((4, 4), np.uint8))


@pytest.mark.parametrize(
    ("name", "level", "kind"),
    [("rotation", 30.0, "turn"), ("scale", 0.6, "distance"), ("shift", 0.12, "spot"), ("mirror", 1.0, "mirrored")],
)
def test_what_was_changed_is_undone_best_by_its_own_repair(
    picture: np.ndarray, name: str, level: float, kind: str
) -> None:
    """Of all repairs the one of that kind brings the picture nearest to what it was; all keep its size."""
    asked = changed(picture, name, level)
    middle = (slice(40, 200), slice(60, 260))
    away = {}
    for at, one in enumerate(repairs()):
        made = one.apply(asked)
        check_picture(made)
        assert made.shape == picture.shape
        away[at] = float(np.abs(made[middle].astype(int) - picture[middle]).mean())
    best = min(away, key=lambda at: away[at])
    assert repairs()[best].kind == kind
    assert away[best] < 0.6 * np.abs(asked[middle].astype(int) - picture[middle]).mean()
