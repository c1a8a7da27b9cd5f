"""The log: said once, then ever more rarely; nothing that happens to the service writes more than a line a minute."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pipeline_bench import Bench

from device.serve.config import HookConfig, WyomingConfig
from device.serve.event import LabelEvent
from device.serve.fleet import Fleet
from device.serve.fleet_config import FleetConfig
from device.serve.hooks import Hooks
from device.serve.journal import LONGEST_S, PAUSE_S, Journal
from device.serve.package_log import PackageLog
from device.serve.service import Service
from device.serve.sums_requests import SumsRequests
from device.serve.sums_socket import SumsSocket
from device.serve.systemd import Notify
from edge_tl.testing import FakeClock


class Log:
    """Lines with the times at which they came."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock, self.lines = clock, list[tuple[float, str]]()

    def __call__(self, line: str) -> None:
        self.lines.append((self.clock(), line))

    @property
    def texts(self) -> list[str]:
        """Without their times."""
        return [line for _, line in self.lines]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A pipeline with an empty profile."""
    made = Bench(tmp_path / "profile")
    yield made
    made.profile.close()


class Flipping:
    """An output whose error is what a test wants."""

    name = "mqtt"

    def __init__(self) -> None:
        self.error = ""

    def start(self) -> None:
        """Nothing to do."""

    stop = start

    def publish(self, event: LabelEvent) -> None:
        """Nobody hears it."""

    def health(self) -> dict[str, Any]:
        """As a test wants it."""
        return {"state": "ok" if not self.error else "waiting", "error": self.error}


def failing(service: Service, number: int) -> None:
    """A request that fails in a way of its own."""

    def fail() -> None:
        raise ZeroDivisionError(f"number {number}")

    service._asked.put((fail, Future()))


def camera(bench: Bench, second: int) -> None:
    """A microphone that seems muted between words, every other second."""
    bench.feed.fault = "nothing but zeros" if second % 2 else ""


def changing(bench: Bench, second: int) -> None:
    """A camera that is lost for another reason each second."""
    bench.feed.fault = "abcdefgh"[second % 8] * 5 + f" {second}"


def disk(bench: Bench, second: int) -> None:
    """A disk that is full now and then."""
    bench.pipeline.error = "the disk is full" if second % 7 < 3 else ""


SIGNS = {"camera": camera, "changing": changing, "disk": disk}


def fleet(service: Service, folder: Path) -> Callable[[int], None]:
    """A fleet that fails in another way every other second."""
    mqtt: Any = None
    made = Fleet(FleetConfig("home"), folder, service, "signs", mqtt, service.log, service.clock)
    service.outputs.append(made)
    return lambda second: made._failed("abcdefgh"[second % 8] * 5 + str(second) if second % 2 else "")


def sums(service: Service, folder: Path) -> Callable[[int], None]:
    """Requests for sums at the real socket, each of which fails in a way that nobody thought of."""

    class Failing(SumsRequests):
        def answer(self, asked: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
            raise ZeroDivisionError(f"number {asked['number']}")

    home: Any = None
    made = SumsSocket(folder / "s.sock", Failing(home, 5), partial(service.journal.happened, "sums"))
    made.start()
    service.outputs.append(made)

    def ask(second: int) -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60.0)
            client.connect(str(made.path))
            client.sendall(f'{{"number": {second}}}\n'.encode())
            assert b"ZeroDivisionError" in client.makefile("rb").readline()

    return ask


def satellites(service: Service, folder: Path) -> Callable[[int], None]:
    """Satellites at the real port that send what is no event, or wait for words that there are not."""
    wyoming = pytest.importorskip("device.serve.wyoming", reason="the package wyoming is not installed (extra wyoming)")
    happened = service.journal.happened
    made = wyoming.Wyoming(WyomingConfig(port=0), {}, None, happened, lambda line: None, service.clock)
    made.start()
    service.outputs.append(made)
    place = urlsplit(made.address)

    def come(second: int) -> None:
        with socket.create_connection((place.hostname or "", place.port or 0), timeout=60.0) as client:
            asked = b'{"type": "detect", "data": {"names": ["abcdefgh"]}}\n' if second % 2 else b""
            client.sendall(asked + b"[%d]\n" % second)
            while client.recv(65536):
                pass

    return come


def packages(service: Service, folder: Path) -> Callable[[int], None]:
    """What a package says of the network it hears, with a traceback."""
    log, error = PackageLog(service.journal.happened), OSError("unreachable")

    def said(second: int) -> None:
        told = ("abcdefgh"[second % 8] * 9, second)
        info = (OSError, error, None)
        log.emit(logging.LogRecord("zeroconf", logging.WARNING, "x", 1, "Choked at %s %d\nTraceback", told, info))

    return said


NEWER = {"fleet": fleet, "sums": sums, "satellites": satellites, "packages": packages}


@pytest.mark.parametrize("what", NEWER)
def test_no_newer_part_writes_more_than_a_line_a_minute(what: str, bench: Bench, tmp_path: Path) -> None:
    """Half an hour of what strangers may do each second to fleet, sums, satellites, and to other people's packages."""
    log = Log(bench.clock)
    service = Service([], Notify({}), clock=bench.clock, wall=lambda: 0.0, summary_s=1e9, log=log)
    service.pipelines["signs"] = bench.pipeline
    happens = NEWER[what](service, tmp_path)
    try:
        for second in range(1800):
            bench.clock.advance(1.0)
            happens(second)
            service.step()
    finally:
        for output in service.outputs:
            output.stop()
    assert log.lines
    assert all("\n" not in line for line in log.texts)
    times = [at for at, _ in log.lines]
    assert all(later - earlier >= PAUSE_S for earlier, later in pairwise(times))


@pytest.mark.parametrize("what", [*SIGNS, "broker", "requests", "hooks", "web", "look"])
def test_no_state_writes_more_than_a_line_a_minute(what: str, bench: Bench) -> None:
    """Half an hour of each thing that can go wrong: never two lines in a minute, and far fewer at last."""
    log = Log(bench.clock)
    service = Service([Flipping()], Notify({}), clock=bench.clock, wall=lambda: 0.0, summary_s=1e9, log=log)
    service.pipelines["signs"] = bench.pipeline
    hooks = Hooks([HookConfig("*", ("/no/such/program", "{label}"))], service.journal.happened)
    web = PackageLog(service.journal.happened)
    hook, output = hooks.hooks[0], service.outputs[0]
    assert isinstance(output, Flipping)
    for second in range(1800):
        bench.clock.advance(1.0)
        if what in SIGNS:
            SIGNS[what](bench, second)
        elif what == "broker":
            output.error = ("connection lost", "", "no answer", "")[second % 4]
        elif what == "requests":
            failing(service, second)
        elif what == "hooks":
            hooks._run(hook, LabelEvent("--option" if second % 2 else "x", 1.0, "signs", 0.0, 1))
        elif what == "web":
            web.emit(web_record(second))
        else:
            service._looks["signs"] = ""
            service.health = {"pipelines": {"signs": bench.pipeline.health() | {"looking": f"hand {second}"}}}
            service._tell_looks()
        service.step()
    assert log.lines
    times = [at for at, _ in log.lines]
    assert all(later - earlier >= PAUSE_S for earlier, later in pairwise(times))
    if what not in ("changing", "web"):  # another fault each time is news
        assert len(log.lines) <= 7


def web_record(second: int) -> Any:
    """What the web's packages say of a broken request."""
    said = "abcdefgh"[second % 8] * 9  # strangers choose what is wrong
    return logging.LogRecord("uvicorn.error", logging.WARNING, "x", 1, "Invalid request %s %d", (said, second), None)


def test_what_flips_is_said_once_and_then_with_growing_pauses() -> None:
    """A microphone that seems muted for one second of two, for a day: the pauses double up to an hour."""
    clock = FakeClock()
    log = Log(clock)
    journal = Journal(log, clock)
    for second in range(86_400):
        journal.state("words", "zeros" if second % 2 == 0 else "")
        clock.advance(1.0)
    assert log.texts[0] == "words: zeros"
    pauses = [later - earlier for (earlier, _), (later, _) in pairwise(log.lines)]
    assert all(later >= earlier - 1 for earlier, later in pairwise(pauses))
    assert max(pauses) <= LONGEST_S + 1
    assert len(log.lines) < 40
    assert "(zeros: it failed and recovered" in log.texts[-1] or "zeros (it failed and recovered" in log.texts[-1]


def test_what_is_said_is_true_at_last() -> None:
    """Whatever flipped before: what stays is said, wrong or well; afterwards the log is quiet."""
    for stays in ("unplugged", ""):
        clock = FakeClock()
        log = Log(clock)
        journal = Journal(log, clock)
        for second in range(300):
            journal.state("signs", "unplugged" if second % 20 < 10 else "")
            clock.advance(1.0)
        for _ in range(10_000):
            journal.state("signs", stays)
            clock.advance(1.0)
        wanted = "signs: works again" if not stays else "signs: unplugged"
        assert log.texts[-1].startswith(wanted)
        assert clock() - log.lines[-1][0] > LONGEST_S


def test_a_new_fault_does_not_wait_for_the_pauses_of_an_old_one() -> None:
    """While something flips for hours, another fault of the same part is said within a minute."""
    clock = FakeClock()
    log = Log(clock)
    journal = Journal(log, clock)
    for second in range(20_000):
        journal.state("words", "zeros" if second % 2 else "")
        clock.advance(1.0)
    at_s = clock()
    for _ in range(61):
        journal.state("words", "unplugged")
        clock.advance(1.0)
    assert log.texts[-1] == "words: unplugged"
    assert log.lines[-1][0] - at_s <= PAUSE_S


def test_what_happens_again_is_counted() -> None:
    """The first is said at once, those within the minute after it together."""
    clock = FakeClock()
    log = Log(clock)
    journal = Journal(log, clock)
    for _ in range(5):
        journal.happened("hook", "hook: it failed")
    assert log.texts == ["hook: it failed"]
    clock.advance(2 * PAUSE_S)
    journal.turn()
    assert log.texts[1:] == ["hook: it failed (and 3 more since)"]
