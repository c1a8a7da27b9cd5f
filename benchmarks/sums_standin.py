"""Profiles on disk, each behind a Unix socket of sums: the service's own code without a camera.

`python -m benchmarks.sums_standin FOLDER WHAT`: one socket `N.sock` for each folder `N` in it, a profile of `hand`, or
of rows of WHAT values; prints `ready`, then `N REQUEST` for each request, and ends when its input does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.look_ways import models_folder, open_ways
from device.cli.output import warn
from device.serve.sums_requests import SumsRequests
from device.serve.sums_socket import SumsSocket
from device.teach.summed import SummedRows, save_summed, summed_rows
from edge_tl.core.features import PLAIN
from edge_tl.fleet.sums import SummedHeadScores
from edge_tl.heads.ridge import RidgeHead
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile
from edge_tl.testing import FakeEmbedder


class RowEmbedder(FakeEmbedder):
    """One whose embeddings, of any length, are the rows of a head as they are: for rows that were embedded before."""

    def __init__(self, columns: int) -> None:
        super().__init__(1, f"rows of {columns}")
        self.embedding_shape, self.embedding_dim = (columns,), columns


class ProfileSums:
    """A `SumsHome` that is a profile alone, opened for each request."""

    def __init__(self, folder: Path, recognizer: Recognizer) -> None:
        self._folder, self._recognizer = folder, recognizer

    def rows(self) -> SummedRows:
        """As of `SumsHome`."""
        with Profile(self._folder, writable=True) as profile:
            return summed_rows(profile, self._recognizer)

    def use(self, head: RidgeHead, scores: SummedHeadScores, nobody: str | None) -> int:
        """As of `SumsHome`."""
        with Profile(self._folder, writable=True) as profile:
            return save_summed(profile, self._recognizer, head, scores, nobody)


def write_profile(
    folder: Path,
    X: np.ndarray,
    y: np.ndarray,
    takes: np.ndarray,
    fingerprint: str,
    adopt: Callable[[Profile], object] = lambda profile: None,
) -> None:
    """A profile with these rows (N, D) as embeddings, labels and takes (N,); adopt: called while it is empty."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with Profile(folder, writable=True) as profile:
        adopt(profile)
        for take in np.unique(takes):
            rows = np.flatnonzero(takes == take)
            number = profile.store.new_take(str(y[rows[0]]))
            for row in rows:
                profile.store.add(number, None, X[row], fingerprint)
        profile.store.flush()


class SpokenSums(SumsRequests):
    """Says on its output who was asked for what, so that whoever watches can end a node in the middle of a round."""

    def __init__(self, folder: Path, recognizer: Recognizer) -> None:
        super().__init__(ProfileSums(folder, recognizer), 1)
        self._name = folder.name

    def answer(self, asked: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """As of `SumsRequests`, once it is said."""
        print(f"{self._name} {asked.get('do')}", flush=True)
        return super().answer(asked, body)


def recognizer_of(what: str) -> Recognizer:
    """Of rows of so many values, or of hands."""
    if what != "hand":
        return Recognizer(RowEmbedder(int(what)), features=PLAIN, reject=False)
    folder = models_folder()
    assert folder is not None
    return Recognizer(open_ways(folder)["hand"], reject=False)


def main() -> int:
    """Serve until the input ends."""
    folder, recognizer = Path(sys.argv[1]), recognizer_of(sys.argv[2])
    with ExitStack() as stack:
        for place in sorted(folder.iterdir()):
            if place.is_dir():
                one = SumsSocket(folder / f"{place.name}.sock", SpokenSums(place, recognizer), warn)
                one.start()
                stack.callback(one.stop)
        print("ready", flush=True)
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
