"""What does `embed` cost beyond the bare interpreter? From a uint8 picture that has the model's size already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.interleaved import ratio, spread, times_ms, words
from benchmarks.record import table
from edge_tl.embedders.tflite import TFLiteEmbedder

GOAL = 1.05
ROUNDS, CALLS = 60, 20


def measure(models: dict[str, Path]) -> dict[str, Any]:
    """`embed` against the interpreter alone on an input scaled beforehand, and against scaling by hand; one thread."""
    return {name: contest(folder) for name, folder in models.items()}


def contest(folder: Path) -> dict[str, Any]:
    """One model."""
    embedder = TFLiteEmbedder.load(folder, threads=1)
    manifest = embedder.manifest
    picture = np.random.default_rng(0).integers(0, 256, manifest.input_shape, dtype=np.uint8)
    bare, by_hand, bare_answer = bare_loops(folder / manifest.model, picture, embedder)
    worst = float(np.abs(bare_answer - embedder.embed(picture)).max())
    times = times_ms({"embed": lambda: embedder.embed(picture), "bare": bare, "by hand": by_hand}, ROUNDS, CALLS)
    return {
        "model": manifest.name,
        "ms": {name: spread(values) for name, values in times.items()},
        "embed_over_bare": ratio(times["embed"], times["bare"]),
        "embed_over_by_hand": ratio(times["embed"], times["by hand"]),
        "largest_difference": worst,
    }


def bare_loops(
    model: Path, picture: np.ndarray, embedder: TFLiteEmbedder
) -> tuple[Callable[[], np.ndarray], Callable[[], np.ndarray], np.ndarray]:
    """set_tensor, invoke, get_tensor: with the input scaled beforehand, and with it scaled each time; an answer."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(model), num_threads=1)
    interpreter.allocate_tensors()
    into = interpreter.get_input_details()[0]["index"]
    out = interpreter.get_output_details()[0]["index"]
    scaling = embedder.manifest.scaling
    scale, offset = np.array(scaling.scale, np.float32), np.array(scaling.offset, np.float32)
    scaled = (picture * scale + offset)[None]

    def bare() -> np.ndarray:
        interpreter.set_tensor(into, scaled)
        interpreter.invoke()
        answer: np.ndarray = interpreter.get_tensor(out)
        return answer

    def by_hand() -> np.ndarray:
        interpreter.set_tensor(into, (picture * scale + offset)[None])
        interpreter.invoke()
        answer: np.ndarray = interpreter.get_tensor(out)
        return answer

    return bare, by_hand, bare().ravel()


def report(result: dict[str, Any]) -> str:
    """One row a model."""
    rows: list[list[object]] = [
        [
            name,
            words(one["ms"]["bare"]),
            words(one["ms"]["embed"]),
            words(one["embed_over_bare"], 3),
            f"≤ {GOAL}",
            words(one["embed_over_by_hand"], 3),
        ]
        for name, one in result.items()
    ]
    return table(["model, 1 thread", "bare, ms", "embed, ms", "embed / bare", "goal", "embed / scaled by hand"], rows)
