"""The listening socket of the web console: it knows whom it accepted, and bounds how many and for how long.

An HTTP server tells its application of a request once the whole head is there; of who never sends one it tells nobody.
So the bound begins where a connection does, at `accept`, and the application says while it answers one.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any

Address = tuple[str, int]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Send], Awaitable[None]]


class Listener(socket.socket):
    """Lets go of who does not send the whole head of a request, or read an answer, in time; takes `most` at once.

    Else a few who send half a head, who need no token, would close the console for everybody. It is accepted from in
    an event loop of asyncio; the connections are then the loop's, which sees when one was ended.
    """

    def __init__(self, listening: socket.socket, most: int, first_s: float, next_s: float) -> None:
        """listening: taken over. first_s: from the connection to the end of the first head, TLS' handshake included,
        and for the other side to take a part of an answer. next_s: from an answer to the end of another head.
        """
        super().__init__(fileno=listening.detach())
        self.most, self.first_s, self.next_s = most, first_s, next_s
        self._accepted: dict[Address, _Accepted] = {}

    def accept(self) -> tuple[socket.socket, Any]:
        """A connection and where it comes from, as a socket's; ConnectionAbortedError, said to it too, for too many."""
        connection, address = super().accept()
        self._accepted = {key: one for key, one in self._accepted.items() if one.open}
        if len(self._accepted) >= self.most:
            connection.close()
            raise ConnectionAbortedError(f"{self.most} are connected, as many as may be")
        self._accepted[address[:2]] = _Accepted(connection, self.first_s)
        return connection, address

    def bounded(self, app: App) -> App:
        """An ASGI application whose connections stand while it answers, but not for who does not read the answer."""

        async def answer(scope: Any, receive: Any, send: Send) -> None:
            one = self._accepted.get(scope.get("client"))
            if one is None:  # gone already
                await app(scope, receive, send)
                return

            async def send_in_time(message: Any) -> None:
                try:
                    async with asyncio.timeout(self.first_s):
                        await send(message)
                except TimeoutError:
                    one.let_go()

            one.begin()
            try:
                await app(scope, receive, send_in_time)
            finally:
                one.end(self.next_s)

        return answer


class _Accepted:
    """A connection that is let go when its time is over, unless a request of it is being answered."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection, self._answering = connection, 0
        self._wait(seconds)

    @property
    def open(self) -> bool:
        """Whether the event loop has it still."""
        return self._connection.fileno() >= 0

    def begin(self) -> None:
        """The whole head of a request is there."""
        self._answering += 1
        self._timer.cancel()

    def end(self, seconds: float) -> None:
        """It was answered; the next may have been begun before, where they come in one go."""
        self._answering -= 1
        if not self._answering:
            self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self.let_go)

    def let_go(self) -> None:
        """End it, whatever is on its way; the event loop sees that it ended."""
        if self.open:
            with contextlib.suppress(OSError):  # they went just now
                self._connection.shutdown(socket.SHUT_RDWR)
