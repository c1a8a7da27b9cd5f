"""Takes told by what pictures are: a pause, a jump in the numbers or another place ends one, and copies join them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from edge_tl.core.near_copies import SIDE, ties
from edge_tl.core.takes import MAX_TAKES, in_order, tell_takes
from edge_tl.media.image import grey_square, taken_s


def place(rng: np.random.Generator) -> np.ndarray:
    """How a place looks from afar: like no other."""
    return rng.integers(40, 216, SIDE * SIDE).astype(np.float64)


def frames(at: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Pictures of a place in which something moves, uint8 (count, SIDE²)."""
    out = np.repeat(at[np.newaxis], count, axis=0)
    for number, row in enumerate(out):
        row[(7 * number) % 200 : (7 * number) % 200 + 4] += rng.choice((-60, 60))
    return np.clip(out, 0, 255).astype(np.uint8)


def told(names: list[str], small: np.ndarray, times: Sequence[float] = (), written: Sequence[float] = ()) -> list[int]:
    """The takes as a list."""
    count = len(names)
    takes: list[int] = tell_takes(names, times or [None] * count, written or [0.0] * count, small).tolist()
    return takes


def test_files_sort_as_a_person_sorts_them_and_by_time_where_all_have_one() -> None:
    """2 comes before 10, and what the cameras say counts as soon as every picture says it."""
    names = ["p10.jpg", "p2.jpg", "p1.jpg"]
    assert in_order(names, [None, None, None]) == [2, 1, 0]
    assert in_order(names, [1.0, None, 0.0]) == [2, 1, 0]
    assert in_order(names, [5.0, 9.0, 7.0]) == [0, 2, 1]


def test_a_pause_a_jump_and_another_place_end_a_take() -> None:
    """In one place numbers and times tell holds apart; with neither, the place does; a film of one place is a take."""
    rng = np.random.default_rng(0)
    one = frames(place(rng), 12, rng)
    names = [f"f{number}.jpg" for number in range(12)]
    assert told(names, one) == [0] * 12
    assert told([f"f{number}.jpg" for number in [*range(6), *range(60, 66)]], one) == [0] * 6 + [1] * 6
    assert told([f"f{30 * number}.jpg" for number in range(12)], one) == [0] * 12
    assert told([*names[:6], *(f"g{number}.jpg" for number in range(6))], one) == [0] * 6 + [1] * 6
    assert told(names, one, [*range(6), *range(60, 66)]) == [0] * 6 + [1] * 6
    assert told(names, one, [60 * number for number in range(12)]) == [0] * 12
    assert told(names, one, written=[*range(6), *range(60, 66)]) == [0] * 6 + [1] * 6
    assert told(names, one, written=[*range(60, 66), *range(6)]) == [0] * 12
    assert told([f"{hash((number, 1.5)) % 10**9:x}.jpg" for number in range(12)], one) == [0] * 12
    both = np.concatenate((one[:6], frames(place(rng), 6, rng)))
    assert told(names, both) == [0] * 6 + [1] * 6


def test_copies_are_in_one_take_whatever_lies_between() -> None:
    """A picture again after a pause joins the take that it copies, and what shows nothing goes with its neighbour."""
    rng = np.random.default_rng(1)
    small = np.concatenate([frames(place(rng), 3, rng) for _ in range(4)])
    small[9:] = np.clip(small[:3] * 1.05, 0, 255).astype(np.uint8)
    small[4] = 90
    takes = told([f"f{number}.jpg" for number in range(12)], small)
    assert takes == [0] * 3 + [1] * 3 + [2] * 3 + [0] * 3
    assert told(["dark.jpg", "dark2.jpg"], np.full((2, SIDE * SIDE), 90, np.uint8)) == [0, 0]
    assert told([], np.zeros((0, SIDE * SIDE), np.uint8)) == []


def test_no_more_takes_than_a_head_can_be_trained_for() -> None:
    """Forty places are ten takes of four neighbours."""
    rng = np.random.default_rng(2)
    small = np.array([place(rng) for _ in range(40)]).astype(np.uint8)
    takes = told([f"{number}.jpg" for number in range(40)], small)
    assert np.bincount(takes).tolist() == [4] * MAX_TAKES


@pytest.mark.parametrize("folder", ["sign_digits/0", "hands_sessions/session_2/3", "hands_sessions/session_5/1"])
def test_no_near_copies_of_real_pictures_lie_in_two_takes(data: Callable[[str], Path], folder: str) -> None:
    """Of many people as of one person's film there are several takes, and no near-copy is in another."""
    paths = sorted(data(folder).iterdir())
    files = [path.read_bytes() for path in paths]
    names, times = [path.name for path in paths], [taken_s(one) for one in files]
    assert (None not in times) == folder.startswith("sign")
    order = in_order(names, times)
    small = np.array([grey_square(files[at], SIDE).reshape(-1) for at in order])
    takes = tell_takes([names[at] for at in order], [times[at] for at in order], [0.0] * len(order), small)
    assert takes.max() > 0
    assert not len(ties(small, np.arange(len(small)), takes)[0])
