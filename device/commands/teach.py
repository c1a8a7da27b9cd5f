"""`edge-tl teach`: record examples with the camera, train, see the probabilities, and play if wanted."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack

from device.assembly import adopt_look, adopt_model, check_pictures, clock, make_controller
from device.cli.fetch_models import ensure_models
from device.cli.output import warn, warn_all
from device.commands import teach_boxes, teach_movements, teach_words
from device.commands.account import ONE_PLACE
from device.commands.options import asked_budget, asked_look, describing, first_given
from device.commands.play import play_round
from device.screens.box import MIDDLE
from device.screens.plain import PlainTeach, PlainTerminal
from device.screens.teach import TeachScreen
from device.screens.terminal import Terminal
from device.teach.boxed import check_no_boxes
from device.teach.lesson import ENOUGH, Lesson
from device.teach.looking import LookChooser, is_open
from device.teach.recorder import HoldRecorder
from device.teach.resume import resume
from device.teach.score import in_words, learn_and_score
from device.teach.steering import STANDARD_LABELS
from device.teach.training import check_found, save
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.look.ways import way_of
from edge_tl.errors import ConfigError, EdgeTLError
from edge_tl.line import PictureLine
from edge_tl.store.settings import read_look


def run(arguments: Namespace) -> int:
    """The teach screen, until the person quits."""
    if arguments.mic is not None:
        if (given := first_given(arguments, "movements", "mirrored")) is not None:
            raise ConfigError(f"{given} goes with a camera: leave --mic out")
        return teach_words.run(arguments)
    if arguments.boxes and not arguments.movements:
        return teach_boxes.run(arguments)
    if arguments.no_camera:
        raise ConfigError("teach needs a camera: give --camera auto, sim, or a PATH instead of --no-camera")
    context = describing(arguments)
    if teach_movements.wanted(arguments, context):
        return teach_movements.run(arguments)
    with ExitStack() as stack:
        notes: list[str] = []
        stack.callback(warn_all, notes)
        term = PlainTerminal() if arguments.plain else Terminal(min_rows=20, min_columns=72, has_plain=True)
        term.check()
        if arguments.look == "box" and arguments.box is None:
            arguments.box = read_look(context.profile_folder).box or MIDDLE  # b draws another one
        look = asked_look(arguments, read_look(context.profile_folder))
        embedder = context.load_embedder(look)
        profile = context.open_profile(stack, writable=True, make=True)
        if arguments.look is None:
            check_pictures(profile)
        else:
            adopt_look(profile, look)
        adopt_model(profile, context, embedder)
        check_no_boxes(profile)
        if is_open(profile):
            ensure_models(context.data_dir, warn)
        looking = LookChooser(profile, context.load_embedder, context.models_folder(), context.threads)
        source = context.open_camera(arguments.camera, arguments.rotate, stack, look)
        recognizer = resume(profile, embedder, arguments.head)
        labels = arguments.labels or (() if profile.store.labels() else STANDARD_LABELS)
        profile.standard = frozenset(labels)
        lesson = Lesson(profile.store, recognizer, clock, labels, arguments.min_examples or ENOUGH["picture"])
        line = PictureLine(source, recognizer, clock, budget=asked_budget(arguments.fps, context.data_dir))

        def train() -> str:
            check_found(lesson.recognizer, force=False)
            learned, found = learn_and_score(lesson, clock)
            looking.settle()
            save(profile, lesson.recognizer, learned, found.evaluation)
            line.controller = make_controller(lesson.recognizer)
            sees_all = way_of(lesson.recognizer.embedder) in ONE_PLACE and not learned.cautions
            only = "it works only in the places in which it was recorded; " if sees_all else ""
            return in_words(lesson, learned, found, "example", f"{only}p plays")

        def relook(embedder: Embedder) -> None:
            line.recognizer, line.controller = resume(profile, embedder, lesson.recognizer.head.name), None
            lesson.use(line.recognizer)

        stack.enter_context(term)
        recorder = HoldRecorder(line, lesson, clock)
        kind = PlainTeach if arguments.plain else TeachScreen
        screen = kind(term, line, lesson, recorder, clock, train, looking=looking, relook=relook)
        while screen.run() == "play":
            line.controller = make_controller(lesson.recognizer)
            try:
                play_round(term, context.data_dir, notes, line, lesson, train)
            except EdgeTLError as error:  # e.g. no class that steers: the person is still teaching
                screen.message = str(error)
    return 0
