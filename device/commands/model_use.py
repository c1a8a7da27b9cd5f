"""`edge-tl model use`: a profile looks with another converted model from now on, if that is no worse."""

from __future__ import annotations

import math
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from device.assembly import Context, load_saved
from device.cli.output import Progress, print_json, say
from device.commands.options import given_of
from device.teach.boxed import finds_boxes
from device.teach.compare_embedders import MEAN_IOU, Exchange, compare
from edge_tl.embedders.look.choices import Look
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError
from edge_tl.models import default_model
from edge_tl.store.embedders import install_embedder, install_loaded
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_chosen, read_hearing, write_settings
from edge_tl.tflite.manifest import read_manifest, same_pixels


def use(arguments: Namespace) -> int:
    """Install the model, embed the examples anew, train and evaluate; all as before where it turns out worse.

    Exit code 0 where it is in use now, 1 where the old one was better and stays.
    """
    context = Context(arguments.data_dir, arguments.profile)
    with ExitStack() as stack:
        profile = context.open_profile(stack, writable=True, make=True, keep_empty=True)
        if read_hearing(profile.folder) is not None:
            raise ConfigError(f"profile {context.profile!r} holds words: it cannot use a model for pictures")
        before = read_chosen(profile.folder)
        saved = load_saved(profile)
        look = Look() if finds_boxes(profile, saved) else None  # boxes are found in whole pictures
        if before is not None and not _place(before, context).is_dir():
            return _in_its_place(arguments, context, profile, look)
        old = context.load_embedder(look)
        name = _installed(arguments, context)
        # Loaded from where it will be used: its hash is checked there.
        loaded = TFLiteEmbedder.load(_place(name, context), threads=1)
        used = read_manifest(_place(before, context))
        if loaded.fingerprint == used.sha256 and not same_pixels(loaded.manifest, used):
            # The examples are known by the model's hash alone: those of before and after would be taken for alike.
            raise ConfigError(
                f"{arguments.path or loaded.name} is the model in use, with another size, colour order or scaling: "
                "the examples would not fit; use it for a new --profile"
            )
        write_settings(profile.folder, embedder=name)
        try:
            new = context.load_embedder(look)
            found: Exchange | None = None
            taught = {one.fingerprint for one in profile.store.list()}
            if taught - {new.fingerprint}:  # with --model FOLDER it may have been taught with this one already
                with Progress("embedding again") as progress:
                    found = compare(profile, old, new, saved, progress.of)
        finally:
            write_settings(profile.folder, embedder=before)  # until it is decided
        kept = found is not None and found.worse and not arguments.force
        generation = None
        if not kept:
            write_settings(profile.folder, embedder=name)
            if found is not None:
                # Killed between the two, the profile says what to do: examples re-embed, or this command again.
                profile.store.reembed(new)
                generation = found.save()
    told = {
        "profile": context.profile,
        "model": old.name if kept else new.name,
        "used": not kept,
        "figure": found.figure if found else None,
        "accuracy_before": _number(found.before if found else math.nan),
        "accuracy_after": _number(found.after if found else math.nan),
        "generation": generation,
    }
    if arguments.json:
        print_json(told)
    elif found is None:
        say(f"profile {context.profile!r} looks with {new.name}")
    else:
        form = ".2f" if found.figure == MEAN_IOU else ".1%"
        say(f"{new.name}: {found.figure} {found.after:{form}} instead of {found.before:{form}}, {found.method}")
        say(
            f"kept {old.name}, which is better (--force uses the other)" if kept else f"in use: generation {generation}"
        )
    return 1 if kept else 0


def _installed(arguments: Namespace, context: Context) -> str | None:
    """The name of the model of PATH, which is installed then; None where none was given."""
    if arguments.path is None:
        return None
    if arguments.path.is_dir():
        return install_embedder(arguments.path, context.embedders_folder)
    named = replace(context, model=arguments.path, given=given_of(arguments))
    return install_loaded(named.load_model(), context.embedders_folder)


def _in_its_place(arguments: Namespace, context: Context, profile: Profile, look: Look | None) -> int:
    """Use a model where the one before is not installed any more, so that nothing can be compared."""
    name = _installed(arguments, context)
    TFLiteEmbedder.load(_place(name, context), threads=1)
    write_settings(profile.folder, embedder=name)
    new = context.load_embedder(look)
    others = {one.fingerprint for one in profile.store.list()} - {"", new.fingerprint}
    if arguments.json:
        print_json({"profile": context.profile, "model": new.name, "used": True, "re_embed": bool(others)})
        return 0
    then = "; the examples are from another: `edge-tl examples re-embed`, then `edge-tl train`" if others else ""
    say(f"profile {context.profile!r} looks with {new.name}, because the previous model is not installed{then}")
    return 0


def _place(name: str | None, context: Context) -> Path:
    """Where an installed model is, or the one that ships."""
    return default_model() if name is None else context.embedders_folder / name


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
