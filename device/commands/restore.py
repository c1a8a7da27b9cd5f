"""`edge-tl restore`: a profile from a file that `edge-tl backup` wrote."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime

from device.assembly import Context
from device.cli.output import print_json, say
from device.teach.trial import tried
from edge_tl.errors import EdgeTLError, counted
from edge_tl.store.backup import restore_backup
from edge_tl.store.moments import BEGUN_S, NOT_SET
from edge_tl.store.profile import Profile


def run(arguments: Namespace) -> int:
    """Make the profile; one that exists is never touched."""
    context = Context(arguments.data_dir, arguments.profile)
    folder = context.profile_folder
    index = restore_backup(arguments.path, folder, lambda made: tried(arguments.data_dir, made))
    with Profile(folder) as profile:
        examples = 0
        if (folder / "examples.sqlite").exists():
            examples = sum(count.examples for count in profile.store.counts().values())
        generations = len(profile.generations())
    needs = lacking(context)
    if arguments.json:
        print_json({"profile": arguments.profile, "examples": examples, "generations": generations, "needs": needs})
        return 0
    when = index.get("time_s")
    told = ""
    if isinstance(when, (int, float)) and when < 4e9:
        told = f" of {datetime.fromtimestamp(when, UTC):%Y-%m-%d}" if when >= BEGUN_S else f" ({NOT_SET})"
    say(
        f"profile {arguments.profile!r} restored from the backup{told}: {counted(examples, 'example')}, "
        f"{counted(generations, 'generation')}"
    )
    if needs is not None:
        say(f"before it can be asked: {needs}")
    return 0


def lacking(context: Context) -> str | None:
    """What the profile looks or listens with and is not on this machine, and what gets it; None where all is there."""
    try:
        context.load_embedder()
    except EdgeTLError as error:
        return str(error)
    return None
