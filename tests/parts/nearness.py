"""A pytest plugin (-p nearness) that keeps how near comparisons came to their bounds; $NEARNESS is a folder for it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TESTS = Path(__file__).resolve().parents[1]
_compare = np.testing.assert_allclose
_nearest: dict[str, float] = {}
"""File and line of a comparison → the largest share of its bound that any difference took."""


def _noted(actual: Any, desired: Any, rtol: float = 1e-7, atol: float = 0, *others: Any, **more: Any) -> None:
    """`assert_allclose` with a look at how near it was."""
    one, two = np.broadcast_arrays(np.asarray(actual, float), np.asarray(desired, float))
    apart = np.abs(one - two)
    far = np.nan_to_num(apart[apart > 0] / (atol + rtol * np.abs(two[apart > 0]))) if apart.any() else np.zeros(1)
    frame = sys._getframe(1)
    place = f"{Path(frame.f_code.co_filename).relative_to(TESTS)}:{frame.f_lineno}"
    _nearest[place] = max(_nearest.get(place, 0.0), float(far.max(initial=0)))
    _compare(actual, desired, rtol, atol, *others, **more)


def pytest_configure() -> None:
    """Look at every comparison from here on."""
    np.testing.assert_allclose = _noted  # type: ignore[assignment]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what was seen; with pytest-xdist each worker writes its own."""
    del session
    name = os.environ.get("PYTEST_XDIST_WORKER", "main")
    (Path(os.environ["NEARNESS"]) / f"{name}.json").write_text(json.dumps(_nearest))


def nearest(folder: Path) -> list[tuple[float, str]]:
    """Shares and places of what the processes of a run wrote, the nearest to its bound first."""
    together: dict[str, float] = {}
    for path in folder.glob("*.json"):
        for place, share in json.loads(path.read_text()).items():
            together[place] = max(together.get(place, 0.0), share)
    return sorted(((share, place) for place, share in together.items()), reverse=True)
