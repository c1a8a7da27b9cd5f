"""`edge-tl train`: the head learns from the recorded examples."""

from __future__ import annotations

import math
from argparse import Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from device.assembly import clock, load_saved, trained_head
from device.cli.output import Progress, print_json, say, warn
from device.cli.stopping import stoppable
from device.commands import train_boxes
from device.commands.account import accuracy_lines
from device.commands.against import sounds_against
from device.commands.options import context_of, first_given
from device.report.training import draw_training
from device.screens.chart import curve
from device.screens.live import LiveCurve
from device.teach.lesson import ENOUGH
from device.teach.thresholds import (
    SoundPart,
    check_budget,
    chosen_threshold,
    halves,
    heard_lines,
    heard_report,
    others_of,
    try_thresholds,
)
from device.teach.training import check_enough, false_triggers, movement_cautions, save, teach_all
from device.teach.typed import typed_cautions
from device.teach.varying import vary
from edge_tl.core.answers import TrainingResult, Variations
from edge_tl.embedders.embedder import Embedder, SoundEmbedder
from edge_tl.embedders.hearing import SPEECH, open_base
from edge_tl.embedders.look.ways import way_of
from edge_tl.errors import ConfigError, counted
from edge_tl.fleet.pooling import sessions_of_devices
from edge_tl.heads import TunedHead
from edge_tl.heads.against_world import CLOSED, OPEN, SURE, AgainstWorld
from edge_tl.judge.evaluation import Evaluation
from edge_tl.judge.expected import expected
from edge_tl.labels import NOISE
from edge_tl.listener import ListeningConfig, ThresholdOutcome, listening_config
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_hearing, write_settings

OF_WORDS = (
    "against",
    "threshold",
    "augment",
    "listens",
    "adapt",
    "epochs",
    "unfreeze",
    "curve",
    "max_false_alarms_per_hour",
)
"""Options that go with words."""


def run(arguments: Namespace) -> int:
    """Train on everything recorded, save a new generation, say how well it works."""
    context = context_of(arguments)
    words = first_given(arguments, *OF_WORDS)
    if arguments.head is None and train_boxes.holds_boxes(context, words, as_trained=False):
        return train_boxes.train(context, as_json=arguments.json)
    with ExitStack() as stack:
        embedder = context.load_embedder(movements=True)
        profile = context.open_profile(stack, writable=True)
        saved = load_saved(profile)
        name = arguments.head or trained_head(saved, embedder)
        if arguments.unfreeze is not None:
            embedder = unfreeze(profile, arguments.unfreeze, context.threads, name)
        recognizer = Recognizer(embedder, name)
        with Progress("looking for copies among the pictures") as progress:
            every = teach_all(profile, recognizer, progress.step)
            theirs, without_lessons = sessions_of_devices(every), every.without_lessons
            del every  # the recognizer has its rows
        recognizer.adopt(saved)
        saved = None if saved is None else replace(saved, arrays={})  # kNN's are all examples
        if arguments.head is not None:
            recognizer.settings.clear()  # a head that is asked for begins anew; without, it goes on as it was trained
        left = sum(not one.fingerprint for one in profile.store.list())
        if left:
            warn(
                f"{counted(left, 'example is', 'examples are')} left out, with a spectrogram and no sound, which this "
                "base does not take"
            )
        if arguments.epochs is not None:
            if name != "tuned":
                raise ConfigError(f"--epochs goes with --head tuned, not {name}")
            recognizer.settings["epochs"] = arguments.epochs
        if arguments.max_false_triggers_per_minute is not None:
            recognizer.settings["false_alarms"] = false_triggers(recognizer, arguments.max_false_triggers_per_minute)
        if arguments.adapt:
            before = adapt(recognizer)
        check_enough(recognizer, force=arguments.force, minimum=1 if embedder.kind == "movement" else 2)
        way = way_of(embedder)
        budget = arguments.max_false_alarms_per_hour
        if embedder.kind != "sound" and first_given(arguments, "against", "max_false_alarms_per_hour", "threshold"):
            raise ConfigError(
                f"--against, --max-false-alarms-per-hour and --threshold go with words; these are {embedder.kind}s"
            )
        if budget is not None and not arguments.against:
            raise ConfigError(
                "--max-false-alarms-per-hour needs --against PATH: hours of speech and noise without the words in it"
            )
        against = sounds_against(arguments.against, np.unique(recognizer.rows[1]).tolist(), stack)
        teaching, judging = halves(against) if against else ([], [])
        if budget is not None:
            check_budget(budget, judging)
        if teaching and isinstance(embedder, SoundEmbedder):
            with Progress("listening to other sounds") as progress:
                recognizer.others, recognizer.own_world = others_of(
                    embedder, partial(teach_all, profile), teaching, progress.of
                )
        if arguments.listens is not None:
            recognizer.listens = arguments.listens
        more = None
        if arguments.augment:
            with Progress("varying recordings") as progress:
                more = vary(recognizer, profile, progress.of)
        told = expected(name, *recognizer.rows[0].shape)
        if told is not None:
            warn(f"{counted(len(recognizer.rows[0]), 'example')}: training and evaluating takes {told.text}")
        learned, points, stopped = train(recognizer, more)
        names = {session.id: session.name for session in profile.store.sessions()} | theirs
        head, held = recognizer.head, None
        if isinstance(head, TunedHead):
            held = head.held_out_[: len(recognizer.rows[1])]  # variations come after the examples
        evaluation = None if stopped or held is not None else judge(recognizer, names)
        config = listening_config(saved, arguments.threshold)
        made = []
        if embedder.kind == "sound" and not stopped:
            made = listen_against(recognizer, judging, config)
            if budget is not None:
                config = replace(config, threshold=chosen_threshold(made, budget))
        listening = {"threshold": config.threshold} if embedder.kind == "sound" else None
        generation = save(profile, recognizer, learned, evaluation, listening)
        if arguments.curve is not None:
            draw_training(arguments.curve, recognizer.head)
    cautions = (*learned.cautions, *movement_cautions(recognizer), *typed_cautions(recognizer))
    cautions += (without_lessons,) if without_lessons else ()
    if arguments.json:
        described = report(replace(learned, cautions=cautions), evaluation, generation, points, way, recognizer.nobody)
        print_json(described | {"listening": listening, "thresholds": heard_report(made)} if listening else described)
        return 0
    if points:
        loss, accuracy = [loss for _, loss, _ in points], [accuracy for _, _, accuracy in points]
        print("\n".join(["loss", *curve(loss, 8, 64, low=0.0), "accuracy", *curve(accuracy, 5, 64, low=0.0)]))
    took = f"{learned.train_ms / 1000:.0f} s" if learned.train_ms >= 10_000 else f"{learned.train_ms:.1f} ms"
    say(
        f"trained {learned.head} on {counted(learned.examples, 'example')} of "
        f"{counted(len(learned.classes), 'class', 'classes')} "
        f"in {took}, {'listening with' if embedder.kind == 'sound' else 'looking at'} {way}: generation {generation}"
    )
    for caution in cautions:
        say(f"  {caution}")
    if more is not None:
        say(
            f"  and on {counted(len(more.y) // recognizer.views, 'variation')} of them; the figures below do not "
            "use these"
        )
    if len(recognizer.others):
        say(f"  and on {counted(len(recognizer.others), 'moment')} of other sounds, which are never reported")
    for line in world_lines(recognizer):
        say(f"  {line}")
    if held is not None and held.any():
        rows, labels, _ = recognizer.rows
        held, rows, labels = (values[recognizer.one_each] for values in (held, rows, labels))
        right = recognizer.head.score(rows[held], labels[held])
        say(
            f"accuracy {right:.1%} on the {counted(int(held.sum()), 'example')} held out to choose the epoch, "
            "which is a little optimistic; `edge-tl evaluate` trains again without each quarter"
        )
        if arguments.adapt:
            known = np.isin(labels[held], before.classes)
            was = before.head.score(rows[held][known], labels[held][known])
            say(
                f"  the base before recognized {was:.1%} of them correctly; it keeps all its "
                f"{counted(len(before.classes), 'word')}"
            )
    elif evaluation is None:
        say("stopped: the best so far is saved, and was not evaluated; `edge-tl evaluate` does")
    else:
        say(*accuracy_lines(evaluation, way, recognizer.nobody))
    if made:
        say(*heard_lines(made, config))
    return 0


def world_lines(recognizer: Recognizer) -> list[str]:
    """What words are told from, and how strictly; no line where no world is known."""
    rejector = recognizer.rejector
    if not isinstance(rejector, AgainstWorld) or rejector.world is None:
        return []
    own = recognizer.own_world.hours if recognizer.own_world is not None else 0.0
    yours = f", {own:.2g} of them yours" if own else ""
    kinds = {
        OPEN: "as wake words (--closed for commands)",
        CLOSED: "as commands (--open for wake words)",
    }
    return [
        f"compared with {rejector.world.hours:.2g} hours of other sound{yours}, {kinds[rejector.listens]}: at "
        f"threshold {SURE:g} about {rejector.per_hour:g} false alarms a word and hour of speech are expected"
    ]


def unfreeze(profile: Profile, layers: int, threads: int | None, head: str) -> Embedder:
    """Set a profile of words to train so many layers of its base, the dense one first; its base, opened so far.

    Recorded examples is embedded again where that is another number than before. ConfigError for other heads and bases.
    """
    hearing = read_hearing(profile.folder)
    if head != "tuned" or hearing is None or hearing.base == SPEECH:
        raise ConfigError(
            "--unfreeze goes with --head tuned, and with a profile made with --base DIR, a folder of "
            "`edge-tl-host convert speech`"
        )
    hearing = replace(hearing, unfrozen=layers - 1)
    embedder = open_base(hearing, threads)  # what cannot be opened is said before anything is changed
    write_settings(profile.folder, hearing=hearing)
    with Progress("embedding again") as progress:
        profile.store.reembed(embedder, progress.of)
    return embedder


def adapt(recognizer: Recognizer) -> Recognizer:
    """Set a recognizer of a tuned head to keep its base's words; the base's own recognizer, to compare with.

    ConfigError where the head is another, or too little was recorded of a word.
    """
    if recognizer.head.name != "tuned":
        raise ConfigError(f"--adapt goes with --head tuned, not {recognizer.head.name}")
    base = Recognizer.of_base(recognizer.embedder)
    counts = Counter(recognizer.rows[1][recognizer.one_each].tolist())
    few = [f"{label} has {count}" for label, count in counts.items() if label != NOISE and count < ENOUGH["sound"]]
    if few:
        raise ConfigError(
            f"--adapt: {', '.join(few)}; {counted(ENOUGH['sound'], 'recording')} and more of each word are wanted"
        )
    about: Any = recognizer.embedder
    recognizer.settings["labels"] = about.about.labels
    return base


def listen_against(
    recognizer: Recognizer, parts: Sequence[SoundPart], config: ListeningConfig
) -> list[ThresholdOutcome]:
    """What each threshold does, on recordings left out and on sounds without the words."""
    with Progress("listening to other sounds") as progress:
        return try_thresholds(recognizer, parts, config, progress.of)


def train(
    recognizer: Recognizer, more: Variations | None = None
) -> tuple[TrainingResult, list[tuple[int, float, float]], bool]:
    """Learn with a curve while it lasts; Ctrl-C stops an iterative head, keeps the best so far, and is told as True."""
    with stoppable() as stopped, LiveCurve(clock) as live, Progress("training", 100) as bar:

        def progress(epoch: int, loss: float, accuracy: float) -> bool:
            if math.isnan(loss):  # one step, of which so many hundredths are done
                bar(epoch)
            else:
                live(epoch, loss, accuracy)
            return stopped()

        learned = recognizer.learn(progress, more)
        return learned, live.points, stopped()


def judge(recognizer: Recognizer, names: Mapping[int, str]) -> Evaluation | None:
    """The honest figures; None where Ctrl-C ends the waiting for them: what was trained must not be lost with them."""
    try:
        with Progress("evaluating on held-out takes") as progress:
            return recognizer.evaluate(progress.of, names)
    except KeyboardInterrupt:
        return None


def report(
    learned: TrainingResult,
    evaluation: Evaluation | None,
    generation: int,
    points: list[tuple[int, float, float]],
    way: str,
    nobody: str | None,
) -> dict[str, Any]:
    """What `--json` prints; what is not known is null."""
    known = evaluation.as_dict() if evaluation is not None else {}
    return {
        "generation": generation,
        "head": learned.head,
        "look": way,
        "examples": learned.examples,
        "classes": list(learned.classes),
        "nobody": nobody,
        "train_ms": round(learned.train_ms, 3),
        "cautions": list(learned.cautions),
        "headline": known.get("headline"),
        "accuracy_by_session": known["by_session"]["accuracy"] if known.get("by_session") else None,
        "accuracy": known.get("accuracy"),
        "accuracy_interval95": known.get("interval95"),
        "method": known.get("method"),
        "accuracy_random_split": known.get("random_split_accuracy"),
        "nothing_found": known.get("nothing_found"),
        "curve": [{"epoch": epoch, "loss": loss, "accuracy": accuracy} for epoch, loss, accuracy in points],
    }
