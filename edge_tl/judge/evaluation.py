"""What is said about a head: its accuracy across sessions and across takes, and where it errs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from edge_tl.core.metrics import Suspect


@dataclass(frozen=True)
class SessionScore:
    """How well a session is recognised by a head that was taught the others."""

    session: int
    """Its number."""
    name: str
    """What the user called it; may be empty."""
    examples: int
    """Judged examples: those of classes that another session has too."""
    accuracy: float
    """NaN where none could be judged."""


@dataclass(frozen=True)
class BySession:
    """How well another place or day is recognised: each session answered by a head that was taught the others."""

    accuracy: float
    """Over all judged examples; NaN where no class was shown in two sessions."""
    interval95: tuple[float, float]
    """Wilson's interval for `effective_examples` trials; wide where there are few sessions."""
    effective_examples: float
    """As many independent examples would tell as much."""
    method: str
    """How it was found out, with what must be said about it."""
    confusion: np.ndarray
    """int64 (C, C): rows are the true classes, columns the answers; examples without an answer are left out."""
    recall: dict[str, float]
    """The share found of each class; NaN for a class that could not be judged."""
    examples: int
    """Judged examples."""
    unjudged: tuple[str, ...]
    """Classes that only one session has: nothing can be said about them on another day."""
    sessions: tuple[SessionScore, ...]
    """One each, in the order of their numbers."""


@dataclass(frozen=True)
class Headline:
    """The one figure that is shown first and kept with the trained head."""

    kind: str
    """What was left out together: "session" or "take"."""
    accuracy: float
    interval95: tuple[float, float]
    method: str


@dataclass(frozen=True)
class Evaluation:
    """An honest account of a head, for a person: on takes left out, and beside it on sessions left out."""

    accuracy: float
    """By leaving whole takes out, always answering; NaN where nothing could be judged."""
    interval95: tuple[float, float]
    """Where the accuracy lies with 95 % confidence: Wilson's interval for `effective_examples` trials."""
    effective_examples: float
    """The frames of a take are alike: this many independent examples would tell as much."""
    method: str
    """How it was found out, with what must be said about it."""
    classes: tuple[str, ...]
    confusion: np.ndarray
    """int64 (C, C): rows are the true classes, columns the answers; examples without an answer are left out."""
    recall: dict[str, float]
    """The share found of each class; NaN for a class that could not be judged."""
    examples: int
    """Judged examples."""
    takes: int | None
    """Takes, None where they are not known."""
    random_split_accuracy: float
    """What a random split that ignores the takes would have claimed."""
    suspects: tuple[Suspect, ...]
    """The examples most likely mislabelled, the worst first; `index` counts the rows of X."""
    accepted: float | None = None
    """With "none of these": the share of these (known) examples that were not rejected."""
    accuracy_of_accepted: float | None = None
    """With "none of these": the share of right answers among the accepted."""
    by_session: BySession | None = None
    """By leaving whole sessions out; None where fewer than two are known."""
    nothing_found: dict[str, int] = field(default_factory=dict)
    """Label → in how many of its examples nothing was found; a mistake each, unless that is what the class means."""
    near_copies: int = 0
    """Examples that are near-copies of others, which are left out together with them, whatever their takes are called.
    """

    @property
    def headline(self) -> Headline:
        """The figure to believe: across sessions as soon as some class was shown in two, else across takes."""
        if self.by_session is not None and self.by_session.examples:
            return Headline("session", self.by_session.accuracy, self.by_session.interval95, self.by_session.method)
        return Headline("take", self.accuracy, self.interval95, self.method)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON-able values; NaN becomes None."""

        def plain(value: Any) -> Any:
            if isinstance(value, np.ndarray):
                return value.tolist()
            if isinstance(value, dict):
                return {key: plain(inner) for key, inner in value.items()}
            if isinstance(value, (tuple, list)):
                return [plain(inner) for inner in value]
            return None if isinstance(value, float) and np.isnan(value) else value

        described = {"headline": asdict(self.headline), **asdict(self)}
        return {key: plain(value) for key, value in described.items()}
