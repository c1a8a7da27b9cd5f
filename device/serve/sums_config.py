"""The table [sums] of the configuration: whether sums of examples are given to a program on this device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device.serve.toml_tables import limits


@dataclass(frozen=True)
class SumsConfig:
    """Sums of the examples are given to who may open a Unix socket, and the head that they add up to is used; nothing
    else leaves. For the Flower app of `edge-tl-host fleet`."""

    pipeline: str | None = None
    """Whose examples; left out, the only one."""
    socket: Path | None = None
    """The Unix socket, mode 0660; left out, `sums.sock` beside that of the events."""
    min_examples: int = limits(5, least=1, most=1000)
    """Of a class with fewer examples here nothing is given: the sum of one example is that example."""
