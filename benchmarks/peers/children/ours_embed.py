"""`embed` beside the bare interpreter in one process, on LiteRT or tflite-runtime: whichever this environment has."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.interleaved import times_ms
from benchmarks.peers.child import serve
from edge_tl.embedders.tflite import TFLiteEmbedder

contenders: dict[str, Callable[[], Any]] = {}


def open_model(folder: str, threads: int) -> dict[str, Any]:
    """Load a model folder in both ways, and compare what they give for one picture of the model's size."""
    embedder = TFLiteEmbedder.load(folder, threads=threads)
    picture = np.random.default_rng(0).integers(0, 256, embedder.manifest.input_shape, dtype=np.uint8)
    package = next(name for name in ("ai_edge_litert", "tflite_runtime") if importlib.util.find_spec(name))
    interpreter = importlib.import_module(f"{package}.interpreter").Interpreter(
        model_path=str(Path(folder) / embedder.manifest.model), num_threads=threads
    )
    interpreter.allocate_tensors()
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scaling = embedder.manifest.scaling
    factor, offset = np.array(scaling.scale, np.float32), np.array(scaling.offset, np.float32)

    def scaled() -> np.ndarray:
        real = picture * factor + offset
        if taken["dtype"] != np.float32:
            scale, zero = taken["quantization"]
            bounds = np.iinfo(taken["dtype"])
            real = np.clip(np.floor(real / scale + 0.51) + zero, bounds.min, bounds.max)
        made: np.ndarray = real.astype(taken["dtype"])[None]
        return made

    before = scaled()

    def bare(values: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(taken["index"], values)
        interpreter.invoke()
        answer: np.ndarray = interpreter.get_tensor(given["index"])
        if given["dtype"] != np.float32:
            scale, zero = given["quantization"]
            answer = (answer.astype(np.float32) - zero) * np.float32(scale)
        return answer

    contenders.clear()
    contenders.update(
        {
            "embed": lambda: embedder.embed(picture),
            "bare": lambda: bare(before),
            "by hand": lambda: bare(scaled()),
        }
    )
    apart = float(np.abs(bare(before).ravel() - embedder.embed(picture)).max())
    return {"apart": apart, "values": embedder.embedding_dim}


def measure(rounds: int, calls: int) -> dict[str, Any]:
    """Milliseconds of each way in every round, in turns."""
    return {"ms": times_ms(contenders, rounds, calls)}


if __name__ == "__main__":
    serve({"open": open_model, "measure": measure})
