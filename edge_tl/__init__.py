"""edge-tl: teach a Raspberry Pi new gestures and new words, on the Pi itself, in seconds.

    Source.read → Frame → Embedder.embed → ExampleStore.add | Head.predict_proba → Controller.update → Game.step

The rooms, each on those before it: errors, frames, files, labels, controller; media and core; nn (training), tflite
(files and the interpreter), models (what ships); sources and embedders; heads; judge; listener, recognizer, line, and
store beside them; words, finetune, export, detection. testing makes all of it usable without hardware. Each folder says
in what order its files are read; the data's way is one file, line.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any
from warnings import warn

if TYPE_CHECKING:
    from edge_tl.controller import Controller, ControllerConfig, Steady
    from edge_tl.core.answers import Observation, SavedHead, TrainingResult
    from edge_tl.core.examples import Count, Example, Examples
    from edge_tl.core.features import FeatureMap
    from edge_tl.embedders.browser import BrowserEmbedder
    from edge_tl.embedders.embedder import Embedder, Finder, SoundEmbedder
    from edge_tl.embedders.speech import SpeechEmbedder
    from edge_tl.embedders.stream import StreamingSpeech, StreamWindow
    from edge_tl.embedders.tflite import TFLiteEmbedder
    from edge_tl.errors import (
        ConfigError,
        EdgeTLError,
        ExampleError,
        MissingDependency,
        ModelError,
        NotFittedError,
        ProfileError,
        ProfileLocked,
        ProfileMismatch,
        ShapeError,
        SourceClosed,
        SourceError,
        SourceTimeout,
    )
    from edge_tl.frames import BaseSource, Frame, Source
    from edge_tl.heads import HEADS, Head, make_head
    from edge_tl.heads.rejection import Rejector
    from edge_tl.judge.evaluation import Evaluation
    from edge_tl.judge.validation import evaluate
    from edge_tl.listener import Listener, ListeningConfig
    from edge_tl.media.image import decode
    from edge_tl.media.sound import Sound, read_sound
    from edge_tl.media.wav import read_wav
    from edge_tl.models import default_model
    from edge_tl.recognizer import Recognizer
    from edge_tl.sources.folder import FolderSource
    from edge_tl.sources.simulated import SimulatedPlayer
    from edge_tl.sources.wav import WavSource
    from edge_tl.store.examples import ExampleStore
    from edge_tl.store.generations import Generation
    from edge_tl.store.profile import Profile
    from edge_tl.tflite.manifest import Manifest, Scaling

_HOMES = {
    "edge_tl.controller": "Controller ControllerConfig Steady",
    "edge_tl.core.answers": "Observation SavedHead TrainingResult",
    "edge_tl.core.examples": "Count Example Examples",
    "edge_tl.core.features": "FeatureMap",
    "edge_tl.embedders.browser": "BrowserEmbedder",
    "edge_tl.embedders.embedder": "Embedder Finder SoundEmbedder",
    "edge_tl.embedders.speech": "SpeechEmbedder",
    "edge_tl.embedders.stream": "StreamWindow StreamingSpeech",
    "edge_tl.embedders.tflite": "TFLiteEmbedder",
    "edge_tl.errors": "ConfigError EdgeTLError ExampleError MissingDependency ModelError NotFittedError ProfileError "
    "ProfileLocked ProfileMismatch ShapeError SourceClosed SourceError SourceTimeout",
    "edge_tl.frames": "BaseSource Frame Source",
    "edge_tl.heads": "HEADS Head make_head",
    "edge_tl.heads.rejection": "Rejector",
    "edge_tl.judge.evaluation": "Evaluation",
    "edge_tl.judge.validation": "evaluate",
    "edge_tl.listener": "Listener ListeningConfig",
    "edge_tl.media.image": "decode",
    "edge_tl.media.sound": "Sound read_sound",
    "edge_tl.media.wav": "read_wav",
    "edge_tl.models": "default_model",
    "edge_tl.recognizer": "Recognizer",
    "edge_tl.sources.folder": "FolderSource",
    "edge_tl.sources.simulated": "SimulatedPlayer",
    "edge_tl.sources.wav": "WavSource",
    "edge_tl.store.examples": "ExampleStore",
    "edge_tl.store.generations": "Generation",
    "edge_tl.store.profile": "Profile",
    "edge_tl.tflite.manifest": "Manifest Scaling",
}
"""File → what is found in it. Each is loaded when it is first asked for: whoever teaches from arrays loads no database,
and `edge-tl --help` no model."""
_WAS = {"Heard": "StreamWindow", "Learned": "TrainingResult", "Saved": "SavedHead"}
"""Names of before, for one version more."""
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "HEADS",
    "BaseSource",
    "BrowserEmbedder",
    "ConfigError",
    "Controller",
    "ControllerConfig",
    "Count",
    "EdgeTLError",
    "Embedder",
    "Evaluation",
    "Example",
    "ExampleError",
    "ExampleStore",
    "Examples",
    "FeatureMap",
    "Finder",
    "FolderSource",
    "Frame",
    "Generation",
    "Head",
    "Listener",
    "ListeningConfig",
    "Manifest",
    "MissingDependency",
    "ModelError",
    "NotFittedError",
    "Observation",
    "Profile",
    "ProfileError",
    "ProfileLocked",
    "ProfileMismatch",
    "Recognizer",
    "Rejector",
    "SavedHead",
    "Scaling",
    "ShapeError",
    "SimulatedPlayer",
    "Sound",
    "SoundEmbedder",
    "Source",
    "SourceClosed",
    "SourceError",
    "SourceTimeout",
    "SpeechEmbedder",
    "Steady",
    "StreamWindow",
    "StreamingSpeech",
    "TFLiteEmbedder",
    "TrainingResult",
    "WavSource",
    "__version__",
    "decode",
    "default_model",
    "evaluate",
    "make_head",
    "read_sound",
    "read_wav",
]


def __getattr__(name: str) -> Any:
    """The public names, and `__version__`, the version that is installed."""
    if name == "__version__":
        from importlib.metadata import version

        return version("edge-tl")
    if name in _WAS:
        warn(f"edge_tl.{name} is called {_WAS[name]} now", DeprecationWarning, stacklevel=2)
        return __getattr__(_WAS[name])
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
