"""The controller: steady labels out of noisy probabilities, whatever the frame rate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from edge_tl.controller import Controller, ControllerConfig, Steady
from edge_tl.errors import ConfigError, ShapeError

CLASSES = ("left", "neutral", "right")
LEFT, NEUTRAL, RIGHT = np.eye(3)


def feed(controller: Controller, p: np.ndarray, start_s: float, for_s: float, fps: float = 50.0) -> list[Steady]:
    """What the controller says while `p` is shown for a while."""
    return [controller.update(p, start_s + n / fps) for n in range(1, round(for_s * fps) + 1)]


frames = st.lists(
    st.tuples(
        st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3).map(lambda p: np.array(p) / max(sum(p), 1.0)),
        st.floats(0.0, 0.4),
        st.booleans(),
    ),
    max_size=60,
)
configs = st.builds(
    lambda a, b, smoothing_s, refractory_s, neutral: ControllerConfig(
        smoothing_s=smoothing_s, on=max(a, b), off=min(a, b), refractory_s=refractory_s, neutral=neutral
    ),
    st.floats(0.05, 1.0),
    st.floats(0.05, 1.0),
    st.floats(0.0, 0.5),
    st.floats(0.0, 1.5),
    st.sampled_from([None, "neutral"]),
)


@given(frames, configs)
def test_no_label_is_ever_below_the_off_threshold(stream: list, config: ControllerConfig) -> None:
    """A steady label always has at least `off` of smoothed probability, and began with at least `on`."""
    controller, time_s = Controller(CLASSES, config), 0.0
    for p, dt_s, known in stream:
        time_s += dt_s
        steady = controller.update(p, time_s, known)
        if steady.label is not None:
            assert steady.confidence == controller.smoothed[CLASSES.index(steady.label)]
            assert steady.confidence >= (config.on if steady.changed else config.off)


@given(frames, configs)
def test_no_steering_label_begins_within_the_refractory_time(stream: list, config: ControllerConfig) -> None:
    """Two steering labels begin at least `refractory_s` apart, and `changed` tells each change."""
    controller, time_s, began_s, before = Controller(CLASSES, config), 0.0, -math.inf, None
    for p, dt_s, known in stream:
        time_s += dt_s
        steady = controller.update(p, time_s, known)
        assert steady.changed == (steady.label != before)
        assert steady.steers == (steady.label not in (None, config.neutral))
        if steady.changed and steady.steers:
            assert time_s - began_s >= config.refractory_s - 1e-9
            began_s = time_s
        before = steady.label


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.02, 0.5))
def test_the_result_depends_on_time_and_not_on_the_frame_rate(slow: int, fast: int, smoothing_s: float) -> None:
    """The same probabilities for the same time give the same smoothed state at any number of frames a second."""
    results = []
    for steps in (slow, fast):
        controller = Controller(CLASSES, ControllerConfig(smoothing_s=smoothing_s))
        controller.update(NEUTRAL, 0.0)
        for n in range(steps):
            controller.update(LEFT, 0.8 * (n + 1) / steps)
        results.append(controller.smoothed)
    np.testing.assert_allclose(results[0], results[1], atol=1e-12)


def test_the_smoothing_is_a_first_order_low_pass() -> None:
    """At a constant frame rate the smoothed state equals SciPy's filter with the same time constant."""
    rng = np.random.default_rng(0)
    noisy = rng.dirichlet(np.ones(3), size=200)
    controller = Controller(CLASSES, ControllerConfig(smoothing_s=0.2))
    controller.update(noisy[0], 0.0)
    ours = []
    for n, p in enumerate(noisy[1:], 1):
        controller.update(p, n / 30)
        ours.append(controller.smoothed)
    keep = math.exp(-1 / 30 / 0.2)
    reference = signal.lfilter([1 - keep], [1, -keep], noisy[1:], axis=0)
    np.testing.assert_allclose(ours, reference, atol=1e-12)


def test_a_sure_head_steers_after_the_smoothing_time_and_not_on_one_frame() -> None:
    """With the default settings a turn shows after about 0.08 s of frames, and a single stray frame never does."""
    controller = Controller(CLASSES)
    assert controller.update(LEFT, 0.0).label is None
    said = feed(controller, LEFT, 0.0, 0.3)
    first = next(n for n, steady in enumerate(said, 1) if steady.label == "left")
    assert 0.06 <= first / 50 <= 0.1
    assert [steady.changed for steady in said].count(True) == 1
    stray = controller.update(RIGHT, 0.32)
    assert (stray.label, stray.changed) == ("left", False)


def test_a_label_between_the_thresholds_stays() -> None:
    """Between `off` and `on` a label neither ends nor begins, so that noise there changes nothing."""
    controller = Controller(CLASSES, ControllerConfig(smoothing_s=0.0))
    middle = np.array([0.5, 0.5, 0.0])
    assert controller.update(middle, 0.0).label is None
    assert controller.update(LEFT, 0.1).label == "left"
    assert controller.update(middle, 0.2).label == "left"
    assert controller.update(np.array([0.39, 0.55, 0.06]), 0.3).label is None


def test_unknown_pictures_fade_a_label_out() -> None:
    """A picture that is none of the classes lowers every class, and a run of them ends the label, once."""
    controller = Controller(CLASSES)
    feed(controller, LEFT, 0.0, 1.0)
    said = [controller.update(LEFT, 1.0 + n / 50, known=False) for n in range(1, 26)]
    assert said[0].label == "left"
    assert said[-1].label is None
    assert [steady.changed for steady in said].count(True) == 1
    assert controller.smoothed.max() < 0.05


def test_the_neutral_class_is_a_label_that_does_not_steer() -> None:
    """Neutral is reported, does not steer, and begins within the refractory time of a steering label."""
    controller = Controller(CLASSES, ControllerConfig(smoothing_s=0.0, refractory_s=1.0, neutral="neutral"))
    assert controller.update(LEFT, 0.0) == Steady("left", 1.0, changed=True, steers=True)
    assert controller.update(NEUTRAL, 0.1) == Steady("neutral", 1.0, changed=True, steers=False)
    assert controller.update(RIGHT, 0.2).label is None
    assert controller.update(RIGHT, 1.0) == Steady("right", 1.0, changed=True, steers=True)


@pytest.mark.parametrize("leap_s", [-5.0, 5.0])
def test_a_leap_of_the_clock_starts_anew(leap_s: float) -> None:
    """After a gap, or where time runs backwards, the old label is dropped and new frames must earn theirs."""
    controller = Controller(CLASSES, ControllerConfig(refractory_s=0.2))
    feed(controller, LEFT, 10.0, 1.0)
    steady = controller.update(RIGHT, 11.0 + leap_s)
    assert (steady.label, steady.changed, steady.confidence) == (None, True, 0.0)
    assert feed(controller, RIGHT, 11.0 + leap_s, 0.5)[-1].label == "right"


def test_the_refractory_time_outlasts_a_gap() -> None:
    """Lost frames do not shorten the refractory time."""
    controller = Controller(CLASSES, ControllerConfig(smoothing_s=0.0, refractory_s=10.0))
    controller.update(LEFT, 0.0)
    assert controller.update(RIGHT, 5.0).label is None
    assert controller.update(RIGHT, 10.0).label == "right"


def test_reset_forgets_everything() -> None:
    """After reset the controller behaves like a new one."""
    used, new = Controller(CLASSES), Controller(CLASSES)
    feed(used, LEFT, 0.0, 1.0)
    used.reset()
    assert used.update(RIGHT, 3.0) == new.update(RIGHT, 3.0)
    assert feed(used, RIGHT, 3.0, 0.3) == feed(new, RIGHT, 3.0, 0.3)


def test_no_classes_is_no_label() -> None:
    """A controller with nothing taught yet says None instead of failing."""
    assert Controller(()).update(np.zeros(0), 0.0) == Steady(None, 0.0, changed=False)


@pytest.mark.parametrize(
    "bad", [np.zeros(2), np.zeros((1, 3)), np.full(3, np.nan), np.array([2.0, 0, 0]), np.array([-0.1, 0, 0])]
)
def test_bad_probabilities_are_refused_and_change_nothing(bad: np.ndarray) -> None:
    """A wrong length, NaN, or values outside 0..1 raise one line, and the state stays as it was."""
    controller = Controller(CLASSES)
    feed(controller, LEFT, 0.0, 1.0)
    before = controller.smoothed
    with pytest.raises(ShapeError) as error:
        controller.update(bad, 1.1)
    assert "\n" not in str(error.value)
    np.testing.assert_array_equal(controller.smoothed, before)


def test_a_time_that_is_no_number_is_refused() -> None:
    """NaN as a frame's time raises instead of poisoning the smoothing."""
    with pytest.raises(ShapeError, match="time_s=nan"):
        Controller(CLASSES).update(LEFT, math.nan)


@pytest.mark.parametrize(
    "settings", [{"on": 0.3}, {"on": 1.2}, {"off": -0.1}, {"smoothing_s": -1.0}, {"refractory_s": math.nan}]
)
def test_impossible_settings_are_refused(settings: dict) -> None:
    """Thresholds in the wrong order and times that are negative or no number raise ConfigError."""
    with pytest.raises(ConfigError):
        ControllerConfig(**settings)


def test_a_neutral_class_that_is_not_taught_is_refused() -> None:
    """The neutral class must be one of the classes."""
    with pytest.raises(ConfigError, match="'rest' is not taught; wanted one of left, neutral, right"):
        Controller(CLASSES, ControllerConfig(neutral="rest"))
