"""A hub's head in the place of an own training: judged on the own examples, and saved as a new generation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from device.assembly import load_saved
from edge_tl.errors import ConfigError, ProfileError, counted
from edge_tl.fleet.head import FleetHead
from edge_tl.heads import WITH_BASE
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile

MAX_WORSE, MIN_WORSE = 0.25, 3
"""A head that names fewer of the own examples rightly than the one in use, by this share of them or more and by so many
or more, is not used. A new class that is much like one of here costs a tenth of them, and is what somebody taught."""


def save_hub_head(profile: Profile, recognizer: Recognizer, head: FleetHead, hub: str) -> int:
    """Write a hub's head as a new generation of the profile; its number.

    recognizer: the one in use. hub: what the hub is called. ConfigError, and nothing is written, where the head is of
    another model, damaged, knows a class less than the one in use that was recorded here, or does worse here.
    """
    embedder = recognizer.embedder
    if head.header.fingerprint != embedder.fingerprint:
        raise ConfigError(f"the head of {hub} is of another model or way to look: it is not used")
    saved = head.saved()
    try:
        made = Recognizer.restore(saved, embedder)
    except ProfileError as error:
        raise ConfigError(f"the head of {hub} cannot be used: {error}") from error
    if made.head.name in WITH_BASE:
        raise ConfigError(f"the head of {hub} trains layers of a base, which is not shared: train with --head ridge")
    rows, y = _own(profile, recognizer)
    if recognizer.fitted and len(y):
        lost = sorted(set(y.tolist()) & set(recognizer.classes) - set(made.classes))
        if lost:
            raise ConfigError(f"the head of {hub} does not know {', '.join(lost)}, recorded here: it is not used")
        new, old = (int((one.head.predict(rows) == y).sum()) for one in (made, recognizer))
        if old - new >= max(MIN_WORSE, MAX_WORSE * len(y)):
            raise ConfigError(
                f"the head of {hub} names {new} of {counted(len(y), 'example')} of this device rightly, and the one in "
                f"use {old}: it is not used"
            )
    own = load_saved(profile)
    listening = own.meta.get("listening") if own is not None else None
    more = {"hub": {"device": hub, "number": head.header.number, "lessons": head.header.lessons}}
    more |= {} if listening is None else {"listening": listening}
    return profile.save(replace(saved, meta=saved.meta | more))


def _own(profile: Profile, recognizer: Recognizer) -> tuple[np.ndarray, np.ndarray]:
    """The own examples in which something was found, as heads see them: rows (N, F) and labels (N,)."""
    with profile.store.snapshot():
        examples = profile.store.matrix(recognizer.embedder.fingerprint, recognizer.as_rows)
    if not len(examples.y):
        return np.zeros((0, 0), np.float32), np.zeros(0, np.str_)
    found = np.ones(len(examples.y), bool) if examples.found is None else examples.found
    rows = examples.X.reshape(len(examples.y), recognizer.views, -1)[:, recognizer.views // 2]
    return rows[found], examples.y[found].astype(np.str_)
