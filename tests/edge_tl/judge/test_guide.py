"""The teacher's guide: what went wrong with the examples is said, and nothing is said where nothing did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from device.screens.cells import wrap
from edge_tl.core.features import FeatureMap
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ShapeError
from edge_tl.judge.evidence import RecordedEvidence
from edge_tl.judge.guide import Advice, advise, every_advice, mislabelled
from edge_tl.media.image import decode
from edge_tl.models import default_model

Data = Callable[[str], Path]


def embedded(paths: list[Path]) -> np.ndarray:
    """The rows that a head sees of pictures, by the shipped model."""
    embedder = TFLiteEmbedder.load(default_model(), threads=1)
    return FeatureMap()(np.stack([embedder.embed(decode(path)) for path in paths]), embedder.embedding_shape)


@pytest.fixture(scope="module")
def digits_rows() -> dict[str, RecordedEvidence]:
    """Filled by `digits` once."""
    return {}


@pytest.fixture
def digits(data: Data, digits_rows: dict[str, RecordedEvidence]) -> RecordedEvidence:
    """Hands of many people showing 0, 1, 2, 4 and 5, 30 pictures each, five to a take."""
    root = data("sign_digits")
    if not digits_rows:
        paths = [path for label in "01245" for path in sorted((root / label).iterdir())[:30]]
        y = np.array([path.parent.name for path in paths])
        digits_rows["all"] = RecordedEvidence(embedded(paths), y, np.arange(len(paths)) // 5)
    return digits_rows["all"]


@pytest.fixture(scope="module")
def faces(request: pytest.FixtureRequest) -> RecordedEvidence:
    """Faces of six people that look left, right, straight and up: each person's pictures of a pose are a take."""
    root = request.getfixturevalue("data")("cmu_faces")
    people = sorted(path for path in root.iterdir() if path.is_dir())[:6]
    paths = [path for person in people for path in sorted(person.glob("*.png"))]
    y = np.array([path.name.split("_")[0] for path in paths])
    takes = np.unique(
        [f"{path.parent.name} {label}" for path, label in zip(paths, y, strict=True)], return_inverse=True
    )
    return RecordedEvidence(embedded(paths), y, takes[1].reshape(-1))


def kinds(recorded: RecordedEvidence) -> list[str]:
    """The kinds of all that is said."""
    return [advice.kind for advice in every_advice(recorded)]


def said(recorded: RecordedEvidence, kind: str) -> Advice:
    """What is said of this kind."""
    (advice,) = [advice for advice in every_advice(recorded) if advice.kind == kind]
    return advice


def takes_of(label: str, rows: np.ndarray, take: int = 0) -> tuple[np.ndarray, list[str], list[int]]:
    """One take."""
    return rows, [label] * len(rows), [take] * len(rows)


def recorded_of(*takes: tuple[np.ndarray, list[str], list[int]], **more: object) -> RecordedEvidence:
    """All the takes together."""
    X, y, numbers = zip(*takes, strict=True)
    rows = np.concatenate(X).astype(np.float32)
    finds = rows.any(axis=1)  # a row of zeros stands for what was not found
    return RecordedEvidence(rows, np.concatenate(y), np.concatenate(numbers), finds=finds, **more)  # type: ignore


def scattered(label: str, middle: list[float], take: int, frames: int = 20) -> tuple[np.ndarray, list[str], list[int]]:
    """A take around a point of the plane, never zero."""
    rng = np.random.default_rng(take)
    return takes_of(label, np.array(middle) + rng.normal(0, 0.05, (frames, len(middle))), take)


@pytest.mark.parametrize("seed", range(4))
def test_swapped_labels_are_named(digits: RecordedEvidence, seed: int) -> None:
    """Of three real pictures that got another class's label, at least two are named, with few others beside them."""
    rng = np.random.default_rng(seed)
    swapped = rng.choice(len(digits.y), 3, replace=False)
    y = digits.y.copy()
    for row in swapped:
        y[row] = rng.choice(np.setdiff1d(np.unique(y), y[row]))
    advice = mislabelled(replace(digits, y=y))
    assert advice is not None
    assert len(set(advice.examples) & set(swapped)) >= 2
    assert len(advice.examples) <= 9
    assert all(label in advice.text for label in advice.labels)


def test_a_face_with_the_wrong_label_is_named(faces: RecordedEvidence) -> None:
    """A face that looks left and is called right is the first that is suspected, and both classes are named."""
    y = faces.y.copy()
    row = int(np.flatnonzero(y == "left")[10])
    y[row] = "right"
    advice = mislabelled(replace(faces, y=y))
    assert advice is not None
    assert row in advice.examples
    assert faces.X.shape[0] / len(advice.examples) > 20


def test_two_names_for_one_thing_overlap(digits: RecordedEvidence) -> None:
    """Takes of one class under two names: the two are named, with how often they are mixed up and in which examples."""
    y = np.where((digits.y == "1") & (digits.takes % 2 == 0), "one", digits.y)
    advice = said(replace(digits, y=y), "overlap")
    assert advice.labels == ("1", "one")
    assert "1 and one are confused in" in advice.text
    assert "of 30" in advice.text
    assert set(y[list(advice.examples)]) <= {"1", "one"}
    assert str(len(advice.examples)) in advice.text


def test_well_taught_classes_do_not_overlap(digits: RecordedEvidence) -> None:
    """Of the same pictures under their right labels nothing of the kind is said."""
    assert not {"overlap", "few", "one-take", "one-spot", "nothing-found"} & set(kinds(digits))


def test_a_take_recorded_with_the_wrong_key_is_told_at_once(digits: RecordedEvidence) -> None:
    """The last take shows 5 and was called 1: that comes first, with all of the take, and names both."""
    y = digits.y.copy()
    take = int(digits.takes[digits.y == "5"][7])
    rows = np.flatnonzero(digits.takes == take)
    y[rows] = "1"
    advice = advise(replace(digits, y=y, take=take))
    assert advice.kind == "wrong-take"
    assert advice.labels == ("1", "5")
    assert list(advice.examples) == rows.tolist()
    assert "wrong-take" in kinds(replace(digits, y=y))
    assert "wrong-take" not in kinds(replace(digits, take=take))


def test_what_is_still_wanted_comes_before_all_that_is_judged(digits: RecordedEvidence) -> None:
    """Classes below the minimum, those without any example included, are named with what they lack."""
    some = np.arange(len(digits.y)) < 70
    few = replace(digits, X=digits.X[some], y=digits.y[some], takes=digits.takes[some], labels=("0", "1", "2", "fist"))
    advice = advise(few)
    assert advice == Advice("few", "still needed: 10 more of 2, 20 more of fist", ("2", "fist"))
    assert advise(RecordedEvidence(np.zeros((0, 5)), np.array([], str), np.array([], int))).kind == "few"


def test_one_class_needs_another() -> None:
    """With a single class, however many examples it has, a second one is asked for."""
    assert "second class" in advise(recorded_of(scattered("a", [1, 0], 0), scattered("a", [1, 0], 1))).text


def test_a_class_shown_once_is_asked_for_again(digits: RecordedEvidence) -> None:
    """A class with one take, however long, is named."""
    advice = said(replace(digits, takes=np.where(digits.y == "4", 1000, digits.takes)), "one-take")
    assert advice.labels == ("4",)


def test_takes_that_hardly_differ_are_from_one_spot(digits: RecordedEvidence) -> None:
    """The same pictures in every take are one spot; other people's hands are not."""
    rng = np.random.default_rng(0)
    first = np.isin(digits.takes, [0, 6, 12, 18, 24])
    X = np.concatenate([digits.X[first]] * 3)
    X = X + rng.normal(0, 0.001, X.shape).astype(np.float32)
    y, takes = np.tile(digits.y[first], 3), np.concatenate([digits.takes[first] + 100 * i for i in range(3)])
    advice = said(RecordedEvidence(X, y, takes, minimum=10), "one-spot")
    assert advice.labels == ("0", "1", "2", "4", "5")
    assert "and 2 more" in advice.text
    assert "one-spot" not in kinds(digits)


def test_where_the_hand_was_found_says_whether_it_moved() -> None:
    """Of hands it is their place in the picture that counts, not what their shape's embedding looks like."""
    takes = [scattered(label, [label == "a", label == "b"], i) for i, label in enumerate("abab")]
    still = recorded_of(*takes, looks_for="hand", spots=np.full((80, 2), 0.5))
    assert said(still, "one-spot").labels == ("a", "b")
    moved = np.where(still.y == "a", still.takes / 4, 0.5)
    assert said(replace(still, spots=np.stack([moved, moved], axis=1)), "one-spot").labels == ("b",)
    assert "one-spot" not in kinds(replace(still, spots=None))
    assert "one-spot" not in kinds(replace(still, spots=np.full((80, 2), np.nan)))


def test_frames_without_a_hand_are_told_first() -> None:
    """A take in which the hand was often not found says so, with how often, and with the frames."""
    a, b = scattered("a", [1, 0], 0, 30), scattered("b", [0, 1], 1, 30)
    b[0][:12] = 0
    recorded = recorded_of(a, b, looks_for="hand", take=1)
    advice = advise(recorded)
    assert advice.text == "no hand in 12 of 30 frames of b: more light, or come nearer"
    assert advice.examples == tuple(range(30, 42))
    assert "nothing-found" not in kinds(replace(recorded, take=0))
    assert "nothing-found" in kinds(replace(recorded, take=None))


def test_a_class_for_nobody_there_is_no_fault() -> None:
    """A class that shows that nothing is there is told once what it means now, and never that it needs more light."""
    takes = [scattered("a", [1, 0], 0), scattered("b", [0, 1], 1), takes_of("empty", np.zeros((20, 2)), 2)]
    first = recorded_of(*takes, looks_for="hand", take=2)
    assert advise(first).text == "no hand in 20 of 20 frames of empty: it now stands for pictures without one"
    again = recorded_of(*takes, takes_of("empty", np.zeros((20, 2)), 3), looks_for="hand", take=3)
    assert "nothing-found" not in kinds(again)
    assert "empty" not in again.found
    assert "nothing-found" not in kinds(replace(again, take=None))
    dark = recorded_of(*takes, takes_of("dark", np.zeros((10, 2)), 3), looks_for="hand", take=None)
    assert advise(dark).text == "no hand in 10 of 10 frames of dark: more light, or come nearer"


def test_one_place_only_is_said_where_places_are_known(digits: RecordedEvidence) -> None:
    """With one session a second one is asked for; with two, or where sessions are unknown, not."""
    one = np.zeros(len(digits.y), int)
    assert "one-session" in kinds(replace(digits, sessions=one))
    assert "one-session" not in kinds(digits)
    assert "one-session" not in kinds(replace(digits, sessions=np.arange(len(one)) % 2))


def test_the_class_found_least_is_the_next(faces: RecordedEvidence) -> None:
    """Where nothing is wrong, the class with the lowest recall is to be recorded next."""
    advice = said(faces, "next")
    assert advice.labels == (min(faces.found, key=lambda name: faces.found[name]),)
    assert f"{faces.found[advice.labels[0]]:.0%}" in advice.text


def test_enough_is_said_when_it_is_enough() -> None:
    """Classes that are found without fault in takes that differ: nothing more is asked for."""
    spread = [([3, 0, 0], "a"), ([3, 4, 0], "a"), ([0, 0, 3], "b"), ([0, 4, 3], "b")]
    recorded = recorded_of(*[scattered(label, place, i) for i, (place, label) in enumerate(spread)])
    assert kinds(recorded) == ["ready"]


def test_the_answers_do_not_change(digits: RecordedEvidence) -> None:
    """The same recorded examples, with or without their products known, get the same sentences."""
    with_gram = replace(digits, gram=digits.X @ digits.X.T)
    assert [*every_advice(with_gram)] == [*every_advice(digits)] == [*every_advice(replace(digits))]


def test_what_does_not_fit_together_is_refused() -> None:
    """Rows, takes or sessions of another number than the labels are one line."""
    with pytest.raises(ShapeError, match="3 takes came with 2 labels"):
        RecordedEvidence(np.zeros((2, 4)), np.array(["a", "b"]), np.arange(3))


def test_a_class_of_one_session_is_named(digits: RecordedEvidence) -> None:
    """Where there are two sessions, a class that only one of them has is asked for in the other."""
    sessions = np.arange(len(digits.y)) % 2
    label = str(digits.y[0])
    sessions[digits.y == label] = 0
    kinds = {advice.kind: advice for advice in every_advice(replace(digits, sessions=sessions))}
    assert kinds["elsewhere"].labels == (label,)
    assert f"{label}: recorded in only one session" in kinds["elsewhere"].text
    assert "elsewhere" not in {advice.kind for advice in every_advice(digits)}


@st.composite
def anything(draw: st.DrawFn) -> RecordedEvidence:
    """Examples as odd as they come: torn takes, single examples, zero rows, equal rows, strange labels."""
    count = draw(st.integers(0, 25))
    X = draw(
        arrays.arrays(np.float32, (count, 3), elements=st.sampled_from([0.0, 1.0]) | st.floats(-100, 100, width=32))
    )
    X[np.abs(X) < 1e-6] = 0  # a FeatureMap gives rows of length 1, or zeros
    numbers = arrays.arrays(np.int64, count, elements=st.integers(-2, 4))
    labels = draw(st.lists(st.sampled_from(["a", "b", "ü 🙂", "<i>"]), min_size=count, max_size=count))
    return RecordedEvidence(
        X,
        np.array(labels, str),
        draw(numbers),
        draw(st.none() | numbers),
        minimum=draw(st.integers(0, 5)),
        labels=tuple(draw(st.lists(st.sampled_from("xa"), max_size=2))),
        take=draw(st.none() | st.integers(-2, 5)),
        looks_for=draw(st.sampled_from(["", "hand"])),
        spots=draw(st.none() | arrays.arrays(float, (count, 2), elements=st.floats(0, 1) | st.just(np.nan))),
    )


@given(anything())
@settings(max_examples=150)
def test_whatever_was_recorded_gets_a_sentence(recorded: RecordedEvidence) -> None:
    """Any examples give one line at least, about classes and examples that there are, each kind once."""
    advices = [*every_advice(recorded)]
    assert advices[0] == advise(recorded)
    assert len({advice.kind for advice in advices}) == len(advices)
    for advice in advices:
        assert advice.text
        assert "\n" not in advice.text
        assert set(advice.labels) <= {*recorded.labels, *recorded.y.tolist()}
        assert all(0 <= row < len(recorded.y) for row in advice.examples)
        assert len(set(advice.examples)) == len(advice.examples)


@pytest.mark.parametrize("columns", [20, 40, 200])
def test_long_sentences_take_two_lines_of_the_screen(columns: int) -> None:
    """A sentence is broken at spaces, loses no word, and only its last line may be too long."""
    text = "fist and palm are confused in 18 of 60: show them more differently, or from a smaller distance"
    lines = wrap(text, columns, 2)
    assert " ".join(lines) == text
    assert len(lines) == (1 if columns == 200 else 2)
    assert len(lines[0]) <= columns
