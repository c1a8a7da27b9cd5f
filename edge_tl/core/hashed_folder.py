"""A folder whose every file is hashed: a description in JSON names the others, and nothing of them is believed before.

Three kinds of trained networks lie in such folders; each says here what its description is called and what its errors
advise, and keeps to itself only what it alone describes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.core.archive import DamagedArchive, read_arrays
from edge_tl.errors import ConfigError, ModelError, ShapeError
from edge_tl.files import DAMAGE, read_limited, sync_folder, write_synced


@dataclass(frozen=True)
class HashedFolder:
    """One kind of hashed folder."""

    description: str
    """The name of the file that describes the others."""
    format: int
    most_bytes: int
    """Of a file, and of what its arrays unfold to."""
    wanted: str
    """What such a folder is, for an error: "a folder of … is wanted"."""
    again: str
    """What to do where it is damaged: "convert it again"."""

    def write(self, folder: Path, files: Mapping[str, bytes], described: dict[str, Any], old: Iterable[str]) -> None:
        """Write the files, the description last, so that it never names half a file; ModelError where it cannot be.

        old: files of the folder that go, whether they are written anew or not.
        """
        text = json.dumps(described, indent=2) + "\n"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in (self.description, *old, *files):
                (folder / name).unlink(missing_ok=True)
            for name, data in files.items():
                write_synced(folder / name, data)
            write_synced(folder / self.description, text.encode())
            sync_folder(folder)
        except OSError as error:
            raise ModelError(f"{folder}: cannot be written ({error.strerror}); choose another --out") from error

    def described(self, folder: Path) -> dict[str, Any]:
        """What the description says, its lists as tuples; ModelError where it is none or is of another format."""
        path = folder / self.description
        content = json.loads(self._bytes(path))
        if (found := content.get("format", self.format)) != self.format:
            raise ModelError(f"{path}: is of format {str(found)[:20]!r}; upgrade edge-tl")
        if not isinstance(content["sha256"], dict):
            raise TypeError("sha256 is no object")
        return {name: tuple(value) if isinstance(value, list) else value for name, value in content.items()}

    def file(self, folder: Path, name: str, hashes: Mapping[str, str]) -> bytes:
        """A file, as it was described; ModelError where it is missing, too large, or another."""
        data = self._bytes(folder / name)
        self.check(folder, name, hashlib.sha256(data).hexdigest(), hashes)
        return data

    def arrays(
        self, folder: Path, name: str, hashes: Mapping[str, str], names: Iterable[str] | None = None
    ) -> dict[str, np.ndarray]:
        """The arrays of a described .npz as float32, all or those of these names; ModelError as `file`."""
        try:
            return read_arrays(self.file(folder, name, hashes), self.most_bytes, names, np.float32)
        except DamagedArchive as error:
            raise ModelError(f"{folder / name}: its arrays cannot be read ({error}); {self.again}") from None

    def check(self, folder: Path, name: str, found: str, hashes: Mapping[str, str]) -> None:
        """ModelError unless a file that has the SHA-256 `found` is the one that is described."""
        if found != hashes.get(name):
            raise ModelError(f"{folder / name}: is not what {self.description} describes; copy it anew or {self.again}")

    @contextmanager
    def guarded(self, folder: Path) -> Iterator[None]:
        """While a folder is read: whatever nonsense in it raises becomes a ModelError of one line."""
        path = folder / self.description
        try:
            yield
        except ModelError:
            raise
        except (ConfigError, ShapeError) as error:
            raise ModelError(f"{path}: {' '.join(str(error).split())[:200]}; {self.again}") from None
        except DAMAGE as error:
            reason = " ".join(str(error).split())[:80] or type(error).__name__
            raise ModelError(f"{path}: is damaged ({reason}); {self.again}") from None

    def _bytes(self, path: Path) -> bytes:
        try:
            return read_limited(path, self.most_bytes)
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror}); {self.wanted} is wanted") from error


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    """File → the SHA-256 of its bytes, in hex."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
