"""Examples whose label is probably a mistake: single ones first, then those of takes that are odd as a whole."""

from __future__ import annotations

import numpy as np

from edge_tl.core.metrics import Suspect, suspects
from edge_tl.heads.ridge import RidgeHead, many


def suspected(
    y: np.ndarray,
    classes: np.ndarray,
    honest: np.ndarray,
    naive: np.ndarray,
    head: RidgeHead | None,
    X: np.ndarray,
    limit: int,
) -> tuple[Suspect, ...]:
    """At most so many of rows X (N, F) with labels y (N,), the likeliest first.

    honest, naive: probabilities (N, C) with whole takes left out, and with parts of a random split; NaN where a row was
    not judged. head: fitted on all of it with those parts as takes, which then leaves out each example alone; None
    where there is none. A single wrong label among the frames of a take is seen by its neighbours, so takes are not
    left out for it: of 5 % planted ones that finds 95 to 100 % in the first tenth on the half that chose it, leaving
    takes out 5 to 100 % (NOTES.md, "Why was it wrong?", with the other half). A take of which all labels are wrong is
    seen by the other takes only.
    """
    proba = naive
    if head is not None and not many(X):
        alone = head.held_out_proba(list(np.arange(len(y))[:, None]))
        proba = np.where(np.isfinite(naive).all(axis=1, keepdims=True), alone, np.nan)
    single = suspects(y, proba, classes, limit)
    known = {one.index for one in single}
    odd = [one for one in suspects(y, honest, classes, limit) if one.index not in known]
    return tuple([*single, *odd][:limit])
