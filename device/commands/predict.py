"""`edge-tl predict`: name pictures, or words in sound files, by what was taught or by a classifier of any maker."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from device.assembly import Context, load_saved, taught_recognizer
from device.cli.output import print_json, warn
from device.commands.options import context_of, describing, first_given
from device.sources.rotated import turned
from device.teach.filmed import Reader
from edge_tl.core.answers import Observation
from edge_tl.embedders.foreign_sound import ForeignSound
from edge_tl.errors import ConfigError, ExampleError, ModelError, escaped
from edge_tl.export.classifier import Classifier
from edge_tl.export.fused import FusedModel, named_fused
from edge_tl.listener import PUBLISHED, SILENT, ListeningConfig, listening_config
from edge_tl.media.image import decode
from edge_tl.media.sound import read_sound
from edge_tl.recognizer import Recognizer
from edge_tl.tflite.file_metadata import file_metadata
from edge_tl.tflite.interpreter import read_model
from edge_tl.words.recording import RecordingOutcome, hear

if TYPE_CHECKING:
    from device.teach.explaining import ExplainedAnswer, Explainer

Names = Recognizer | FusedModel | Classifier
"""What can name a file."""


def run(arguments: Namespace) -> int:
    """Print one line, or one JSON object, a file; exit 1 where a file was no picture or sound."""
    check_why(arguments)
    with ExitStack() as stack:
        recognizer, kind, config, explainer = opened(arguments, stack)
        return predicted(arguments, recognizer, kind, config, explainer)


def check_why(arguments: Namespace) -> None:
    """ConfigError where --was comes without --why."""
    if arguments.was is not None and not arguments.why:
        raise ConfigError("--was says what the files show, for --why: give that too")


def predicted(
    arguments: Namespace, recognizer: Names, kind: str, config: ListeningConfig, explainer: Explainer | None
) -> int:
    """As `run`, of what is open; explainer: where --why asks for reasons."""
    if kind == "movement":
        from device.commands.predict_movements import predict_movements  # pictures and words start without

        assert isinstance(recognizer, Recognizer)  # no model file names movements
        read = Reader(context_of(arguments), arguments.rotate)
        return predict_movements(recognizer, read, arguments.files, as_json=arguments.json)
    if explainer is not None:
        explainer.check(arguments.was)
    results, rows, bad = [], [], 0
    for file in arguments.files:
        heard, why = None, None
        try:
            if isinstance(recognizer, Classifier) or kind != "sound":
                picture = turned(decode(file), arguments.rotate)
                observation = recognizer.observe(picture)
                why = None if explainer is None else explainer.picture(picture, arguments.was)
            elif isinstance(recognizer, Recognizer):
                sound = read_sound(file)
                heard = hear(recognizer, sound, config)
                observation = heard.observation
                why = None if explainer is None else explainer.sound(sound, observation, arguments.was)
            else:
                observation = recognizer.observe(read_sound(file))
        except ExampleError as error:
            warn(error)
            bad += 1
            continue
        results.append(answer(file, recognizer.classes, observation, heard) | reasons(why))
        rows.append(None if why is None else why.row)
        if not arguments.json:
            print(escaped(f"{file}: {said(observation) if heard is None else said_of_words(heard, config)}"))
            for line in why.lines() if why is not None else []:
                print(escaped(f"  {line}"))
    if explainer is not None:
        tell_worth(explainer, results, rows, as_json=arguments.json)
    if arguments.json:
        print_json(results)
    return 1 if bad else 0


def reasons(why: ExplainedAnswer | None) -> dict[str, Any]:
    """What `--json` says of why; nothing where that was not asked."""
    return {} if why is None else {"why": why.as_dict()}


def tell_worth(
    explainer: Explainer, results: list[dict[str, Any]], rows: Sequence[np.ndarray | None], *, as_json: bool
) -> None:
    """Of several files say which one to teach first: in the JSON of each what that would bring, else in a line."""
    worth = explainer.worth(rows, len(rows)) if len(rows) > 1 else []
    for one in worth:
        results[one.index]["why"]["gain"] = round(one.gain, 3)
    if worth and worth[0].gain > 0 and not as_json:
        best = worth[0]
        print(
            escaped(
                f"most worth teaching of these: {results[best.index]['file']} (trained on it too, "
                f"{best.gain:.1f} more of {len(rows)} would be recognized correctly, as an estimate)"
            )
        )


def opened(arguments: Namespace, stack: ExitStack) -> tuple[Names, str, ListeningConfig, Explainer | None]:
    """What names the files, the kind of file that it takes, how it listens, and with --why what explains it.

    stack: closes what stays open.

    A fused file or a classifier of `--model` names them by itself; a folder of one, too, where the profile was not
    taught with it.
    """
    fused = named_fused(arguments.model, arguments.threads)
    if fused is not None:
        _check_alone(arguments)
        _check_taught(arguments)
        return fused, fused.about.kind, ListeningConfig(), None
    context = describing(arguments)
    sound = named_sound(context)
    if sound is not None:
        _check_taught(arguments)
        return Recognizer.of_base(sound), sound.kind, ListeningConfig(PUBLISHED), None
    foreign = named_classifier(context, arguments.labels)
    if foreign is not None:
        _check_taught(arguments)
        return foreign, foreign.kind, ListeningConfig(), None
    if arguments.labels is not None:
        raise ConfigError("--labels names the outputs of a classifier in a .tflite file: give that with --model")
    embedder = context.load_embedder(movements=True)
    profile = context.open_profile(stack, writable=False)
    recognizer = taught_recognizer(profile, embedder, reject=not arguments.no_reject)
    config = listening_config(load_saved(profile)) if embedder.kind == "sound" else ListeningConfig()
    if not arguments.why:
        return recognizer, embedder.kind, config, None
    from device.teach.explaining import Explainer  # reasons take all of teaching along; an answer starts without

    return recognizer, embedder.kind, config, Explainer(profile.store, recognizer)


def _check_taught(arguments: Namespace) -> None:
    """ConfigError where --why is asked of a model that no examples are there of."""
    if arguments.why:
        raise ConfigError(
            f"{arguments.model}: names its classes by itself, and --why looks at taught examples: no --why"
        )


def _check_alone(arguments: Namespace) -> None:
    """ConfigError where more is said of a file that says all of itself."""
    more = first_given(arguments, "labels", "scaling", "colour_order", "resize", "size")
    if more is not None:
        raise ConfigError(f"{arguments.model}: is a file of `edge-tl model fuse`, which says that itself: no {more}")


def named_sound(context: Context) -> ForeignSound | None:
    """The classifier of sounds that `--model` names; None for anything else."""
    path = context.model
    if path is None or not path.is_file() or file_metadata(read_model(path), str(path)).kind != "sound":
        return None
    return ForeignSound.load(path, context.threads)


def named_classifier(context: Context, labels: Path | None) -> Classifier | None:
    """The classifier of `--model`; None where that is not given, is no classifier, or is what the profile looks with.

    ModelError (one line) for a file that is neither a classifier nor what a profile was taught with.
    """
    path = context.model
    if path is None:
        return None
    network = context.load_model()
    there = os.path.isdir(context.profile_folder)
    if path.is_dir() and labels is None and there:
        with ExitStack() as stack:
            profile = context.open_profile(stack, writable=False)
            if any(one.fingerprint == network.fingerprint for one in profile.store.list()):
                return None
    found = Classifier.of(network, replace(context.given, labels=labels))
    if found is None and not there:
        shape = "×".join(map(str, network.embedding_shape))
        raise ModelError(
            f"{path}: gives a picture's numbers as {shape} and names no classes: teach some with `edge-tl teach "
            f"--model {path}`, or say what its outputs are called by --labels FILE"
        )
    return found


def answer(
    file: Path, classes: tuple[str, ...], observation: Observation, heard: RecordingOutcome | None
) -> dict[str, Any]:
    """What there is to know of one file, JSON-able."""
    made: dict[str, Any] = {
        "file": str(file),
        "label": observation.label,
        "probabilities": dict(zip(classes, map(float, observation.probabilities), strict=True)),
    }
    if heard is not None:
        words = [{"label": one.label, "confidence": one.counted, "at_s": round(one.time_s, 2)} for one in heard.words]
        made |= {"label": label_of(heard), "confidence": heard.confidence, "told": words}
    return made


def label_of(heard: RecordingOutcome) -> str | None:
    """The first word that is told, else what the recording is nearest to; None for none of these."""
    return heard.words[0].label if heard.words else heard.observation.label


def said(observation: Observation) -> str:
    """What a person reads of a picture."""
    label = observation.label or f"none of these (nearest: {observation.best})"
    return f"{label}  {observation.confidence:.1%}"


def said_of_words(heard: RecordingOutcome, config: ListeningConfig) -> str:
    """What a person reads of a recording: the words that `listen` tells, else what it is nearest to and why not."""
    if heard.words:
        return ", then ".join(f"{one.label}  {one.counted:.1%}" for one in heard.words)
    observation = heard.observation
    if observation.label is None:
        return f"none of these (nearest: {observation.best})  {heard.confidence:.1%}"
    if observation.label in SILENT:
        return f"{observation.label}  {heard.confidence:.1%}"
    return f"{observation.label}  {heard.confidence:.1%}, not confident enough: the threshold is {config.threshold:.0%}"
