"""What a profile of words listens with: one small file in its folder. A profile without it is one of pictures.

FOLDER/hearing.json    {"format": 1, "base": "speech", "unfrozen": 0}
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_tl.embedders.browser import BrowserEmbedder
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.speech import SpeechEmbedder
from edge_tl.errors import ProfileError
from edge_tl.files import sync_folder, write_synced

FILE_NAME = "hearing.json"
FORMAT = 1
MOST_BYTES = 10_000
SPEECH = "speech"
"""The embedded default, of the extra `speech`."""


@dataclass(frozen=True)
class Hearing:
    """How sound is listened to."""

    base: str = SPEECH
    """`speech`, or the folder of a base that `edge-tl-host convert speech` made."""
    unfrozen: int = 0
    """How many of that base's last convolutions are trained on the device."""


def open_base(hearing: Hearing, threads: int | None = None) -> SoundEmbedder:
    """The embedder that listens so; ModelError or MissingDependency, one line with the command that helps."""
    if hearing.base == SPEECH:
        return SpeechEmbedder.load(threads)
    return BrowserEmbedder.load(Path(hearing.base), threads, unfrozen=hearing.unfrozen)


def read_hearing(folder: Path) -> Hearing | None:
    """What a profile's folder remembers, None where it is one of pictures; ProfileError where it is damaged."""
    path = Path(folder) / FILE_NAME
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(MOST_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ProfileError(f"{path} cannot be read ({error.strerror}): check its rights") from error
    except (ValueError, RecursionError):
        content = None
    unfrozen = content.get("unfrozen", 0) if isinstance(content, dict) else -1
    whole = isinstance(content, dict) and content.get("format") == FORMAT and isinstance(content.get("base"), str)
    if not whole or type(unfrozen) is not int or not 0 <= unfrozen < 100:
        raise ProfileError(f"{path} is damaged: write {json.dumps({'format': FORMAT, 'base': SPEECH})} into it")
    return Hearing(content["base"], unfrozen)


def write_hearing(folder: Path, hearing: Hearing) -> None:
    """Remember it, on disk when this returns; whoever calls it holds the profile's lock.

    ProfileError where the disk does not take it.
    """
    path = Path(folder) / FILE_NAME
    fresh = path.with_name(f".{FILE_NAME}.{os.getpid()}")
    try:
        fresh.unlink(missing_ok=True)
        write_synced(fresh, (json.dumps({"format": FORMAT, **asdict(hearing)}) + "\n").encode())
        os.replace(fresh, path)
        sync_folder(path.parent)
    except OSError as error:
        raise ProfileError(
            f"{path} cannot be written ({error.strerror}): free some space or check the rights"
        ) from error
