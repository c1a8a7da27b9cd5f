"""The sets of movements of the proofs: landmarks of hands with what they show, by whom, and in which recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pictures import DATA, ROOT
from edge_tl.movements.demonstration import SHORTEST_S, taught_windows
from edge_tl.movements.track import Track, longest, tracks_of

MADE = ROOT / "downloads" / "movements"
"""Where what is made of two public research sets lies, which state no licence: people of SHREC'17 (De Smedt et al.
2017, github giach68/gesturesCodes at 042154da), and dictionary and streams of SFINGE 3D (Caputo et al. 2020, github
SFINGE3D/DatasetV1 at 0236d44f), each as `landmarks` (n, 21, 3) in MediaPipe's order, cut by `length`."""
PEOPLE, DICTIONARY, STREAMS = (f"{name}.npz" for name in ("shrec17_people", "sfinge3d_dictionary", "sfinge3d_streams"))
WORDS = DATA / "movements" / "words_mit.npz"
PEOPLE_HZ, STREAMS_HZ, WORDS_HZ = 30, 20, 15
ASPECT = 4 / 3
"""Of the pictures whose shares the landmarks of the words are."""


@dataclass(frozen=True)
class Clips:
    """Recordings of one movement each."""

    tracks: list[Track]
    labels: np.ndarray
    """(N,) str."""
    groups: np.ndarray
    """(N,) int: by whom, or in which recording."""
    windows: np.ndarray
    """float32 (N, 9, 673): what is taught of each, the middle one whole; rounded as a store keeps it."""
    ways: np.ndarray
    """(N,) int: in which of its ways the movement was done."""

    def rows(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Windows, labels and takes of those at positions `chosen`, as a head is taught them."""
        views = self.windows.shape[1]
        return self.windows[chosen].reshape(-1, self.windows.shape[2]), *(
            np.repeat(of, views) for of in (self.labels[chosen], chosen)
        )


def cut(made: Any) -> Iterator[np.ndarray]:
    """x and y of each sequence of a file, float32 (n, 21, 2)."""
    landmarks = made["landmarks"].astype(np.float32)[..., :2]
    yield from np.split(landmarks, np.cumsum(made["length"].astype(np.int64))[:-1])


def taught(track: Track) -> np.ndarray:
    """What is taught of it, rounded to float16."""
    return taught_windows(track).astype(np.float16).astype(np.float32)


def people(path: Path = MADE / PEOPLE) -> Clips:
    """Fourteen gestures by people in two ways each (one finger, whole hand); groups: the person."""
    with np.load(path) as made:
        tracks = [Track(one, np.arange(len(one)) / PEOPLE_HZ) for one in cut(made)]
        windows = np.stack([taught(one) for one in tracks])
        return Clips(tracks, made["gesture"], made["person"].astype(np.int64), windows, made["fingers"])


def words(path: Path = WORDS) -> Clips:
    """Fourteen signed words in three recordings; clips in which no hand is seen for 0.25 s are left out."""
    with np.load(path) as made:
        found = []
        for number, one in enumerate(cut(made)):
            tracks = tracks_of(one * np.array((ASPECT, 1), np.float32), np.arange(len(one)) / WORDS_HZ)
            if tracks and made["word"][number] != "-" and longest(tracks).duration_s >= SHORTEST_S:
                found.append((number, longest(tracks)))
        at = np.array([number for number, _ in found])
        tracks = [track for _, track in found]
        windows = np.stack([taught(one) for one in tracks])
        return Clips(tracks, made["word"][at], made["batch"][at].astype(np.int64), windows, np.zeros(len(at), np.int8))


@dataclass(frozen=True)
class Stream:
    """A recording of several movements with others, and rest, between."""

    track: Track
    shown: tuple[tuple[str, float, float], ...]
    """(movement, start_s, end_s)."""


def dictionary(path: Path = MADE / DICTIONARY) -> tuple[list[Track], np.ndarray]:
    """Demonstrations by other people than the streams': tracks, and (N,) what they show."""
    with np.load(path) as made:
        return [Track(one, np.arange(len(one)) / STREAMS_HZ) for one in cut(made)], made["gesture"]


def streams(path: Path = MADE / STREAMS) -> list[Stream]:
    """The streams with what is shown in them."""
    with np.load(path) as made:
        times = list(zip(made["truth_first"] / STREAMS_HZ, made["truth_last"] / STREAMS_HZ, strict=True))
        found = []
        for number, one in enumerate(cut(made)):
            own = np.flatnonzero(made["truth_stream"] == number)
            shown = tuple((str(made["truth_gesture"][at]), *map(float, times[at])) for at in own)
            found.append(Stream(Track(one, np.arange(len(one)) / STREAMS_HZ), shown))
        return found
