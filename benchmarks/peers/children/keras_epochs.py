"""Training networks in NumPy beside Keras, in one process of TensorFlow's environment: the timed parts of proofs."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from benchmarks import bases, bench_words, proof_detection, proof_mnist
from benchmarks.peers.child import serve
from benchmarks.record import plain
from edge_tl.detection.base import read_base
from edge_tl.embedders.browser import BrowserEmbedder


def digits(seeds: int) -> dict[str, Any]:
    """An epoch of each mode of freezing, most examples, in seconds of the processor."""
    base = bases.digit_base("0-4")
    if base is None:
        raise FileNotFoundError("the base of digits could not be made")
    size = proof_mnist.SIZES[0]
    return {"modes": plain(proof_mnist.modes(base, bases.MNIST, (size,), seeds)["modes"][str(size)])}


def detector(rounds: int) -> dict[str, Any]:
    """An epoch of phase 2 of the detector."""
    folder = bases.detection_base()
    if folder is None:
        raise FileNotFoundError("the base of the detector could not be made")
    return {"modes": plain(proof_detection.epochs(read_base(folder, 1), rounds))}


def words() -> dict[str, Any]:
    """Fine-tuning the 18-word base."""
    if not (bases.W18 / "speech.json").exists():
        wanted = f"-m host_tools.cli convert speech --tfjs {bases.W18_TFJS} --licence Apache-2.0 --out {bases.W18}"
        subprocess.run([sys.executable, *wanted.split()], check=True)
    found: dict[str, Any] = plain(bench_words.training(BrowserEmbedder.load(bases.W18, 1)))
    return found


if __name__ == "__main__":
    serve({"digits": digits, "detector": detector, "words": words})
