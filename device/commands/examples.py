"""`edge-tl examples`: what was recorded, in and out."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from device.assembly import Context, remember_model
from device.cli.output import Progress, print_json, say, warn
from device.cli.stopping import stoppable
from device.commands import examples_type
from device.commands.examples_boxes import take_out_list
from device.commands.examples_import import bring
from device.commands.options import asked_look, describing
from device.teach.boxed import has_boxes
from edge_tl.core.kept import kept_found
from edge_tl.embedders.embedder import Embedder, looks_for, missed_text
from edge_tl.embedders.look.choices import MOVEMENT, Look
from edge_tl.embedders.look.ways import inner_of
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, ExampleError, ProfileError, counted
from edge_tl.files import write_synced
from edge_tl.media.tfjsscds import write_tfjsscds
from edge_tl.store.folders import export_folder
from edge_tl.store.media import TFJSSCDS, WAV
from edge_tl.store.moments import NOT_SET, in_words
from edge_tl.store.profile import Profile
from edge_tl.store.sessions import in_one_session_only
from edge_tl.store.settings import read_hearing, read_look, write_settings
from edge_tl.words.spoken import as_spoken


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
            return bring(arguments, stack)
        if arguments.action == "type":
            return examples_type.run(arguments, stack)
        writable = arguments.action in ("remove", "rename", "re-embed")
        profile = Context(arguments.data_dir, arguments.profile).open_profile(stack, writable=writable)
        return actions[arguments.action](arguments, profile)


def show(arguments: Namespace, profile: Profile) -> int:
    """Counts a class and the sessions, or every example as JSON."""
    sessions = profile.store.sessions()
    if arguments.json:
        names = {session.id: session.name for session in sessions}
        examples = profile.store.list()
        more = [{"session_name": names.get(one.session, ""), "typed": one.typed} for one in examples]
        print_json([asdict(one) | told for one, told in zip(examples, more, strict=True)])
        return 0
    counts = profile.store.counts()
    if not counts:
        say("nothing was recorded yet: `edge-tl teach`, or `edge-tl examples import FOLDER`")
    examples = profile.store.list()
    typed = Counter(one.label for one in examples if one.typed)
    for label, count in counts.items():
        spoken = f" ({typed[label]} typed)" if typed[label] else ""
        say(f"{column(count.examples, 'example', 6)} in {column(count.takes, 'take', 3)}  {label}{spoken}")
    for session in sessions:
        when = f" of {in_words(session.started_s)}" if session.started_s is not None else f" ({NOT_SET})"
        held = f"{column(session.examples, 'example', 6)} in {column(session.takes, 'take', 3)}"
        say(f"{held}  session {session.id}{when}  {session.name}".rstrip())
    recorded = {one.session for one in examples if not one.typed}
    for label in in_one_session_only([one for one in sessions if one.id in recorded]):
        say(f"{label} is in one session only: its accuracy on another day cannot be measured")
    return 0


def column(number: int, one: str, digits: int) -> str:
    """A number with its noun, as wide as every other of its column."""
    return (" " * (digits - len(str(number))) + counted(number, one)).ljust(digits + len(one) + 2)


def take_out(arguments: Namespace, profile: Profile) -> int:
    """Export as folders, or words as a browser's data set."""
    if arguments.format == "tfjsscds":
        return take_out_spoken(profile, arguments.profile, arguments.path, as_json=arguments.json)
    if arguments.format in ("csv", "coco"):
        return take_out_list(profile, arguments.path, coco=arguments.format == "coco", as_json=arguments.json)
    kept = [one.media_type for one in profile.store.list() if one.media_bytes_len]
    if not kept:
        raise ExampleError(f"there is nothing to export: profile {arguments.profile!r} keeps no picture and no sound")
    if browsers := sum(kind == TFJSSCDS for kind in kept):
        those = counted(
            browsers,
            "example is of a browser's data set and becomes",
            "examples are of a browser's data set and become",
        )
        line = f"{those} no file in a folder: `--format tfjsscds` writes all words"
        if browsers == len(kept):
            raise ExampleError(f"there is nothing to export: {line}")
        warn(line)
    with Progress("exporting") as progress, stoppable() as stopped:

        def step(done: int, total: int) -> bool:
            progress.of(done, total)
            return stopped()

        number = export_folder(profile.store, arguments.path, step)
    if stopped():
        warn(f"stopped; {counted(number, 'picture was', 'pictures were')} exported to {arguments.path}")
        return 130
    if arguments.json:
        print_json({"exported": number})
    else:
        say(f"exported {counted(number, 'file')} to {arguments.path}")
    return 0


def take_out_spoken(profile: Profile, name: str, path: Path, *, as_json: bool) -> int:
    """Export every word as TFJSSCDS, one file."""
    spoken = [one for one in profile.store.list() if one.media_type in (WAV, TFJSSCDS)]
    if not spoken:
        raise ExampleError(f"profile {name!r} holds no words: TFJSSCDS is a format of words")
    if path.exists():
        raise ExampleError(f"{path} exists: choose a new name for the export")
    if typed := sum(one.typed for one in spoken):
        warn(
            f"{counted(typed, 'recording was', 'recordings were')} typed, which that format cannot store: use the "
            "folder format"
        )
    with Progress("exporting") as progress:
        made = []
        for done, example in enumerate(spoken):
            progress.of(done, len(spoken))
            made.append(as_spoken(profile.store, example))
        write_synced(path, write_tfjsscds(made))
    if as_json:
        print_json({"exported": len(made)})
    else:
        say(f"exported {counted(len(made), 'recording')} to {path}")
    return 0


def remove(arguments: Namespace, profile: Profile) -> int:
    """Forget examples."""
    store = profile.store
    before = sum(count.examples for count in store.counts().values())
    if arguments.last_take:
        if store.undo_last_take() is None:
            raise ExampleError("there is no take to remove: nothing was recorded yet")
    elif arguments.label is not None:
        store.remove_label(arguments.label)
    elif arguments.session is not None:
        store.remove_session(session_called(profile, arguments.session))
    else:
        store.remove(arguments.id)
    gone = before - sum(count.examples for count in store.counts().values())
    if arguments.json:
        print_json({"removed": gone})
    else:
        nothing = "no example" if arguments.label is None else f"the class {arguments.label}, which had no example"
        say(f"removed {counted(gone, 'example')}; run `edge-tl train` to apply it" if gone else f"removed {nothing}")
    return 0


def rename(arguments: Namespace, profile: Profile) -> int:
    """Rename a class or a session."""
    if arguments.session:
        number = session_called(profile, arguments.old)
        profile.store.rename_session(number, arguments.new)
        said = f"session {number} is now called {arguments.new}"
    else:
        changed = profile.store.rename(arguments.old, arguments.new)
        said = f"{arguments.old} is now {arguments.new}" + ("; run `edge-tl train` to apply it" if changed else "")
    if arguments.json:
        print_json({"renamed": arguments.old, "to": arguments.new})
    else:
        say(said)
    return 0


def session_called(profile: Profile, text: str) -> int:
    """The number of a session by its number or its name; ExampleError where none or two have it."""
    sessions = profile.store.sessions()
    found = [one.id for one in sessions if str(one.id) == text] or [one.id for one in sessions if one.name == text]
    if len(found) != 1:
        known = ", ".join(f"{one.id} {one.name}".strip() for one in sessions) or "none"
        several = counted(len(found), "session is", "sessions are") if found else "no session is"
        raise ExampleError(f"{several} called {text!r}; give the number; there are: {known}")
    return found[0]


def embed_again(arguments: Namespace, profile: Profile) -> int:
    """Re-embed everything with the model at hand and the way to look asked for, which the profile remembers."""
    context = describing(arguments)
    if read_hearing(profile.folder) is not None:
        if arguments.look is not None:
            raise ConfigError(f"profile {context.profile!r} was taught words: --look goes with pictures")
        return embed_words_again(context, profile, as_json=arguments.json)
    remembered = None
    try:
        remembered = read_look(profile.folder)
    except ProfileError:
        if arguments.look is None:
            raise
    look = asked_look(arguments, remembered or Look())
    if remembered is not None and remembered.way == MOVEMENT and look != remembered:
        raise ConfigError(f"profile {context.profile!r} was taught movements: --look goes with pictures")
    if look.way != "frame" and has_boxes(profile.store):
        raise ConfigError(f"boxes are found in whole pictures, and profile {context.profile!r} has some: --look frame")
    embedder = context.load_embedder(look, movements=remembered == look)
    # First of all: where this is stopped or killed half-way, running it again goes on the new way.
    if look != remembered:
        write_settings(profile.folder, look=look)
    used = inner_of(embedder)
    if context.model is not None and isinstance(used, TFLiteEmbedder):
        remember_model(profile, context, used)
    try:
        number = reembed(profile, embedder)
    except ExampleError:
        if all(one.fingerprint != embedder.fingerprint for one in profile.store.list()):  # nothing goes the new way
            write_settings(profile.folder, look=remembered or Look())
        raise
    if number is None:
        return 130
    found = profile.store.matrix(embedder.fingerprint, lambda kept: (kept[:, :1], kept_found(kept))).found
    assert found is not None  # it was asked for
    missed = int((~found).sum()) if looks_for(embedder) else 0
    if arguments.json:
        print_json({"re_embedded": number, "embedder": embedder.name, "look": str(look), "nothing_found": missed})
    else:
        nothing = missed_text(embedder, missed, len(found))
        say(embedded_text(number, embedder, len(found), nothing))
    return 0


def embed_words_again(context: Context, profile: Profile, *, as_json: bool) -> int:
    """Re-embed every recording with the base that is at hand."""
    embedder = context.load_embedder()
    number = reembed(profile, embedder)
    if number is None:
        return 130
    if as_json:
        print_json({"re_embedded": number, "embedder": embedder.name})
    else:
        say(embedded_text(number, embedder, len(profile.store.list())))
    return 0


def embedded_text(number: int, embedder: Embedder, total: int, nothing: str = "") -> str:
    """What was embedded again, of so many examples; nothing: in how many what is looked for was not found."""
    if not number:
        every = f"every example is embedded with {embedder.name} already"
        return every + nothing if total else f"there are no examples to embed; new ones will use {embedder.name}"
    return f"embedded {counted(number, 'example')} with {embedder.name}{nothing}; run `edge-tl train` to apply it"


def reembed(profile: Profile, embedder: Embedder) -> int | None:
    """Re-embed with a word of progress; how many, None where it was stopped."""
    with Progress("embedding") as progress, stoppable() as stopped:

        def step(done: int, total: int) -> bool:
            progress.of(done, total)
            return stopped()

        number = profile.store.reembed(embedder, step)
    if stopped():
        warn(f"stopped; {counted(number, 'example was', 'examples were')} embedded again, run it again for the rest")
        return None
    return number
