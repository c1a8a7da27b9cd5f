"""`edge-tl examples`: what was recorded, in and out."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import asdict

from device.assembly import load_embedder, open_profile, re_embed
from device.progress import Progress
from edge_tl.errors import ExampleError
from edge_tl.folders import export_folder, import_folder
from edge_tl.image import decode
from edge_tl.profile import Profile


def run(arguments: Namespace) -> int:
    """Run one action."""
    actions = {
        "list": show,
        "import": bring,
        "export": take_out,
        "remove": remove,
        "rename": rename,
        "re-embed": embed_again,
    }
    with ExitStack() as stack:
        writable = arguments.action in ("import", "remove", "rename", "re-embed")
        return actions[arguments.action](arguments, open_profile(arguments, stack, writable=writable))


def show(arguments: Namespace, profile: Profile) -> int:
    """Counts a class, or every example as JSON."""
    if arguments.json:
        print(json.dumps([asdict(example) for example in profile.store.list()], indent=2, ensure_ascii=False))
        return 0
    counts = profile.store.counts()
    if not counts:
        print("nothing was recorded yet: `edge-tl teach`, or `edge-tl examples import FOLDER`")
    for label, count in counts.items():
        print(f"{count.examples:6} examples in {count.takes:3} take{' ' if count.takes == 1 else 's'}  {label}")
    return 0


def bring(arguments: Namespace, profile: Profile) -> int:
    """Import a folder: every good picture is kept, every bad one named, exit 1 if there was any."""
    embedder = load_embedder(arguments)
    takes: dict[tuple[str, str], int] = {}
    good, bad = 0, 0
    with Progress("importing") as progress:
        for found in import_folder(arguments.path):
            try:
                jpeg = found.path.read_bytes()
                embedding = embedder.embed(decode(found.path))
                key = (found.label, found.take_name)
                if key not in takes:
                    takes[key] = profile.store.new_take(found.label, source=found.take_name)
                profile.store.add(takes[key], jpeg, embedding, embedder.fingerprint)
                good += 1
            except (ExampleError, OSError) as error:
                print(f"edge-tl: {error}", file=sys.stderr)
                bad += 1
            progress(good)
    profile.store.flush()
    if not good and not bad:
        raise ExampleError(f"no pictures in {arguments.path}: wanted CLASS/picture or CLASS/TAKE/picture")
    if arguments.json:
        print(json.dumps({"imported": good, "bad": bad, "takes": len(takes)}))
    else:
        print(f"imported {good} pictures in {len(takes)} takes" + (f"; {bad} could not be read" if bad else ""))
    return 1 if bad else 0


def take_out(arguments: Namespace, profile: Profile) -> int:
    """Export as folders."""
    number = export_folder(profile.store, arguments.path)
    print(json.dumps({"exported": number}) if arguments.json else f"exported {number} pictures to {arguments.path}")
    return 0


def remove(arguments: Namespace, profile: Profile) -> int:
    """Forget examples."""
    store = profile.store
    before = sum(count.examples for count in store.counts().values())
    if arguments.last_take:
        store.undo_last_take()
    elif arguments.label is not None:
        store.remove_label(arguments.label)
    else:
        store.remove(arguments.id)
    gone = before - sum(count.examples for count in store.counts().values())
    print(
        json.dumps({"removed": gone}) if arguments.json else f"removed {gone} examples; `edge-tl train` makes it count"
    )
    return 0


def rename(arguments: Namespace, profile: Profile) -> int:
    """Rename a class."""
    profile.store.rename(arguments.old, arguments.new)
    if arguments.json:
        print(json.dumps({"renamed": arguments.old, "to": arguments.new}, ensure_ascii=False))
    else:
        print(f"{arguments.old} is now {arguments.new}; `edge-tl train` makes it count")
    return 0


def embed_again(arguments: Namespace, profile: Profile) -> int:
    """Re-embed everything with the model at hand."""
    embedder = load_embedder(arguments)
    number = re_embed(profile, embedder)
    if arguments.json:
        print(json.dumps({"re_embedded": number, "embedder": embedder.name}))
    else:
        print(f"embedded {number} examples with {embedder.name}; `edge-tl train` makes it count")
    return 0
