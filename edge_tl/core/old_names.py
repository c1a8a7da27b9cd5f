"""Public names of before, for one version more: each warns and gives what the new name gives."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any
from warnings import warn

import numpy as np


def renamed(old: str, new: str) -> None:
    """Warn whoever uses an old name, at the line that uses it."""
    warn(f"{old} is called {new} now", DeprecationWarning, stacklevel=3)


class OldRecognizerNames:
    """`recognise` and `sought` of a Recognizer."""

    @property
    @abstractmethod
    def looks_for(self) -> str:
        """What is looked for in a picture."""

    @abstractmethod
    def recognize(self, embedding: np.ndarray | None) -> Any:
        """Name a picture by its embedding."""

    def recognise(self, embedding: np.ndarray | None) -> Any:
        """`recognize`."""
        renamed("Recognizer.recognise", "recognize")
        return self.recognize(embedding)

    @property
    def sought(self) -> str:
        """`looks_for`."""
        renamed("Recognizer.sought", "looks_for")
        return self.looks_for


class OldFinderNames:
    """`sought` of a Finder, also of a class of one's own that still declares it."""

    looks_for: str

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        old = cls.__dict__.get("sought")
        if isinstance(old, str):
            renamed(f"{cls.__name__}.sought", "looks_for")
            cls.looks_for = old

    @property
    def sought(self) -> str:
        """`looks_for`."""
        renamed("Finder.sought", "looks_for")
        return self.looks_for
