"""What a recognizer answers, what one training did and leaves, and what it may be taught beside its examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edge_tl.errors import ProfileError


@dataclass(frozen=True, slots=True)
class Observation:
    """What a recognizer makes of one picture."""

    label: str | None
    """The class, or None for "none of these"."""
    best: str
    """The likeliest class, also where it is not believed."""
    probabilities: np.ndarray
    """(classes,), in the order of the recognizer's `classes`, summing to 1."""
    known: bool
    """False where the picture is unlike everything that was taught."""
    familiar: float = 1.0
    """How like what was taught it is, 0 to 1; known from 1/2 on."""
    found: bool = True
    """False where what the embedder looks for is not in the picture."""

    @classmethod
    def of_nothing(cls, classes: tuple[str, ...], nobody: str | None) -> Observation:
        """The answer where nothing was found: the class that means so, for certain; where there is none, no label."""
        if nobody is None:
            return cls(None, classes[0], np.full(len(classes), 1 / len(classes)), known=False, found=False)
        certain = np.array([float(label == nobody) for label in classes])
        return cls(nobody, nobody, certain, known=True, found=False)

    @property
    def confidence(self) -> float:
        """The probability of the likeliest class, 0 to 1."""
        return float(self.probabilities.max())


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What one training did."""

    head: str
    examples: int
    classes: tuple[str, ...]
    train_ms: float
    cautions: tuple[str, ...] = ()
    """What must be known of its answers, a sentence each."""


@dataclass(frozen=True, slots=True)
class Variations:
    """Rows that are taught beside the examples that they were made of."""

    X: np.ndarray
    """(M, F), as the head sees them."""
    y: np.ndarray
    """(M,) str."""
    takes: np.ndarray
    """(M,) of the examples, so that a head that leaves takes out leaves these out with them."""


@dataclass(frozen=True, slots=True)
class SavedHead:
    """What one generation holds: all that is needed to recognize again."""

    meta: dict[str, Any]
    """JSON: str keys; no NaN; tuples come back as lists."""
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    """Arrays of any dtype but object."""

    def part(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays whose name begins with `prefix`, without it; ValueError for numbers that no head has."""
        part = {name.removeprefix(prefix): array for name, array in self.arrays.items() if name.startswith(prefix)}
        if any(array.dtype.kind not in "biufUS" for array in part.values()):
            raise ValueError("its arrays hold complex numbers or times")
        return part


def head_name(saved: SavedHead) -> str:
    """What a generation's head is called; ProfileError where it does not say so."""
    head = saved.meta.get("head")
    name = head.get("name") if isinstance(head, dict) else None
    if not isinstance(name, str):
        raise ProfileError("the trained model is damaged (its head has no name): train again")
    return name
