"""Going on with what was trained before."""

from __future__ import annotations

import contextlib

from device.assembly import load_saved, trained_head
from device.cli.output import warn_all
from edge_tl.embedders.embedder import Embedder
from edge_tl.errors import ConfigError, ProfileMismatch
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile


def resume(profile: Profile, embedder: Embedder, head: str | None) -> Recognizer:
    """The recognizer trained before, so that its answers show at once; a fresh one where there is none to go on with.

    head: what was asked for on the command line; None goes on with the head trained before.
    """
    saved = load_saved(profile)
    taught = trained_head(saved, embedder)
    if saved is not None and head in (None, taught):
        with contextlib.suppress(ProfileMismatch, ConfigError):
            recognizer = profile.load_as(lambda one: Recognizer.restore(one, embedder))
            warn_all(profile.warnings)
            if recognizer is not None:
                return recognizer
    fresh = Recognizer(embedder, head or taught)
    fresh.adopt(saved)
    return fresh
