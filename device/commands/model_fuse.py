"""`edge-tl model fuse`: what was trained as one .tflite file, and what names pictures with such a file."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np

from device.cli.output import print_json, say
from device.commands.options import context_of
from device.teach.fusing import check_whole, fusible
from edge_tl.detection.base import read_detector
from edge_tl.detection.detector import features
from edge_tl.detection.one_file import fuse_detector, read_one_file
from edge_tl.detection.scenes import scenes
from edge_tl.detection.training import FRESH_SEED
from edge_tl.errors import ConfigError, ModelError, counted
from edge_tl.export.fuse import fuse, fuse_network
from edge_tl.export.fused import FusedModel
from edge_tl.finetune.picture_base import read_picture_base
from edge_tl.media.image import decode
from edge_tl.nn.losses import softmax
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile
from edge_tl.tflite.interpreter import read_model

MAX_COMPARED = 20


def fuse_profile(arguments: Namespace) -> int:
    """Write a profile's embedder and head as one file, and compare it with the profile on its own examples."""
    if arguments.network is not None and arguments.detector is not None:
        raise ConfigError("--network DIR and --detector DIR: one file holds one of them; leave the other out")
    if arguments.network is not None:
        return fuse_adapted(arguments.network, arguments.out, arguments.threads, as_json=arguments.json)
    if arguments.detector is not None:
        return fuse_trained_detector(arguments.detector, arguments.out, arguments.threads, as_json=arguments.json)
    context, out = context_of(arguments), arguments.out
    check_whole(context)  # before any model is loaded for it
    with ExitStack() as stack:
        profile = context.open_profile(stack, writable=False)
        recognizer, file = fusible(context, profile, context.load_embedder())
        data = fuse(recognizer, read_model(file), str(file))
        with written_model(out, data, file) as made:
            fused = FusedModel.load(made, context.threads)
            recognizer.confidence = recognizer.confidence.elsewhere()  # a file knows one temperature
            compared, largest = difference(profile, recognizer, fused)
    return tell(out, fused, len(data), compared, largest, of_network=False, as_json=arguments.json)


def tell(
    out: Path, fused: FusedModel, size_bytes: int, compared: int, largest: float, *, of_network: bool, as_json: bool
) -> int:
    """Say what was written, and how far it is from what it was made of: a profile, or a network."""
    if as_json:
        said = {"file": str(out), "bytes": size_bytes, "labels": list(fused.classes)}
        print_json(said | {"head": fused.about.head, "compared": compared, "largest_difference": largest})
        return 0
    say(f"{out}: {', '.join(fused.classes)}; {counted(size_bytes, 'byte')}")
    if compared:
        source, asked = ("network", "drawn pictures") if of_network else ("profile", "of its examples")
        say(f"its probabilities differ from the {source}'s by {largest:.1g} at most, on {compared} {asked}")
        if not of_network:
            say(
                "  compared with the profile's answers for pictures from other places: near the training examples "
                "the profile is more confident"
            )
    say(f"classify a file with it: `edge-tl predict --model {out} FILE`")
    return 0


def fuse_adapted(network: Path, out: Path, threads: int | None, *, as_json: bool) -> int:
    """Write a network that `model adapt` trained as one file, and compare it with NumPy on drawn pictures."""
    base = read_picture_base(network)
    data = fuse_network(base)
    height, width, channels = base.about.input_shape
    noise = np.random.default_rng(0).integers(0, 256, (MAX_COMPARED, height, width, channels), np.uint8)
    wanted = softmax(base.network(base.pixels(noise)))
    pictures = np.broadcast_to(noise, (*noise.shape[:3], 3))
    with written_model(out, data, network) as made:
        fused = FusedModel.load(made, threads)
        answers = np.stack([fused.observe(picture).probabilities for picture in pictures])
        largest = float(np.abs(answers - wanted).max())
    return tell(out, fused, len(data), len(noise), largest, of_network=True, as_json=as_json)


def fuse_trained_detector(folder: Path, out: Path, threads: int | None, *, as_json: bool) -> int:
    """Write a trained detector as one file, and compare it with its folder on drawn scenes."""
    data = fuse_detector(folder)
    apart = read_detector(folder, threads)
    pictures = list(scenes(MAX_COMPARED, FRESH_SEED).pictures)
    with written_model(out, data, folder) as made:
        fused = read_one_file(made, threads)
        of = [
            one.answers.read(one.network(features(one.embedder, one.answers.side_px, pictures)))
            for one in (apart, fused)
        ]
    side_px = apart.answers.side_px
    largest = max(float(np.abs(of[0][0] - of[1][0]).max()), float(np.abs(of[0][1] - of[1][1]).max()) / side_px)
    if as_json:
        said = {"file": str(out), "bytes": len(data), "labels": list(fused.labels)}
        print_json(said | {"compared": len(pictures), "largest_difference": largest})
        return 0
    say(f"{out}: {', '.join(fused.labels)}; {counted(len(data), 'byte')}")
    say(
        f"on {counted(len(pictures), 'drawn scene')} its boxes, as shares of the picture, and its confidences differ "
        f"from the folder's by {largest:.1g} at most"
    )
    say(f"find objects with it: `edge-tl detect --detector {out} FILE`")
    return 0


def difference(profile: Profile, recognizer: Recognizer, fused: FusedModel) -> tuple[int, float]:
    """How many of a profile's examples were asked, and by how much a probability differs at most."""
    examples = profile.store.list()
    compared, largest = 0, 0.0
    for chosen in examples[:: -(-len(examples) // MAX_COMPARED) or 1]:
        example = chosen.id
        heard = profile.store.sound(example) if fused.about.kind == "sound" else None
        if fused.about.kind == "sound" and heard is None:
            continue  # a spectrogram alone
        data = decode(profile.store.picture(example)) if heard is None else heard
        apart = recognizer.observe(data).probabilities - fused.observe(data).probabilities
        compared, largest = compared + 1, max(largest, float(np.abs(apart).max()))
    return compared, largest


@contextmanager
def written_model(out: Path, data: bytes, source: Path) -> Iterator[Path]:
    """Write a model beside OUT for the block to try; at its end OUT is replaced, whole, and by an error not at all.

    ModelError where OUT is the model that the new one was made of, or cannot be written.
    """
    if out.exists() and source.exists() and out.samefile(source):
        raise ModelError(f"{out}: is the model that this one is made of; name another file with --out")
    unfinished = out.with_name(f"{out.name}.part")
    try:
        try:
            unfinished.write_bytes(data)
        except OSError as error:
            raise ModelError(f"{out} cannot be written ({error.strerror}): name another file with --out") from error
        yield unfinished
        unfinished.replace(out)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
