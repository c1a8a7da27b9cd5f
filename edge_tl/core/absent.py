"""Examples in which nothing was found, and which class they mean."""

from __future__ import annotations

import numpy as np

from edge_tl.labels import label_texts


def nobody_class(y: np.ndarray, found: np.ndarray) -> str | None:
    """The class that means "nothing there": the one with the largest share of examples without a find, above half.

    y: labels (N,) of any kind, the answer is text; found: bool (N,), False where nothing was. None where no
    class is so; of equal shares the class with more such examples, then the first in the alphabet.
    """
    y = label_texts(y)
    best, most = None, (0.5, 0)
    for label in np.unique(y[~found]):
        missed = int((~found[y == label]).sum())
        share = missed / int((y == label).sum())
        if (share, missed) > most and share > 0.5:
            best, most = str(label), (share, missed)
    return best


def teaching_rows(y: np.ndarray, takes: np.ndarray, found: np.ndarray) -> np.ndarray:
    """bool (N,): the examples that teach a head, which are those in which something was found.

    Of the class that means "nothing there" only where finds come from two takes or more: what is found by mistake in
    a single one is no lesson.
    """
    nobody = nobody_class(y, found)
    stray = found & (label_texts(y) == nobody)
    return found & ~stray if len(np.unique(takes[stray])) < 2 else found


def missed_counts(y: np.ndarray, found: np.ndarray) -> dict[str, int]:
    """Label → the number of its examples in which nothing was found, of the labels that have any."""
    labels, counts = np.unique(y[~found], return_counts=True)
    return dict(zip(map(str, labels), counts.tolist(), strict=True))
