"""Every exception of edge-tl, in one tree.

    EdgeTLError
    ├── ConfigError, ShapeError, NotFittedError, ModelError, ExampleError   (all also ValueError)
    ├── ProfileError (also ValueError)
    │   ├── ProfileMismatch      a profile that was taught with another embedder
    │   └── ProfileLocked        another process is writing to this profile
    ├── SourceError (also OSError)
    │   ├── SourceClosed         no frame will ever come again
    │   └── SourceTimeout        no frame came in time; the next read may succeed
    └── MissingDependency (also ImportError)

Each message is one line: what came, what was wanted, what to do.
"""

from __future__ import annotations

import os
import shlex
import sys
import unicodedata
from pathlib import Path

_MOVES = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_SHOWN = frozenset(chr(code) for code in (0x200C, 0x200D, *range(0xE0020, 0xE0080)))
"""Of these kinds of characters, the joiners and flags that labels may hold."""


class EdgeTLError(Exception):
    """The root of every error that edge-tl raises on purpose."""


class ConfigError(EdgeTLError, ValueError):
    """A setting that cannot be used."""


class ShapeError(EdgeTLError, ValueError):
    """An array of the wrong shape, dtype or range (NaN included)."""


class NotFittedError(EdgeTLError, ValueError):
    """A head or recognizer was asked before it was taught."""


class ModelError(EdgeTLError, ValueError):
    """A model file or manifest that is missing, damaged, or contradicts itself."""


class ExampleError(EdgeTLError, ValueError):
    """A picture, sound or label that cannot become an example."""


class ProfileError(EdgeTLError, ValueError):
    """A profile that cannot be read or written."""


class ProfileMismatch(ProfileError):
    """A profile that was taught with another embedder than the one at hand."""


class ProfileLocked(ProfileError):
    """A profile that another process is writing to; the message names its PID."""


class SourceError(EdgeTLError, OSError):
    """A camera, microphone or recording that failed; opening it again may help."""


class SourceClosed(SourceError):
    """A source that has ended or was closed: no frame will ever come again."""


class SourceTimeout(SourceError):
    """No frame came in time; the next read may succeed."""


class MissingDependency(EdgeTLError, ImportError):
    """An optional package is not installed; the message holds the exact install command."""


def other_model(then: str = "") -> str:
    """What to do where a profile was taught with another model than the one at hand: either may be the one wanted.

    then: what comes after embedding again.
    """
    return f"take that model again with `edge-tl model use PATH`, or this one with `edge-tl examples re-embed`{then}"


def escaped(text: str) -> str:
    """A text that a terminal or a log may be given: what does not print is told by its number, as Python writes it.

    File names, labels and what a model calls its tensors may hold anything, also what moves a terminal's cursor.
    """
    if text.isprintable():
        return text
    return "".join(
        ascii(one)[1:-1] if unicodedata.category(one) in _MOVES and one not in _SHOWN else one for one in text
    )


def counted(number: int, one: str, more: str = "") -> str:
    """A number with its noun, as messages say it: `1 take`, `2 takes`; more: the plural where it is not one + "s"."""
    return f"{number} {one if number == 1 else more or one + 's'}"


def to_install(*packages: str) -> str:
    """The command that installs packages where they are missed: with the interpreter that runs, as typed here.

    packages: as pip takes them; "[web]" is what the extra `web` of edge-tl names, in a checkout that extra itself.
    """
    python, root, here = sys.executable or "python3", Path(__file__).resolve().parents[1], Path.cwd()
    if Path(python).is_relative_to(here):
        python = os.path.relpath(python, here)
    if (root / "pyproject.toml").is_file():
        place = "." if root == here else str(root)
        wanted = [part for one in packages for part in (("-e", place + one) if one.startswith("[") else (one,))]
    else:
        wanted = [part for one in packages for part in (_named_by(one[1:-1]) if one.startswith("[") else (one,))]
    return shlex.join((python, "-m", "pip", "install", *wanted))


def _named_by(extra: str) -> list[str]:
    """The packages that an extra of the installed edge-tl names."""
    from importlib.metadata import PackageNotFoundError, requires

    mark = f'extra == "{extra}"'
    try:
        named = requires("edge-tl") or ()
    except PackageNotFoundError:  # files that were only copied
        return [f"edge-tl[{extra}]"]
    return [one.partition(";")[0].strip() for one in named if mark in one.replace("'", '"')]
