"""The Unix socket: every event as a line of JSON, and an answer to `health`. Whoever may open the file may listen."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import resource
import select
import selectors
import socket
import stat
import sys
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from device.serve.event import LabelEvent
from edge_tl.errors import ConfigError

MAX_CLIENTS = 32
MAX_WAITING_BYTES = 64 * 1024
"""A client that does not read is let go when so much waits for it."""
MAX_QUESTION_BYTES = 1024
NO_MORE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""What accepting fails with where the process, or the system, has no room for another connection."""
RESERVED = 8
"""Descriptors that no second client gets: the database, the log and the camera need theirs."""
NO_ROOM_S = 0.5
"""Where not a descriptor is left, one may be after so long."""
UNREAD_S, QUESTION_S = 30.0, 10.0
"""A client is let go when events wait for it so long and it reads none, or when its question has no end for so long."""


@dataclass
class _Client:
    """What is known of one who is connected; times are of the clock."""

    alive_s: float
    """When it came, or asked last."""
    asked: bytearray = field(default_factory=bytearray)
    waiting: bytearray = field(default_factory=bytearray)
    asked_s: float = 0.0
    """When the question began that it is asking."""
    reads_s: float = 0.0
    """When it last read, or had nothing to read."""
    unread_bytes: int = 0
    """What the kernel kept for it when that was looked at; what was sent since is added."""


class LocalSocket:
    """An Output: clients connect and get a line an event; a line `health` from them is answered with a line of JSON.

    path: of the socket file, made with mode 0660: to connect, the group needs the right to write. health: what is
    answered. clock: seconds, monotonic. Where `MAX_CLIENTS` are there, the one that was silent for longest goes for
    the next. A file that a killed service left there is replaced; one that somebody listens at is a ConfigError.
    """

    name = "socket"

    def __init__(
        self, path: Path, health: Callable[[], dict[str, Any]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.path, self._health, self._clock = path, health, clock
        self._clients: dict[socket.socket, _Client] = {}
        self._lines: list[bytes] = []
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._reader, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._work, name="edge-tl socket", daemon=True)
        self._server: socket.socket | None = None
        self._stopping = self._closed = False

    def start(self) -> None:
        """Listen; ConfigError (one line) where the file cannot be made or another service listens there."""
        self._server = server = listening_socket(self.path)
        self._selector.register(server, selectors.EVENT_READ)
        self._selector.register(self._reader, selectors.EVENT_READ)
        self._thread.start()

    def publish(self, event: LabelEvent) -> None:
        """Give the line to the socket's thread."""
        with self._lock:
            self._lines.append(event.as_json().encode() + b"\n")
        self._wake()

    def health(self) -> dict[str, Any]:
        """How many listen."""
        return {"state": "ok" if self._thread.is_alive() else "failed", "clients": len(self._clients)}

    def stop(self) -> None:
        """Let all go and remove the file."""
        self._stopping = True
        self._wake()
        if self._server is not None:
            self._thread.join(2.0)
            self._server = None
            with contextlib.suppress(
                OSError
            ):  # from a disk that turned read-only it cannot be taken; the next start can
                self.path.unlink(missing_ok=True)
        if not self._closed:
            self._closed = True
            self._selector.close()
            os.close(self._reader)
            os.close(self._waker)

    def _wake(self) -> None:
        if self._closed:
            return
        with contextlib.suppress(OSError):  # a full pipe wakes it too
            os.write(self._waker, b".")

    def _work(self) -> None:
        server = self._server
        assert server is not None
        while not self._stopping:
            for key, events in self._selector.select(1.0):
                if key.fileobj is server:
                    self._accept(server)
                elif key.fileobj == self._reader:
                    with contextlib.suppress(OSError):
                        os.read(self._reader, 4096)
                elif isinstance(key.fileobj, socket.socket):
                    self._serve(key.fileobj, events)
            with self._lock:
                lines, self._lines = b"".join(self._lines), []
            for client in list(self._clients):
                self._send(client, lines)
            if self._clients:
                self._let_go()
        for client in list(self._clients):
            self._drop(client)
        server.close()

    def _accept(self, server: socket.socket) -> None:
        try:
            client, _ = server.accept()
        except OSError as error:
            if error.errno in NO_MORE:  # else who waits would be offered again without an end
                self._make_room()
            return
        client.setblocking(False)
        if len(self._clients) >= MAX_CLIENTS or (self._clients and descriptors_left() < RESERVED):
            self._make_room()
        self._clients[client] = _Client(self._clock(), reads_s=self._clock())
        self._selector.register(client, selectors.EVENT_READ)

    def _make_room(self) -> None:
        """Let go of the one that was silent for longest; where nobody is there, wait a moment."""
        if self._clients:
            self._drop(min(self._clients, key=lambda one: self._clients[one].alive_s))
        else:
            select.select([self._reader], [], [], NO_ROOM_S)

    def _serve(self, client: socket.socket, events: int) -> None:
        """Read questions; what waits to be written is written by `_send`."""
        if not events & selectors.EVENT_READ:
            return
        if client not in self._clients:
            return  # it made room for another in this round
        known = self._clients[client]
        asked, waiting = known.asked, known.waiting
        try:
            data = client.recv(4096)
        except OSError:
            data = b""
        if not asked:
            known.asked_s = self._clock()
        asked += data
        if not data or len(asked) > MAX_QUESTION_BYTES:
            self._drop(client)
            return
        while b"\n" in asked:
            line, _, rest = bytes(asked).partition(b"\n")
            asked[:] = rest
            known.alive_s = known.asked_s = self._clock()
            answer = self._health() if line.strip() == b"health" else {"error": "there is one question: health"}
            waiting += json.dumps(answer).encode() + b"\n"

    def _send(self, client: socket.socket, lines: bytes) -> None:
        """Write as much as the client takes; let it go where it does not read."""
        known = self._clients[client]
        waiting = known.waiting
        waiting += lines
        try:
            if waiting:
                sent = client.send(waiting)
                del waiting[:sent]
                if not known.unread_bytes:  # it had read all; its time begins with what is sent now
                    known.reads_s = self._clock()
                known.unread_bytes += sent
        except BlockingIOError:
            pass
        except OSError:
            self._drop(client)
            return
        if len(waiting) > MAX_WAITING_BYTES:
            self._drop(client)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if waiting else 0)
        self._selector.modify(client, wanted)

    def _let_go(self) -> None:
        """Let go of who does not read, and of who does not end a question."""
        now_s = self._clock()
        for client, known in list(self._clients.items()):
            unread = _unread_bytes(client)
            if not unread or unread < known.unread_bytes:  # it reads
                known.reads_s = now_s
            known.unread_bytes = unread
            late = now_s - known.reads_s > UNREAD_S
            if late or (known.asked and now_s - known.asked_s > QUESTION_S):
                self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        self._selector.unregister(client)
        del self._clients[client]
        client.close()


def _unread_bytes(client: socket.socket) -> int:
    """What was sent and is not read yet; of Unix sockets the kernel knows it."""
    try:
        return int.from_bytes(fcntl.ioctl(client, termios.TIOCOUTQ, b"\0\0\0\0"), sys.byteorder)
    except OSError:  # it went; the selector will tell
        return 0


def descriptors_left() -> int:
    """How many more files and connections this process may open; by their number, for the highest may be free."""
    try:
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - len(os.listdir("/proc/self/fd"))
    except OSError:  # none, to look at them with
        return 0


def listening_socket(path: Path) -> socket.socket:
    """A socket that listens at a file, mode 0660, in the place of one that a killed service left there.

    ConfigError (one line) where it cannot be made or another service listens there.
    """
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            with socket.socket(socket.AF_UNIX) as other:
                if other.connect_ex(str(path)) == 0:
                    raise ConfigError(f"another service listens at {path}: end it, or choose another socket")
            path.unlink()
        server = _bound(path)
    except OSError as error:
        raise ConfigError(f"the socket {path} cannot be made ({error}): choose another place") from error
    server.listen(128)
    return server


def _bound(path: Path) -> socket.socket:
    """A socket with this name, which the group may connect to and others may not."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    before = os.umask(0o117)
    try:
        server.bind(str(path))
    except OSError:
        server.close()
        raise
    finally:
        os.umask(before)
    return server
