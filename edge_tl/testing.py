"""For tests of programs that use edge-tl: an embedder and a clock without hardware, and the contracts as checks.

The checks raise AssertionError. They are what edge-tl's own sources and embedders, real and fake, must pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from edge_tl.embedders.embedder import Embedder, Finder
from edge_tl.errors import ShapeError, SourceClosed, SourceTimeout
from edge_tl.frames import Frame, Source
from edge_tl.media.frontend import check_sound
from edge_tl.media.image import check_picture, fit


class FakeClock:
    """A clock that stands still until it is told: call it for the time, in seconds."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s
        """What the clock shows."""

    def __call__(self) -> float:
        return self.now_s

    def advance(self, elapsed_s: float) -> None:
        """Let time pass."""
        self.now_s += elapsed_s

    sleep = advance
    """For what takes a clock and a sleep: sleeping is passing of this clock's time."""


class FakeEmbedder:
    """An Embedder without a model: the mean colours of `cells` × `cells` fields of the picture, in [-1, 1].

    Pictures that look alike have embeddings alike, so heads can be taught with it. Another `name` or number of cells
    is another embedder: its fingerprint differs.
    """

    kind = "picture"

    def __init__(self, cells: int = 4, name: str = "fake") -> None:
        self.name = name
        self.fingerprint = hashlib.sha256(f"{name} {cells}".encode()).hexdigest()
        self.embedding_shape: tuple[int, ...] = (cells, cells, 3)
        self.embedding_dim = cells * cells * 3
        self._cells = cells
        self._side_px = 8 * cells

    def fit(self, data: np.ndarray) -> np.ndarray:
        """The centre square, 8 pixels to a cell: uint8 (height_px, width_px, 3); ShapeError for no picture."""
        return fit(data, (self._side_px, self._side_px))

    def embed(self, data: np.ndarray) -> np.ndarray:
        """A picture uint8 (height_px, width_px, 3) → float32 (embedding_dim,); ShapeError for no picture."""
        fields = self.fit(data).reshape(self._cells, 8, self._cells, 8, 3)
        return (fields.mean(axis=(1, 3), dtype=np.float32) / 127.5 - 1).astype(np.float32).reshape(-1)


def check_embedder(embedder: Embedder, more: Sequence[np.ndarray] = ()) -> None:
    """Assert what every Embedder promises: shapes, repeatability, fresh arrays, and ShapeError for what is no input.

    `more`: real pictures or sounds, checked beside noise of several sizes. An embedder that looks for something needs
    one that shows it: noise gives it None.
    """
    assert isinstance(embedder, Embedder), "an attribute or method of Embedder is missing"
    assert embedder.kind in ("picture", "sound")
    assert embedder.name
    assert embedder.fingerprint
    assert embedder.embedding_dim == int(np.prod(embedder.embedding_shape))
    inputs, wrong = _sounds() if embedder.kind == "sound" else _pictures()
    check = check_sound if embedder.kind == "sound" else check_picture
    seen = set()
    for data in (*inputs, *more):
        before = data.copy()
        embedding = embedder.embed(data)
        if embedding is None:
            assert isinstance(embedder, Finder), "nothing was found by what looks for nothing"
            assert embedder.embed(data) is None, f"the same {embedder.kind} gave something and nothing"
            seen.add(b"")
            continue
        assert isinstance(embedding, np.ndarray)
        assert embedding.dtype == np.float32
        assert embedding.shape == (embedder.embedding_dim,)
        assert np.isfinite(embedding).all()
        assert (data == before).all(), f"the {embedder.kind} was written to"
        assert _same(embedder.embed(data), embedding), f"the same {embedder.kind} gave another embedding"
        fitted = embedder.fit(data)
        check(fitted)
        assert (embedder.fit(fitted) == fitted).all(), f"a fitted {embedder.kind} was fitted again"
        assert _same(embedder.embed(fitted), embedding), "fit then embed differs from embed"
        kept = embedding.copy()
        embedder.embed(255 - data if embedder.kind == "picture" else data[::-1].copy())
        assert (embedding == kept).all(), "an embedding was overwritten by the next one"
        embedding[:] = 0.0
        assert _same(embedder.embed(data), kept), "writing to an embedding changed the embedder"
        seen.add(kept.tobytes())
    assert len(seen) > 1, f"every {embedder.kind} has the same embedding"
    for data in wrong:
        assert _raises(ShapeError, partial(embedder.embed, data)), f"took {data.dtype} {data.shape}"


def _same(one: np.ndarray | None, other: np.ndarray) -> bool:
    return one is not None and bool((one == other).all())


def _pictures() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Pictures of many sizes, and arrays that are none."""
    rng = np.random.default_rng(0)
    sizes = ((48, 64), (64, 48), (1, 1), (3, 200), (480, 640))
    right = [rng.integers(0, 256, (height, width, 3), np.uint8) for height, width in sizes]
    wrong = [np.zeros(shape, np.uint8) for shape in ((4, 4), (4, 4, 4), (0, 4, 3), (1, 4, 4, 3))]
    return right, [*wrong, np.zeros((4, 4, 3), np.float32)]


def _sounds() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Sounds of many lengths, and arrays that are none."""
    rng = np.random.default_rng(0)
    right = [rng.uniform(-0.5, 0.5, samples).astype(np.float32) for samples in (16_000, 1, 441, 40_000, 21_472)]
    wrong = [np.zeros(shape, np.float32) for shape in ((0,), (100, 1), (2, 16_000))]
    return right, [*wrong, np.zeros(16_000), np.full(16_000, np.nan, np.float32), np.zeros(16_000, np.int16)]


def _raises(wanted: type[Exception], call: Callable[[], object]) -> bool:
    """Whether a call raises this error with a message of one line."""
    try:
        call()
    except wanted as error:
        return "\n" not in str(error)
    return False


def check_source(make: Callable[[], Source], frames: int = 5) -> None:
    """Assert what every Source promises, on one that `make` returns unopened and that has a frame to give.

    Frames of one kind, whole and counted; time that never runs back; `close` twice; SourceClosed afterwards; and that
    it can be opened again. `frames`: how many are read, if the source does not end before.
    """
    source = make()
    assert isinstance(source, Source), "an attribute or method of Source is missing"
    assert source.name
    assert isinstance(source.simulated, bool)
    source.close()
    with source as entered:
        assert entered is source
        read = _read(source, frames)
    assert read, "no frame came"
    for frame in read:
        _check_frame(frame)
    for earlier, later in pairwise(read):
        assert later.time_s >= earlier.time_s, "time ran back"
        assert later.index == earlier.index + 1 + later.dropped, "index and dropped do not add up"
        assert later.kind == earlier.kind
        assert not np.may_share_memory(later.data, earlier.data), "a frame was overwritten by the next one"
    source.close()
    source.close()
    assert _raises(SourceClosed, partial(source.read, 0.0)), "a closed source gave a frame"
    with source:
        assert _read(source, 1), "no frame came after opening again"


def _read(source: Source, frames: int) -> list[Frame]:
    """Up to so many frames; fewer where the source ends, or keeps silent for ten reads in a row."""
    read: list[Frame] = []
    silent = 0
    while len(read) < frames and silent < 10:
        try:
            read.append(source.read())
            silent = 0
        except SourceTimeout:
            silent += 1
        except SourceClosed:
            break
    return read


def _check_frame(frame: Frame) -> None:
    assert np.isfinite(frame.time_s)
    assert frame.index >= 0
    assert frame.dropped >= 0
    if frame.kind == "picture":
        check_picture(frame.data)
        assert frame.rate_hz is None
    else:
        check_sound(frame.data)
        assert np.abs(frame.data).max(initial=0.0) <= 1.0
        assert frame.rate_hz is not None
        assert frame.rate_hz > 0
