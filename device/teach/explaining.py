"""Why an answer was wrong: a picture or a sound, held against everything that its profile was taught."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from copy import copy
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from device.teach.lesson import ENOUGH, ENOUGH_NOISE
from edge_tl.core.answers import Observation
from edge_tl.core.examples import Examples, recorded_in
from edge_tl.errors import ConfigError, ExampleError, NotFittedError, ProfileError
from edge_tl.heads.base import TaughtRows
from edge_tl.judge.evidence import RecordedEvidence
from edge_tl.judge.next_picture import Suggestion, weakest_class, worth_naming
from edge_tl.judge.why import AskedExample, Explanation, Neighbour, TaughtExamples, TriedRepair, explain
from edge_tl.labels import NOISE, check_label
from edge_tl.media.image import decode
from edge_tl.media.picture_measures import measure_picture
from edge_tl.media.repairs import Repair, repairs
from edge_tl.media.sound import Sound
from edge_tl.recognizer import Recognizer
from edge_tl.store.examples import ExampleStore

MEASURED = 12
"""So many of the nearest taught pictures say what light is usual."""


@dataclass(frozen=True)
class ExplainedAnswer:
    """An explanation with what a person wants to know of the examples in it."""

    explanation: Explanation
    was: str | None
    right_answer: bool
    """Whether a person says that it was what was answered."""
    nearest: tuple[dict[str, Any], ...]
    """For each of the nearest: `id`, `label`, `likeness`, `take`, `session`."""
    right: dict[str, Any] | None
    """The same of the nearest one of the class that it was."""
    row: np.ndarray | None
    """(F,) what the head saw; None where nothing was found."""
    next: str
    """What to show next, in a line; empty where nothing is better than anything else."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "was": self.was,
            "right_answer": self.right_answer,
            "nearest": list(self.nearest),
            "right": self.right,
            "causes": [asdict(one) for one in self.explanation.causes],
            "next": self.next or None,
        }

    def lines(self) -> list[str]:
        """What a person reads, without the answer itself."""
        told = []
        if self.nearest:
            told.append("nearest taught: " + ", ".join(map(named, self.nearest)))
        if self.right is not None:
            told.append(f"nearest {self.was}: {named(self.right)}")
        if self.right_answer:
            return [*told, "why: the answer was right"]
        causes = [one.text for one in self.explanation.causes] or ["none of the measured causes"]
        told += [f"why: {causes[0]}", *[f"     {text}" for text in causes[1:]]]
        return told + ([f"next: {self.next}"] if self.next else [])


def named(one: dict[str, Any]) -> str:
    """An example in a few words."""
    return f"{one['label']} (example {one['id']}, {math.floor(100 * one['likeness'])} % alike, take {one['take']})"


class Explainer:
    """Explains answers of a recognizer by the examples in a store; both are only read."""

    def __init__(self, store: ExampleStore, recognizer: Recognizer) -> None:
        """ProfileMismatch where the examples are another embedder's, NotFittedError where there are none; ConfigError
        for movements."""
        if recognizer.embedder.kind == "movement":
            raise ConfigError("movements are not explained: --why is for pictures and words")
        self.store, self.recognizer = store, recognizer
        examples = store.matrix(recognizer.embedder.fingerprint, recognizer.as_rows)
        if not len(examples.y):
            raise NotFittedError("there are no examples to hold it against: what was taught is not in this profile")
        self.taught, self._examples = TaughtExamples(evidence_of(examples, recognizer)), examples
        self._positions = np.arange(len(examples.y))  # of the taught among the examples

    @property
    def ids(self) -> np.ndarray:
        """(N,) int64: the examples that it knows, in the order of positions."""
        return self._examples.ids

    @cached_property
    def next(self) -> str:
        """Which class to show next."""
        return weakest_class(self.taught.recorded)

    def mistake(self, at: int, others: np.ndarray, chances: dict[str, float]) -> ExplainedAnswer:
        """Why the example at a position is named wrongly by a head that was taught the others, bool (N,).

        chances: what that head said. What a repair would be named by it is not asked.
        """
        of, apart = self.taught.recorded, copy(self)
        positions = np.flatnonzero(others)
        apart.taught = TaughtExamples(of.only(positions))
        apart._positions = positions
        tried: list[TriedRepair] = []
        row, measures, usual = (of.X[at] if not of.nothing[at] else None), None, None
        if self.recognizer.embedder.kind == "picture":
            with contextlib.suppress(ExampleError, ProfileError):  # where none was kept the rest is told
                picture = decode(self.store.picture(int(self._examples.ids[at])))
                tried = [replace(self.repaired(picture, one), label=None) for one in repairs()]
                measures, usual = measure_picture(picture).row(), apart._usual(row)
        answer = max(chances, key=lambda label: chances[label], default=None)
        return apart._made(AskedExample(row, chances, answer, str(of.y[at]), measures, usual, tried))

    def check(self, was: str | None) -> None:
        """ExampleError for a class that nothing was taught of."""
        known = sorted(set(map(str, self._examples.y)))
        if was is not None and check_label(was) not in known:
            raise ExampleError(f"there is no class {was!r}; those there are: {', '.join(known) or 'none'}")

    def row(self, embedding: np.ndarray | None) -> np.ndarray | None:
        """What the head sees of an embedding."""
        return (
            None if embedding is None else self.recognizer.features(embedding, self.recognizer.embedder.embedding_shape)
        )

    def repaired(self, picture: np.ndarray, repair: Repair) -> TriedRepair:
        """What becomes of a picture uint8 (height_px, width_px, 3) with one thing undone."""
        embedding = self._embed(repair.apply(picture))
        answer = self.recognizer.recognize(embedding)
        return TriedRepair(repair.kind, repair.amount, self.row(embedding), answer.label)

    def picture(
        self, picture: np.ndarray, was: str | None = None, tried: Sequence[TriedRepair] | None = None
    ) -> ExplainedAnswer:
        """Why a picture uint8 (height_px, width_px, 3) was answered so; tried: where it was found out already."""
        self.check(was)
        if tried is None:
            tried = [self.repaired(picture, one) for one in repairs()]
        embedding = self._embed(picture)
        row = self.row(embedding)
        usual, measures = self._usual(row), measure_picture(picture).row()
        return self._explained(self.recognizer.recognize(embedding), row, was, measures, usual, tried)

    def sound(self, sound: Sound, answer: Observation | None = None, was: str | None = None) -> ExplainedAnswer:
        """Why a sound was answered so; answer: what was told of it, None for what its middle is."""
        self.check(was)
        embedding = self.recognizer.embed(sound)
        return self._explained(answer or self.recognizer.recognize(embedding), self.row(embedding), was)

    def worth(self, rows: Sequence[np.ndarray | None], count: int) -> list[Suggestion]:
        """Of what was seen, rows as of `row` (None: nothing was found), what is most worth a name, at most `count`."""
        some = {at: row for at, row in enumerate(rows) if row is not None}
        of = self.taught.recorded
        taught = TaughtRows.check(of.X, of.y, of.takes).only(~of.nothing)
        prior = self.recognizer.finder.ridge_prior if self.recognizer.finder is not None else None
        if not some:
            return []
        found = worth_naming(taught, np.stack(list(some.values())), count, prior)
        return [Suggestion(list(some)[one.index], one.gain, one.likely) for one in found]

    def _embed(self, picture: np.ndarray) -> np.ndarray | None:
        if self.recognizer.finder is not None:
            self.recognizer.finder.following = False  # it follows nothing
        return self.recognizer.embed(picture)

    def _usual(self, row: np.ndarray | None) -> np.ndarray | None:
        """(M, 4): how light and sharp the nearest taught pictures are, or where nothing was found some of all takes."""
        ids = self._examples.ids[self._positions]
        if row is None:
            rows = np.unique(np.linspace(0, len(ids) - 1, min(len(ids), 2 * MEASURED)).round().astype(int)).tolist()
        else:
            rows = [one.index for one in self.taught.nearest(row, count=MEASURED)]
        measured = []
        for at in rows:
            with contextlib.suppress(ExampleError, ProfileError):  # one that was not kept, or is damaged, says nothing
                measured.append(measure_picture(decode(self.store.picture(int(ids[at])))).row())
        return np.stack(measured) if measured else None

    def _explained(
        self,
        answer: Observation,
        row: np.ndarray | None,
        was: str | None,
        measures: np.ndarray | None = None,
        usual: np.ndarray | None = None,
        tried: Sequence[TriedRepair] = (),
    ) -> ExplainedAnswer:
        chances = (
            dict(zip(self.recognizer.classes, map(float, answer.probabilities), strict=True)) if answer.found else {}
        )
        return self._made(AskedExample(row, chances, answer.label, was, measures, usual, tried))

    def _made(self, asked: AskedExample) -> ExplainedAnswer:
        made = explain(self.taught, asked)
        right = None if made.right is None else self._told(made.right)
        return ExplainedAnswer(
            made,
            asked.was,
            asked.was is not None and asked.answer == asked.was,
            tuple(map(self._told, made.nearest)),
            right,
            asked.row,
            self.next,
        )

    def _told(self, one: Neighbour) -> dict[str, Any]:
        of, at = self._examples, self._positions[one.index]
        return {
            "id": int(of.ids[at]),
            "label": one.label,
            "likeness": round(one.likeness, 4),
            "take": int(of.takes[at]),
            "session": int(of.sessions[at]),
        }


def evidence_of(examples: Examples, recognizer: Recognizer) -> RecordedEvidence:
    """Stored examples, rows as of `Recognizer.as_rows`, one row each: of several views the middle one."""
    views, found = recognizer.views, examples.found
    rows = examples.X.reshape(len(examples.y), views, -1)[:, views // 2] if len(examples.y) else examples.X
    aside = examples.aside.rows(examples.takes)
    kind = recognizer.embedder.kind
    return RecordedEvidence(
        rows,
        examples.y,
        examples.takes,
        recorded_in(examples.sessions, aside) if len(examples.y) else examples.sessions,
        minimum=ENOUGH[kind],
        fewer={NOISE: ENOUGH_NOISE},
        looks_for=recognizer.looks_for,
        finds=found,
    )
