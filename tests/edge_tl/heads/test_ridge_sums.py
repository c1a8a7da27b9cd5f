"""Ridge from sums: what devices add up gives the head that all of their rows in one place give."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.heads import ridge_sums
from edge_tl.heads.ridge import RidgeHead
from edge_tl.heads.ridge_sums import (
    BETAS,
    LAMBDAS,
    MAX_COLUMNS,
    SummedRidge,
    Totals,
    chosen,
    projection,
    sums_of,
    verdicts,
)

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def devices_with(seed: int, devices: int, columns: int, rows: int) -> list[Rows]:
    """Rows, labels and takes of devices with unequal classes, each class in two takes or more."""
    random = np.random.default_rng(seed)
    centres, made, take = random.normal(size=(5, columns)), [], 0
    for _ in range(devices):
        X, y, takes = [], [], []
        for code in random.choice(5, size=int(random.integers(2, 5)), replace=False):
            for _ in range(int(random.integers(2, 4))):
                take += 1
                off = centres[code] + 0.7 * random.normal(size=columns)
                X.append(off + 0.5 * random.normal(size=(rows, columns)))
                y += [f"class {code}"] * rows
                takes += [take] * rows
        made.append((np.concatenate(X).astype(np.float32), np.array(y), np.array(takes)))
    return made


def pooled_rows(devices: list[Rows]) -> Rows:
    """All in one place."""
    X, y, takes = (np.concatenate([one[at] for one in devices]) for at in range(3))
    return X, y, takes


def groups_of(takes: np.ndarray) -> list[np.ndarray]:
    """The positions of each take."""
    return [np.flatnonzero(takes == take) for take in np.unique(takes)]


def added_up(devices: list[Rows]) -> tuple[list[str], Totals]:
    """The classes of all and the totals, as they arrive again."""
    labels = sorted({str(label) for one in devices for label in one[1]})
    columns = devices[0][0].shape[1]
    added = np.sum([sums_of(X, y, takes, labels) for X, y, takes in devices], axis=0)
    packed = Totals.of(added, columns).packed()
    return labels, Totals.unpacked(packed, len(labels), columns)


@pytest.mark.exact
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([3, 20, 60]), st.sampled_from([1, 3, 12]))
def test_what_devices_add_up_to_is_the_pooled_head(seed: int, devices: int, columns: int, rows: int) -> None:
    """Weights within 1e-5 of the pooled head's, with the same λ and accuracy, and nearly the same temperature."""
    parts = devices_with(seed, devices, columns, rows)
    X, y, takes = pooled_rows(parts)
    pooled = RidgeHead().fit(X, y, takes)
    labels, totals = added_up(parts)
    ridge = SummedRidge(totals)
    said = np.zeros((len(LAMBDAS), 3 + len(BETAS)))
    for X_, y_, takes_ in parts:
        codes = np.searchsorted(labels, y_)
        held_out = ridge.left_out(X_, codes, groups_of(takes_), LAMBDAS * ridge.scale)
        said += verdicts(held_out, codes, totals)
    at, temperature = chosen(said, totals, pooled.prior)
    if not np.isclose(LAMBDAS[at] * ridge.scale, pooled.lambda_, rtol=1e-4):  # two that are as good to the last digit
        other = int(np.abs(np.log(LAMBDAS * ridge.scale / pooled.lambda_)).argmin())
        assert said[other, 2] == pytest.approx(said[at, 2], rel=1e-5)
        return
    coef, intercept = ridge.coef(pooled.lambda_)
    size = max(1.0, float(np.abs(pooled.coef_).max()))
    assert np.abs(coef - pooled.coef_).max() <= 1e-5 * size
    assert np.abs(intercept - pooled.intercept_).max() <= 1e-5 * max(1.0, float(np.abs(pooled.intercept_).max()))
    assert said[at, 1] / said[at, 0] == pytest.approx(pooled.loo_accuracy_, abs=1.5 / len(y))
    assert temperature == pytest.approx(pooled.temperature_, rel=2e-3)


def test_left_out_scores_are_those_of_a_fit_without_the_group() -> None:
    """A device's rows, all left out at once or take by take, get the scores of the normal equations without them."""
    parts = devices_with(3, 3, 6, 4)
    labels, totals = added_up(parts)
    ridge = SummedRidge(totals)
    X, y, _ = pooled_rows(parts)
    weights = totals.weights[np.searchsorted(labels, y)]
    lambda_ = float(LAMBDAS[8] * ridge.scale)
    own, codes = len(parts[0][0]), np.searchsorted(labels, parts[0][1])
    for group in (*groups_of(parts[0][2]), np.arange(own)):
        kept = np.setdiff1d(np.arange(len(X)), group)
        design = np.column_stack((X[kept], np.ones(len(kept)))).astype(np.float64)
        Y = np.eye(len(labels))[np.searchsorted(labels, y[kept])]
        penalty = np.diag([lambda_] * X.shape[1] + [0.0])
        W = np.linalg.solve((design.T * weights[kept]) @ design + penalty, (design.T * weights[kept]) @ Y)
        wanted = np.column_stack((X[group], np.ones(len(group)))) @ W
        others = [np.setdiff1d(np.arange(own), group)] if len(group) < own else []
        said = ridge.left_out(parts[0][0], codes, [group, *others], np.array([lambda_]))[0][group]
        assert np.abs(said - wanted).max() < 1e-6


def test_a_device_without_rows_adds_nothing() -> None:
    """Its sums and verdicts are zeros of the right shape."""
    labels, totals = added_up(devices_with(1, 2, 4, 3))
    none = np.zeros((0, 4), np.float32), np.zeros(0, np.str_), np.zeros(0, np.int64)
    assert not sums_of(*none, labels).any()
    ridge = SummedRidge(totals)
    held_out = ridge.left_out(none[0], np.zeros(0, np.int64), [], LAMBDAS)
    assert not verdicts(held_out, np.zeros(0, np.int64), totals).any()


def test_long_rows_are_projected_the_same_way_everywhere() -> None:
    """Signs of a hash: the same for ever, short rows stay as they are, and lengths are kept within a few per cent."""
    assert projection(MAX_COLUMNS) is None
    made = projection(1000)
    assert made is not None
    assert made.shape == (1000, MAX_COLUMNS)
    assert np.sign(made[0, :16]).astype(int).tolist() == SIGNS
    X = np.random.default_rng(0).normal(size=(50, 1000))
    lengths = np.linalg.norm(X @ made, axis=1) / np.linalg.norm(X, axis=1)
    assert abs(lengths.mean() - 1) < 0.03
    assert lengths.std() < 0.1


SIGNS = [1, -1, -1, -1, 1, 1, -1, -1, -1, 1, -1, 1, -1, -1, 1, -1]
"""The first of a thousand columns; devices with other signs could not be added to those that have these."""


def test_totals_of_another_size_are_refused() -> None:
    """One number too many is a ValueError, not another matrix."""
    labels, totals = added_up(devices_with(1, 2, 4, 3))
    with pytest.raises(ValueError, match=r"reshape|broadcast|assign"):
        Totals.unpacked(np.append(totals.packed(), 0.0), len(labels), 4)


def test_the_file_stands_alone() -> None:
    """The Flower app gets a copy: it imports NumPy and the standard library only."""
    tree = ast.parse(Path(ridge_sums.__file__).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) == {"numpy"}
