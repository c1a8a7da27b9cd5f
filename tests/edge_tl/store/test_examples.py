"""The example store: what is counted is on disk, and comes back exactly."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fake_clocks import FakeClocks

from edge_tl.core.examples import Count
from edge_tl.core.kept import as_stored
from edge_tl.errors import ExampleError, ProfileError, ProfileMismatch, ShapeError
from edge_tl.media import image
from edge_tl.store import read_rows
from edge_tl.store.batch import BATCH_EXAMPLES
from edge_tl.store.examples import ExampleStore

PRINT = "a" * 64


class Corners:
    """An embedder: the mean colours of a grid of cells, so that a test can recompute what is stored."""

    kind = "picture"

    def __init__(self, cells: int) -> None:
        self.name = f"corners-{cells}"
        self.fingerprint = f"{cells:064d}"
        self.embedding_shape: tuple[int, ...] = (cells, cells, 3)
        self.embedding_dim = cells * cells * 3

    def fit(self, data: np.ndarray) -> np.ndarray:
        return image.fit(data, (self.embedding_shape[0], self.embedding_shape[1]), "stretch")

    def embed(self, data: np.ndarray) -> np.ndarray:
        return self.fit(data).astype(np.float32).ravel() / 255


def picture(seed: int, height_px: int = 24, width_px: int = 32) -> np.ndarray:
    """A picture that no other seed gives."""
    return np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)


def embedding(seed: int, size: int = 12) -> np.ndarray:
    """An embedding that no other seed gives."""
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store lies."""
    return tmp_path / "examples.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[ExampleStore]:
    """An empty store whose clocks stand still."""
    with ExampleStore(path, writable=True, clock=FakeClocks()) as opened:
        yield opened


def fill(store: ExampleStore, takes: str = "uudu", each: int = 3) -> list[int]:
    """One take for each letter; the ids of the examples."""
    ids = []
    for number, letter in enumerate(takes):
        take = store.new_take({"u": "up", "d": "down"}[letter], source=f"camera {number}")
        for one in range(each):
            seed = number * each + one
            ids.append(store.add(take, picture(seed), embedding(seed), PRINT, time_s=10.0 * number + one))
    store.flush()
    return ids


def test_what_was_added_comes_back_exactly(store: ExampleStore, path: Path) -> None:
    """Embeddings, labels, takes, times, sources and pictures are the same after closing and opening again."""
    ids = fill(store)
    store.close()
    with ExampleStore(path, writable=False) as reader:
        got = reader.matrix(PRINT)
        assert got.ids.tolist() == ids
        assert got.X.dtype == np.float32
        assert np.array_equal(got.X, np.stack([as_stored(embedding(seed)) for seed in range(12)]))
        assert got.y.tolist() == ["up"] * 6 + ["down"] * 3 + ["up"] * 3
        assert got.takes.tolist() == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3
        assert got.fingerprint == PRINT
        listed = reader.list()
        assert [one.time_s for one in listed] == [10.0 * take + one for take in range(4) for one in range(3)]
        assert listed[0].source == "camera 0"
        assert [one.id for one in listed] == ids
        for seed, one in enumerate(listed):
            data = reader.picture(one.id)
            assert data == image.encode_jpeg(picture(seed))
            assert one.media_bytes_len == len(data)


def test_counts_rise_only_with_the_commit(store: ExampleStore, path: Path) -> None:
    """An example counts, for the writer and for every reader, exactly when it is on disk."""
    reader = ExampleStore(path, writable=False)
    take = store.new_take("up")
    store.add(take, picture(0), embedding(0), PRINT)
    assert store.counts() == reader.counts() == {}
    assert store.labels() == []
    assert store.flush() == 1
    assert store.counts() == reader.counts() == {"up": Count(1, 1)}
    assert store.flush() == 0
    reader.close()


def test_a_batch_waits_at_most_a_quarter_of_a_second(store: ExampleStore) -> None:
    """`tick` commits as soon as the oldest waiting example can be 250 ms old, however the frames fall."""
    take = store.new_take("up")
    committed = []
    for frame in range(30):
        now_s = frame / 30
        store.add(take, None, embedding(frame), PRINT)
        if store.tick(now_s):
            committed.append(frame)
    # The first tick cannot know how old the example is; then every 250 ms is 8 frames of 33 ms, counted from the tick
    # before the first of them.
    assert committed[0] == 0
    assert set(np.diff(committed)) <= {8}
    assert len(committed) == 4
    store.flush()
    assert store.tick(2.0) == 0
    store.add(take, None, embedding(99), PRINT)
    assert store.tick(2.0) == 0
    assert store.tick(2.249) == 0
    assert store.tick(2.25) == 1
    store.add(take, None, embedding(100), PRINT)
    assert store.tick(1.0) == 1, "a clock that jumped back must not let an example wait for ever"


def test_an_import_that_never_ticks_is_committed_in_batches(store: ExampleStore) -> None:
    """Without `tick`, at most a batch of examples waits."""
    take = store.new_take("up")
    for seed in range(BATCH_EXAMPLES + 5):
        store.add(take, None, embedding(seed), PRINT)
    assert store.counts() == {"up": Count(BATCH_EXAMPLES, 1)}


def test_undo_removes_the_newest_take_whole(store: ExampleStore) -> None:
    """Undo takes back one take after the other, those that still wait first, and ends with None."""
    fill(store, "ud")
    take = store.new_take("up")
    store.add(take, picture(7), embedding(7), PRINT)
    empty = store.new_take("down")
    assert store.undo_last_take() == ("up", 1)
    with pytest.raises(ExampleError, match=r"no take 3"):
        store.add(take, picture(7), embedding(7), PRINT)
    assert store.undo_last_take() == ("down", 3)
    assert store.undo_last_take() == ("up", 3)
    assert store.undo_last_take() is None
    assert store.counts() == {"up": Count(0, 0), "down": Count(0, 0)}
    assert store.matrix(PRINT).X.shape == (0, 0)
    store.add(empty, picture(8), embedding(8), PRINT)
    store.flush()
    assert store.counts()["down"] == Count(1, 1)


def test_numbers_are_never_given_twice(store: ExampleStore, path: Path) -> None:
    """After removing the newest examples, new ones get new ids and takes, also after opening again."""
    ids = fill(store, "ud")
    store.undo_last_take()
    store.close()
    with ExampleStore(path, writable=True) as again:
        take = again.new_take("up")
        assert take == 3
        assert again.add(take, picture(0), embedding(0), PRINT) == max(ids) + 1


def test_removing(store: ExampleStore) -> None:
    """One example, a take or a class goes with its picture and embedding; what does not exist changes nothing."""
    ids = fill(store)
    assert store.remove([ids[0], ids[4], ids[0]]) == 2
    assert store.counts() == {"up": Count(7, 3), "down": Count(3, 1)}
    with pytest.raises(ExampleError, match=r"no example 999, so none was removed"):
        store.remove([ids[1], 999])
    with pytest.raises(ExampleError, match=r"no example 1\b"):
        store.picture(ids[0])
    assert store.remove_take(2) == 2
    assert store.remove_label("down") == 3
    assert store.labels() == ["up"]
    assert len(store.matrix(PRINT).ids) == len(store.list()) == 5
    for action in (lambda: store.remove_label("down"), lambda: store.remove_take(2), lambda: store.rename("x", "y")):
        with pytest.raises(ExampleError, match=r"there is no (label|take)"):
            action()
    assert store.counts() == {"up": Count(5, 2)}


def test_removed_blobs_leave_the_file(store: ExampleStore, path: Path) -> None:
    """Removing a class removes its pictures and embeddings too, not only its name."""
    fill(store)
    store.remove_label("up")
    store.close()
    raw = sqlite3.connect(path)
    for table in ("examples", "media", "embeddings"):
        assert raw.execute(f"SELECT count(*) FROM {table}").fetchone() == (3,)
    assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    raw.close()


def test_renaming_and_merging(store: ExampleStore) -> None:
    """A class gets a new name in its place, or joins another one with its takes kept apart."""
    fill(store)
    store.add_label("left")
    assert store.rename("up", "  oben ") == 9
    assert store.labels() == ["oben", "down", "left"]
    assert store.rename("down", "oben") == 3
    assert store.counts() == {"oben": Count(12, 4), "left": Count(0, 0)}
    assert store.rename("oben", "oben") == 0
    with pytest.raises(ExampleError, match="64"):
        store.rename("oben", "x" * 65)
    assert set(store.matrix(PRINT).y) == {"oben"}


def test_labels_may_be_declared_before_they_have_examples(store: ExampleStore) -> None:
    """A declared class is listed in its order with zero examples; declaring it again changes nothing."""
    assert store.add_label(" Cafe\u0301 ☕/🙂 ") == "Café ☕/🙂"
    store.add_label("b")
    store.add_label("Café ☕/🙂")
    assert store.labels() == ["Café ☕/🙂", "b"]
    assert store.counts() == {"Café ☕/🙂": Count(0, 0), "b": Count(0, 0)}


def test_embeddings_of_two_models_are_never_mixed(store: ExampleStore) -> None:
    """Adding to, or training on, examples of another embedder is refused and says what to do."""
    fill(store)
    take = store.new_take("up")
    with pytest.raises(ProfileMismatch, match="re-embed"):
        store.add(take, picture(1), embedding(1), "b" * 64)
    with pytest.raises(ProfileMismatch, match=r"12 of 12 .* re-embed"):
        store.matrix("b" * 64)
    with pytest.raises(ShapeError, match=r"13 values.* 12"):
        store.add(take, picture(1), embedding(1, 13), PRINT)
    store.undo_last_take()
    assert len(store.matrix(PRINT).ids) == 9


def test_two_models_are_not_mixed_before_the_first_commit(store: ExampleStore) -> None:
    """The check also sees what waits for its commit."""
    take = store.new_take("up")
    store.add(take, None, embedding(0), PRINT)
    with pytest.raises(ProfileMismatch):
        store.add(take, None, embedding(1), "b" * 64)


@pytest.mark.exact
def test_reembedding_gives_what_embedding_the_stored_picture_gives(store: ExampleStore) -> None:
    """With another embedder every example is embedded again from its picture; a second call has nothing to do."""
    fill(store)
    calls: list[tuple[int, int]] = []
    embedder = Corners(2)
    assert store.reembed(embedder, lambda done, total: calls.append((done, total))) == 12
    assert calls == [(done, 12) for done in range(1, 13)]
    got = store.matrix(embedder.fingerprint)
    for number, row in zip(got.ids, got.X, strict=True):
        assert np.array_equal(row, as_stored(embedder.embed(image.decode(store.picture(int(number))))))
    assert store.reembed(embedder) == 0
    assert store.counts() == {"up": Count(9, 3), "down": Count(3, 1)}


def test_reembedding_can_be_cancelled_and_goes_on(store: ExampleStore) -> None:
    """Cancelled re-embedding keeps what was done, mixes nothing, and the next call does only the rest."""
    fill(store)
    embedder = Corners(3)
    assert store.reembed(embedder, lambda done, total: done == 5) == 5
    with pytest.raises(ProfileMismatch, match="7 of 12"):
        store.matrix(embedder.fingerprint)
    with pytest.raises(ProfileMismatch, match="re-embed"):
        store.add(store.new_take("up"), picture(0), embedder.embed(picture(0)), embedder.fingerprint)
    with pytest.raises(ProfileMismatch, match="re-embed"):
        store.add(store.new_take("up"), picture(0), embedding(0), PRINT)
    assert store.reembed(embedder) == 7
    assert store.matrix(embedder.fingerprint).X.shape == (12, 27)


def test_reembedding_names_examples_without_a_picture(store: ExampleStore) -> None:
    """An example that kept only its embedding is named after all others were embedded, and stays."""
    fill(store, "u")
    lonely = store.add(store.new_take("up"), None, embedding(50), PRINT)
    with pytest.raises(ExampleError, match=rf"1 example has .*\({lonely}\)"):
        store.reembed(Corners(2))
    with pytest.raises(ExampleError, match="kept no picture"):
        store.picture(lonely)
    assert store.list()[-1].media_bytes_len == 0
    store.remove([lonely])
    assert store.matrix(Corners(2).fingerprint).X.shape == (3, 12)


def test_a_reader_sees_one_state_in_a_snapshot(store: ExampleStore, path: Path) -> None:
    """Readers never wait for the writer; inside a snapshot nothing changes under them."""
    fill(store, "u")
    with ExampleStore(path, writable=False) as reader:
        with reader.snapshot():
            assert reader.counts() == {"up": Count(3, 1)}
            fill(store, "d")
            store.remove_label("up")
            assert reader.counts() == {"up": Count(3, 1)}
            assert len(reader.matrix(PRINT).ids) == 3
        assert reader.counts() == {"down": Count(3, 1)}


def test_a_reader_cannot_write(store: ExampleStore, path: Path) -> None:
    """Everything that changes a store says that it was opened for reading."""
    fill(store, "u")
    with ExampleStore(path, writable=False) as reader:
        actions = (
            lambda: reader.new_take("up"),
            lambda: reader.add(1, None, embedding(0), PRINT),
            lambda: reader.add_label("x"),
            lambda: reader.remove([1]),
            lambda: reader.remove_take(1),
            lambda: reader.remove_label("up"),
            lambda: reader.rename("up", "down"),
            lambda: reader.undo_last_take(),
            lambda: reader.reembed(Corners(2)),
        )
        for action in actions:
            with pytest.raises(ProfileError, match="for reading"):
                action()


@pytest.mark.parametrize(
    "bad",
    [np.array([1, np.nan]), np.array([np.inf]), np.array([1e300]), np.zeros((2, 2)), np.zeros(0), np.array(["a"])],
)
def test_embeddings_that_cannot_be_trained_on_are_refused(store: ExampleStore, bad: np.ndarray) -> None:
    """NaN, infinity, what is no vector or no number never reaches the disk."""
    with pytest.raises(ShapeError, match="embedding"):
        store.add(store.new_take("up"), None, bad, PRINT)
    assert store.flush() == 0


def test_what_is_no_picture_never_reaches_the_disk(store: ExampleStore) -> None:
    """Bytes that are no whole picture, and arrays that are none, are refused and nothing waits for a commit."""
    take = store.new_take("up")
    for wrong in (b"", b"no picture", image.encode_jpeg(picture(1))[:-500]):
        with pytest.raises(ExampleError):
            store.add(take, wrong, embedding(0), PRINT)
    with pytest.raises(ShapeError):
        store.add(take, np.zeros((4, 4)), embedding(0), PRINT)
    assert store.flush() == 0


@pytest.mark.exact
def test_real_pictures_survive(store: ExampleStore, data: Callable[[str], Path]) -> None:
    """Real camera pictures of 320 px are stored byte for byte, and their embeddings come back as trained on."""
    files = sorted((data("hands_sessions") / "session_2").rglob("*.jpg"))[:10]
    embedder = Corners(7)
    take = store.new_take("hand")
    for file in files:
        pixels = image.decode(file)
        store.add(take, file.read_bytes(), embedder.embed(pixels), embedder.fingerprint)
    store.flush()
    for one, file in zip(store.list(), files, strict=True):
        assert store.picture(one.id) == file.read_bytes()
    before = store.matrix(embedder.fingerprint).X
    assert np.array_equal(before, np.stack([as_stored(embedder.embed(image.decode(file))) for file in files]))


def test_there_are_only_so_many_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit no class is added, by itself or with a take; those there are can still be taught."""
    monkeypatch.setattr(read_rows, "MAX_CLASSES", 2)
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        store.add_label("a")
        store.add_label("b")
        for add in (store.add_label, store.new_take):
            with pytest.raises(ExampleError, match="2 classes"):
                add("c")
        assert store.new_take("a") == 1


def test_a_label_that_is_no_text_is_damage(tmp_path: Path) -> None:
    """A BLOB in the place of a label is told in one line by whoever lists labels or examples."""
    path = tmp_path / "examples.sqlite"
    with ExampleStore(path, writable=True) as store:
        store.add(store.new_take("a"), None, np.ones(4, np.float32), "f" * 64)
    db = sqlite3.connect(path)
    db.execute("UPDATE labels SET name = x'00ff'")
    db.commit()
    db.close()
    with ExampleStore(path, writable=False) as store:
        for read in (store.labels, store.list):
            with pytest.raises(ProfileError, match="is no text"):
                read()
