"""A long recording of words, cut into them: where they stand out of the quiet, or where somebody labelled them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edge_tl.embedders.windows import ABOVE_FLOOR_DB, levels
from edge_tl.media.sound import LONGEST_WORD_S, Sound
from edge_tl.store.folders import LabelledStretch
from edge_tl.words.utterance import AFTER_S, BEFORE_S

SHORTEST_WORD_S = 0.08
"""What is shorter is a click, a key, a step."""
PAUSE_S = 0.3
"""Between two words; a shorter one lies between the syllables of one."""
LOUDEST_DB = 40.0
"""Below the loudest moment by more than this nothing is said: where a recorder mutes pauses, they have no noise."""
MUCH_QUIETER_DB = 20.0
"""Than most words: a breath, or somebody in the next room."""
_STEP_S = 0.01


@dataclass(frozen=True, slots=True)
class LoudStretch:
    """Something that stands out of the quiet in a recording, or that somebody labelled."""

    start_s: float
    length_s: float
    """How long it is itself."""
    sound: Sound | None
    """It, with the quiet around it, as a word that was recorded alone is kept; None where it is left out."""
    reason: str = ""
    """Why it is left out."""


def spoken_in(sound: Sound) -> list[LoudStretch]:
    """What stands out of the quiet in a recording, in its order, each kept as a word or left out, with the reason.

    Each word that is kept reaches at most to the middle of the pauses beside it.
    """
    loudness = levels(sound.samples, sound.rate_hz)
    floor = max(float(np.percentile(loudness, 20)) + ABOVE_FLOOR_DB, float(loudness.max()) - LOUDEST_DB)
    parts = _parts(loudness > floor)
    peaks = [float(loudness[first:last].max()) for first, last in parts]
    usual = float(np.median([peak for peak, part in zip(peaks, parts, strict=True) if not _why(part)] or [0.0]))
    found = []
    for number, (part, peak) in enumerate(zip(parts, peaks, strict=True)):
        first, last = part
        reason = _why(part) or ("much quieter than the others" if peak < usual - MUCH_QUIETER_DB else "")
        before = (parts[number - 1][1] + first) // 2 if number else 0
        after = (last + parts[number + 1][0]) // 2 if number + 1 < len(parts) else len(loudness)
        middle = (first + last) // 2
        begins, ends = max(before, middle - round(BEFORE_S / _STEP_S)), min(after, middle + round(AFTER_S / _STEP_S))
        begins, ends = min(begins, max(before, first - 5)), max(ends, min(after, last + 5))
        step = round(sound.rate_hz * _STEP_S)
        word = Sound(sound.samples[begins * step : ends * step].copy(), sound.rate_hz)
        found.append(LoudStretch(first * _STEP_S, (last - first) * _STEP_S, None if reason else word, reason))
    return found


def labelled_in(sound: Sound, parts: Iterable[LabelledStretch], longest_s: float = LONGEST_WORD_S) -> list[LoudStretch]:
    """The parts of a recording that somebody labelled, each kept as a word with the quiet around it, or left out.

    longest_s: what is longer is no word.
    """
    found = []
    for part in parts:
        length_s, middle_s = part.end_s - part.start_s, (part.start_s + part.end_s) / 2
        begins_s = max(part.from_s, min(part.start_s, middle_s - BEFORE_S))
        ends_s = min(part.to_s, max(part.end_s, middle_s + AFTER_S), sound.duration_s)
        reason = ""
        if part.end_s > sound.duration_s + 0.05:
            reason = f"the recording ends at {sound.duration_s:.1f} s"
        elif length_s < SHORTEST_WORD_S:
            reason = "too short for a word"
        elif length_s > longest_s:
            reason = f"too long for a word (at most {longest_s:g} s)"
        samples = sound.samples[int(begins_s * sound.rate_hz) : int(ends_s * sound.rate_hz)].copy()
        kept = None if reason else Sound(samples, sound.rate_hz)
        found.append(LoudStretch(part.start_s, length_s, kept, reason))
    return found


def _parts(loud: np.ndarray) -> list[tuple[int, int]]:
    """The (first, end) of each run of loud steps, those that only a short pause parts being one."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], loud, [False])).astype(np.int8)))
    parts: list[tuple[int, int]] = []
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if parts and first - parts[-1][1] < PAUSE_S / _STEP_S:
            parts[-1] = parts[-1][0], last
        else:
            parts.append((first, last))
    return parts


def _why(part: tuple[int, int]) -> str:
    """Why a part is no word by its length; empty where it may be one."""
    length_s = (part[1] - part[0]) * _STEP_S
    if length_s < SHORTEST_WORD_S:
        return "too short for a word"
    return "too long for a word, without a pause" if length_s > LONGEST_WORD_S else ""
