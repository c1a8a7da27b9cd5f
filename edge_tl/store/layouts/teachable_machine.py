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


def kind_of_project(root: Path) -> str:
    """`image`, `audio` or `pose`, as the manifest in a folder says; empty where it is none of a project."""
    try:
        content = json.loads(read_limited(root / MANIFEST, MAX_BYTES))
        return str(content["type"]) if "appdata" in content else ""
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def fits(tree: Tree) -> bool:
    """A project's manifest is at the top."""
    return PurePosixPath(MANIFEST) in tree.files and bool(kind_of_project(tree.root))


def read(tree: Tree, kind: str, split: bool, skip: Skipped) -> LayoutContents:
    """The pictures with the classes that their names tell; ExampleError for a project of another kind."""
    project = kind_of_project(tree.root)
    if project != "image":
        raise ExampleError(
            f"{tree.root} is a Teachable Machine project of kind {project[:20]!a}: only image projects are read; "
            "for sounds, import the samples of each class, which `Download Samples` there saves"
        )
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
