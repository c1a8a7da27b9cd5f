"""Which converted embedder a profile looks with: one small file in its folder. Without it, it is the one that ships.

FOLDER/embedder.json          {"format": 1, "embedder": "mobilenet_v2-1.0-160-2f9c1d3a4b5c"}
EMBEDDERS/<that name>/        manifest.json and the .tflite file, as `edge-tl-host convert image` made them
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from edge_tl.errors import ModelError, ProfileError
from edge_tl.files import sync_folder, write_synced
from edge_tl.tflite.manifest import FILE_NAME as MANIFEST
from edge_tl.tflite.manifest import read_manifest, same_pixels

FILE_NAME = "embedder.json"
FORMAT = 1
MOST_BYTES = 1000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,150}")


def install_embedder(source: Path, embedders: Path) -> str:
    """Copy a converted model among the installed ones and return its name there: whole, or not at all.

    What is there under the name already is left alone: the name holds the model's hash. ModelError for a folder that is
    no converted model; ProfileError where the disk does not take it. Whoever loads it checks the hash.
    """
    manifest = read_manifest(source)
    name = f"{re.sub(r'[^A-Za-z0-9._+-]', '_', manifest.name)[:100]}-{manifest.sha256[:12]}"
    if not _NAME.fullmatch(name):
        raise ModelError(f"{source}: the model's name {manifest.name[:60]!a} cannot be a folder's: convert it again")
    place, new = embedders / name, embedders / f".{name}.new"
    if place.is_dir():
        if not same_pixels(manifest, read_manifest(place)):
            raise ModelError(
                f"{source}: {name} is installed already and has its pictures prepared in another way (size, colours or "
                "scaling): give this one another name in its manifest"
            )
        return name
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        for file in (MANIFEST, manifest.model):
            write_synced(new / file, (source / file).read_bytes())
        sync_folder(new)
        new.rename(place)
        sync_folder(embedders)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise ProfileError(f"{place} cannot be written ({error.strerror or error}): free some space") from error
    return name


def read_chosen(folder: Path) -> str | None:
    """The name that a profile remembers, None for the embedder that ships; ProfileError where it is damaged."""
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
    name = content.get("embedder") if isinstance(content, dict) and content.get("format") == FORMAT else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ProfileError(f"{path} is damaged: choose the model again with `edge-tl model use FOLDER`")
    return name


def write_chosen(folder: Path, name: str | None) -> None:
    """Remember it, on disk when this returns; None for the embedder that ships. ProfileError where that fails."""
    path = Path(folder) / FILE_NAME
    fresh = path.with_name(f".{FILE_NAME}.{os.getpid()}")
    try:
        fresh.unlink(missing_ok=True)
        if name is None:
            path.unlink(missing_ok=True)
        else:
            write_synced(fresh, (json.dumps({"format": FORMAT, "embedder": name}) + "\n").encode())
            os.replace(fresh, path)
        sync_folder(path.parent)
    except OSError as error:
        raise ProfileError(f"{path} cannot be written ({error.strerror}): free some space") from error
