"""Worlds on disk: what an embedder hears where no taught word is said, as statistics in one small folder.

world.json    what it is: the embedder's fingerprint, hours, windows, who made it of what, under which licences
world.npz     mean, spread, correlations (the upper half, float16), and a bank of runs (int8) in stretches
CARD.md       the same for a person
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.core.archive import DamagedArchive, packed_arrays, read_arrays
from edge_tl.core.world import World, WorldSums, kept_world, world_kept
from edge_tl.embedders.embedder import Embedder, SoundEmbedder
from edge_tl.errors import ModelError, ShapeError, counted, escaped
from edge_tl.files import DAMAGE, read_limited, write_synced

ABOUT, NUMBERS, CARD = "world.json", "world.npz", "CARD.md"
FORMAT = 1
MAX_BYTES = 64_000_000
SMALLEST_STEP = 1e-6
STRETCH, STRETCHES = 94, 96
"""Runs of a stretch that the bank keeps, 7.5 s, and how many of them: 12 minutes, 0.9 MB."""
_SHIPPED = "edge_tl.models"


@dataclass(frozen=True, eq=False)
class Runs:
    """A sound as runs of the network, `step` values each, one a hop: a window is some of them in a row."""

    values: np.ndarray
    """float32 (n, step)."""

    def windows(self, dim: int) -> np.ndarray:
        """The embeddings (m, dim) of all windows in it, a view."""
        runs = dim // self.values.shape[1]
        many = len(self.values) - runs + 1
        if many < 1:
            return np.empty((0, dim), np.float32)
        sliding = np.lib.stride_tricks.sliding_window_view(self.values, runs, axis=0)
        return np.ascontiguousarray(sliding.transpose(0, 2, 1)).reshape(many, dim)


def rows_of(embedder: SoundEmbedder, embeddings: np.ndarray) -> np.ndarray:
    """What a head sees of embeddings (N, embedding_dim)."""
    return embedder.features(embeddings, embedder.embedding_shape)


def step_of(embedder: Embedder) -> int:
    """How many values one run has, of an embedder whose windows are runs in a row; ShapeError for another."""
    shape = embedder.embedding_shape
    if not isinstance(embedder, SoundEmbedder) or len(shape) != 3 or shape[1] != 1:
        raise ShapeError(f"{embedder.name} does not hear runs in a row: a world is of the base `speech`")
    return shape[2]


def runs_of(embeddings: np.ndarray, step: int) -> Runs:
    """The runs behind the windows (m, dim) of one stream, in their order."""
    if not len(embeddings):
        return Runs(np.empty((0, step), np.float32))
    return Runs(np.concatenate((embeddings[0].reshape(-1, step), embeddings[1:, -step:])))


def gathered(embedder: SoundEmbedder, sounds: Iterable[np.ndarray], seed: int = 0) -> tuple[World, np.ndarray]:
    """The world of sounds, each the embeddings (m, dim) of its windows, and the bank's runs (k, STRETCH, step).

    Little memory is needed, however long the sounds are; each stretch of them is as likely to be kept as any other.
    """
    step, dim, rng = step_of(embedder), embedder.embedding_dim, np.random.default_rng(seed)
    adding, seen = WorldSums(len(rows_of(embedder, np.zeros(dim, np.float32)))), 0
    kept: list[np.ndarray] = []
    for embeddings in sounds:
        adding.add(rows_of(embedder, embeddings))
        values = runs_of(embeddings, step).values
        for first in range(0, len(values) - STRETCH + 1, STRETCH):
            stretch, place = values[first : first + STRETCH].copy(), int(rng.integers(0, seen + 1))
            seen += 1
            if len(kept) < STRETCHES:
                kept.append(stretch)
            elif place < STRETCHES:
                kept[place] = stretch
    if not kept:
        raise ShapeError("the sounds are too short: at least one of ten seconds is wanted")
    bank = np.stack(kept)
    hours = adding.count * embedder.hop_samples / embedder.rate_hz / 3600
    return adding.world(hours, *banked(embedder, bank)), bank


def banked(embedder: SoundEmbedder, bank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows (M, D) of a bank of runs (k, STRETCH, step), and the stretch of each, int (M,)."""
    each = [rows_of(embedder, Runs(one).windows(embedder.embedding_dim)) for one in bank.astype(np.float32)]
    return np.concatenate(each), np.repeat(np.arange(len(each)), [len(one) for one in each])


def packed(world: World, bank: np.ndarray) -> dict[str, np.ndarray]:
    """What of a world is kept: correlations as float16, the bank's runs (k, STRETCH, step) as int8."""
    scale = np.maximum(np.abs(bank).max(axis=(0, 1)) / 127, SMALLEST_STEP)
    return kept_world(world) | {"scale": scale.astype(np.float32), "bank": np.rint(bank / scale).astype(np.int8)}


def unpacked(embedder: SoundEmbedder, arrays: dict[str, np.ndarray]) -> World:
    """The world that `packed` was made of; ValueError or KeyError for anything else."""
    world = world_kept(arrays)
    if arrays["bank"].ndim != 3:
        raise ValueError("it holds no bank")
    rows, stretches = banked(embedder, arrays["bank"] * arrays["scale"])
    if not len(rows) or not np.isfinite(rows).all() or rows.shape[1] != len(world.mean):
        raise ValueError("its bank is none")
    return replace(world, bank=rows, stretches=stretches)


def write_world(folder: Path, embedder: SoundEmbedder, world: World, bank: np.ndarray, about: dict[str, Any]) -> int:
    """Write a world as a folder; how many bytes its numbers are. about: JSON-able: made_by, sources, licences."""
    data = packed_arrays(packed(world, bank))
    content = {
        "format": FORMAT,
        "embedder": {"name": embedder.name, "fingerprint": embedder.fingerprint},
        "features": embedder.features.saved(),
        "windows": world.count,
        "hours": round(world.hours, 4),
        "sha256": hashlib.sha256(data).hexdigest(),
        **about,
    }
    folder.mkdir(parents=True, exist_ok=True)
    described = (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
    for name, made in ((NUMBERS, data), (ABOUT, described), (CARD, card(content, len(data)).encode())):
        fresh = folder / f".{name}.{os.getpid()}"
        write_synced(fresh, made)
        os.replace(fresh, folder / name)
    return len(data)


def read_world(folder: Path, embedder: SoundEmbedder) -> World:
    """The world in a folder; ModelError where it is another embedder's, damaged or not there."""
    about = _about(folder)
    if about["embedder"]["fingerprint"] != embedder.fingerprint:
        raise ModelError(f"{folder}: is the world of another model than {embedder.name}: make it anew with `world`")
    try:
        data = read_limited(folder / NUMBERS, MAX_BYTES)
        if hashlib.sha256(data).hexdigest() != about["sha256"]:
            raise DamagedArchive("its check sum is another")
        return unpacked(embedder, read_arrays(data, MAX_BYTES))
    except (OSError, *DAMAGE, DamagedArchive) as error:
        raise ModelError(f"{folder / NUMBERS}: is damaged ({error}): install again, or make it anew") from error


def world_of(embedder: Embedder) -> World | None:
    """The world that ships for an embedder; None where none does."""
    if not isinstance(embedder, SoundEmbedder):
        return None
    for folder in _shipped():
        if _about(folder)["embedder"]["fingerprint"] == embedder.fingerprint:
            return read_world(folder, embedder)
    return None


def known_world(embedder: Embedder, own: World | None) -> World | None:
    """The world that ships for an embedder, and with it what was heard here; None where none ships."""
    shipped = world_of(embedder)
    return shipped if shipped is None or own is None else shipped.joined(own)


@lru_cache(maxsize=1)
def _shipped() -> Sequence[Path]:
    return sorted(path.parent for path in Path(str(files(_SHIPPED))).glob(f"*/{ABOUT}"))


def _about(folder: Path) -> dict[str, Any]:
    """world.json; ModelError where it is none."""
    try:
        content = json.loads(read_limited(folder / ABOUT, 1_000_000))
        format_ = content["format"]
        assert isinstance(content["embedder"]["fingerprint"], str)
        assert isinstance(content["sha256"], str)
    except (OSError, AssertionError, *DAMAGE) as error:
        raise ModelError(f"{folder}: holds no whole {ABOUT}: `edge-tl-host world SOUNDS` makes one") from error
    if format_ != FORMAT:
        raise ModelError(f"{folder}: has format {escaped(str(format_))}, this edge-tl reads {FORMAT}: upgrade edge-tl")
    return dict(content)


def card(about: dict[str, Any], size_bytes: int) -> str:
    """What a person reads of a world."""
    sources = "\n".join(f"* {one['name']}: {one['hours']:.2f} h, {one['licence']}" for one in about["sources"])
    return f"""# The world, as {about["embedder"]["name"]} hears it

Statistics of {counted(about["windows"], "window")} ({about["hours"]:.2f} h) of sound in which nobody says what is
taught: the mean, the spread and the correlations of what a head sees, and a bank of {STRETCHES} stretches of
{STRETCH} runs at most, {size_bytes / 1e6:.2f} MB together. Words are told from it (`edge_tl/heads/against_world.py`).

Made of:

{sources}

Made by: `{about["made_by"]}`

Embedder: {about["embedder"]["fingerprint"]}
SHA-256 of {NUMBERS}: {about["sha256"]}
"""
