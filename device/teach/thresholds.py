"""How well words are told apart from everything else, by threshold: what `train` and `evaluate` say of sound."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.core.same_sound import LONGEST_S, heard, same_sounds
from edge_tl.core.world import World, WorldSums
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.world import world_of
from edge_tl.errors import ConfigError, ExampleError, counted
from edge_tl.frames import Frame
from edge_tl.listener import SILENT, THRESHOLDS, ListeningConfig, ThresholdOutcome, choose, tried
from edge_tl.media.kinds import is_sound
from edge_tl.media.wav import SoundFile
from edge_tl.recognizer import Recognizer
from edge_tl.store.layouts.tree import Tree
from edge_tl.words.alarms import heard_in, left_out, most_per_hour
from edge_tl.words.others import others_in

SHOWN = (0.5, 0.6, 0.7, 0.8, 0.9)
"""The thresholds of the table, beside the one in use."""

MIN_HEARD = 0.5
"""A threshold at which fewer of the words that were left out are told is none."""

BLOCK_S = 10
"""Sound is heard in pieces of so many seconds: many windows at once are embedded much faster."""


def sounds_at(paths: Sequence[Path], words: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The sound files meant by files and folders however these are laid out, and lines that say what was skipped.

    words: the classes that were taught. What lies in a folder that is called like one of them holds it, and would count
    as false alarms what is none. Clutter is skipped in silence, as in an import. ExampleError where there is none.
    """
    found: list[Path] = []
    taught = {word.casefold() for word in words if word not in SILENT}
    passed: Counter[str] = Counter()
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        for file in (one for one in Tree.of(path).media if is_sound(path / one)):
            said = [part for part in file.parts[:-1] if part.casefold() in taught]
            passed.update(said[:1])
            found += [] if said else [path / file]
    lines = [f"skipped {counted(passed[word], 'sound')} of {word} in --against: it is taught" for word in passed]
    if not found:
        raise ExampleError(f"no sound files in {', '.join(map(str, paths))}: give sounds without the words")
    return found, lines


def different(files: Sequence[Path], of: str = "--against") -> tuple[list[Path], list[str]]:
    """Sound files without those that are others again (`same_sound`, by their first seconds), and a line that says so.

    One that is heard twice would teach and judge, and prove twice what it proves once. of: where they were named.
    """
    beginnings = []
    for path in files:
        with SoundFile(path) as file:
            beginnings.append(heard(next(file.blocks(round(LONGEST_S * file.rate_hz))), file.rate_hz))
    copies = set(same_sounds(beginnings)[:, 0].tolist())
    if not copies:
        return list(files), []
    named = files[min(copies)].name
    more = f" and {len(copies) - 1} more" if len(copies) > 1 else ""
    said = f"skipped {named}{more}: the same sound stands under another name in {of}"
    return [path for number, path in enumerate(files) if number not in copies], [said]


@dataclass(frozen=True)
class SoundPart:
    """A sound file, or the part of one between two shares of its length."""

    path: Path
    first: float = 0.0
    last: float = 1.0


def halves(files: Sequence[Path]) -> tuple[list[SoundPart], list[SoundPart]]:
    """Sound files in two lots, one to teach with and one to judge by: every second, or a single one's halves."""
    if len(files) == 1:
        return [SoundPart(files[0], 0.0, 0.5)], [SoundPart(files[0], 0.5, 1.0)]
    return [SoundPart(path) for path in files[::2]], [SoundPart(path) for path in files[1::2]]


def frames_of(parts: Sequence[SoundPart], progress: Callable[[int, int], object]) -> Iterator[Frame]:
    """Sound files as one stream, one after the other: short clips too are heard to their end."""
    now_s = 0.0
    for done, part in enumerate(parts):
        progress(done, len(parts))
        with SoundFile(part.path) as file:
            first, last, at = round(part.first * file.frames), round(part.last * file.frames), 0
            for block in file.blocks(BLOCK_S * file.rate_hz):
                wanted = block[max(0, first - at) : max(0, last - at)]
                at += len(block)
                if len(wanted):
                    yield Frame(wanted, now_s, rate_hz=file.rate_hz)
                    now_s += len(wanted) / file.rate_hz


def others_of(
    embedder: SoundEmbedder,
    teach: Callable[[Recognizer], object],
    parts: Sequence[SoundPart],
    progress: Callable[[int, int], object],
) -> tuple[np.ndarray, World | None]:
    """What sounds teach beside the words, as of `others_in`, found with a ridge head, which is quick and gets the
    examples by `teach`; and all of them as a world, where one ships that they can be added to."""
    quick = Recognizer(embedder)
    teach(quick)
    quick.learn()
    adding = WorldSums(quick.rows[0].shape[1]) if world_of(embedder) is not None else None
    others = others_in(quick, frames_of(parts, progress), adding=adding)
    if adding is None or not adding.count:
        return others, None
    return others, adding.world(adding.count * embedder.hop_samples / embedder.rate_hz / 3600)


def hours_of(parts: Sequence[SoundPart]) -> float:
    """How long so many parts are."""
    seconds = 0.0
    for part in parts:
        with SoundFile(part.path) as file:
            seconds += file.duration_s * (part.last - part.first)
    return seconds / 3600


def check_budget(per_hour: float, judging: Sequence[SoundPart]) -> None:
    """ConfigError where so little sound cannot show that no more than so many false alarms come an hour."""
    hours = hours_of(judging)
    if hours * per_hour < 1:
        raise ConfigError(
            f"--max-false-alarms-per-hour {per_hour:g} cannot be shown by {hours * 60:.3g} minutes of sound (half of "
            f"--against is judged): without a single alarm it may still be {most_per_hour(0, hours):.2g} an hour; give "
            f"--against {2 / per_hour:.2g} hours and more, or allow {1 / hours:.2g} and more"
        )


def chosen_threshold(made: Sequence[ThresholdOutcome], per_hour: float) -> float:
    """The threshold that keeps a budget of false alarms; ConfigError where the words are not heard at it."""
    used = choose(made, per_hour)
    if used.words and used.heard < MIN_HEARD * used.words:
        raise ConfigError(
            f"at threshold {used.threshold:g}, which keeps {per_hour:g} false alarms an hour, only {used.heard} of "
            f"{counted(used.words, 'recording')} left out would be detected, so nothing was saved: record more of each "
            "word, take a longer word, or allow more alarms"
        )
    return used.threshold


def try_thresholds(
    recognizer: Recognizer,
    against: Sequence[SoundPart],
    config: ListeningConfig,
    progress: Callable[[int, int], object],
) -> list[ThresholdOutcome]:
    """Each threshold on the recordings left out and on sound files that hold none of the words."""
    others = [heard_in(recognizer, frames_of(against, progress))] if against else []
    thresholds = sorted({*THRESHOLDS, *SHOWN, config.threshold})
    return tried(recognizer.classes, left_out(recognizer), others, config, thresholds)


def heard_lines(made: Sequence[ThresholdOutcome], config: ListeningConfig) -> list[str]:
    """What a person reads of it."""
    used = next(one for one in made if one.threshold == config.threshold)
    if not used.words:
        return ["the detection rate is unknown: each class has a single recording"]
    lines = [
        f"listening at threshold {used.threshold:g}: {used.heard} of "
        f"{counted(used.words, 'recording of a word is', 'recordings of words are')} detected, "
        f"{used.confused} as another word, {used.words - used.heard - used.confused} missed (each tested by a model "
        "that was not trained on it)"
    ]
    if used.heard:
        lines.append(f"  half of them within {used.delay_s:.2f} s of the middle of the word")
    if not used.hours:
        return [*lines, "false alarms are unknown: give --against recordings that hold none of the words"]
    most = most_per_hour(used.alarms, used.hours)
    lines += [
        f"false alarms: {used.alarms} in {used.hours * 60:.1f} minutes, {used.alarms_per_hour:.1f} an hour (at most "
        f"{most:.1f} with 95 % confidence)",
        "  threshold   hit  as another  missed  false alarms an hour",
    ]
    for one in made:
        if one.threshold in (*SHOWN, config.threshold):
            share = f"{one.heard / one.words:5.0%} {one.confused / one.words:11.0%} {one.missed:7.0%}"
            lines.append(f"  {one.threshold:9g} {share} {one.alarms_per_hour:21.1f}")
    return lines


def heard_report(made: Sequence[ThresholdOutcome]) -> list[dict[str, Any]]:
    """The same for `--json`, every threshold that was tried."""
    return [
        {
            "threshold": one.threshold,
            "told": one.heard,
            "as_another": one.confused,
            "words": one.words,
            "false_alarms": one.alarms,
            "hours": one.hours,
            "delay_s": None if math.isnan(one.delay_s) else one.delay_s,
        }
        for one in made
    ]
