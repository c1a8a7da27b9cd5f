"""Archives of pictures and sounds, unfolded for as long as they are imported."""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from edge_tl.core.archive import DamagedArchive
from edge_tl.core.unfold import unfold
from edge_tl.errors import ExampleError
from edge_tl.files import is_clutter
from edge_tl.media.kinds import MEDIA

LISTS = {".csv", ".json", ".xml", ".txt", ".yaml", ".yml", ".names", ".labels"}
"""What else than pictures and sounds a layout may be told by."""
MAX_BYTES = 20_000_000_000
SAMPLES = re.compile(r"(.+?)[-_ ]samples?(?: \(\d+\))?$", re.IGNORECASE)


def unfolded(path: Path, stack: ExitStack) -> Path:
    """The folder that an archive becomes, called like it and gone with the stack; ExampleError where it cannot be."""
    place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edge-tl-import-")))
    name = re.sub(r"(\.tar)?\.\w{1,4}$", "", path.name) or "archive"
    folder = place / name
    free = shutil.disk_usage(place).free
    try:
        folder.mkdir()
        count = unfold(path, folder, _is_wanted, min(MAX_BYTES, free // 2))
    except DamagedArchive as error:
        raise ExampleError(f"{path}: is no archive of pictures that can be read: {error}") from None
    except OSError as error:
        raise ExampleError(
            f"{path}: cannot be unfolded in {place.parent} ({error.strerror}): free space there, or set TMPDIR"
        ) from error
    if not count:
        raise ExampleError(f"{path}: holds no picture and no sound")
    return folder


def label_by_name(folder: Path) -> str | None:
    """The class that an archive of one class's samples is called by; None for any other name."""
    match = SAMPLES.match(folder.name)
    return match[1] if match else None


def _is_wanted(file: PurePosixPath) -> bool:
    ending = file.suffix.lower()
    return (ending in MEDIA or ending in LISTS) and not any(map(is_clutter, file.parts))
