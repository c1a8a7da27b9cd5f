"""Few pictures a class: the default head against the source text's own recipe, on hands that show digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.pictures import Embedded, split
from benchmarks.record import table
from edge_tl.core.features import FeatureMap
from edge_tl.heads import make_head

CLASSES = (4, 6)
SIZES = (5, 20, 50)
SEEDS = 10
RECIPE = "recipe"
"""Spec S2: raw map → dense(100, relu) → dense(classes), Adam 1e-4, batches of 0.4 of the set, 20 epochs."""


def contest(digits: Embedded, classes: int, count: int, seeds: int = SEEDS) -> dict[str, list[float]]:
    """Accuracies of the contestants on what they were not taught, one number a seed: the same split for each."""
    raw, y = digits.X, digits.y
    pooled = {f"ridge {pool}": digits.rows(pool) for pool in ("grid2", "grid3", "flatten")}
    scores: dict[str, list[float]] = {name: [] for name in (RECIPE, "mlp in span", *pooled)}
    for seed in range(seeds):
        taught, asked = split(y, classes, count, seed)
        for name, fast in ((RECIPE, False), ("mlp in span", True)):
            head = make_head("mlp", fast=fast, seed=seed).fit(raw[taught], y[taught])
            scores[name].append(head.score(raw[asked], y[asked]))
        for name, X in pooled.items():
            scores[name].append(make_head("ridge").fit(X[taught], y[taught]).score(X[asked], y[asked]))
    return scores


def measure(embedded: dict[str, Embedded]) -> dict[str, Any]:
    """Every number of classes and of pictures a class, by embedder."""
    result: dict[str, Any] = {"seeds": SEEDS, "default": f"ridge {FeatureMap().pool}"}
    for name, digits in embedded.items():
        result[name] = {
            f"{classes} classes, {count} a class": summary(contest(digits, classes, count))
            for classes in CLASSES
            for count in SIZES
        }
    return result


def summary(scores: dict[str, list[float]]) -> dict[str, Any]:
    """Means, all single numbers, and what each gains over the recipe with the standard error of that over the seeds."""
    recipe = np.array(scores[RECIPE])
    entries = {}
    for name, values in scores.items():
        gain = np.array(values) - recipe
        error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else float("nan")
        entries[name] = {"mean": np.mean(values), "gain": gain.mean(), "gain_error": error, "all": values}
    return entries


def report(result: dict[str, Any]) -> str:
    """One row for every embedder, number of classes and of pictures."""
    rows: list[list[object]] = []
    heads: list[str] = []
    for name, cells in result.items():
        if isinstance(cells, dict):
            for cell, entries in cells.items():
                heads = list(entries)
                best = entries[result["default"]]
                gain = f"{100 * best['gain']:+.1f} ± {100 * best['gain_error']:.1f}"
                rows.append([name, cell, *[float(entries[head]["mean"]) for head in heads], gain])
    return table(["embedder", "taught", *heads, f"{result['default']} − recipe, points"], rows)
