"""What a satellite may cost: how long it may hold a connection, how fast it is heard, and how its samples are read."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pytest
from waiting import LONG_S, until

pytest.importorskip("wyoming", reason="the package wyoming is not installed (extra wyoming)")

from device.serve import announcing, satellite, wyoming
from device.serve.announcing import Announcer, own_addresses
from device.serve.config import WyomingConfig, parse_config
from device.serve.satellite_events import AHEAD_S, EVENT_S, FASTER, MAX_KNOWN, SendingPace
from device.serve.satellite_words import Catalogue, Format
from device.sources.given import GivenSound, NoMicrophone
from edge_tl.errors import ConfigError, ExampleError, SourceClosed, SourceTimeout

DESCRIBE = b'{"type": "describe"}\n'
CHUNK = b'{"type": "audio-chunk", "data": {"rate": 16000, "width": 2, "channels": 1}, "payload_length": 4}\nabcd'
Connect = Callable[[], socket.socket]
Serve = Callable[..., Connect]


@pytest.fixture
def lines() -> list[str]:
    """What was said in the log, however often."""
    return []


@pytest.fixture
def started() -> list[wyoming.Wyoming]:
    """What was started."""
    return []


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, lines: list[str], started: list[wyoming.Wyoming]) -> Iterator[Serve]:
    """Serves with these limits; gives what connects to it."""

    def start(patience_s: float = LONG_S, stall_s: float = LONG_S, idle_s: float = LONG_S, most: int = 8) -> Connect:
        for module in (wyoming, satellite):
            monkeypatch.setattr(module, "PATIENCE_S", patience_s)
        monkeypatch.setattr(satellite, "STALL_S", stall_s)
        monkeypatch.setattr(satellite, "IDLE_S", idle_s)
        monkeypatch.setattr(wyoming, "MAX_EACH", most)

        def happened(_: str, line: str) -> None:
            lines.append(line)

        served = wyoming.Wyoming(WyomingConfig(port=0), {}, None, happened, str, time.monotonic)  # type: ignore[arg-type]
        served.start()
        started.append(served)
        place = urlsplit(served.address)
        return lambda: socket.create_connection((place.hostname or "", place.port or 0), timeout=LONG_S)

    yield start
    for one in started:
        one.stop()  # may be called twice


def answered(client: socket.socket) -> str:
    """The type of the next event; empty where the connection is over."""
    with client.makefile("rb") as file:
        line = file.readline()
        if not line:
            return ""
        head = json.loads(line)
        file.read(head.get("data_length", 0))
        return str(head["type"])


def over(client: socket.socket) -> bool:
    """Whether the other side let go, which is waited for."""
    try:
        while client.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


def test_who_says_nothing_is_let_go(serve: Serve, lines: list[str]) -> None:
    """Without a first event, and with half a one, after the patience."""
    connect = serve(patience_s=0.1)
    for sent in (b"", b'{"type"', DESCRIBE + b"{", CHUNK[:-2]):
        with connect() as client:
            client.sendall(sent)
            assert over(client)
    assert all("stopped within an event" in line for line in lines)


def test_who_reads_no_answer_is_let_go(serve: Serve, lines: list[str]) -> None:
    """Questions without an end, whose answers nobody takes: after the patience the connection is over."""
    connect = serve(patience_s=0.5)

    def flooded() -> bool:
        with connect() as client, contextlib.suppress(OSError):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            while True:
                client.sendall(DESCRIBE * 1000)
        return any("read no answer" in line for line in lines)

    until(flooded)


def test_an_idle_one_makes_room_and_a_stream_does_not(serve: Serve) -> None:
    """Of as many as may be, the oldest that waits for nothing goes for the next one; who streams stays."""
    connect = serve(most=2)
    with connect() as streaming:
        streaming.sendall(CHUNK + b'{"type": "ping"}\n')
        assert answered(streaming) == "pong"
        with connect() as idle:
            idle.sendall(DESCRIBE)
            assert answered(idle) == "info"
            with connect() as third:
                third.sendall(DESCRIBE)
                assert answered(third) == "info"
                assert over(idle)
        streaming.sendall(b'{"type": "ping"}\n')
        assert answered(streaming) == "pong"


def test_a_stream_that_stalls_makes_room(serve: Serve) -> None:
    """After a while without sound its place is another's."""
    connect = serve(stall_s=0.05, most=1)
    with connect() as stalled:
        stalled.sendall(CHUNK)
        end_s = time.monotonic() + LONG_S
        while time.monotonic() < end_s:
            with connect() as other:
                try:
                    other.sendall(DESCRIBE)
                    if answered(other) == "info":
                        break
                except OSError:
                    pass
        assert over(stalled)


def test_it_stops_while_somebody_streams(
    serve: Serve, started: list[wyoming.Wyoming], caplog: pytest.LogCaptureFixture
) -> None:
    """Who is connected is let go, and nothing is said of it."""
    connect = serve()
    with connect() as streaming:
        streaming.sendall(CHUNK + b'{"type": "ping"}\n')
        assert answered(streaming) == "pong"
        started[0].stop()
        assert over(streaming)
    assert not caplog.records


def test_what_goes_wrong_inside_ends_one_connection(
    serve: Serve, lines: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A line says what it was, and the next one is served."""
    connect = serve()
    monkeypatch.setattr(satellite, "Stream", None)
    with connect() as failing:
        failing.sendall(CHUNK)
        assert over(failing)
    with connect() as other:
        other.sendall(DESCRIBE)
        assert answered(other) == "info"
    assert [line for line in lines if "failed: TypeError" in line] == lines
    assert not caplog.records


def test_nobody_is_heard_faster_than_it_sounds_for_long() -> None:
    """A minute at once, then as fast as all its connections sound; coming anew brings no other minute."""
    now_s = 100.0
    pace = SendingPace(lambda: now_s)
    pace.come("a")
    assert pace.wait_s("a", AHEAD_S) == 0
    assert pace.wait_s("a", 1.0) == pytest.approx(1 / FASTER)
    pace.go("a")
    pace.come("a")
    assert pace.wait_s("a", 1.0) == pytest.approx(2 / FASTER)
    pace.come("a")
    assert pace.wait_s("a", 0.0) == pytest.approx((2 + EVENT_S) / FASTER / 2)
    now_s += 1000
    assert pace.wait_s("a", AHEAD_S) == 0
    assert pace.wait_s("b", AHEAD_S) == 0  # others have their own


def test_addresses_that_went_are_forgotten() -> None:
    """Of very many that came once no more are kept than may be, and none that is connected is lost."""
    pace = SendingPace(lambda: 0.0)
    pace.come("stays")
    for number in range(MAX_KNOWN + 50):
        pace.come(str(number))
        pace.go(str(number))
    assert len(pace._known) <= MAX_KNOWN + 1
    assert pace._known["stays"].connections == 1


@pytest.mark.parametrize(
    ("width", "data"), [(1, b"\x40\xc0"), (2, b"\x00\x40\x00\xc0"), (3, b"\x01\x00\x40\x01\x00\xc0")]
)
def test_samples_of_every_width_are_read(width: int, data: bytes) -> None:
    """Of 1 to 4 bytes, half the way up and half the way down; a chunk that cuts a sample is refused."""
    assert Format(16_000, width, 1).decoded(data).tolist() == [[0x4000], [-0x4000]]
    assert Format(16_000, width, 2).decoded(data).tolist() == [[0x4000, -0x4000]]
    assert np.array_equal(
        Format(16_000, 4, 1).decoded(b"\x01\x00\x00\x40\x01\x00\x00\xc0"), np.array([[0x4000], [-0x4000]])
    )
    with pytest.raises(ExampleError, match="no whole number"):
        Format(16_000, width, 2).pieces(data[: 2 * width - 1])


def test_a_chunk_is_heard_in_pieces() -> None:
    """None longer than a tenth of a second, and together they are the chunk."""
    format = Format(48_000, 2, 2)
    data = bytes(range(256)) * 300
    pieces = [*format.pieces(data)]
    assert b"".join(pieces) == data
    assert max(map(format.seconds, pieces)) == pytest.approx(0.1)


def test_two_pipelines_may_know_one_word() -> None:
    """The first keeps the name, and the other's says whose it is."""
    first, second = (SimpleNamespace(pipeline=name, words=("go", name)) for name in ("hall", "kitchen"))
    catalogue = Catalogue([first, second])  # type: ignore[list-item]
    assert [*catalogue.models] == ["go", "hall", "go (kitchen)", "kitchen"]
    assert catalogue.name_of("kitchen", "go") == "go (kitchen)"
    assert catalogue.unknown(["go", "stop"]) == ["stop"]


def test_sound_that_is_given_and_a_microphone_that_is_none() -> None:
    """Blocks come in their order with their times, then none yet, then none any more; what is none is over at once."""
    given = GivenSound("given", 16_000)
    for length in (1600, 3200):
        given.give(np.zeros(length, np.float32))
    assert [(given.read().time_s, given.heard_s) for _ in range(2)] == [(0.0, 0.3), (0.1, 0.3)]
    with pytest.raises(SourceTimeout):
        given.read()
    given.end()
    for source in (given, NoMicrophone()):
        with source, pytest.raises(SourceClosed):
            source.read()


def test_the_table_chooses_pipelines_of_words() -> None:
    """Left out all of them; a camera, or a name that there is not, is a mistake that is said."""
    signs, words = '[pipelines.signs]\ncamera = "sim"\n', '[pipelines.words]\nmic = "none"\nprofile = "words"\n'
    config = parse_config(f"{signs}{words}[wyoming]\n").wyoming
    assert config is not None
    assert (config.listen, config.port, config.pipelines, config.loopback) == ("127.0.0.1", 10400, (), True)
    assert config.shown.startswith("edge-tl")
    for text, why in (
        (f"{signs}[wyoming]\n", "no pipeline of words"),
        (f'{signs}{words}[wyoming]\npipelines = ["signs"]\n', "there is no pipeline of words 'signs'"),
        (f'{words}[wyoming]\nname = ""\n', "1 to 40 characters"),
        (f"{words}[wyoming]\nport = 70000\n", "0 to 65535"),
    ):
        with pytest.raises(ConfigError, match=why):
            parse_config(text)


def test_it_is_announced_where_others_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser of mDNS sees it come with its port, and go; on loopback nothing is announced."""
    pytest.importorskip("zeroconf", reason="zeroconf is not installed")
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

    assert own_addresses("192.0.2.7") == ["192.0.2.7"]
    monkeypatch.setattr(announcing, "own_addresses", lambda _: ["127.0.0.1"])

    called = f"edge-tl of test {os.getpid()}"

    async def browse() -> list[tuple[str, str]]:
        seen: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

        def changed(zeroconf: object, service_type: str, name: str, state_change: object) -> None:
            if name.startswith(called):
                seen.put_nowait((name, str(state_change)))

        async with asyncio.timeout(LONG_S):
            await Announcer(WyomingConfig(), print, print).run(10400)  # returns at once
            browser = AsyncZeroconf(interfaces=["127.0.0.1"])
            listening = AsyncServiceBrowser(browser.zeroconf, announcing.KIND, handlers=[changed])
            config = WyomingConfig(listen="0.0.0.0", name=called)
            running = asyncio.create_task(Announcer(config, print, print).run(10401))
            try:
                come = await seen.get()
                found = await browser.async_get_service_info(announcing.KIND, come[0])
                assert found is not None
                assert found.port == 10401
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                return [come, await seen.get()]
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await listening.async_cancel()
                await browser.async_close()

    try:
        come, gone = asyncio.run(browse())
    except OSError as error:
        pytest.skip(f"no multicast here: {error}")
    assert come[1].endswith("Added")
    assert gone[1].endswith("Removed")
