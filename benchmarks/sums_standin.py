"""Profiles on disk, each behind a Unix socket of sums: the service's own code without a camera.

`python -m benchmarks.sums_standin FOLDER COLUMNS`: one socket `N.sock` for each folder `N` in it that is a profile of
rows so long; prints `ready`, and ends when its input does.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np

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


def write_profile(folder: Path, X: np.ndarray, y: np.ndarray, takes: np.ndarray, fingerprint: str) -> None:
    """A profile with these rows (N, D) as embeddings, labels and takes (N,)."""
    with Profile(folder, writable=True) as profile:
        for take in np.unique(takes):
            rows = np.flatnonzero(takes == take)
            number = profile.store.new_take(str(y[rows[0]]))
            for row in rows:
                profile.store.add(number, None, X[row], fingerprint)
        profile.store.flush()


def main() -> int:
    """Serve until the input ends."""
    folder, columns = Path(sys.argv[1]), int(sys.argv[2])
    recognizer = Recognizer(RowEmbedder(columns), features=PLAIN, reject=False)
    with ExitStack() as stack:
        for place in sorted(folder.iterdir()):
            if not place.is_dir():
                continue
            one = SumsSocket(folder / f"{place.name}.sock", SumsRequests(ProfileSums(place, recognizer), 1), warn)
            one.start()
            stack.callback(one.stop)
        print("ready", flush=True)
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
