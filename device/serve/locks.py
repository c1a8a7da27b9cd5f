"""What the service is installed from: every package at one version, each file known by its SHA-256 (`make lock`)."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

BASE, BUILD = "base", "build"
"""What edge-tl needs itself, and what makes a wheel of a checkout; the other locks are called as the extras."""
FOLDER = "device/systemd/locks"


def blocks(text: str) -> dict[str, str]:
    """The requirements of a lock: their first line, without what continues it, → the block with its hashes."""
    found: dict[str, str] = {}
    first = ""
    for line in text.splitlines(keepends=True):
        if line.strip() and not line.startswith((" ", "#")):
            first = line.rstrip("\\\n ")
            found[first] = line
        elif first and line.strip():
            found[first] += line
    return found


def package(line: str) -> str:
    """The name in a requirement's first line."""
    return line.partition("==")[0]


def has_locks(source: Path) -> bool:
    """Whether a checkout or a wheel brings locks; those of versions before there were any do not."""
    return (_folder(source) / f"{BASE}.txt").exists()


def locked(source: Path, parts: Iterable[str], without: Iterable[str] = ()) -> str:
    """Several locks of a checkout or a wheel as one file of requirements for pip.

    parts: BASE, BUILD, or extras. without: names of packages that are left out.
    """
    folder, left_out = _folder(source), set(without)
    chosen: dict[str, str] = {}
    for part in parts:
        chosen |= blocks((folder / f"{part}.txt").read_text(encoding="utf-8"))
    return "".join(block for line, block in chosen.items() if package(line) not in left_out)


def _folder(source: Path) -> Path | zipfile.Path:
    """Where the locks are: those of what is installed, not of the edge-tl that installs it."""
    return zipfile.Path(source, f"{FOLDER}/") if source.suffix == ".whl" else source / FOLDER
