"""A profile in a round of sums: its own rows as a head would learn them, and a head of sums as a new generation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_tl.core.absent import nobody_class, teaching_rows
from edge_tl.errors import ConfigError
from edge_tl.fleet.sums import SummedHeadScores
from edge_tl.heads.ridge import RidgeHead
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile

METHOD = "sums of a fleet, each own take left out"


@dataclass(frozen=True)
class SummedRows:
    """What a round needs to know of a profile."""

    X: np.ndarray
    """(N, F) float32, the own examples in which something was found; of other devices' lessons none."""
    y: np.ndarray
    """(N,) str."""
    takes: np.ndarray
    """(N,) int64."""
    fingerprint: str
    """Of the embedder, with the way to look: rows of another cannot be added to these."""
    prior: float | None
    """Where λ is expected for such rows."""
    nobody: str | None
    """The class that means that nothing was found."""


def summed_rows(profile: Profile, recognizer: Recognizer) -> SummedRows:
    """The own rows of a profile; ConfigError where they are of sounds or movements, whose heads need more than sums."""
    embedder = recognizer.embedder
    if embedder.kind != "picture" or recognizer.views != 1:
        raise ConfigError(f"sums are given of pictures only; {embedder.name} is of another kind ({embedder.kind})")
    with profile.store.snapshot():
        examples = profile.store.matrix(embedder.fingerprint, recognizer.as_rows)
    ridge = recognizer.new_head(RidgeHead.name)
    assert isinstance(ridge, RidgeHead)
    if not len(examples.y):
        width = recognizer.as_rows(np.zeros((1, embedder.embedding_dim), np.float32))[0].shape[1]
        none = np.zeros(0, np.int64)
        return SummedRows(
            np.zeros((0, width), np.float32), none.astype(np.str_), none, embedder.fingerprint, ridge.prior, None
        )
    found = np.ones(len(examples.y), bool) if examples.found is None else examples.found
    some = teaching_rows(examples.y, examples.takes, found)
    nobody = nobody_class(examples.y, found)
    return SummedRows(
        examples.X[some], examples.y[some], examples.takes[some], embedder.fingerprint, ridge.prior, nobody
    )


def save_summed(
    profile: Profile, recognizer: Recognizer, head: RidgeHead, scores: SummedHeadScores, nobody: str | None
) -> int:
    """Write the head as a new generation of the profile; its number.

    It never answers "none of these": what is unlike all examples can be told by the rows alone, which stayed where they
    are. nobody: the own class that means that nothing was found; where the head names it itself, it does that.
    """
    made = Recognizer(recognizer.embedder, RidgeHead.name, recognizer.features, reject=False)
    made.head = head
    made.nobody = None if nobody in head.classes_ else nobody
    summary = None if scores.accuracy is None else {"accuracy": scores.accuracy, "method": METHOD}
    return profile.save(made.save(examples=scores.examples, train_ms=0.0, evaluation=summary, sums=scores.as_dict()))
