"""The rows in memory of examples that are still stored: after one of thousands went, the others are not read again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_tl.core.examples import Example, Examples
from edge_tl.recognizer import Recognizer


def still_stored(recognizer: Recognizer, ids: Sequence[int], listed: Sequence[Example]) -> Examples | None:
    """What the store's `matrix` would read, as rows, made of those that a recognizer holds.

    ids: of the recognizer's examples, in their order. listed: all that is stored. None where the rows are not those:
    of another embedder, with other labels, takes or sessions (near-copies count with what they copy), or not all there.
    """
    X, labels, takes = recognizer.rows
    stored = [row for row in listed if row.fingerprint]
    places = {number: at for at, number in enumerate(ids)}
    fingerprint, one = recognizer.embedder.fingerprint, recognizer.one_each
    if len(labels) != len(ids) * recognizer.views or not stored:
        return None
    if any(row.id not in places or row.fingerprint != fingerprint for row in stored):
        return None
    at = np.array([places[row.id] for row in stored], np.int64)
    y, takes, sessions = labels[one][at], takes[one][at], recognizer.sessions[one][at]
    same = zip(stored, y.tolist(), takes.tolist(), sessions.tolist(), strict=True)
    if not all((row.label, row.take, row.session) == (label, take, session) for row, label, take, session in same):
        return None
    rows = X.reshape(len(ids), -1)[at]
    numbers, found = np.array([row.id for row in stored], np.int64), recognizer.found[one][at]
    return Examples(numbers, rows, y, takes, sessions, fingerprint, found=found, aside=recognizer.aside)
