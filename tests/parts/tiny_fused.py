"""Makes tests/data/tiny_fused.tflite: the tiny model and a head taught tiny pictures. Run it to make it anew.

Needs LiteRT, whose wheel holds the schema; the file is kept so that the tests on tflite-runtime have it too. The head
is kept beside it: trained on another machine it is another one, because λ is small and rounding counts 30 000 fold.
"""

from __future__ import annotations

import json

import numpy as np
from places import DATA

from edge_tl.core.features import FeatureMap
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.heads import head_from_state
from edge_tl.recognizer import Recognizer
from edge_tl.tflite.manifest import Scaling

TINY, FUSED, HEAD = DATA / "tiny_float32.tflite", DATA / "tiny_fused.tflite", DATA / "tiny_fused_head.npz"
LABELS = ("dark", "light 💡", "mid")


def picture(label: str, number: int) -> np.ndarray:
    """A small picture uint8 (24, 32, 3), as bright as its label says; no two alike."""
    rng = np.random.default_rng([number, LABELS.index(label)])
    base = rng.normal({"dark": 50, "mid": 120, "light 💡": 200}[label], 20, (1, 1, 3))
    return np.clip(base + rng.normal(0, 20, (24, 32, 3)), 0, 255).astype(np.uint8)


def taught() -> Recognizer:
    """A recognizer of the tiny model, taught six pictures a label and trained; its rows keep their length."""
    scaling = Scaling((1 / 255, 1 / 128, 1 / 64), (0.0, -0.5, -1.0))
    embedder = TFLiteEmbedder.load(TINY, scaling=scaling, resize="stretch", colour_order="bgr")
    recognizer = Recognizer(embedder, features=FeatureMap("grid3", unit=False), reject=False)
    for label in LABELS:
        for number in range(6):
            recognizer.teach(picture(label, number), label, number)
    recognizer.learn()
    return recognizer


def kept() -> Recognizer:
    """The recognizer that the kept file was made of, to the bit."""
    recognizer = taught()
    with np.load(HEAD) as saved:
        arrays = dict(saved)
    recognizer.head = head_from_state(json.loads(str(arrays.pop("meta"))), arrays)
    return recognizer


def main() -> None:
    """Write the file, and its head."""
    from edge_tl.export.fuse import fuse

    recognizer = taught()
    meta, arrays = recognizer.head.state()
    np.savez(HEAD, meta=json.dumps(meta), **arrays)
    FUSED.write_bytes(fuse(recognizer, TINY.read_bytes()))


if __name__ == "__main__":
    main()
