"""The ways out of the service: socket, commands, pins, systemd."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import resource
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.health import ask_health
from device.serve.config import HookConfig, PinConfig
from device.serve.event import LabelEvent
from device.serve.hooks import Hooks, _fill
from device.serve.journal import Journal
from device.serve.local import MAX_WAITING_BYTES, QUESTION_S, UNREAD_S, LocalSocket
from device.serve.machine import machine_health
from device.serve.pins import Pins
from device.serve.systemd import Notify
from edge_tl.errors import ConfigError
from edge_tl.testing import FakeClock

FIST = LabelEvent("fist", 0.9, "signs", 1000.0, 3)
LONG_S = 30.0


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalSocket]:
    """A socket that listens."""
    made = LocalSocket(tmp_path / "events.sock", lambda: {"status": "ok"})
    made.start()
    yield made
    made.stop()


def connected(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(LONG_S)
    client.connect(str(path))
    return client


def test_each_client_of_the_socket_gets_each_event_as_a_line(local: LocalSocket) -> None:
    """Two clients read the same event as one line of JSON; nobody else but the group may connect."""
    assert local.path.stat().st_mode & 0o777 == 0o660
    with connected(local.path) as one, connected(local.path) as two:
        for client in (one, two):  # answered, so it is among the clients
            client.sendall(b"health\n")
            assert json.loads(client.makefile().readline()) == {"status": "ok"}
        local.publish(FIST)
        for client in (one, two):
            assert json.loads(client.makefile().readline()) == {
                "label": "fist",
                "confidence": 0.9,
                "source": "signs",
                "time": 1000.0,
                "generation": 3,
            }


def test_a_client_that_does_not_read_is_let_go(local: LocalSocket) -> None:
    """Events for a client that never reads pile up to a limit; then its connection ends, and others go on."""
    with connected(local.path) as lazy, connected(local.path) as other:
        for client in (lazy, other):
            client.sendall(b"health\n")
        lines = other.makefile()
        lines.readline()
        long = LabelEvent("x" * 60, 0.5, "signs", 1.0, 1)
        for _ in range(8 * MAX_WAITING_BYTES // len(long.as_json())):
            local.publish(long)
            assert json.loads(lines.readline())["label"] == "x" * 60
        received = 0
        while data := lazy.recv(65536):
            received += len(data)
        assert 0 < received < 8 * MAX_WAITING_BYTES


@pytest.fixture
def timed(tmp_path: Path) -> Iterator[tuple[LocalSocket, FakeClock]]:
    """A socket that listens, whose time the test moves."""
    clock = FakeClock(0.0)
    made = LocalSocket(tmp_path / "events.sock", lambda: {"status": "ok"}, clock)
    made.start()
    yield made, clock
    made.stop()


def test_who_reads_nothing_or_asks_half_is_let_go_in_time(timed: tuple[LocalSocket, FakeClock]) -> None:
    """One event that is not read for half a minute ends a connection, half a question ends one, and readers stay."""
    made, clock = timed
    with connected(made.path) as lazy, connected(made.path) as half, connected(made.path) as other:
        lines = other.makefile()
        other.sendall(b"health\n")  # whoever came before is taken when this is answered
        lines.readline()
        half.sendall(b"heal")
        event = LabelEvent("up", 0.5, "signs", 1.0, 1)
        for _ in range(3):
            other.sendall(b"health\n")
            made.publish(event)
            assert {json.loads(lines.readline()).get("label", "-") for _ in range(2)} == {"up", "-"}
            clock.advance(QUESTION_S + UNREAD_S + 1)
        while made.health()["clients"] != 1:
            other.sendall(b"health\n")
            lines.readline()
        for client in (lazy, half):
            while client.recv(65536):
                pass


def test_without_a_descriptor_left_who_was_silent_makes_room(local: LocalSocket) -> None:
    """At the process's limit the one that was silent for longest goes, and whoever asks for health is answered."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    silent, newcomer = connected(local.path), socket.socket(socket.AF_UNIX)
    newcomer.settimeout(LONG_S)
    with silent, newcomer:
        silent.sendall(b"health\n")
        assert silent.recv(4096)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            newcomer.connect(str(local.path))
            newcomer.sendall(b"health\n")
            assert newcomer.recv(4096)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert silent.recv(4096) == b""


def test_what_is_sent_after_a_long_silence_ends_nothing(timed: tuple[LocalSocket, FakeClock]) -> None:
    """Whoever had read all has half a minute for the next event, though the service stood still for longer before."""
    made, clock = timed
    with connected(made.path) as client:
        lines = client.makefile()
        client.sendall(b"health\n")
        lines.readline()
        for _ in range(200):
            clock.advance(UNREAD_S + 1)
            made.publish(FIST)
            assert json.loads(lines.readline())["label"] == "fist"


def test_a_socket_left_behind_is_replaced_and_one_in_use_is_not(tmp_path: Path, local: LocalSocket) -> None:
    """The file of a killed service is no obstacle; where a service listens, the second one refuses in one line."""
    left = tmp_path / "left.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))
    again = LocalSocket(left, dict)
    again.start()
    assert again.health()["state"] == "ok"
    again.stop()
    assert not left.exists()
    for path, words in ((local.path, "another service listens"), (tmp_path / "no" / "a.sock", "cannot be made")):
        refused = LocalSocket(path, dict)
        with pytest.raises(ConfigError, match=words):
            refused.start()
        refused.stop()


def test_questions_that_are_none_are_answered_and_floods_are_cut(local: LocalSocket) -> None:
    """An unknown question gets a line that says so; a line without an end ends the connection."""
    with connected(local.path) as client:
        client.sendall(b"drop table\n")
        assert "one question" in client.makefile().readline()
        with contextlib.suppress(ConnectionResetError):  # what was sent after the end may be refused
            client.sendall(b"x" * 5000)
            assert client.recv(10) == b""
    assert ask_health(local.path) == {"status": "ok"}
    with pytest.raises(ConfigError, match="no service answers"):
        ask_health(local.path.with_name("none.sock"))


def test_a_hook_is_run_with_its_arguments_and_no_shell(tmp_path: Path) -> None:
    """What stands in the label reaches the program as one argument, whatever is in it."""
    out = tmp_path / "out"
    script = tmp_path / "hook"
    script.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {out}.new\nmv {out}.new {out}\necho done > {tmp_path}/fifo\n')
    script.chmod(0o755)
    os.mkfifo(tmp_path / "fifo")
    label = "a; touch /oops `id` $(id) \"'{source}"
    hooks = Hooks([HookConfig(label="*", run=(str(script), "--label={label}", "{confidence}", "{source}"))], print)
    hooks.start()
    hooks.publish(LabelEvent(None, 0.0, "signs", 1.0, 1))  # an end is no label
    hooks.publish(LabelEvent(label, 0.5, "signs", 1.0, 1))
    (tmp_path / "fifo").read_text()
    assert out.read_text() == f"--label={label}|0.500|signs|"
    hooks.stop()
    assert hooks.health()["failed"] == 0


def test_a_hook_that_fails_is_told_once_and_one_that_hangs_is_killed() -> None:
    """Exit codes, missing programs and time-outs become one line each; the next hook runs all the same."""
    told: queue.Queue[str] = queue.Queue()
    clock = FakeClock()
    hooks = Hooks(
        [
            HookConfig("a", ("/bin/false",)),
            HookConfig("b", ("/no/such/program",)),
            HookConfig("c", ("/bin/sleep", "60"), timeout_s=0.1),
            HookConfig("a", ("/bin/true",), source="words"),
        ],
        Journal(told.put, clock).happened,
    )
    hooks.start()
    for label in ("a", "a", "b", "c"):
        hooks.publish(LabelEvent(label, 1.0, "signs", 1.0, 1))
    lines = [told.get(timeout=LONG_S) for _ in range(3)]
    assert "exit code 1" in lines[0]
    assert "cannot be run" in lines[1]
    assert "killed after 0.1 s" in lines[2]
    hooks.stop()
    assert hooks.health()["failed"] == 4
    assert told.empty()


def test_a_label_is_never_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels come from the console: one like --version is told and not run, but behind a "--" of the configuration."""
    monkeypatch.chdir(tmp_path)
    lines: list[str] = []
    ran = []
    for words in (("/bin/touch", "{label}"), ("/bin/touch", "--", "{label}")):
        hooks = Hooks([HookConfig("*", words)], lambda _, line: lines.append(line))
        hooks._run(hooks.hooks[0], LabelEvent("--version", 1.0, "signs", 0.0, 1))
        ran.append(hooks.ran)
    assert ran == [0, 1]
    assert (tmp_path / "--version").exists()
    assert ["would be read as an option" in line for line in lines] == [True]


def test_hooks_that_pile_up_are_dropped_and_counted() -> None:
    """While a command runs at most twenty wait; `stop` kills the one that runs."""
    hooks = Hooks([HookConfig("a", ("/bin/sleep", "60"))], print)
    for _ in range(25):
        hooks.publish(LabelEvent("a", 1.0, "signs", 1.0, 1))
    assert hooks.health()["dropped"] == 5
    hooks.start()
    hooks.stop()
    assert not any(thread.name == "edge-tl hooks" for thread in threading.enumerate())


@given(st.text(), st.text())
def test_what_is_filled_in_is_not_filled_again(label: str, source: str) -> None:
    """A label that looks like a place stays what it is."""
    filled = _fill("<{label}|{source}>", {"{label}": label, "{source}": source})
    assert filled == f"<{label}|{source}>"


@pytest.fixture
def mock_pins() -> Iterator[Any]:
    """gpiozero on its mock pins."""
    gpiozero = pytest.importorskip("gpiozero", reason="gpiozero is not installed")
    from gpiozero.pins.mock import MockFactory

    before, gpiozero.Device.pin_factory = gpiozero.Device.pin_factory, MockFactory()
    yield gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory.reset()
    gpiozero.Device.pin_factory = before


def test_a_pin_is_on_while_its_label_lasts(mock_pins: Any) -> None:
    """The pin follows the label of its pipeline, also an inverted one, and is off after the end."""
    pins = Pins([PinConfig(17, "fist"), PinConfig(18, "fist", active_high=False, source="other")], lambda _: False)
    pins.start()
    plain, inverted = mock_pins.pin(17), mock_pins.pin(18)
    assert (plain.state, inverted.state) == (False, True)
    pins.publish(FIST)
    assert (plain.state, inverted.state) == (True, True)
    assert pins.health()["on"] == [17]
    pins.publish(LabelEvent("palm", 0.9, "signs", 1.0, 3))
    assert plain.state is False
    pins.publish(FIST)
    pins.publish(LabelEvent(None, 0.0, "signs", 1.0, 3))
    assert plain.state is False
    pins.publish(FIST)
    pins.stop()
    assert plain.state is False


def test_a_word_turns_a_pin_on_for_its_time(mock_pins: Any) -> None:
    """A word has no end, so its pin goes off by itself."""
    pins = Pins([PinConfig(17, "go", seconds=0.05)], lambda name: name == "words")
    pins.start()
    pin = mock_pins.pin(17)
    off = threading.Event()
    change = pin._change_state

    def watched(value: bool) -> bool:
        changed = change(value)
        if not value:
            off.set()
        return bool(changed)

    pin._change_state = watched
    pins.publish(LabelEvent("go", 0.9, "words", 1.0, 3))
    assert off.wait(LONG_S)
    pins.stop()


def test_a_pin_that_is_taken_is_one_line(mock_pins: Any) -> None:
    """A pin that another part holds is a ConfigError that names it."""
    import gpiozero

    with gpiozero.LED(17), pytest.raises(ConfigError, match="GPIO 17"):
        Pins([PinConfig(17, "fist")], lambda _: False).start()


def test_systemd_is_told_and_a_missing_manager_is_no_trouble(tmp_path: Path) -> None:
    """READY, WATCHDOG, STATUS and STOPPING arrive at a file or an abstract name; without either nothing happens."""
    for address in (str(tmp_path / "notify"), f"@edge-tl-test-{os.getpid()}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind("\0" + address[1:] if address.startswith("@") else address)
            notify = Notify({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())})
            assert notify.watchdog_s == 30.0
            notify.ready()
            notify.alive()
            notify.status("well\nand more")
            notify.stopping()
            assert [manager.recv(100).decode() for _ in range(4)] == [
                "READY=1",
                "WATCHDOG=1",
                "STATUS=well",
                "STOPPING=1",
            ]
        notify.alive()  # the manager is gone
        notify.close()
    silent = Notify({})
    silent.ready()
    assert silent.watchdog_s is None
    assert Notify({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).watchdog_s is None


def test_the_health_of_the_machine_is_what_the_kernel_says(tmp_path: Path) -> None:
    """Temperature and throttling come from a Pi's own files; where there are none it is said to be unknown."""
    thermal = tmp_path / "sys/class/thermal/thermal_zone0"
    firmware = tmp_path / "sys/devices/platform/soc/soc:firmware"
    for folder in (thermal, firmware):
        folder.mkdir(parents=True)
    (thermal / "temp").write_text("61550\n")
    (firmware / "get_throttled").write_text("50005\n")
    health = machine_health(tmp_path)
    assert health["temperature_c"] == 61.55
    assert health["limited_now"] == ["under-voltage", "throttled"]
    assert health["limited_since_start"] == ["under-voltage", "throttled"]
    assert machine_health(tmp_path / "none")["limited_now"] is None
    own = machine_health()["memory_mib"]
    assert own is not None
    assert 10 < own < 10_000


def test_a_movement_turns_a_pin_on_for_its_time_and_a_sign_beside_it_as_long_as_it_lasts(mock_pins: Any) -> None:
    """A movement has start and end, and is over when it is told: it ends no sign of the same profile."""
    pins = Pins([PinConfig(17, "circle", seconds=None), PinConfig(18, "fist")], lambda _: False)
    pins.start()
    moved, held = mock_pins.pin(17), mock_pins.pin(18)
    off = threading.Event()
    change = moved._change_state

    def watched(value: bool) -> bool:
        changed = change(value)
        if not value:
            off.set()
        return bool(changed)

    moved._change_state = watched
    pins.publish(FIST)
    pins.publish(LabelEvent("circle", 0.9, "signs", 1.0, 3, start=0.0, end=0.8))
    assert held.state is True
    assert off.wait(LONG_S)
    assert held.state is True
    pins.publish(LabelEvent(None, 0.0, "signs", 1.0, 3))
    assert held.state is False
    pins.stop()
