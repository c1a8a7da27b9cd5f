"""One thread of the machine on which frames were timed, in ms: `python -m benchmarks.tables` writes this file.

It is read off benchmarks/results/prove_budget.json, networks and the rest of a frame in one run.
"""

from __future__ import annotations

NETWORKS_MS = {
    "embedder": 1.77,
    "hand landmarks": 8.05,
    "palm detector": 9.62,
    "face detector": 1.06,
}
"""Each network once."""
REST_MS = {
    "frame": (0.65, 0.65),
    "hand": (2.18, 0.04),
    "hand-crop": (4.3, 0.0),
    "face": (3.62, 1.4),
    "face-crop": (6.03, 1.23),
}
"""By way to look, what of a frame is no network: followed in full, and glanced at."""
