"""`edge-tl teach`: record examples with the camera, train, see the probabilities, and play if wanted."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack

from device.assembly import clock, load_embedder, make_controller, open_camera, open_profile
from device.commands.play import play_round
from device.commands.train import save
from device.lesson import Lesson
from device.line import Line
from device.screens.teach import TeachScreen
from device.screens.terminal import Terminal
from device.steering import STANDARD_LABELS
from edge_tl.errors import ConfigError, ProfileMismatch
from edge_tl.profile import Profile
from edge_tl.recognizer import Recognizer


def run(arguments: Namespace) -> int:
    """The teach screen, until the person quits."""
    if arguments.no_camera:
        raise ConfigError("teach needs a camera: give --camera auto, sim, or a PATH instead of --no-camera")
    with ExitStack() as stack:
        term = Terminal(min_rows=20, min_columns=72)
        profile = open_profile(arguments, stack, writable=True)
        embedder = load_embedder(arguments)
        source = open_camera(arguments, stack)
        assert source is not None
        recognizer = resume(profile, Recognizer(embedder, arguments.head or "ridge"))
        labels = arguments.labels or (() if profile.store.labels() else STANDARD_LABELS)
        lesson = Lesson(profile.store, recognizer, clock, labels, arguments.min_examples)
        line = Line(source, recognizer, clock)

        def train() -> str:
            learned = lesson.learn()
            save(profile, recognizer, learned, None)
            line.controller = make_controller(recognizer)
            return f"trained on {learned.examples} examples in {learned.train_ms:.0f} ms; p plays"

        stack.enter_context(term)
        while TeachScreen(term, line, lesson, clock, train).run() == "play":
            line.controller = make_controller(recognizer)
            play_round(term, line, lesson, train, arguments)
    return 0


def resume(profile: Profile, fresh: Recognizer) -> Recognizer:
    """The recognizer trained before, so that its answers show at once; the fresh one where there is none."""
    saved = profile.load()
    if saved is None or saved.meta["head"]["name"] != fresh.head.name:
        return fresh
    try:
        return Recognizer.restore(saved, fresh.embedder)
    except ProfileMismatch:
        return fresh
