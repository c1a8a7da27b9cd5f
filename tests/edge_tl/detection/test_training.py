"""A detector taught on drawn scenes: two phases, what is frozen in each, the folder it becomes, and Keras beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from lacking import lacking
from small_detector import WEIGHTS, write_small_base

from benchmarks.proof_detection import SHORT, tried
from edge_tl.detection.answers import LOSSES, answers_of
from edge_tl.detection.base import ARRAYS, FILE_NAME, Base, read_base, read_detector, write_detector
from edge_tl.detection.scenes import SHAPES, scenes
from edge_tl.detection.training import TEXT, DetectorTraining, Plan, begin, judge, plan_of, train, unfreeze
from edge_tl.errors import ConfigError, ModelError
from edge_tl.models import default_model
from edge_tl.nn import SGD, Network, fit
from edge_tl.testing import FakeClock

TINY = Plan(scenes=48, epochs=(1, 2), batches=(16, 16))


@pytest.fixture(scope="module")
def small_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base that learns."""
    return write_small_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def mobilenet(data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base of spec S6, out of the real weights."""
    pytest.importorskip("tensorflow", reason=lacking("TensorFlow"))
    from host_tools.detection import export_base
    from host_tools.weights import read_weights

    folder = tmp_path_factory.mktemp("mobilenet")
    assert export_base(folder, read_weights(str(data(WEIGHTS)), "Apache-2.0"), "mobilenet") < 1e-4
    return folder


def trained(base: Base, plan: Plan, loss: str = "scaled", seed: int = 0) -> DetectorTraining:
    """A training whose clock stands still."""
    return train(base, answers_of(loss, SHAPES, base.side_px), plan, seed=seed, clock=FakeClock())


@pytest.mark.exact
def test_each_phase_trains_what_it_should_and_nothing_else(small_base: Path) -> None:
    """Phase 1: the head. Phase 2: pointwise convolutions and their norms too; depthwise layers stay bit for bit."""
    base = read_base(small_base, 1)
    begun = begin(base, answers_of("scaled", SHAPES, base.side_px), TINY, 0)
    for fine, freeze_bn, wanted in (
        (False, False, []),
        (True, False, ["0", "1", "6", "7"]),
        (True, True, ["0", "6"]),
    ):
        unfreeze(begun.network, begun.block, fine, freeze_bn)
        learning = [str(i) for i, layer in enumerate(begun.network.layers[: begun.block]) if layer.trainable]
        assert learning == wanted
        assert all(layer.trainable for layer in begun.network.layers[begun.block :] if layer.parameters)
    before = Network(base.layers).state()[1]
    for freeze_bn, changed in ((False, {"0", "1", "6", "7"}), (True, {"0", "6"})):
        done = trained(base, replace(TINY, freeze_bn=freeze_bn))
        assert done.trainable[0] < done.trainable[1] < done.parameters
        after = Network(done.network.layers[: done.block]).state()[1]
        differ = {name.partition(".")[0] for name in before if not np.array_equal(before[name], after[name])}
        assert differ == changed
    np.testing.assert_array_equal(read_base(small_base, 1).layers[0].parameters["W"], before["0.W"])


@pytest.mark.exact
@pytest.mark.parametrize("loss", LOSSES)
def test_a_training_is_the_same_from_the_same_seed_and_saved(small_base: Path, tmp_path: Path, loss: str) -> None:
    """Twice the same curve; and the folder it is written to finds what the network in memory found."""
    base = read_base(small_base, 1)
    answers = answers_of(loss, SHAPES, base.side_px)
    first, again, other = (trained(base, TINY, loss, seed) for seed in (3, 3, 4))
    assert first.curve == again.curve
    assert first.curve != other.curve
    assert [epoch.number for epoch in first.curve] == [1, 2, 3]
    assert all(np.isfinite([epoch.loss, epoch.validation_loss or np.nan]).all() for epoch in first.curve)
    write_detector(tmp_path / "made", base.folder, "made", first.network, first.block, base.weights, answers)
    detector = read_detector(tmp_path / "made", 1)
    assert (detector.name, detector.labels) == ("made", SHAPES)
    judged = judge(base, first.network, answers, 8, 9)
    assert judge(base, detector.network, detector.answers, 8, 9) == judged
    (found,) = detector.detect(np.repeat(scenes(1, 9).pictures[0], 2, axis=1))
    assert found.label in SHAPES
    assert read_base(tmp_path / "made", 1).layers[0].kind == "conv2d"


def test_scenes_drawn_anew_are_never_seen_twice(small_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `anew` every epoch asks for scenes beyond all that were drawn before."""
    import edge_tl.detection.training as room

    asked: list[tuple[int, int]] = []

    def recorded(count: int, seed: int, first: int = 0):  # type: ignore[no-untyped-def]
        asked.append((first, first + count))
        return scenes(count, seed, first)

    monkeypatch.setattr(room, "scenes", recorded)
    plan = replace(TINY, anew=True)
    done = trained(read_base(small_base, 1), plan)
    assert [epoch.number for epoch in done.curve] == [1, 2, 3]
    seen = sorted(asked)
    assert sum(last - first for first, last in seen) == plan.judged + 3 * plan.taught
    assert all(before[1] <= after[0] for before, after in pairwise(seen))


def test_the_shipped_model_is_a_base_without_a_block() -> None:
    """Any converted model can carry a head; phase 2 then goes on with the head alone."""
    base = read_base(default_model(), 1)
    assert base.layers == ()
    done = trained(base, TINY)
    assert done.trainable[0] == done.trainable[1] == done.parameters


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        (FILE_NAME, lambda data: data[:-20], "is damaged"),
        (FILE_NAME, lambda data: data.replace(b'"format": 1', b'"format": 9'), "upgrade edge-tl"),
        (FILE_NAME, lambda data: data.replace(b'"block": 9', b'"block": 99'), "are the base's"),
        (FILE_NAME, lambda data: data.replace(b'"conv2d"', b'"conv9d"'), "layer 0"),
        (FILE_NAME, lambda data: b"[" * 100_000, "is damaged"),
        (FILE_NAME, lambda data: b"{}", "is damaged"),
        (ARRAYS, lambda data: data[:-1], "is not what"),
        (ARRAYS, None, "cannot be read"),
    ],
)
def test_a_damaged_folder_is_one_clear_line(
    small_base: Path, tmp_path: Path, file: str, change: Callable[[bytes], bytes] | None, said: str
) -> None:
    """Truncated, changed or missing files are refused, naming the file, before anything is run."""
    for one in small_base.iterdir():
        (tmp_path / one.name).write_bytes(one.read_bytes())
    if change is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(change((tmp_path / file).read_bytes()))
    with pytest.raises(ModelError, match=said) as caught:
        read_base(tmp_path, 1)
    assert "\n" not in str(caught.value)


def test_what_is_no_detector_is_said(small_base: Path) -> None:
    """A base, and an embedder alone, find nothing yet: the line names the command that trains them."""
    for folder, said in ((small_base, "not trained yet"), (default_model(), "holds no detector")):
        with pytest.raises(ModelError, match=said):
            read_detector(folder, 1)


def test_plans_are_those_of_the_options() -> None:
    """The text's numbers are spec S6's; options change single ones; what cannot be trained is refused."""
    assert plan_of({"text": True}) == TEXT == Plan(2000, 0.15, (100, 200), (5e-3, 2e-3), (128, 64), "rmsprop", False)
    given = {"scenes": 100, "epochs": (1, 3), "no_decay": True, "anew": True, "rates": None, "out": "elsewhere"}
    assert plan_of(given) == Plan(scenes=100, epochs=(1, 3), decay=False, anew=True)
    assert Plan(scenes=2000).judged == 300
    for wrong in ({"scenes": 1}, {"held": 1.0}, {"rates": (0.0, 1.0)}, {"batches": (0, 1)}, {"optimizer": "sgd"}):
        with pytest.raises(ConfigError, match="wanted"):
            plan_of(wrong)


@pytest.mark.exact
@pytest.mark.host
@pytest.mark.parametrize("freeze_bn", [False, True])
@pytest.mark.parametrize("loss", ["scaled", "classes"])
def test_steps_of_phase_two_are_those_of_keras(mobilenet: Path, loss: str, freeze_bn: bool) -> None:
    """From the same weights, on real features of scenes, each step moves every array as Keras' step does."""
    from host_tools.detection import keras_loss
    from host_tools.layers import to_keras, to_layers
    from host_tools.tf import keras

    base = read_base(mobilenet, 1)
    answers = answers_of(loss, SHAPES, base.side_px)
    begun = begin(base, answers, Plan(scenes=36), 0)
    X, Y = begun.examples
    unfreeze(begun.network, begun.block, True, freeze_bn)
    model = to_keras(begun.network, X.shape[1:])
    # Plain steps: RMSProp and Adam make as much of a slope that is rounding as of any other.
    rate = 1e-6 if loss == "scaled" else 1e-5
    model.compile(keras().optimizers.SGD(rate), keras_loss(answers))
    before = {name: array.copy() for name, array in begun.network.state()[1].items()}
    theirs = model.fit(X, Y, 10, 1, verbose=0, shuffle=False).history["loss"][0]
    rng = np.random.default_rng(0)
    (mine,) = fit(
        begun.network, X, Y, loss=answers.loss, optimizer=SGD(rate), epochs=1, batch=10, rng=rng, shuffle=False
    )
    assert mine.loss == pytest.approx(theirs, rel=1e-3)
    after, wanted = begun.network.state()[1], Network(to_layers(model.layers)).state()[1]
    for name, was in before.items():
        step, apart = np.abs(wanted[name] - was), np.abs(wanted[name] - after[name])
        # With norms on the batch's statistics a value at the kink of a ReLU6 may fall to the other side.
        assert apart.max() <= (1e-3 if freeze_bn else 2e-2) * step.max() + 1e-6, name


@pytest.mark.host
def test_it_learns_and_scaling_the_label_matters(mobilenet: Path) -> None:
    """Phase 2 lowers the loss far below that of phase 1; without label scaling the shape is named worse."""
    base = read_base(mobilenet, 1)
    found = {loss: tried(base, loss, SHORT) for loss in ("scaled", "plain")}
    for one in found.values():
        assert one["phase2"] < 0.6 * one["phase1"]
    assert found["scaled"]["shape"] >= found["plain"]["shape"] + 0.1
    assert found["scaled"]["iou"] > 0.2


@pytest.mark.host
def test_keras_trains_the_same_detector(mobilenet: Path) -> None:
    """Both phases by Keras' fit train as many parameters and lower the loss alike."""
    from host_tools.detection import train_in_keras

    base = read_base(mobilenet, 1)
    answers = answers_of("scaled", SHAPES, 224)
    plan = Plan(scenes=240, epochs=(1, 2), batches=(32, 32))
    theirs, mine = train_in_keras(base, answers, plan, 0), trained(base, plan)
    assert (theirs.parameters, theirs.trainable) == (mine.parameters, mine.trainable)
    assert mine.trainable[1] - mine.trainable[0] == 3 * (128 * 128 + 2 * 128)
    assert [epoch.number for epoch in theirs.curve] == [1, 2, 3]
    np.testing.assert_allclose([one.loss for one in theirs.curve], [one.loss for one in mine.curve], rtol=0.25)


def test_the_description_says_what_was_trained(small_base: Path) -> None:
    """detector.json names the layers, how many are the base's, and hashes both files that it speaks of."""
    about = json.loads((small_base / FILE_NAME).read_text())
    assert (about["block"], len(about["layers"]), about["labels"]) == (9, 9, [])
    assert set(about["sha256"]) == {ARRAYS, next(one.name for one in small_base.glob("*.tflite"))}
