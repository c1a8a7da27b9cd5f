"""edge-tl: teach a Raspberry Pi new gestures and new words, on the Pi itself, in seconds.

    Source.read → Frame → Embedder.embed → ExampleStore.add | Head.predict_proba → Controller.update → Game.step

Read the files in this order, which is the data's way: errors, frames, sources, simulated, image, manifest, interpreter,
embedder, stored, examples, folders, features, span, heads, metrics, validation, rejection, recognizer, controller,
profile, timing, testing. Rooms of their own: speech (sound and words), look (hands and faces), nn (training below the
head), detection (boxes), tflite (files, cut, built and fused).
"""

from edge_tl.controller import Controller, ControllerConfig, Steady
from edge_tl.embedder import Embedder, TFLiteEmbedder
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
from edge_tl.examples import ExampleStore
from edge_tl.features import FeatureMap
from edge_tl.frames import Frame, Source
from edge_tl.heads import HEADS, Head, make_head
from edge_tl.image import decode
from edge_tl.learned import Learned, Observation
from edge_tl.models import default_model
from edge_tl.profile import Profile
from edge_tl.recognizer import Recognizer
from edge_tl.rejection import Rejector
from edge_tl.simulated import SimulatedPlayer
from edge_tl.sources import FolderSource
from edge_tl.speech.browser import BrowserEmbedder
from edge_tl.speech.embedding import SpeechEmbedder
from edge_tl.speech.listening import Listener, ListeningConfig
from edge_tl.speech.sound import Sound, read_sound
from edge_tl.speech.stream import Heard, SoundEmbedder, StreamingSpeech
from edge_tl.speech.wav import read_wav
from edge_tl.speech.wav_source import WavSource
from edge_tl.validation import Evaluation, evaluate

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
