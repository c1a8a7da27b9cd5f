"""Examples brought along: folders of pictures or sounds, and a browser's data set of words."""

from __future__ import annotations

import shlex
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from device.assembly import Context, adopt_hearing, adopt_look, adopt_model
from device.cli.output import Progress, print_json, say, shown_as, warn, warn_all
from device.cli.stopping import stoppable
from device.commands.examples_archive import archives_in, check_known, label_by_name, unfolded
from device.commands.examples_boxes import bring_listed
from device.commands.examples_files import files_of, lost_labels, preview, spoken_json, spoken_lines
from device.commands.examples_layout import LaidOut, read_as_list, read_laid_out, read_one_file
from device.commands.examples_movements import bring_movements, holds_movements
from device.commands.options import asked_hearing, asked_look, context_of, describing
from device.teach.candidates import candidates_of, embedded, label_within
from edge_tl.core.examples import TYPED
from edge_tl.core.unfold import packed_as
from edge_tl.embedders.embedder import Embedder, SoundEmbedder, missed_text
from edge_tl.embedders.hearing import Hearing, open_base
from edge_tl.errors import ConfigError, ExampleError, counted
from edge_tl.labels import alike, check_label
from edge_tl.media.kinds import MEDIA, ending, is_sound
from edge_tl.media.sound import label_of
from edge_tl.media.tfjsscds import MAGIC, SpokenExample, read_tfjsscds
from edge_tl.store.copies import StoredCopies, contradictions, copies_text
from edge_tl.store.folders import kind_of, labels_in, session_name_of
from edge_tl.store.layouts.audacity import recording_of
from edge_tl.store.layouts.lists import ENDINGS as LISTS
from edge_tl.store.layouts.tree import Tree
from edge_tl.store.media import stored_media
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_hearing, read_look
from edge_tl.words.cutting import LoudStretch
from edge_tl.words.spoken import BROWSER_HOP_S, embed_spoken, seconds_a_frame
from edge_tl.words.teachable_machine import holds_samples, is_sound_project, read_project, read_samples

TOLD = ", derived from the dates and contents of the files (folders CLASS/TAKE define them)"
"""What is said of takes that no folder named."""


def bring(arguments: Namespace, stack: ExitStack) -> int:
    """`edge-tl examples import PATH`; what may be wrong is found out before a new profile is made for it.

    What lies in an archive is said with the archive's name. Archives in an archive or in a folder are named and left
    out: exit code 1.
    """
    if arguments.path.is_file():
        arguments.path = recording_of(arguments.path) or arguments.path
        check_known(arguments.path)
    if packed_as(arguments.path) == "zip" and (holds_samples(arguments.path) or is_sound_project(arguments.path)):
        return bring_samples(arguments, stack)
    if not _begins(arguments.path, MAGIC) and packed_as(arguments.path):
        archive, arguments.path = arguments.path, unfolded(arguments.path, stack)
        stack.enter_context(shown_as(arguments.path, str(archive)))
        if arguments.label is None and Tree.of(arguments.path).tops == ("",):
            arguments.label = label_by_name(arguments.path)
    inner = archives_in(arguments.path) if arguments.path.is_dir() else []
    warn_all(
        f"{arguments.path / file}: is an archive itself and was left out: import it, or unpack it" for file in inner
    )
    code = bring_unpacked(arguments, stack)
    return 1 if inner and code == 0 else code


def bring_unpacked(arguments: Namespace, stack: ExitStack) -> int:
    """The same of what is no archive any more."""
    path, context = arguments.path, describing(arguments)
    if holds_movements(arguments, context):
        return bring_movements(arguments, context, stack)
    check_known(path)
    spoken = path.is_file() and _begins(path, MAGIC)
    laid_out = None
    if not spoken:
        if path.suffix.lower() in LISTS and path.is_file():
            laid_out = read_as_list(arguments)
        elif path.is_file() and ending(path) in MEDIA:
            laid_out = read_one_file(arguments)
        else:
            if path.is_file():
                raise ExampleError(
                    f"{path}: is none of the files that are read: a folder of pictures or sounds, an archive of one, "
                    "or a list (CSV, JSON, XML) is wanted"
                )
            labels_in(path)
            laid_out = read_laid_out(arguments)
        if laid_out is not None and laid_out.contents.listed is not None:
            _check_whole(arguments)
            if arguments.preview:
                raise ConfigError(f"{path} contains boxes: --preview goes with folders of classes and with recordings")
            told, said = laid_out.contents, laid_out.said
            return bring_listed(context, laid_out.root, told, stack, arguments.sessions, arguments.json, said)
    hearing = asked_hearing(arguments, context) or read_hearing(context.profile_folder)
    if spoken:
        if arguments.preview:
            raise ConfigError(f"{path} is a data set of words that are cut out already: leave --preview out")
        return bring_spoken(context, path, hearing or Hearing(), stack, as_json=arguments.json)
    if arguments.preview:
        kind = laid_out.kind if laid_out else kind_of(path)
        kind = kind if hearing is None else "sound"
        return preview(path, laid_out, kind, arguments.sessions, arguments.json, arguments.rotate)
    if hearing is None and (laid_out.kind if laid_out else kind_of(path)) == "picture":
        look = asked_look(arguments, read_look(context.profile_folder))
        embedder = context.load_embedder(look)
        profile = context.open_profile(stack, writable=True, make=True)
        adopt_look(profile, look)
        adopt_model(profile, context, embedder)
    else:
        if arguments.look is not None:
            raise ConfigError(f"{path} holds sounds: --look goes with pictures")
        if not any(is_sound(file) for file in (path, *map(path.joinpath, Tree.of(path).media))):
            raise ConfigError(f"{path} holds pictures, and {_of_words(arguments, context)}: give another --profile")
        embedder = open_base(hearing or Hearing(), context.threads)
        profile = context.open_profile(stack, writable=True, make=True)
        adopt_hearing(profile, hearing)
    return bring_folder(
        profile,
        embedder,
        path,
        laid_out,
        degrees=arguments.rotate,
        in_sessions=arguments.sessions,
        as_json=arguments.json,
    )


def _of_words(arguments: Namespace, context: Context) -> str:
    """Why words are wanted."""
    return "--base listens to words" if arguments.base is not None else f"profile {context.profile!r} holds words"


def _check_whole(arguments: Namespace) -> None:
    """ConfigError where boxes are told and the pictures are to be turned, or looked at in another way than whole."""
    if arguments.look not in (None, "frame") or arguments.rotate:
        raise ConfigError(f"{arguments.path} contains boxes in whole, upright pictures: leave out --look and --rotate")


def bring_folder(
    profile: Profile,
    embedder: Embedder,
    path: Path,
    laid_out: LaidOut | None,
    *,
    degrees: int,
    in_sessions: bool,
    as_json: bool,
) -> int:
    """Import a folder: every good file is kept, everything left out is named, exit 1 if there was any.

    A file whose bytes are in the profile already, or came before, is skipped and counted; one whose bytes are there
    under another label is left out and named, and of two such files in the folder both are.
    laid_out: what was read of it, where it is no folders of classes. degrees: clockwise, which pictures are turned by
    first. in_sessions: the folders at the top are places or days.
    """
    kind = embedder.kind
    missed = copies = filmed = 0
    known = StoredCopies(profile.store)
    views = embedder.views if isinstance(embedder, SoundEmbedder) else 1
    profile.store.check_embedder(embedder.fingerprint, views * embedder.embedding_dim)  # also where all are copies
    takes: dict[tuple[object, ...], int] = {}
    sessions: dict[int, int] = {}
    good, bad, files = 0, 0, 0
    words: list[dict[str, Any]] = []
    with Progress("importing") as progress, stoppable() as stopped:

        def left_out(text: object) -> None:
            nonlocal bad
            bad += 1
            progress.warn(text)

        listed = files_of(path, laid_out, kind, in_sessions, progress)
        found_all, clips, bad = listed.found, listed.clips, listed.left_out
        torn = contradictions((found.path, label_within(found.label, kind), found.cuts) for found in found_all)
        for done, found in enumerate(found_all):
            progress.of(done, len(found_all))
            if stopped():
                profile.store.flush()
                progress.warn(f"stopped; {files} of {counted(len(found_all), 'file')} imported")
                return 130
            if done in torn:
                left_out(torn[done])
                continue
            try:
                spoken: list[LoudStretch] = []
                label = label_within(found.label, kind)
                offered = candidates_of(found.path, label, kind, degrees, spoken=spoken.append, cuts=found.cuts)
                bad += lost_labels(found, spoken)
                words += spoken_json(found, spoken)
                if not as_json:
                    progress.say(*spoken_lines(found, spoken))
                for one in offered:
                    known.check(found.path, one.label, one.kept)
                fresh = [(number, one) for number, one in enumerate(offered) if known.find(one.kept) is None]
                embeddings = [embedded(embedder, one.data) for _, one in fresh]
            except (ExampleError, OSError) as error:
                left_out(error)
                continue
            before = good
            for (number, one), embedding in zip(fresh, embeddings, strict=True):
                if known.find(one.kept):  # of pieces of one recording
                    continue
                if found.session not in sessions:
                    # What is recorded later was not recorded there: it is closed.
                    name = found.session_name or session_name_of(path.absolute().name)
                    sessions[found.session] = profile.store.new_session(name, closed=True)
                # Pictures of a folder may resemble each other as frames do; each recording is spoken anew.
                alone = (found.path, number) if kind == "sound" else (found.path,) if found.path in clips else ()
                key = (found.session, one.label, found.take_name, found.take, *alone)
                if key not in takes:
                    source = f"{TYPED}{found.take_name}" if found.typed else found.take_name
                    takes[key] = profile.store.new_take(one.label, source, sessions[found.session])
                example = profile.store.add(takes[key], one.kept, embedding, embedder.fingerprint)
                known.add(example, one.label, one.kept)
                good += 1
                missed += not embedding.any()
            copies += len(offered) - (good - before)
            filmed += found.path in clips and good > before
            files += 1
    profile.store.flush()
    for label, other in alike(profile.store.labels()):
        command = f"`edge-tl examples rename {shlex.quote(other)} {shlex.quote(label)}`"
        warn(f"{label!r} and {other!r} are two classes; if they are one, {command}")
    if not good and not bad and not copies:
        wanted = f"SESSION/CLASS/{kind}" if in_sessions else f"CLASS/{kind} or CLASS/TAKE/{kind}"
        raise ExampleError(f"no {kind}s in {path}: wanted {wanted}")
    if as_json:
        numbers = sorted(sessions.values())
        said = {"imported": good, "copies": copies, "bad": bad, "takes": len(takes), "sessions": numbers}
        print_json(said | {"nothing_found": missed} | ({"words": words} if words else {}))
    else:
        several = f" of {counted(len(sessions), 'session')}" if len(sessions) > 1 else ""
        where = f" in {counted(len(takes), 'take')}{several}" if good else ""
        if filmed:
            where += f", frames of {counted(filmed, 'clip')} at even distances"
        told = TOLD if kind == "picture" and good and any(not one.take_name for one in found_all) else ""
        text = f"imported {counted(good, kind)}{where}{told}" + copies_text(copies, bad)
        say(text + missed_text(embedder, missed, "them") + (laid_out.said if laid_out else ""))
    return 1 if bad else 0


def bring_samples(arguments: Namespace, stack: ExitStack) -> int:
    """Import the sounds of Teachable Machine: a project, or a class's samples, which the archive's name may name."""
    path: Path = arguments.path
    project = is_sound_project(path)
    what = (
        "is a project of sounds: --base goes with it"
        if project
        else "holds samples of one class: --label and --base go with it"
    )
    others = (arguments.layout, arguments.split, arguments.images, arguments.look, arguments.label if project else None)
    if arguments.sessions or arguments.preview or arguments.rotate or any(one is not None for one in others):
        raise ConfigError(f"{path} {what}, and nothing else")
    if project:
        spoken, lines = read_project(path)
    else:
        label = arguments.label or label_by_name(path.with_suffix(""))
        if label is None:
            raise ConfigError(f"{path} holds samples of one class: say which with --label NAME")
        spoken, lines = read_samples(path, check_label(label))
    warn_all(lines)
    if not spoken:
        raise ExampleError(f"{path}: none of its classes can be read: save the project again")
    context = context_of(arguments)
    hearing = asked_hearing(arguments, context) or read_hearing(context.profile_folder)
    code = keep_spoken(context, path, spoken, hearing or Hearing(), stack, as_json=arguments.json)
    return 1 if lines else code


def bring_spoken(context: Context, path: Path, hearing: Hearing, stack: ExitStack, *, as_json: bool) -> int:
    """Import a TFJSSCDS file, as of `keep_spoken`."""
    try:
        spoken = read_tfjsscds(path.read_bytes())
    except ExampleError as error:
        raise ExampleError(f"{path}: {error}") from None
    return keep_spoken(context, path, spoken, hearing, stack, as_json=as_json)


def keep_spoken(
    context: Context, path: Path, spoken: list[SpokenExample], hearing: Hearing, stack: ExitStack, *, as_json: bool
) -> int:
    """Keep a browser's recordings, all of them or none; what cannot be taught is named, kept and exported again.

    Examples that kept their sound are taught as recordings are; spectrograms alone where the base takes frames of their
    size (`--base`), else they are kept, and listed, and not trained on.
    """
    with_sound = sum(one.samples is not None for one in spoken)
    # Without a base named, a file of spectrograms alone needs none, and not the extra `speech` either.
    embedder = open_base(hearing, context.threads) if with_sound or hearing != Hearing() else None
    profile = context.open_profile(stack, writable=True, make=True)
    adopt_hearing(profile, hearing)
    store = profile.store
    with Progress("importing") as progress:
        known = StoredCopies(store)
        kept = {stored_media(one): one for one in spoken}  # its label is part of each: no two labels can be one file
        fresh = [(file, one) for file, one in kept.items() if known.find(file) is None]
        session = store.new_session(session_name_of(path.stem), closed=True)
        embeddings: list[np.ndarray | None] = []
        for done, (_, one) in enumerate(fresh):
            progress.of(done, len(fresh))
            try:
                embeddings.append(None if embedder is None else embed_spoken(embedder, one))
            except ExampleError as error:
                progress.warn(f"{path}: an example of {one.label!r} is kept and not trained on ({error})")
                embeddings.append(None)
        for (file, one), embedding in zip(fresh, embeddings, strict=True):
            take = store.new_take(label_of(one.label), path.name, session)
            store.add(take, file, embedding, embedder.fingerprint if embedding is not None and embedder else "")
        store.flush()
    if spoken and BROWSER_HOP_S[0] <= float(np.median([seconds_a_frame(one) for one in spoken])) <= BROWSER_HOP_S[1]:
        warn("a browser recorded these frames about 9 % farther apart than the model expects; their sound is exact")
    taken = sum(embedding is not None for embedding in embeddings)
    with_sound = sum(one.samples is not None for _, one in fresh)
    copies = len(spoken) - len(fresh)
    said: dict[str, Any] = {"imported": len(fresh), "copies": copies, "with_sound": with_sound, "trainable": taken}
    if as_json:
        print_json(said)
    else:
        only = len(fresh) - taken
        what = (
            "contained no sound"
            if only == len(fresh) - with_sound
            else "contained no sound that can be used for training"
        )
        more = f"; {only} {what}: they are listed and exported, and not trained on" if only else ""
        classes = len({one.label for _, one in fresh})
        say(
            f"imported {counted(len(fresh), 'recording')} of "
            f"{counted(classes, 'class', 'classes')}{copies_text(copies)}{more}"
        )
    return 0


def _begins(path: Path, magic: bytes) -> bool:
    """Whether a file begins so; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError:
        return False
