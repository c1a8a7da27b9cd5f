"""How the machine does: temperature, throttling, memory, from the kernel's files; None where it has none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_THERMAL = Path("sys/class/thermal/thermal_zone0/temp")
_THROTTLED = Path("sys/devices/platform/soc/soc:firmware/get_throttled")
_NOW = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
"""The bits of get_throttled that speak of now (Raspberry Pi documentation, vcgencmd); 16 above, of since the start."""


def machine_health(root: Path = Path("/")) -> dict[str, Any]:
    """Temperature in °C, what limits the processor now and did since start, and the memory of this process in MiB.

    root: where `sys` and `proc` are.
    """
    temperature = _number(root / _THERMAL, 10)
    throttled = _number(root / _THROTTLED, 16)
    pages = _text(root / "proc/self/statm").split()
    return {
        "temperature_c": None if temperature is None else temperature / 1000,
        "limited_now": None if throttled is None else [word for bit, word in _NOW.items() if throttled >> bit & 1],
        "limited_since_start": None
        if throttled is None
        else [word for bit, word in _NOW.items() if throttled >> (bit + 16) & 1],
        "memory_mib": round(int(pages[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20, 1) if len(pages) > 1 else None,
    }


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _number(path: Path, base: int) -> int | None:
    try:
        return int(_text(path).strip(), base)
    except ValueError:
        return None
