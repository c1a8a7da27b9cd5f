"""`edge-tl count`: what would be told in hours of sound, counted a hundred times as fast as they are heard."""

from __future__ import annotations

import time
from argparse import Namespace
from contextlib import ExitStack
from typing import Any

import numpy as np

from device.assembly import check_hearing, load_saved, taught_recognizer
from device.cli.output import Progress, print_json, say, warn_all
from device.commands.options import context_of
from device.teach.thresholds import SHOWN, SoundPart, different, frames_of, sounds_at
from edge_tl.errors import counted
from edge_tl.listener import ListeningConfig, WindowScores, listening_config, nearest, reported_words
from edge_tl.words.alarms import heard_in, most_per_hour

LISTED = 20
"""The most moments that are listed for a person; `--json` has all."""


def run(arguments: Namespace) -> int:
    """Hear sound files as a listener does, and count what it tells: with hours, and what so much listening proves."""
    context = context_of(arguments)
    check_hearing(context)
    with ExitStack() as stack:
        embedder = context.load_embedder()
        profile = context.open_profile(stack, writable=False)
        recognizer = taught_recognizer(profile, embedder)
        config = listening_config(load_saved(profile), arguments.threshold)
    found, _ = sounds_at(arguments.sounds, [])  # words are to be told, too
    files, again = different(found, "SOUNDS")
    warn_all(again)
    heard: list[tuple[str, WindowScores]] = []
    begun_s = time.perf_counter()
    with Progress("listening") as progress:
        for done, path in enumerate(files):
            progress.of(done, len(files))
            heard.append((str(path), heard_in(recognizer, frames_of([SoundPart(path)], lambda *_: None))))
    took_s = time.perf_counter() - begun_s
    hours = sum(long_h(windows) for _, windows in heard)
    classes = recognizer.classes
    events = [
        {"file": name, "label": label, "at_s": round(at_s, 2)}
        for name, windows in heard
        for label, at_s in reported_words(windows, classes, config)
    ]
    table = [
        (threshold, sum(len(reported_words(windows, classes, ListeningConfig(threshold))) for _, windows in heard))
        for threshold in sorted({*SHOWN, config.threshold})
    ]
    if arguments.json:
        print_json(described(events, table, hours, config, took_s))
        return 0
    words = counted(len(events), "word is", "words are")
    say(
        f"{words} detected in {hours:.3g} hours at threshold {config.threshold:g}, {rate(len(events), hours)} "
        f"({3600 * hours / max(took_s, 1e-9):.0f} times real time)"
    )
    for one in events[:LISTED]:
        say(f"  {one['label']} at {one['at_s']} s of {one['file']}")
    if len(events) > LISTED:
        say(f"  and {len(events) - LISTED} more (--json has all)")
    if not events:
        near = [came for _, windows in heard if (came := nearest(windows, classes)) is not None]
        if near:
            best = max(near, key=lambda came: came.counted)
            say(f"  nearest: {best.label}, {best.counted:.2f}")
    say("  threshold  hits  an hour, at most (95 %)")
    for threshold, number in table:
        say(f"  {threshold:9g} {number:5} {number / hours if hours else 0:8.2f} {most_per_hour(number, hours):14.2f}")
    return 0


def long_h(windows: WindowScores) -> float:
    """How long was listened for, in hours."""
    return float(np.ptp(windows.times_s)) / 3600 if len(windows.times_s) else 0.0


def rate(events: int, hours: float) -> str:
    """So many in so many hours, and what that proves."""
    each = f"{events / hours:.2g}" if hours else "?"
    return f"{each} an hour, at most {most_per_hour(events, hours):.2g} with 95 % confidence"


def described(
    events: list[dict[str, Any]], table: list[tuple[float, int]], hours: float, config: ListeningConfig, took_s: float
) -> dict[str, Any]:
    """The same for `--json`."""
    return {
        "threshold": config.threshold,
        "hours": hours,
        "told": len(events),
        "per_hour": len(events) / hours if hours else None,
        "at_most_per_hour": most_per_hour(len(events), hours) if hours else None,
        "thresholds": [{"threshold": threshold, "told": number} for threshold, number in table],
        "events": events,
        "took_s": took_s,
    }
