"""edge-tl: teach a Raspberry Pi new gestures and new words, on the Pi itself, in seconds.

    Source.read → Frame → Embedder.embed → ExampleStore.add | Head.predict_proba → Controller.update → Game.step

Read the files in this order, which is the data's way: errors, frames, audio, audio_mel, audio_windows, resample, wav,
sound, sources, wav_source, simulated, image, manifest, interpreter, embedder, speech_embedding, speech_base,
speech_browser, speech_stream, hearing, utterance, stored, examples, folders, spoken, augment, features, span, heads,
metrics, validation, rejection, recognizer, controller, listening, alarms, profile, timing, testing.
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
from edge_tl.listening import Listener, ListeningConfig
from edge_tl.models import default_model
from edge_tl.profile import Profile
from edge_tl.recognizer import Recognizer
from edge_tl.rejection import Rejector
from edge_tl.simulated import SimulatedPlayer
from edge_tl.sound import Sound, read_sound
from edge_tl.sources import FolderSource
from edge_tl.speech_browser import BrowserEmbedder
from edge_tl.speech_embedding import SpeechEmbedder
from edge_tl.speech_stream import Heard, SoundEmbedder, StreamingSpeech
from edge_tl.validation import Evaluation, evaluate
from edge_tl.wav import read_wav
from edge_tl.wav_source import WavSource

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
