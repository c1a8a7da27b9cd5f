"""Example pictures for the report: small, with what the way to look found drawn over them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_tl.embedders.embedder import Embedder, Finder
from edge_tl.embedders.look.marks import marks
from edge_tl.errors import ExampleError
from edge_tl.media.image import decode, encode_jpeg, thumbnail
from edge_tl.media.spectrum import spectrum
from edge_tl.movements.drawing import path_picture
from edge_tl.store.examples import ExampleStore
from edge_tl.store.media import stored_track

SIDE_PX = 144
QUALITY = 80


@dataclass(frozen=True)
class Thumbnail:
    """A picture that stands in the page itself."""

    example: int
    """Its number, as `examples list` shows it."""
    width_px: int
    height_px: int
    data: str
    """A data URI."""
    outlines: tuple[np.ndarray, ...] = ()
    """(4, 2) corners of what was found, in its pixels."""
    points: tuple[np.ndarray, ...] = ()
    """(N, 2) landmarks of each."""
    guesses: tuple[np.ndarray, ...] = ()
    """(4, 2) corners of what a head found that had not seen this picture."""


def make_thumbnail(store: ExampleStore, example: int, embedder: Embedder) -> Thumbnail | None:
    """The picture of an example; None where it kept none."""
    try:
        picture = _picture(store, example, embedder)
    except ExampleError:
        return None
    # Found anew in the stored picture; the box of a way to look that draws one is where it always is.
    if isinstance(embedder, Finder):
        embedder.embed(picture)
    seen = marks(embedder, picture.shape)
    return _small(example, picture, [mark.outline for mark in seen], [mark.points for mark in seen])


def boxed_thumbnail(example: int, picture: np.ndarray, taught: np.ndarray | None, guess: np.ndarray) -> Thumbnail:
    """A picture uint8 (height_px, width_px, 3) with its box and the one that was found, each (4,) in its pixels.

    taught: None where it shows nothing; guess: NaN where none was found.
    """
    outlines = [] if taught is None else [corners(taught)]
    return _small(example, picture, outlines, [], [corners(guess)] if np.isfinite(guess).all() else [])


def corners(box: np.ndarray) -> np.ndarray:
    """The corners (4, 2) of a box (4,): left, top, right, bottom."""
    left, top, right, bottom = box
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _small(
    example: int,
    picture: np.ndarray,
    outlines: Sequence[np.ndarray],
    points: Sequence[np.ndarray],
    guesses: Sequence[np.ndarray] = (),
) -> Thumbnail:
    """The picture made small, with what is drawn in its pixels at the places where it lies now."""
    small = thumbnail(picture, SIDE_PX)
    height, width = small.shape[:2]
    scale = width / picture.shape[1], height / picture.shape[0]
    data = "data:image/jpeg;base64," + b64encode(encode_jpeg(small, QUALITY)).decode("ascii")
    placed = (tuple(one * scale for one in drawn) for drawn in (outlines, points, guesses))
    return Thumbnail(example, width, height, data, *placed)


def _picture(store: ExampleStore, example: int, embedder: Embedder) -> np.ndarray:
    """What an example looks like; a sound's spectrogram, a movement's path."""
    if embedder.kind == "picture":
        return decode(store.picture(example))
    if embedder.kind == "movement":
        return path_picture(stored_track(store.media(example)[1]), SIDE_PX * 3 // 4, SIDE_PX)
    sound = store.sound(example)
    return spectrum(sound.samples, sound.rate_hz, SIDE_PX * 3 // 4, SIDE_PX)


def spread_over(rows: Sequence[int] | np.ndarray, takes: np.ndarray, count: int) -> list[int]:
    """At most so many of the rows, from as many takes as possible, in their order."""
    rows = np.asarray(rows)
    turn = np.zeros(len(rows), int)
    seen: dict[int, int] = {}
    for i, row in enumerate(rows):
        turn[i] = seen[int(takes[row])] = seen.get(int(takes[row]), -1) + 1
    first = np.argsort(turn, kind="stable")
    if len(seen) > count:  # one a take, evenly from the first to the last
        first = first[np.linspace(0, len(seen) - 1, count).astype(int)]
    return sorted(int(row) for row in rows[first[:count]])
