"""`edge-tl teach`: record examples with the camera, train, see the probabilities, and play if wanted."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack

from device.assembly import (
    adopt_look,
    asked_look,
    clock,
    load_embedder,
    make_controller,
    models_folder,
    open_camera,
    open_profile,
    profile_folder,
)
from device.cli.output import warn_all
from device.commands import teach_boxes, teach_words
from device.commands.play import play_round
from device.commands.train import ONE_PLACE
from device.screens.box import MIDDLE
from device.screens.teach import TeachScreen
from device.screens.terminal import Terminal
from device.teach.lesson import ENOUGH, Lesson
from device.teach.picture_line import Line
from device.teach.recommend import Recommending, finders
from device.teach.recorder import HoldRecorder
from device.teach.resume import resume
from device.teach.steering import STANDARD_LABELS
from device.teach.training import check_found, save
from edge_tl.embedders.look.ways import Look
from edge_tl.errors import ConfigError, EdgeTLError
from edge_tl.recognizer import Recognizer
from edge_tl.store.settings_look import read_look, write_look


def run(arguments: Namespace) -> int:
    """The teach screen, until the person quits."""
    if arguments.mic is not None:
        return teach_words.run(arguments)
    if arguments.boxes:
        return teach_boxes.run(arguments)
    if arguments.no_camera:
        raise ConfigError("teach needs a camera: give --camera auto, sim, or a PATH instead of --no-camera")
    with ExitStack() as stack:
        notes: list[str] = []
        stack.callback(warn_all, notes)
        term = Terminal(min_rows=20, min_columns=72)
        term.check()
        if arguments.look == "box" and arguments.box is None:
            arguments.box = read_look(profile_folder(arguments)).box or MIDDLE  # b draws another one
        look = asked_look(arguments, read_look(profile_folder(arguments)))
        embedder = load_embedder(arguments, look)
        profile = open_profile(arguments, stack, writable=True, make=True)
        adopt_look(profile, look)
        source = open_camera(arguments, stack)
        assert source is not None
        recognizer = resume(profile, embedder, arguments.head)
        labels = arguments.labels or (() if profile.store.labels() else STANDARD_LABELS)
        lesson = Lesson(profile.store, recognizer, clock, labels, arguments.min_examples or ENOUGH["picture"])
        line = Line(source, recognizer, clock)

        def train() -> str:
            check_found(lesson.recognizer, force=False)
            learned = lesson.learn()
            save(profile, lesson.recognizer, learned, None)
            line.controller = make_controller(lesson.recognizer)
            sees_all = getattr(lesson.recognizer.embedder, "way", "frame") in ONE_PLACE
            only = ", it knows only the places it was taught in" if sees_all else ""
            return f"trained on {learned.examples} examples in {learned.train_ms:.0f} ms{only}; p plays"

        def look_at(look: Look) -> str:
            embedder = load_embedder(arguments, look)
            lesson.end()
            write_look(profile.folder, look)
            number = profile.store.reembed(embedder)
            line.recognizer, line.controller = Recognizer(embedder, lesson.recognizer.head.name), None
            lesson.use(line.recognizer)
            return f"looks at {look}" + (f"; {number} examples are embedded anew: press t to train" if number else "")

        advise = None
        if look == Look() and not any(count.examples for count in lesson.counts().values()):
            advise = Recommending(finders(models_folder(arguments), arguments.threads))
        stack.enter_context(term)
        screen = TeachScreen(term, line, lesson, HoldRecorder(line, lesson, clock), clock, train, look_at, advise)
        while screen.run() == "play":
            line.controller = make_controller(lesson.recognizer)
            try:
                play_round(term, line, lesson, train, arguments, notes)
            except EdgeTLError as error:  # e.g. no class that steers: the person is still teaching
                screen.message = str(error)
    return 0
