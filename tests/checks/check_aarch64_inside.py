"""Run by check_aarch64.sh, here (embed) and on aarch64 (all): embeds, trains, predicts and serves."""

from __future__ import annotations

import os
import platform
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

from edge_tl import Recognizer, SimulatedPlayer, TFLiteEmbedder, default_model

LABELS = ("up", "down", "left", "right")
TOLERANCE = 1e-4
"""Of embeddings of length about 100: two processors round differently."""
SERVE = "import sys; from device.commands.main import main; sys.exit(main())"


def pictures(takes: int = 2, each: int = 3) -> list[tuple[np.ndarray, str, int]]:
    """The same pictures everywhere: (picture, label, take)."""
    made = []
    player = SimulatedPlayer(seed=1)
    with player:
        for take in range(takes * len(LABELS)):
            player.pose = LABELS[take % len(LABELS)]
            player.new_session()
            made += [(player.read().data, player.pose, take) for _ in range(each)]
    return made


def proved(what: str, holds: bool) -> None:
    """Say it, or end."""
    if not holds:
        sys.exit(f"NOT proved on {platform.machine()}: {what}")
    print(f"proved on {platform.machine()}, Python {platform.python_version()}: {what}", flush=True)


def main() -> None:
    """`embed FILE` writes the embeddings; `all FILE` compares with them, trains, predicts and serves."""
    what, path = sys.argv[1], Path(sys.argv[2])
    embedder = TFLiteEmbedder.load(default_model(), threads=1)
    shown = pictures()
    embeddings = np.stack([embedder.embed(picture) for picture, _, _ in shown])
    if what == "embed":
        np.save(path, embeddings)
        return
    backend = embedder.backend if hasattr(embedder, "backend") else ""
    largest = float(np.abs(embeddings - np.load(path)).max() / np.abs(embeddings).max())
    proved(
        f"NumPy {np.__version__} {backend}: embeddings as on x86-64 (largest difference {largest:.1e})",
        largest < TOLERANCE,
    )
    recognizer = Recognizer(embedder)
    for embedding, (_, label, take) in zip(embeddings, shown, strict=True):
        recognizer.add(embedding, label, take)
    learned = recognizer.learn()
    right = sum(recognizer.observe(picture).best == label for picture, label, _ in shown)
    proved(f"trained on {learned.examples} examples, {right} of {len(shown)} named again", right == len(shown))
    serve()


def serve() -> None:
    """The service: ready, sees pictures, ends when asked."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0edge-tl-check")
        manager.settimeout(300)
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                SERVE,
                "serve",
                "--camera",
                "sim",
                "--web",
                "0",
                "--data-dir",
                os.path.expanduser("~/state"),
            ],
            env=os.environ | {"NOTIFY_SOCKET": "@edge-tl-check"},
            stderr=subprocess.PIPE,
        )
        told = ""
        while not told.startswith("STATUS=ok: signs"):
            told = manager.recv(4096).decode()
        proved(f"edge-tl serve with its console: {told[7:]}", True)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=300)
        proved("and it ends when asked", process.returncode == 0 and b"Traceback" not in errors)


if __name__ == "__main__":
    main()
