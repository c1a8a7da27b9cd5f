"""Merging: own examples and lessons of others give the head that all examples in one place give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge_tl.core.examples import Aside, Examples
from edge_tl.core.kept import as_stored
from edge_tl.errors import ProfileError
from edge_tl.fleet import pooling
from edge_tl.fleet.keys import DeviceKey
from edge_tl.fleet.lesson import FleetLesson, LessonHeader, new_lessons, parse_lesson
from edge_tl.fleet.pooling import pooled, sessions_of_devices
from edge_tl.recognizer import Recognizer
from edge_tl.testing import FakeEmbedder

pytest.importorskip("cryptography", reason="cryptography is not installed (extra fleet)")
KEYS = [DeviceKey(bytes([number]) * 32) for number in range(4)]
LABELS = (("up", "down"), ("up", "left"), ("down", "left", "wave"))
"""Of three devices: none has all, and one class only one of them has."""


def takes_of(device: int, dim: int) -> list[tuple[str, int, int, np.ndarray]]:
    """Label, take, session and embeddings of what a device was taught."""
    random = np.random.default_rng(device)
    made = []
    for take in range(1, 2 * len(LABELS[device]) + 1):
        label = LABELS[device][take % len(LABELS[device])]
        centre = np.random.default_rng(len(label) * 7 + ord(label[0])).normal(size=dim)
        X = np.abs(centre + 0.6 * random.normal(size=(6, dim)))
        made.append((label, take, 1 + take // 4, np.stack([as_stored(row) for row in X.astype(np.float32)])))
    return made


def own_examples(device: int, embedder: FakeEmbedder) -> Examples:
    """As its store gives them."""
    takes = takes_of(device, embedder.embedding_dim)
    sizes = [len(X) for *_, X in takes]
    numbers = [np.repeat([one[at] for one in takes], sizes).astype(np.int64) for at in (1, 2)]
    y = np.repeat([one[0] for one in takes], sizes)
    X = np.concatenate([X for *_, X in takes])
    return Examples(np.arange(len(y)) + 1, X, y, numbers[0], numbers[1], embedder.fingerprint)


def lessons_of(device: int, embedder: FakeEmbedder) -> list[FleetLesson]:
    """As they arrive elsewhere."""
    made = []
    for label, take, session, X in takes_of(device, embedder.embedding_dim):
        header = LessonHeader(f"device {device}", embedder.fingerprint, "", label, take, session)
        made += [parse_lesson(one.wire()) for one in new_lessons(KEYS[device], header, X)]
    return made


@pytest.mark.exact
@pytest.mark.parametrize("head", ["ridge", "prototype", "knn"])
def test_the_merged_head_is_the_pooled_head(head: str) -> None:
    """Three devices with unequal classes have the head of a hub that has all lessons, to the bit; and what is taught
    all in one place, in its own order, differs by what float32 adds otherwise in another order."""
    embedder = FakeEmbedder()
    everywhere = Recognizer(embedder, head, reject=False)
    for device in range(3):
        for label, take, session, X in takes_of(device, embedder.embedding_dim):
            for row in X:
                everywhere.add(row, label, 100 * device + take, 10 * device + session)
    everywhere.learn()
    lessons = [one for device in range(3) for one in lessons_of(device, embedder)]
    hub = learned(embedder, head, pooled(nothing(embedder), lessons))
    asked = np.concatenate([X for device in range(3) for *_, X in takes_of(device, embedder.embedding_dim)])
    asked = embedder_rows(everywhere, np.abs(asked + 0.3))
    for device in range(3):
        others = [one for one in lessons if one.key != KEYS[device].public]
        merged = learned(embedder, head, pooled(own_examples(device, embedder), others))
        assert merged.classes == everywhere.classes == ("down", "left", "up", "wave")
        answers = merged.head.predict_proba(asked)
        assert np.array_equal(answers, hub.head.predict_proba(asked))
        assert np.abs(answers - everywhere.head.predict_proba(asked)).max() <= (1e-5 if head == "ridge" else 1e-6)


def learned(embedder: FakeEmbedder, head: str, examples: Examples) -> Recognizer:
    """A recognizer that was taught these."""
    made = Recognizer(embedder, head, reject=False)
    made.replace(examples)
    made.learn()
    return made


def nothing(embedder: FakeEmbedder) -> Examples:
    """What the store of a device gives that was taught nothing."""
    none = np.empty(0, np.int64)
    return Examples(none, np.empty((0, 0), np.float32), np.array([], np.str_), none, none, embedder.fingerprint)


def embedder_rows(recognizer: Recognizer, embeddings: np.ndarray) -> np.ndarray:
    """What a head sees of embeddings."""
    return recognizer.as_rows(np.stack([as_stored(row) for row in embeddings]))[0]


def test_what_came_twice_counts_once_and_order_does_not_matter() -> None:
    """A take that two devices hold (a card was copied) is taught once; lessons in any order give the same rows."""
    embedder = FakeEmbedder()
    own, some = own_examples(0, embedder), lessons_of(1, embedder)
    header = LessonHeader(
        "twin", embedder.fingerprint, "", *(takes_of(1, embedder.embedding_dim)[0][at] for at in (0, 1, 2))
    )
    twin = new_lessons(KEYS[3], header, takes_of(1, embedder.embedding_dim)[0][3])
    one, other = pooled(own, [*some, *twin]), pooled(own, [*twin, *some[::-1], *some])
    assert len(one.y) == len(own.y) + sum(len(lesson.rows) for lesson in some)
    assert np.array_equal(one.X, other.X)
    assert one.y.tolist() == other.y.tolist()


def test_others_never_mix_with_the_own() -> None:
    """Numbers of others are below 0, and each device's session is a session of its own."""
    embedder = FakeEmbedder()
    own = own_examples(0, embedder)
    made = pooled(own, lessons_of(1, embedder) + lessons_of(2, embedder), name_of=lambda key: f"of {key[:1].hex()}")
    assert made.devices is not None
    theirs = made.devices != ""
    assert (~theirs).sum() == len(own.y)
    for numbers in (made.ids, made.takes, made.sessions):
        assert (numbers[theirs] < 0).all()
        assert (numbers[~theirs] > 0).all()
    names = sessions_of_devices(made)
    assert len(names) == len({one.header.session for one in lessons_of(1, embedder)}) + len(
        {one.header.session for one in lessons_of(2, embedder)}
    )
    assert len(set(names.values())) == 2
    assert pooled(own, []) is own
    assert sessions_of_devices(own) == {}


def test_a_device_that_was_taught_nothing_learns_from_others() -> None:
    """With no example of its own it knows what the lessons teach."""
    embedder = FakeEmbedder()
    recognizer = Recognizer(embedder)
    recognizer.replace(pooled(nothing(embedder), lessons_of(0, embedder) + lessons_of(1, embedder), recognizer.as_rows))
    recognizer.learn()
    assert recognizer.classes == ("down", "left", "up")


def test_more_classes_than_a_profile_may_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others cannot bring more classes than one may teach: what to do is said, and as many as may be are learned."""
    embedder = FakeEmbedder()
    own, theirs = own_examples(0, embedder), lessons_of(1, embedder) + lessons_of(2, embedder)
    monkeypatch.setattr(pooling, "MAX_CLASSES", 4)
    assert len(set(pooled(own, theirs).y.tolist())) == 4
    monkeypatch.setattr(pooling, "MAX_CLASSES", 3)
    with pytest.raises(ProfileError, match="4 classes, at most 3 may be: set a device aside"):
        pooled(own, theirs)


def test_what_is_aside_stays_aside_in_the_new_order() -> None:
    """Examples that were kept of mistakes are the same ones after merging, and none of the others' is."""
    embedder = FakeEmbedder()
    own = own_examples(0, embedder)
    held = np.isin(own.takes, own.takes[-1:])
    merged = pooled(replace(own, aside=Aside(held=held)), lessons_of(1, embedder))
    assert merged.ids[merged.aside.rows(merged.takes)].tolist() == own.ids[held].tolist()
    assert not np.array_equal(merged.ids[: len(own.ids)], own.ids)
