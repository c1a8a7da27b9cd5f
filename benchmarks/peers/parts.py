"""The parts of `bench-peers`, in the order in which they are measured."""

from __future__ import annotations

from typing import Any

from benchmarks.peers import embedding, knn, look, start, training, words

PARTS: dict[str, Any] = {"training": training, "knn": knn, "embedding": embedding, "start": start, "look": look, "words": words}
"""Each has `measure() → result`, `report(result) → text` and ENVIRONMENTS, the names of those that it uses."""


def report(result: dict[str, Any]) -> str:
    """All parts, one after the other."""
    return "\n\n".join(f"**{name}**\n\n{part.report(result[name])}" for name, part in PARTS.items() if name in result)
