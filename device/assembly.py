"""The one place where real parts are chosen and opened."""

from __future__ import annotations

import os
import time
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

from device.choose import open_source, parse_camera
from device.output import warn
from device.reconnect import Reconnecting
from device.steering import neutral_label
from edge_tl.controller import Controller, ControllerConfig
from edge_tl.embedder import TFLiteEmbedder
from edge_tl.errors import NotFittedError, ProfileError
from edge_tl.frames import Source
from edge_tl.labels import check_label, escape, unescape
from edge_tl.models import default_model
from edge_tl.profile import Profile, Saved
from edge_tl.recognizer import Recognizer

clock = time.monotonic
"""The clock of everything that runs for real."""


def load_embedder(arguments: Namespace) -> TFLiteEmbedder:
    """The model of `--model`, else the shipped one."""
    return TFLiteEmbedder.load(arguments.model or default_model(), threads=arguments.threads)


def profile_folder(arguments: Namespace) -> Path:
    """Where the profile of `--profile` lies."""
    return Path(arguments.data_dir) / "profiles" / escape(check_label(arguments.profile))


def models_folder(arguments: Namespace) -> Path:
    """Where `edge-tl model get` puts the models that look for hands and faces."""
    return Path(arguments.data_dir) / "models"


def open_profile(arguments: Namespace, stack: ExitStack, *, writable: bool, make: bool = False) -> Profile:
    """The profile of `--profile`, closed by the stack; ProfileError where there is none and it is not to be made."""
    folder = profile_folder(arguments)
    if not make and not os.path.isdir(folder):
        # Not even a command that writes makes one here: a mistyped name must not leave an empty profile behind.
        others = sorted(unescape(path.name) for path in folder.parent.glob("*") if path.is_dir())
        there = f" (there are: {', '.join(others)})" if others else ""
        raise ProfileError(
            f"there is no profile {arguments.profile!r} in {arguments.data_dir}{there}: run `edge-tl teach` first, or "
            "`edge-tl examples import FOLDER`"
        )
    return stack.enter_context(Profile(folder, writable=writable))


def load_saved(profile: Profile) -> Saved | None:
    """What was trained last, None where nothing was; a damaged generation that was passed over is told on stderr."""
    saved = profile.load()
    for line in profile.warnings:
        warn(line)
    return saved


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
    saved = load_saved(profile)
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
