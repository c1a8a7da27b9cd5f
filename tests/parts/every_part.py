"""A real service with all that strangers can reach: console, fleet, sums, satellites, a camera and words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.serving import Serving

for package, extra in (
    ("uvicorn", "web"),
    ("paho.mqtt.client", "mqtt"),
    ("cryptography", "fleet"),
    ("wyoming", "wyoming"),
):
    pytest.importorskip(package, reason=f"{package} is not installed (extra {extra})")
pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed (extra speech)")

TRUSTED = "q/OaxjkKBGOHgHS/KzeZcq24k7uFR+Rz1hhaE5JCZLA="
EVERY_PART = f"""
[pipelines.signs]
camera = "sim"
look = "frame"
[pipelines.words]
mic = "none"
profile = "words"
[mqtt]
host = "127.0.0.1"
port = 1
[fleet]
name = "home"
pipeline = "signs"
[fleet.trusted]
desk = "{TRUSTED}"
[sums]
pipeline = "signs"
[wyoming]
port = 0
"""
"""Nobody is at the broker's port."""


def sums_socket(serving: Serving) -> Path:
    """Where sums are asked for."""
    return serving.data / "sums.sock"


def satellites_at(serving: Serving) -> str:
    """Where satellites come to."""
    return re.findall(r"wake words at (\S+)", serving.log)[-1]
