"""`edge-tl listen`: tell words as they are said, on a screen or as lines of JSON."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from contextlib import ExitStack
from typing import Any

from device.assembly import check_hearing, clock, load_saved, open_microphone, taught_recognizer
from device.cli.output import warn
from device.commands.listen_marks import MarkLines
from device.commands.options import context_of
from device.screens.listen import ListenScreen
from device.screens.plain import PlainListen, PlainTerminal
from device.screens.terminal import Terminal
from device.sources.choose import is_stdin
from device.teach.marked import WordMarker
from device.teach.silence import reason, unheard
from edge_tl.embedders.browser import BrowserEmbedder
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.hearing import Hearing, open_base
from edge_tl.errors import ConfigError, SourceClosed
from edge_tl.line import SoundLine
from edge_tl.listener import PUBLISHED, Listener, ListeningConfig, listening_config
from edge_tl.recognizer import Recognizer


def run(arguments: Namespace) -> int:
    """Listen until the person quits, the recording ends, or `--seconds` are over."""
    folder = None
    if arguments.marks and (not arguments.json or arguments.base is not None or is_stdin(arguments.mic)):
        raise ConfigError("--marks goes with --json, a profile, and a microphone that is not standard input")
    with ExitStack() as stack:
        if arguments.base is not None:  # nothing needs to be taught: its own words
            embedder = overlapped(open_base(Hearing(arguments.base), arguments.threads), arguments.overlap)
            recognizer = Recognizer.of_base(embedder)
            config = ListeningConfig(PUBLISHED if arguments.threshold is None else arguments.threshold)
        else:
            context = context_of(arguments)
            check_hearing(context)
            embedder = overlapped(context.load_embedder(), arguments.overlap)
            profile = context.open_profile(stack, writable=False)
            recognizer = taught_recognizer(profile, embedder, reject=not arguments.no_reject)
            folder = profile.folder
            config = listening_config(load_saved(profile), arguments.threshold)
        # What is piped in takes the place of the keys.
        screen = (sys.stdout.isatty() or arguments.plain) and not arguments.json and not is_stdin(arguments.mic)
        term = PlainTerminal() if arguments.plain else Terminal(min_rows=20, min_columns=60, has_plain=True)
        if screen:
            term.check()
        source = open_microphone(arguments.mic, stack, paced=screen)
        ear = SoundLine(source, recognizer, clock, Listener(recognizer.classes, config))
        marking = None if folder is None else WordMarker(folder, ear)
        if screen:
            stack.enter_context(term)
            kind = PlainListen if arguments.plain else ListenScreen
            kind(term, ear, clock, marking).run(arguments.seconds)
        else:
            lines(ear, arguments.seconds, marking if arguments.marks else None)
    if not ear.words:  # said once the terminal is closed
        if not screen:
            print(json.dumps(nothing(ear, config)), flush=True)
        if not arguments.json:
            warn(unheard(config.threshold, ear.nearest, ear.nearest_s))
    return 0


def nothing(ear: SoundLine, config: ListeningConfig) -> dict[str, Any]:
    """The one line of JSON where no word was told: what came nearest to one, and why it was not told."""
    near, told = ear.nearest, None
    if near is not None:
        told = {"label": near.label, "confidence": round(near.counted, 4), "at_s": round(ear.nearest_s, 2)}
        told["because"] = reason(near) or "not confident enough"
    return {"label": None, "threshold": config.threshold, "nearest": told}


def overlapped(embedder: Embedder, share: float | None) -> Embedder:
    """What listens to windows that overlap so much; None for as they do."""
    if share is None:
        return embedder
    if not isinstance(embedder, BrowserEmbedder):
        raise ConfigError(
            f"--overlap is for a base from `edge-tl-host convert speech`; {embedder.name} has a fixed step"
        )
    return embedder.overlapping(share)


def lines(ear: SoundLine, seconds: float, marking: WordMarker | None = None) -> None:
    """One line of JSON a word: its label, its confidence 0 to 1, and when it was told, in seconds from the beginning.

    A fault of the microphone is told on stderr, once each. marking: takes marks from standard input; of a recording
    until that ends.
    """
    fault = ""
    marks = None if marking is None else MarkLines(marking)
    while True:
        try:
            sight = ear.read(timeout_s=1.0)
        except SourceClosed:  # the recording is over
            if marks is not None:
                marks.finish()
            return
        if marks is not None:
            marks.step()
        if ear.fault != fault:
            fault = ear.fault
            if fault:
                warn(fault)
        if sight is None:
            continue
        moment = None if marking is None else marking.heed(sight)
        if sight.steady is not None:
            word = ear.words[-1]
            told = {
                "label": word.label,
                "confidence": round(word.confidence, 4),
                "at_s": round(word.time_s - ear.first_s, 2),
            }
            if moment is not None:
                told["number"] = moment.number
            print(json.dumps(told), flush=True)
        if sight.frame.time_s - ear.first_s >= seconds:
            return
