"""Signs beside movements: the shape of a hand that is held, named by a ridge, or "none of these"."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from edge_tl.core.strangers import Strangers
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.rejection import Rejector
from edge_tl.heads.ridge import RidgeHead
from edge_tl.movements.held import SIGN_VALUES, sign_rows

PRIOR = 1.0
"""The ridge's `prior`, as of all rows of hands' shapes."""


class HeldSigns:
    """What was learned of two signs or more; of one alone nothing can be told apart, and `named` knows none."""

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        """Sorted."""
        self._head: RidgeHead | None = None
        self._rejector = Rejector()

    @classmethod
    def fit(cls, taught: TaughtRows, strangers: Strangers | None) -> Self:
        """From the rows (N, 673) of signs; strangers: as of `Rejector.fit`."""
        made = cls(tuple(map(str, taught.classes)))
        if len(made.classes) > 1:
            rows = taught.X[:, :SIGN_VALUES]
            made._head = RidgeHead(prior=PRIOR).fit(rows, taught.y, taught.takes)
            made._rejector.fit(rows, taught.y, taught.takes, head=made._head, strangers=strangers)
        return made

    @property
    def reported(self) -> tuple[str, ...]:
        """The classes that are told; none where there is but one."""
        return () if self._head is None else self.classes

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """(M, C) of rows (M, 673) of hands that are held, in the order of `classes`; each row sums to 1."""
        if self._head is None:
            return np.ones((len(rows), len(self.classes)), np.float32)
        return self._head.predict_proba(rows[:, :SIGN_VALUES])

    def known(self, rows: np.ndarray) -> np.ndarray:
        """bool (M,): which are like a sign that was taught."""
        best = np.array(self.classes)[self.probabilities(rows).argmax(axis=1)]
        return self._rejector.known(rows[:, :SIGN_VALUES], best) & (self._head is not None)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What `from_state` needs."""
        meta: dict[str, Any] = {"classes": list(self.classes)}
        if self._head is None:
            return meta, {}
        parts = {"head": self._head.state(), "rejector": self._rejector.state()}
        meta |= {name: of for name, (of, _) in parts.items()}
        return meta, {f"{part}.{name}": array for part, (_, of) in parts.items() for name, array in of.items()}

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The signs that `state` was taken of; ValueError where it was taken of none."""
        made = cls(tuple(map(str, meta["classes"])))
        if "head" in meta:
            own = {
                part: {name.removeprefix(f"{part}."): array for name, array in arrays.items() if name.startswith(part)}
                for part in ("head", "rejector")
            }
            made._head = RidgeHead.from_state(meta["head"], own["head"])
            made._rejector = Rejector.from_state(meta["rejector"], own["rejector"])
            if made.probabilities(sign_rows(np.zeros((1, SIGN_VALUES)))).shape != (1, len(made.classes)):
                raise ValueError("its signs have other classes than their head")
        return made
