"""Server-sent events: so many streams at most, and the oldest gives way, for who holds one may have stopped reading."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from device.serve.connections import LET_GO
from device.serve.event import Event
from device.serve.phone_words import answer_on_phone
from device.serve.subscribers import Hub

MOST_STREAMS, MOST_EACH = 32, 16
"""At once in all, and to one address: fewer than there are connections, so that streams never close the console."""
LIVE_S, STILL_S = 0.2, 5.0
"""The console is told this often what is seen and heard; others, that the stream stands."""
UNBUFFERED = {"X-Accel-Buffering": "no"}
"""Has a reverse proxy hand on what comes at once."""


class EventStreams:
    """The streams of one console. live: what is seen and heard now. who: by what a request is counted. ending: whether
    the server is on its way out.
    """

    def __init__(
        self,
        hub: Hub,
        live: Callable[[], dict[str, Any]],
        who: Callable[[Request], str],
        ending: Callable[[], bool],
    ) -> None:
        self._hub, self._live, self._who, self._ending = hub, live, who, ending
        self._open: dict[object, tuple[str, Callable[[], None]]] = {}
        """What stands for a stream → its address, and what cuts it; the oldest first."""

    async def answer(self, request: Request) -> Response:
        """`event` for each event, and `live` for the console where it asks for it (?live=1)."""
        return StreamingResponse(self._stream(request), media_type="text/event-stream", headers=UNBUFFERED)

    async def _stream(self, request: Request) -> AsyncIterator[str]:
        loop, waiting = asyncio.get_running_loop(), asyncio.Queue[Event](100)
        live = request.query_params.get("live") == "1"

        def put(event: Event) -> None:
            with contextlib.suppress(asyncio.QueueFull):  # one that does not read misses events, and nobody waits
                waiting.put_nowait(event)

        def hand_over(event: Event) -> None:
            loop.call_soon_threadsafe(put, event)

        with self._placed(request), self._hub.subscribed(hand_over):
            yield ": here\n\n"
            while not self._ending():
                try:
                    event = await asyncio.wait_for(waiting.get(), LIVE_S if live else STILL_S)
                    yield f"event: event\ndata: {event.as_json()}\n\n"
                except TimeoutError:
                    if await request.is_disconnected():
                        return
                    told = json.dumps(answer_on_phone(await run_in_threadpool(self._live))) if live else ""
                    yield f"event: live\ndata: {told}\n\n" if live else ": still here\n\n"

    @contextlib.contextmanager
    def _placed(self, request: Request) -> Iterator[None]:
        """A place among the streams while it lasts; where there is none, the oldest of the same address is cut, or of
        the address that holds most.
        """
        mine, own = object(), self._who(request)
        held = Counter(address for address, _ in self._open.values())
        crowded = (
            own if held[own] >= MOST_EACH else held.most_common(1)[0][0] if len(self._open) >= MOST_STREAMS else None
        )
        if crowded is not None:
            oldest = next(one for one, (address, _) in self._open.items() if address == crowded)
            self._open.pop(oldest)[1]()
        self._open[mine] = own, request.scope.get(LET_GO, lambda: None)
        try:
            yield
        finally:
            self._open.pop(mine, None)
