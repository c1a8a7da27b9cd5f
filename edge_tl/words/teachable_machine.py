"""Sounds of Teachable Machine: the samples of a class, a ZIP with `samples.json` and recordings, and whole projects.

Each sample has a spectrogram, as the browser heard it, and says which stretch of which recording (WebM) it is of. A
project of sounds, `.tm`, is a ZIP with `manifest.json` and such an archive `CLASS-!-NUMBER.zip` of each class.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from edge_tl.core.archive import Archive, DamagedArchive
from edge_tl.errors import ExampleError, counted
from edge_tl.labels import check_label
from edge_tl.media.kinds import PICTURES, ending
from edge_tl.media.sound import SHORTEST_S, Sound, read_sound
from edge_tl.media.tfjsscds import SpokenExample
from edge_tl.store.layouts.teachable_machine import MANIFEST, kind_in
from edge_tl.store.layouts.teachable_machine import MAX_BYTES as MAX_MANIFEST_BYTES

SAMPLES = "samples.json"
MAX_BYTES = 100_000_000
"""Of the list: 1000 samples are about 80 MB of it. Of a recording: an hour of WebM is 30."""
MAX_CLASS_BYTES = 300_000_000
"""Of the samples of one class in a project, which are in memory while they are read."""
_CLASS = re.compile(r"(.+)-!-\d+\.zip", re.DOTALL)
QUIETEST_DB = 10 * float(np.log10(np.finfo(np.float32).tiny)) - 20 * float(np.log10(2048))
"""What silence is in a spectrogram of ours (`frontend.decibels`); a browser says −∞, which JSON writes as null."""


def holds_samples(path: Path) -> bool:
    """Whether a ZIP file is such an archive, and none of pictures with such a list; False where it is damaged."""
    try:
        with Archive(path) as archive:
            return SAMPLES in archive and not any(ending(PurePosixPath(name)) in PICTURES for name in archive.names)
    except (OSError, DamagedArchive):
        return False


def is_sound_project(path: Path) -> bool:
    """Whether a ZIP file is a project of sounds; False where it is damaged."""
    try:
        with Archive(path) as archive:
            return MANIFEST in archive and kind_in(archive.read(MANIFEST, MAX_MANIFEST_BYTES)) == "audio"
    except (OSError, DamagedArchive):
        return False


def read_samples(path: Path, label: str) -> tuple[list[SpokenExample], list[str]]:
    """The samples of such an archive as examples of a class, and a line for each recording that cannot be used.

    A sample whose recording cannot be used has its spectrogram alone. ExampleError (one line) where the list is none.
    """
    try:
        spoken, lines = _read_class(path, str(path), label)
    except ExampleError as error:
        raise ExampleError(f"{path}: {error}: download it again") from None
    return _without_shared(spoken, str(path), lines)


def read_project(path: Path) -> tuple[list[SpokenExample], list[str]]:
    """The samples of all classes of a project, and a line for each class or recording that cannot be used.

    ExampleError (one line) where it holds no class.
    """
    spoken: list[SpokenExample] = []
    lines: list[str] = []
    try:
        with Archive(path) as archive:
            for name in archive.names:
                if (of_class := _CLASS.fullmatch(name)) is None:
                    continue
                where = f"{path}: {name[:60]!r}"
                try:
                    label = check_label(of_class[1])
                    some, said = _read_class(archive.read(name, MAX_CLASS_BYTES), where, label)
                except (DamagedArchive, ExampleError) as error:
                    lines.append(f"{where}: left out ({error})")
                    continue
                spoken += some
                lines += said
    except (OSError, DamagedArchive) as error:
        raise ExampleError(f"{path}: is no project that can be read ({error}): save it again") from None
    if not spoken and not lines:
        raise ExampleError(
            f"{path}: the project holds no samples of sounds (`CLASS-!-0.zip`): record some, save it again"
        )
    return _without_shared(spoken, str(path), lines)


def _read_class(file: Path | bytes, where: str, label: str) -> tuple[list[SpokenExample], list[str]]:
    """The samples of one archive; where: what lines begin with. ExampleError, without it, where the list is none."""
    try:
        with Archive(file) as archive:
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
                    lines.append(f"{where}: a recording is left out, its spectrograms are kept ({error})")
            return [_sample(entry, number, label, sounds) for number, entry in enumerate(entries)], lines
    except (OSError, DamagedArchive, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ExampleError(f"is no archive of samples that can be read ({error})") from None


def _without_shared(
    spoken: Sequence[SpokenExample], where: str, lines: list[str]
) -> tuple[list[SpokenExample], list[str]]:
    """The samples, without the sound where several with spectrograms of their own name one and the same stretch.

    Programs that write projects from other sounds put one recording in for all: it is the sound of none of them.
    """
    sounds = [None if one.samples is None else hashlib.sha256(one.samples.tobytes()).digest() for one in spoken]
    planes: defaultdict[bytes, set[bytes]] = defaultdict(set)
    for one, sound in zip(spoken, sounds, strict=True):
        if sound is not None:
            planes[sound].add(hashlib.sha256(one.spectrogram.tobytes()).digest())
    shared = [sound is not None and len(planes[sound]) > 1 for sound in sounds]
    if not any(shared):
        return list(spoken), lines
    line = (
        f"{where}: {counted(sum(shared), 'sample')} with different spectrograms name the same stretch of a recording, "
        "which cannot be the sound of all: only their spectrograms are kept"
    )
    kept = [replace(one, samples=None, rate_hz=None) if same else one for one, same in zip(spoken, shared, strict=True)]
    return kept, [*lines, line]


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
