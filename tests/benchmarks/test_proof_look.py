"""The proof of the ways to look, short: every fifth picture and looser bounds than `make prove`, the same code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from lacking import lacking

from benchmarks.look_ways import Way, mean_recall, models_folder, open_ways, see, takes_of
from benchmarks.pictures import Embedded, Pictures, digits, faces, sessions
from benchmarks.proof_few import curve, signers
from benchmarks.proof_look import face_takes, nothing, people, protocols, thinned, with_a_few
from edge_tl.embedders.embedder import Embedder


@pytest.fixture(scope="session")
def ways() -> dict[str, Embedder]:
    """The ways to look, with the models of the downloaded wheel."""
    folder = models_folder()
    if folder is None:
        pytest.skip(lacking("the wheel of mediapipe"))
    return open_ways(folder)


@pytest.fixture(scope="session")
def hands(data: Callable[[str], Path], ways: dict[str, Embedder]) -> dict[str, Embedded]:
    """Every fifth picture of the four sessions, all of the smallest."""
    pictures = sessions(data("hands_sessions").parent)
    chosen = (np.arange(len(pictures.paths)) % 5 == 0) | (pictures.groups == "session_15")
    return see(pictures.where(chosen), {name: ways[name] for name in ("frame", "hand-crop", "hand")})


def test_a_hand_taught_on_one_day_is_named_on_another(hands: dict[str, Embedded], ways: dict[str, Embedder]) -> None:
    """Taught in one session, fingers are named in each other one; taught in three, better in the fourth."""
    way = Way(ways["hand"], hands["hand"], takes_of(hands["hand"].pictures))
    found = protocols(lambda _: way, way.seen.groups)
    assert found["one"]["mean"] >= 0.8
    assert found["three"]["mean"] >= max(0.87, found["one"]["mean"])
    assert nothing(way) <= 0.05


def test_the_whole_frame_is_not(hands: dict[str, Embedded], ways: dict[str, Embedder]) -> None:
    """The whole frame stays near chance in a session that was not taught, the upright crop far above it."""
    found = {}
    for name in ("frame", "hand-crop"):
        way = Way(ways[name], hands[name], takes_of(hands[name].pictures))
        found[name] = protocols(lambda _, way=way: way, way.seen.groups)["three"]["mean"]
    assert found["frame"] <= 0.4
    assert found["hand-crop"] >= found["frame"] + 0.2


def test_a_few_examples_of_the_new_day_do_no_harm(hands: dict[str, Embedded], ways: dict[str, Embedder]) -> None:
    """Three examples a class of the new session, appended as they are, cost no accuracy there."""
    way = Way(ways["hand"], hands["hand"], takes_of(hands["hand"].pictures))
    assert with_a_few(way, 3, seeds=2)["mean"] >= with_a_few(way, 0, seeds=2)["mean"] - 0.03


def test_where_unseen_people_look(data: Callable[[str], Path], ways: dict[str, Embedder]) -> None:
    """Taught where eleven people look, the key points of the face say where the twelfth does."""
    pictures = faces(data("cmu_faces").parent)
    pictures = pictures.where(np.arange(len(pictures.paths)) % 3 == 0)
    seen = see(pictures, {name: ways[name] for name in ("face", "face-crop")})
    for name in seen:
        found = people(Way(ways[name], seen[name], face_takes(pictures)))
        assert found["mean"] >= 0.92
        assert found["worst"] >= 0.7


def test_nothing_found_is_wrong() -> None:
    """The score is the mean of the classes' recalls, and an answer that is no label counts against its class."""
    assert mean_recall(np.array(["a", "a", "a", "b"]), np.array(["a", "a", "", "b"])) == pytest.approx(5 / 6)


def test_a_take_is_a_run_of_one_label() -> None:
    """Pictures of one label that follow each other within a session are one take, whatever the order of the files."""
    names = ["s/1/pic3.jpg", "s/1/pic10.jpg", "s/2/pic5.jpg", "t/2/pic6.jpg", "s/1/pic4.jpg"]
    paths = tuple(Path(name) for name in names)
    groups, labels = (np.array([path.parts[i] for path in paths]) for i in (0, 1))
    takes = takes_of(Pictures(paths, labels, groups))
    assert takes.tolist() == [0, 2, 1, 3, 0]
    assert thinned(labels, groups, 2).tolist() == [True, False, True, True, True]
    assert thinned(labels, groups, 1).sum() == 3


def test_one_picture_of_each_hand_is_enough(data: Callable[[str], Path], ways: dict[str, Embedder]) -> None:
    """One picture a digit names other people's hands with every head, a second costs nothing, and little is claimed."""
    pictures = digits(data("sign_digits").parent)
    assert len(np.unique(signers(pictures))) == 61
    way = Way(ways["hand"], see(pictures, {"hand": ways["hand"]})["hand"], np.arange(len(pictures.paths)))
    one, two = (curve("digits", way, "reported", count, draws=6) for count in (1, 2))
    for head, least in (("ridge", 0.92), ("softmax", 0.91), ("prototype", 0.91), ("knn", 0.9)):
        assert one[head] >= least
        assert two[head] >= max(one[head] - 0.02, 0.92)
    assert one["said"] <= one["said_right"] - 0.1
