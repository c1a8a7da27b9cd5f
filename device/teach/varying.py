"""Recordings varied for training, of what a profile kept of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edge_tl.core.answers import Variations
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.stream import embed_views
from edge_tl.errors import ConfigError, NotFittedError
from edge_tl.labels import NOISE
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile
from edge_tl.words.augment import varied


def vary(recognizer: Recognizer, profile: Profile, progress: Callable[[int, int], object]) -> Variations:
    """Every recording of a word with the profile's own noise behind it, at other loudness and pace."""
    embedder = recognizer.embedder
    if not isinstance(embedder, SoundEmbedder):
        raise ConfigError(f"--augment varies recordings of words; this profile was taught {embedder.kind}s")
    store = profile.store
    listed = [one for one in store.list() if one.fingerprint]
    noises = [store.sound(one.id) for one in listed if one.label == NOISE]
    spoken = [one for one in listed if one.label != NOISE]
    rng = np.random.default_rng(0)
    made, labels, takes = [], [], []
    for done, one in enumerate(spoken):
        progress(done, len(spoken))
        for sound in varied(store.sound(one.id), noises, rng):
            made.append(embed_views(embedder, sound))
            labels.append(one.label)
            takes.append(one.take)
    if not made:
        raise NotFittedError("no word was recorded yet: run `edge-tl teach --mic`, or `edge-tl examples import FOLDER`")
    return recognizer.vary(np.stack(made), labels, takes)
