"""Each cause is said where its own test holds, and not where it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge_tl.judge.evidence import RecordedEvidence
from edge_tl.judge.why import CAUSES, AskedExample, TaughtExamples, TriedRepair, explain
from edge_tl.labels import OTHER

FIST, PALM = np.eye(8)[0], np.eye(8)[1]
USUAL = np.log(np.tile((100.0, 50.0, 1.0, 200.0), (6, 1)))


def near(row: np.ndarray, seed: int, by: float = 0.02) -> np.ndarray:
    """A row that is a little away from another."""
    return np.asarray(row + by * np.random.default_rng(seed).normal(size=row.shape))


@pytest.fixture
def taught() -> TaughtExamples:
    """Two classes of four takes in two sessions, five examples each; enough of both."""
    X, y, takes, sessions = [], [], [], []
    for take in range(8):
        label, row = (("fist", FIST), ("palm", PALM))[take % 2]
        for frame in range(5):
            X.append(near(row, 10 * take + frame))
            y.append(label)
            takes.append(take)
            sessions.append(take // 4)
    rows = np.array(X, np.float32)
    return TaughtExamples(RecordedEvidence(rows, np.array(y), np.array(takes), np.array(sessions), minimum=20))


def asked(
    row: np.ndarray | None, answer: str | None = "fist", was: str | None = "palm", fist: float = 0.9
) -> AskedExample:
    """Taken for a fist."""
    chances = {} if row is None else {"fist": fist, "palm": 1 - fist}
    return AskedExample(row, chances, answer, was, USUAL[0], USUAL)


def kinds(of: TaughtExamples, one: AskedExample) -> list[str]:
    """The causes, the likeliest first."""
    found = [cause.kind for cause in explain(of, one).causes]
    assert set(found) <= set(CAUSES)
    assert len(set(found)) == len(found)
    return found


def test_the_nearest_are_shown_and_the_nearest_of_its_class(taught: TaughtExamples) -> None:
    """Three examples, the nearest first, and one of what it was; what is the picture itself is none of them."""
    row = near(FIST, 99)
    told = explain(taught, asked(row))
    assert [one.label for one in told.nearest] == ["fist"] * 3
    assert told.nearest[0].likeness >= told.nearest[1].likeness >= told.nearest[2].likeness > 0.9
    assert told.right is not None
    assert told.right.label == "palm"
    first = taught.recorded.X[7].astype(np.float64)
    assert 7 not in [one.index for one in explain(taught, asked(first)).nearest]


@pytest.mark.parametrize(
    ("measure", "times", "kind", "word"),
    [
        (0, 0.4, "light", "darker"),
        (0, 2.0, "light", "lighter"),
        (1, 0.4, "light", "flatter"),
        (1, 2.0, "light", "harsher"),
        (2, 5.0, "grain", "noisier"),
        (3, 0.5, "unsharp", "less sharp"),
    ],
)
def test_what_lies_far_from_the_nearest_pictures_is_a_cause(
    taught: TaughtExamples, measure: int, times: float, kind: str, word: str
) -> None:
    """Light, contrast, grain and sharpness, each on its own; a fifth more or less is none."""
    one = asked(near(PALM, 50), fist=0.95)
    away, little = np.zeros(4), np.zeros(4)
    away[measure], little[measure] = np.log(times), np.sign(np.log(times)) * 0.18
    causes = explain(taught, replace(one, measures=USUAL[0] + away)).causes
    assert causes[0].kind == kind
    assert word in causes[0].text
    assert kind not in kinds(taught, replace(one, measures=USUAL[0] + little))


def test_what_undone_brings_it_back_is_a_cause(taught: TaughtExamples) -> None:
    """One repair that makes it like its class is told; where many others do the same, it was chance."""
    far = FIST + 0.8 * np.eye(8)[3]
    back, same = near(PALM, 60), near(far, 61, 0.001)
    one = asked(far)
    tried = [TriedRepair("turn", 30.0, back, "palm")]
    tried += [TriedRepair(kind, 1.0, same, "fist") for kind in ("distance", "spot", "mirrored", "spot", "distance")]
    turned = explain(taught, replace(one, tried=tried)).causes
    assert turned[0].kind == "turn"
    assert "turned by +30°" in turned[0].text
    assert "chance" not in [cause.kind for cause in turned]
    many = [TriedRepair(kind, 1.0, back, "palm") for kind in ("turn", "distance", "spot", "mirrored")]
    found = kinds(taught, replace(one, tried=many))
    assert found[0] == "chance"
    assert not {"turn", "distance", "spot", "mirrored"} & set(found)


def test_nothing_found_is_said_with_what_finds_it(taught: TaughtExamples) -> None:
    """Where nothing was found there are no neighbours; a repair that finds it comes first."""
    of, one = TaughtExamples(replace(taught.recorded, looks_for="hand")), asked(None, answer=None)
    lost = [TriedRepair(kind, 1.0, None, None) for kind in ("turn", "spot", "mirrored", "spot")]
    told = explain(of, replace(one, tried=[TriedRepair("distance", 1.7, near(PALM, 3), "palm"), *lost]))
    assert (told.nearest, told.right) == ((), None)
    assert [cause.kind for cause in told.causes] == ["distance", "nobody"]
    assert "further away" in told.causes[0].text
    assert "no hand was found" in told.causes[1].text


def test_a_doubtful_label_near_by_is_a_cause(taught: TaughtExamples) -> None:
    """An example that its own take's neighbours contradict is named as what misled."""
    recorded = taught.recorded
    y = recorded.y.copy()
    y[5] = "fist"  # the first of a take of palms
    doubtful = TaughtExamples(replace(recorded, y=y))
    row = near(recorded.X[5].astype(np.float64), 70, 0.001)
    assert "label" in kinds(doubtful, asked(row))
    assert "label" not in kinds(taught, asked(near(FIST, 71)))


def test_few_examples_and_one_take_are_causes(taught: TaughtExamples) -> None:
    """A class below what is enough, or of one take."""
    rows = np.flatnonzero((taught.recorded.y == "fist") | (np.arange(40) == 5))
    assert "thin" in kinds(TaughtExamples(taught.recorded.only(rows)), asked(near(PALM, 80)))
    one_take = np.flatnonzero((taught.recorded.y == "fist") | (taught.recorded.takes == 1))
    few = replace(taught.recorded.only(one_take), minimum=5)
    causes = explain(TaughtExamples(few), asked(near(PALM, 81))).causes
    assert "all examples of palm are of one take" in [cause.text for cause in causes]
    assert "thin" not in kinds(taught, asked(near(PALM, 82)))
    # What ships of the world's sound is no class that anybody records.
    assert "thin" not in kinds(taught, asked(near(PALM, 83), was=OTHER))
    assert "thin" in kinds(taught, asked(near(PALM, 83), was="wave"))


def test_another_place_is_told_from_a_class_taught_in_one(taught: TaughtExamples) -> None:
    """Far from everything: another place; where its class has one session only, that is too few."""
    far = PALM + np.eye(8)[5] + 0.9 * FIST
    assert "place" in kinds(taught, asked(far, answer=None))
    first = np.flatnonzero((taught.recorded.y == "fist") | (taught.recorded.sessions == 0))
    assert "sessions" in kinds(
        TaughtExamples(taught.recorded.only(first)), asked(far, answer=None, was="palm", fist=0.1)
    )
    assert not {"place", "sessions"} & set(kinds(taught, asked(near(PALM, 91), answer=None, fist=0.1)))


def test_a_class_that_was_not_taught_so_is_told(taught: TaughtExamples) -> None:
    """Where another class's examples are much nearer than any of its own."""
    causes = explain(taught, asked(near(FIST, 92))).causes
    assert any(cause.text.startswith("palm was not taught like this, and fist was") for cause in causes)


def test_nearly_as_likely_classes_are_told(taught: TaughtExamples) -> None:
    """Between two classes, with both shares; not where one is clear."""
    causes = explain(taught, asked(near(PALM, 93), answer=None, fist=0.52)).causes
    assert causes[-1].text == "between fist (52%) and palm (48%)"
    assert "between" not in kinds(taught, asked(near(PALM, 94), answer=None, fist=0.8))


def test_a_right_answer_has_no_causes(taught: TaughtExamples) -> None:
    """What a person says it was is what was answered: there is nothing to explain."""
    told = explain(taught, asked(near(FIST, 95), was="fist"))
    assert told.causes == ()
    assert len(told.nearest) == 3
