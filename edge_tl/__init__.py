"""edge-tl: teach a Raspberry Pi new gestures and new words, on the Pi itself, in seconds.

    Source.read → Frame → Embedder.embed → ExampleStore.add | Head.predict_proba → Controller.update → Game.step

The rooms, each on those before it: errors, frames, files, labels, timing, controller; media and core; nn (training),
tflite (files and the interpreter), models (what ships); sources and embedders; heads; judge; recognizer, listener, and
store beside them; words, finetune, export, detection. testing makes all of it usable without hardware. Each folder says
in what order its files are read; the data's way is sources, embedders, store | heads, recognizer, controller.
"""

from edge_tl.controller import Controller, ControllerConfig, Steady
from edge_tl.core.answers import Learned, Observation
from edge_tl.core.features import FeatureMap
from edge_tl.embedders.browser import BrowserEmbedder
from edge_tl.embedders.speech import SpeechEmbedder
from edge_tl.embedders.stream import Heard, SoundEmbedder, StreamingSpeech
from edge_tl.embedders.tflite import Embedder, TFLiteEmbedder
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
from edge_tl.frames import Frame, Source
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
from edge_tl.store.profile import Profile

__all__ = [
    "HEADS",
    "BrowserEmbedder",
    "ConfigError",
    "Controller",
    "ControllerConfig",
    "EdgeTLError",
    "Embedder",
    "Evaluation",
    "ExampleError",
    "ExampleStore",
    "FeatureMap",
    "FolderSource",
    "Frame",
    "Head",
    "Heard",
    "Learned",
    "Listener",
    "ListeningConfig",
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
    "StreamingSpeech",
    "TFLiteEmbedder",
    "WavSource",
    "decode",
    "default_model",
    "evaluate",
    "make_head",
    "read_sound",
    "read_wav",
]
