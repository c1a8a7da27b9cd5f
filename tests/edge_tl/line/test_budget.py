"""So many answers a second: which pictures are looked at in full, and what becomes of the others."""

from __future__ import annotations

import numpy as np
import pytest

from edge_tl.core.features import FeatureMap
from edge_tl.embedders.embedder import Finder
from edge_tl.errors import ConfigError
from edge_tl.frames import BaseSource, Frame
from edge_tl.line import PictureLine
from edge_tl.line.budget import Budget
from edge_tl.recognizer import Recognizer


class Counter:
    """A Tracker that says how it was asked, for what takes so many seconds of a clock of its own."""

    def __init__(self, full_s: float) -> None:
        self.now_s, self.full_s = 0.0, full_s
        self.asked: list[str] = []

    def find(self, picture: np.ndarray) -> tuple[int]:
        """A new thing in each picture."""
        return self.follow(picture)

    def follow(self, picture: np.ndarray) -> tuple[int]:
        """The same, noted."""
        self.asked.append("full")
        self.now_s += self.full_s
        self.last = (len(self.asked),)
        return self.last

    def glance(self, picture: np.ndarray) -> tuple[int]:
        """What was seen last, at no cost."""
        self.asked.append("glance")
        return self.last

    def lose(self) -> None:
        """Nothing is kept."""

    def count(self, picture: np.ndarray) -> int:
        """None is passed over."""
        return 0


class CountEmbedder(Finder[tuple[int]]):
    """How often its tracker was asked, as an embedding."""

    name = way = looks_for = "hand"
    max_every = 3
    features = FeatureMap(root=False)
    fingerprint = "count"
    embedding_shape: tuple[int, ...] = (2,)
    embedding_dim = 2

    def _embedding(self, picture: np.ndarray, seen: tuple[int]) -> np.ndarray:
        return np.array((1, seen[0]), np.float32)


class Still(BaseSource):
    """The same picture at each tenth of a second of somebody's clock."""

    name, simulated = "still", False

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The picture."""
        return Frame(np.zeros((8, 8, 3), np.uint8), self._counter.now_s)


def line_with(full_s: float, budget: Budget | None) -> tuple[PictureLine, Counter]:
    """A line whose full looks take so many seconds."""
    counter = Counter(full_s)
    recognizer = Recognizer(CountEmbedder(counter))
    return PictureLine(Still(counter), recognizer, lambda: counter.now_s, budget=budget), counter


@pytest.mark.parametrize(("full_s", "fps", "every"), [(0.05, 15, 1), (0.1, 10, 1), (0.19, 10, 2), (0.9, 10, 3)])
def test_as_much_is_looked_at_in_full_as_the_budget_allows(full_s: float, fps: float, every: int) -> None:
    """Each picture where there is time, else each second, and each third at the least."""
    line, counter = line_with(full_s, Budget(fps))
    glanced = [sight.glanced for _ in range(12) if (sight := line.read(1.0)) is not None]
    assert glanced == [number % every != 0 for number in range(12)]
    assert counter.asked == ["glance" if one else "full" for one in glanced]


def test_without_a_budget_each_picture_is_looked_at_in_full() -> None:
    """However long that takes."""
    line, counter = line_with(5.0, None)
    for _ in range(4):
        line.read(1.0)
    assert counter.asked == ["full"] * 4


def test_what_a_glance_costs_is_counted_too() -> None:
    """Where a glance is nearly as dear as a full look, glancing saves nothing, and the most is glanced at."""
    budget = Budget(10)
    budget.took(0.15, glanced=False)
    assert budget.every(3) == 2
    budget.took(0.12, glanced=True)
    assert budget.every(3) == 3


def test_a_machine_that_grows_faster_looks_in_full_again() -> None:
    """Only the last times count."""
    budget = Budget(10)
    for _ in range(20):
        budget.took(0.5, glanced=False)
    assert budget.every(3) == 3
    for _ in range(20):
        budget.took(0.05, glanced=False)
    assert budget.every(3) == 1


def test_another_stream_begins_in_full() -> None:
    """After a break nothing is known that a glance could keep."""
    budget = Budget(10)
    budget.took(0.5, glanced=False)
    assert budget.glances(2)
    assert not budget.glances(1)
    budget.reset()
    assert not budget.glances(2)


def test_a_picture_between_is_not_of_the_stream() -> None:
    """What is asked about beside the stream is not kept by the next glance, which embeds what the stream showed."""
    line, counter = line_with(0.19, Budget(10))
    first = line.read(1.0)
    embedder = line.recognizer.finder
    assert first is not None
    assert embedder is not None
    embedder.following = False
    other = embedder.embed(np.zeros((8, 8, 3), np.uint8))
    second = line.read(1.0)
    assert second is not None
    assert second.glanced
    assert other is not None
    assert second.embedding is not None
    assert second.embedding[1] == counter.last[0]


@pytest.mark.parametrize("fps", [0, -1, float("nan")])
def test_a_budget_of_nothing_is_refused(fps: float) -> None:
    """No answers a second are no budget."""
    with pytest.raises(ConfigError, match="above 0"):
        Budget(fps)
