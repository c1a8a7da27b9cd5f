"""Teachable Machine's projects of pictures, `.tm`: a ZIP with `manifest.json` and pictures `CLASS-!-NUMBER.jpg`."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath

from edge_tl.errors import ExampleError
from edge_tl.files import read_limited
from edge_tl.labels import check_label
from edge_tl.store.folders import FolderPicture, Skipped
from edge_tl.store.layouts.tree import LayoutContents, Tree

MANIFEST = "manifest.json"
MAX_BYTES = 1_000_000
_NAME = re.compile(r"(.+)-!-\d+$")


def kind_in(manifest: bytes) -> str:
    """`image`, `audio` or `pose`, as the manifest of a project says; empty where it is none."""
    try:
        content = json.loads(manifest)
        return str(content["type"]) if "appdata" in content else ""
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def kind_of_project(root: Path) -> str:
    """The same of a folder; empty where it is none of a project."""
    try:
        return kind_in(read_limited(root / MANIFEST, MAX_BYTES))
    except (OSError, ValueError):
        return ""


def fits(tree: Tree) -> bool:
    """A project's manifest is at the top."""
    return PurePosixPath(MANIFEST) in tree.files and bool(kind_of_project(tree.root))


def read(tree: Tree, kind: str, split: bool, skip: Skipped) -> LayoutContents:
    """The pictures with the classes that their names tell; ExampleError for a project of another kind."""
    project = kind_of_project(tree.root)
    if project != "image":
        what = f"{tree.root.name!r} is a Teachable Machine project"
        if project == "audio":
            raise ExampleError(f"{what} of sounds that was unpacked: import the .tm file itself")
        raise ExampleError(f"{what} of kind {project[:20]!a}, which is not read; projects of images and of sounds are")
    found, left_out = [], []
    for file in tree.pictures:
        name = _NAME.match(file.stem)
        try:
            if name is None:
                raise ExampleError("its name contains no class")
            found.append(FolderPicture(check_label(name[1]), "", tree.root / file))
        except ExampleError as error:
            left_out.append(f"{file}: left out ({error})")
    return LayoutContents(found, None, left_out)
