"""Files that hold a secret: read only where nobody else may read them."""

from __future__ import annotations

import stat
from pathlib import Path

from edge_tl.errors import ConfigError


def check_closed(path: Path, what: str) -> None:
    """ConfigError where everybody may read a file, OSError where it is not there. what: the setting that names it."""
    if path.stat().st_mode & stat.S_IRWXO:
        raise ConfigError(f"{what} {path} can be read by everybody: chmod 0640 {path}")


def password_in(path: Path, what: str, table: str) -> str:
    """The first line of a file that is closed to others; ConfigError where that cannot be."""
    try:
        text = path.read_text(encoding="utf-8")
        check_closed(path, what)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{what} {path} cannot be read ({error}): check {table}") from error
    return text.partition("\n")[0].removesuffix("\r")
