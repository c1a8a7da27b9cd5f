"""`edge-tl predict`: name pictures, or words in sound files."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from device.assembly import load_saved, taught_recognizer
from device.cli.output import print_json, warn
from device.commands.model_fuse import named_fused
from device.commands.options import context_of
from device.sources.rotated import turned
from device.teach.thresholds import listening_config
from edge_tl.core.answers import Observation
from edge_tl.errors import ExampleError, escaped
from edge_tl.export.fused import FusedModel
from edge_tl.listener import SILENT, ListeningConfig
from edge_tl.media.image import decode
from edge_tl.media.sound import read_sound
from edge_tl.recognizer import Recognizer
from edge_tl.words.recording import Heard, hear


def run(arguments: Namespace) -> int:
    """Print one line, or one JSON object, a file; exit 1 where a file was no picture or sound."""
    recognizer: Recognizer | FusedModel | None = named_fused(arguments.model, arguments.threads)
    config = ListeningConfig()
    if isinstance(recognizer, FusedModel):
        kind = recognizer.about.kind
    else:
        context = context_of(arguments)
        with ExitStack() as stack:
            embedder = context.load_embedder()
            profile = context.open_profile(stack, writable=False)
            recognizer, kind = taught_recognizer(profile, embedder, reject=not arguments.no_reject), embedder.kind
            if kind == "sound":
                config = listening_config(load_saved(profile))
    results, bad = [], 0
    for file in arguments.files:
        heard = None
        try:
            if kind != "sound":
                observation = recognizer.observe(turned(decode(file), arguments.rotate))
            elif isinstance(recognizer, Recognizer):
                heard = hear(recognizer, read_sound(file), config)
                observation = heard.observation
            else:
                observation = recognizer.observe(read_sound(file))
        except ExampleError as error:
            warn(error)
            bad += 1
            continue
        results.append(answer(file, recognizer.classes, observation, heard))
        if not arguments.json:
            print(escaped(f"{file}: {said(observation) if heard is None else said_of_words(heard, config)}"))
    if arguments.json:
        print_json(results)
    return 1 if bad else 0


def answer(file: Path, classes: tuple[str, ...], observation: Observation, heard: Heard | None) -> dict[str, Any]:
    """What there is to know of one file, JSON-able."""
    made: dict[str, Any] = {
        "file": str(file),
        "label": observation.label,
        "probabilities": dict(zip(classes, map(float, observation.probabilities), strict=True)),
    }
    if heard is not None:
        words = [{"label": one.label, "confidence": one.counted, "at_s": round(one.time_s, 2)} for one in heard.told]
        made |= {"label": label_of(heard), "confidence": heard.confidence, "told": words}
    return made


def label_of(heard: Heard) -> str | None:
    """The first word that is told, else what the recording is nearest to; None for none of these."""
    return heard.told[0].label if heard.told else heard.observation.label


def said(observation: Observation) -> str:
    """What a person reads of a picture."""
    label = observation.label or f"none of these (nearest: {observation.best})"
    return f"{label}  {observation.confidence:.1%}"


def said_of_words(heard: Heard, config: ListeningConfig) -> str:
    """What a person reads of a recording: the words that `listen` tells, else what it is nearest to and why not."""
    if heard.told:
        return ", then ".join(f"{one.label}  {one.counted:.1%}" for one in heard.told)
    observation = heard.observation
    if observation.label is None:
        return f"none of these (nearest: {observation.best})  {heard.confidence:.1%}"
    if observation.label in SILENT:
        return f"{observation.label}  {heard.confidence:.1%}"
    return f"{observation.label}  {heard.confidence:.1%}, too unsure: a word is told from {config.threshold:.0%} on"
