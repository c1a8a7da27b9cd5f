"""The Unix socket of sums: one request a connection, a line of JSON and a body of bytes each way."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from device.serve.event import LabelEvent
from device.serve.local import listening_socket
from device.serve.sums_requests import SumsRequests
from edge_tl.errors import ConfigError, EdgeTLError, counted

MAX_LINE_BYTES, MAX_BODY_BYTES = 256_000, 2_000_000
"""Of a question; a hundred classes of the longest rows need a quarter of that."""
CLIENT_S, LOOK_S, STOP_S = 30.0, 0.5, 2.0
"""A client whose request is not whole after so long, or who does not take the answer in such a time, is let go; whether
to stop is looked at so often; a request that goes on is waited for so long."""


class _Timed(io.RawIOBase):
    """What a client sends until a time, however little of it comes at once; TimeoutError after it."""

    def __init__(self, client: socket.socket, seconds: float) -> None:
        self._client, self._end_s = client, time.monotonic() + seconds

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some of it; 0 where the client sends no more."""
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._client.settimeout(left_s)
        return self._client.recv_into(buffer)


class SumsSocket:
    """An Output that tells no events: whoever may open the file, mode 0660, may take part in rounds of sums.

    One client at a time is served, in a thread of its own; others wait. log: takes a line, as often as it comes.
    patience_s: for a whole request, and for its answer to be taken.
    """

    name = "sums"

    def __init__(
        self, path: Path, requests: SumsRequests, log: Callable[[str], None], patience_s: float = CLIENT_S
    ) -> None:
        self.path, self._requests, self._log, self._patience_s = path, requests, log, patience_s
        self._server: socket.socket | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="edge-tl sums", daemon=True)
        self._answered = 0

    def start(self) -> None:
        """Listen; ConfigError (one line) where the file cannot be made or another service listens there."""
        self._server = listening_socket(self.path)
        self._server.settimeout(LOOK_S)
        self._thread.start()

    def publish(self, event: LabelEvent) -> None:
        """Events are not its business."""

    def health(self) -> dict[str, Any]:
        """How many requests were answered, and what became of the last head."""
        state = "ok" if self._thread.is_alive() else "failed"
        return {"state": state, "answered": self._answered, "last": dict(self._requests.last)}

    def stop(self) -> None:
        """End and remove the file; may be called twice."""
        self._stopping.set()
        if self._server is None:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as knock:
            knock.settimeout(LOOK_S)
            knock.connect(str(self.path))  # so that it need not wait until it looks
        self._thread.join(STOP_S)
        self._server.close()
        self._server = None
        with contextlib.suppress(OSError):  # from a disk that turned read-only it cannot be taken; the next start can
            self.path.unlink(missing_ok=True)

    def _work(self) -> None:
        server = self._server
        assert server is not None
        while not self._stopping.is_set():
            try:
                client, _ = server.accept()
            except TimeoutError:
                continue
            except OSError:  # too many open files, for a moment
                self._stopping.wait(LOOK_S)
                continue
            with client, contextlib.suppress(OSError):
                self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        """One request and its answer; OSError where the client goes or is too slow."""
        with io.BufferedReader(_Timed(client, self._patience_s)) as stream:
            try:
                answer, body = self._requests.answer(*_read(stream.readline(MAX_LINE_BYTES), stream.read))
                self._answered += 1
            except EdgeTLError as error:
                answer, body = {"error": str(error)}, b""
            # Whatever it is, whoever asks gets to know, and the next one is served.
            except Exception as error:
                if isinstance(error, OSError):
                    raise
                self._log(f"a request for sums failed: {type(error).__name__}: {error}")
                answer, body = {"error": f"{type(error).__name__}: {error}"}, b""
        client.settimeout(self._patience_s)
        client.sendall(json.dumps({**answer, "bytes": len(body)}).encode() + b"\n" + body)


def _read(line: bytes, read: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes]:
    """A request and its body; ConfigError for what is none."""
    try:
        asked = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise ConfigError("a line with a JSON object is wanted")
    length = asked.pop("bytes", 0)
    if type(length) is not int or not 0 <= length <= MAX_BODY_BYTES:
        raise ConfigError(f"bytes: 0 to {MAX_BODY_BYTES} are wanted")
    body = read(length) if length else b""
    if len(body) != length:
        raise ConfigError(f"got {len(body)} of {counted(length, 'byte')}")
    return asked, body
