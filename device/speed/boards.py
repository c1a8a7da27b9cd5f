"""What networks take on a Raspberry Pi, predicted from what others measured and published.

Milliseconds are a sum: so many for a million multiplications of convolutions, for a million of depthwise ones, and for
a million bytes that are moved. The factors were fitted to nine networks that ncnn's authors ran on each board, and
brought to XNNPACK, which LiteRT computes with, by XNNPACK's own figures for MobileNets. `benchmarks/proof_boards.py`
has the figures, their sources and the error where a network is left out; a test holds what stands here to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_tl.tflite.counting import Work

TREE = Path("/proc/device-tree/model")
LIBRARY = 0.915
"""XNNPACK's time over that of the fit to ncnn."""
FLOAT32 = 2.0
"""On a Pi 5 ncnn computes in float16, LiteRT in float32: half as many values at once, twice as many bytes. Assumed, for
nobody published both."""


@dataclass(frozen=True)
class Board:
    """A Raspberry Pi."""

    name: str
    tree: str
    """What its device tree's model begins with."""
    ms: dict[int, tuple[float, float, float]]
    """Threads → ms a million of dense multiplications, of depthwise ones, and of bytes, in ncnn."""
    halves: bool = False
    """Whether ncnn computed in float16."""

    def network_ms(self, work: Work, threads: int) -> float:
        """What a float network takes, 1 or 4 threads."""
        dense, depthwise, moved = self.ms[4 if threads > 1 else 1]
        ms = (dense * work.dense_macs + depthwise * work.depthwise_macs + moved * work.moved_bytes) / 1e6
        return ms * LIBRARY * (FLOAT32 if self.halves else 1)


BOARDS = (
    Board("Zero 2 W", "Raspberry Pi Zero 2", {1: (0.5064, 2.831, 0.8892), 4: (0.2209, 0.8456, 0.6057)}),
    Board("3B+", "Raspberry Pi 3", {1: (0.2705, 1.929, 0.4136), 4: (0.1557, 0.7332, 0.4039)}),
    Board("4", "Raspberry Pi 4", {1: (0.1643, 0.8474, 0.2434), 4: (0.08546, 0.3569, 0.2286)}),
    Board("5", "Raspberry Pi 5", {1: (0.02161, 0.09425, 0.07807), 4: (0.01121, 0.04783, 0.04204)}, halves=True),
)


def this_board(tree: Path = TREE) -> Board | None:
    """The board that this is, None where it is none of them."""
    try:
        model = tree.read_text("utf-8", "replace")
    except OSError:
        return None
    return next((board for board in BOARDS if model.startswith(board.tree)), None)
