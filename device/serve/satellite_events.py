"""Events of the Wyoming protocol as they come from a connection: whole, of bounded size and in time, or refused.

A line of JSON, then as many bytes of more JSON and of sound as it says. The published package reads them too, but as
many bytes as somebody claims, for as long as that takes.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge_tl.errors import EdgeTLError, MissingDependency, to_install

try:
    from wyoming.event import Event
except ImportError as error:
    raise MissingDependency(f"[wyoming] needs the package wyoming: {to_install('[wyoming]')}") from error

MAX_HEAD_BYTES, MAX_DATA_BYTES, MAX_SOUND_BYTES = 16 * 1024, 64 * 1024, 1024 * 1024
"""Of one event: its line, what else it says, and its sound, 32 s of one channel at 16 kHz."""
AHEAD_S, FASTER = 60.0, 1.05
"""Sound is heard as fast as it comes for so long, and then so much faster than it sounds: clocks differ a little."""
EVENT_S = 0.005
"""An event costs as much as so much sound, at least."""
MAX_KNOWN = 1024


class BadEvent(EdgeTLError):
    """What came is no event, or is too large."""


async def rest_of_event(first: bytes, reader: asyncio.StreamReader) -> Event | None:
    """The event that begins with a byte that was read already; None where the connection ended within it.

    BadEvent for what is none. reader: with a limit of MAX_HEAD_BYTES.
    """
    try:
        head = _json(first + await reader.readuntil(b"\n"))
        told = head.get("data")
        data = {} if told is None else told
        if size := _size(head, "data_length", MAX_DATA_BYTES):
            data = {**data, **_json(await reader.readexactly(size))} if isinstance(data, dict) else data
        sound = None
        if size := _size(head, "payload_length", MAX_SOUND_BYTES):
            sound = await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except asyncio.LimitOverrunError as error:
        raise BadEvent(f"a line of more than {MAX_HEAD_BYTES} bytes") from error
    kind = head.get("type")
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise BadEvent("a line without a type of event")
    return Event(kind, data, sound)


def _json(text: bytes) -> dict[str, Any]:
    """An object; BadEvent for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadEvent("what is no JSON") from error
    if not isinstance(found, dict):
        raise BadEvent("JSON that is no object")
    return found


def _size(head: dict[str, Any], name: str, most: int) -> int:
    """How many bytes follow; BadEvent for what is no number, or too large."""
    size = head.get(name)
    if size is None:
        return 0
    if type(size) is not int or not 0 <= size <= most:
        raise BadEvent(f"{name} = {ascii(size)[:20]}, where 0 to {most} is wanted")
    return size


@dataclass
class _Known:
    """What is known of an address; times are of the clock."""

    left_s: float
    """So much sound is heard at once."""
    at_s: float
    connections: int = 0


class SendingPace:
    """How long who sends must wait, so that nobody makes this machine work without an end.

    An address is heard AHEAD_S of sound at once, and then as fast as that sounds on all its connections, however often
    it comes anew. clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def come(self, network: str) -> None:
        """A connection began."""
        self._now(network).connections += 1
        self._known.move_to_end(network)
        for other in [name for name, one in self._known.items() if not one.connections]:
            if len(self._known) <= MAX_KNOWN:
                break
            del self._known[other]

    def go(self, network: str) -> None:
        """A connection ended."""
        self._now(network).connections -= 1

    def wait_s(self, network: str, seconds: float) -> float:
        """How long to wait before the next event, after one with so much sound."""
        one = self._now(network)
        one.left_s -= max(seconds, EVENT_S)
        return max(0.0, -one.left_s) / (FASTER * max(1, one.connections))

    def _now(self, network: str) -> _Known:
        now_s = self._clock()
        one = self._known.setdefault(network, _Known(AHEAD_S, now_s))
        one.left_s = min(AHEAD_S, one.left_s + (now_s - one.at_s) * FASTER * max(1, one.connections))
        one.at_s = now_s
        return one
