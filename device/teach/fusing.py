"""What a profile was taught, as one .tflite file: for the command line and for who fetches it from the console."""

from __future__ import annotations

from pathlib import Path

from device.assembly import Context, load_saved, taught_recognizer
from device.teach.boxed import finds_boxes
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.speech_base import BASE
from edge_tl.errors import ConfigError
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_hearing, read_look
from edge_tl.tflite.manifest import read_manifest


def check_whole(context: Context) -> None:
    """ConfigError where a profile looks at a part of the picture, which one network cannot."""
    look = read_look(context.profile_folder)
    if look.way != "frame":
        raise ConfigError(
            f"profile {context.profile!r} looks at a part of the picture ({look}), which a .tflite cannot: only one "
            "that looks at the whole frame can be exported"
        )


def fusible(context: Context, profile: Profile, embedder: Embedder) -> tuple[Recognizer, Path]:
    """What `edge_tl.export.fuse` takes: the newest trained recognizer, and the .tflite file that its embedder runs.

    ConfigError as of `check_whole` and for a profile that finds boxes, NotFittedError where nothing was trained yet.
    """
    check_whole(context)
    if finds_boxes(profile, load_saved(profile)):
        raise ConfigError(
            f"profile {context.profile!r} finds boxes, and its head cannot be put into a .tflite: `edge-tl detect` "
            "asks it on the device; one file that finds things is made by `edge-tl model detector`, then --detector"
        )
    return taught_recognizer(profile, embedder, reject=False), model_file(context)


def model_file(context: Context) -> Path:
    """The .tflite file that the embedder of a profile runs."""
    hearing = read_hearing(context.profile_folder)
    if hearing is not None:
        return Path(hearing.base) / BASE
    path = context.image_model()
    return path / read_manifest(path).model if path.is_dir() else path
