"""What an embedder is, and what some of them can do besides: what everything else asks for is declared here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np

from edge_tl.core.features import FeatureMap, Features
from edge_tl.core.kept import as_kept
from edge_tl.core.old_names import OldFinderNames
from edge_tl.core.strangers import Strangers
from edge_tl.media.image import check_picture
from edge_tl.movements.track import Track
from edge_tl.nn import Network
from edge_tl.nn.network import Upper

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@runtime_checkable
class Embedder(Protocol):
    """Anything that turns a picture, or a sound, into an embedding, the same one every time."""

    name: str
    """What screens and profiles call it."""
    kind: str
    """`picture` or `sound`: what it embeds. What is said of pictures below holds for sounds float32 (samples,)."""
    fingerprint: str
    """Changes whenever its embeddings do; of a model file its SHA-256."""
    embedding_shape: tuple[int, ...]
    """(rows, columns, channels) of a map, or (values,)."""
    embedding_dim: int
    """How many values that is."""

    def fit(self, data: np.ndarray) -> np.ndarray:
        """A picture uint8 (height_px, width_px, 3) RGB brought to the model's size; `embed` takes either."""

    def embed(self, data: np.ndarray) -> np.ndarray | None:
        """A picture uint8 (height_px, width_px, 3) RGB of any size → float32 (embedding_dim,), a new array.

        None where a `Finder` finds nothing in it. ShapeError for an array of another dtype or shape.
        """


class WholePictureEmbedder(Embedder, Protocol):
    """An Embedder that looks for nothing: whatever the picture shows has an embedding."""

    def embed(self, data: np.ndarray) -> np.ndarray:
        """As of Embedder, and never None."""


class Tracker(Protocol[T_co]):
    """What finds something in pictures, and follows it from one to the next."""

    def find(self, picture: np.ndarray) -> T_co | None:
        """What is in a picture uint8 (height_px, width_px, 3) RGB, whatever came before; None for nothing."""

    def follow(self, picture: np.ndarray) -> T_co | None:
        """What is in the next picture of a stream: where it was, or else wherever it is."""

    def glance(self, picture: np.ndarray) -> T_co | None:
        """The same at a small part of the cost, for pictures between those that are followed in full.

        What was seen last, where nothing cheaper than a full look says more; None while nothing is followed.
        """

    def lose(self) -> None:
        """Forget where it was: the next picture is of another stream."""

    def count(self, picture: np.ndarray) -> int:
        """How many there are to choose from in a picture; 0 where none is skipped."""


class Finder(OldFinderNames, Generic[T]):
    """An Embedder that looks for something in pictures: where it is not there, `embed` gives None.

    Not for two threads at once: it keeps what it saw last, and follows it.
    """

    kind = "picture"
    way: str
    """The way to look, one of `look.choices.WAYS`."""
    looks_for: str
    """What it looks for, in a word: "hand" or "face"."""
    features: Features = FeatureMap()
    """What a head should see of its embeddings."""
    ridge_prior: float | None = None
    """Where a ridge head's λ is expected for such rows, in units of the mean eigenvalue, where too few examples were
    taught to tell; None for where whole pictures want it."""
    max_every = 2
    """Of pictures that follow each other at least each so-manyth is to be looked at in full, however slow that is."""
    strangers: Strangers | None = None
    """What else there may be, for "none of these"; None where nobody can say."""

    def __init__(self, tracker: Tracker[T]) -> None:
        self.tracker = tracker
        self.following = False
        """Whether pictures follow each other: it is looked for where it was in the picture before."""
        self.sparing = False
        """Of pictures that follow each other: whether the next one is but glanced at, to keep up with the camera."""
        self.seen: T | None = None
        """What the last `embed` found, for drawing."""
        self._embedded: np.ndarray | None = None

    def fit(self, data: np.ndarray) -> np.ndarray:
        """The picture itself: something small in it may be what is looked for. ShapeError where it is no picture."""
        check_picture(data)
        return data

    def embed(self, data: np.ndarray) -> np.ndarray | None:
        """A picture uint8 (height_px, width_px, 3) RGB → float32 (embedding_dim,); None where nothing is found."""
        if self.following and self.sparing:
            return self._glanced(data)
        self.seen = self.tracker.follow(data) if self.following else self.tracker.find(data)
        embedding = None if self.seen is None else self._embedding(data, self.seen)
        # Of a stream a glance may keep it; a picture between two of a stream is none of it.
        self._embedded = embedding if self.following else None
        return embedding

    def _glanced(self, picture: np.ndarray) -> np.ndarray | None:
        """The embedding of a picture between two that are looked at in full."""
        seen = self.tracker.glance(picture)
        if seen is None:
            self._embedded = None
        elif self._embedded is None:
            self._embedded = self._embedding(picture, seen)
        elif seen is self.seen:  # nothing new was seen: it is not embedded twice
            self._embedded = self._embedded.copy()
        else:
            self._embedded = self._between(picture, seen, self._embedded)
        self.seen = seen
        return self._embedded

    def _between(self, picture: np.ndarray, seen: T, last: np.ndarray) -> np.ndarray:
        """As `_embedding` of what a glance found; `last`: the embedding before, of which parts may be kept."""
        return self._embedding(picture, seen)

    @abstractmethod
    def _embedding(self, picture: np.ndarray, seen: T) -> np.ndarray:
        """float32 (embedding_dim,), a new array, of what was found in a picture."""


def features_of(embedder: Embedder) -> Features:
    """What a head should see of its embeddings: what an embedder asks for, or else `FeatureMap()`."""
    return embedder.features if isinstance(embedder, Finder | SoundEmbedder | TrackEmbedder) else FeatureMap()


def views_of(embedder: Embedder) -> int:
    """How many rows it gives of one example, one after the other: 1 of a picture."""
    return embedder.views if isinstance(embedder, SoundEmbedder | TrackEmbedder) else 1


def looks_for(embedder: Embedder) -> str:
    """What an embedder looks for, "hand" or "face"; empty for one that takes all of a picture or sound."""
    return embedder.looks_for if isinstance(embedder, Finder) else ""


def embed_kept(embedder: Embedder, data: np.ndarray) -> np.ndarray:
    """What the store keeps of a picture or sound, float32 (embedding_dim,): `as_kept` of its embedding."""
    return as_kept(embedder.embed(data), embedder.embedding_dim)


def missed_text(embedder: Embedder, missed: int, of: object) -> str:
    """In how many of so many pictures nothing was found, to end a line with; empty where none was missed."""
    return f"; no {looks_for(embedder)} in {missed} of {of}" if missed else ""


class EmbeddingStream(Protocol):
    """Embeds the windows of one stream: window k begins at sample k·hop."""

    def push(self, samples: np.ndarray) -> list[np.ndarray]:
        """The embeddings of the windows that are whole after a block float32 (samples,)."""


@runtime_checkable
class SoundEmbedder(Embedder, Protocol):
    """An Embedder of kind `sound`: one window of samples in, an embedding out."""

    rate_hz: int
    """Of the sounds it takes."""
    window_samples: int
    hop_samples: int
    """From one window of a stream to the next."""
    views: int
    """Windows that `taught` gives of one recording."""
    word_at: float
    """Where in a window the middle of its word belongs, as a share of it."""

    @property
    def features(self) -> Features:
        """What a head should see of its embeddings."""

    def embed(self, data: np.ndarray) -> np.ndarray:
        """A sound float32 (samples,) → float32 (embedding_dim,), a new array: there is always something to hear."""

    def taught(self, recording: np.ndarray) -> np.ndarray:
        """The windows (views, window_samples) of a recorded word to train on; ExampleError where no word is heard."""

    def stream(self) -> EmbeddingStream:
        """What embeds a stream; bit for bit what `embed` gives for each window."""


class TrackEmbedder(ABC):
    """An Embedder of kind `movement`: what becomes a row is a stretch of a hand's track, and no picture.

    Whoever reads tracks calls `embed_track`; `fit` and `embed` refuse.
    """

    kind = "movement"
    views: int
    """Windows that `taught` gives of one example."""
    features: Features
    """What a head should see of its embeddings."""
    strangers: Strangers
    """As of Finder, of the rows of hands that are held."""

    @abstractmethod
    def embed_track(self, track: Track) -> np.ndarray:
        """All of a track as one row: float32 (embedding_dim,)."""

    @abstractmethod
    def embed_held(self, landmarks: np.ndarray) -> np.ndarray:
        """Hands that are held, landmarks (N, 21, 2), as rows float32 (N, embedding_dim)."""

    @abstractmethod
    def taught(self, track: Track, label: str) -> np.ndarray:
        """What a head learns of an example of a class: float32 (views · embedding_dim,)."""


@runtime_checkable
class Tunable(Protocol):
    """An Embedder with the base's own layers above it, which a tuned head trains further."""

    upper: Upper
    lower: Network | None
    """Its last convolutions, where they are to be trained too."""
    labels: tuple[str, ...]
    """What the base was trained to name, in the order of its outputs."""
