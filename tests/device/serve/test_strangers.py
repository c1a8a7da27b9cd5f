"""What strangers send to the real service: bodies that are not whole, bursts, half-read streams, wrong tokens."""

from __future__ import annotations

import json
import random
import resource
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile_requests import request
from raw_http import chunked, connected, exchanged, post, status

from benchmarks.serving import Serving
from device.health import ask_health

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")

HERE = "/api/pipelines/signs"
BROKEN = [
    b"",
    b'{"on": 0.8',
    b'{"on": NaN}',
    b'{"on": 1e999}',
    b'["on"]',
    b"null",
    b"0",
    b'"{}"',
    b"{}{}",
    b"\xff\xfe{}",
    b'{"on": "\xff"}',
    b'{"head": "\\ud800"}',
    b"[" * 30_000,
    b'{"a":' * 20 + b"1" + b"}" * 20,
    b'{"on": ' + b"9" * 5000 + b"}",
]


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A taught service with thresholds of its own and two generations."""
    with Serving(tmp_path_factory.mktemp("serve")) as made:
        made.start()
        for label in ("up", "down"):
            made.teach(label, 6)
            made.teach(label, 6)
        made.act("train")
        made.act("train")
        made.act("tune", on=0.9, off=0.4)
        yield made


def kept(serving: Serving) -> Any:
    """What an action would have changed."""
    state = serving.state()["signs"]
    return state["tuning"], state["counts"], state["generation"], serving.ask(f"{HERE}/generations")[1]


@pytest.mark.parametrize("action", ["tune", "train", "undo", "roll-back", "forget-label"])
def test_a_body_that_is_not_whole_does_nothing(serving: Serving, action: str) -> None:
    """Broken, cut off, too long or nothing at all: 400 or 413 in one line, and thresholds and examples stay."""
    before, path = kept(serving), f"{HERE}/{action}"
    for body in BROKEN:
        answer = exchanged(serving.address, post(path, body))
        assert status(answer) == 400, (body[:40], answer[:200])
        assert b'{"error":"' in answer
    assert status(exchanged(serving.address, post(path, b'{"on": 0.8', 60), end=True)) in (0, 400)
    assert status(exchanged(serving.address, chunked(path, b'{"on"', whole=False), end=True)) in (0, 400)
    assert status(exchanged(serving.address, chunked(path, *3 * [b" " * 40_000], b"{}"))) in (0, 413)
    assert status(exchanged(serving.address, post(path, b"{}", 10**6))) == 413
    assert kept(serving) == before
    assert "Traceback" not in serving.log


def test_a_whole_object_in_chunks_is_taken(serving: Serving) -> None:
    """What is whole is read however it comes."""
    answer = exchanged(serving.address, chunked(f"{HERE}/tune", b'{"on": 0.9, ', b'"off": 0.4}'))
    assert status(answer) == 200


@pytest.mark.parametrize(
    "path",
    [
        f"{HERE}/examples/{'9' * 5000}.jpg",
        f"{HERE}/examples/{2**63}.jpg",
        f"{HERE}/examples/-1.wav",
        f"{HERE}/examples/%EF%BC%91.jpg",
        f"{HERE}/examples?take={2**64}",
        f"{HERE}/examples?label=%ED%A0%80&before=%C2%B2",
        "/api/pipelines/%ED%A0%80/generations",
        "/api/pipelines/%00%1b[2J/takes",
        f"{HERE}/takes?before={'1' * 400}",
    ],
)
def test_no_address_is_an_error_of_ours(serving: Serving, path: str) -> None:
    """Numbers without an end, halves of characters, control characters: refused in one line, none a 500."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert status(exchanged(serving.address, request.encode())) in (200, 400, 404)
    assert "Traceback" not in serving.log


def test_broken_requests_are_never_an_error_of_ours(serving: Serving) -> None:
    """Requests made by chance, cut off, with lengths that lie (`make check-hostile`: five minutes of them)."""
    rng = random.Random(20)
    for _ in range(150):
        sent = request(rng)
        if b"/api/events" not in sent:
            assert status(exchanged(serving.address, sent, end=True)) < 500, sent
    assert serving.ask("/health")[0] == 200
    assert "Traceback" not in serving.log


def test_a_burst_is_answered(serving: Serving) -> None:
    """Forty-five requests at once, each on a connection of its own, all get their answer."""
    clients = [connected(serving.address) for _ in range(45)]
    for one in clients:
        one.sendall(b"GET /api/state HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answers = [b"".join(iter(lambda one=one: one.recv(65536), b"")) for one in clients]
    for one in clients:
        one.close()
    assert [status(one) for one in answers] == 45 * [200]


def test_streams_that_nobody_reads_do_not_hold_the_console(serving: Serving) -> None:
    """Sixty half-read streams of events: the console is answered all the while, and the newest stream is live."""
    held = []
    for _ in range(60):
        one = connected(serving.address)
        one.sendall(b"GET /api/events?live=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert one.recv(12).endswith(b"200")
        held.append(one)
        assert serving.ask("/health")[0] == 200
    newest = b""
    while b"event: live" not in newest:
        newest += held[-1].recv(65536)
    gone = [one for one in held[:-1] if _ended(one)]
    assert len(gone) >= 40
    for one in held:
        one.close()


def _ended(client: socket.socket) -> bool:
    """Whether the other side has ended it, after what had come before."""
    client.settimeout(0.05)
    try:
        while client.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


def test_who_guesses_locks_nobody_out(tmp_path: Path) -> None:
    """Twenty wrong tokens: the one who sent them is told to wait, and the right token is taken all the same."""
    more = f'[web]\nlisten = "0.0.0.0"\nport = 0\ntoken_file = "{tmp_path}/token"\n'
    with Serving(tmp_path / "s", more) as serving:
        serving.start()
        told = [serving.ask("/api/login", {"token": "wrong" * 5})[0] for _ in range(20)]
        assert set(told[:9]) == {401}
        assert told[-1] == 429
        assert serving.ask("/api/state", Authorization="Bearer wrong")[0] == 429
        assert serving.ask("/api/login", {"token": (tmp_path / "token").read_text().strip()})[0] == 200
        assert serving.state_by((tmp_path / "token").read_text().strip())


def test_idle_connections_leave_the_outputs_alone(tmp_path: Path) -> None:
    """With few descriptors hundreds of idle connections do not take those of database, log and Unix socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Serving(tmp_path / "s") as serving:
        resource.setrlimit(resource.RLIMIT_NOFILE, (160, hard))
        try:
            serving.start()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        silent = [connected(serving.address) for _ in range(300)]
        log_before = len(serving.log)
        assert ask_health(serving.data / "events.sock")["pipelines"]["signs"]["state"] == "open"
        assert serving.teach("up", 3) >= 3
        for one in silent:
            one.close()
        assert len(serving.log) - log_before < 2000
        assert "Traceback" not in serving.log


def test_silent_clients_of_the_unix_socket_make_room(serving: Serving) -> None:
    """A hundred clients that never say or read a word: whoever asks for health is answered."""
    silent = []
    for _ in range(100):
        one = socket.socket(socket.AF_UNIX)
        one.connect(str(serving.data / "events.sock"))
        silent.append(one)
    assert ask_health(serving.data / "events.sock")["pipelines"]["signs"]["state"] == "open"
    for one in silent:
        one.close()


def test_many_who_teach_at_once_get_whole_answers(serving: Serving) -> None:
    """Thirty threads that tune at once: each answer is JSON with what was asked for, or one line."""
    answers: list[tuple[int, Any]] = []

    def tune() -> None:
        answers.append(serving.ask(f"{HERE}/tune", {"on": 0.9, "off": 0.4}))

    threads = [threading.Thread(target=tune) for _ in range(30)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [status for status, _ in answers] == 30 * [200]
    assert all(json.dumps(answer) for _, answer in answers)
