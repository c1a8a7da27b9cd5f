"""Words left on, in hours of real speech that hold none of them: what is told, and false alarms at that threshold.

Words: jarvis, computer, smart mirror by real people (`speech_real/words`), each alone in a profile as `train` makes
it (`--open`, the world that ships). Hours: `speech_real/negatives`, of speechocean762 only the speakers that
`speakers.json` names for counting, and LibriSpeech readers; with EDGE_TL_HOURS a folder of more sound that holds none.
strangers      eight voices taught, a clip each; all clips of the other voices asked
one other      one voice taught with all its clips; the other voices asked
same speaker   three clips of a voice taught, its fourth asked, and so each of the four
A recording that is another again, encoded anew, is left out (`core/same_sound.py`; 40 of 215 are): to be asked what
was taught proves nothing. Every rate stands with its hours (summed over words and draws: word-hours, of the same
sound) and its 95 % upper limit.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pictures import DATA
from benchmarks.record import table
from edge_tl.core.same_sound import heard as same_sound
from edge_tl.core.same_sound import same_sounds
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.stream import StreamingSpeech, after_it, before_it, embed_views
from edge_tl.frames import Frame
from edge_tl.listener import THRESHOLD, ListeningConfig, WindowScores, reported_words
from edge_tl.media.kinds import is_sound
from edge_tl.media.sound import Sound, read_sound
from edge_tl.media.wav import SoundFile
from edge_tl.recognizer import Recognizer
from edge_tl.words.alarms import answers, most_per_hour

REAL = DATA / "speech_real"
WORDS = ("jarvis", "computer", "smart mirror")
THRESHOLDS = (0.5, THRESHOLD, 0.96)
STRANGERS, OWN = 8, 3
DRAWS = 2
MORE = "EDGE_TL_HOURS"
"""The environment's name of a folder of more sound to count in."""
BLOCK_S = 10


@dataclass(frozen=True, eq=False)
class Clip:
    """A recording of a word."""

    voice: str
    views: np.ndarray
    """What teaches, float32 (views · dim,)."""
    heard: np.ndarray
    """The windows (n, dim) that a listener hears of it."""


def clips(embedder: SoundEmbedder, word: str) -> list[Clip]:
    """Each recording of a word once, as a listener hears it who begins before and goes on after."""
    made = []
    paths = sorted((REAL / "words" / word).glob("*.ogg"))
    sounds = [read_sound(path) for path in paths]
    again = {later for later, _ in same_sounds([same_sound(one.samples, one.rate_hz) for one in sounds]).tolist()}
    for number, (path, sound) in enumerate(zip(paths, sounds, strict=True)):
        if number in again:
            continue
        before = before_it(embedder, sound.rate_hz, sound.duration_s)
        after = after_it(embedder, sound.samples, sound.rate_hz)
        whole = Sound(np.concatenate((before, sound.samples, after)), sound.rate_hz)
        made.append(Clip(path.name[:8], embed_views(embedder, sound), streamed(embedder, whole)))
    return made


def streamed(embedder: SoundEmbedder, sound: Sound) -> np.ndarray:
    """The windows (n, dim) of a sound."""
    pushed = StreamingSpeech(embedder).push(Frame(sound.samples, 0.0, rate_hz=sound.rate_hz))
    return np.stack([one.embedding for one in pushed])


def hours(embedder: SoundEmbedder) -> dict[str, np.ndarray]:
    """The windows of each source of sound to count in: float16 (n, dim)."""
    return {name: windows_of(embedder, some) for name, some in sources().items()}


def sources() -> dict[str, list[Path]]:
    """The files of each source of sound to count in."""
    counting = set(json.loads((REAL / "speakers.json").read_text())["count"])
    files = sorted((REAL / "negatives").glob("*.ogg"))
    speech = [path for path in files if path.stem.removeprefix("socean_") in counting]
    found = {"speechocean762": speech, "LibriSpeech": [path for path in files if path.stem.startswith("libri_")]}
    if MORE in os.environ:
        del found["speechocean762"]  # of whom the folder may hold all
        for folder in sorted(one for one in Path(os.environ[MORE]).iterdir() if one.is_dir()):
            found[folder.name] = sorted(one for one in folder.rglob("*") if is_sound(one))
    return found


def windows_of(embedder: SoundEmbedder, files: list[Path]) -> np.ndarray:
    """The windows of files as one stream."""
    stream, now_s, rows = StreamingSpeech(embedder), 0.0, []
    for path in files:
        with SoundFile(path) as file:
            for block in file.blocks(BLOCK_S * file.rate_hz):
                pushed = stream.push(Frame(block, now_s, rate_hz=file.rate_hz))
                rows += [one.embedding.astype(np.float16) for one in pushed]
                now_s += len(block) / file.rate_hz
    return np.stack(rows)


def lessons(of: list[Clip], kind: str, draws: int) -> Iterator[tuple[list[Clip], list[Clip]]]:
    """(taught, asked) by what is drawn."""
    voices = sorted({one.voice for one in of})
    by_voice = {voice: [one for one in of if one.voice == voice] for voice in voices}
    if kind == "same speaker":
        for voice in voices:
            for asked in by_voice[voice] if len(by_voice[voice]) > OWN else []:
                yield [one for one in by_voice[voice] if one is not asked][:OWN], [asked]
        return
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(voices).tolist()
        chosen = order[:STRANGERS] if kind == "strangers" else order[:1]
        taught = [one for voice in chosen for one in by_voice[voice][: 1 if kind == "strangers" else None]]
        yield taught, [one for one in of if one.voice not in chosen]


def taught_by(embedder: SoundEmbedder, word: str, taught: list[Clip]) -> Recognizer:
    """A profile of one word."""
    recognizer = Recognizer(embedder)
    for take, one in enumerate(taught):
        recognizer.add(one.views, word, take)
    recognizer.learn()
    return recognizer


def heard(recognizer: Recognizer, rows: np.ndarray, hop_s: float) -> WindowScores:
    """What it says of windows in a row."""
    parts = [answers(recognizer, rows[first : first + 4000].astype(np.float32)) for first in range(0, len(rows), 4000)]
    proba, familiar = (np.concatenate(two) for two in zip(*parts, strict=True))
    return WindowScores(proba, familiar, hop_s * np.arange(len(rows)))


def measure(embedder: SoundEmbedder, draws: int = DRAWS, words: tuple[str, ...] = WORDS) -> dict[str, Any]:
    """What is told and what is a false alarm, by what was taught, threshold by threshold."""
    sounds, hop_s = hours(embedder), embedder.hop_samples / embedder.rate_hz
    long_h = {name: len(rows) * hop_s / 3600 for name, rows in sounds.items()}
    found: dict[str, Any] = {}
    train_s: list[float] = []
    score_us: list[float] = []
    for word in words:
        of = clips(embedder, word)
        for kind in ("strangers", "one other", "same speaker"):
            for taught, asked in lessons(of, kind, draws):
                begun_s = time.process_time()
                recognizer = taught_by(embedder, word, taught)
                train_s.append(time.process_time() - begun_s)
                said = [heard(recognizer, one.heard, hop_s) for one in asked]
                begun_s = time.process_time()
                silent = {name: heard(recognizer, rows, hop_s) for name, rows in sounds.items()}
                score_us.append(1e6 * (time.process_time() - begun_s) / sum(map(len, sounds.values())))
                for threshold in THRESHOLDS:
                    config = ListeningConfig(threshold)
                    one = found.setdefault(kind, {}).setdefault(word, {}).setdefault(str(threshold), new(sounds))
                    one["asked"] += len(said)
                    one["told"] += sum(bool(reported_words(windows, recognizer.classes, config)) for windows in said)
                    one["draws"] += 1
                    for name, windows in silent.items():
                        one["alarms"][name] += len(reported_words(windows, recognizer.classes, config))
    return {
        "hours": long_h,
        "rates": found,
        "train_s": float(np.median(train_s)),
        "score_us": float(np.median(score_us)),
    }


def new(sounds: dict[str, np.ndarray]) -> dict[str, Any]:
    """Nothing counted yet."""
    return {"asked": 0, "told": 0, "draws": 0, "alarms": dict.fromkeys(sounds, 0)}


def summed(result: dict[str, Any], kind: str, threshold: float, words: tuple[str, ...] | None = None) -> dict[str, Any]:
    """All words together: shares and rates."""
    each = [one[str(threshold)] for word, one in result["rates"][kind].items() if words is None or word in words]
    long_h = sum(one["draws"] for one in each) * sum(result["hours"].values())
    alarms = sum(sum(one["alarms"].values()) for one in each)
    asked = sum(one["asked"] for one in each)
    return {
        "told": sum(one["told"] for one in each) / asked,
        "asked": asked,
        "alarms": alarms,
        "word_hours": long_h,
        "per_hour": alarms / long_h,
        "at_most": most_per_hour(alarms, long_h),
    }


def report(result: dict[str, Any]) -> str:
    """A row for what was taught and each threshold, then the words apart, then the hours."""
    rows = []
    for kind in result["rates"]:
        for threshold in THRESHOLDS:
            one = summed(result, kind, threshold)
            rows.append([kind, f"{threshold:g}", *line(one)])
        for word in result["rates"][kind]:
            rows.append([f"{kind}: {word}", f"{THRESHOLD:g}", *line(summed(result, kind, THRESHOLD, (word,)))])
    head = ["taught by", "threshold", "words told", "false alarms", "in word-hours", "an hour", "at most (95 %)"]
    sounds = ", ".join(f"{name} {long_h:.2f} h" for name, long_h in result["hours"].items())
    cost = (
        f"Training a word {result['train_s']:.2f} s, scoring {result['score_us']:.1f} µs a window, of processor time."
    )
    return f"{table(head, rows)}\n\nHours: {sounds}. {cost}"


def line(one: dict[str, Any]) -> list[str]:
    """Told, alarms, hours, rate, limit."""
    told_ = f"{one['told']:.1%} of {one['asked']}"
    rate = f"{one['per_hour']:.2f}"
    return [told_, str(one["alarms"]), f"{one['word_hours']:.1f}", rate, f"{one['at_most']:.2f}"]
