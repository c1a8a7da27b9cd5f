"""Which examples are left out together: whole takes, because the frames of one take are near-duplicates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_tl.labels import few_of

PARTS = 5
"""A class that was shown in one take only is left out in this many contiguous parts of it."""
STRAYS = 5
"""One example in so many may lie in a take of another class: the first frame of a hold is often a near-copy of what was
shown before, and goes with that."""


KEPT = 4
"""So many examples of a take are worth more than another take, where a part of many is taken."""


@dataclass(frozen=True)
class Folds:
    """A fold for every example, and what must be said about them."""

    index: np.ndarray
    """int64 (N,): the fold of each example, 0 … count − 1."""
    method: str
    """How the examples were grouped, in words for a person."""
    split_classes: tuple[str, ...] = ()
    """Classes with one take only, left out in contiguous parts: their score is optimistic. Of sessions: those that
    only one session has, which cannot be judged."""

    @property
    def count(self) -> int:
        """The number of folds."""
        return int(self.index.max()) + 1 if len(self.index) else 0

    def groups(self) -> list[np.ndarray]:
        """The positions of each fold's examples, in ascending order, one int64 array a fold."""
        order = np.argsort(self.index, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.index[order])) + 1)


def leave_one_out(n: int) -> Folds:
    """Every one of the n examples is a fold of its own."""
    return Folds(np.arange(n), "leave-one-out (no takes were given: optimistic where frames are near-duplicates)")


def whole_takes(y: np.ndarray, takes: np.ndarray | None, parts: np.ndarray | None = None) -> Folds:
    """One fold a take; without takes, one fold an example.

    y: labels (N,); takes: integers (N,) or None; parts: integers (N,), in which part of its take each example is, so
    that near-copies are in one (`core/near_copies.py`), −1 where that is not known.

    Leaving out the only take of a class would leave nothing to learn it from, so that take is cut into five contiguous
    parts instead, left out with those of other such classes; these are next to their neighbours in time, hence
    optimistic, and `method` and `split_classes` say so.
    """
    if takes is None:
        return leave_one_out(len(y))
    folds = np.unique(takes, return_inverse=True)[1].astype(np.int64).reshape(-1)
    shared = int(folds.max(initial=-1)) + 1
    following = shared + PARTS
    alone = []
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        if len(np.unique(takes[rows])) == 1:
            alone.append(str(label))
            if parts is not None and _cut(folds, parts, takes == takes[rows[0]], shared):
                continue
            # A part of one class alone would leave fewer of that class than of the others, and noise below chance.
            for number, part in enumerate(np.array_split(rows, min(PARTS, len(rows)))):
                folds[part] = shared + number if len(rows) > 1 else following
            following += len(rows) == 1
    folds = np.unique(folds, return_inverse=True)[1].astype(np.int64).reshape(-1)
    method = "leave-one-take-out"
    if alone:
        method += f" (one take only, so by contiguous parts of it, which is optimistic: {few_of(alone)})"
    return Folds(folds, method, tuple(alone))


def takes_together(y: np.ndarray, takes: np.ndarray | None, parts: np.ndarray | None = None) -> Folds:
    """As `whole_takes`, but in each fold takes of every class: what is left of the classes is as much of each.

    Where the takes of one class alone are left out, the others draw what is asked: noise is named rightly 5 times in
    100, where chance is 50 (NOTES.md). Of a class with more takes than another some go together. A take is of the class
    that most of it shows; where more than one in `STRAYS` is of another class, takes show several on purpose, and all
    is as `whole_takes` says.
    """
    whole = whole_takes(y, takes, parts)
    if takes is None or not len(y):
        return whole
    classes, codes = np.unique(y, return_inverse=True)
    codes = codes.reshape(-1)
    counts = np.zeros((whole.count, len(classes)), np.int64)
    np.add.at(counts, (whole.index, codes), 1)
    single = counts.sum(axis=0) == 1
    of = counts.argmax(axis=1)
    cut = np.isin(np.arange(whole.count), whole.index[np.isin(y, whole.split_classes)])
    strays = len(y) - counts[~cut].max(axis=1).sum() - counts[cut].sum()
    groups = [np.flatnonzero((of == code) & ~cut) for code in range(len(classes))]
    # The parts of classes with one take are left out together already; of one with a single example nothing is.
    groups.append(np.flatnonzero(cut & ~np.isin(np.arange(whole.count), whole.index[single[codes]])))
    asked = [len(group) for group in groups if len(group) > 1]
    if strays * STRAYS > len(y) or len(asked) < 2:
        return whole
    count = min(asked)
    fold = count + np.arange(whole.count)
    for group in groups:
        if len(group) > 1:
            fold[group] = np.arange(len(group)) * count // len(group)
    how = "one of each class together" if max(asked) == count else f"in {count} parts, some of each class in each"
    method = whole.method.replace("leave-one-take-out", f"leave-one-take-out, {how}", 1)
    folds = np.unique(fold[whole.index], return_inverse=True)[1].astype(np.int64).reshape(-1)
    return Folds(folds, method, whole.split_classes)


def thinned_takes(y: np.ndarray, folds: Folds, rows: int) -> np.ndarray:
    """Positions (M,), ascending, of about so many of N examples with labels y (N,): all folds, thinned evenly.

    Of every class the share that it has of all. Where a fold would keep fewer than `KEPT`, some folds are left out
    whole, evenly spread, but never all but one. Thinned takes choose the λ that all rows choose; few whole takes one
    that is up to ten times too large, for what is left of a class is then a single one (NOTES.md).
    """
    share, chosen = rows / max(1, len(y)), []
    for label in np.unique(y):
        rows_of = np.flatnonzero(y == label)
        own = [rows_of[group] for group in Folds(folds.index[rows_of], "").groups()]
        wanted = max(2, round(len(rows_of) * min(1.0, share)))
        count = max(2, round(wanted / min(KEPT, len(rows_of) / len(own))))
        some = [own[i] for i in evenly(len(own), count)]
        total = sum(map(len, some))
        chosen += [group[evenly(len(group), max(2, round(len(group) * wanted / total)))] for group in some]
    return np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, np.int64)


def evenly(n: int, count: int) -> np.ndarray:
    """At most so many of the positions 0 … n − 1, the first and the last among them."""
    return np.unique(np.linspace(0, n - 1, min(n, count)).round().astype(np.int64))


def _cut(folds: np.ndarray, parts: np.ndarray, take: np.ndarray, first: int) -> bool:
    """Put a take, bool (N,), into the folds of its parts, from the first; False where the parts do not tell how."""
    if parts[take].min() < 0 or len(np.unique(parts[take])) < 2:
        return False
    folds[take] = first + parts[take]
    return True


def half_takes(y: np.ndarray, takes: np.ndarray) -> Folds:
    """Two folds a take, for labels y (N,) and integers takes (N,): its first half in time, and its second.

    What is left out so was seen in the same place a moment earlier or later. A take of one example is one fold.
    """
    index = np.zeros(len(takes), np.int64)
    following = 0
    order = np.lexsort((np.unique(y, return_inverse=True)[1].reshape(-1), takes))
    another = (np.diff(takes[order]) != 0) | (y[order][1:] != y[order][:-1])
    for rows in np.split(order, np.flatnonzero(another) + 1):  # of a take and a label, in the order in which they came
        for half in np.array_split(rows, 2):
            index[half] = following
            following += len(half) > 0
    return Folds(np.unique(index, return_inverse=True)[1].astype(np.int64).reshape(-1), "halves of takes left out")


def whole_sessions(y: np.ndarray, sessions: np.ndarray) -> Folds:
    """One fold a session, for labels y (N,) and integers sessions (N,).

    A class that only one session has cannot be asked for in another: it teaches, but is not judged, and `method` and
    `split_classes` name it.
    """
    index = np.unique(sessions, return_inverse=True)[1].astype(np.int64).reshape(-1)
    alone = tuple(str(label) for label in np.unique(y) if len(np.unique(index[y == label])) == 1)
    method = "leave-one-session-out"
    if alone:
        method += f" (in one session only, so not judged: {few_of(alone)})"
    return Folds(index, method, alone)


def random_parts(y: np.ndarray, seed: int = 0, parts: int = PARTS) -> Folds:
    """A random split into parts with every class spread evenly over them, takes ignored: what flatters."""
    order = np.random.default_rng(seed).permutation(len(y))
    order = order[np.argsort(np.asarray(y)[order], kind="stable")]
    index = np.empty(len(y), np.int64)
    index[order] = np.arange(len(y)) % min(parts, len(y))
    return Folds(index, f"random split into {min(parts, len(y))}, takes ignored")


def in_parts(y: np.ndarray, takes: np.ndarray, parts: int = 4) -> np.ndarray:
    """int64 (N,): whole takes put together, so that each class (labels y) has at most so many."""
    made = np.zeros(len(takes), np.int64)
    for code, label in enumerate(np.unique(y)):
        own = np.flatnonzero(y == label)
        made[own] = code * parts + np.unique(takes[own], return_inverse=True)[1].reshape(-1) % parts
    return made
