"""What is looked for is not there: no head is asked of it, whichever it is, however is looked, wherever it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.report.contents import gather, provenance
from device.serve.config import PipelineConfig, StoreConfig
from device.serve.pipeline import Pipeline
from edge_tl.core.features import FeatureMap
from edge_tl.embedders.embedder import Finder
from edge_tl.embedders.look.both import BothHandsEmbedder
from edge_tl.embedders.look.embedders import (
    FaceCropEmbedder,
    FaceEmbedder,
    HandAndCropEmbedder,
    HandCropEmbedder,
    HandEmbedder,
)
from edge_tl.embedders.look.palm_and_face import Detection
from edge_tl.errors import SourceTimeout
from edge_tl.frames import BaseSource, Frame
from edge_tl.heads import HEADS
from edge_tl.line import PictureLine
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile
from edge_tl.testing import FakeClock, FakeEmbedder

SIZES = {
    HandEmbedder: 60,
    BothHandsEmbedder: 120,
    HandCropEmbedder: 48,
    HandAndCropEmbedder: 62 + 48,
    FaceEmbedder: 90,
    FaceCropEmbedder: 90 + 48,
}
"""How many values each way to look gives, with an image model of 48 behind it."""


class Sees:
    """Finds something in every picture that is not dark, as sure as it is bright."""

    def find(self, picture: np.ndarray) -> Detection | None:
        """All of it, None where it is dark."""
        height, width = picture.shape[:2]
        bright = float(picture.mean())
        return None if bright < 20 else Detection(bright, np.array((0.0, 0.0, width, height)), np.zeros((6, 2)))

    follow = find

    def lose(self) -> None:
        """There is nothing to lose."""

    def count(self, picture: np.ndarray) -> int:
        """One, where it is not dark."""
        return int(picture.mean() >= 20)


def looking(way: Any) -> Finder[Detection]:
    """An embedder that looks as this one declares, and finds as `Sees` does."""

    class Looks(Finder[Detection]):
        name, fingerprint = f"fake {way.way}", "0" * 64
        looks_for = way.looks_for
        features = FeatureMap() if way is HandCropEmbedder else way.features
        ridge_prior = way.ridge_prior
        strangers = way.strangers
        embedding_shape: tuple[int, ...] = (SIZES[way],)
        embedding_dim = SIZES[way]

        def _embedding(self, picture: np.ndarray, seen: Detection) -> np.ndarray:
            common = np.random.default_rng(int(seen.score) // 60).normal(size=self.embedding_dim)
            own = np.random.default_rng(int(picture.sum())).normal(0, 0.1, self.embedding_dim)
            return np.asarray(common + own, np.float32)

    Looks.way = way.way
    return Looks(Sees())


def shown(value: int, number: int = 0) -> np.ndarray:
    """A picture of one brightness; 0 is dark, and nothing is found in it."""
    noise = np.random.default_rng([value, number]).integers(0, 10, (24, 32, 3))
    return np.clip(value + noise, 0, 255).astype(np.uint8)


@pytest.fixture(params=sorted(HEADS))
def head(request: pytest.FixtureRequest) -> str:
    """Every head."""
    return str(request.param)


@pytest.fixture(params=[*SIZES, None], ids=lambda way: "frame" if way is None else way.__name__)
def embedder(request: pytest.FixtureRequest) -> Any:
    """Every way to look; None: all of a picture, of which a dark one gives zeros."""
    return FakeEmbedder() if request.param is None else looking(request.param)


@pytest.mark.parametrize("nobody", [True, False], ids=["a class means nobody", "none does"])
def test_a_recognizer_of_any_head_answers_where_nothing_is(embedder: Any, head: str, nobody: bool) -> None:
    """It is taught pictures in which nothing is found, learns, and names one: `nobody`, or no label at all."""
    recognizer = Recognizer(embedder, head)
    for take in range(2):
        for number in range(2):
            for label, value in (("up", 80), ("down", 200), *((("away", 0),) if nobody else ())):
                dark = number == 0 and not nobody
                recognizer.teach(shown(0 if dark else value, 10 * take + number), label, take)
    recognizer.learn()
    seen = recognizer.observe(shown(0, 99))
    if recognizer.finder is not None:
        assert (seen.label, seen.found) == ("away" if nobody else None, False)
    assert recognizer.observe(shown(200, 98)).best == "down"
    if head in ("knn", "ridge"):  # the others are asked by the same code, and take long to train for each fold
        assert recognizer.evaluate().method
    restored = Recognizer.restore(recognizer.save(), embedder)
    assert restored.observe(shown(0, 99)).label == seen.label


class Feed(BaseSource):
    """Gives the pictures that a test puts in."""

    name, simulated, state, fault, hangs, duration_s = "feed", True, "open", "", False, float("inf")

    def __init__(self) -> None:
        self.pictures: list[np.ndarray] = []
        self._at_s = 0.0

    def read(self, timeout_s: float = 0.0) -> Frame:
        """The next one, a thirtieth of a second later."""
        if not self.pictures:
            raise SourceTimeout("none")
        self._at_s += 1 / 30
        return Frame(self.pictures.pop(0), self._at_s)

    def open(self) -> None:
        """There is nothing to open."""

    close = open


@pytest.mark.parametrize(
    ("way", "head"),
    [*((HandEmbedder, head) for head in sorted(HEADS)), (BothHandsEmbedder, "knn"), (FaceCropEmbedder, "knn")],
)
def test_line_service_and_report_go_on_where_nothing_is(way: Any, head: str, tmp_path: Path) -> None:
    """A pipeline is taught, trained and shown nothing with every head; so is a line, and the report is made of it."""
    clock, feed, embedder = FakeClock(), Feed(), looking(way)
    with Profile(tmp_path / "signs", writable=True) as profile:
        source: Any = feed
        pipeline = Pipeline(
            "signs",
            PipelineConfig(camera="sim"),
            StoreConfig(),
            profile,
            embedder,
            source,
            clock=clock,
            wall=lambda: 1000.0,
            beat=lambda: None,
        )
        for take in range(2):
            for label, value in (("up", 80), ("down", 200), ("away", 0)):
                for number in range(4):
                    pipeline.record(label)
                    clock.advance(1 / 30)
                    feed.pictures.append(shown(value, 10 * take + number))
                    pipeline.step()
                pipeline.release()
        pipeline.train(head=head)
        for value in (200, 0, 80, 0):
            clock.advance(1 / 30)
            feed.pictures.append(shown(value, 77))
            pipeline.step()
        assert pipeline.line.sight is not None
        line = PictureLine(feed, pipeline.line.recognizer, clock)
        feed.pictures += [shown(0, 78), shown(200, 79)]
        dark, light = line.read(0.0), line.read(0.0)
        assert dark is not None
        assert light is not None
        assert dark.embedding is None
        assert (dark.observation and dark.observation.label, light.observation and light.observation.best) == (
            "away",
            "down",
        )
        if head == "knn":
            made = provenance(profile, "signs", embedder, head, "2026-01-01")
            assert gather(profile, made, lambda *_: None).evaluation is not None
