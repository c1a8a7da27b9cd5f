"""The one place where real parts are chosen and opened."""

from __future__ import annotations

import os
import shlex
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from device.cli.calling import of_words
from device.cli.model_places import folder_of_models
from device.cli.output import warn
from device.sources.choose import MOVING, open_mic, open_source, parse_camera
from device.sources.reconnect import ReconnectingSource
from device.sources.rotated import RotatedSource
from edge_tl.controller import Controller, ControllerConfig, neutral_label
from edge_tl.core.answers import SavedHead, head_name
from edge_tl.detection.few import NAME as BOXES
from edge_tl.embedders.embedder import Embedder, Finder, TrackEmbedder, Tracker
from edge_tl.embedders.foreign import ModelHints
from edge_tl.embedders.hearing import Hearing, open_base
from edge_tl.embedders.look.choices import ALL, MOVEMENT, NEEDS, Look
from edge_tl.embedders.look.hand import Hand
from edge_tl.embedders.look.ways import inner_of, open_look
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, ModelError, NotFittedError, ProfileError, ProfileLocked, counted
from edge_tl.frames import BaseSource
from edge_tl.heads.movement import MovementHead
from edge_tl.labels import check_label, escape, unescape
from edge_tl.models import default_model
from edge_tl.recognizer import Recognizer
from edge_tl.store.embedders import install_loaded
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_chosen, read_hearing, read_look, remembered_look, write_settings
from edge_tl.tflite.file_metadata import ending
from edge_tl.tflite.interpreter import read_model
from edge_tl.tflite.manifest import Manifest, read_manifest, same_pixels

clock = time.monotonic
"""The clock of everything that runs for real."""


@dataclass(frozen=True)
class Context:
    """What every part that opens something must know: where the state lies, and which profile, model and threads."""

    data_dir: Path
    profile: str
    """A label; the profile need not be there."""
    model: Path | None = None
    """A .tflite file of pictures or the folder of one; None for the model that the profile uses."""
    threads: int | None = None
    """Of the interpreter; None for as many as suit the machine."""
    given: ModelHints = field(default_factory=ModelHints)
    """What a person says of `model` that a file does not say itself."""

    @property
    def profile_folder(self) -> Path:
        """Where the profile lies, or would."""
        return self.data_dir / "profiles" / escape(check_label(self.profile))

    @property
    def embedders_folder(self) -> Path:
        """Where `edge-tl model use` puts converted models."""
        return self.data_dir / "embedders"

    @property
    def typed_folder(self) -> Path:
        """Where what programs spoke of typed words is kept for the next time."""
        return self.data_dir / "typed"

    def models_folder(self, which: str = ALL) -> Path:
        """Where the models that look for `hands`, for `face`, or for `all` are installed, else would be."""
        return folder_of_models(self.data_dir, which)

    def image_model(self) -> Path:
        """The file or folder of the model that is named here, else that the profile uses, else of the shipped one.

        ModelError where the profile uses one that is not installed.
        """
        if self.model is not None:
            return self.model
        name = read_chosen(self.profile_folder)
        if name is None:
            return default_model()
        folder = self.embedders_folder / name
        if not folder.is_dir():
            raise ModelError(
                f"profile {self.profile!r} uses the model {name}, which is not installed: `edge-tl model use FOLDER` "
                "installs it, and without FOLDER goes back to the one that ships"
            )
        return folder

    def load_embedder(self, look: Look | None = None, *, movements: bool = False) -> Embedder:
        """What looks at pictures so; None for as the profile was taught, which may also be what listens.

        movements: whether the caller takes a profile of movements too; ConfigError where it does not and it is one.
        """
        hearing = read_hearing(self.profile_folder) if look is None else None
        if hearing is not None:
            of_words()
            return open_base(hearing, self.threads)
        look = look or read_look(self.profile_folder)
        if look.way == MOVEMENT and not movements:
            raise ConfigError(
                f"profile {self.profile!r} holds movements, which this command does not support: give another --profile"
            )
        # Asked only where models are needed: they are read to the last byte, to see that they are unharmed.
        folder = self.models_folder(NEEDS[look.way]) if look.way in NEEDS else Path()
        return open_look(look, folder, self.load_model, self.threads)

    def load_hands(self) -> Tracker[Hand]:
        """What finds a hand and follows it, for movements; ModelError where its models are not installed."""
        embedder = self.load_embedder(Look("hand"))
        assert isinstance(embedder, Finder)
        return embedder.tracker

    def load_model(self) -> TFLiteEmbedder:
        """The model of `image_model`, loaded; ConfigError where more is said of one that nobody named."""
        said = self.given
        if self.model is None and said != ModelHints():
            raise ConfigError("--scaling, --colour-order, --resize and --size describe a file: name it with --model")
        return TFLiteEmbedder.load(
            self.image_model(),
            self.threads,
            scaling=said.scaling,
            resize=said.resize,
            colour_order=said.colour_order,
            size=said.size,
        )

    def open_profile(
        self, stack: ExitStack, *, writable: bool, make: bool = False, keep_empty: bool = False
    ) -> Profile:
        """The profile, closed by the stack; ProfileError where there is none and it is not to be made.

        One that is made goes again where nothing was taught until it is closed, unless `keep_empty`: lists and backups
        name what was taught.
        """
        folder = self.profile_folder
        if not make and not os.path.isdir(folder):
            # Not even a command that writes makes one here: a mistyped name must not leave an empty profile behind.
            others = sorted(unescape(path.name) for path in folder.parent.glob("*") if path.is_dir())
            there = f" (there are: {', '.join(others)})" if others else ""
            raise ProfileError(
                f"there is no profile {self.profile!r} in {self.data_dir}{there}: run `edge-tl teach` first, or "
                "`edge-tl examples import FOLDER`"
            )
        try:
            return stack.enter_context(Profile(folder, writable=writable, keep_empty=keep_empty))
        except ProfileLocked:
            console = service_console(self.data_dir)
            if console is None:
                raise
            raise ProfileLocked(
                f"the service holds profile {self.profile!r}: teach and train it {console}, or stop the service first "
                "(sudo systemctl stop edge-tl)"
            ) from None

    def open_camera(self, camera: str, degrees: int, stack: ExitStack, look: Look | None = None) -> BaseSource:
        """A camera by its words, open and coming back by itself when it is lost; closed by the stack.

        degrees: clockwise, which every picture is turned by first. look: who will look, so that a simulated player
        shows what is sought; None for as the profile was taught.
        """
        if parse_camera(camera).kind == "sim":
            if degrees:
                raise ConfigError("--rotate is for a camera that hangs on its side; the simulated player sits upright")
            way = (look or read_look(self.profile_folder)).way
            player = open_source(camera, clock=clock, subject=subject_of(way))
            stack.callback(player.close)
            return player
        return stack.enter_context(ReconnectingSource(lambda: open_turned(camera, degrees), clock=clock))


def adopt_look(profile: Profile, look: Look) -> None:
    """Remember the way to look of a profile that is about to be taught; ConfigError where it was taught by another."""
    check_pictures(profile)
    remembered = remembered_look(profile.folder)
    if look == remembered:
        return
    if holds_examples(profile):
        if MOVEMENT in (look.way, (remembered or Look()).way):
            if look.way != MOVEMENT:
                raise ConfigError(f"{_named(profile)} was taught movements: give another --profile")
            raise ConfigError(
                f"{_named(profile)} was taught pictures, which hold no track of a hand: a profile of movements takes "
                "signs too, so teach both in a new one (`edge-tl teach --movements --profile NEW`; a sign is a hand "
                "that is held still)"
            )
        if remembered is None and look == Look():
            return
        raise ConfigError(
            f"{_named(profile)} was taught with --look {remembered or Look()}, not {look}: "
            f"`edge-tl examples re-embed {options(look)}` changes that and keeps its examples"
        )
    write_settings(profile.folder, look=look)


def adopt_model(profile: Profile, context: Context, embedder: Embedder) -> None:
    """Remember the model of `--model` for a profile that is about to be taught with it.

    ConfigError where the profile was taught with another one.
    """
    used = inner_of(embedder)
    if context.model is None or not isinstance(used, TFLiteEmbedder):
        return
    now = _in_use(profile, context)
    if now is not None and now.sha256 == used.fingerprint and same_pixels(now, used.manifest):
        return
    taught = {one.fingerprint for one in profile.store.list()} - {""}
    if taught - {embedder.fingerprint}:
        raise ConfigError(
            f"{_named(profile)} was taught with another model than {used.name}: leave --model out, or give it to "
            "`edge-tl examples re-embed`, which keeps the examples"
        )
    if taught and now is not None and now.sha256 == used.fingerprint:
        raise ConfigError(
            f"{_named(profile)} was taught with {used.name} and another size, colour order or scaling: leave --model "
            "and what describes it out, or give another --profile"
        )
    remember_model(profile, context, used)
    kind, before = ending(read_model(used.file)) if used.file is not None else ("", "")
    if kind and before:
        warn(
            f"{used.name} is a classifier, and its few numbers are about its own classes: more is learned from what "
            f"comes before them (`edge-tl model truncate {used.file} --tensor {shlex.quote(before)} --out cut.tflite`)"
        )


def remember_model(profile: Profile, context: Context, used: TFLiteEmbedder) -> None:
    """Install a model beside the profiles and let this one look with it from now on."""
    shipped = read_manifest(default_model())
    same = used.fingerprint == shipped.sha256 and same_pixels(used.manifest, shipped)
    write_settings(profile.folder, embedder=None if same else install_loaded(used, context.embedders_folder))


def _in_use(profile: Profile, context: Context) -> Manifest | None:
    """What is said of the model that a profile looks with; None where that is not installed any more."""
    name = read_chosen(profile.folder)
    folder = default_model() if name is None else context.embedders_folder / name
    return read_manifest(folder) if folder.is_dir() else None


def check_pictures(profile: Profile) -> None:
    """ConfigError where a profile is one of words."""
    if read_hearing(profile.folder) is not None:
        raise ConfigError(
            f"{_named(profile)} was taught words (`edge-tl teach --mic`): give another --profile for pictures"
        )


def adopt_hearing(profile: Profile, hearing: Hearing | None = None) -> None:
    """Make a profile one of words; ConfigError where it was taught with pictures, or with another base."""
    remembered = read_hearing(profile.folder)
    hearing = hearing or remembered or Hearing()
    if remembered == hearing:
        return
    if holds_examples(profile):
        kind = _taught_with(profile.folder) if remembered is None else f"the base {remembered.base}"
        raise ConfigError(f"{_named(profile)} was taught with {kind}: give another --profile, e.g. --profile words")
    open_base(hearing)  # what is missing is said before anything is remembered
    write_settings(profile.folder, hearing=hearing)


def check_hearing(context: Context) -> None:
    """ConfigError where the profile is there and is not one of words."""
    folder = context.profile_folder
    if os.path.isdir(folder) and read_hearing(folder) is None:
        raise ConfigError(
            f"profile {context.profile!r} was taught with {_taught_with(folder)}: give the --profile that was taught "
            "words (`edge-tl teach --mic --profile words`)"
        )


def holds_examples(profile: Profile) -> bool:
    """Whether anything was recorded."""
    return any(count.examples for count in profile.store.counts().values())


def _taught_with(folder: Path) -> str:
    """`pictures` or `movements`, of a profile that is not one of words."""
    return "movements" if read_look(folder).way == MOVEMENT else "pictures"


def _named(profile: Profile) -> str:
    return f"profile {unescape(profile.folder.name)!r}"


def options(look: Look) -> str:
    """A way to look as it is written on the command line."""
    text = f"--look {look.way}"
    if look.box is not None:
        text += " --box " + ",".join(f"{share:g}" for share in look.box)
    return text + " --hands both" if look.hands == "both" else text


def service_console(data_dir: Path) -> str | None:
    """Where the service that runs on this folder is taught, in words; None where none answers."""
    from device.health import ask_health  # only where it is needed: every command would pay for it

    try:
        health = ask_health(data_dir / "events.sock")
    except ConfigError:
        return None
    web = health.get("outputs", {}).get("web", {}).get("address")
    return f"at {web}" if web else "through its console, which [web] in its configuration opens"


def load_saved(profile: Profile) -> SavedHead | None:
    """What was trained last, None where nothing was; a damaged generation that was skipped is told on stderr."""
    saved = profile.load()
    for line in profile.warnings:
        warn(line)
    return saved


def open_turned(camera: str, degrees: int, subject: str = "head") -> BaseSource:
    """A camera by its words, open, every picture turned clockwise first; subject: as of `open_source`."""
    source = open_source(camera, clock=clock, loop=True, subject=subject)
    return RotatedSource(source, degrees) if degrees else source


def open_microphone(mic: str, stack: ExitStack, *, paced: bool = True, loop: bool = False) -> BaseSource:
    """A microphone by its words, open and coming back by itself when it is lost; or a recording in its place.

    paced: of a recording, whether it comes as fast as it was spoken. loop: whether it begins again at its end.
    """
    return stack.enter_context(
        ReconnectingSource(lambda: open_mic(mic, clock=clock, paced=paced, loop=loop), clock=clock)
    )


def subject_of(way: str) -> str:
    """What a simulated player shows to whoever looks so."""
    if way == MOVEMENT:
        return MOVING
    return "hand" if NEEDS.get(way) == "hands" else "head"


def taught_recognizer(profile: Profile, embedder: Embedder, *, reject: bool = True) -> Recognizer:
    """The newest trained recognizer of a profile; NotFittedError where nothing was trained yet."""
    recognizer = profile.load_as(lambda saved: Recognizer.restore(saved, embedder, reject=reject))
    for line in profile.warnings:
        warn(line)
    if recognizer is None:
        examples = sum(count.examples for count in profile.store.counts().values())
        raise NotFittedError(
            f"profile {profile.folder.name!r} has {counted(examples, 'example')} and was not trained yet: "
            + ("run `edge-tl train`" if examples else "run `edge-tl teach` first, or `edge-tl examples import`")
        )
    return recognizer


def trained_head(saved: SavedHead | None, embedder: Embedder) -> str:
    """The head that names whole pictures, sounds or movements: the one trained last, else the usual one."""
    usual = MovementHead.name if isinstance(embedder, TrackEmbedder) else "ridge"
    name = usual if saved is None else head_name(saved)
    return usual if name == BOXES else name


def make_controller(recognizer: Recognizer, config: ControllerConfig | None = None) -> Controller:
    """A controller for the classes of a trained recognizer; its neutral class is found by name."""
    return Controller(recognizer.classes, config or ControllerConfig(neutral=neutral_label(recognizer.classes)))
