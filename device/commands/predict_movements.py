"""`edge-tl predict` of tracks of a hand: which movement each file shows, or which movements, and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from device.cli.output import print_json, warn
from device.teach.filmed import Reader
from edge_tl.core.answers import Observation
from edge_tl.embedders.embedder import TrackEmbedder
from edge_tl.errors import ExampleError, counted, escaped
from edge_tl.heads.movement import MovementHead
from edge_tl.movements.held import are_signs, demonstration_in
from edge_tl.movements.spotter import AHEAD_S, EVERY_S, WAIT_S, FoundMovement, Spotter
from edge_tl.movements.track import longest
from edge_tl.movements.track_file import Recording
from edge_tl.recognizer import Recognizer


def predict_movements(recognizer: Recognizer, read: Reader, files: Iterable[Path], *, as_json: bool) -> int:
    """Print one line, or one JSON object, a file; exit 1 where a file was no track."""
    results: list[dict[str, Any]] = []
    bad = 0
    for file in files:
        try:
            recording = read(file)
            observation, why = named(recognizer, recording)
        except ExampleError as error:
            warn(error)
            bad += 1
            continue
        told = spotted(recognizer, recording)
        if not as_json:
            print(escaped(f"{file}: {said(observation, told, why)}"))
        made: dict[str, Any] = {"file": str(file), "label": None, "probabilities": {}}
        if observation is not None:
            chances = dict(zip(recognizer.classes, map(float, observation.probabilities), strict=True))
            made |= {"label": observation.label, "probabilities": chances}
        made["told"] = [movement_json(one) for one in told]
        results.append(made)
    if as_json:
        print_json(results)
    return 1 if bad else 0


def movement_json(moved: FoundMovement, first_s: float = 0.0) -> dict[str, Any]:
    """A movement for `--json`, its times from the first frame on, which was at `first_s`."""
    return {
        "label": moved.label,
        "confidence": round(moved.confidence, 4),
        "start_s": round(moved.start_s - first_s, 2),
        "end_s": round(moved.end_s - first_s, 2),
    }


def named(recognizer: Recognizer, recording: Recording) -> tuple[Observation | None, str]:
    """What the longest track is as one movement or sign, None and why where it is neither; ExampleError where there is
    no hand."""
    track = longest(recording.tracks)
    assert isinstance(recognizer.embedder, TrackEmbedder)
    try:
        row = recognizer.embedder.embed_track(demonstration_in(track))
    except ExampleError as error:
        return None, str(error)
    observation, head = recognizer.recognize(row), recognizer.head
    if isinstance(head, MovementHead) and head.signs is not None and are_signs(row[np.newaxis])[0]:
        known = bool(head.signs.known(row[np.newaxis])[0])
        observation = replace(observation, label=observation.best if known else None, known=known)
    return observation, ""


def spotted(recognizer: Recognizer, recording: Recording) -> list[FoundMovement]:
    """The movements that a stream of it tells, as if the hand rested after each track; times from its beginning."""
    if not isinstance(recognizer.head, MovementHead) or not recognizer.head.reported:
        return []
    found: list[FoundMovement] = []
    first_s = float(recording.tracks[0].times_s[0])
    for track in recording.tracks:
        spotter, last_s = Spotter(recognizer.head), float(track.times_s[-1])
        frames = [(points, float(at)) for points, at in zip(track.landmarks, track.times_s, strict=True)]
        ticks = round((WAIT_S + 2 * AHEAD_S) / EVERY_S) + 2
        frames += [(track.landmarks[-1], last_s + EVERY_S * tick) for tick in range(1, ticks)]
        for points, at_s in frames:
            moved = spotter.push(points, at_s)
            if moved is not None:
                start_s = max(moved.start_s, float(track.times_s[0])) - first_s  # windows are wider than the track
                found.append(FoundMovement(moved.label, moved.confidence, start_s, min(moved.end_s, last_s) - first_s))
    return found


def said(observation: Observation | None, told: list[FoundMovement], why: str) -> str:
    """What a person reads of a file."""
    stream = ", then ".join(f"{one.label} at {one.start_s:.1f} to {one.end_s:.1f} s" for one in told)
    if observation is None:
        return f"no single movement ({why}); {counted(len(told), 'movement')} in the stream" + (
            stream and f": {stream}"
        )
    label = observation.label or f"none of these (nearest: {observation.best})"
    return f"{label}  {observation.confidence:.1%}" + (f"; found in the stream: {stream}" if stream else "")
