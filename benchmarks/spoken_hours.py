"""Hours of speech that hold none of the taught words: espeak-ng reads, noise behind it; embedded once and kept.

choosing   twelve voices, the noise of an exercise bike, one half of the vocabulary
asked      twelve other voices in nine languages, two other noises, the other half
"""

from __future__ import annotations

import hashlib
import json
import pydoc_data.topics
import re
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.pictures import DATA, ROOT
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.stream import StreamingSpeech
from edge_tl.frames import Frame
from edge_tl.media.sound import Sound, read_sound
from edge_tl.words.augment import with_noise

KEPT = ROOT / "downloads" / "spoken_hours"
"""Where the embeddings lie once they were made: 80 MB an hour."""
DECIBELS = 10.0
WORDS_AT_ONCE = 150


@dataclass(frozen=True)
class Speech:
    """Who reads what, and what is behind it."""

    voices: tuple[str, ...]
    noises: tuple[str, ...]
    half: int
    """Of the vocabulary: 0 or 1."""


CHOOSING = Speech(
    ("en-029", "ro", "en-gb-x-rp", "en-us+m3", "en-gb+f4", "da", "fi", "tr", "hu", "cs", "ca", "nb+f5"),
    ("exercise_bike",),
    1,
)
ASKED = Speech(
    ("en-us", "en-gb", "en-gb-scotland", "en-us+f3", "de", "fr", "es", "it", "pt-br", "nl", "pl", "sv+f2"),
    ("doing_the_dishes", "pink_noise"),
    0,
)


def vocabulary(half: int) -> list[str]:
    """The words of Python's own documentation, as often as they come there; a word is in one half only."""
    text = re.findall(r"[a-z]{2,14}", " ".join(pydoc_data.topics.topics.values()).lower())
    return [word for word in text if zlib.crc32(word.encode()) % 2 == half]


def reading(speech: Speech, hours: float, seed: int) -> Iterator[Sound]:
    """The voices in turn, about a minute at once, until it is so long."""
    rng, words = np.random.default_rng(seed), vocabulary(speech.half)
    noises = [read_sound(DATA / "speech/noise" / f"{name}.wav") for name in speech.noises]
    seconds, number = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "read.wav"
        while seconds < 3600 * hours:
            said = [words[place] for place in rng.integers(0, len(words), WORDS_AT_ONCE)]
            sentences = ". ".join(" ".join(said[first : first + 9]) for first in range(0, len(said), 9))
            manner = ["-s", str(rng.integers(130, 190)), "-p", str(rng.integers(30, 65)), "-w", str(path)]
            voice = speech.voices[number % len(speech.voices)]
            subprocess.run(["espeak-ng", "-v", voice, *manner, sentences], check=True)
            sound = read_sound(path)
            yield with_noise(sound, noises[number // len(speech.voices) % len(noises)], DECIBELS, rng)
            seconds += sound.duration_s
            number += 1


def embedded(embedder: SoundEmbedder, speech: Speech, hours: float) -> tuple[np.ndarray, np.ndarray]:
    """All windows of so many hours: float16 (N, D), and when each was over, seconds (N,); made an hour at a time."""
    rows, times_s, begun_s = [], [], 0.0
    left = hours
    while left > 0:
        made, over_s = _part(embedder, speech, min(left, 1.0), seed=len(rows))
        rows.append(made)
        times_s.append(begun_s + over_s)
        begun_s = float(times_s[-1][-1])
        left -= 1.0
    return np.concatenate(rows), np.concatenate(times_s)


def _part(embedder: SoundEmbedder, speech: Speech, hours: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The windows of one reading, from the disk where they were made before."""
    described = [embedder.fingerprint, asdict(speech), hours, seed, WORDS_AT_ONCE, DECIBELS, vocabulary(speech.half)]
    path = KEPT / f"{hashlib.sha256(json.dumps(described).encode()).hexdigest()[:20]}.npz"
    if not path.exists():
        stream, rows, over_s, now_s = StreamingSpeech(embedder), [], [], 0.0
        for sound in reading(speech, hours, seed):
            for window in stream.push(Frame(sound.samples, now_s, rate_hz=sound.rate_hz)):
                rows.append(window.embedding.astype(np.float16))
                over_s.append(window.end_s)
            now_s += sound.duration_s
        KEPT.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".part.npz")
        np.savez(fresh, rows=np.stack(rows), over_s=np.array(over_s))
        fresh.rename(path)
    with np.load(path) as kept:
        return kept["rows"], kept["over_s"]
