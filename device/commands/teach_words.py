"""`edge-tl teach --mic`: record words, train, hear them told, and play if wanted."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack

from device.assembly import adopt_hearing, clock, load_saved, open_microphone
from device.cli.output import warn_all
from device.commands.options import asked_hearing, check_keys, context_of
from device.commands.play import play_round
from device.screens.plain import PlainTeach, PlainTerminal
from device.screens.teach import TeachScreen
from device.screens.terminal import Terminal
from device.sources.microphone import play
from device.teach.lesson import ENOUGH, Lesson
from device.teach.recorder import WordRecorder
from device.teach.resume import resume
from device.teach.score import in_words, learn_and_score
from device.teach.steering import DIRECTIONS
from device.teach.training import save
from edge_tl.errors import EdgeTLError
from edge_tl.labels import NOISE
from edge_tl.line import SoundLine
from edge_tl.listener import Listener, listening_config


def run(arguments: Namespace) -> int:
    """The teach screen with a microphone, until the person quits."""
    check_keys(arguments.mic)
    context = context_of(arguments)
    with ExitStack() as stack:
        notes: list[str] = []
        stack.callback(warn_all, notes)
        term = PlainTerminal() if arguments.plain else Terminal(min_rows=20, min_columns=72, has_plain=True)
        term.check()
        profile = context.open_profile(stack, writable=True, make=True)
        adopt_hearing(profile, asked_hearing(arguments, context))
        embedder = context.load_embedder()
        source = open_microphone(arguments.mic, stack, loop=True)
        recognizer = resume(profile, embedder, arguments.head)
        labels = arguments.labels or (() if profile.store.labels() else DIRECTIONS)
        labels = [label for label in labels if label != NOISE]
        profile.standard = frozenset({*labels, NOISE})
        lesson = Lesson(profile.store, recognizer, clock, labels, arguments.min_examples or ENOUGH["sound"])
        if NOISE not in lesson.labels:
            lesson.add_label(NOISE)  # the last key: it is needed whatever the words are
        ear = SoundLine(source, recognizer, clock)

        def listen() -> None:
            ear.controller = Listener(recognizer.classes, listening_config(load_saved(profile)))

        def train() -> str:
            learned, found = learn_and_score(lesson, clock)
            saved = load_saved(profile)
            listening = saved.meta.get("listening") if saved else None
            save(profile, recognizer, learned, found.evaluation, listening)
            listen()
            return in_words(lesson, learned, found, "recording", "say a word; p plays")

        def replay(label: str) -> str:
            sound = lesson.last_sound(label)
            play(sound)
            return f"this is {label}, the last of its recordings, {sound.duration_s:.1f} s"

        if recognizer.fitted:
            listen()
        stack.enter_context(term)
        kind = PlainTeach if arguments.plain else TeachScreen
        screen = kind(term, ear, lesson, WordRecorder(ear, lesson, clock), clock, train, replay=replay)
        while screen.run() == "play":
            try:
                play_round(term, context.data_dir, notes, ear)
            except EdgeTLError as error:  # e.g. no class that steers: the person is still teaching
                screen.message = str(error)
    return 0
