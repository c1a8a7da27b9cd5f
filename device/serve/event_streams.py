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
from device.serve.event import LabelEvent
from device.serve.phone_words import answer_on_phone
from device.serve.subscribers import Hub

MAX_STREAMS, MAX_EACH = 32, 16
"""At once in all, and to one address: fewer than there are connections, so that streams never close the console."""
LIVE_S, STILL_S, BUSY_S = 0.2, 5.0, 1.0
"""The console is told this often what is seen and heard, others that the stream stands, and the console that nothing
can be told now."""
UNBUFFERED = {"X-Accel-Buffering": "no"}
"""Has a reverse proxy hand on what comes at once."""


class EventStreams:
    """The streams of one console. live: what is seen and heard now, None while the loop is busy. doing: with what. who:
    by what a request is counted. ending: whether the server is on its way out.
    """

    def __init__(
        self,
        hub: Hub,
        live: Callable[[], dict[str, Any] | None],
        doing: Callable[[], str],
        who: Callable[[Request], str],
        ending: Callable[[], bool],
    ) -> None:
        self._hub, self._live, self._doing, self._who, self._ending = hub, live, doing, who, ending
        self._open: dict[object, tuple[str, Callable[[], None]]] = {}
        """What stands for a stream → its address, and what cuts it; the oldest first."""

    async def answer(self, request: Request) -> Response:
        """`event` for each event; for the console (?live=1) also `live`, or `busy` while there is no telling."""
        return StreamingResponse(self._stream(request), media_type="text/event-stream", headers=UNBUFFERED)

    async def _stream(self, request: Request) -> AsyncIterator[str]:
        loop, waiting = asyncio.get_running_loop(), asyncio.Queue[LabelEvent](100)
        live = request.query_params.get("live") == "1"

        def put(event: LabelEvent) -> None:
            with contextlib.suppress(asyncio.QueueFull):  # one that does not read misses events, and nobody waits
                waiting.put_nowait(event)

        def hand_over(event: LabelEvent) -> None:
            loop.call_soon_threadsafe(put, event)

        asks = _Asks(self._live, self._doing)
        with self._placed(request), self._hub.subscribed(hand_over):
            yield ": here\n\n"
            while not self._ending():
                try:
                    event = await asyncio.wait_for(waiting.get(), LIVE_S if live else STILL_S)
                    yield f"event: event\ndata: {event.as_json()}\n\n"
                except TimeoutError:
                    if await request.is_disconnected():
                        return
                    yield await asks.now() if live else ": still here\n\n"

    @contextlib.contextmanager
    def _placed(self, request: Request) -> Iterator[None]:
        """A place among the streams while it lasts; where there is none, the oldest of the same address is cut, or of
        the address that holds most.
        """
        mine, own = object(), self._who(request)
        held = Counter(address for address, _ in self._open.values())
        crowded = (
            own if held[own] >= MAX_EACH else held.most_common(1)[0][0] if len(self._open) >= MAX_STREAMS else None
        )
        if crowded is not None:
            oldest = next(one for one, (address, _) in self._open.items() if address == crowded)
            self._open.pop(oldest)[1]()
        self._open[mine] = own, request.scope.get(LET_GO, lambda: None)
        try:
            yield
        finally:
            self._open.pop(mine, None)


class _Asks:
    """Asks what is seen now, one question at a time: while the loop is busy, that is told, again and again."""

    def __init__(self, live: Callable[[], dict[str, Any] | None], doing: Callable[[], str]) -> None:
        self._live, self._doing = live, doing
        self._asked: asyncio.Task[dict[str, Any] | None] | None = None

    async def now(self) -> str:
        """The next message."""
        if self._asked is None:
            self._asked = asyncio.create_task(run_in_threadpool(self._live))
        await asyncio.wait([self._asked], timeout=BUSY_S)
        live = None
        if self._asked.done():
            live, self._asked = self._asked.result(), None
        if live is None:
            return f"event: busy\ndata: {json.dumps({'doing': self._doing()})}\n\n"
        return f"event: live\ndata: {json.dumps(answer_on_phone(live))}\n\n"
