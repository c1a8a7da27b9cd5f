"""Rounds over processes: in each everyone once, another one first; who fails is out, with the reason."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

import numpy as np

from benchmarks.interleaved import spread
from benchmarks.peers.environments import ENVIRONMENTS
from benchmarks.peers.protocol import ONE_THREAD, Peer, PeerError

OURS = "edge_tl"
Turn = Callable[[int], dict[str, Any]]
"""The number of the round → what was measured, at least `ms`."""


def alternate(
    turns: dict[str, Turn], rounds: int, only: dict[str, int] | None = None
) -> tuple[dict[str, dict[int, dict[str, Any]]], dict[str, str]]:
    """Of each contender its answers by the number of the round; of those who failed the reason.

    One round before the first is not counted. only: contenders that take part in the first so many rounds alone, and
    without one before.
    """
    only = only or {}
    found: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in turns}
    failed: dict[str, str] = {}
    names = list(turns)
    for turn in range(-1, rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            if name in failed or (name in only and not 0 <= turn < only[name]):
                continue
            try:
                answer = turns[name](max(turn, 0))
            except PeerError as error:
                failed[name] = str(error)
                say(f"{name} is left out: {error}")
                continue
            if turn >= 0:
                found[name][turn] = answer
        say(f"round {turn + 1} of {rounds}")
    return {name: answers for name, answers in found.items() if answers and name not in failed}, failed


def ratios(above: dict[int, dict[str, Any]], below: dict[int, dict[str, Any]], key: str = "ms") -> dict[str, float]:
    """The spread of above/below over the rounds that both took part in."""
    both = sorted(above.keys() & below.keys())
    return spread(np.array([above[turn][key] / below[turn][key] for turn in both]))


def values(answers: dict[int, dict[str, Any]], key: str = "ms") -> dict[str, float]:
    """The spread of a figure over the rounds."""
    return spread([one[key] for one in answers.values()])


def start(
    stack: ExitStack, children: Iterable[tuple[str, str, str]], threads: dict[str, str] = ONE_THREAD
) -> tuple[dict[str, Peer], dict[str, str]]:
    """The processes of (name, environment, child) that could be started, and why the others could not."""
    started: dict[str, Peer] = {}
    skipped: dict[str, str] = {}
    for name, environment, child in children:
        reason = ENVIRONMENTS[environment].absent()
        if reason is None:
            try:
                started[name] = stack.enter_context(Peer(name, ENVIRONMENTS[environment].command(child), threads))
                continue
            except PeerError as error:
                reason = str(error)
        skipped[name] = reason
        say(f"{name} is left out: {reason}")
    return started, skipped


def say(text: str) -> None:
    """To who watches."""
    print(text, file=sys.stderr, flush=True)


def number(of: dict[str, float]) -> str:
    """`median (min–max)`, with as many digits as it needs."""
    digits = 0 if of["median"] >= 100 else 1 if of["median"] >= 10 else 2
    return f"{of['median']:.{digits}f} ({of['min']:.{digits}f}–{of['max']:.{digits}f})"
