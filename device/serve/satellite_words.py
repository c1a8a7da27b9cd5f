"""The words that satellites may wait for, and one stream of their sound, heard as the service's own microphone is."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from device.sources.channels import Channels
from device.sources.given import GivenSound
from edge_tl.errors import ExampleError, SourceClosed, counted
from edge_tl.line import SoundLine, Word
from edge_tl.listener import SILENT, Listener, ListeningConfig
from edge_tl.media.resample import check_rate
from edge_tl.recognizer import Recognizer

PIECE_S = 0.1
"""So much is heard at once: between two pieces others have their turn."""
MAX_CHANNELS = 32
WIDTHS = {1: "i1", 2: "<i2", 3: "u1", 4: "<i4"}


@dataclass(frozen=True)
class PipelineWords:
    """The words of one pipeline, as they are reported now."""

    pipeline: str
    recognizer: Recognizer
    """With an embedder of its own: it is asked in another thread than the pipeline's."""
    config: ListeningConfig
    generation: int

    @property
    def words(self) -> tuple[str, ...]:
        """What it reports."""
        return tuple(label for label in self.recognizer.classes if label not in SILENT)


class Catalogue:
    """Every word under the name by which satellites ask for it: the label, where several pipelines tell it the first's.

    `models`: name → (what was taught, label). It never changes: a training brings another one.
    """

    def __init__(self, taught: Iterable[PipelineWords] = ()) -> None:
        self.taught = tuple(taught)
        self.models: dict[str, tuple[PipelineWords, str]] = {}
        for one in self.taught:
            for label in one.words:
                name = label if label not in self.models else f"{label} ({one.pipeline})"
                self.models.setdefault(name, (one, label))
        self._names = {(one.pipeline, label): name for name, (one, label) in self.models.items()}

    def name_of(self, pipeline: str, label: str) -> str | None:
        """Under which name a word of a pipeline is reported; None where it has none."""
        return self._names.get((pipeline, label))

    def unknown(self, names: Collection[str]) -> list[str]:
        """Those of these names that nothing is called by."""
        return [name for name in names if name not in self.models]


@dataclass(frozen=True)
class Format:
    """How the samples of a satellite are written; ExampleError for what is not read."""

    rate_hz: int
    width: int
    """Bytes of a sample, 1 to 4: a whole number with a sign, little-endian."""
    channels: int

    def __post_init__(self) -> None:
        check_rate(self.rate_hz)
        if self.width not in WIDTHS or not 1 <= self.channels <= MAX_CHANNELS:
            raise ExampleError(
                f"the sound has {counted(self.width, 'byte')} a sample and {counted(self.channels, 'channel')}; 1 to 4 "
                f"and 1 to {MAX_CHANNELS} are wanted"
            )

    @property
    def frame_bytes(self) -> int:
        """Of one sample of each channel."""
        return self.width * self.channels

    def seconds(self, data: bytes) -> float:
        """How long such bytes sound."""
        return len(data) / self.frame_bytes / self.rate_hz

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """The bytes in pieces that are no longer than PIECE_S; ExampleError where a sample is cut."""
        if len(data) % self.frame_bytes:
            raise ExampleError(
                f"{counted(len(data), 'byte')} of sound are no whole number of samples of "
                f"{counted(self.frame_bytes, 'byte')}"
            )
        step = max(1, round(PIECE_S * self.rate_hz)) * self.frame_bytes
        return (data[start : start + step] for start in range(0, len(data), step))

    def decoded(self, data: bytes) -> np.ndarray:
        """int16 (samples, channels): what is finer is beyond any microphone."""
        values = np.frombuffer(data, WIDTHS[self.width])
        if self.width == 1:
            values = values.astype(np.int16) * 256
        elif self.width == 3:
            values = np.ascontiguousarray(values.reshape(-1, 3)[:, 1:]).view("<i2")[:, 0]
        elif self.width == 4:
            values = (values >> 16).astype(np.int16)
        return values.reshape(-1, self.channels)


class Stream:
    """One stream of sound, from its beginning to its end, heard for words of a catalogue.

    names: what is waited for; None for everything. A pipeline of which nothing is wanted does not listen.
    """

    def __init__(self, catalogue: Catalogue, names: Collection[str] | None, format: Format) -> None:
        self.catalogue, self.format = catalogue, format
        self.reported = 0
        """How many words were reported."""
        self._names = None if names is None else set(names)
        wanted = catalogue.taught
        if self._names is not None:
            asked = {catalogue.models[name][0].pipeline for name in self._names if name in catalogue.models}
            wanted = tuple(one for one in wanted if one.pipeline in asked)
        self._channels = Channels(format.channels)
        self._lines = [(one.pipeline, *_line(one, format.rate_hz)) for one in wanted]
        self._samples = 0

    @property
    def heard_s(self) -> float:
        """How long all is that came."""
        return self._samples / self.format.rate_hz

    def push(self, data: bytes) -> list[str]:
        """The names of the words that are reported with a piece."""
        samples = self._channels.mixed(self.format.decoded(data), self.format.rate_hz)
        self._samples += len(samples)
        for _, given, _ in self._lines:
            given.give(samples)
        return self._heard()

    def finish(self) -> list[str]:
        """No more comes: the names of the words that are reported with what follows a recording, silence."""
        if not self._samples:
            return []
        for _, given, _ in self._lines:
            given.end()
        return self._heard()

    def _heard(self) -> list[str]:
        names = []
        for pipeline, _, line in self._lines:
            for word in _words(line):
                name = self.catalogue.name_of(pipeline, word.label)
                if name is not None and (self._names is None or name in self._names):
                    names.append(name)
        self.reported += len(names)
        return names


def _line(taught: PipelineWords, rate_hz: int) -> tuple[GivenSound, SoundLine]:
    """A line of data of its own, and the source into which its sound is put."""
    given = GivenSound("the satellite's sound", rate_hz)
    listener = Listener(taught.recognizer.classes, taught.config)
    return given, SoundLine(given, taught.recognizer, lambda: given.heard_s, listener)


def _words(line: SoundLine) -> list[Word]:
    """The words in what waits to be heard."""
    with contextlib.suppress(SourceClosed):
        while line.read(0.0) is not None:
            pass
    words = list(line.words)
    line.words.clear()
    return words
