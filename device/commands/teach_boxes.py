"""`edge-tl teach --boxes`: a few pictures with a box drawn around the thing, and a detector of it."""

from __future__ import annotations

import contextlib
from argparse import Namespace
from contextlib import ExitStack

import numpy as np

from device.assembly import adopt_look, adopt_model, clock
from device.commands.options import describing
from device.screens.teach_boxes import BoxScreen
from device.screens.terminal import Terminal
from device.teach.box_lesson import BoxLesson
from device.teach.boxed import load_detector
from device.teach.detect_line import DetectionWatch
from edge_tl.detection.few import map_of
from edge_tl.detection.found import DetectedThing
from edge_tl.embedders.look.choices import Look
from edge_tl.errors import ConfigError, EdgeTLError


def run(arguments: Namespace) -> int:
    """The screen, until the person quits."""
    if arguments.no_camera or arguments.look not in (None, "frame"):
        raise ConfigError("--boxes wants a camera and the whole picture: leave --no-camera and --look out")
    if arguments.plain:
        raise ConfigError("a box is drawn over a picture, which --plain has not: leave one of --boxes and --plain out")
    context = describing(arguments)
    with ExitStack() as stack:
        term = Terminal(min_rows=16, min_columns=72)
        term.check()
        embedder = context.load_embedder(Look())
        map_of(embedder)
        profile = context.open_profile(stack, writable=True, make=True)
        adopt_look(profile, Look())
        adopt_model(profile, context, embedder)
        source = context.open_camera(arguments.camera, arguments.rotate, stack, Look())
        detector = None
        with contextlib.suppress(EdgeTLError):  # nothing was trained yet, or with another model
            detector = load_detector(profile, embedder)
        lesson = BoxLesson(
            profile, embedder, arguments.labels or (() if profile.store.labels() else ("thing",)), detector
        )

        def found(picture: np.ndarray) -> tuple[DetectedThing, ...]:
            if lesson.detector is None:
                return ()
            lesson.detector.following = True
            return lesson.detector.detect(picture)

        stack.enter_context(term)
        BoxScreen(term, DetectionWatch(source, found, clock), lesson, clock).run()
    return 0
