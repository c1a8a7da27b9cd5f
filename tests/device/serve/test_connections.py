"""Who may hold a connection to the web console, how many and for how long: with real sockets, patience made short."""

from __future__ import annotations

import contextlib
import os
import re
import resource
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
from device.serve.event import LabelEvent
from device.serve.requests import Requests
from device.serve.service import Service
from device.serve.subscribers import Hub
from device.serve.systemd import Notify

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")

from device.serve import connections, web
from device.serve.connections import ConnectionListener, network_of

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
    for sent, wanted in ((b"", []), (HALF, []), (WHOLE + HALF, [b"200"]), (HALF + b"\r\n{", [b"400"])):
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
        hub.publish(LabelEvent("up", 0.9, "signs", 1.0, 1))
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


@pytest.mark.parametrize("bound", ["MAX_ACCEPTED", "MAX_EACH"])
def test_only_so_many_are_taken(serve: Serve, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    """Beyond the bound the oldest idle connection makes room; where all are answered the newest is not taken."""
    monkeypatch.setattr(web, bound, 3)
    connect = serve(LONG_S)

    silent = [connect() for _ in range(3)]
    with connect() as fourth:
        assert answer(fourth).endswith(b"200")
        assert ended(silent[0])
        streams = [connect() for _ in range(3)]
        for one in streams:
            one.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert one.recv(12).endswith(b"200")
        with connect() as fifth:
            assert ended(fifth)
    for one in (*silent, *streams):
        one.close()
    assert answered_at_last(connect)  # the other side sees them go one by one


def test_one_address_leaves_places_to_others(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an address that holds all places one makes room for another address, whose own ones stay."""
    monkeypatch.setattr(web, "MAX_ACCEPTED", 4)
    connect = serve(LONG_S)
    place = connect()
    port = place.getpeername()[1]
    crowd = [place, *(connect() for _ in range(3))]
    others = [socket.create_connection(("127.0.0.1", port), LONG_S, (f"127.0.0.{2 + n}", 0)) for n in range(2)]
    for one in others:
        assert answer(one).endswith(b"200")
    assert [ended(one) for one in crowd[:2]] == [True, True]
    for one in (*crowd[2:], *others):
        one.close()
    for one in crowd[:2]:
        one.close()


def test_households_are_counted_as_one() -> None:
    """Of IPv6 the network of 64 bits counts, an address of IPv4 by itself, also where it is written as IPv6."""
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1") == "10.0.0.1"
    assert network_of("fe80::1%eth0") == "fe80::/64"


def test_without_descriptors_nothing_is_said_or_stands_still(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who connects while all but the reserved descriptors are used is let go, and is taken when there are some."""
    connect = serve(LONG_S)
    monkeypatch.setattr(connections, "RESERVED", 10**9)
    with connect() as client:
        assert ended(client)
    monkeypatch.setattr(connections, "RESERVED", 0)
    with connect() as client:
        assert answer(client).endswith(b"200")


def test_an_accept_that_fails_takes_who_waits_away() -> None:
    """At the very last descriptor a connection is taken with the spare one and let go, again and again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ConnectionListener(socket.create_server(("127.0.0.1", 0)), 9, 9, 1.0, 1.0) as listener:
        clients = [socket.create_connection(listener.getsockname(), LONG_S) for _ in range(3)]
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            for _ in clients:
                with pytest.raises(ConnectionAbortedError, match="no descriptor"):
                    listener.accept()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert all(ended(one) for one in clients)
        for one in clients:
            one.close()


def test_the_spare_descriptor_that_another_takes_is_never_closed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another listener gets the spare one first, its descriptor stays open, and later there is one again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    opened = connections._opened

    def too_late() -> int:
        with contextlib.suppress(OSError):
            taken.append(os.dup(0))
        return opened()

    with ConnectionListener(socket.create_server(("127.0.0.1", 0)), 9, 9, 1.0, 1.0) as listener:
        clients = [socket.create_connection(listener.getsockname(), LONG_S) for _ in range(3)]
        free = os.dup(0)
        os.close(free)
        monkeypatch.setattr(connections, "_opened", too_late)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            with pytest.raises(ConnectionAbortedError):
                listener.accept()
            for _ in range(2):
                with pytest.raises(OSError, match="Too many open files"):
                    listener.accept()
            assert len(taken) == 1
            os.fstat(taken[0])
            os.close(taken[0])
            monkeypatch.setattr(connections, "_opened", opened)
            with pytest.raises(ConnectionAbortedError):
                listener.accept()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for one in clients:
            one.close()


def test_who_does_not_read_is_let_go(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for megabytes and reads none of them loses the place, which somebody else then has."""
    monkeypatch.setattr(web, "MAX_ACCEPTED", 1)
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
    halves = [connect() for _ in range(web.MAX_ACCEPTED)]
    for one in halves:
        one.sendall(HALF)
    assert all(ended(one) for one in halves)
    for one in halves:
        one.close()
    with connect() as client:
        assert answer(client).endswith(b"200")
