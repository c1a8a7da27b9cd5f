"""How a folder is laid out: found out, asked for on a terminal where it is not clear, refused elsewhere."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import dataclass, replace
from pathlib import Path

from device.cli.output import say, warn
from edge_tl.errors import ConfigError, ExampleError
from edge_tl.labels import check_label
from edge_tl.media.kinds import is_of, is_picture, is_sound
from edge_tl.store.folders import FolderPicture, kind_of
from edge_tl.store.layouts.audacity import cuts_of
from edge_tl.store.layouts.lists import read_list
from edge_tl.store.layouts.registry import CLASSES, SPLITTING, layout_named, layouts_of
from edge_tl.store.layouts.tree import Layout, LayoutContents, Tree, split_of
from edge_tl.store.listed import folder_of

SESSIONS = "sessions"
MERGED = "merged"


@dataclass(frozen=True, slots=True)
class LaidOut:
    """What was read of a folder that is laid out in another way than folders of classes."""

    contents: LayoutContents
    root: Path
    """The folder that files are named in."""
    kind: str
    """`picture` or `sound`."""
    skipped: list[tuple[Path, str]]
    """(path, reason) of each that was left out."""
    said: str
    """What to end the last line with: as what it was read."""


def read_laid_out(arguments: Namespace) -> LaidOut | None:
    """What the folder that is imported holds; None where it is folders of classes, or of sessions.

    ConfigError where nobody can tell how it is laid out and nobody can be asked: it names the option that says it.
    """
    path: Path = arguments.path
    if arguments.images is not None:
        raise ConfigError(f"{path} is no list: --images goes with one")
    if arguments.label is not None:
        return _all_one(path, arguments)
    if arguments.sessions:
        if arguments.layout not in (None, SESSIONS) or arguments.split is not None:
            raise ConfigError("--sessions says how the folders are laid out: leave --layout and --split out")
        return None
    tree = Tree.of(path)
    layout = _chosen(tree, arguments)
    if layout.name == SESSIONS:
        arguments.sessions = True
        return None
    has_splits = layout.name in SPLITTING and any(map(split_of, tree.media))
    if arguments.split is not None and not has_splits:
        raise ConfigError(f"{path} is read as {layout.what}, in which there are no splits: leave --split out")
    if layout is CLASSES:
        return None
    skipped: list[tuple[Path, str]] = []
    split = arguments.split == SESSIONS
    kind = kind_of(path)
    told = layout.read(tree, kind, split, lambda file, reason: skipped.append((file, reason)))
    said = f"; read as {layout.what}"
    if has_splits:
        said += ", each split a session" if split else ", its splits merged (`--split sessions` keeps them apart)"
    return LaidOut(told, path, kind, skipped, "".join([said, *(f"; {note}" for note in told.notes)]))


def _all_one(path: Path, arguments: Namespace) -> LaidOut:
    """All pictures, or all sounds, of a folder as one class."""
    if arguments.sessions or arguments.layout is not None or arguments.split is not None:
        raise ConfigError("--label gives the class of all files: leave --sessions, --layout and --split out")
    label, kind = check_label(arguments.label), kind_of(path)
    files = [file for file in Tree.of(path).media if is_of(kind, path / file)]
    return LaidOut(
        LayoutContents([FolderPicture(label, folder_of(file), path / file) for file in files]), path, kind, [], ""
    )


def read_one_file(arguments: Namespace) -> LaidOut:
    """One picture, clip or sound, whose class is named; a long recording holds it many times."""
    path: Path = arguments.path
    told = cuts_of(path) if arguments.label is None and is_sound(path) else None
    if told is not None:
        return LaidOut(told, path.parent, "sound", [], f"; cut at Audacity's labels in {path.stem}.txt")
    if arguments.label is None:
        raise ConfigError(f"{path}: is a single file: give its class with --label NAME")
    if (
        arguments.sessions
        or arguments.layout is not None
        or arguments.split is not None
        or arguments.images is not None
    ):
        raise ConfigError("--label gives the class of a file: leave --sessions, --layout, --split and --images out")
    kind = "picture" if is_picture(path) else "sound"
    return LaidOut(LayoutContents([FolderPicture(check_label(arguments.label), "", path)]), path.parent, kind, [], "")


def read_as_list(arguments: Namespace) -> LaidOut:
    """What the list that is imported tells; ExampleError where it is none, or names nothing."""
    path: Path = arguments.path
    if arguments.layout is not None or arguments.split is not None or arguments.label is not None:
        raise ConfigError(f"{path} is a list: leave --layout, --split and --label out")
    if arguments.images is not None and not arguments.images.is_dir():
        raise ConfigError(f"{arguments.images}: no such folder; --images names the one with the pictures")
    told = read_list(path, arguments.images)
    if not told.listed and not told.found and not told.left_out:
        raise ExampleError(f"{path}: names no picture")
    if told.found and arguments.sessions:
        raise ConfigError(f"{path} tells classes of whole files, and no sessions: leave --sessions out")
    kind = "sound" if told.found and not any(is_picture(one.path) for one in told.found) else "picture"
    # Where nothing can be used, what there is was meant to be pictures with boxes.
    told = told if told.found or told.listed is not None else replace(told, listed=[])
    said = "".join(f"; {note}" for note in told.notes)
    return LaidOut(told, arguments.images or path.parent, kind, [], said)


def _chosen(tree: Tree, arguments: Namespace) -> Layout:
    """The layout that was named, that is clear, or that a person at the terminal chose."""
    if arguments.layout is not None:
        return layout_named(arguments.layout)
    fitting = layouts_of(tree)
    if len(fitting) == 1:
        return fitting[0]
    if tree.tops == ("",):
        raise ExampleError(
            f"{tree.root}: its files lie in no class's folder: wanted CLASS/picture, or say what all of them show with "
            "--label NAME"
        )
    tops = ", ".join(tree.tops[:3]) + (" …" if len(tree.tops) > 3 else "")
    if not fitting:
        raise ExampleError(
            f"{tree.root}: {tops} are not names of classes, and nothing there says what the files show: expected "
            f"CLASS/picture or a list beside them; if these are classes, say `--layout {CLASSES.name}`"
        )
    options = [f"--layout {layout.name} ({layout.seen_by})" for layout in fitting]
    if not arguments.json and sys.stdin.isatty() and sys.stdout.isatty():
        say(f"{tree.root} holds {tops}, which can be read in {len(fitting)} ways:")
        say(*(f"  {number}  {layout.what}: {layout.seen_by}" for number, layout in enumerate(fitting, 1)))
        try:
            answer = input(f"Which is it? 1 to {len(fitting)}: ").strip()
        except EOFError:
            answer = ""
        if answer in [str(number + 1) for number in range(len(fitting))]:
            return fitting[int(answer) - 1]
        warn(f"{answer[:20]!a} is not one of them")
    raise ConfigError(f"{tree.root}: {tops} can be read in {len(fitting)} ways: say {' or '.join(options)}")
