"""What a file would become an example of: read in one way, whether it lies in a folder or comes from a phone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device.sources.rotated import turned
from edge_tl.embedders.embedder import Embedder, SoundEmbedder, embed_kept
from edge_tl.embedders.stream import embed_views
from edge_tl.errors import ExampleError
from edge_tl.labels import NOISE
from edge_tl.media.clips import clip_frames
from edge_tl.media.containers import is_film
from edge_tl.media.image import decode
from edge_tl.media.sound import LONGEST_WORD_S, SHORTEST_S, Sound, label_of, pieces, read_sound
from edge_tl.store.folders import LabelledStretch
from edge_tl.store.media import StoredMedia, stored_media
from edge_tl.words.cutting import LoudStretch, labelled_in, spoken_in


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a file would become an example of."""

    label: str
    kept: StoredMedia
    """As it would be stored."""
    data: np.ndarray | Sound
    """As it would be embedded."""


def candidates_of(
    file: Path | bytes,
    label: str,
    kind: str,
    degrees: int = 0,
    *,
    name: str = "the file",
    spoken: Callable[[LoudStretch], object] = lambda one: None,
    cuts: Sequence[LabelledStretch] = (),
) -> list[Candidate]:
    """What a file holds: one example, or several of a clip and of a long recording; its content says what it is.

    file: a path, or the file's bytes, which errors call by `name`. kind: "picture" or "sound". degrees: clockwise,
    which pictures are turned by first. spoken: called for each thing that stands out of a recording that is too long
    for one word, kept or not. cuts: the parts of a recording that are meant, where somebody labelled them. ExampleError
    (one line) for what cannot become an example.
    """
    if kind == "picture" and is_film(file):
        frames = (turned(frame, degrees) for frame in clip_frames(file, name))
        return [Candidate(label, stored_media(frame), frame) for frame in frames]
    if kind == "picture":
        picture = turned(decode(file, name), degrees)
        whole = file if isinstance(file, bytes) else file.read_bytes()
        return [Candidate(label, stored_media(picture if degrees else whole), picture)]  # as it came, byte for byte
    sound = read_sound(file, name)
    called = name if isinstance(file, bytes) else str(file)
    if sound.duration_s < SHORTEST_S:
        raise ExampleError(f"{called}: is {sound.duration_s:.2f} s long; {SHORTEST_S:g} s and more are wanted")
    parts = pieces(sound) if label == NOISE else [sound]
    if cuts:
        labelled = labelled_in(sound, cuts, math.inf if label == NOISE else LONGEST_WORD_S)
        for one in labelled:
            spoken(one)
        whole_parts = [one.sound for one in labelled if one.sound is not None]
        parts = [piece for part in whole_parts for piece in (pieces(part) if label == NOISE else [part])]
    elif label != NOISE and sound.duration_s > LONGEST_WORD_S:
        found = spoken_in(sound)
        for one in found:
            spoken(one)
        parts = [one.sound for one in found if one.sound is not None]
        if not parts:
            raise ExampleError(
                f"{called}: is {sound.duration_s:.1f} s long, and nothing in it stands out as a word of at most "
                f"{LONGEST_WORD_S:g} s: speak with pauses, louder or nearer"
            )
    return [Candidate(label, stored_media(part), part) for part in parts]


def label_within(label: str, kind: str) -> str:
    """What the files of a folder are taught as: its own label, of sounds as it is written here."""
    return label if kind == "picture" else label_of(label)


def embedded(embedder: Embedder, data: np.ndarray | Sound) -> np.ndarray:
    """What the store keeps of a picture or a sound."""
    if isinstance(embedder, SoundEmbedder):
        assert isinstance(data, Sound)
        return embed_views(embedder, data)
    assert isinstance(data, np.ndarray)
    return embed_kept(embedder, data)
