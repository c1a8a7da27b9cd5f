"""Examples with boxes, in and out: CSV and COCO lists beside their pictures."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from device.assembly import Context, adopt_look, adopt_model
from device.cli.output import Progress, print_json, say
from device.cli.stopping import stoppable
from device.teach.boxed import in_pixels
from edge_tl.core.examples import check_box
from edge_tl.embedders.embedder import embed_kept
from edge_tl.embedders.look.choices import Look
from edge_tl.errors import ExampleError, counted
from edge_tl.files import write_synced
from edge_tl.labels import check_label
from edge_tl.media.image import decode
from edge_tl.store.box_files import write_csv
from edge_tl.store.coco import write_coco
from edge_tl.store.copies import StoredCopies, contradictions, copies_text
from edge_tl.store.folder_takes import listed_in_takes
from edge_tl.store.folders import ENDINGS, export_folder, folder_names, session_name_of
from edge_tl.store.layouts.tree import LayoutContents
from edge_tl.store.listed import ListedPicture, at_odds
from edge_tl.store.media import JPEG, stored_media
from edge_tl.store.profile import Profile


def bring_listed(
    context: Context,
    root: Path,
    told: LayoutContents,
    stack: ExitStack,
    sessions: bool,
    as_json: bool,
    read_as: str = "",
) -> int:
    """Import pictures with boxes: each good one is kept, everything left out is named, exit 1 if there was any.

    The same picture with the same box is skipped where it is there already, and left out under another label.
    root: the folder that they are named in. sessions: their first folder is the session. read_as: ends the last line.
    """
    embedder = context.load_embedder(Look())
    profile = context.open_profile(stack, writable=True, make=True)
    adopt_look(profile, Look())
    adopt_model(profile, context, embedder)
    store = profile.store
    numbers: dict[str, int] = {}
    takes: dict[tuple[str, str, str, int], int] = {}
    good, boxes, copies, bad = 0, 0, 0, len(told.left_out)
    known = StoredCopies(store)
    with Progress("importing") as progress, stoppable() as stopped:
        for line in told.left_out:
            progress.warn(line)
        in_takes = listed_in_takes(root, told.listed or (), progress.of)
        torn = contradictions((root / one.file, one.label, one.pixels) for one, _ in in_takes)
        torn |= at_odds([one for one, _ in in_takes])
        for done, (one, number) in enumerate(in_takes):
            progress.of(done, len(in_takes))
            if stopped():
                store.flush()
                progress.warn(f"stopped; {good} of {counted(len(in_takes), 'picture')} imported")
                return 130
            file = root / one.file
            if done in torn:
                progress.warn(torn[done])
                bad += 1
                continue
            try:
                picture = decode(file)
                place = one.file.parts[0] if sessions and len(one.file.parts) > 1 else one.session
                label = check_label(one.label)
                key = place, label, one.take, number
                box = one.box(picture.shape)
                box = None if box is None else check_box(box)
                kept = stored_media(file.read_bytes())
                known.check(file, label, kept, box)
                if known.find(kept, box):
                    copies += 1
                    continue
                if place not in numbers:
                    name = session_name_of(place or root.absolute().name)
                    numbers[place] = store.new_session(name, closed=True)
                if key not in takes:
                    takes[key] = store.new_take(label, one.take, numbers[place])
                example = store.add(takes[key], kept, embed_kept(embedder, picture), embedder.fingerprint, box=box)
                known.add(example, label, kept, box)
            except (ExampleError, OSError) as error:
                progress.warn(error)
                bad += 1
                continue
            good += 1
            boxes += box is not None
    store.flush()
    if as_json:
        said = {"imported": good, "boxes": boxes, "copies": copies, "bad": bad, "sessions": sorted(numbers.values())}
        print_json(said)
    else:
        several = f" of {counted(len(numbers), 'session')}" if len(numbers) > 1 else ""
        shown = f", {boxes} with a box" if good else ""
        say(f"imported {counted(good, 'picture')}{several}{shown}" + copies_text(copies, bad) + read_as)
    return 1 if bad else 0


def take_out_list(profile: Profile, folder: Path, *, coco: bool, as_json: bool) -> int:
    """Export the pictures as folders, with `boxes.csv` or COCO's `boxes.json` beside them."""
    store = profile.store
    if not any(one.media_type == JPEG for one in store.list()):
        raise ExampleError(f"there is nothing to export: profile {profile.folder.name!r} keeps no picture")
    with store.snapshot():
        export_folder(store, folder)
        folders = folder_names(store.labels())
        names = {session.id: session.name or str(session.id) for session in store.sessions()}
        listed = []
        for one in store.list():
            if one.media_type != JPEG:
                continue
            shape = decode(store.picture(one.id)).shape
            take = f"{one.take:08d}"
            file = PurePosixPath(folders[one.label]) / take / f"{one.id:08d}{ENDINGS[JPEG]}"
            left, top, right, bottom = (0.0,) * 4 if one.box is None else in_pixels(one.box, shape).tolist()
            pixels = None if one.box is None else (left, top, right, bottom)
            listed.append(ListedPicture(file, one.label, pixels, (shape[1], shape[0]), take, names[one.session]))
    path = folder / ("boxes.json" if coco else "boxes.csv")
    write_synced(path, (write_coco if coco else write_csv)(listed).encode())
    if as_json:
        print_json({"exported": len(listed), "boxes": sum(one.pixels is not None for one in listed), "list": str(path)})
    else:
        say(f"exported {counted(len(listed), 'picture')} to {folder}, their boxes to {path}")
    return 0
