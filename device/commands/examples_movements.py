"""Movements brought along: a folder a class, in it tracks of a hand, each a demonstration; `nothing` too."""

from __future__ import annotations

import os
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

from device.assembly import Context, adopt_look
from device.cli.output import Progress, print_json, say
from device.cli.stopping import stoppable
from device.commands.options import first_given
from device.teach.filmed import Reader
from edge_tl.embedders.embedder import TrackEmbedder
from edge_tl.embedders.look.choices import MOVEMENT, Look
from edge_tl.errors import ConfigError, ExampleError, counted
from edge_tl.files import is_clutter
from edge_tl.labels import ORDINARY
from edge_tl.media.kinds import PICTURES, SOUNDS, TRACKS, ending
from edge_tl.movements.demonstration import ordinary_pieces
from edge_tl.movements.held import ClassKinds, demonstration_in
from edge_tl.movements.track import Track, longest
from edge_tl.movements.track_file import Recording
from edge_tl.store.copies import StoredCopies, contradictions, copies_text
from edge_tl.store.folders import import_folder, session_name_of
from edge_tl.store.media import TRACK, StoredMedia, stored_media
from edge_tl.store.settings import read_look


def holds_movements(arguments: Namespace, context: Context) -> bool:
    """Whether what is imported are movements: it is said, the profile holds some, or the files are tracks of a hand."""
    path: Path = arguments.path
    if arguments.movements and not path.is_dir():
        raise ConfigError(f"{path} is no folder: --movements goes with CLASS/demonstration.npz, .csv or .mp4")
    if not path.is_dir() or arguments.images is not None:
        return False
    if arguments.movements or read_look(context.profile_folder).way == MOVEMENT:
        return True
    tracks = 0
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not is_clutter(name)]
        endings = {ending(Path(name)) for name in names if not is_clutter(name)}
        if endings & (PICTURES | SOUNDS):
            return False
        tracks += Path(folder) != path and bool(endings & TRACKS)
    return tracks > 0


def bring_movements(arguments: Namespace, context: Context, stack: ExitStack) -> int:
    """Import CLASS/demonstration.npz, .csv or .mp4: every good one is kept, others are named, exit 1 if there was any.

    Each file is a take, but for those of one take that `export` wrote. Of a demonstration the part in which the hand
    moves is kept, all of it where the hand is held; the class `nothing` is cut into overlapping pieces. A file that is
    in the profile already is skipped and counted.
    """
    path: Path = arguments.path
    if (given := first_given(arguments, "look", "box", "hands", "base", "layout", "split", "label")) is not None:
        raise ConfigError(f"{path} holds tracks of a hand: leave {given} out")
    look = Look(MOVEMENT)
    embedder = context.load_embedder(look, movements=True)
    assert isinstance(embedder, TrackEmbedder)
    profile = context.open_profile(stack, writable=True, make=True)
    adopt_look(profile, look)
    store, known = profile.store, StoredCopies(profile.store)
    there = store.matrix(embedder.fingerprint)
    kinds = ClassKinds(there.X[:, -embedder.embedding_dim :], there.y)
    read = Reader(context, arguments.rotate)
    sessions: dict[int, int] = {}
    exported: dict[tuple[Path, int], int] = {}
    good = bad = copies = takes = 0
    with Progress("importing") as progress, stoppable() as stopped:

        def left_out(text: object) -> None:
            nonlocal bad
            bad += 1
            progress.warn(text)

        found_all = list(
            import_folder(
                path, lambda file, why: left_out(f"{file}: {why}"), sessions=arguments.sessions, kind="movement"
            )
        )
        torn = contradictions((found.path, found.label, None) for found in found_all)
        for done, found in enumerate(found_all):
            progress.of(done, len(found_all))
            if stopped():
                store.flush()
                progress.warn(f"stopped; {done} of {counted(len(found_all), 'file')} imported")
                return 130
            if done in torn:
                left_out(torn[done])
                continue
            try:
                recording = read(found.path)
                parts = parts_of(recording, found.path, found.label, kinds)
                kept = dict(parts)
                for file in kept:
                    known.check(found.path, found.label, file)
            except (ExampleError, OSError) as error:
                left_out(error)
                continue
            fresh = {file: part for file, part in kept.items() if known.find(file) is None}
            copies += len(parts) - len(fresh)
            if not fresh:
                continue
            if found.session not in sessions:
                name = found.session_name or session_name_of(path.absolute().name)
                sessions[found.session] = store.new_session(name, closed=True)
            # Pieces of one recording overlap: they stay one take, or a test would find its like in the training.
            take = exported.get((found.path.parent, found.session)) if recording.cut and found.take_name else None
            if take is None:
                take = store.new_take(found.label, found.take_name or found.path.name, sessions[found.session])
                takes += 1
            if recording.cut:
                exported[found.path.parent, found.session] = take
            for file, part in fresh.items():
                embedding = embedder.taught(part, found.label)
                known.add(store.add(take, file, embedding, embedder.fingerprint), found.label, file)
                good += 1
    store.flush()
    if not good and not bad and not copies:
        raise ExampleError(f"no tracks in {path}: wanted CLASS/demonstration.npz, .csv or .mp4")
    if arguments.json:
        numbers = sorted(sessions.values())
        print_json({"imported": good, "copies": copies, "bad": bad, "takes": takes, "sessions": numbers})
    else:
        where = f" in {counted(takes, 'take')}" if good else ""
        say(f"imported {counted(good, 'movement')}{where}{copies_text(copies, bad)}")
    return 1 if bad else 0


def parts_of(recording: Recording, file: Path, label: str, kinds: ClassKinds) -> list[tuple[StoredMedia, Track]]:
    """What a file is as examples of a class, and as they are kept: the movement in it, or pieces of moving about.

    One that was exported is an example as it is. ExampleError, with the file's name, where there is none.
    """
    cut = recording.tracks if recording.cut else cut_out(file, recording.tracks, label)
    if label != ORDINARY:
        try:
            kinds.check(label, cut[0])
        except ExampleError as error:
            raise ExampleError(f"{file}: {error}") from None
    if recording.cut:
        return [(StoredMedia(TRACK, file.read_bytes()), cut[0])]
    return [(stored_media(part), part) for part in cut]


def cut_out(file: Path, tracks: list[Track], label: str) -> list[Track]:
    """The movement, or the sign, in the longest of the tracks, or the pieces of all; errors as of `parts_of`."""
    try:
        if label != ORDINARY:
            return [demonstration_in(longest(tracks))]
        longest(tracks)
    except ExampleError as error:
        raise ExampleError(f"{file}: {error}") from None
    return [piece for track in tracks for piece in ordinary_pieces(track)]
