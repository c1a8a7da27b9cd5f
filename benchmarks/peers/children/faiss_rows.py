"""faiss: an exact index of unit rows by their inner product, and the vote of the k nearest."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np

from benchmarks.peers.child import serve, timed

index: Any = None
classes, row = np.empty(0, int), np.empty((0, 0), np.float32)


def remember(path: str, values: int, labels: list[int], query: str) -> dict[str, Any]:
    """The rows, scaled to unit length, so that the inner product is the cosine."""
    global index, classes, row
    X = np.fromfile(path, np.float32).reshape(-1, values)
    faiss.normalize_L2(X)
    index = faiss.IndexFlatIP(values)
    index.add(X)
    classes, row = np.array(labels), np.fromfile(query, np.float32)[None]
    return {"rows": len(X)}


def nearest(k: int) -> int:
    """One query, from the row as it comes to the label."""
    asked = row.copy()
    faiss.normalize_L2(asked)
    _, near = index.search(asked, k)
    return int(np.bincount(classes[near[0]]).argmax())


def query(calls: int, k: int) -> dict[str, Any]:
    """Milliseconds a query, and its answer."""
    _, took = timed(lambda: [nearest(k) for _ in range(calls)])
    return {key: value / calls for key, value in took.items()} | {"label": nearest(k)}


if __name__ == "__main__":
    faiss.omp_set_num_threads(1)
    serve({"remember": remember, "query": query})
