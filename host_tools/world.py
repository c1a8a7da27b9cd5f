"""`edge-tl-host world`: hours of sound → the statistics that words are told from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.speech import SpeechEmbedder
from edge_tl.embedders.stream import StreamingSpeech
from edge_tl.embedders.world import gathered, write_world
from edge_tl.errors import ConfigError, ExampleError, counted
from edge_tl.frames import Frame
from edge_tl.media.kinds import is_sound
from edge_tl.media.wav import SoundFile

BLOCK_S = 10
"""Sound is heard in pieces of so many seconds: many windows at once are embedded much faster."""


def make_world(
    paths: Sequence[Path],
    licences: Sequence[str],
    names: Sequence[str],
    out: Path,
    made_by: str,
    say: Callable[[str], None],
) -> str:
    """Write the world of all sound files in some folders, each under a licence, to `out`; a line that says what it is.

    names: of the folders, for the card; none for their own. ConfigError where there are not as many licences or names
    as folders, ExampleError for a folder without sounds.
    """
    if len(names) not in (0, len(paths)):
        raise ConfigError(f"--source: {len(names)} for {counted(len(paths), 'folder')}; one for each, or none")
    if len(licences) not in (1, len(paths)):
        raise ConfigError(f"--licence: {len(licences)} for {counted(len(paths), 'folder')}; one, or one for each")
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out}: is a file; a folder is wanted, which is made where it is missing")
    embedder = SpeechEmbedder.load()
    sources: list[dict[str, Any]] = []

    def all_of() -> Iterator[np.ndarray]:
        each = list(licences) * len(paths) if len(licences) == 1 else licences
        called = names or [path.name for path in paths]
        for path, licence, name in zip(paths, each, called, strict=True):
            found = files_in(path)
            say(f"hearing {counted(len(found), 'file')} of {path}")
            digest, seconds = hashlib.sha256(), 0.0
            for folder in sorted({one.parent for one in found}):  # often a speaker's
                own = [one for one in found if one.parent == folder]
                for one in own:
                    digest.update(hashlib.sha256(one.read_bytes()).digest())
                windows = heard(embedder, own)
                seconds += len(windows) * embedder.hop_samples / embedder.rate_hz
                yield windows
            sources.append(
                {"name": name, "licence": licence, "files": len(found), "hours": seconds / 3600}
                | {"sha256": digest.hexdigest()}
            )

    world, bank = gathered(embedder, all_of())
    size = write_world(out, embedder, world, bank, {"made_by": made_by, "sources": sources})
    return f"{out}: {counted(world.count, 'window')}, {world.hours:.2f} h, {size / 1e6:.2f} MB"


def files_in(path: Path) -> list[Path]:
    """The sound files at a path, sorted; ExampleError where there is none."""
    found = sorted(one for one in path.rglob("*") if is_sound(one)) if path.is_dir() else [path]
    if not found or not found[0].is_file():
        raise ExampleError(f"no sound files in {path}: WAV, FLAC or Ogg files are wanted")
    return found


def heard(embedder: SoundEmbedder, files: Sequence[Path]) -> np.ndarray:
    """The embeddings (m, dim) of sound files as one stream."""
    stream, now_s, rows = StreamingSpeech(embedder), 0.0, []
    for path in files:
        with SoundFile(path) as file:
            for block in file.blocks(BLOCK_S * file.rate_hz):
                rows += [one.embedding for one in stream.push(Frame(block, now_s, rate_hz=file.rate_hz))]
                now_s += len(block) / file.rate_hz
    return np.stack(rows) if rows else np.empty((0, embedder.embedding_dim), np.float32)
