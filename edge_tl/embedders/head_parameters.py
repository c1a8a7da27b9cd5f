"""What a head is to know of the rows that an embedder gives: they are not alike."""

from __future__ import annotations

from typing import Any

from edge_tl.embedders.embedder import Embedder, Finder, TrackEmbedder


def head_parameters(embedder: Embedder, head: str) -> dict[str, Any]:
    """Parameters of a head of this name."""
    if isinstance(embedder, Finder) and head == "ridge" and embedder.ridge_prior is not None:
        return {"prior": embedder.ridge_prior}
    return {"strangers": embedder.strangers} if isinstance(embedder, TrackEmbedder) and head == "movement" else {}
