"""What became of one frame on its way through a line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_tl.controller import Steady
from edge_tl.core.answers import Observation
from edge_tl.frames import Frame
from edge_tl.movements.spotter import FoundMovement


@dataclass(frozen=True, slots=True)
class Sight:
    """What became of one frame."""

    frame: Frame
    embedding: np.ndarray | None
    """float32 (embedding_dim,), rounded as the store keeps it; None where what is looked for is not there."""
    observation: Observation | None = None
    """None while nothing was trained."""
    classes: tuple[str, ...] = ()
    """Of the observation's probabilities: training between two frames may change the recognizer's."""
    steady: Steady | None = None
    moved: FoundMovement | None = None
    """The movement that this frame tells, from its start to its end; None mostly."""
    glanced: bool = False
    """Whether it was but glanced at, to keep up with the camera: it teaches nothing."""

    @property
    def chances(self) -> dict[str, float]:
        """Label → how much it counts, 0 to 1: its probability, of sound times how familiar it is; empty untrained."""
        if self.observation is None:
            return {}
        familiar = 1.0 if self.frame.rate_hz is None else self.observation.familiar
        return dict(zip(self.classes, map(float, familiar * self.observation.probabilities), strict=True))
