"""Recognizer: teach, learn, observe, and the way to disk and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_tl.core.features import FeatureMap
from edge_tl.embedders.embedder import Finder
from edge_tl.embedders.look.embedders import FaceCropEmbedder, FaceEmbedder, HandCropEmbedder, HandEmbedder
from edge_tl.errors import ExampleError, NotFittedError, ProfileMismatch
from edge_tl.heads import HEADS
from edge_tl.recognizer import Recognizer
from edge_tl.store.examples import ExampleStore
from edge_tl.store.profile import Profile
from edge_tl.testing import FakeEmbedder

pytestmark = pytest.mark.exact

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}


def picture(label: str, rng: np.random.Generator) -> np.ndarray:
    """A picture of one colour with noise, uint8 (24, 32, 3)."""
    noise = rng.normal(0, 12, (24, 32, 3))
    return np.clip(np.array(COLOURS[label]) + noise, 0, 255).astype(np.uint8)


def taught(head: str = "ridge", takes: int = 3, seed: int = 0) -> Recognizer:
    """A recognizer taught three colours, untrained."""
    rng = np.random.default_rng(seed)
    recognizer = Recognizer(FakeEmbedder(), head)
    for take in range(takes):
        for number, label in enumerate(COLOURS):
            for _ in range(4):
                recognizer.teach(picture(label, rng), label, 10 * take + number)
    return recognizer


@pytest.mark.parametrize("head", sorted(HEADS))
def test_teach_learn_observe(head: str) -> None:
    """With every head, a new picture of a taught class is named."""
    recognizer = taught(head)
    learned = recognizer.learn()
    assert (learned.examples, learned.classes) == (36, ("blue", "green", "red"))
    rng = np.random.default_rng(1)
    for label in COLOURS:
        observation = recognizer.observe(picture(label, rng))
        assert observation.best == label
        assert observation.probabilities.sum() == pytest.approx(1)


def test_asking_before_learning_is_an_error() -> None:
    """`observe` and `learn` without anything taught say what is missing."""
    recognizer = Recognizer(FakeEmbedder())
    assert not recognizer.fitted
    with pytest.raises(NotFittedError):
        recognizer.observe(picture("red", np.random.default_rng(0)))
    with pytest.raises(NotFittedError, match="teach"):
        recognizer.learn()


def test_a_label_that_cannot_be_one_teaches_nothing() -> None:
    """An empty label is refused before anything is added."""
    recognizer = Recognizer(FakeEmbedder())
    with pytest.raises(ExampleError):
        recognizer.teach(picture("red", np.random.default_rng(0)), "  ")
    assert len(recognizer.rows[1]) == 0


def test_a_saved_recognizer_answers_the_same(tmp_path: Path) -> None:
    """Saved into a profile and restored, probabilities and rejections are bit for bit the same."""
    recognizer = taught()
    recognizer.learn()
    with Profile(tmp_path / "p", writable=True) as profile:
        profile.save(recognizer.save())
    with Profile(tmp_path / "p") as profile:
        saved = profile.load()
        assert saved is not None
        restored = Recognizer.restore(saved, FakeEmbedder())
    rng = np.random.default_rng(2)
    pictures = [picture(label, rng) for label in COLOURS] + [rng.integers(0, 256, (24, 32, 3)).astype(np.uint8)]
    for one in pictures:
        before, after = recognizer.observe(one), restored.observe(one)
        assert (before.label, before.known) == (after.label, after.known)
        assert np.array_equal(before.probabilities, after.probabilities)


def test_another_embedder_is_refused() -> None:
    """A recognizer taught with one embedder is not restored with another."""
    recognizer = taught()
    recognizer.learn()
    with pytest.raises(ProfileMismatch, match="re-embed"):
        Recognizer.restore(recognizer.save(), FakeEmbedder(cells=3))


def test_learning_live_and_from_the_store_is_the_same(tmp_path: Path) -> None:
    """Examples learned as they arrive and those read back are the same to the bit, the head but for rounding."""
    live = Recognizer(FakeEmbedder())
    rng = np.random.default_rng(3)
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        for _ in range(4):
            for label in COLOURS:
                take = store.new_take(label)
                for _ in range(3):
                    one = picture(label, rng)
                    embedding = live.embed(one)
                    store.add(take, one, embedding, live.embedder.fingerprint)
                    live.add(embedding, label, take)
        store.flush()
        again = Recognizer(FakeEmbedder())
        again.replace(store.matrix(live.embedder.fingerprint))
    live.learn()
    again.learn()
    for a, b in zip(live.rows, again.rows, strict=True):
        assert np.array_equal(a, b)
    probe = picture("red", rng)
    np.testing.assert_allclose(live.observe(probe).probabilities, again.observe(probe).probabilities, atol=1e-6)


def test_rejection_can_be_switched_off() -> None:
    """`reject=False` always answers."""
    recognizer = taught()
    recognizer.reject = False
    recognizer.learn()
    noise = np.random.default_rng(5).integers(0, 256, (24, 32, 3)).astype(np.uint8)
    assert recognizer.observe(noise).label is not None


def test_evaluate_keeps_takes_whole() -> None:
    """The honest accuracy of well-separated classes is high, and the method is named."""
    recognizer = taught()
    recognizer.learn()
    evaluation = recognizer.evaluate()
    assert evaluation.accuracy == 1
    assert "take" in evaluation.method


class Pointer(Finder[np.ndarray]):
    """Finds in every picture what its first values say."""

    name, fingerprint = "pointer", "0" * 64
    way, looks_for = "hand", "hand"
    features = FeatureMap(root=False)
    embedding_shape: tuple[int, ...] = (16,)
    embedding_dim = 16

    def __init__(self, prior: float | None = None) -> None:
        super().__init__(self)  # type: ignore[arg-type]
        self.ridge_prior = prior

    def find(self, picture: np.ndarray) -> np.ndarray:
        """The first values."""
        return picture.reshape(-1)[:16].astype(np.float32)

    def _embedding(self, picture: np.ndarray, seen: np.ndarray) -> np.ndarray:
        return seen


def test_few_examples_are_learned_as_the_embedder_expects() -> None:
    """λ of one example a class is where the way to look declares it, for ridge alone, and settings go before it."""
    found = {}
    for prior in (None, 1.0):
        recognizer = Recognizer(Pointer(prior))
        for label, seed in (("a", 1), ("b", 2), ("c", 3)):
            recognizer.teach(np.random.default_rng(seed).integers(0, 255, (4, 4, 3)).astype(np.uint8), label, seed)
        recognizer.learn()
        found[prior] = recognizer.head.state()[0]["lambda"]
        recognizer.settings["prior"] = 10.0
        recognizer.learn()
        found[prior, 10] = recognizer.head.state()[0]["lambda"]
        assert Recognizer(Pointer(prior), "knn").head.name == "knn"
    assert found[1.0] == pytest.approx(found[None] * 10**1.5)
    assert found[1.0, 10] == found[None, 10] == pytest.approx(10 * found[1.0])
    assert (HandEmbedder.ridge_prior, FaceEmbedder.ridge_prior, FaceCropEmbedder.ridge_prior) == (1.0, 1.0, 1.0)
    assert HandCropEmbedder.ridge_prior is None


def test_rows_read_from_the_store_are_those_of_the_embeddings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mapped block by block while they are read, examples teach the same to the bit."""
    monkeypatch.setattr("edge_tl.store.read_rows.BLOCK", 5)
    whole, mapped = Recognizer(FakeEmbedder()), Recognizer(FakeEmbedder())
    rng = np.random.default_rng(3)
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        assert store.matrix("a" * 64, mapped.as_rows).X.shape == (0, 0)
        for label in COLOURS:
            take = store.new_take(label)
            for _ in range(4):
                one = picture(label, rng)
                store.add(take, one, whole.embed(one), whole.embedder.fingerprint)
        store.flush()
        whole.replace(store.matrix(whole.embedder.fingerprint))
        examples = store.matrix(whole.embedder.fingerprint, mapped.as_rows)
        mapped.replace(examples)
    assert examples.found is not None
    assert examples.found.all()
    assert examples.X.shape == whole.rows[0].shape
    for a, b in zip(whole.rows, mapped.rows, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("head", ["ridge", "knn", "prototype"])
def test_many_examples_are_judged_as_few_are(head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a decomposition is too dear nothing else changes: the same answers, and nearly the same figures."""
    few = taught(head, takes=5)
    learned, found = few.learn(), few.evaluate()
    monkeypatch.setattr("edge_tl.heads.ridge.MAX_VALUES", 10)
    monkeypatch.setattr("edge_tl.core.gram.GRAM_ROWS", 10)
    many = taught(head, takes=5)
    assert many.gram is None
    told: list[int] = []
    assert many.learn(lambda done, *_: bool(told.append(done))).classes == learned.classes
    assert bool(told) == (head == "ridge")
    again = many.evaluate()
    assert (again.accuracy, again.method, again.examples) == (found.accuracy, found.method, found.examples)
    assert again.random_split_accuracy == found.random_split_accuracy
    assert again.answers is not None
    assert found.answers is not None
    assert again.answers.right == pytest.approx(found.answers.right, abs=0.05)
    rng = np.random.default_rng(1)
    for label in COLOURS:
        one = picture(label, rng)
        np.testing.assert_allclose(many.observe(one).probabilities, few.observe(one).probabilities, atol=0.05)
    many.head.release()
    assert many.evaluate().accuracy == again.accuracy
