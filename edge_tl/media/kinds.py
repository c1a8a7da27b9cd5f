"""What a file holds, by the ending of its name: a picture, a sound, or a clip, which may hold both. The one list."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path, PurePath

from edge_tl.errors import ExampleError
from edge_tl.media.containers import can_open, open_container

PICTURES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".mpo", ".png", ".bmp", ".gif", ".webp", ".avif", ".tif", ".tiff"}
    | {".ppm", ".pgm", ".pnm", ".heic", ".heif"}
)
"""The endings, in small letters, by which a picture file is known; whether it is one shows when it is decoded."""
SOUNDS = frozenset(
    {".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".amr", ".aif", ".aiff", ".aifc"}
    | {".caf"}
)
"""Those of sound files; likewise."""
CLIPS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm", ".3gp", ".3g2"})
"""Those of files that hold moving pictures, sound, or both: they are looked into."""
MEDIA = PICTURES | SOUNDS | CLIPS
TRACKS = frozenset({".npz", ".csv"})
"""Those of a hand's tracks, landmarks with time stamps."""
EXAMPLES = {"picture": "JPEG, PNG, WebP …", "sound": "WAV, FLAC, m4a, MP3 …"}
"""What is said of the files that are wanted, by kind."""
_MOSTLY_SOUND = frozenset({".webm", ".3gp", ".3g2"})
"""What browsers and old telephones call their recordings, where nobody can look into them."""


def ending(path: PurePath) -> str:
    """The ending of a file's name, in small letters."""
    return path.suffix.lower()


def is_picture(path: Path) -> bool:
    """Whether a file is one of pictures: a picture, or a clip that shows something."""
    return ending(path) in PICTURES or shows_clip(path)


def is_sound(path: Path) -> bool:
    """Whether a file is one of sounds: a sound, or a clip, whose sound is taken."""
    return ending(path) in SOUNDS or ending(path) in CLIPS


def is_of(kind: str, path: Path) -> bool:
    """Whether a file is of a kind, `picture`, `sound` or `movement`; a clip may be of all."""
    if kind == "movement":
        return ending(path) in TRACKS | CLIPS
    return is_picture(path) if kind == "picture" else is_sound(path)


def shows_clip(path: Path) -> bool:
    """Whether a file is a clip with moving pictures in it, and no recording of sound alone."""
    if ending(path) not in CLIPS:
        return False
    try:
        about = path.stat()
    except OSError:
        return ending(path) not in _MOSTLY_SOUND
    return _shows(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=4096)
def _shows(path: Path, _changed_ns: int, _size: int) -> bool:
    """The same of a file of this size, changed then; by its name where it cannot be looked into."""
    if can_open():
        try:
            with open_container(path) as container:
                return bool(container.streams.video)
        except ExampleError:
            pass  # damaged: whoever reads it says so
    return ending(path) not in _MOSTLY_SOUND
