"""`edge-tl predict`: name pictures, or words in sound files."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack

from device.assembly import load_embedder, open_profile, taught_recognizer
from device.cli.output import print_json, warn
from device.commands.model_fuse import named_fused
from device.sources.rotated import turned
from edge_tl.errors import ExampleError
from edge_tl.export.fused import FusedModel
from edge_tl.media.image import decode
from edge_tl.media.sound import read_sound
from edge_tl.recognizer import Recognizer


def run(arguments: Namespace) -> int:
    """Print one line, or one JSON object, a file; exit 1 where a file was no picture or sound."""
    recognizer: Recognizer | FusedModel | None = named_fused(arguments)
    if isinstance(recognizer, FusedModel):
        kind = recognizer.about.kind
    else:
        with ExitStack() as stack:
            embedder = load_embedder(arguments)
            profile = open_profile(arguments, stack, writable=False)
            recognizer, kind = taught_recognizer(profile, embedder, reject=not arguments.no_reject), embedder.kind
    results, bad = [], 0
    for file in arguments.files:
        try:
            observation = recognizer.observe(
                read_sound(file) if kind == "sound" else turned(decode(file), arguments.rotate)
            )
        except ExampleError as error:
            warn(error)
            bad += 1
            continue
        probabilities = dict(zip(recognizer.classes, map(float, observation.probabilities), strict=True))
        results.append({"file": str(file), "label": observation.label, "probabilities": probabilities})
        if not arguments.json:
            label = observation.label or f"none of these (nearest: {observation.best})"
            print(f"{file}: {label}  {observation.confidence:.1%}")
    if arguments.json:
        print_json(results)
    return 1 if bad else 0
