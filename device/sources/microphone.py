"""A microphone as a source of sound. The one home of sounddevice (PortAudio)."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from device.sources.channels import Channels
from device.sources.muted import Zeros
from edge_tl.errors import MissingDependency, SourceClosed, SourceError, SourceTimeout, to_install
from edge_tl.frames import BaseSource, Frame
from edge_tl.media.sound import Sound

BLOCK_S = 0.04
HELD_S = 2.0
"""So much waits for a reader that is late; what comes beyond is dropped and counted."""
STALLED_S = 2.0
"""A microphone that gives nothing for so long is lost: unplugged devices often end without an error."""
MAX_CHANNELS = 32
"""What devices that are no card say they have."""


class Microphone(BaseSource):
    """A sound card's input, delivered in blocks of 40 ms as float32, one channel: of several those that hold sound.

    Sixteen bits are asked for: what nearly all sound cards have, and what is stored. which: None for the default one, a
    number, or a part of the name. PortAudio's thread only copies each block into a queue; whatever is lost, there or in
    the queue, is counted in `Frame.dropped`. `fault` is one line while the microphone seems to be muted, else "".
    """

    simulated = False
    fault = ""

    def __init__(self, which: str | int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.which = which
        self.name = "microphone"
        self.rate_hz = 0
        self._clock = clock
        self._stream: Any = None

    def open(self) -> None:
        """Open it at its own rate; SourceError (one line) where there is none such, MissingDependency without it."""
        self.close()
        sd = _sounddevice()
        # PortAudio looks for devices once; a microphone that was plugged in since is seen only after a new start.
        sd._terminate()
        sd._initialize()
        number, device = _device(sd, self.which)
        self.name = f"microphone {device['name']}"
        self.rate_hz = int(device["default_samplerate"])
        self._blocks: queue.SimpleQueue[tuple[np.ndarray, float, int]] = queue.SimpleQueue()
        self._index = self._lost = 0
        self._zeros = Zeros()
        self.fault = ""
        block = round(BLOCK_S * self.rate_hz)
        most = round(HELD_S / BLOCK_S)

        def take(data: np.ndarray, _frames: int, _time: Any, status: Any) -> None:
            """Called in PortAudio's thread."""
            self._lost += bool(status.input_overflow)
            if self._blocks.qsize() >= most:
                self._lost += 1
                return
            lost, self._lost = self._lost, 0
            self._blocks.put((data.copy(), self._clock() - len(data) / self.rate_hz, lost))

        error: Exception | None = None
        for channels in _counts(int(device["max_input_channels"])):
            try:
                self._stream = sd.InputStream(self.rate_hz, block, number, channels, "int16", callback=take)
                self._stream.start()
            except sd.PortAudioError as failed:
                self.close()
                error = failed
            else:
                self._heard_s, self._channels = self._clock(), Channels(channels)
                return
        raise SourceError(f"{self.name}: cannot be opened ({_reason(error)}): is another program using it?")

    def read(self, timeout_s: float = 1.0) -> Frame:
        """The next block; SourceTimeout where none came in time, SourceError where the microphone is gone."""
        if self._stream is None:
            raise SourceClosed(f"{self.name}: not open; call open() first")
        try:
            data, time_s, lost = self._blocks.get(timeout=max(timeout_s, 0.0))
        except queue.Empty:
            if self._clock() - self._heard_s > STALLED_S or not self._stream.active:
                raise SourceError(f"{self.name}: gives nothing any more; is it unplugged?") from None
            raise SourceTimeout(f"{self.name}: no sound within {timeout_s:g} s") from None
        self._heard_s = self._clock()
        samples = self._channels.mixed(data, self.rate_hz)
        self._zeros.push(samples, self.rate_hz)
        self.fault = self._zeros.fault
        self._index += lost
        frame = Frame(samples, time_s, self._index, lost, self.rate_hz)
        self._index += 1
        return frame

    def close(self) -> None:
        """Stop it; may be called twice."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)


def microphones() -> list[str]:
    """The names of the inputs there are, in the order of their numbers; MissingDependency without sounddevice."""
    return [f"{number} {device['name']}" for number, device in _inputs(_sounddevice())]


def play(sound: Sound) -> None:
    """Play a recording on the default output and return at once; SourceError (one line) where there is none."""
    sd = _sounddevice()
    try:
        sd.play(sound.samples, sound.rate_hz)
    except (sd.PortAudioError, ValueError) as error:
        raise SourceError(f"no loudspeaker can play it ({_reason(error)}): connect one") from error


def _inputs(sd: Any) -> list[tuple[int, dict[str, Any]]]:
    return [(number, device) for number, device in enumerate(sd.query_devices()) if device["max_input_channels"] > 0]


def _counts(most: int) -> list[int]:
    """How many channels to ask a card for, one after the other until it gives them.

    Two before one: a card with two whose first one is asked for alone may give a silent one.
    """
    counts = [2, 1] if most > 1 else [1, 2]  # some say one, and give nothing but stereo
    return [*counts, most] if 2 < most <= MAX_CHANNELS else counts


def _device(sd: Any, which: str | int | None) -> tuple[int, dict[str, Any]]:
    """The number and the description of the input that is meant."""
    inputs = _inputs(sd)
    if not inputs:
        raise SourceError("no microphone found: plug one in, check `arecord -l`, or give --mic FILE.wav")
    there = ", ".join(f"{number} {device['name']}" for number, device in inputs)
    if which is None:
        default = sd.default.device[0]
        return next(((number, device) for number, device in inputs if number == default), inputs[0])
    if isinstance(which, int):
        found = [one for one in inputs if one[0] == which]
    else:
        found = [one for one in inputs if one[1]["name"].casefold() == which.casefold()]
        found = found or [one for one in inputs if which.casefold() in one[1]["name"].casefold()]
    if not found:
        raise SourceError(f"there is no microphone {str(which)[:60]!r}; there are: {there}")
    if len(found) > 1:
        fit = ", ".join(f"{number} {device['name']}" for number, device in found)
        raise SourceError(
            f"{str(which)[:60]!r} may be several microphones: {fit}; give more of the name, or the number"
        )
    return found[0]


def _reason(error: Exception | None) -> str:
    """PortAudio's words, in a line."""
    return " ".join(str(error).split())[:120]


def _sounddevice() -> Any:
    """The package; MissingDependency with the command where it, or PortAudio, is not there."""
    try:
        import sounddevice
    except ImportError as error:
        raise MissingDependency(
            f"sounddevice opens microphones and is not installed: {to_install('[speech]')}"
        ) from error
    except OSError as error:  # the package is there, PortAudio's library is not
        raise MissingDependency("PortAudio opens microphones and is missing: sudo apt install libportaudio2") from error
    return sounddevice
