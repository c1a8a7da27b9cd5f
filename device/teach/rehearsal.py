"""A rehearsal: what a player shows is taught to one or several recognizers, then asked of them today and tomorrow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device.cli.output import Progress
from device.teach.players import Player, Take
from edge_tl.core.answers import Observation, TrainingResult
from edge_tl.core.kept import as_kept
from edge_tl.heads import make_head
from edge_tl.judge.validation import random_split
from edge_tl.recognizer import Recognizer
from edge_tl.store.examples import ExampleStore


@dataclass(frozen=True)
class RehearsalScore:
    """What one recognizer got right, as shares; where nothing was found, the answer is wrong."""

    takes: float
    """On takes of the day it was taught that it had not seen."""
    random_split: float
    """What a random split of all pictures of that day would have claimed."""
    tomorrow: float | None
    """On another day; None where the player knows none."""
    nothing_found: float
    """The share of all pictures, taught and asked, in which what is looked for was not found."""
    passed_over: float | None
    """The share of tomorrow's pictures that get no label, being unlike all training examples: they steer nothing."""


@dataclass(frozen=True)
class RehearsalPicture:
    """One picture of a rehearsal, for whoever watches it."""

    phase: str
    """`teaching`, or asking: `today`, `tomorrow`."""
    picture: np.ndarray
    """As the player showed it."""
    label: str
    """What it shows."""
    answer: Observation | None
    """What the first recognizer made of it; None while it is taught."""
    done: int
    total: int
    """So many pictures of so many that are taught, or asked."""


Watch = Callable[[RehearsalPicture], None]


def teach(
    player: Player, recognizers: list[Recognizer], path: Path, watch: Watch | None = None
) -> list[TrainingResult]:
    """Teach every teaching take to each, the first through a store at `path` as `teach` does, and let them learn."""
    total = player.pictures(testing=False)
    embedder = recognizers[0].embedder
    with Progress("teaching", total) as progress, ExampleStore(path, writable=True) as store:
        taught = 0
        for label, frames in player.takes(testing=False):
            take = store.new_take(label, source=player.name)
            for frame in frames:
                embeddings = [recognizer.embed(frame) for recognizer in recognizers]
                store.add(take, frame.data, as_kept(embeddings[0], embedder.embedding_dim), embedder.fingerprint)
                for recognizer, embedding in zip(recognizers, embeddings, strict=True):
                    recognizer.add(embedding, label, take)
                taught += 1
                progress(taught, label)
                if watch is not None:
                    watch(RehearsalPicture("teaching", frame.data, label, None, taught, total))
        store.flush()
    return [recognizer.learn() for recognizer in recognizers]


def evaluate(player: Player, recognizers: list[Recognizer], watch: Watch | None = None) -> list[RehearsalScore]:
    """Each on takes of today that were not taught, and on those of tomorrow."""
    total = player.pictures(testing=True)
    with Progress("evaluating", total) as progress:
        done = 0

        def seen(phase: str, picture: np.ndarray, label: str, answer: Observation) -> None:
            nonlocal done
            done += 1
            progress(done, label)
            if watch is not None:
                watch(RehearsalPicture(phase, picture, label, answer, done, total))

        today = _asked("today", player.takes(testing=True), recognizers, seen)
        tomorrow = _asked("tomorrow", player.tomorrow(), recognizers, seen)
    return [_score(*one) for one in zip(recognizers, today, tomorrow, strict=True)]


@dataclass(frozen=True)
class _Asked:
    """Pictures, what they were and what was said of them."""

    rows: list[np.ndarray]
    found: list[bool]
    truth: list[str]
    answers: list[str | None]
    passed_over: list[bool]

    @property
    def accuracy(self) -> float:
        return float(np.mean([one == other for one, other in zip(self.truth, self.answers, strict=True)]))


def _asked(
    phase: str,
    takes: Iterable[Take],
    recognizers: list[Recognizer],
    told: Callable[[str, np.ndarray, str, Observation], None],
) -> list[_Asked]:
    asked = [_Asked([], [], [], [], []) for _ in recognizers]
    for label, frames in takes:
        for frame in frames:
            answers = []
            for recognizer, mine in zip(recognizers, asked, strict=True):
                embedding = recognizer.embed(frame)
                shape = recognizer.embedder.embedding_shape
                mine.rows.append(recognizer.features(as_kept(embedding, recognizer.embedder.embedding_dim), shape))
                mine.truth.append(label)
                seen = recognizer.recognize(embedding)
                mine.found.append(seen.found)
                mine.answers.append(seen.best if seen.found else seen.label)
                mine.passed_over.append(seen.label is None)
                answers.append(seen)
            told(phase, frame.data, label, answers[0])
    return asked


def _score(recognizer: Recognizer, today: _Asked, tomorrow: _Asked) -> RehearsalScore:
    X, y, _ = recognizer.rows
    rows, found = np.vstack([X, *today.rows]), np.array([*recognizer.found, *today.found], bool)
    labels = np.concatenate([y, today.truth])
    naive = random_split(lambda: make_head(recognizer.head.name), rows, labels, found=found)
    known = bool(tomorrow.truth)
    return RehearsalScore(
        takes=today.accuracy,
        random_split=naive.accuracy,
        tomorrow=tomorrow.accuracy if known else None,
        nothing_found=1 - float(np.mean([*found, *tomorrow.found])),
        passed_over=float(np.mean(tomorrow.passed_over)) if known else None,
    )
