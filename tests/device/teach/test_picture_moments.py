"""What a camera was answered is kept for a while, once for each time, and becomes an example of what it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from device.teach.marked import SESSION, mark_picture, miss_picture, moment_json
from device.teach.picture_moments import KEPT_S, MAX_MOMENTS, PictureMoments
from edge_tl.controller import Steady
from edge_tl.core.answers import Observation
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ExampleError
from edge_tl.frames import Frame
from edge_tl.line import Sight
from edge_tl.models import default_model
from edge_tl.recognizer import Recognizer
from edge_tl.store.examples import ExampleStore

GREY = np.full((24, 32, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    """Of the shipped embedder, with nothing taught."""
    return Recognizer(TFLiteEmbedder.load(default_model(), threads=1))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ExampleStore]:
    """Two classes, nothing recorded."""
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        store.add_label("fist")
        store.add_label("palm")
        yield store


def sight(at_s: float, told: str | None = None, *, known: bool = True, found: bool = True) -> Sight:
    """A frame at a time, with its answer, and the steady label that begins with it."""
    seen = Observation("fist" if known else None, "fist", np.array([0.8, 0.2]), known, found=found)
    steady = Steady(told, 0.9, changed=told is not None)
    return Sight(Frame(GREY, at_s), np.ones(4, np.float32), seen, ("fist", "palm"), steady)


def test_what_is_told_and_what_is_refused_for_a_while_are_moments(recognizer: Recognizer) -> None:
    """Each sign once, as it begins; none of these once it lasted half a second, and again after something else."""
    moments, embedder = PictureMoments(), recognizer.embedder
    assert moments.take(sight(0.0), embedder) is None
    first = moments.take(sight(0.1, "fist"), embedder)
    assert first is not None
    assert (first.number, first.label, first.nearest) == (1, "fist", "fist")
    made = [moments.take(sight(1 + at / 10, known=False), embedder) for at in range(20)]
    assert [one.number for one in made if one is not None] == [2]
    assert made[5] is not None
    assert made[5].label is None
    moments.take(sight(4.0), embedder)
    made = [moments.take(sight(5 + at / 10, known=False), embedder) for at in range(8)]
    assert [one.number for one in made if one is not None] == [3]
    assert all(moments.take(sight(7 + at / 10, known=False, found=False), embedder) is None for at in range(20))
    assert moments.picture(None).shape == GREY.shape
    assert moment_json(first) == {
        "number": 1,
        "label": "fist",
        "nearest": "fist",
        "confidence": 0.9,
        "can_be_marked": True,
        "can_be_explained": True,
        "marked": None,
    }


def test_pictures_are_forgotten(recognizer: Recognizer) -> None:
    """After ten minutes the picture is gone, the answer stays; of many answers the last twenty."""
    moments, embedder = PictureMoments(), recognizer.embedder
    with pytest.raises(ExampleError, match="nothing was reported yet"):
        moments.moment(None)
    for at in range(MAX_MOMENTS + 5):
        moments.take(sight(float(at), "fist"), embedder)
    assert [one.number for one in moments.moments] == list(range(6, MAX_MOMENTS + 6))
    with pytest.raises(ExampleError, match="no answer with number 5: the last 20"):
        moments.moment(5)
    moments.take(sight(KEPT_S + 10.0), embedder)
    with pytest.raises(ExampleError, match="its picture is gone: an answer can be looked at for 10 minutes"):
        moments.jpeg(7)
    assert moments.jpeg(MAX_MOMENTS + 5)[:3] == b"\xff\xd8\xff"


def test_a_marked_picture_is_an_example_of_its_own(recognizer: Recognizer, store: ExampleStore) -> None:
    """In a take of its own and the session of what was marked, with its picture or without; marked once only."""
    moments = PictureMoments()
    moments.take(sight(1.0, "fist"), recognizer.embedder)
    with pytest.raises(ExampleError, match="fist is the class that was reported"):
        mark_picture(moments, store, recognizer, "fist", 1, True)
    with pytest.raises(ExampleError, match="no class 'thumb'; those there are: fist, palm"):
        mark_picture(moments, store, recognizer, "thumb", 1, True)
    assert mark_picture(moments, store, recognizer, "palm", 1, True).startswith("kept as palm: it was reported as fist")
    with pytest.raises(ExampleError, match="corrected already, to palm"):
        mark_picture(moments, store, recognizer, "palm", 1, True)
    assert miss_picture(moments, store, recognizer, "palm", False).startswith("kept as palm: it was missed")
    one, other = store.list()
    assert (one.label, one.source, store.session_name(one.session)) == ("palm", "marked: told as fist", SESSION)
    assert (other.source, other.session, other.media_bytes_len) == ("marked: missed", one.session, 0)
    assert one.media_bytes_len > 0
    assert one.take != other.take
    assert store.matrix(recognizer.embedder.fingerprint).aside.marked == {one.take, other.take}
    with pytest.raises(ExampleError, match="nothing was seen yet"):
        miss_picture(PictureMoments(), store, recognizer, "palm", True)


def test_a_near_copy_of_a_taught_picture_is_not_asked_either(recognizer: Recognizer, store: ExampleStore) -> None:
    """It is left out with what it copies, and still no accuracy asks it; what it copies is asked as before."""
    random, embedder = np.random.default_rng(0), recognizer.embedder
    for label, low in (("fist", 0), ("palm", 120)):
        for _ in range(3):
            take = store.new_take(label)
            picture = random.integers(low, low + 120, (24, 32, 3)).astype(np.uint8)
            store.add(take, picture, recognizer.embed_taught(picture), embedder.fingerprint)
    moments = PictureMoments()
    told = Observation("fist", "fist", np.array([0.8, 0.2]), known=True)
    moments.take(Sight(Frame(picture, 1.0), None, told, ("fist", "palm"), Steady("fist", 0.9, changed=True)), embedder)
    mark_picture(moments, store, recognizer, "palm", 1, True)
    held = store.held(store.matrix(embedder.fingerprint, recognizer.as_rows))
    assert held.near_copies == 1
    assert held.takes[5] == held.takes[6]
    assert held.aside.rows(held.takes).tolist() == [False] * 6 + [True]
    assert held.aside.only(np.arange(7) != 2).rows(held.takes[1:]).tolist() == [False] * 5 + [True]
    own = Recognizer(embedder)
    own.replace(held)
    own.learn()
    assert own.evaluate().examples == 6
