"""A hand's movement as what is taught: windows of its track, behind the words that pictures and sounds have."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from edge_tl.core.features import PLAIN
from edge_tl.embedders.embedder import TrackEmbedder
from edge_tl.embedders.look.any_side import HAND_VALUES, AnySide
from edge_tl.embedders.look.embedders import shape_of_points
from edge_tl.embedders.look.made_hands import HANDS
from edge_tl.errors import ShapeError
from edge_tl.labels import ORDINARY
from edge_tl.movements.demonstration import VIEWS, ordinary_views, taught_windows, whole_window
from edge_tl.movements.held import holds_still, sign_rows
from edge_tl.movements.spotter import LENGTHS_S, SLOW
from edge_tl.movements.track import Track
from edge_tl.movements.windows import MOMENTS, PALM_LENGTHS, POINTS, VALUES, resampled

_SIGN = AnySide()


class MovementEmbedder(TrackEmbedder):
    """Windows of 16 moments of 21 landmarks; needs no model, for whoever has landmarks.

    A track in which the hand is held still is a sign: its rows are the hand's shape (`movements.held`).
    """

    name = "movement"
    views = VIEWS
    features = PLAIN
    strangers = HANDS
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
        if holds_still(track):
            return self._signs(track)[VIEWS // 2]
        return whole_window(track)

    def embed_held(self, landmarks: np.ndarray) -> np.ndarray:
        """As of TrackEmbedder."""
        # Only x and y: what is taught is kept without depth, and depth is a guess of the tracker's.
        flat = np.pad(np.asarray(landmarks, np.float64).reshape(-1, POINTS, 2), ((0, 0), (0, 0), (0, 1)))
        shapes = np.stack([shape_of_points(one) for one in flat])
        return sign_rows(_SIGN(shapes, (HAND_VALUES,)))

    def taught(self, track: Track, label: str) -> np.ndarray:
        """As of TrackEmbedder; of `nothing` windows of it, of movements all of it and cut at its begin and end, of a
        hand that is held its shape at nine times."""
        if label == ORDINARY:
            windows = ordinary_views(track)
        else:
            windows = self._signs(track) if holds_still(track) else taught_windows(track)
        return windows.reshape(-1)

    def _signs(self, track: Track) -> np.ndarray:
        """float32 (9, 673): the rows of a hand that is held, from early to late."""
        at = np.linspace(track.times_s[0], track.times_s[-1], VIEWS)
        return self.embed_held(resampled(track.landmarks, track.times_s, at, at)[:, 0])
