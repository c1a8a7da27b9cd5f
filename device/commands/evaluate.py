"""`edge-tl evaluate`: how well it works, said honestly."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np

from device.assembly import load_saved, trained_head
from device.cli.output import Progress, columns_of, print_json, say, warn
from device.commands import train_boxes
from device.commands.account import accuracy_lines
from device.commands.against import sounds_against
from device.commands.options import context_of, first_given
from device.commands.train import listen_against
from device.report.hearing import draw_thresholds
from device.screens.answers import answers_lines
from device.teach.fleet_account import account_json, account_lines, fleet_account
from device.teach.score import rejection_off
from device.teach.session_words import session_lines_of_words, words_by_session
from device.teach.thresholds import SoundPart, halves, heard_lines, heard_report
from device.teach.training import teach_all
from device.teach.typed import typed_cautions
from edge_tl.core.examples import Examples
from edge_tl.embedders.look.ways import way_of
from edge_tl.errors import ConfigError, NotFittedError, counted
from edge_tl.fleet.pooling import sessions_of_devices
from edge_tl.judge.evaluation import Evaluation
from edge_tl.listener import listening_config
from edge_tl.recognizer import Recognizer

TORN_SHOWN = 10
"""The most pairs of near-copies under two labels that are named."""


def run(arguments: Namespace) -> int:
    """Leave-one-session-out and leave-one-take-out accuracy, confusion, recall, suspects, and what rejection costs."""
    context = context_of(arguments)
    if arguments.head is None and train_boxes.holds_boxes(
        context, first_given(arguments, "against", "threshold", "curve"), as_trained=True
    ):
        return train_boxes.evaluate(context, as_json=arguments.json)
    with ExitStack() as stack:
        embedder = context.load_embedder(movements=True)
        profile = context.open_profile(stack, writable=False)
        saved = load_saved(profile)
        name = arguments.head or trained_head(saved, embedder)
        recognizer = Recognizer(embedder, name)
        with Progress("looking for copies among the pictures") as progress:
            examples = teach_all(profile, recognizer, progress.step)
        names = {session.id: session.name for session in profile.store.sessions()} | sessions_of_devices(examples)
    if examples.without_lessons:
        warn(examples.without_lessons)
    if not len(examples.y):
        raise NotFittedError("nothing was recorded yet: run `edge-tl teach`, or `edge-tl examples import FOLDER`")
    recognizer.adopt(saved)
    saved = None if saved is None else replace(saved, arrays={})  # kNN's are all examples
    with Progress("training") as progress:
        recognizer.learn(progress.trained)
    with Progress("evaluating on held-out takes") as progress:
        evaluation = recognizer.evaluate(progress.of, names)
    with Progress("leaving one device out") as progress:
        account = fleet_account(recognizer, examples.devices, progress.step)
    made, elsewhere = [], []
    if embedder.kind == "sound":
        config = listening_config(saved, arguments.threshold)
        with ExitStack() as unpacked:
            files = sounds_against(arguments.against, np.unique(examples.y).tolist(), unpacked)
            # What was taught must not judge: of the sounds given to `train` the second half is left.
            parts = halves(files)[1] if files and len(recognizer.others) else [SoundPart(path) for path in files]
            made = listen_against(recognizer, parts, config)
        with Progress("testing each session with a model trained on the others") as progress:
            elsewhere = words_by_session(recognizer, config, names, progress.of)
        if arguments.curve is not None:
            draw_thresholds(arguments.curve, made, config.threshold)
    elif arguments.against or arguments.threshold is not None or arguments.curve is not None:
        raise ConfigError(f"--against, --threshold and --curve go with words; this profile was taught {embedder.kind}s")
    if arguments.json:
        described = report(name, evaluation, examples.ids, recognizer.nobody) | {"contradictions": examples.torn}
        described |= {} if account is None else {"fleet": account_json(account)}
        by_session = [{"session": one.session, "name": one.name} | heard_report([one.made])[0] for one in elsewhere]
        print_json(described | {"thresholds": heard_report(made), "by_session": by_session} if made else described)
    else:
        said = text(name, evaluation, examples.ids, recognizer, columns_of(sys.stdout))
        say(*said, *torn_lines(examples), *account_lines(account))
        if made:
            say("", *heard_lines(made, config), *session_lines_of_words(elsewhere))
    return 0


def report(head: str, evaluation: Evaluation, ids: np.ndarray, nobody: str | None) -> dict[str, Any]:
    """What `--json` prints: the evaluation, with the suspects by the numbers that `examples list` shows."""
    described = evaluation.as_dict()
    for suspect, plain in zip(evaluation.suspects, described["suspects"], strict=True):
        plain["id"] = int(ids[suspect.index])
    return {"head": head, "nobody": nobody, **described}


def text(head: str, evaluation: Evaluation, ids: np.ndarray, recognizer: Recognizer, columns: int = 80) -> list[str]:
    """What a person reads; columns: how wide the table may be; where it would be wider, what is worst is ranked."""
    way = way_of(recognizer.embedder)
    lines = [f"{head} head, {counted(len(ids), 'example')}", *accuracy_lines(evaluation, way, recognizer.nobody)]
    lines += [*(f"  {caution}" for caution in typed_cautions(recognizer)), ""]
    # The table is of the figure that leads: of sessions left out where there are two, else of takes.
    shown = evaluation.by_session if evaluation.headline.kind == "session" else None
    lines += answers_lines(evaluation.classes, (shown or evaluation).confusion, (shown or evaluation).recall, columns)
    if off := rejection_off(recognizer):
        lines += ["", f"'none of these' is off{off}"]
    if evaluation.suspects:
        own = any(ids[suspect.index] >= 0 for suspect in evaluation.suspects)
        mend = " (if a label is wrong: `edge-tl examples remove --id ID`)" if own else ""
        lines += ["", f"look at these, they are unlike their class{mend}:"]
        for suspect in evaluation.suspects:
            theirs = ids[suspect.index] < 0
            number = "-" if theirs else str(ids[suspect.index])
            of = ", in a lesson of another device" if theirs else ""
            lines.append(f"  {number:>6}  labelled {suspect.label}, looks like {suspect.likely}{of}")
    return lines


def torn_lines(examples: Examples) -> list[str]:
    """Near-copies that were taught under two labels, so that one of the two is wrong; no line where there is none."""
    if not examples.torn:
        return []
    label = dict(zip(examples.ids.tolist(), examples.y.tolist(), strict=True))
    shown = [f"  {one:6} ({label[one]}) and {other} ({label[other]})" for one, other in examples.torn[:TORN_SHOWN]]
    if len(examples.torn) > TORN_SHOWN:
        shown.append(f"  and {len(examples.torn) - TORN_SHOWN} more pairs")
    return ["", "the same picture under two labels (`edge-tl examples remove --id ID` the wrong one):", *shown]
