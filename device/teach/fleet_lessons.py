"""The own examples of a profile together with the lessons that other devices gave it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edge_tl.core.examples import Examples
from edge_tl.errors import ProfileError
from edge_tl.fleet.keys import key_id
from edge_tl.fleet.lesson import FleetLesson
from edge_tl.fleet.pooling import pooled
from edge_tl.recognizer import Recognizer
from edge_tl.store.lessons import taken_lessons

KNOWN_BYTES = 8_000_000
"""So much of others' lessons stays in memory, so that with a new one the others are not read again."""


def with_lessons(
    own: Examples, folder: Path, recognizer: Recognizer, known: dict[str, FleetLesson] | None = None
) -> Examples:
    """The own examples of a profile's folder, as rows, and those of the lessons that other devices gave it.

    known: those of the last time, afterwards of this one. What others taught must not keep anybody from teaching: where
    it cannot be read, `without_lessons` says why.
    """
    embedder = recognizer.embedder
    try:
        lessons, names = taken_lessons(folder, embedder.fingerprint, known)
    except ProfileError as error:
        return replace(own, without_lessons=f"trained without the lessons of other devices: {error}")
    if known is not None:
        small = sum(one.rows.nbytes for one in lessons) <= KNOWN_BYTES
        known.clear()
        known.update((one.hash, one) for one in lessons if small)
    columns = recognizer.views * embedder.embedding_dim
    fits = [one for one in lessons if one.rows.shape[1] == columns]
    return pooled(own, fits, recognizer.as_rows, lambda key: names.get(key) or key_id(key))
