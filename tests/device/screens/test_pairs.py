"""Colours in pairs: few of them, the nearest where there are too few, and the commonest exactly."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from device.screens.cells import (
    PALETTE,
    nearest_8,
    nearest_256,
)
from device.screens.pairs import TEXT_RESERVE, Pairs


def test_pairs_are_reused_and_never_run_out() -> None:
    """Pairs not on the present screen are taken back, the least recently used first; else the nearest one serves."""
    defined: list[tuple[int, int, int]] = []
    pairs = Pairs(2, lambda *pair: defined.append(pair))
    assert [pairs.number(20, 16), pairs.number(30, 16), pairs.number(20, 16)] == [1, 2, 1]
    assert pairs.number(21, 16) == 1  # blue, and the nearest is the other blue
    pairs.begin()
    assert pairs.number(20, 16) == 1
    assert pairs.number(40, 16) == 2
    assert defined == [(1, 20, 16), (2, 30, 16), (2, 40, 16)]
    assert Pairs(0, lambda *pair: defined.append(pair)).number(20, 16) == 0


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12))
def test_a_picture_takes_its_commonest_pairs_exactly(seed: int, rows: int, columns: int) -> None:
    """Colourings that fit into the pairs are exact, upside down or not, and a share is left for texts."""
    rng = np.random.default_rng(seed)
    tops, bottoms = rng.integers(16, 30, (2, rows, columns))
    table: dict[int, tuple[int, int]] = {}
    pairs = Pairs(255, lambda number, text, background: table.__setitem__(number, (text, background)))
    numbers, on_top = pairs.picture(tops, bottoms)
    for row, column in np.ndindex(rows, columns):
        text, background = table[int(numbers[row, column])]
        seen = (text, background) if on_top[row, column] else (background, text)
        assert seen == (tops[row, column], bottoms[row, column])
    assert len(table) <= 255 - TEXT_RESERVE


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=20))
def test_the_nearest_colour_is_nearest(colours: list[tuple[int, int, int]]) -> None:
    """The palette index chosen for a colour is as near as any other of the cube; greys may be nearer still."""
    rgb = np.array(colours)
    chosen = ((PALETTE[nearest_256(rgb)] - rgb) ** 2).sum(-1)
    best_of_cube = ((PALETTE[None, 16:232] - rgb[:, None]) ** 2).sum(-1).min(1)
    assert (chosen <= best_of_cube).all()


def test_eight_colours() -> None:
    """On eight colours red stays red, dark is black, and grey is white."""
    assert [nearest_8(c) for c in ((255, 95, 95), (20, 20, 20), (138, 138, 138), (255, 215, 0))] == [1, 0, 7, 3]
