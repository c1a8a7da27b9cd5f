"""Who this device is to a broker: a random id, made once and kept in the state folder.

Not the machine's name, which images share and people change, and not in any backup, which is restored elsewhere.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from edge_tl.errors import ConfigError
from edge_tl.files import UnnamedFile, read_limited

FILE = "device-id"
_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class Identity:
    """The id of a device."""

    id: str
    """Twelve hexadecimal digits."""
    path: Path
    """Where it is kept."""
    upgraded: bool = False
    """Whether it was made just now in a state folder that was in use before ids were."""


def identity_of(data_dir: Path) -> Identity:
    """The id in a state folder, made where there is none; ConfigError where it can be neither read nor kept."""
    path = data_dir / FILE
    try:
        try:
            text = read_limited(path, 100).decode("ascii", "replace").strip()
        except FileNotFoundError:
            return _made(path)
    except OSError as error:
        raise ConfigError(
            f"the id of this device cannot be kept in {path} ({error.strerror or error}): start once where it can be "
            "written"
        ) from error
    if not _ID.fullmatch(text):
        raise ConfigError(f"{path} holds no id of a device: remove it, and a new one is made")
    return Identity(text, path)


def _made(path: Path) -> Identity:
    """A new one, on disk whole or not at all."""
    made = Identity(secrets.token_hex(6), path, upgraded=(path.parent / "profiles").is_dir())
    with UnnamedFile(path.parent) as new:
        new.file.write(f"{made.id}\n".encode())
        new.name_it(path)
    return made
