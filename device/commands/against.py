"""The sounds of `--against`, in which none of the words is said: files, folders and archives, as of an import."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from device.cli.output import warn_all
from device.commands.examples_archive import unfolded
from device.teach.thresholds import different, sounds_at
from edge_tl.core.unfold import packed_as


def sounds_against(paths: Sequence[Path], words: Sequence[str], stack: ExitStack) -> list[Path]:
    """The sound files, none twice, those of archives for as long as the stack lasts; what is skipped is said.

    words: the classes that were taught. ExampleError (one line) where there is no sound, or one cannot be read.
    """
    if not paths:
        return []
    found, taught = sounds_at([unfolded(path, stack) if packed_as(path) else path for path in paths], words)
    files, again = different(found)
    warn_all([*taught, *again])
    return files
