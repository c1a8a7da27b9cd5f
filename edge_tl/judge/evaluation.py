"""What is said about a head: its accuracy across sessions and across takes, and where it errs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from edge_tl.core.metrics import Suspect


@dataclass(frozen=True)
class SessionScore:
    """How well a session is recognized by a head that was taught the others."""

    session: int
    """Its number."""
    name: str
    """What the user called it; may be empty."""
    examples: int
    """Judged examples: those of classes that another session has too."""
    accuracy: float
    """If it always answered; NaN where none could be judged."""
    answered: float | None = None
    """The share answered rightly with "none of these" on; None where that is off, or this session was not asked."""


@dataclass(frozen=True)
class AnswerShares:
    """What a user gets who asks it with "none of these" on: shares of what is asked, which sum to 1 with `refused`."""

    right: float
    """Answered, and rightly."""
    right_interval95: tuple[float, float]
    """Where that lies with 95 % confidence, as of the accuracy."""
    wrong: float
    """Answered, and wrongly."""
    examples: int
    """So many were asked."""

    @property
    def refused(self) -> float:
        """Answered "none of these"."""
        return max(0.0, 1 - self.right - self.wrong)


@dataclass(frozen=True)
class BySession:
    """How well another place or day is recognized: each session answered by a head that was taught the others."""

    accuracy: float
    """Over all judged examples; NaN where no class was shown in two sessions."""
    interval95: tuple[float, float]
    """Where it lies in other sessions like these, with 95 % confidence (`metrics.grouped_interval`)."""
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
    answers: AnswerShares | None = None
    """With "none of these", by rejectors that were taught the other sessions; None where it is off."""


@dataclass(frozen=True)
class Headline:
    """The one figure that is shown first and kept with the trained head."""

    kind: str
    """What was left out together: "session" or "take"."""
    accuracy: float
    """If it always answered."""
    interval95: tuple[float, float]
    method: str
    answers: AnswerShares | None
    """What a user gets, who is refused too; None where "none of these" is off."""


@dataclass(frozen=True)
class Evaluation:
    """An honest account of a head, for a person: on takes left out, and beside it on sessions left out."""

    accuracy: float
    """By leaving whole takes out, always answering; NaN where nothing could be judged."""
    interval95: tuple[float, float]
    """Where the accuracy lies with 95 % confidence on other takes like these (`metrics.grouped_interval`)."""
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
    answers: AnswerShares | None = None
    """With "none of these", each take judged without having been seen; None where it is off."""
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
            of = self.by_session
            return Headline("session", of.accuracy, of.interval95, of.method, of.answers)
        return Headline("take", self.accuracy, self.interval95, self.method, self.answers)

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
