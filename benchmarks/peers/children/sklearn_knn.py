"""scikit-learn: k nearest neighbours by brute force and cosine."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.peers.child import serve, timed

model: Any = None
row = np.empty((0, 0), np.float32)


def remember(path: str, values: int, labels: list[int], query: str) -> dict[str, Any]:
    """The rows."""
    global model, row
    X = np.fromfile(path, np.float32).reshape(-1, values)
    model = KNeighborsClassifier(3, algorithm="brute", metric="cosine").fit(X, np.array(labels))
    row = np.fromfile(query, np.float32)[None]
    return {"rows": len(X)}


def query(calls: int, k: int) -> dict[str, Any]:
    """Milliseconds a query, and its answer."""
    model.set_params(n_neighbors=k)
    _, took = timed(lambda: [model.predict(row) for _ in range(calls)])
    return {key: value / calls for key, value in took.items()} | {"label": int(model.predict(row)[0])}


if __name__ == "__main__":
    serve({"remember": remember, "query": query})
