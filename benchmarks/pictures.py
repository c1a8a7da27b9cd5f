"""The real pictures of the proofs: which file shows what, by whom or when it was taken, and its embedding."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_tl.core.features import FeatureMap
from edge_tl.embedders.embedder import Embedder, embed_kept
from edge_tl.media.image import decode

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("EDGE_TL_DATA", ROOT.parent / "shared" / "data"))
"""Where the shared data lies; its SOURCES.md says where each set comes from and under which licence."""


@dataclass(frozen=True)
class Pictures:
    """Files of one data set, in a fixed order."""

    paths: tuple[Path, ...]
    labels: np.ndarray
    """(N,) str."""
    groups: np.ndarray
    """(N,) str: what must not be on both sides of an honest split (a person, a session)."""

    def where(self, mask: np.ndarray) -> Pictures:
        """Those for which mask, bool (N,), is true."""
        chosen = tuple(path for path, wanted in zip(self.paths, mask, strict=True) if wanted)
        return Pictures(chosen, self.labels[mask], self.groups[mask])


@dataclass(frozen=True)
class Embedded:
    """A data set as one embedder sees it."""

    pictures: Pictures
    X: np.ndarray
    """(N, D) float32, as the embedder gave them."""
    shape: tuple[int, ...]
    """Of one embedding."""

    @property
    def y(self) -> np.ndarray:
        """(N,) str."""
        return self.pictures.labels

    @property
    def groups(self) -> np.ndarray:
        """(N,) str."""
        return self.pictures.groups

    def rows(self, pool: str = FeatureMap().pool) -> np.ndarray:
        """What a head sees: float32 (N, F), pooled so, with the signed root and unit length."""
        return FeatureMap(pool)(self.X, self.shape)

    def takes(self) -> np.ndarray:
        """int (N,): the number of the group of each picture."""
        return numbers(self.groups)


def faces(data: Path = DATA) -> Pictures:
    """cmu_faces: where 12 people look (`left`, `right`, `straight`, `up`); the group is the person."""
    paths = sorted((data / "cmu_faces").glob("*/*.png"))
    return _pictures(paths, [path.name.split("_")[0] for path in paths], [path.parent.name for path in paths])


def digits(data: Path = DATA) -> Pictures:
    """sign_digits: hands that show 0 … 5; many people, but not who, so every picture is its own group."""
    paths = sorted((data / "sign_digits").glob("*/*.JPG"))
    return _pictures(paths, [path.parent.name for path in paths], [path.stem for path in paths])


def sessions(data: Path = DATA) -> Pictures:
    """hands_sessions: one person's 0 … 5 fingers in four rooms, days apart; the group is the session."""
    paths = sorted((data / "hands_sessions").glob("*/*/*.jpg"))
    return _pictures(paths, [path.parent.name for path in paths], [path.parent.parent.name for path in paths])


def embed(pictures: Pictures, embedder: Embedder) -> Embedded:
    """The embeddings of all of them."""
    X = np.stack([embed_kept(embedder, decode(path)) for path in pictures.paths])
    return Embedded(pictures, X, embedder.embedding_shape)


def split(labels: np.ndarray, classes: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions to teach and to ask: `classes` labels drawn by the seed, `count` of each taught, all others asked."""
    random = np.random.default_rng(seed)
    chosen = np.sort(random.permutation(np.unique(labels))[:classes])
    taught = np.concatenate([random.permutation(np.flatnonzero(labels == label))[:count] for label in chosen])
    return taught, np.setdiff1d(np.flatnonzero(np.isin(labels, chosen)), taught)


def numbers(labels: np.ndarray) -> np.ndarray:
    """int64 (N,): equal labels as equal numbers from 0."""
    return np.unique(labels, return_inverse=True)[1].astype(np.int64).reshape(-1)


def _pictures(paths: list[Path], labels: list[str], groups: list[str]) -> Pictures:
    return Pictures(tuple(paths), np.array(labels, dtype=str), np.array(groups, dtype=str))
