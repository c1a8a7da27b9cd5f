"""HTTP as a stranger writes it: bytes over a socket, whole or not."""

from __future__ import annotations

import contextlib
import re
import socket
from urllib.parse import urlsplit

from benchmarks.serving import LONG_S


def free_port() -> int:
    """A port that nothing listens at just now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def connected(address: str) -> socket.socket:
    """A connection to a server's address."""
    place = urlsplit(address)
    return socket.create_connection((place.hostname or "", place.port or 0), timeout=LONG_S)


def exchanged(address: str, request: bytes, *, end: bool = False) -> bytes:
    """What comes for these bytes until the other side ends; end: whether nothing more is sent after them."""
    with connected(address) as client:
        client.sendall(request)
        if end:
            client.shutdown(socket.SHUT_WR)
        try:
            return b"".join(iter(lambda: client.recv(65536), b""))
        except ConnectionResetError:
            return b""


def said_by(place: str, sent: bytes, patience_s: float = LONG_S) -> bytes:
    """What a server at an address, or at a Unix socket's file, says to these bytes until it ends, or sends events."""
    client, answer = connected(place) if "://" in place else socket.socket(socket.AF_UNIX), b""
    with client, contextlib.suppress(OSError):  # it may be let go before all was sent
        client.settimeout(patience_s)
        if client.family == socket.AF_UNIX:
            client.connect(place)
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        while data := client.recv(65536):
            answer += data
            if len(answer) > 10**6 or b"text/event-stream" in answer:
                break
    return answer


def post(path: str, body: bytes, length: int | None = None) -> bytes:
    """A POST of JSON; length: what its head says, where that is another than it is."""
    said = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return f"{head}Content-Length: {said}\r\n\r\n".encode() + body


def chunked(path: str, *chunks: bytes, whole: bool = True) -> bytes:
    """The same in chunks; not whole: without the last one."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    parts = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in chunks)
    return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + parts + (b"0\r\n\r\n" if whole else b"")


def status(answer: bytes) -> int:
    """The status of the first answer; 0 where there is none."""
    found = re.match(rb"HTTP/1.1 (\d+)", answer)
    return int(found[1]) if found else 0
