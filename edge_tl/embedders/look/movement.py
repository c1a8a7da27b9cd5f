"""A hand's movement as what is taught: windows of its track, behind the words that pictures and sounds have."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from edge_tl.core.features import PLAIN
from edge_tl.embedders.embedder import TrackEmbedder
from edge_tl.errors import ShapeError
from edge_tl.labels import ORDINARY
from edge_tl.movements.demonstration import VIEWS, ordinary_views, taught_windows, whole_window
from edge_tl.movements.spotter import LENGTHS_S, SLOW
from edge_tl.movements.track import Track
from edge_tl.movements.windows import MOMENTS, PALM_LENGTHS, VALUES


class MovementEmbedder(TrackEmbedder):
    """Windows of 16 moments of 21 landmarks; needs no model, for whoever has landmarks."""

    name = "movement"
    views = VIEWS
    features = PLAIN
    embedding_shape: tuple[int, ...] = (VALUES,)
    embedding_dim = VALUES

    def __init__(self) -> None:
        parameters = ("movement", MOMENTS, PALM_LENGTHS, VIEWS, LENGTHS_S, SLOW)
        self.fingerprint = hashlib.sha256(json.dumps(parameters).encode()).hexdigest()

    def fit(self, data: np.ndarray) -> np.ndarray:
        """ShapeError: pictures are for a hand's tracker."""
        raise ShapeError("got a picture; the track of a hand is wanted")

    def embed(self, data: np.ndarray) -> np.ndarray | None:
        """ShapeError, as `fit`."""
        return self.fit(data)

    def embed_track(self, track: Track) -> np.ndarray:
        """As of TrackEmbedder."""
        return whole_window(track)

    def taught(self, track: Track, label: str) -> np.ndarray:
        """As of TrackEmbedder; of `nothing` windows of it, of movements all of it and cut at its begin and end."""
        windows = ordinary_views(track) if label == ORDINARY else taught_windows(track)
        return windows.reshape(-1)
