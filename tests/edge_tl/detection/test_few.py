"""A detector taught with a few boxes: windows, what is learned, how it is judged, and what is kept of it."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_things import LABELS, drawn_thing, drawn_things
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from edge_tl.core.answers import SavedHead
from edge_tl.core.metrics import iou
from edge_tl.detection.few import BoxedPicture, BoxHead, FewDetector, Views, map_of, regression, views_of
from edge_tl.detection.judging import folds_of, judge
from edge_tl.detection.windows import anywhere, apart, around, coded, near, placed
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, NotFittedError, ProfileMismatch, ShapeError
from edge_tl.media.image import cut_out, fit
from edge_tl.models import default_model
from edge_tl.testing import FakeEmbedder

pytestmark = pytest.mark.exact

TAUGHT = 24


@pytest.fixture(scope="module")
def embedder() -> TFLiteEmbedder:
    """The embedder that ships."""
    return TFLiteEmbedder.load(default_model(), threads=1)


@pytest.fixture(scope="module")
def examples() -> list[BoxedPicture]:
    """Drawn things to be taught, and pictures of nothing."""
    return drawn_things(TAUGHT, 0, empty=6)


@pytest.fixture(scope="module")
def views(embedder: TFLiteEmbedder, examples: list[BoxedPicture]) -> Views:
    """What the embedder makes of them."""
    return views_of(embedder, examples)


@pytest.fixture(scope="module")
def detector(embedder: TFLiteEmbedder, views: Views, examples: list[BoxedPicture]) -> FewDetector:
    """Taught with them."""
    return FewDetector(embedder, BoxHead().fit(views, [one.label for one in examples]))


def test_new_pictures(detector: FewDetector) -> None:
    """24 drawn examples are enough: boxes and labels in new pictures, and hardly anything where there is nothing."""
    assert detector.labels == tuple(sorted(LABELS))
    asked = drawn_things(24, 1000)
    told = [detector.locate(one.picture) for one in asked]
    ious = iou(np.array([found.box for found, _ in told]), np.array([one.box for one in asked]))
    assert ious.mean() > 0.6
    assert np.mean([found.label == one.label for (found, _), one in zip(told, asked, strict=True)]) > 0.9
    assert sum(bool(detector.detect(one.picture)) for one in asked) >= 21
    assert sum(bool(detector.detect(drawn_thing(7000 + seed, None).picture)) for seed in range(10)) <= 4


def test_saved_and_restored(detector: FewDetector, embedder: TFLiteEmbedder) -> None:
    """What is saved answers the same; another embedder and another head are refused in one line."""
    saved = detector.saved(more=1)
    again = FewDetector.restored(saved, embedder)
    picture = drawn_thing(77, "disc").picture
    assert again.labels == detector.labels
    assert again.locate(picture) == detector.locate(picture)
    other = SavedHead({**saved.meta, "embedder": {"name": "other", "fingerprint": "b" * 64}}, saved.arrays)
    with pytest.raises(ProfileMismatch, match="re-embed"):
        FewDetector.restored(other, embedder)
    with pytest.raises(ConfigError, match="teach --boxes"):
        FewDetector.restored(SavedHead({**saved.meta, "head": {"name": "ridge"}}, {}), embedder)


def test_following_a_stream(detector: FewDetector, embedder: TFLiteEmbedder) -> None:
    """In a stream the thing is looked for where it was, with one run; where it is gone, everywhere again."""
    runs = []

    class Counting(TFLiteEmbedder):
        """The embedder, with its runs counted."""

        def __init__(self) -> None:
            vars(self).update(vars(embedder))

        def embed(self, data: np.ndarray) -> np.ndarray:
            """Count and embed."""
            runs.append(1)
            return super().embed(data)

    following = FewDetector(Counting(), detector.head)
    following.following = True
    one = drawn_thing(78, "disc")
    first = following.detect(one.picture)
    assert (len(runs), bool(first)) == (4, True)
    second = following.detect(one.picture)
    assert len(runs) == 5
    assert iou(np.array([second[0].box]), np.array([first[0].box]))[0] > 0.7
    following.detect(drawn_thing(79, None).picture)
    assert len(runs) in (6, 10)


def test_judged_by_others(embedder: TFLiteEmbedder, views: Views, examples: list[BoxedPicture]) -> None:
    """Each example is judged by a head that was not taught its take; the figures agree with it."""
    takes = np.arange(len(examples))
    judged = judge(embedder, examples, views, takes, np.ones(len(examples), np.int64))
    told = judged.as_dict()
    assert (told["left_out"], told["boxes"], told["empty"]) == ("take", TAUGHT, 6)
    assert told["mean_iou"] == pytest.approx(np.nanmean(judged.ious), abs=1e-4)
    assert told["mean_iou"] > 0.4
    assert told["label_accuracy"] > 0.8
    kind, folds = folds_of(takes, np.arange(len(examples)) % 2, np.ones(len(examples), bool))
    assert kind == "session"
    assert folds.tolist() == (np.arange(len(examples)) % 2).tolist()
    assert folds_of(takes, (takes == 0).astype(int), np.ones(len(takes), bool))[0] == "take"
    assert folds_of(takes, np.zeros(len(takes), int), np.ones(len(takes), bool))[1].tolist()[::6] == [0, 1, 2, 3, 4]


def test_too_few_boxes(views: Views, examples: list[BoxedPicture]) -> None:
    """Four boxes are too few, and it is said how many are wanted; pictures of nothing alone are none."""
    names = [one.label for one in examples]
    for taught in (np.arange(len(examples)) < 4, np.arange(len(examples)) >= TAUGHT):
        with pytest.raises(NotFittedError, match="5 or more"):
            BoxHead().fit(views, names, taught)
    with pytest.raises(NotFittedError):
        BoxHead().kinds(views.close[0])


def test_an_embedder_without_a_map(detector: FewDetector) -> None:
    """An embedder that says what and not where is refused."""
    with pytest.raises(ConfigError, match="not where"):
        map_of(FakeEmbedder())
    with pytest.raises(ShapeError):
        detector.detect(np.zeros((4, 4), np.uint8))


def test_the_regression_is_ridge() -> None:
    """The weights are those of scikit-learn's Ridge with the same penalty."""
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((20, 50)).astype(np.float32), rng.standard_normal((20, 4))
    weights, base = regression(X, Y)
    centred = X - X.mean(axis=0)
    theirs = Ridge(alpha=0.1 * np.trace(centred @ centred.T) / 20).fit(X.astype(np.float64), Y)
    np.testing.assert_allclose(weights.T, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(base, theirs.intercept_, atol=1e-5)


sides = st.tuples(st.floats(-50, 400), st.floats(-50, 400), st.floats(1, 300), st.floats(1, 300))


@settings(max_examples=100)
@given(sides, sides)
def test_codes_and_boxes(box: tuple[float, ...], window: tuple[float, ...]) -> None:
    """A box near its window comes back from its code; a code from anywhere gives a finite box."""
    boxes, windows = (np.array([[x, y, x + w, y + h]]) for x, y, w, h in (box, window))
    codes = coded(boxes, windows)
    if (np.abs(codes[0, :2] - 0.5) < 1.5).all() and (np.abs(codes[0, 2:] + 1.5) < 2.5).all():
        np.testing.assert_allclose(placed(codes, windows), boxes, atol=1e-6)
    assert np.isfinite(placed(codes * 1e6, windows)).all()


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_windows(seed: int) -> None:
    """Windows around a thing hold most of it, those apart hold little where there is room, and all have an area."""
    rng = np.random.default_rng(seed)
    x, y, w, h = rng.uniform((0, 0, 10, 10), (200, 150, 40, 30))
    box, shape = np.array((x, y, x + w, y + h)), (180, 240, 3)
    for window in (
        around(box),
        near(box, rng),
        anywhere(shape, box, rng),
        apart(shape, box, rng),
        apart(shape, None, rng),
    ):
        assert (window[2:] > window[:2]).all()
    middle = (box[:2] + box[2:]) / 2
    for window in (around(box), near(box, rng), anywhere(shape, box, rng)):
        assert (window[:2] <= middle).all()
        assert (middle <= window[2:]).all()
    away = apart(shape, box, rng)
    shared = np.clip(np.minimum(away[2:], box[2:]) - np.maximum(away[:2], box[:2]), 0, None).prod()
    assert shared < 0.5 * w * h


def test_cut_out() -> None:
    """A window is stretched to the size wanted, and black beyond the picture's border."""
    picture = np.random.default_rng(0).integers(1, 256, (40, 60, 3), np.uint8)
    np.testing.assert_array_equal(cut_out(picture, (0, 0, 60, 40), (20, 20)), fit(picture, (20, 20), "stretch"))
    np.testing.assert_array_equal(cut_out(picture, (10, 5, 30, 25), (20, 20)), picture[5:25, 10:30])
    half = cut_out(picture, (-20, 0, 20, 40), (40, 40))
    assert not half[:, :20].any()
    np.testing.assert_array_equal(half[:, 20:], picture[:, :20])
    assert not cut_out(picture, (100, 100, 120, 120), (8, 8)).any()
    with pytest.raises(ShapeError):
        cut_out(picture[..., 0], (0, 0, 9, 9), (8, 8))
