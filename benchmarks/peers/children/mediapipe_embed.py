"""MediaPipe's ImageEmbedder on the same model file, to which the metadata that it asks for is added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from mediapipe.tasks.python.metadata.metadata_writers import metadata_writer

from benchmarks.peers.child import serve, timed

embedder: Any = None
picture: Any = None


def open_model(path: str, mean: float, std: float, shape: list[int]) -> dict[str, Any]:
    """Load a model whose pixels are scaled by (pixel − mean) / std, for pictures of this shape."""
    global embedder, picture
    writer = metadata_writer.MetadataWriter.create(bytearray(Path(path).read_bytes()))
    writer.add_general_info("embedder", "of the benchmark")
    writer.add_image_input([mean], [std])
    model, _ = writer.populate()
    options = vision.ImageEmbedderOptions(base_options=BaseOptions(model_asset_buffer=bytes(model)))
    embedder = vision.ImageEmbedder.create_from_options(options)
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
    return {"values": len(embedder.embed(picture).embeddings[0].embedding)}


def measure(calls: int) -> dict[str, Any]:
    """Milliseconds a picture."""
    _, took = timed(lambda: [embedder.embed(picture) for _ in range(calls)])
    return {key: value / calls for key, value in took.items()}


if __name__ == "__main__":
    serve({"open": open_model, "measure": measure})
