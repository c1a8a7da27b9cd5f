"""What a head sees of a hand: the same shape from the palm and from the back, of the left and of the right hand.

Seen from the back a hand is the mirror image of its palm. Which of both is seen is told by the order of the landmarks:
a row is turned over by it, softly, since edge-on nobody can say. So nothing has to be taught twice, or made twice; what
was seen stays beside the shape as a small value of its own, which a head uses where the taught classes differ in it
and nowhere else. Chosen on half of the people (NOTES.md).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_tl.core.features import unit_rows
from edge_tl.embedders.look.hand import INDEX, LITTLE
from edge_tl.errors import ShapeError

HAND_VALUES = 2 * 20 + 4 * 5
"""Of one hand's shape: twenty points, then four bends of each finger."""
TURN_VALUES = 2
"""Of the way in which a hand points: the sine and the cosine of its angle."""
EDGE_ON = 0.5
"""Below this sine of the angle between index and little finger's roots, seen from the wrist, a hand is turned over in
part only. At 0, 0.1, 0.2, 0.3 and 0.5 one example a class: .918, .919, .933, .947 and .959 of half of the people."""
SIDE = 0.02
"""What the side that is seen weighs beside a shape of unit length."""
WHICH = 0.02
"""What it weighs which hand is there alone, where two are looked for: left and right as classes of their own are .99
right, other people's other hands .90; at 0.01 .89 and .94."""
TURN = 0.15
"""What the way in which a hand points weighs: five examples a class tell left, right and up by it, and hands that are
turned by 30 or 90° lose nothing."""
CROP = 0.25
"""What a hand's crop weighs beside its shape. More helps where many were taught, and harms where one was: at 0.5 one
example a class loses three points, at 0.7 nine."""


@dataclass(frozen=True)
class AnySide:
    """A head's rows of hands' shapes (`shape_of`), side by side, and what else is kept of a hand.

    A row holds the shapes, of unit length together; then the side of each; of two hands which one is there alone;
    then how it points and its crop, where the embedding has them. A hand that is alone is the same in either place.
    """

    hands: int = 1
    """How many shapes an embedding begins with, 1 or 2."""
    crop: bool = False
    """Whether `TURN_VALUES` and a crop of unit length come after the shape."""

    def saved(self) -> dict[str, Any]:
        """Both values, and what tells them from a `FeatureMap`'s."""
        return {"sides": "any", **asdict(self)}

    def __call__(self, embeddings: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """float32 (N, F) of embeddings (N, D), or (F,) of one (D,); ShapeError where they are not of this shape."""
        least = self.hands * HAND_VALUES
        if len(shape) != 1 or embeddings.ndim not in (1, 2) or embeddings.shape[-1] != shape[0] or shape[0] < least:
            raise ShapeError(
                f"embeddings have shape {embeddings.shape}; (N, {least}) or more of shape {shape} is wanted"
            )
        rows = np.asarray(embeddings, np.float32).reshape(-1, shape[0])
        hands = rows[:, :least].reshape(-1, self.hands, HAND_VALUES)
        there: np.ndarray = (hands != 0).any(axis=2)
        which = np.zeros((len(rows), 0), np.float32)
        if self.hands == 2:
            alone = there[:, 0] != there[:, 1]
            which = np.where(alone, np.where(there[:, 0], -WHICH, WHICH), 0).astype(np.float32)[:, None]
            moved = hands.copy()
            moved[alone, 1], moved[alone, 0] = hands[alone].sum(axis=1), 0
            hands = moved
        sides = side_seen(hands)
        turned = hands.copy()
        turned[..., : 2 * 20 : 2] *= sides[..., None]
        parts = [unit_rows(turned.reshape(len(rows), least)), SIDE * sides, which]
        if self.crop:
            parts += [TURN * rows[:, least : least + TURN_VALUES], CROP * rows[:, least + TURN_VALUES :]]
        found = np.concatenate(parts, axis=1)
        return found[0] if embeddings.ndim == 1 else found


def side_seen(hands: np.ndarray) -> np.ndarray:
    """Which side of hands (…, 60), as `shape_of` has them, is seen: 1 the palm, −1 the back, 0 edge-on or no hand."""
    index, little = (hands[..., 2 * (at - 1) : 2 * at] for at in (INDEX, LITTLE))
    lengths = np.maximum(np.linalg.norm(index, axis=-1) * np.linalg.norm(little, axis=-1), 1e-6)
    across = (index[..., 1] * little[..., 0] - index[..., 0] * little[..., 1]) / lengths
    return np.clip(across / EDGE_ON, -1, 1)
