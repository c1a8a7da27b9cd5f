"""Words, every head on both bases (spec S4): six Arabic words of each of six speakers, and noise.

own speaker    five parts of each speaker's sixty recordings and of fifteen pieces of noise, each asked of a head that
               the other four taught: every recording is asked once (360 words, 90 times noise)
other speaker  taught by one speaker and the noise, asked the words of all others (1 800)
The tuned head, which takes seconds a training, is measured in `proof_words`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.pictures import DATA
from benchmarks.proof_words import PARTS, Spoken, arabic
from benchmarks.record import table
from edge_tl.core.metrics import wilson_interval
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.labels import NOISE
from edge_tl.media.sound import Sound, pieces, read_sound

HEADS = ("ridge", "softmax", "mlp", "knn", "prototype")
NOISES = 5
"""Pieces of each of the three noises."""
GOALS = {"speech": 0.98, "18 words": 0.99}


def noise() -> list[Sound]:
    """The first ten seconds of each recording of noise, in pieces of two."""
    whole = [read_sound(path) for path in sorted((DATA / "speech/noise").glob("*.wav"))]
    return [part for one in whole for part in pieces(one)[:NOISES]]


def measure(bases: dict[str, SoundEmbedder], heads: tuple[str, ...] = HEADS) -> dict[str, Any]:
    """What each head names rightly on each base."""
    made: dict[str, Any] = {}
    for name, embedder in bases.items():
        files = arabic()
        speakers = sorted({speaker for _, speaker, _ in files})
        of = Spoken([*files, *((NOISE, "", part) for part in noise())], embedder)
        words, silent = of.y != NOISE, np.flatnonzero(of.y == NOISE)
        for head in heads:
            right, silence, others = [], [], []
            for number, speaker in enumerate(speakers):
                rows = np.concatenate((np.flatnonzero(of.speakers == speaker), silent))
                part = np.random.default_rng(number).permutation(len(rows)) % PARTS
                for out in range(PARTS):
                    asked = rows[part == out]
                    named = of.right(rows[part != out], asked, head)
                    right.append(named[words[asked]])
                    silence.append(named[~words[asked]])
                others.append(of.right(rows, np.flatnonzero(words & (of.speakers != speaker)), head))
            made.setdefault(name, {})[head] = {
                "words": int(sum(map(len, right))),
                "right": int(np.concatenate(right).sum()),
                "noise": int(sum(map(len, silence))),
                "noise_right": int(np.concatenate(silence).sum()),
                "other_speaker": float(np.concatenate(others).mean()),
            }
            print(name, head, made[name][head], flush=True)
    return made


def report(result: dict[str, Any]) -> str:
    """A row a base and head."""
    rows: list[list[object]] = []
    for base, heads in result.items():
        for head, one in heads.items():
            low, high = wilson_interval(one["right"], one["words"])
            share = f"{one['right'] / one['words']:.3f} ({one['right']} of {one['words']})"
            noise_right = f"{one['noise_right']} of {one['noise']}"
            rows.append(
                [base, head, share, f"{low:.3f}–{high:.3f}", f"≥ {GOALS[base]}", noise_right, one["other_speaker"]]
            )
    names = ["base", "head", "own speaker, words", "95 %", "goal", "noise", "other speaker (goal ≥ 0.85)"]
    return table(names, rows)
