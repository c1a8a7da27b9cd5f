"""`edge-tl restore`: a profile from a file that `edge-tl backup` wrote."""

from __future__ import annotations

from argparse import Namespace
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from device.assembly import Context
from device.cli.output import print_json, say
from device.teach.trial import tried
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import EdgeTLError, ModelError, counted
from edge_tl.store.backup import restore_backup
from edge_tl.store.embedders import install_embedder, installed_name
from edge_tl.store.moments import BEGUN_S, NOT_SET
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_chosen
from edge_tl.tflite.manifest import FILE_NAME as MANIFEST


def run(arguments: Namespace) -> int:
    """Make the profile; one that exists is never touched."""
    context = Context(arguments.data_dir, arguments.profile)
    folder = context.profile_folder
    index = restore_backup(arguments.path, folder, lambda made: tried(arguments.data_dir, made))
    install_beside(context, arguments.path)
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
        say(f"before it can be used: {needs}")
    return 0


def install_beside(context: Context, archive: Path) -> None:
    """Install the model that a restored profile looks with, where its folder holds the backup, as converters write it.

    A folder with another model, or a damaged one, is skipped: `lacking` says what is missing then.
    """
    name, beside = read_chosen(context.profile_folder), archive.absolute().parent
    if name is None or not (beside / MANIFEST).is_file() or (context.embedders_folder / name).is_dir():
        return
    with suppress(ModelError):
        loaded = TFLiteEmbedder.load(beside, context.threads)
        if installed_name(loaded.manifest) == name:
            install_embedder(beside, context.embedders_folder)


def lacking(context: Context) -> str | None:
    """What the profile looks or listens with and is not on this machine, and what gets it; None where all is there."""
    try:
        context.load_embedder(movements=True)
    except EdgeTLError as error:
        return str(error)
    return None
