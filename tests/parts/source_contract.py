"""What every Source promises, real or fake: run over each of them by its own tests."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

from edge_tl.errors import SourceClosed, SourceTimeout
from edge_tl.frames import Frame, Source


def read_patiently(source: Source, tries: int = 20) -> Frame:
    """The next frame, where the first reads may time out."""
    for _ in range(tries - 1):
        try:
            return source.read(timeout_s=1.0)
        except SourceTimeout:
            continue
    return source.read(timeout_s=1.0)


def check_source(make: Callable[[], Source], frames: int = 3) -> None:
    """Open, read `frames` pictures, close, and all the promises on the way."""
    source = make()
    assert isinstance(source, Source)
    assert source.name
    assert "\n" not in source.name
    assert isinstance(source.simulated, bool)
    with pytest.raises(SourceClosed) as unopened:
        source.read(timeout_s=0.0)
    assert "\n" not in str(unopened.value)
    source.close()

    with make() as opened:
        seen = [read_patiently(opened) for _ in range(frames)]
    for frame in seen:
        assert frame.kind == "picture"
        assert frame.data.dtype == np.uint8
        assert frame.data.ndim == 3
        assert frame.data.shape[2] == 3
        assert frame.data.flags["C_CONTIGUOUS"]
        assert frame.rate_hz is None
        assert math.isfinite(frame.time_s)
    for before, after in itertools.pairwise(seen):
        assert after.time_s >= before.time_s, "time never runs backwards"
        assert after.index == before.index + after.dropped + 1, "index counts the dropped frames too"
        assert not np.shares_memory(before.data, after.data), "a frame belongs to whoever read it"
    with pytest.raises(SourceClosed):
        opened.read(timeout_s=0.0)
    opened.close()
