"""Who may hold a connection to the web console, how many and for how long: with real sockets, patience made short."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from certificates import certificate

from benchmarks.serving import LONG_S
from device.serve.config import WebConfig
from device.serve.event import Event
from device.serve.requests import Requests
from device.serve.service import Service
from device.serve.subscribers import Hub
from device.serve.systemd import Notify

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")

from device.serve import web

WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n"
Connect = Callable[[], socket.socket]
Serve = Callable[..., Connect]


@pytest.fixture
def hub() -> Hub:
    """Where events come from."""
    return Hub()


@pytest.fixture
def serve(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serves with this patience and these settings of [web]; gives what connects to it."""
    started: list[web.Web] = []

    def start(patience_s: float = 0.1, **settings: Path) -> Connect:
        monkeypatch.setattr(web, "PATIENCE_S", patience_s)
        monkeypatch.setattr(web, "KEEP_S", patience_s)
        service = Service([], Notify({}), clock=time.monotonic, wall=time.time)
        config, asked = WebConfig(port=0, **settings), Requests(service, time.monotonic)
        served = web.Web(config, asked, hub, time.monotonic, print)
        served.start()
        started.append(served)
        place = urlsplit(served.address)
        return lambda: socket.create_connection((place.hostname or "", place.port or 0), timeout=LONG_S)

    yield start
    for served in started:
        served.stop()


def all_of(client: socket.socket) -> bytes:
    """What comes until the other side ends it."""
    return b"".join(iter(lambda: client.recv(65536), b""))


def statuses(answer: bytes) -> list[bytes]:
    return re.findall(rb"HTTP/1.1 (\d+)", answer)


def ended(client: socket.socket) -> bool:
    """Whether the other side ends it without a word."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def answer(client: socket.socket) -> bytes:
    """The first line of what a whole request gets, up to the status."""
    client.sendall(WHOLE)
    return client.recv(12)


def answered_at_last(connect: Connect) -> bool:
    """Whether somebody who tries again and again gets an answer."""
    until = time.monotonic() + LONG_S
    while time.monotonic() < until:
        with connect() as client, contextlib.suppress(ConnectionError):
            if answer(client).endswith(b"200"):
                return True
    return False


def test_who_sends_half_a_request_is_let_go(serve: Serve, tmp_path: Path) -> None:
    """Half a head, after a whole request too, ends the connection; half a body is answered without the rest."""
    connect = serve(token_file=tmp_path / "token")
    for sent, wanted in ((b"", []), (HALF, []), (WHOLE + HALF, [b"200"]), (HALF + b"\r\n{", [b"401"])):
        with connect() as client:
            client.sendall(sent)
            assert statuses(all_of(client)) == wanted


@pytest.mark.parametrize("before", [b"", WHOLE], ids=["first", "second"])
def test_who_sends_a_head_bit_by_bit_is_let_go(serve: Serve, before: bytes) -> None:
    """Every byte of a head that never ends is no new patience, be it the first of a connection or the second."""
    connect = serve()
    with connect() as client:
        client.sendall(before + HALF)
        client.settimeout(0.01)
        come, began = b"", time.monotonic()
        while time.monotonic() < began + LONG_S:
            try:
                client.sendall(b"X")
                more = client.recv(65536)
            except TimeoutError:
                continue
            except OSError:  # a byte met a closed door
                break
            if not more:
                break
            come += more
        assert time.monotonic() < began + LONG_S
        assert statuses(come) == ([b"200"] if before else [])


def test_an_answer_may_take_longer_than_a_head(serve: Serve, hub: Hub) -> None:
    """A stream of events stands while the patience that others have for a head passes several times."""
    connect = serve(0.05)
    with connect() as client:
        client.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        come = b""
        while b": here" not in come:
            come += client.recv(65536)
        for _ in range(3):
            with connect() as other:
                assert ended(other)
        hub.publish(Event("up", 0.9, "signs", 1.0, 1))
        assert b'"up"' in client.recv(65536)


def test_requests_that_come_in_one_go_are_all_answered(serve: Serve) -> None:
    """Requests sent without waiting for the answers get theirs, then the connection ends as an idle one does."""
    connect = serve()
    with connect() as client:
        client.sendall(5 * WHOLE)
        assert statuses(all_of(client)) == 5 * [b"200"]


def test_who_never_shakes_hands_is_let_go(serve: Serve, tmp_path: Path) -> None:
    """With TLS the patience begins with the connection; one who shook hands and sends half a head is let go too."""
    key, cert = certificate(tmp_path)
    connect = serve(1.0, tls_cert=cert, tls_key=key)
    with connect() as silent, connect() as client:
        context = ssl.create_default_context(cafile=str(cert))
        with context.wrap_socket(client, server_hostname="localhost", suppress_ragged_eofs=True) as secret:
            secret.sendall(WHOLE + HALF)
            assert statuses(all_of(secret)) == [b"200"]
        assert ended(silent)


def test_only_so_many_are_taken(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond MOST_CONNECTIONS a request is told 503, beyond MOST_ACCEPTED nobody is taken; who goes makes room."""
    monkeypatch.setattr(web, "MOST_CONNECTIONS", 3)
    monkeypatch.setattr(web, "MOST_ACCEPTED", 5)
    connect = serve(LONG_S)

    silent = [connect(), connect()]
    with connect() as third:
        assert answer(third).endswith(b"503")
        all_of(third)  # its place is free again
    taken = [*silent, connect(), connect(), connect()]
    with connect() as sixth:
        assert ended(sixth)
    for one in taken:
        one.close()
    assert answered_at_last(connect)  # the other side sees them go one by one


def test_who_does_not_read_is_let_go(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for megabytes and reads none of them loses the place, which somebody else then has."""
    monkeypatch.setattr(web, "MOST_ACCEPTED", 1)
    connect = serve()
    with connect() as deaf:
        deaf.settimeout(0.1)
        with contextlib.suppress(OSError):  # its requests are not read any more, or it is let go already
            while True:
                deaf.sendall(100 * WHOLE)
        assert answered_at_last(connect)


def test_half_requests_do_not_close_the_console(serve: Serve) -> None:
    """As many half requests as there are places are let go, and then whole ones are answered."""
    connect = serve()
    halves = [connect() for _ in range(web.MOST_ACCEPTED)]
    for one in halves:
        one.sendall(HALF)
    assert all(ended(one) for one in halves)
    for one in halves:
        one.close()
    with connect() as client:
        assert answer(client).endswith(b"200")
