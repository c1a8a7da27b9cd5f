"""The samples of a class of sounds as Teachable Machine gives them: a ZIP with `samples.json` and its recordings.

Each sample has a spectrogram, as the browser heard it, and says which stretch of which recording (WebM) it is of.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from edge_tl.core.archive import Archive, DamagedArchive
from edge_tl.errors import ExampleError
from edge_tl.media.kinds import PICTURES, ending
from edge_tl.media.sound import SHORTEST_S, Sound, read_sound
from edge_tl.media.tfjsscds import SpokenExample

SAMPLES = "samples.json"
MAX_BYTES = 100_000_000
"""Of the list: 1000 samples are about 80 MB of it. Of a recording: an hour of WebM is 30."""
QUIETEST_DB = 10 * float(np.log10(np.finfo(np.float32).tiny)) - 20 * float(np.log10(2048))
"""What silence is in a spectrogram of ours (`frontend.decibels`); a browser says −∞, which JSON writes as null."""


def holds_samples(path: Path) -> bool:
    """Whether a ZIP file is such an archive, and none of pictures with such a list; False where it is damaged."""
    try:
        with Archive(path) as archive:
            return SAMPLES in archive and not any(ending(PurePosixPath(name)) in PICTURES for name in archive.names)
    except (OSError, DamagedArchive):
        return False


def read_samples(path: Path, label: str) -> tuple[list[SpokenExample], list[str]]:
    """The samples of such an archive as examples of a class, and a line for each recording that cannot be read.

    A sample whose recording cannot be read has its spectrogram alone. ExampleError (one line) where the list is none.
    """
    try:
        with Archive(path) as archive:
            entries = json.loads(archive.read(SAMPLES, MAX_BYTES))
            if not isinstance(entries, list) or not entries:
                raise ValueError("it holds no samples")
            sounds: dict[str, Sound | None] = {}
            lines = []
            for name in dict.fromkeys(str(entry["blobFilePath"]) for entry in entries if entry.get("blobFilePath")):
                try:
                    sounds[name] = read_sound(archive.read(name, MAX_BYTES), name)
                except (DamagedArchive, ExampleError) as error:
                    sounds[name] = None
                    lines.append(f"{path}: a recording is left out, its spectrograms are kept ({error})")
            return [_sample(entry, number, label, sounds) for number, entry in enumerate(entries)], lines
    except (OSError, DamagedArchive, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, ExampleError):
            raise
        raise ExampleError(f"{path}: is no archive of samples that can be read ({error}): download it again") from None


def _sample(entry: dict[str, Any], number: int, label: str, sounds: dict[str, Sound | None]) -> SpokenExample:
    """One entry of the list; its part of the recording, where that is there and long enough."""
    frames = [[QUIETEST_DB if value is None else float(value) for value in row] for row in entry["frequencyFrames"]]
    plane = np.array(frames, np.float32)
    if plane.ndim != 2 or not plane.size or not np.isfinite(plane).all():
        raise ValueError(f"sample {number}: its spectrogram is {plane.shape}, or not all numbers")
    sound = sounds.get(str(entry.get("blobFilePath")))
    if sound is None:
        return SpokenExample(label, plane)
    first, last = (round(float(entry[side]) * sound.rate_hz) for side in ("startTime", "endTime"))
    samples = sound.samples[max(first, 0) : max(last, 0)].copy()
    if len(samples) < SHORTEST_S * sound.rate_hz:
        return SpokenExample(label, plane)
    return SpokenExample(label, plane, None, samples, sound.rate_hz)
