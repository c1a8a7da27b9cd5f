"""What a listener tells of words that somebody else said, or in another room: each session by what others taught."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from edge_tl.core.examples import Examples
from edge_tl.errors import counted
from edge_tl.heads import WITH_BASE
from edge_tl.listener import SILENT, ListeningConfig, ThresholdOutcome, WindowScores, tried
from edge_tl.recognizer import Recognizer
from edge_tl.words.alarms import answers_to, word_times

MAX_SESSIONS = 12
"""So many are left out at most, evenly spread: each is a training."""


@dataclass(frozen=True, slots=True)
class SessionWords:
    """What is told of the words of one session, which taught nothing."""

    session: int
    name: str
    made: ThresholdOutcome

    @property
    def title(self) -> str:
        """Its number and name."""
        return f"session {self.session} {self.name}".strip()


def words_by_session(
    recognizer: Recognizer, config: ListeningConfig, names: Mapping[int, str], progress: Callable[[int, int], object]
) -> list[SessionWords]:
    """Each session of words, told by a listener that was taught the others; none of a single session.

    Only words that the others teach too are asked. A tuned head, of which each training takes minutes, is not asked.
    """
    examples = taught(recognizer)
    aside = examples.aside.rows(examples.takes)
    sessions = np.unique(examples.sessions[~aside])
    if len(sessions) < 2 or recognizer.head.name in WITH_BASE:
        return []
    some = sessions[np.unique(np.linspace(0, len(sessions) - 1, min(len(sessions), MAX_SESSIONS)).round().astype(int))]
    found = []
    for done, number in enumerate(map(int, some)):
        progress(done, len(some))
        out = (examples.sessions == number) & ~aside
        if not set(examples.y[~out].tolist()) - SILENT or len(np.unique(examples.y[~out])) < 2:
            continue
        fresh = Recognizer(recognizer.embedder, recognizer.head.name)
        fresh.settings, fresh.listens = dict(recognizer.settings), recognizer.listens
        fresh.others, fresh.own_world = recognizer.others, recognizer.own_world
        fresh.replace(of(examples, ~out))
        fresh.learn()
        asked = out & np.isin(examples.y, fresh.classes)
        times_s = word_times(fresh)
        words = [
            (str(label), WindowScores(*answers_to(fresh, rows.reshape(fresh.views, -1)), times_s))
            for rows, label in zip(examples.X[asked], examples.y[asked], strict=True)
        ]
        (made,) = tried(fresh.classes, words, [], config, [config.threshold])
        if made.words:
            found.append(SessionWords(number, names.get(number, ""), made))
    return found


def taught(recognizer: Recognizer) -> Examples:
    """What a recognizer was taught, as rows (N, views · F)."""
    X, y, takes = recognizer.rows
    one_each, count = recognizer.one_each, len(y) // recognizer.views
    return Examples(
        np.arange(count),
        X.reshape(count, -1),
        y[one_each],
        takes[one_each],
        recognizer.sessions[one_each],
        recognizer.embedder.fingerprint,
        found=np.ones(count, bool),
        aside=recognizer.aside,
    )


def of(examples: Examples, rows: np.ndarray) -> Examples:
    """Some of the examples, bool (N,)."""
    return replace(
        examples,
        ids=examples.ids[rows],
        X=examples.X[rows],
        y=examples.y[rows],
        takes=examples.takes[rows],
        sessions=examples.sessions[rows],
        found=np.ones(int(rows.sum()), bool),
        aside=examples.aside.only(rows),
    )


def session_lines_of_words(found: list[SessionWords]) -> list[str]:
    """What a person reads of it: a line for all sessions, and one each."""
    if not found:
        return []
    heard, words = sum(one.made.heard for one in found), sum(one.made.words for one in found)
    lines = [f"in held-out sessions {heard} of {counted(words, 'word is', 'words are')} detected"]
    for one in found:
        made = one.made
        missed = made.words - made.heard - made.confused
        lines.append(
            f"  {one.title}: {made.heard} of {made.words} detected, {made.confused} as another word, {missed} missed"
        )
    return lines
