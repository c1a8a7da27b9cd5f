"""Colour pairs: curses colours a cell by the number of a (text, background) pair, and Python's curses has 255 of them.

A preview of the camera easily wants more. So the pairs are handed out as they are needed, those not used in the
picture being drawn are taken back (least recently used first), and what does not fit takes the nearest pair there is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from device.screens.cells import PALETTE

TEXT_RESERVE = 40
"""Pairs that a picture leaves to the texts drawn after it."""


class Pairs:
    """Numbers 1..limit for pairs of colours (indices 0..255 in the palette)."""

    def __init__(self, limit: int, define: Callable[[int, int, int], object]) -> None:
        """limit: how many pairs the terminal has; define(number, text colour, background): curses' init_pair."""
        self._limit = limit
        self._define = define
        self._numbers: dict[tuple[int, int], int] = {}  # the order is that of the last use
        self._used: set[tuple[int, int]] = set()

    def begin(self) -> None:
        """A new screen is drawn from here: no pair is in use."""
        self._used.clear()

    def number(self, text: int, background: int) -> int:
        """The number of the pair, or of the nearest one when all are in use; 0 (no colour) with no pairs at all."""
        key = (text, background)
        number = self._numbers.pop(key, None)
        if number is None:
            if len(self._numbers) < self._limit:
                number = len(self._numbers) + 1
            else:
                free = next((old for old in self._numbers if old not in self._used), None)
                if free is None:
                    return self._nearest(key)
                number = self._numbers.pop(free)
            self._define(number, text, background)
        self._numbers[key] = number
        self._used.add(key)
        return number

    def _nearest(self, key: tuple[int, int]) -> int:
        if not self._numbers:
            return 0
        keys = list(self._numbers)
        error = ((PALETTE[np.array(keys)] - PALETTE[list(key)]) ** 2).sum((1, 2))
        return self._numbers[keys[int(error.argmin())]]

    def picture(self, tops: np.ndarray, bottoms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The pairs for half blocks: the commonest colourings exactly, the rest by their nearest neighbours.

        tops, bottoms: palette indices, int (rows, columns). Result: pair numbers int (rows, columns), and bool
        (rows, columns): True where the text colour is on top (`▀`), False where it is below (`▄`).
        """
        low, high = np.minimum(tops, bottoms), np.maximum(tops, bottoms)
        codes, where, counts = np.unique(high * 256 + low, return_inverse=True, return_counts=True)
        room = max(1, self._limit - TEXT_RESERVE - len(self._used))
        common = codes[np.argsort(-counts, kind="stable")[:room]]
        # A colouring may stand in for another one upright or upside down: ▀ and ▄ share the pair.
        upright = np.concatenate([PALETTE[common // 256], PALETTE[common % 256]], axis=1)
        kept = np.concatenate([upright, np.roll(upright, 3, axis=1)]).astype(np.float32)
        wanted = np.concatenate([PALETTE[codes // 256], PALETTE[codes % 256]], axis=1).astype(np.float32)
        best = ((kept**2).sum(1) - 2 * wanted @ kept.T).argmin(1)
        numbers = np.array([self.number(int(code) // 256, int(code) % 256) for code in common])
        where = where.reshape(tops.shape)  # NumPy 2.0 and the others disagree on the inverse's shape
        turned = (best >= len(common))[where]
        return numbers[best % len(common)][where], (tops == high) ^ turned
