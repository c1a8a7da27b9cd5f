"""The one place where real parts are chosen and opened."""

from __future__ import annotations

import time
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

from device.choose import open_source, parse_camera
from device.progress import Progress
from device.reconnect import Reconnecting
from device.steering import neutral_label
from edge_tl.controller import Controller, ControllerConfig
from edge_tl.embedder import TFLiteEmbedder
from edge_tl.errors import NotFittedError
from edge_tl.frames import Source
from edge_tl.labels import check_label, escape
from edge_tl.models import default_model
from edge_tl.profile import Profile
from edge_tl.recognizer import Recognizer

clock = time.monotonic
"""The clock of everything that runs for real."""


def load_embedder(arguments: Namespace) -> TFLiteEmbedder:
    """The model of `--model`, else the shipped one."""
    return TFLiteEmbedder.load(arguments.model or default_model(), threads=arguments.threads)


def profile_folder(arguments: Namespace) -> Path:
    """Where the profile of `--profile` lies."""
    return Path(arguments.data_dir) / "profiles" / escape(check_label(arguments.profile))


def open_profile(arguments: Namespace, stack: ExitStack, *, writable: bool) -> Profile:
    """The profile of `--profile`, closed by the stack."""
    return stack.enter_context(Profile(profile_folder(arguments), writable=writable))


def open_camera(arguments: Namespace, stack: ExitStack) -> Source | None:
    """The camera of `--camera`, open and coming back by itself when it is lost; None with `--no-camera`."""
    if arguments.no_camera:
        return None
    if parse_camera(arguments.camera).kind == "sim":
        player = open_source(arguments.camera, clock=clock)
        stack.callback(player.close)
        return player
    return stack.enter_context(Reconnecting(lambda: open_source(arguments.camera, clock=clock, loop=True), clock=clock))


def taught_recognizer(profile: Profile, embedder: TFLiteEmbedder, *, reject: bool = True) -> Recognizer:
    """The newest trained recognizer of a profile; NotFittedError where nothing was trained yet."""
    saved = profile.load()
    if saved is None:
        examples = sum(count.examples for count in profile.store.counts().values())
        raise NotFittedError(
            f"profile {profile.folder.name!r} has {examples} examples and was not trained yet: "
            + ("run `edge-tl train`" if examples else "run `edge-tl teach` first, or `edge-tl examples import`")
        )
    return Recognizer.restore(saved, embedder, reject=reject)


def make_controller(recognizer: Recognizer, config: ControllerConfig | None = None) -> Controller:
    """A controller for the classes of a trained recognizer; its neutral class is found by name."""
    return Controller(recognizer.classes, config or ControllerConfig(neutral=neutral_label(recognizer.classes)))


def re_embed(profile: Profile, embedder: TFLiteEmbedder) -> int:
    """Embed all examples of a writable profile anew with this embedder; returns how many."""
    total = sum(count.examples for count in profile.store.counts().values())
    with Progress("embedding", total) as progress:
        return profile.store.reembed(embedder, lambda done, _total: progress(done))
