"""edge-tl at one size: from the button to ready, a query, or frames of several cameras recognized in one process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.peers.child import serve, timed
from benchmarks.peers.growth import peak_of
from edge_tl.core.gram import GrowingGram
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.heads import make_head
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.rejection import Rejector
from edge_tl.judge.confidence import Confidence
from edge_tl.models import default_model
from edge_tl.recognizer import Recognizer

TAKE = 10
made: dict[tuple[Any, ...], Callable[[], Any]] = {}


def drawn(examples: int, values: int, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit rows (N, D) around a mean a class, labels and takes."""
    rng = np.random.default_rng(0)
    y = np.arange(examples) // TAKE % classes
    X = rng.standard_normal((classes, values), np.float32)[y] + rng.standard_normal((examples, values), np.float32)
    return X / np.linalg.norm(X, axis=1, keepdims=True), y.astype(str), np.arange(examples) // TAKE


def prepared(what: str, examples: int, values: int, classes: int, frames: int, cameras: int) -> Callable[[], Any]:
    """What is timed, with everything that was there before."""
    if what == "frame":
        return watching(frames, cameras)
    X, y, takes = drawn(examples, values, classes)
    if what == "query":
        head = make_head("knn", k=3).fit(X, y)
        return lambda: head.predict(X[:1])
    grown = GrowingGram()
    for x in X:
        grown.append(x)

    def fit() -> Any:
        return make_head("ridge").fit(grown.X, y, takes, gram=grown.K)

    def learn() -> None:
        head = fit()
        Rejector().fit(grown.X, y, takes, head=head)
        Confidence().fit(lambda: make_head("ridge"), head, TaughtRows.check(grown.X, y, takes, grown.K))

    return fit if what == "fit" else learn


def watching(frames: int, cameras: int) -> Callable[[], Any]:
    """Each camera with an embedder and a profile of its own, as so many services have; one thread."""
    rng = np.random.default_rng(0)
    recognizers = []
    for _ in range(cameras):
        recognizer = Recognizer(TFLiteEmbedder.load(default_model(), threads=1))
        for take in range(20):
            picture = rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)
            recognizer.teach(picture, "ab"[take % 2], take)
        recognizer.learn()
        recognizers.append(recognizer)
    pictures = rng.integers(0, 256, (frames, 240, 320, 3), dtype=np.uint8)
    return lambda: [recognizer.observe(picture) for picture in pictures for recognizer in recognizers]


def run(what: str, **size: int) -> dict[str, Any]:
    """Milliseconds of the processor, and megabytes of arrays."""
    key = (what, *sorted(size.items()))
    if key not in made:
        made[key] = prepared(what, **size)
    _, took = timed(made[key])
    return {**took, "peak_mb": peak_of(made[key])}


if __name__ == "__main__":
    serve({"run": run})
