"""Curves and bars as text."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.screens.answers import answers_lines
from device.screens.cells import fit, fit_apart, text_columns
from device.screens.chart import bar, bars, curve


def test_a_falling_loss_looks_like_one() -> None:
    """A curve runs from the first value on the left to the last on the right, with its range beside it."""
    assert curve([3.0, 2.0, 1.0, 1.0, 1.0], 3, 14) == [
        " 3.000 ┤─┐    ",
        "       │ └┐   ",
        " 1.000 ┤  └── ",
    ]


def test_a_rising_accuracy_starts_at_its_floor() -> None:
    """With a floor the scale begins there, so that a curve between .9 and 1 does not look like one from 0."""
    lines = curve([0.5, 1.0], 3, 10, low=0.0)
    assert lines == [" 1.000 ┤ ┌", "       │─┘", " 0.000 ┤  "]


def test_a_long_run_is_drawn_as_means() -> None:
    """More values than columns are drawn as means over equal shares: 1 000 epochs of a straight line stay one."""
    lines = curve([float(i) for i in range(1000)], 5, 13)
    assert [line[8:] for line in lines] == ["    ┌", "   ┌┘", "  ┌┘ ", " ┌┘  ", "─┘   "]


def test_one_value_and_none() -> None:
    """One value is a dash, no value an empty chart of the same size, a gap stays a gap."""
    assert curve([2.0], 1, 10) == [" 2.000 ┤─ "]
    assert curve([], 2, 10) == [" " * 10] * 2
    assert curve([1.0, math.nan, 1.0], 1, 11) == [" 1.000 ┤─ ─"]
    assert curve([1.0], 0, 10) == []


@given(st.lists(st.floats(), max_size=60), st.integers(0, 12), st.integers(0, 40))
def test_a_curve_has_its_size(values: list[float], rows: int, columns: int) -> None:
    """Whatever the numbers, infinite and NaN ones included, a curve has exactly the size asked for."""
    values = [value if not abs(value) > 1e300 else math.inf for value in values]
    lines = curve(values, rows, columns)
    assert lines == [] if columns == 0 else len(lines) == rows
    assert all(text_columns(line) == columns for line in lines)


def test_bars_fill_their_share() -> None:
    """A bar fills its share to half a column, with the percentage beside it."""
    assert bars(["up", "down"], [0.75, 0.25], 20) == ["up   ███████▌    75%", "down ██▌         25%"]
    assert bar(0.0, 4) == "    "
    assert bar(1.0, 4) == "████"
    assert bar(math.nan, 4) == "    "
    assert bar(7.0, 2) == "██"


def test_bars_need_a_share_for_each_name() -> None:
    """Names and shares of different number are an error, not a shorter chart."""
    with pytest.raises(ValueError, match="zip"):
        bars(["a", "b"], [1.0], 20)


@given(st.lists(st.tuples(st.text(max_size=70), st.floats(0, 1)), max_size=6), st.integers(0, 40))
def test_bars_have_their_width(classes: list[tuple[str, float]], columns: int) -> None:
    """Long, wide and strange names are cut: each line has exactly the columns asked for."""
    for line in bars([name for name, _ in classes], [share for _, share in classes], columns):
        assert text_columns(line) == columns


def breeds(count: int) -> list[str]:
    """Long names that begin alike and end apart, or go on in the middle."""
    return [f"golden retriever number {one} of the second yard" for one in range(count)]


@pytest.mark.parametrize("columns", [8, 10, 24])
def test_names_that_are_cut_stay_apart(columns: int) -> None:
    """Of 150 classes no two look alike where their names are cut, and each is as wide as the column."""
    names = [*breeds(150), "golden", "golden retriever", "dog", "golden retriever number"]
    shown = fit_apart(names, columns)
    assert len(set(shown)) == len(names)
    assert {text_columns(text) for text in shown} == {columns}
    assert shown[names.index("dog")] == "dog".ljust(columns)
    assert fit_apart(["cat", "cat"], 8) == ["cat     "] * 2


@given(st.lists(st.text("ab é日", min_size=1, max_size=12), max_size=12), st.integers(0, 12))
def test_whatever_the_names_are_they_fit(names: list[str], columns: int) -> None:
    """Any texts in any width: each exactly that wide, and one that fits is left as it is."""
    for text, short in zip(names, fit_apart(names, columns), strict=True):
        assert text_columns(short) == max(columns, 0)
        if text_columns(text) <= columns:
            assert short == fit(text, columns)


def test_a_ranking_of_150_classes_names_each_of_them() -> None:
    """Where the table does not fit, the classes that are mixed up most are told by names that differ."""
    classes = breeds(150)
    confusion = np.diag(np.full(150, 9))
    confusion[0, 1] = confusion[1, 0] = 4
    recall = {name: row[at] / row.sum() for at, (name, row) in enumerate(zip(classes, confusion, strict=True))}
    lines = answers_lines(classes, confusion, recall, 80)
    (pair,) = [line for line in lines if line.startswith("     8  ")]
    first, second = pair[8:].split(" and ")
    assert first != second
    assert {re.findall(r"\d+", name)[0] for name in (first, second)} == {"0", "1"}
