"""What sound is listened with, chosen once for a profile of words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_tl.errors import ModelError

if TYPE_CHECKING:
    from edge_tl.embedders.embedder import SoundEmbedder

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
    # Each base brings a runtime of its own; a profile of pictures, which knows it has none, needs none of them.
    if hearing.base == SPEECH:
        from edge_tl.embedders.speech import SpeechEmbedder

        return SpeechEmbedder.load(threads)
    if Path(hearing.base).is_file():
        if hearing.unfrozen:
            raise ModelError(f"{hearing.base}: is one file; layers are unfrozen of a base of `convert speech` alone")
        from edge_tl.embedders.foreign_sound import ForeignSound

        return ForeignSound.load(Path(hearing.base), threads)
    from edge_tl.embedders.browser import BrowserEmbedder

    return BrowserEmbedder.load(Path(hearing.base), threads, unfrozen=hearing.unfrozen)
