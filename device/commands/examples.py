"""`edge-tl examples`: what was recorded, in and out."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack
from dataclasses import asdict

from device.assembly import adopt_look, asked_look, load_embedder, open_profile, profile_folder
from device.output import Progress, print_json, warn
from device.stopping import stoppable
from edge_tl.embedder import Embedder
from edge_tl.errors import ExampleError, ProfileError
from edge_tl.folders import export_folder, import_folder, labels_in
from edge_tl.image import decode
from edge_tl.look.remembered import read_look, write_look
from edge_tl.look.ways import Look
from edge_tl.profile import Profile


def run(arguments: Namespace) -> int:
    """Run one action."""
    actions = {
        "list": show,
        "export": take_out,
        "remove": remove,
        "rename": rename,
        "re-embed": embed_again,
    }
    with ExitStack() as stack:
        if arguments.action == "import":
            # What may be wrong is found out before a new profile is made for it.
            labels_in(arguments.path)
            look = asked_look(arguments, read_look(profile_folder(arguments)))
            embedder = load_embedder(arguments, look)
            profile = open_profile(arguments, stack, writable=True, make=True)
            adopt_look(profile, look)
            return bring(arguments, profile, embedder)
        writable = arguments.action in ("remove", "rename", "re-embed")
        return actions[arguments.action](arguments, open_profile(arguments, stack, writable=writable))


def show(arguments: Namespace, profile: Profile) -> int:
    """Counts a class, or every example as JSON."""
    if arguments.json:
        print_json([asdict(example) for example in profile.store.list()])
        return 0
    counts = profile.store.counts()
    if not counts:
        print("nothing was recorded yet: `edge-tl teach`, or `edge-tl examples import FOLDER`")
    for label, count in counts.items():
        print(f"{count.examples:6} examples in {count.takes:3} take{' ' if count.takes == 1 else 's'}  {label}")
    return 0


def bring(arguments: Namespace, profile: Profile, embedder: Embedder) -> int:
    """Import a folder: every good picture is kept, everything left out is named, exit 1 if there was any."""
    missed = 0
    takes: dict[tuple[str, str], int] = {}
    good, bad = 0, 0
    with Progress("importing") as progress, stoppable() as stopped:

        def left_out(text: object) -> None:
            nonlocal bad
            bad += 1
            progress.warn(text)

        found_all = list(import_folder(arguments.path, lambda path, reason: left_out(f"{path}: {reason}")))
        for done, found in enumerate(found_all):
            progress.of(done, len(found_all))
            if stopped():
                profile.store.flush()
                progress.warn(f"stopped; {good} of {len(found_all)} pictures are imported")
                return 130
            try:
                embedding = embedder.embed(decode(found.path))
                jpeg = found.path.read_bytes()
            except (ExampleError, OSError) as error:
                left_out(error)
                continue
            key = (found.label, found.take_name)
            if key not in takes:
                takes[key] = profile.store.new_take(found.label, source=found.take_name)
            profile.store.add(takes[key], jpeg, embedding, embedder.fingerprint)
            good += 1
            missed += not embedding.any()
    profile.store.flush()
    if not good and not bad:
        raise ExampleError(f"no pictures in {arguments.path}: wanted CLASS/picture or CLASS/TAKE/picture")
    if arguments.json:
        print_json({"imported": good, "bad": bad, "takes": len(takes), "nothing_found": missed})
    else:
        said = f"imported {good} pictures in {len(takes)} takes" + (f"; {bad} left out" if bad else "")
        print(said + missed_text(embedder, missed))
    return 1 if bad else 0


def missed_text(embedder: Embedder, missed: int) -> str:
    """In how many pictures nothing was found, to end a line with."""
    return f"; no {getattr(embedder, 'sought', 'picture')} in {missed} of them" if missed else ""


def take_out(arguments: Namespace, profile: Profile) -> int:
    """Export as folders."""
    with Progress("exporting") as progress, stoppable() as stopped:

        def step(done: int, total: int) -> bool:
            progress.of(done, total)
            return stopped()

        number = export_folder(profile.store, arguments.path, step)
    if stopped():
        warn(f"stopped; {number} pictures were exported to {arguments.path}")
        return 130
    if arguments.json:
        print_json({"exported": number})
    else:
        print(f"exported {number} pictures to {arguments.path}")
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
    if arguments.json:
        print_json({"removed": gone})
    else:
        print(f"removed {gone} examples; `edge-tl train` makes it count")
    return 0


def rename(arguments: Namespace, profile: Profile) -> int:
    """Rename a class."""
    profile.store.rename(arguments.old, arguments.new)
    if arguments.json:
        print_json({"renamed": arguments.old, "to": arguments.new})
    else:
        print(f"{arguments.old} is now {arguments.new}; `edge-tl train` makes it count")
    return 0


def embed_again(arguments: Namespace, profile: Profile) -> int:
    """Re-embed everything with the model at hand and the way to look asked for, which the profile remembers."""
    remembered = None
    try:
        remembered = read_look(profile.folder)
    except ProfileError:
        if arguments.look is None:
            raise
    look = asked_look(arguments, remembered or Look())
    embedder = load_embedder(arguments, look)
    if look != remembered:
        # First of all: where this is stopped or killed half-way, running it again goes on the new way.
        write_look(profile.folder, look)
    with Progress("embedding") as progress, stoppable() as stopped:

        def step(done: int, total: int) -> bool:
            progress.of(done, total)
            return stopped()

        number = profile.store.reembed(embedder, step)
    if stopped():
        warn(f"stopped; {number} examples were embedded anew, run it again for the rest")
        return 130
    rows = profile.store.matrix(embedder.fingerprint).X
    missed = int((~rows.any(axis=1)).sum())
    if arguments.json:
        print_json({"re_embedded": number, "embedder": embedder.name, "look": str(look), "nothing_found": missed})
    else:
        nothing = f"; no {getattr(embedder, 'sought', 'picture')} in {missed} of {len(rows)}" if missed else ""
        print(f"embedded {number} examples with {embedder.name}{nothing}; `edge-tl train` makes it count")
    return 0
