"""Near-copies are held in one fold: pictures of noise under random labels stay chance, however they are copied."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from edge_tl.core.folds import whole_takes
from edge_tl.core.near_copies import SIDE, hold_together
from edge_tl.heads import make_head
from edge_tl.judge.evaluation import Evaluation
from edge_tl.judge.validation import evaluate
from edge_tl.media.image import encode_jpeg, grey_square
from edge_tl.recognizer import Recognizer
from edge_tl.store.examples import ExampleStore
from edge_tl.testing import FakeEmbedder

LABELS = ("a", "b")


def again(picture: bytes, rng: np.random.Generator) -> bytes:
    """A picture encoded anew, smaller and of another brightness."""
    image = Image.open(io.BytesIO(picture))
    scale = rng.uniform(0.5, 1.0)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    ImageEnhance.Brightness(image).enhance(rng.uniform(0.9, 1.1)).save(out, "JPEG", quality=int(rng.integers(60, 96)))
    return out.getvalue()


def noise(rng: np.random.Generator) -> bytes:
    """A picture of coloured blots, like no other."""
    blots = rng.integers(0, 256, (12, 16, 3)).astype(np.uint8)
    return encode_jpeg(np.asarray(Image.fromarray(blots).resize((160, 120), Image.Resampling.BICUBIC)))


def grey(picture: bytes) -> np.ndarray:
    """As the store sees it from afar."""
    return grey_square(picture, SIDE).reshape(-1)


def test_the_same_picture_again_belongs_to_the_take_it_copies() -> None:
    """Copies of another take and session move there; other pictures, and what is flat, stay where they came."""
    rng = np.random.default_rng(0)
    pictures = [noise(rng) for _ in range(8)]
    pictures += [again(picture, rng) for picture in pictures[:3]] + [noise(rng)]
    small = np.array([grey(picture) for picture in pictures])
    small[7] = small[11] = 90
    takes = np.repeat([1, 2, 3], 4)
    held = hold_together(small, np.arange(12), np.array(["a", "b", "a"]).repeat(4), takes, takes)
    assert held is not None
    assert held.takes.tolist() == [1] * 4 + [2] * 4 + [1, 1, 1, 3]
    assert held.sessions.tolist() == held.takes.tolist()
    assert hold_together(small[:8], np.arange(8), np.repeat(["a", "b"], 4), takes[:8], takes[:8]) is None


def test_parts_of_an_only_take_keep_copies_together() -> None:
    """Of a class with one take near-copies lie in one part, wherever in the take they are."""
    rng = np.random.default_rng(1)
    pictures = [noise(rng) for _ in range(10)]
    small = np.array([grey(one) for one in pictures + [again(picture, rng) for picture in pictures]])
    y, takes = np.repeat(["a"], 20), np.ones(20, np.int64)
    held = hold_together(small, np.arange(20), y, takes, takes)
    assert held is not None
    folds = whole_takes(y, held.takes, held.parts)
    assert folds.count == 5
    np.testing.assert_array_equal(folds.index[:10], folds.index[10:])
    assert held.copies == 10


@pytest.mark.parametrize("seed", range(6))
def test_noise_is_chance_however_it_is_copied(tmp_path: Path, seed: int) -> None:
    """Exact and re-encoded copies with the same random label, over takes and sessions: every figure is chance."""
    rng = np.random.default_rng(seed)
    embedder = FakeEmbedder()
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        sessions = [store.new_session(name, closed=True) for name in ("train", "valid")]
        takes = [
            [store.new_take(label, "", session) for label in LABELS]
            for session in sessions
            for _ in range(1 + seed % 3)
        ]
        for _ in range(40):
            picture, label = noise(rng), int(rng.integers(2))
            for _ in range(int(rng.integers(1, 4))):
                copy = picture if rng.random() < 0.5 else again(picture, rng)
                image = np.asarray(Image.open(io.BytesIO(copy)))
                store.add(takes[rng.integers(len(takes))][label], copy, embedder.embed(image), embedder.fingerprint)
        store.flush()
        raw = store.matrix(embedder.fingerprint)
        recognizer = Recognizer(embedder)
        recognizer.replace(store.held(raw))
    recognizer.learn()
    evaluation = recognizer.evaluate()
    assert evaluation.near_copies > 10
    assert_chance(evaluation)
    recognizer.replace(raw)
    recognizer.learn()
    assert recognizer.evaluate().near_copies == 0


@pytest.mark.parametrize("seed", range(6))
def test_noise_in_one_take_a_class_is_chance(seed: int) -> None:
    """Neither above nor below chance: parts of all such classes are left out together, so that none is rarer."""
    rng = np.random.default_rng(seed)
    recognizer = Recognizer(FakeEmbedder(8))
    for _ in range(40):
        code = int(rng.integers(2))
        recognizer.teach(np.asarray(Image.open(io.BytesIO(noise(rng)))), LABELS[code], take=code)
    recognizer.learn()
    evaluation = recognizer.evaluate()
    assert evaluation.interval95[0] <= 0.5 <= evaluation.interval95[1]


@pytest.mark.parametrize("takes", [2, 5])
@pytest.mark.parametrize("head", ["ridge", "prototype"])
def test_noise_in_several_takes_a_class_is_chance(head: str, takes: int) -> None:
    """Neither above nor below: in twenty sets the mean is that of a coin, and nearly every interval holds it."""
    said = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        code = np.repeat((0, 1), 30)
        number = np.tile(np.arange(30) * takes // 30, 2) * 2 + code
        X = rng.random((60, 200)).astype(np.float32)
        said.append(evaluate(lambda: make_head(head), X, np.array(LABELS)[code], number))
    assert np.mean([one.accuracy for one in said]) == pytest.approx(0.5, abs=0.06)
    assert sum(one.interval95[0] <= 0.5 <= one.interval95[1] for one in said) >= 16


def assert_chance(evaluation: Evaluation) -> None:
    """Half lies within the interval of each honest figure."""
    for one in (evaluation, evaluation.by_session):
        if one is not None and one.examples:
            assert one.interval95[0] <= 0.5 <= one.interval95[1]
