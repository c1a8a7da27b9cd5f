"""The listening socket of what takes connections: it knows whom it accepted, and bounds how many and for how long.

An HTTP server tells its application of a request once the whole head is there; of who never sends one it tells nobody.
So the bound begins where a connection does, at `accept`, and the application says while it answers one.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import resource
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from device.serve.local import NO_MORE, descriptors_left
from edge_tl.errors import ConfigError

Address = tuple[str, int]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Send], Awaitable[None]]
LET_GO = "edge_tl.let_go"
"""In the scope of a request: a function that ends its connection, whatever is on its way."""
RESERVED = 32
"""Descriptors that no connection gets: the Unix socket, the database, the log, MQTT and cameras need theirs."""
SENT_BYTES = 64 * 1024
"""The kernel keeps so much of an answer that is not read; with more, who stopped reading would be seen later."""


class ConnectionListener(socket.socket):
    """Lets go of who does not send the whole head of a request, or read an answer, in time; takes `most` at once.

    Else a few who send half a head, who need no token, would close the console for everybody. It is accepted from in
    an event loop of asyncio; the connections are then the loop's, which sees when one was ended.
    """

    def __init__(self, listening: socket.socket, most: int, each: int, first_s: float, next_s: float) -> None:
        """listening: taken over. most, each: connections at once, in all and from one address. first_s: from the
        connection to the end of the first head, TLS' handshake included, and for the other side to take a part of an
        answer. next_s: from an answer to the end of another head.
        """
        super().__init__(fileno=listening.detach())
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_BYTES)  # each connection has it from here
        self._spare = _opened()
        # The lowest free number is what a descriptor gets: those below the spare one are in use.
        self.most = max(1, min(most, _descriptors() - RESERVED - self._spare))
        self.each, self.first_s, self.next_s = each, first_s, next_s
        self._accepted: dict[Address, TimedConnection] = {}

    def accept(self) -> tuple[socket.socket, Any]:
        """A connection and where it comes from, as a socket's; ConnectionAbortedError, said to it too, for too many.

        For too many idle ones the newcomer is taken, and the oldest of them goes. OSError where not a descriptor is
        left, not even the spare one.
        """
        if self._spare < 0:
            with contextlib.suppress(OSError):
                self._spare = _opened()
        try:
            connection, address = super().accept()
        except OSError as error:
            if error.errno in NO_MORE and self._spare >= 0:
                self._refuse_with_the_spare()
                raise ConnectionAbortedError("there is no descriptor left") from error
            raise
        self._accepted = {key: one for key, one in self._accepted.items() if one.open}
        network = network_of(address[0])
        left = descriptors_left()
        if left <= RESERVED // 4:
            connection.close()
            raise ConnectionAbortedError("the descriptors that are left are for the rest of the service")
        if not self._has_room(network, full=left <= RESERVED // 2):
            connection.close()
            raise ConnectionAbortedError(f"as many are connected as may be, from {network} or in all")
        self._accepted[address[:2]] = TimedConnection(connection, network, self.first_s)
        return connection, address

    def _has_room(self, network: str, *, full: bool) -> bool:
        """Whether one more may come from there, for which the oldest idle one is let go where there are too many: of
        its own address, or of the one that has most. full: whether there are, though they are fewer than may be.
        """
        held = Counter(one.network for one in self._accepted.values())
        crowded = network
        if held[network] < self.each:
            if len(self._accepted) < self.most and not full:
                return True
            crowded = held.most_common(1)[0][0] if held else network
        idle = next((one for one in self._accepted.values() if one.network == crowded and one.idle), None)
        if idle is not None:
            idle.let_go()
        return idle is not None

    def _refuse_with_the_spare(self) -> None:
        """Take the first that waits and let it go, else it would be offered again without an end."""
        spare, self._spare = self._spare, -1
        os.close(spare)
        with contextlib.suppress(OSError):
            super().accept()[0].close()
        with contextlib.suppress(OSError):  # another thread may have taken it
            self._spare = _opened()

    def close(self) -> None:
        """Listen no more."""
        super().close()
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1

    def accepted(self, address: Address) -> TimedConnection | None:
        """What is known of the connection from an address; None where it is gone already."""
        return self._accepted.get(address)

    def bounded(self, app: App) -> App:
        """An ASGI application whose connections stand while it answers, but not for who does not read the answer."""

        async def answer(scope: Any, receive: Any, send: Send) -> None:
            one = self.accepted(scope.get("client"))
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
                await app({**scope, LET_GO: one.let_go}, receive, send_in_time)
            finally:
                one.end(self.next_s)

        return answer


class TimedConnection:
    """A connection that is let go when its time is over, unless a request of it is being answered."""

    def __init__(self, connection: socket.socket, network: str, seconds: float) -> None:
        self.network = network
        self._connection, self._answering, self._gone = connection, 0, False
        self._wait(seconds)

    @property
    def open(self) -> bool:
        """Whether the event loop has it still, and it was not let go."""
        return not self._gone and self._connection.fileno() >= 0

    @property
    def idle(self) -> bool:
        """Whether no request of it is being answered."""
        return not self._answering

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
        self._timer.cancel()
        if self.open:
            self._gone = True
            with contextlib.suppress(OSError):  # they went just now
                self._connection.shutdown(socket.SHUT_RDWR)


def listening_at(listen: str, port: int, table: str) -> socket.socket:
    """A listening socket, of "::" for IPv4 too; ConfigError that names the table where the address cannot be used."""
    version6 = ":" in listen
    try:
        return socket.create_server(
            (listen, port),
            family=socket.AF_INET6 if version6 else socket.AF_INET,
            dualstack_ipv6=version6 and listen == "::" and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        hint = '; "0.0.0.0" is all of IPv4' if listen == "::" else ""
        raise ConfigError(
            f"{listen}:{port} cannot be listened at ({error.strerror or error}): check {table}{hint}"
        ) from error


def _opened() -> int:
    """A descriptor that is good for nothing but to be closed."""
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


def _descriptors() -> int:
    """How many this process may have."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def network_of(host: str) -> str:
    """What an address is counted by: itself, of IPv6 the network of 64 bits that one household has whole."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped) if mapped is not None else str(ipaddress.ip_network((int(address), 64), strict=False))
