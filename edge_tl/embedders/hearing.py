"""What sound is listened with, chosen once for a profile of words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_tl.embedders.browser import BrowserEmbedder
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.foreign_sound import ForeignSound
from edge_tl.embedders.speech import SpeechEmbedder
from edge_tl.errors import ModelError

SPEECH = "speech"
"""The embedded default, of the extra `speech`."""


@dataclass(frozen=True)
class Hearing:
    """How sound is listened to."""

    base: str = SPEECH
    """`speech`, the folder of a base that `edge-tl-host convert speech` made, or a .tflite classifier of sounds."""
    unfrozen: int = 0
    """How many of that base's last convolutions are trained on the device."""


def open_base(hearing: Hearing, threads: int | None = None) -> SoundEmbedder:
    """The embedder that listens so; ModelError or MissingDependency, one line with the command that helps."""
    if hearing.base == SPEECH:
        return SpeechEmbedder.load(threads)
    if Path(hearing.base).is_file():
        if hearing.unfrozen:
            raise ModelError(f"{hearing.base}: is one file; layers are unfrozen of a base of `convert speech` alone")
        return ForeignSound.load(Path(hearing.base), threads)
    return BrowserEmbedder.load(Path(hearing.base), threads, unfrozen=hearing.unfrozen)
