"""Every layout of a folder that is read, and which of them a folder has."""

from __future__ import annotations

from pathlib import Path

from edge_tl.errors import ExampleError
from edge_tl.store.layouts import (
    audacity,
    class_folders,
    edge_impulse,
    labelme,
    lists,
    teachable_machine,
    voc,
    webdataset,
    yolo,
)
from edge_tl.store.layouts.tree import Layout, Tree

CLASSES = Layout(
    "classes",
    "folders of classes",
    "`CLASS/picture`, `CLASS/TAKE/picture`, `CLASS/sound`",
    class_folders.fits,
    class_folders.read,
    marked=False,
)
LAYOUTS = (
    Layout(
        "edge-impulse",
        "an Edge Impulse export",
        "`info.labels` or `bounding_boxes.labels`",
        edge_impulse.fits,
        edge_impulse.read,
    ),
    Layout(
        "teachable-machine",
        "a Teachable Machine project",
        "`.tm`: `manifest.json` and `CLASS-!-0.jpg`",
        teachable_machine.fits,
        teachable_machine.read,
    ),
    Layout(
        "yolo",
        "YOLO",
        "a `.txt` for each picture, with `data.yaml`, `classes.txt` or `obj.names`",
        yolo.fits,
        yolo.read,
    ),
    Layout(
        "voc", "Pascal VOC", "an `.xml` for each picture, with `annotation` as its first element", voc.fits, voc.read
    ),
    Layout("labelme", "LabelMe", "a `.json` for each picture, with its `shapes`", labelme.fits, labelme.read),
    Layout(
        "audacity",
        "recordings with Audacity's labels",
        "a `.txt` with `start TAB end TAB name` lines for each recording",
        audacity.fits,
        audacity.read,
    ),
    Layout(
        "webdataset",
        "WebDataset",
        "a `.cls` for each picture or sound, or a `.json` with its `label`",
        webdataset.fits,
        webdataset.read,
    ),
    Layout(
        "lists",
        "files with a list",
        "a CSV, TSV, JSON or JSON lines, or CVAT's XML that lists the pictures",
        lists.fits,
        lists.read,
    ),
    Layout(
        "splits",
        "classes in splits",
        "`train/CLASS/picture`, and `valid`, `val`, `test` …",
        class_folders.fits_splits,
        class_folders.read_splits,
        marked=False,
    ),
    Layout(
        "names",
        "classes in the file names",
        "`training/CLASS.0000.jpg`, `testing/…`",
        edge_impulse.fits_by_names,
        edge_impulse.read_by_names,
        marked=False,
    ),
    Layout(
        "nested",
        "classes in one enclosing folder",
        "`FOLDER/CLASS/picture`",
        class_folders.fits_nested,
        class_folders.read_nested,
        marked=False,
    ),
    Layout(
        "sessions",
        "classes in sessions (places or days)",
        "`SESSION/CLASS/picture`, with the same classes in several sessions",
        class_folders.fits_sessions,
        class_folders.read_sessions,
        marked=False,
    ),
    CLASSES,
)
SPLITTING = ("splits", "names", "yolo", "voc", "labelme", "lists", "edge-impulse")
"""Those in which files may lie in splits."""


def layouts_of(tree: Tree) -> list[Layout]:
    """The layouts that a folder may have: one where it is clear, none where nothing tells what the pictures show."""
    marked = [layout for layout in LAYOUTS if layout.marked and layout.fits(tree)]
    if marked:
        return [*marked, CLASSES] if class_folders.names_classes(tree) else marked
    return [layout for layout in LAYOUTS if not layout.marked and layout.fits(tree)]


def layout_named(name: str) -> Layout:
    """The layout of `--layout NAME`."""
    return next(layout for layout in LAYOUTS if layout.name == name)


def check_classes(root: Path) -> None:
    """ExampleError where a folder is laid out in another way than CLASS/picture, whose folders would pass for classes.

    For who takes folders of classes alone; `examples import` reads all layouts.
    """
    fitting = layouts_of(Tree.of(root))
    if fitting and CLASSES not in fitting:
        raise ExampleError(
            f"{root} holds {fitting[0].what}, and CLASS/picture is wanted here: `edge-tl examples import` reads it, "
            "`edge-tl examples export` writes that"
        )
