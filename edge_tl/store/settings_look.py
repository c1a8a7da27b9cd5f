"""The way to look that a profile was taught with: one small file in its folder.

FOLDER/look.json    {"format": 1, "way": "box", "box": [0.2, 0.1, 0.8, 0.9], "hands": "largest"}
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from edge_tl.embedders.look.ways import Look
from edge_tl.errors import ConfigError, ProfileError
from edge_tl.files import sync_folder, write_synced

FILE_NAME = "look.json"
FORMAT = 1
MOST_BYTES = 1000


def read_look(folder: Path) -> Look:
    """What a profile's folder remembers, `Look()` where it remembers nothing; ProfileError where it is damaged."""
    return remembered_look(folder) or Look()


def remembered_look(folder: Path) -> Look | None:
    """The same, None where nobody chose a way to look yet."""
    path = Path(folder) / FILE_NAME
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ProfileError(f"{path} cannot be read ({error.strerror}): check its rights") from error
    try:
        return _parsed(data)
    except (ValueError, RecursionError) as error:  # bad JSON, bad UTF-8, and ConfigError, which is a ValueError
        reason = str(error) if isinstance(error, ConfigError) else "it is not what edge-tl writes"
        raise ProfileError(
            f"{path} is damaged ({reason}): say the way to look again with `edge-tl examples re-embed --look WAY`"
        ) from None


def write_look(folder: Path, look: Look) -> None:
    """Remember a way to look, on disk when this returns; whoever calls it holds the profile's lock.

    ProfileError where the disk does not take it; what was remembered before stays then.
    """
    path = Path(folder) / FILE_NAME
    fresh = path.with_name(f".{FILE_NAME}.{os.getpid()}")
    try:
        fresh.unlink(missing_ok=True)
        write_synced(fresh, (json.dumps({"format": FORMAT, **asdict(look)}) + "\n").encode())
        os.replace(fresh, path)
        sync_folder(path.parent)
    except OSError as error:
        raise ProfileError(
            f"{path} cannot be written ({error.strerror}): free some space or check the rights"
        ) from error


def _parsed(data: bytes) -> Look:
    """The Look in the bytes of a file; ValueError for anything that `write_look` does not write."""
    content = json.loads(data)
    if not isinstance(content, dict) or set(content) != {"format", "way", "box", "hands"} or len(data) > MOST_BYTES:
        raise ValueError
    if content["format"] != FORMAT:
        raise ConfigError(f"its format is {str(content['format'])[:20]}, this edge-tl knows {FORMAT}")
    way, box, hands = content["way"], content["box"], content["hands"]
    if not isinstance(way, str) or not isinstance(hands, str):
        raise ValueError
    if box is None:
        return Look(way, None, hands)
    if not isinstance(box, list) or len(box) != 4 or not all(type(share) in (int, float) for share in box):
        raise ValueError
    left, top, right, bottom = map(float, box)
    return Look(way, (left, top, right, bottom), hands)
