"""Sounds that hold none of the words, as examples: a hidden class that is never told, taught by what was nearest to it.

Hours of speech hold thousands of windows in which a head that knows only the words half hears one. The hardest of them,
and some others, become examples of `OTHER`: the head learns where the words end. What that is worth: "False alarms of
words" in benchmarks/README.md.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

import numpy as np

from edge_tl.core.kept import as_stored
from edge_tl.core.world import WorldSums
from edge_tl.embedders.stream import StreamingSpeech
from edge_tl.frames import Frame
from edge_tl.listener import SILENT
from edge_tl.recognizer import Recognizer
from edge_tl.words.alarms import answers, listening

HARDEST, ANY = 300, 300
"""How many windows are taken: those nearest to being told, and any."""
APART_S = 0.5
"""Of the windows in so long a time only the hardest counts: its neighbours hear the same."""


def others_in(
    recognizer: Recognizer, frames: Iterable[Frame], seed: int = 0, adding: WorldSums | None = None
) -> np.ndarray:
    """What a recognizer of words should be taught of sounds without them: float32 (M, embedding_dim), in no order.

    Little memory is needed, however long the sounds are; M is 600 at most. adding: takes in all of them. ShapeError for
    a recognizer of pictures.
    """
    speech = StreamingSpeech(listening(recognizer))

    def windows() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for frame in frames:
            if heard := speech.push(frame):
                embeddings = np.stack([as_stored(window.embedding) for window in heard])
                if adding is not None:
                    adding.add(recognizer.features(embeddings, recognizer.embedder.embedding_shape))
                yield embeddings, np.array([window.end_s for window in heard])

    return pick(recognizer, windows(), seed)


def pick(recognizer: Recognizer, windows: Iterable[tuple[np.ndarray, np.ndarray]], seed: int = 0) -> np.ndarray:
    """The same of windows that are embedded: pieces of a stream, (n, embedding_dim) and when each was over, (n,)."""
    rng = np.random.default_rng(seed)
    spoken = np.array([label not in SILENT for label in recognizer.classes], bool)
    hardest: list[tuple[float, int, np.ndarray]] = []
    some: list[np.ndarray] = []
    count = 0
    for embeddings, over_s in windows:
        probabilities, familiar = answers(recognizer, embeddings)
        near = probabilities[:, spoken].max(axis=1) * familiar
        stretch = (over_s / APART_S).astype(np.int64)
        for number in np.unique(stretch):
            own = np.flatnonzero(stretch == number)
            best = int(own[near[own].argmax()])
            heapq.heappush(hardest, (float(near[best]), count + best, embeddings[best]))
            if len(hardest) > HARDEST:
                heapq.heappop(hardest)
        for embedding in embeddings:  # each window of the stream is as likely to be among them as any other
            place = count if count < ANY else int(rng.integers(0, count + 1))
            count += 1
            if place < len(some):
                some[place] = embedding
            elif place < ANY:
                some.append(embedding)
    found = [embedding for _, _, embedding in sorted(hardest, key=lambda one: one[1])] + some
    if not found:
        return np.empty((0, recognizer.embedder.embedding_dim), np.float32)
    return np.stack(found)[rng.permutation(len(found))]
