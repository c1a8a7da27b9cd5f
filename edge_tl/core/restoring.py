"""What a saved head must be before it is believed: of this embedder, with answers that can be ones, and no damage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from edge_tl.core.answers import Observation, SavedHead
from edge_tl.errors import ProfileError, ProfileMismatch, counted, escaped, other_model
from edge_tl.files import DAMAGE
from edge_tl.labels import MAX_CLASSES, check_label


def check_same(saved: SavedHead, name: str, fingerprint: str) -> None:
    """ProfileMismatch where another embedder than this one saw what was taught."""
    taught = {key: escaped(str(told)) for key, told in saved.meta["embedder"].items()}
    if taught["fingerprint"] != fingerprint:
        raise ProfileMismatch(
            f"this profile was trained with {taught['name']} ({taught['fingerprint'][:12]}), not with {name} "
            f"({fingerprint[:12]}): " + other_model(", then `edge-tl train`")
        )


def check_answer(answer: Observation, classes: tuple[str, ...]) -> None:
    """ValueError unless this can be the answer of a recognizer with these classes: labels, and finite chances."""
    if len(classes) > MAX_CLASSES:
        raise ValueError(f"it knows {counted(len(classes), 'class', 'classes')}, at most {MAX_CLASSES} are wanted")
    for label in classes:
        if check_label(str(label)) != label:
            raise ValueError(f"{label[:40]!a} is no label")
    chances = answer.probabilities
    if not np.isfinite(answer.familiar):
        raise ValueError("it does not know how familiar anything is")
    if chances.shape != (len(classes),) or not np.isfinite(chances).all() or (chances < 0).any():
        raise ValueError("its answer is none")


@contextmanager
def damage_in_one_line() -> Iterator[None]:
    """What is made of a generation that anybody may have written: all that it can raise is one ProfileError."""
    try:
        with np.errstate(all="ignore"):
            yield
    except ProfileError:
        raise
    except DAMAGE as error:
        said = escaped(" ".join(str(error).split()))[:120] or type(error).__name__
        raise ProfileError(f"the trained model is damaged ({said}): train again") from error
