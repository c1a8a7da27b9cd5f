"""`edge-tl examples`: what was recorded, in and out."""

from __future__ import annotations

import time
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from device.assembly import adopt_look, asked_look, load_embedder, open_profile, profile_folder
from device.output import Progress, print_json, warn
from device.stopping import stoppable
from edge_tl.embedder import Embedder
from edge_tl.errors import ExampleError, ProfileError
from edge_tl.folders import PICTURES, export_folder, import_folder, labels_in, session_name_of
from edge_tl.image import decode
from edge_tl.look.remembered import read_look, write_look
from edge_tl.look.ways import Look
from edge_tl.profile import Profile
from edge_tl.sessions import in_one_session_only


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
    """Counts a class and the sessions, or every example as JSON."""
    sessions = profile.store.sessions()
    if arguments.json:
        names = {session.id: session.name for session in sessions}
        examples = profile.store.list()
        print_json([{**asdict(example), "session_name": names.get(example.session, "")} for example in examples])
        return 0
    counts = profile.store.counts()
    if not counts:
        print("nothing was recorded yet: `edge-tl teach`, or `edge-tl examples import FOLDER`")
    for label, count in counts.items():
        print(f"{count.examples:6} examples in {plural_takes(count.takes)}  {label}")
    for session in sessions:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(session.started_s))
        held = f"{session.examples:6} examples in {plural_takes(session.takes)}"
        print(f"{held}  session {session.id} of {when}  {session.name}".rstrip())
    for label in in_one_session_only(sessions):
        print(f"{label} is in one session only: how it does on another day cannot be told")
    return 0


def plural_takes(number: int) -> str:
    """A number of takes, in a column."""
    return f"{number:3} take{' ' if number == 1 else 's'}"


def bring(arguments: Namespace, profile: Profile, embedder: Embedder) -> int:
    """Import a folder: every good picture is kept, everything left out is named, exit 1 if there was any."""
    missed = 0
    takes: dict[tuple[int, str, str], int] = {}
    sessions: dict[int, int] = {}
    good, bad = 0, 0
    others: list[str] = []
    with Progress("importing") as progress, stoppable() as stopped:

        def left_out(text: object) -> None:
            nonlocal bad
            bad += 1
            progress.warn(text)

        def skipped(path: Path, reason: str) -> None:
            if path.is_file() and path.suffix.lower() not in PICTURES:
                others.append(path.name)  # a table or a note among the pictures is nothing that went wrong
            else:
                left_out(f"{path}: {reason}")

        found_all = list(import_folder(arguments.path, skipped, sessions=arguments.sessions))
        if others:
            shown = ", ".join(others[:3]) + (" …" if len(others) > 3 else "")
            progress.warn(f"passed over {len(others)} file{'s' * (len(others) > 1)} that are no pictures: {shown}")
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
            if found.session not in sessions:
                # What is recorded later was not recorded there: it is closed.
                name = found.session_name or session_name_of(arguments.path.absolute().name)
                sessions[found.session] = profile.store.new_session(name, closed=True)
            key = (found.session, found.label, found.take_name)
            if key not in takes:
                takes[key] = profile.store.new_take(found.label, found.take_name, sessions[found.session])
            profile.store.add(takes[key], jpeg, embedding, embedder.fingerprint)
            good += 1
            missed += not embedding.any()
    profile.store.flush()
    if not good and not bad:
        wanted = "SESSION/CLASS/picture" if arguments.sessions else "CLASS/picture or CLASS/TAKE/picture"
        raise ExampleError(f"no pictures in {arguments.path}: wanted {wanted}")
    if arguments.json:
        numbers = sorted(sessions.values())
        print_json({"imported": good, "bad": bad, "takes": len(takes), "sessions": numbers, "nothing_found": missed})
    else:
        several = f" of {len(sessions)} sessions" if len(sessions) > 1 else ""
        said = f"imported {good} pictures in {len(takes)} takes{several}" + (f"; {bad} left out" if bad else "")
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
    elif arguments.session is not None:
        store.remove_session(arguments.session)
    else:
        store.remove(arguments.id)
    gone = before - sum(count.examples for count in store.counts().values())
    if arguments.json:
        print_json({"removed": gone})
    else:
        print(f"removed {gone} examples; `edge-tl train` makes it count")
    return 0


def rename(arguments: Namespace, profile: Profile) -> int:
    """Rename a class or a session."""
    if arguments.session:
        number = session_called(profile, arguments.old)
        profile.store.rename_session(number, arguments.new)
        said = f"session {number} is now called {arguments.new}"
    else:
        profile.store.rename(arguments.old, arguments.new)
        said = f"{arguments.old} is now {arguments.new}; `edge-tl train` makes it count"
    if arguments.json:
        print_json({"renamed": arguments.old, "to": arguments.new})
    else:
        print(said)
    return 0


def session_called(profile: Profile, text: str) -> int:
    """The number of a session by its number or its name; ExampleError where none or two have it."""
    sessions = profile.store.sessions()
    found = [one.id for one in sessions if str(one.id) == text] or [one.id for one in sessions if one.name == text]
    if len(found) != 1:
        known = ", ".join(f"{one.id} {one.name}".strip() for one in sessions) or "none"
        raise ExampleError(f"{len(found) or 'no'} sessions are called {text!r}; give the number; there are: {known}")
    return found[0]


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
