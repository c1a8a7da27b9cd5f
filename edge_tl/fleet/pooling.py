"""Own examples and lessons of others as one set, on which a head learns as if all had been taught in one place.

A row means the same wherever it was made: every store rounds an embedding by `core.kept.pack` and a lesson carries just
that. And they are put into an order that depends on nothing else, so that the heads of ridge, prototypes and kNN, which
are functions of the rows alone, come out the same on each device, to the bit where the processors add alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from edge_tl.core.examples import AsRows, Examples
from edge_tl.errors import ProfileError, counted
from edge_tl.fleet.lesson import FleetLesson
from edge_tl.labels import MAX_CLASSES

FIRST_SESSION = -2
"""Sessions of others count down from here, their takes and examples from −1: none is ever one of the own."""


def no_devices(count: int) -> np.ndarray:
    """(count,) str: whose each row is where all are the own."""
    return np.full(count, "", np.str_)


def pooled(
    own: Examples,
    lessons: Iterable[FleetLesson],
    as_rows: AsRows | None = None,
    name_of: Callable[[bytes], str] = bytes.hex,
) -> Examples:
    """The own examples and those of the lessons, in an order of their own; `devices` tells whose each is.

    lessons: of one embedder, whose order does not matter. as_rows: as of `ExampleStore.matrix`, which was given the
    same. name_of: what the device with a public key is called; empty is no name. A take that came twice, by whichever
    devices, counts once. ids, takes and sessions of others are below 0, parts count on. ProfileError for more classes
    than a profile may have.
    """
    chosen: dict[str, FleetLesson] = {}
    for one in sorted(lessons, key=lambda one: one.hash):
        chosen.setdefault(one.same, one)
    taken = sorted(chosen.values(), key=lambda one: one.hash)
    if not taken:
        return own
    labels = {one.header.label for one in taken}.union(own.y.tolist())
    if len(labels) > MAX_CLASSES:
        raise ProfileError(
            f"with the lessons of other devices there are {counted(len(labels), 'class', 'classes')}, at most "
            f"{MAX_CLASSES} may be: set a device aside, or name the `labels` to learn in [fleet]"
        )
    X, y, devices = [], [], []
    takes: dict[tuple[bytes, int], int] = {}
    sessions: dict[tuple[bytes, int], int] = {}
    numbers: list[tuple[int, int]] = []
    for one in taken:
        count, about = len(one.rows), one.header
        X.append(one.embeddings)
        y += [about.label] * count
        devices += [name_of(one.key)] * count
        take = takes.setdefault((one.key, about.take), -1 - len(takes))
        session = sessions.setdefault((one.key, about.session), FIRST_SESSION - len(sessions))
        numbers += [(take, session)] * count
    theirs, found = np.concatenate(X), None
    if as_rows is not None:
        theirs, found = as_rows(theirs)
    more, empty = np.array(numbers, np.int64).T, not len(own.y)
    parts = None
    if own.parts is not None:
        after = own.parts.max(initial=-1) + 1 + np.unique(more[0], return_inverse=True)[1].reshape(-1)
        parts = np.append(own.parts, after)
    aside = own.aside
    if aside.held is not None:
        aside = replace(aside, held=np.append(aside.held, np.zeros(len(y), bool)))
    every = replace(
        own,
        aside=aside,
        ids=np.append(own.ids, -1 - np.arange(len(y))),
        X=theirs if empty else np.concatenate((own.X, theirs)),
        y=np.append(own.y, y),
        takes=np.append(own.takes, more[0]),
        sessions=np.append(own.sessions, more[1]),
        fingerprint=taken[0].header.fingerprint,
        parts=parts,
        found=found if found is None or empty or own.found is None else np.append(own.found, found),
        devices=np.append(no_devices(len(own.y)), devices),
    )
    return _in_order(every)


def _in_order(examples: Examples) -> Examples:
    """The same, take by take as their labels and rows say: as every device orders them."""
    sorted_ = np.argsort(examples.takes, kind="stable")
    takes = np.split(sorted_, np.flatnonzero(np.diff(examples.takes[sorted_])) + 1)
    told = [(str(examples.y[at[0]]), hashlib.sha256(examples.X[at].tobytes()).digest()) for at in takes]
    order = np.concatenate([takes[at] for at in sorted(range(len(takes)), key=told.__getitem__)])
    X, y, ids = examples.X[order], examples.y[order], examples.ids[order]
    parts, found, devices = (
        None if one is None else one[order] for one in (examples.parts, examples.found, examples.devices)
    )
    aside = examples.aside
    if aside.held is not None:
        aside = replace(aside, held=aside.held[order])
    numbers = {"takes": examples.takes[order], "sessions": examples.sessions[order]}
    return replace(examples, ids=ids, X=X, y=y, parts=parts, found=found, devices=devices, aside=aside, **numbers)


def sessions_of_devices(examples: Examples) -> dict[int, str]:
    """The sessions that are others', and what their devices are called."""
    if examples.devices is None:
        return {}
    theirs = examples.devices != ""
    return dict(zip(examples.sessions[theirs].tolist(), examples.devices[theirs].tolist(), strict=True))
