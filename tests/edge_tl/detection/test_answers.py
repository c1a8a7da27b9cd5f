"""Labels and boxes as numbers to be learned, and a detector that was taught a few boxes of its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from lacking import lacking
from scipy.optimize import check_grad

from edge_tl.core.metrics import iou
from edge_tl.detection.answers import KINDS, NOTHING, ClassAndBox, OutputColumns, ScaledShape, new_head
from edge_tl.detection.detector import NetworkDetector, features
from edge_tl.errors import ConfigError, ShapeError
from edge_tl.nn import Adam, Dense, Joint, Network, fit
from edge_tl.testing import FakeEmbedder

pytestmark = pytest.mark.exact

SIDE = 64
"""Of the pictures that FakeEmbedder(8) takes."""
MADE: dict[str, Callable[[], OutputColumns]] = {
    "scaled": lambda: ScaledShape(("a", "b"), SIDE),
    "not scaled": lambda: ScaledShape(("a", "b"), SIDE, scaled=False),
    "classes": lambda: ClassAndBox(("a", "b", "c"), SIDE),
    "one class": lambda: ClassAndBox(("a",), SIDE),
    "or nothing": lambda: ClassAndBox(("a", "b"), SIDE, nothing=True),
}


def boxes(count: int, rng: np.random.Generator) -> np.ndarray:
    """Boxes within the side."""
    corner = rng.uniform(0, SIDE / 2, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(10, SIDE / 2, (count, 2))], axis=1)


@pytest.mark.parametrize("name", MADE)
def test_targets_read_back_are_what_they_were_made_of(name: str) -> None:
    """Outputs that are exactly what was wanted cost nothing and read as the same labels and boxes."""
    answers, rng = MADE[name](), np.random.default_rng(1)
    places = np.arange(12) % len(answers.labels)
    truth = boxes(12, rng)
    outputs = answers.targets(places, truth)
    assert outputs.shape == (12, answers.outputs)
    assert outputs.dtype == np.float32
    if isinstance(answers, ScaledShape):
        outputs[:, 0] *= SIDE if answers.scaled else 1
        np.testing.assert_allclose(answers.loss(outputs, answers.targets(places, truth))[0], 0, atol=1e-9)
    else:
        outputs[:, :-4] *= 50  # logits
        np.testing.assert_allclose(answers.loss(outputs, answers.targets(places, truth))[0], 0, atol=1e-6)
    proba, found = answers.read(outputs)
    assert proba.argmax(axis=1).tolist() == places.tolist()
    np.testing.assert_allclose(found, truth, atol=1e-4)
    np.testing.assert_allclose(iou(found, truth), 1, atol=1e-5)
    again = KINDS[answers.kind](answers.labels, answers.side_px, **answers.settings)
    assert again.outputs == answers.outputs
    assert again.settings == answers.settings


def test_the_text_takes_a_rectangle_above_half_of_the_side() -> None:
    """Spec S6: the loss is the mean squared error of y·[224, 1, 1, 1, 1], and 112 is where the label changes."""
    answers = ScaledShape(("triangle", "rectangle"), 224)
    outputs = np.array([[111.9, 1, 2, 3, 4], [112.1, 1, 2, 3, 4]], np.float32)
    assert answers.read(outputs)[0].argmax(axis=1).tolist() == [0, 1]
    targets = answers.targets(np.array([1, 1]), np.tile([1.0, 2, 3, 8], (2, 1)))
    wanted = np.square(outputs - targets * [224, 1, 1, 1, 1]).mean(axis=1)
    np.testing.assert_allclose(answers.loss(outputs, targets)[0], wanted, rtol=1e-6)


def test_a_picture_of_nothing_teaches_no_box() -> None:
    """The box columns of a row at NOTHING have neither loss nor slope, whatever comes out of them."""
    answers = ClassAndBox(("a", "b"), SIDE, nothing=True)
    targets = answers.targets(np.array([NOTHING, 1]), np.tile([1.0, 2, 3, 4], (2, 1)))
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(2, answers.outputs)).astype(np.float32)
    losses, back = answers.loss(outputs, targets)
    assert np.isfinite(losses).all()
    assert not back[0, -4:].any()
    assert back[1, -4:].all()
    outputs[0, -4:] += 100
    assert answers.loss(outputs, targets)[0][0] == losses[0]


def test_the_slope_of_the_joint_loss_is_its_finite_difference() -> None:
    """Gradients agree with SciPy's, in float64, with a row that has no box among them."""
    rng = np.random.default_rng(4)
    outputs, loss = rng.normal(size=(5, 6)), Joint(2, 3.0)
    targets = np.concatenate([np.eye(2)[[0, 1, 1, 0, 1]], rng.random((5, 4))], axis=1)
    targets[3, 2:] = np.nan
    error = check_grad(
        lambda flat: float(loss(flat.reshape(5, 6), targets)[0].mean()),
        lambda flat: loss(flat.reshape(5, 6), targets)[1].ravel(),
        outputs.ravel(),
    )
    assert error < 1e-5


@pytest.mark.host
def test_the_joint_loss_is_that_of_keras() -> None:
    """Loss and slope are those of TensorFlow's cross-entropy plus the weighted mean squared error."""
    tf = pytest.importorskip("tensorflow", reason=lacking("TensorFlow"))
    rng = np.random.default_rng(3)
    outputs = rng.normal(size=(6, 7)).astype(np.float32)
    targets = np.concatenate([np.eye(3)[np.arange(6) % 3], rng.random((6, 4))], axis=1).astype(np.float32)
    with tf.GradientTape() as tape:
        given = tf.constant(outputs)
        tape.watch(given)
        entropy = tf.keras.losses.categorical_crossentropy(targets[:, :3], given[:, :3], from_logits=True)
        wanted = entropy + 50 * tf.reduce_mean(tf.square(targets[:, 3:] - given[:, 3:]), axis=1)
        mean = tf.reduce_mean(wanted)
    losses, back = Joint(3, 50.0)(outputs, targets)
    np.testing.assert_allclose(losses, wanted.numpy(), rtol=1e-5)
    np.testing.assert_allclose(back, tape.gradient(mean, given).numpy(), atol=1e-5)


def drawn(count: int, rng: np.random.Generator, empty: bool = False) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Pictures twice as wide as high with a red or a blue block (or none), its number, its box in their pixels."""
    pictures, places = [], np.arange(count) % (3 if empty else 2)
    truth = 2.0 * boxes(count, rng) * [2, 1, 2, 1]
    for place, box in zip(places, truth.astype(int), strict=True):
        picture = np.full((2 * SIDE, 4 * SIDE, 3), 230, np.uint8)
        if place < 2:
            picture[box[1] : box[3], box[0] : box[2]] = [(200, 30, 30), (30, 30, 200)][place]
        pictures.append(picture)
    return pictures, np.where(places == 2, NOTHING, places), truth


@pytest.mark.parametrize("nothing", [False, True])
def test_a_detector_of_ones_own_boxes(nothing: bool) -> None:
    """Some pictures with boxes teach two labels of one's own, and where nothing is nothing is told."""
    rng = np.random.default_rng(2)
    embedder, answers = FakeEmbedder(8), ClassAndBox(("red", "blue"), SIDE, nothing=nothing)
    pictures, places, truth = drawn(240, rng, nothing)
    X = features(embedder, SIDE, pictures)
    Y = answers.targets(places, truth / [4, 2, 4, 2])
    network = Network(new_head(embedder.embedding_shape, answers.outputs, rng, units=100))
    fit(network, X, Y, loss=answers.loss, optimizer=Adam(3e-3), epochs=40, batch=16, rng=rng)
    detector = NetworkDetector(embedder, network, answers, name="blocks")
    assert (detector.name, detector.labels) == ("blocks", ("red", "blue"))
    right, overlaps = 0, []
    asked, places, truth = drawn(30, np.random.default_rng(3), nothing)
    for picture, place, box in zip(asked, places, truth, strict=True):
        found = detector.detect(picture)
        right += [one.label for one in found] == ([] if place == NOTHING else [answers.labels[place]])
        if found and place != NOTHING:
            assert 0.5 <= found[0].confidence <= 1
            overlaps.append(iou(np.array([found[0].box]), box[None])[0])
    assert right >= 28
    assert np.mean(overlaps) > 0.6


def test_bad_answers_are_one_clear_line() -> None:
    """Numbers of labels, places and boxes that do not fit are refused with what came and what is wanted."""
    with pytest.raises(ConfigError, match="3 labels"):
        ScaledShape(("a", "b", "c"), 224)
    with pytest.raises(ConfigError, match="0 labels"):
        ClassAndBox((), 224)
    answers = ClassAndBox(("a", "b"), SIDE)
    for places, box in (([2], [1, 2, 3, 4]), ([NOTHING], [1, 2, 3, 4]), ([0], [1, 2, 3]), ([0], [1, 2, np.nan, 4])):
        with pytest.raises(ShapeError, match="wanted"):
            answers.targets(np.array(places), np.array([box], float))
    with pytest.raises(ShapeError, match="its answers want 6"):
        NetworkDetector(FakeEmbedder(1), Network([Dense.new(3, 5, np.random.default_rng(0))]), answers)
