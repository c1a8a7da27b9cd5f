"""One connection of a satellite, or of Home Assistant for one: its sound is heard, and it is told the words in it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import async_write_event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.wake import Detect, Detection, NotDetected

from device.serve.connections import TimedConnection
from device.serve.satellite_events import BadEvent, Event, SendingPace, rest_of_event
from device.serve.satellite_words import PIECE_S, Catalogue, Format, Stream
from edge_tl.errors import EdgeTLError

PATIENCE_S = 10.0
"""For the rest of an event that began, and for the other side to take an answer."""
STALL_S, IDLE_S = 30.0, 3600.0
"""Who sends nothing for so long within a stream may have to make room for others; and is let go after the other."""
LATEST_MS = 2**53
MAX_NAMES = 256


@dataclass
class Station:
    """What all connections share."""

    catalogue: Callable[[], Catalogue]
    """The words of now."""
    info: Callable[[], Info]
    pace: SendingPace
    log: Callable[[str], None]
    """Takes a line, as often as it comes."""
    published: int = 0
    """How many words were reported."""
    connected: int = 0
    """How many are there."""


class Satellite:
    """Talks with one who is connected until either ends it; what comes is never trusted.

    place: its place among the connections, which it must give up when others need it.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: TimedConnection, station: Station
    ) -> None:
        self._reader, self._writer = reader, writer
        self._place, self._station = place, station
        self._name = place.network
        self._names: list[str] | None = None
        self._stream: Stream | None = None
        self._told = False
        self._begun_ms = 0
        self._active = False

    async def converse(self) -> None:
        """Answer event after event; returns when the connection is over."""
        station, network = self._station, self._place.network
        station.pace.come(network)
        try:
            while (event := await self._next()) is not None:
                wait_s = station.pace.wait_s(network, await self._answer(event))
                await asyncio.sleep(wait_s)  # also where it is 0: others have their turn
        except EdgeTLError as error:
            station.log(f"wyoming: {self._name} sent data that cannot be read and was disconnected: {error}")
            with contextlib.suppress(OSError, TimeoutError):
                await self._send(Error(str(error), "bad-event"))
        except TimeoutError:
            station.log(f"wyoming: {self._name} stopped within an event, or read no answer, and was disconnected")
        except OSError:
            pass  # gone
        # Whatever it is, it ends this connection alone, and is said in a line.
        except Exception as error:
            station.log(f"wyoming: the connection of {self._name} failed: {type(error).__name__}: {error}")
        finally:
            station.pace.go(network)
            if self._writer.transport.get_write_buffer_size():
                self._writer.transport.abort()  # who reads nothing would hold it open
            self._writer.close()

    async def _next(self) -> Event | None:
        """The next event; None at the end. TimeoutError for one that is not whole in time."""
        self._rest(streaming=self._stream is not None)
        first = b""
        if self._active:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STALL_S):
                    first = await self._reader.read(1)
                    if not first:
                        return None
            if not first:
                self._rest(streaming=False)
        first = first or await self._reader.read(1)
        if not first:
            return None
        if not self._active:
            self._place.begin()
            self._active = True
        async with asyncio.timeout(PATIENCE_S):
            return await rest_of_event(first, self._reader)

    def _rest(self, streaming: bool) -> None:
        """It waits: within a stream its place is its own for a while, else it is the next one's who needs it."""
        if self._active and not streaming:
            self._place.end(IDLE_S)
            self._active = False

    async def _answer(self, event: Event) -> float:
        """Do what an event asks for; how many seconds of sound it held. Events that are not known are skipped."""
        kind, data = event.type, event.data
        if AudioChunk.is_type(kind):
            return await self._hear(data, event.payload or b"")
        if Describe.is_type(kind):
            await self._send(self._station.info())
        elif Ping.is_type(kind):
            text = data.get("text")
            await self._send(Pong(text if isinstance(text, str) else None))
        elif Detect.is_type(kind):
            self._ask_for(data.get("names"))
        elif AudioStart.is_type(kind):
            self._begin(_format(data), data)
        elif AudioStop.is_type(kind):
            await self._end()
        return 0.0

    def _ask_for(self, names: Any) -> None:
        """What is waited for from now on; what nothing is called by is said in the log."""
        if names is not None and not (
            isinstance(names, list) and len(names) <= MAX_NAMES and all(isinstance(name, str) for name in names)
        ):
            raise BadEvent("names that are no list of texts")
        self._names = names or None
        self._stream = None
        if missing := self._station.catalogue().unknown(names or ()):
            self._station.log(
                f"wyoming: {self._name} waits for {ascii(missing[0])[:60]}, which is not taught: choose another wake "
                "word there"
            )

    def _begin(self, format: Format, data: dict[str, Any]) -> None:
        """A stream of sound begins."""
        self._stream = Stream(self._station.catalogue(), self._names, format)
        self._told = False
        self._begun_ms = _milliseconds(data) or 0

    async def _hear(self, data: dict[str, Any], sound: bytes) -> float:
        """Some of the stream; how many seconds. A stream that nobody began, or of another format, begins with it."""
        format, at_ms = _format(data), _milliseconds(data)
        for number, piece in enumerate(format.pieces(sound)):
            stream = self._stream
            if stream is None or stream.format != format:
                self._begin(format, data)
                stream = self._stream
            elif stream.catalogue is not self._station.catalogue():  # trained meanwhile
                self._begun_ms += round(1000 * stream.heard_s)
                stream = self._stream = Stream(self._station.catalogue(), self._names, format)
            assert stream is not None
            if at_ms is None:
                when_ms = self._begun_ms + round(1000 * stream.heard_s)
            else:
                when_ms = at_ms + round(1000 * number * PIECE_S)
            await self._tell(stream.push(piece), when_ms)
            await asyncio.sleep(0)
        return format.seconds(sound)

    async def _end(self) -> None:
        """The stream is over: what was at its very end is told, else that nothing was."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await self._tell(stream.finish(), self._begun_ms + round(1000 * stream.heard_s))
        if not self._told:
            await self._send(NotDetected())
        self._told = False

    async def _tell(self, names: list[str], when_ms: int) -> None:
        for name in names:
            self._told = True
            self._station.published += 1
            await self._send(Detection(name, when_ms))

    async def _send(self, told: Info | Detection | NotDetected | Pong | Error) -> None:
        """TimeoutError where the other side does not take it."""
        async with asyncio.timeout(PATIENCE_S):
            await async_write_event(told.event(), self._writer)


def _format(data: dict[str, Any]) -> Format:
    """How the samples are written; BadEvent for what is no number, ExampleError for what is not read."""
    rate, width, channels = (data.get(name) for name in ("rate", "width", "channels"))
    if type(rate) is not int or type(width) is not int or type(channels) is not int:
        raise BadEvent("sound without rate, width and channels")
    return Format(rate, width, channels)


def _milliseconds(data: dict[str, Any]) -> int | None:
    """The time that an event tells; None where it tells none."""
    told = data.get("timestamp")
    return told if type(told) is int and abs(told) <= LATEST_MS else None
