"""edge-tl: a profile of one word, as `train` makes it, and its listener."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.peers.child import serve, timed
from benchmarks.peers.children.scores import RATE_HZ, sound
from benchmarks.proof_words_open import heard, streamed
from edge_tl.embedders.speech import SpeechEmbedder
from edge_tl.embedders.stream import embed_views
from edge_tl.listener import ListeningConfig, reported_words
from edge_tl.media.sound import Sound
from edge_tl.recognizer import Recognizer

embedder = SpeechEmbedder.load(1)
HOP_S = embedder.hop_samples / embedder.rate_hz
LEVELS = np.concatenate((np.linspace(0.3, 0.95, 66), 1 - np.geomspace(0.05, 1e-4, 40)[1:]))[::-1]
recognizer: Recognizer | None = None
silent = np.empty((0, 0), np.float32)
seconds = embed_cpu_s = 0.0


def listen(paths: list[str]) -> dict[str, Any]:
    """The hours that hold none of the words."""
    global silent, seconds, embed_cpu_s
    samples = np.concatenate([sound(path) for path in paths])
    streamed(embedder, Sound(samples[: 4 * RATE_HZ], RATE_HZ))
    start_s = time.process_time()
    silent = streamed(embedder, Sound(samples, RATE_HZ))
    embed_cpu_s, seconds = time.process_time() - start_s, len(samples) / RATE_HZ
    return {"seconds": seconds, "cpu": embed_cpu_s / seconds}


def train(word: str, paths: list[str]) -> dict[str, Any]:
    """From the recordings to a profile."""
    global recognizer

    def run() -> Recognizer:
        made = Recognizer(embedder)
        for take, path in enumerate(paths):
            made.add(embed_views(embedder, Sound(sound(path), RATE_HZ)), word, take)
        made.learn()
        return made

    recognizer, took = timed(run)
    return took


def judge(paths: list[str]) -> dict[str, Any]:
    """What is told of the recordings, and falsely told in the hours, threshold by threshold."""
    assert recognizer is not None
    asked = [heard(recognizer, streamed(embedder, Sound(sound(path), RATE_HZ)), HOP_S) for path in paths]
    start_s = time.process_time()
    quiet = heard(recognizer, silent, HOP_S)
    reported_words(quiet, recognizer.classes, ListeningConfig())
    spent_s = time.process_time() - start_s + embed_cpu_s
    found = []
    for level in LEVELS:
        config = ListeningConfig(float(level))
        told = np.mean([bool(reported_words(one, recognizer.classes, config)) for one in asked])
        found.append([float(level), float(told), len(reported_words(quiet, recognizer.classes, config))])
    return {"sweep": found, "cpu": spent_s / seconds}


if __name__ == "__main__":
    serve({"listen": listen, "train": train, "judge": judge})
