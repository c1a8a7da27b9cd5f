"""Memory that a training takes again at every step, instead of giving it back to the system in between."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod

import numpy as np

MIN_BYTES = 2**16
"""What is smaller is left to NumPy, which is faster there."""


class _Kept(threading.local):
    """What this thread keeps; None where it keeps nothing."""

    blocks: list[np.ndarray] | None = None


_here = _Kept()


@contextmanager
def kept() -> Iterator[None]:
    """While this lasts, `empty` in this thread gives memory again that nobody looks at any more.

    The system clears what it hands out, page by page: 4 000 pages at each step of a detector's training, a tenth of it.
    """
    before = _here.blocks
    _here.blocks = [] if before is None else before
    try:
        yield
    finally:
        _here.blocks = before


def empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array of whatever values, as np.empty makes it."""
    size = prod(shape) * dtype.itemsize
    blocks = _here.blocks if size >= MIN_BYTES else None
    if blocks is None:
        return np.empty(shape, dtype)
    free = [block for block, seen in zip(blocks, references(blocks), strict=True) if seen == NOBODY]
    fitting = [block for block in free if block.size >= size]
    if not fitting:
        fitting = [np.empty(size, np.uint8)]
        blocks += fitting
    return min(fitting, key=len)[:size].view(dtype).reshape(shape)


def references(blocks: list[np.ndarray]) -> list[int]:
    """How many hold each of these; every view of an array holds the array itself."""
    return [sys.getrefcount(block) for block in blocks]


NOBODY = references([np.empty(0)])[0]
"""What is counted of a block that only its list holds."""
