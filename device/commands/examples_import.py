"""Examples brought along: folders of pictures or sounds, and a browser's data set of words."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from device.assembly import Context, adopt_hearing, adopt_look
from device.cli.output import Progress, print_json, warn
from device.cli.stopping import stoppable
from device.commands.examples_boxes import bring_list
from device.commands.options import asked_hearing, asked_look, context_of
from device.sources.rotated import turned
from edge_tl.embedders.embedder import Embedder, SoundEmbedder, embed_kept, missed_text
from edge_tl.embedders.hearing import Hearing, open_base
from edge_tl.embedders.stream import embed_views
from edge_tl.errors import ConfigError, ExampleError
from edge_tl.labels import NOISE
from edge_tl.media.image import decode
from edge_tl.media.sound import LONGEST_WORD_S, SHORTEST_S, label_of, pieces, read_sound
from edge_tl.media.tfjsscds import MAGIC, read_tfjsscds
from edge_tl.store.box_files import ENDINGS as LISTS
from edge_tl.store.folders import KINDS, Found, import_folder, kind_of, labels_in, session_name_of
from edge_tl.store.media import Media
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_hearing, read_look
from edge_tl.words.spoken import BROWSER_HOP_S, embed_spoken, seconds_a_frame


def bring(arguments: Namespace, stack: ExitStack) -> int:
    """`edge-tl examples import PATH`; what may be wrong is found out before a new profile is made for it."""
    path, context = arguments.path, context_of(arguments)
    spoken = path.is_file() and _begins(path, MAGIC)
    if not spoken and path.suffix.lower() in LISTS and path.is_file():
        if arguments.look not in (None, "frame") or arguments.rotate:
            raise ConfigError(f"{path} tells boxes in whole pictures, upright: leave --look and --rotate out")
        return bring_list(context, path, stack, sessions=arguments.sessions, as_json=arguments.json)
    if not spoken:
        labels_in(path)
    hearing = asked_hearing(arguments, context) or read_hearing(context.profile_folder)
    if spoken:
        return bring_spoken(context, path, hearing or Hearing(), stack, as_json=arguments.json)
    if hearing is None and kind_of(path) == "picture":
        look = asked_look(arguments, read_look(context.profile_folder))
        embedder = context.load_embedder(look)
        profile = context.open_profile(stack, writable=True, make=True)
        adopt_look(profile, look)
    else:
        if arguments.look is not None:
            raise ConfigError(f"{path} holds sounds: --look goes with pictures")
        embedder = open_base(hearing or Hearing(), context.threads)
        profile = context.open_profile(stack, writable=True, make=True)
        adopt_hearing(profile, hearing)
    return bring_folder(
        profile, embedder, path, degrees=arguments.rotate, in_sessions=arguments.sessions, as_json=arguments.json
    )


def bring_folder(
    profile: Profile, embedder: Embedder, path: Path, *, degrees: int, in_sessions: bool, as_json: bool
) -> int:
    """Import a folder: every good file is kept, everything left out is named, exit 1 if there was any.

    degrees: clockwise, which pictures are turned by first. in_sessions: the folders at the top are places or days.
    """
    kind = embedder.kind
    missed = 0
    takes: dict[tuple[object, ...], int] = {}
    sessions: dict[int, int] = {}
    good, bad, files = 0, 0, 0
    others: list[str] = []
    with Progress("importing") as progress, stoppable() as stopped:

        def left_out(text: object) -> None:
            nonlocal bad
            bad += 1
            progress.warn(text)

        def skipped(file: Path, reason: str) -> None:
            if file.is_file() and file.suffix.lower() not in KINDS[kind]:
                others.append(file.name)  # a table or a note among the pictures is nothing that went wrong
            else:
                left_out(f"{file}: {reason}")

        found_all = list(import_folder(path, skipped, sessions=in_sessions, kind=kind))
        if others:
            shown = ", ".join(others[:3]) + (" …" if len(others) > 3 else "")
            progress.warn(f"passed over {len(others)} of other kinds, which are no {kind}s: {shown}")
        for done, found in enumerate(found_all):
            progress.of(done, len(found_all))
            if stopped():
                profile.store.flush()
                progress.warn(f"stopped; {files} of {len(found_all)} files are imported")
                return 130
            try:
                made = examples_of(found, embedder, degrees)
            except (ExampleError, OSError) as error:
                left_out(error)
                continue
            if found.session not in sessions:
                # What is recorded later was not recorded there: it is closed.
                name = found.session_name or session_name_of(path.absolute().name)
                sessions[found.session] = profile.store.new_session(name, closed=True)
            for number, (label, media, embedding) in enumerate(made):
                # Pictures of a folder resemble each other as frames do; each recording is spoken anew.
                alone = (found.path, number) if kind == "sound" else ()
                key = (found.session, label, found.take_name, *alone)
                if key not in takes:
                    takes[key] = profile.store.new_take(label, found.take_name, sessions[found.session])
                profile.store.add(takes[key], media, embedding, embedder.fingerprint)
                good += 1
                missed += not embedding.any()
            files += 1
    profile.store.flush()
    if not good and not bad:
        wanted = f"SESSION/CLASS/{kind}" if in_sessions else f"CLASS/{kind} or CLASS/TAKE/{kind}"
        raise ExampleError(f"no {kind}s in {path}: wanted {wanted}")
    if as_json:
        numbers = sorted(sessions.values())
        print_json({"imported": good, "bad": bad, "takes": len(takes), "sessions": numbers, "nothing_found": missed})
    else:
        several = f" of {len(sessions)} sessions" if len(sessions) > 1 else ""
        said = f"imported {good} {kind}s in {len(takes)} takes{several}" + (f"; {bad} left out" if bad else "")
        print(said + missed_text(embedder, missed, "them"))
    return 1 if bad else 0


def examples_of(found: Found, embedder: Embedder, degrees: int = 0) -> list[tuple[str, Media, np.ndarray]]:
    """(label, what is kept, its embedding) of a file: one example, or several of a long recording of noise.

    degrees: clockwise, which pictures are turned by first.
    """
    if not isinstance(embedder, SoundEmbedder):
        picture = turned(decode(found.path), degrees)
        kept = picture if degrees else found.path.read_bytes()  # byte for byte where it is as it came
        return [(found.label, kept, embed_kept(embedder, picture))]
    sound, label = read_sound(found.path), label_of(found.label)
    if sound.duration_s < SHORTEST_S:
        raise ExampleError(f"{found.path}: is {sound.duration_s:.2f} s long; {SHORTEST_S:g} s and more are wanted")
    parts = pieces(sound) if label == NOISE else [sound]
    if label != NOISE and sound.duration_s > LONGEST_WORD_S:
        raise ExampleError(
            f"{found.path}: is {sound.duration_s:.1f} s long; a word of at most {LONGEST_WORD_S:g} s is wanted: "
            "cut it out"
        )
    return [(label, part, embed_views(embedder, part)) for part in parts]


def bring_spoken(context: Context, path: Path, hearing: Hearing, stack: ExitStack, *, as_json: bool) -> int:
    """Import a TFJSSCDS file, all of it or nothing.

    Examples that kept their sound are taught as recordings are; spectrograms alone where the base takes frames of their
    size (`--base`), else they are kept, and listed, and not trained on.
    """
    try:
        spoken = read_tfjsscds(path.read_bytes())
    except ExampleError as error:
        raise ExampleError(f"{path}: {error}") from None
    with_sound = sum(one.samples is not None for one in spoken)
    # Without a base named, a file of spectrograms alone needs none, and not the extra `speech` either.
    embedder = open_base(hearing, context.threads) if with_sound or hearing != Hearing() else None
    profile = context.open_profile(stack, writable=True, make=True)
    adopt_hearing(profile, hearing)
    store = profile.store
    with Progress("importing") as progress:
        session = store.new_session(session_name_of(path.stem), closed=True)
        embeddings: list[np.ndarray | None] = []
        for done, one in enumerate(spoken):
            progress.of(done, len(spoken))
            embeddings.append(None if embedder is None else embed_spoken(embedder, one))
        for one, embedding in zip(spoken, embeddings, strict=True):
            take = store.new_take(label_of(one.label), path.name, session)
            store.add(take, one, embedding, embedder.fingerprint if embedding is not None and embedder else "")
        store.flush()
    if spoken and BROWSER_HOP_S[0] <= float(np.median([seconds_a_frame(one) for one in spoken])) <= BROWSER_HOP_S[1]:
        warn("a browser recorded these frames about 9 % farther apart than the model expects; their sound is exact")
    taken = sum(embedding is not None for embedding in embeddings)
    said: dict[str, Any] = {"imported": len(spoken), "with_sound": with_sound, "trainable": taken}
    if as_json:
        print_json(said)
    else:
        only = len(spoken) - taken
        more = f"; {only} kept no sound: they are listed and exported, and not trained on" if only else ""
        print(f"imported {len(spoken)} recordings of {len({one.label for one in spoken})} classes{more}")
    return 0


def _begins(path: Path, magic: bytes) -> bool:
    """Whether a file begins so; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError:
        return False
