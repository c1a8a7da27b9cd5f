"""One training of `bench_many` in a process of its own, whose peak memory is its own: prints JSON.

python -m benchmarks.many_child HEAD N ROWS.npz
"""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np

from edge_tl.core.features import PLAIN, unit_rows
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.models import default_model
from edge_tl.recognizer import Recognizer

NOISE = 0.3
"""How long what is added to a unit row is: copies of a picture then differ about as frames of one hold do."""


def rows_of(path: str, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """So many rows (N, D) of unit length, labels and takes: the pictures' own, again and again, each time disturbed."""
    with np.load(path) as kept:
        X, y, takes = kept["X"], kept["y"], kept["takes"]
    rng = np.random.default_rng(0)
    chosen = np.sort(np.arange(n) % len(X)) if n >= len(X) else np.linspace(0, len(X) - 1, n).astype(int)
    out = np.empty((n, X.shape[1]), np.float32)
    for first in range(0, n, 1000):
        at = chosen[first : first + 1000]
        noise = rng.standard_normal((len(at), X.shape[1]), np.float32) * np.float32(NOISE / np.sqrt(X.shape[1]))
        out[first : first + 1000] = unit_rows(X[at] + noise)
    return out, y[chosen], takes[chosen]


def peak_mb() -> float:
    """The most memory that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Learn, judge, and say what that took of the CPU and of memory."""
    head, n, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    recognizer = Recognizer(TFLiteEmbedder.load(default_model(), threads=1), head, PLAIN)
    X, y, takes = rows_of(path, n)
    before = peak_mb()
    recognizer._rows.append(X, y.tolist(), [True] * n, takes.tolist(), [0] * n)
    del X
    learn_s, judge_s = [], []
    # Small ones again and again: what takes milliseconds is told by the least.
    until_s = time.process_time() + 1
    while not learn_s or time.process_time() < until_s:
        start_s = time.process_time()
        recognizer.learn()
        learned_s = time.process_time()
        found = recognizer.evaluate()
        learn_s.append(learned_s - start_s)
        judge_s.append(time.process_time() - learned_s)
    print(
        json.dumps(
            {
                "learn_s": min(learn_s),
                "judge_s": min(judge_s),
                "peak_mb": peak_mb(),
                "before_mb": before,
                "accuracy": found.accuracy,
                "examples_asked": found.examples,
            }
        )
    )


if __name__ == "__main__":
    main()
