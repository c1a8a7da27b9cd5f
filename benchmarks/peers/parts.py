"""The parts of `bench-peers`, in the order in which they are measured, and how each is shown."""

from __future__ import annotations

from typing import Any

from benchmarks.peers import embedding, epochs, growth, knn, look, start, training, words
from benchmarks.peers.environments import ENVIRONMENTS

PARTS: dict[str, Any] = {
    "training": training,
    "knn": knn,
    "embedding": embedding,
    "start": start,
    "look": look,
    "words": words,
    "epochs": epochs,
    "growth": growth,
}
"""Each has `measure() → result` (`skipped` in it), `report(result) → text` and ENVIRONMENTS, the names of its own."""


def report(result: dict[str, Any]) -> str:
    """All parts, one after the other."""
    return "\n\n".join(f"**{name}**\n\n{page(name, result[name])}" for name in PARTS if name in result)


def page(name: str, result: dict[str, Any]) -> str:
    """A part's report, the versions of the peers, and who was left out."""
    versions = {
        of: number
        for environment, one in result["environments"].items()
        for of, number in one.get("versions", {}).items()
        if of in ENVIRONMENTS[environment].pinned
    }
    lines = [PARTS[name].report(result)]
    if versions:
        lines.append(f"With {', '.join(f'{of} {number}' for of, number in sorted(versions.items()))}.")
    if result["skipped"]:
        lines.append(
            "Left out:\n\n" + "\n".join(f"* {who}: {why.rstrip('.')}." for who, why in result["skipped"].items())
        )
    return "\n\n".join(lines)
