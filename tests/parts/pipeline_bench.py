"""A pipeline of the service on fake time, fed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from device.serve.config import PipelineConfig, StoreConfig
from device.serve.event import LabelEvent
from device.serve.pipeline import Pipeline
from edge_tl.errors import SourceTimeout
from edge_tl.frames import BaseSource, Frame
from edge_tl.store.profile import Profile
from edge_tl.testing import FakeClock, FakeEmbedder


class FakeFeed(BaseSource):
    """Hands over what a test puts in; no thread."""

    state, fault, hangs, duration_s = "open", "", False, float("inf")

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.name, self.simulated = "fake", True

    def read(self, timeout_s: float = 0.0) -> Frame:
        if not self.frames:
            raise SourceTimeout("none")
        return self.frames.pop(0)

    def open(self) -> None:
        """There is nothing to open."""

    close = open


class Bench:
    """A pipeline on fake time."""

    def __init__(self, folder: Path, limits: StoreConfig | None = None, **config: Any) -> None:
        self.clock, self.feed = FakeClock(), FakeFeed()
        self.profile = Profile(folder, writable=True)
        self._rng = np.random.default_rng(1)
        feed: Any = self.feed
        self.pipeline = Pipeline(
            "signs",
            PipelineConfig(**({"camera": "sim"} | config)),
            limits or StoreConfig(),
            self.profile,
            FakeEmbedder(),
            feed,
            clock=self.clock,
            wall=lambda: 1000.0,
            beat=lambda: None,
        )

    def show(self, value: int, times: int = 1) -> list[LabelEvent]:
        """So many frames of one brightness, a thirtieth of a second apart."""
        events = []
        for _ in range(times):
            self.clock.advance(1 / 30)
            noisy = np.clip(value + self._rng.normal(0, 4, (24, 32, 3)), 0, 255).astype(np.uint8)
            self.feed.frames.append(Frame(noisy, self.clock()))
            events += self.pipeline.step()
        return events

    def teach(self, label: str, value: int, times: int = 12) -> None:
        """Hold the button of a class while frames come."""
        for _ in range(times):
            self.pipeline.record(label)
            self.show(value)
        self.pipeline.release()
