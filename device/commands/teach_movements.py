"""`edge-tl teach --movements`: show movements of a hand, a minute of moving about, train, and see them told."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack

from device.assembly import Context, adopt_look, clock
from device.cli.fetch_models import ensure_models
from device.cli.output import warn, warn_all
from device.commands.options import context_of, first_given
from device.commands.play import play_round
from device.screens.plain import PlainTerminal
from device.screens.teach_movements import MovementScreen, PlainMovements
from device.screens.terminal import Terminal
from device.teach.lesson import ENOUGH, Lesson
from device.teach.movement_guide import JUDGED_S, in_words
from device.teach.movement_recorder import MovementRecorder
from device.teach.resume import resume
from device.teach.score import learn_and_score
from device.teach.steering import DIRECTIONS
from device.teach.training import save
from edge_tl.embedders.look.choices import MOVEMENT, Look
from edge_tl.errors import ConfigError, EdgeTLError
from edge_tl.labels import ORDINARY
from edge_tl.line.movement import MovementLine
from edge_tl.store.settings import read_look, read_mirrored, write_settings


def wanted(arguments: Namespace, context: Context) -> bool:
    """Whether movements are to be taught: it is said, or the profile holds them and nothing else is asked for."""
    if arguments.movements:
        return True
    if arguments.look is None and arguments.box is None and read_look(context.profile_folder).way == MOVEMENT:
        return True
    if arguments.mirrored is not None:
        raise ConfigError("--mirrored goes with movements: give --movements too")
    return False


def run(arguments: Namespace) -> int:
    """The teach screen for movements, until the person quits."""
    if (given := first_given(arguments, "look", "box", "hands", "model", "boxes")) is not None:
        raise ConfigError(f"movements are taught by the track of a hand: leave {given} out")
    context, look = context_of(arguments), Look(MOVEMENT)
    with ExitStack() as stack:
        notes: list[str] = []
        stack.callback(warn_all, notes)
        term = PlainTerminal() if arguments.plain else Terminal(min_rows=20, min_columns=72, has_plain=True)
        term.check()
        profile = context.open_profile(stack, writable=True, make=True)
        adopt_look(profile, look)
        if arguments.mirrored is not None:
            write_settings(profile.folder, mirrored=arguments.mirrored)
        ensure_models(context.data_dir, warn)
        embedder = context.load_embedder(look, movements=True)
        source = context.open_camera(arguments.camera, arguments.rotate, stack, look)
        recognizer = resume(profile, embedder, arguments.head)
        labels = arguments.labels or (() if profile.store.labels() else DIRECTIONS)
        labels = [label for label in labels if label != ORDINARY]
        profile.standard = frozenset({*labels, ORDINARY})
        lesson = Lesson(profile.store, recognizer, clock, labels, arguments.min_examples or ENOUGH["movement"])
        if ORDINARY not in lesson.labels:
            lesson.add_label(ORDINARY)  # the last key: it is needed whatever the movements are
        line = MovementLine(source, recognizer, clock, context.load_hands(), mirrored=read_mirrored(profile.folder))

        def train() -> str:
            learned, found = learn_and_score(lesson, clock, JUDGED_S)
            save(profile, lesson.recognizer, learned, found.evaluation)
            return in_words(lesson, learned, found, "do a movement; p plays")

        def mirror(mirrored: bool) -> None:
            write_settings(profile.folder, mirrored=mirrored)

        stack.enter_context(term)
        kind = PlainMovements if arguments.plain else MovementScreen
        screen = kind(term, line, lesson, MovementRecorder(line, lesson, clock), clock, train, mirror)
        while screen.run() == "play":
            try:
                play_round(term, context.data_dir, notes, line)
            except EdgeTLError as error:  # e.g. no class that steers: the person is still teaching
                screen.message = str(error)
    return 0
