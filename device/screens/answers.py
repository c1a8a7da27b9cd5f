"""Which class was answered as which, as lines of text: the whole table, or where it is too wide what is worst."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from device.screens.cells import fit, fit_apart, text_columns
from edge_tl.errors import counted

WORST = 12
"""So many classes and so many pairs are ranked where the whole table does not fit."""
LONGEST = 24
"""The columns that a class' name may take beside its figures."""
SHORT = 8
"""… and above them, where the table would be too wide otherwise."""


def answers_lines(
    classes: Sequence[str], confusion: np.ndarray, recall: Mapping[str, float], columns: int
) -> list[str]:
    """The table of answers, if it fits in so many columns, else the worst classes and the pairs most mixed up.

    confusion: counts (K, K), a row for what it was, a column for what was answered. recall: NaN where none was asked.
    """
    for longest in (LONGEST, SHORT):
        lines = table_lines(classes, confusion, recall, longest)
        if max(map(text_columns, lines)) <= columns:
            return lines
    return worst_lines(classes, confusion, recall, columns)


def table_lines(
    classes: Sequence[str], confusion: np.ndarray, recall: Mapping[str, float], longest: int = SHORT
) -> list[str]:
    """A row a class: its recall, and how often each class was the answer, under names of so many columns at most."""
    width = max(text_columns(label) for label in classes)
    names = [name.rstrip() for name in fit_apart(classes, longest)]
    cell = max(5, *(text_columns(name) for name in names))
    heading = " ".join(" " * (cell - text_columns(name)) + name for name in names)
    return [f"{'':{width}}  recall  {heading}   ← answers"] + [
        f"{fit(label, width)}  {_share(recall[label])}  " + " ".join(f"{count:{cell}}" for count in row)
        for label, row in zip(classes, confusion, strict=True)
    ]


def worst_lines(classes: Sequence[str], confusion: np.ndarray, recall: Mapping[str, float], columns: int) -> list[str]:
    """The classes found least, each with the answer that most often came instead, and the pairs mixed up most."""
    wrong = confusion - np.diag(np.diag(confusion))
    asked = confusion.sum(axis=1)
    names = min(LONGEST, max(text_columns(label) for label in classes), (columns - 26) // 2)
    shown = fit_apart(classes, names)
    order = sorted(map(int, np.flatnonzero(asked)), key=lambda i: (recall[classes[i]], -wrong[i].sum()))
    ranked = [i for i in order[:WORST] if wrong[i].any()]
    lines = [f"{fit('', names)}  recall  most often taken for"] if ranked else []
    for i in ranked:
        instead = int(wrong[i].argmax())
        told = f"{shown[instead].rstrip()} ({wrong[i, instead]} of {asked[i]})"
        lines.append(f"{shown[i]}  {_share(recall[classes[i]])}  {told}")
    both = np.triu(wrong + wrong.T)
    pairs = [divmod(int(at), len(classes)) for at in np.argsort(-both, axis=None, kind="stable")[:WORST]]
    pairs = [(a, b) for a, b in pairs if both[a, b]]
    if pairs:
        lines += ["", "confused most, in both directions"]
    for a, b in pairs:
        lines.append(f"{both[a, b]:6}  {shown[a].rstrip()} and {shown[b].rstrip()}")
    right = int((asked > 0).sum()) - int((wrong.sum(axis=1) > 0).sum())
    told = f"{counted(len(classes), 'class', 'classes')}, {right} without a mistake: the whole table is in --json"
    return [*lines, *([""] if lines else []), told]


def _share(value: float) -> str:
    return "     –" if math.isnan(value) else f"{value:6.1%}"
