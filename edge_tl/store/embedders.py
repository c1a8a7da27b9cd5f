"""Converted embedders, installed beside the profiles, which choose one of them by its name.

EMBEDDERS/<that name>/        manifest.json and the .tflite file, as `edge-tl-host convert image` made them
"""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import replace
from pathlib import Path

from edge_tl.embedders.tflite import TFLiteEmbedder, read_hashed
from edge_tl.errors import ModelError, ProfileError
from edge_tl.files import sync_folder, write_synced
from edge_tl.tflite.manifest import FILE_NAME as MANIFEST
from edge_tl.tflite.manifest import Manifest, manifest_text, read_manifest, same_pixels

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,150}")


def install_embedder(source: Path, embedders: Path) -> str:
    """Copy a converted model among the installed ones and return its name there: whole, or not at all.

    What is there under the name already is left alone: the name holds the model's hash. ModelError for a folder that is
    no converted model; ProfileError where the disk does not take it. Whoever loads it checks the hash.
    """
    manifest = read_manifest(source)
    return _install(manifest, source / manifest.model, source, embedders)


def install_loaded(embedder: TFLiteEmbedder, embedders: Path) -> str:
    """The same of a model that was loaded, whatever its manifest was made of; ModelError, too, where its file changed
    meanwhile."""
    file = embedder.file
    if file is None:
        raise ModelError(f"{embedder.name}: was not loaded from a file; give the file or folder of a model")
    read_hashed(file, embedder.fingerprint)
    manifest = embedder.manifest
    there = embedders / installed_name(manifest)
    if there.is_dir() and not same_pixels(manifest, read_manifest(there)):  # the same file, described otherwise
        said = hashlib.sha256(manifest_text(manifest).encode()).hexdigest()[:6]
        manifest = replace(manifest, name=f"{manifest.name[:80]}-{said}")
    return _install(manifest, file, file, embedders)


def installed_name(manifest: Manifest) -> str:
    """What the folder of an installed model is called."""
    return f"{re.sub(r'[^A-Za-z0-9._+-]', '_', manifest.name)[:100]}-{manifest.sha256[:12]}"


def _install(manifest: Manifest, file: Path, source: Path, embedders: Path) -> str:
    """Copy a model under its manifest; source: what messages call it."""
    name = installed_name(manifest)
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
        write_synced(new / manifest.model, file.read_bytes())
        write_synced(new / MANIFEST, manifest_text(manifest).encode())
        sync_folder(new)
        new.rename(place)
        sync_folder(embedders)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise ProfileError(f"{place} cannot be written ({error.strerror or error}): free some space") from error
    return name


def check_name(name: object) -> str:
    """The name of an installed model; ValueError for what none can be called, above all a path."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(name)
    return name
