"""The world: what rows look like in which nothing that was taught is — hours of them, in numbers.

Count, mean and second moments say all that a least-squares head can learn of rows, however many they are: hours of
speech teach like one matrix. Beside them a bank of rows as they were, by which is told what a threshold lets through.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from edge_tl.errors import ShapeError, counted

MIN_SPREAD = 1e-6
"""A value that never changes is taken to spread so much."""
DIRECTIONS = 128
"""So many of the directions in which the world spreads most are told apart; in all others it hardly does."""
MIN_SHARE = 1e-3
"""Of a row's squared distance, where directions are rounded: no distance is below."""


@dataclass(frozen=True, eq=False)
class World:
    """Statistics of rows (N, D) as a head sees them; never changed, only joined."""

    count: int
    """N."""
    hours: float
    """How long it takes to hear them."""
    mean: np.ndarray
    """float64 (D,)."""
    covariance: np.ndarray
    """float64 (D, D)."""
    bank: np.ndarray
    """float32 (M, D): some of the rows, in stretches of neighbours."""
    stretches: np.ndarray
    """int (M,): the stretch of each of them."""

    @property
    def spread(self) -> np.ndarray:
        """(D,) the standard deviation of each value."""
        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance), MIN_SPREAD**2)))

    @property
    def second(self) -> np.ndarray:
        """(D, D) the second moments E[x·xᵀ]."""
        return np.asarray(self.covariance + np.outer(self.mean, self.mean))

    def joined(self, other: World) -> World:
        """Both as one, each row as much as any other; ShapeError for rows of another length."""
        if other.mean.shape != self.mean.shape:
            raise ShapeError(f"rows of {counted(len(self.mean), 'value')} and of {len(other.mean)} cannot be joined")
        count = self.count + other.count
        mine, theirs = self.count / count, other.count / count
        apart = self.mean - other.mean
        return World(
            count,
            self.hours + other.hours,
            mine * self.mean + theirs * other.mean,
            mine * self.covariance + theirs * other.covariance + mine * theirs * np.outer(apart, apart),
            np.concatenate((self.bank, other.bank)),
            np.concatenate((self.stretches, other.stretches + 1 + self.stretches.max(initial=-1))),
        )


@dataclass(frozen=True, eq=False)
class Distance:
    """How far rows lie from the world's mean, where every direction counts by how little the world spreads in it.

    The square root of zᵀ(C + λI)⁻¹z times λ, of z the row in spreads of the world, C its correlations (Mahalanobis'
    distance, shrunk); of C only the greatest eigenvalues.
    """

    mean: np.ndarray
    """float32 (D,)."""
    spread: np.ndarray
    """float32 (D,)."""
    directions: np.ndarray
    """float16 (K, D): the eigenvectors u of C, times √(e/(e + λ)) of their eigenvalues e."""

    @classmethod
    def of(cls, world: World, penalty: float) -> tuple[Self, Moments]:
        """Of a world and λ; and the world's moments, of whose correlations no more is left than the distance knows."""
        spread = world.spread
        values, vectors = np.linalg.eigh(world.covariance / np.outer(spread, spread))
        values, vectors = np.maximum(values[-DIRECTIONS:], 0), vectors[:, -DIRECTIONS:]
        directions = (vectors * np.sqrt(values / (values + penalty))).T
        made = cls(world.mean.astype(np.float32), spread.astype(np.float32), directions.astype(np.float16))
        left = (vectors * values) @ vectors.T * np.outer(spread, spread)
        return made, Moments(world.mean, left + np.outer(world.mean, world.mean))

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Of rows X (M, D): (M,), above 0."""
        z = (X - self.mean) * self._per_spread
        along = z @ self._columns
        whole = np.einsum("nd,nd->n", z, z)
        rest = whole - np.einsum("nk,nk->n", along, along)
        return np.asarray(np.sqrt(np.maximum(rest, MIN_SHARE * whole + MIN_SPREAD)))

    # Once, and not at each window that a listener hears.
    @cached_property
    def _per_spread(self) -> np.ndarray:
        return np.asarray(1 / self.spread)

    @cached_property
    def _columns(self) -> np.ndarray:
        return np.ascontiguousarray(self.directions.T, np.float32)


class WorldSums:
    """Adds up rows as they come; `world` is what they were."""

    def __init__(self, columns: int) -> None:
        """For rows of so many values."""
        self.count = 0
        self._sum = np.zeros(columns)
        self._products = np.zeros((columns, columns))

    def add(self, rows: np.ndarray) -> None:
        """Rows float32 (n, D)."""
        self.count += len(rows)
        self._sum += rows.sum(axis=0, dtype=np.float64)
        self._products += rows.T @ rows

    def world(self, hours: float, bank: np.ndarray | None = None, stretches: np.ndarray | None = None) -> World:
        """Of all rows so far, heard in so many hours; bank, stretches: as of World, None for none. ShapeError without
        a row."""
        if not self.count:
            raise ShapeError("no sound was heard: longer sounds are wanted")
        mean = self._sum / self.count
        covariance = self._products / self.count - np.outer(mean, mean)
        if bank is None or stretches is None:
            bank, stretches = np.empty((0, len(mean)), np.float32), np.empty(0, np.int64)
        return World(self.count, hours, mean, covariance, bank, stretches)


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and second moments of some rows."""

    mean: np.ndarray
    """(D,)."""
    second: np.ndarray
    """(D, D)."""

    @classmethod
    def of(cls, X: np.ndarray, weights: np.ndarray | None = None) -> Self:
        """Of rows X (N, D), which count so much each, (N,), or all alike."""
        w = np.full(len(X), 1 / len(X)) if weights is None else weights / weights.sum()
        rows = X.astype(np.float64)
        return cls(w @ rows, (rows * w[:, None]).T @ rows)

    @classmethod
    def mixed(cls, parts: Iterable[tuple[float, Moments]]) -> Moments:
        """Of several sets of rows that count so much, in shares that sum to 1."""
        listed = list(parts)
        return cls(sum(w * one.mean for w, one in listed), sum(w * one.second for w, one in listed))  # type: ignore[arg-type]


def kept_world(world: World) -> dict[str, np.ndarray]:
    """The arrays that are kept of a world, without its bank: correlations, as float16."""
    spread = world.spread
    alike = (world.covariance / np.outer(spread, spread))[np.triu_indices(len(spread), 1)]
    return {
        "mean": world.mean.astype(np.float32),
        "spread": spread.astype(np.float32),
        "alike": alike.astype(np.float16),
        "count": np.array([world.count], np.int64),
        "hours": np.array([world.hours]),
    }


def world_kept(arrays: dict[str, np.ndarray]) -> World:
    """The world that these were kept of, with an empty bank; ValueError or KeyError for anything else."""
    mean, spread = arrays["mean"].astype(np.float64), arrays["spread"].astype(np.float64)
    columns = len(mean)
    if mean.shape != (columns,) or spread.shape != (columns,):
        raise ValueError(f"a world of shape {mean.shape} is none")
    alike = np.zeros((columns, columns))
    alike[np.triu_indices(columns, 1)] = arrays["alike"].astype(np.float64)
    covariance = (alike + alike.T + np.eye(columns)) * np.outer(spread, spread)
    count, hours = int(arrays["count"][0]), float(arrays["hours"][0])
    if count < 1 or not (np.isfinite(covariance).all() and np.isfinite(mean).all() and np.isfinite(hours)):
        raise ValueError("its numbers are none")
    return World(count, hours, mean, covariance, np.empty((0, columns), np.float32), np.empty(0, np.int64))
