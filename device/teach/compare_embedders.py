"""Another embedder for a profile that was taught: its examples embedded anew; the old one stays where it is better."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from edge_tl.core.answers import Learned
from edge_tl.core.kept import as_stored
from edge_tl.embedders.embedder import Embedder, embed_kept
from edge_tl.errors import ExampleError
from edge_tl.judge.evaluation import Evaluation
from edge_tl.media.image import decode
from edge_tl.recognizer import Recognizer
from edge_tl.store.media import JPEG
from edge_tl.store.profile import Profile


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the two embedders are worth on what was taught, by the same honest evaluation."""

    before: float
    """Accuracy with the embedder of now, 0 to 1; NaN where nothing can be said."""
    after: float
    """And with the other one."""
    recognizer: Recognizer
    """Trained with the other one."""
    learned: Learned
    evaluation: Evaluation

    @property
    def worse(self) -> bool:
        """Whether the other one is worse; where nothing can be said it is not."""
        return self.after < self.before


def compare(
    profile: Profile, old: Embedder, new: Embedder, head: str, progress: Callable[[int, int], object]
) -> Exchange | None:
    """Embed all examples of a profile with another embedder and compare; nothing is written. None without examples.

    ExampleError where an example kept no picture: it could not be embedded anew.
    """
    store = profile.store
    listed = store.list()
    if not listed:
        return None
    without = [str(one.id) for one in listed if one.media_type != JPEG]
    if without:
        raise ExampleError(
            f"{len(without)} examples kept no picture to be embedded anew ({', '.join(without[:5])}): remove them"
        )
    known = store.matrix(old.fingerprint)
    # The old one too sees the pictures as they are stored: otherwise it alone would be judged without JPEG's losses.
    anew = {one.fingerprint: np.empty((len(listed), one.embedding_dim), np.float32) for one in (old, new)}
    for row, example in enumerate(listed):
        picture = decode(store.picture(example.id))
        for one in (old, new):
            anew[one.fingerprint][row] = as_stored(embed_kept(one, picture))
        progress(row + 1, len(listed))
    names = {session.id: session.name for session in store.sessions()}
    made = []
    for embedder in (old, new):
        recognizer = Recognizer(embedder, head)
        recognizer.replace(replace(known, X=anew[embedder.fingerprint], fingerprint=embedder.fingerprint))
        learned = recognizer.learn()
        made.append((recognizer, learned, recognizer.evaluate(names=names)))
    before = made[0][2].headline.accuracy
    recognizer, learned, evaluation = made[1]
    after = evaluation.headline.accuracy
    return Exchange(before, math.nan if math.isnan(before) else after, recognizer, learned, evaluation)
