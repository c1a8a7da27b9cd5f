"""Who is logged in at the console: over a restart, beside another console, and for as long as it should be."""

from __future__ import annotations

import http.cookies
import json
import os
import urllib.request
from pathlib import Path

import pytest
from raw_http import free_port
from tiny_tmpfs import tmpfs

from benchmarks.serving import LONG_S, Serving
from device.serve.sessions import MAX_SESSIONS, SAVED_S, SESSION_S, Sessions
from edge_tl.testing import FakeClock

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")

TOKEN = "the-right-token-of-this-device"


def login(serving: Serving, **headers: str) -> http.cookies.Morsel[str]:
    """The cookie that a login gives."""
    body = json.dumps({"token": (serving.folder / "token").read_text().strip()}).encode()
    kind = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"{serving.address}/api/login", body, kind)
    with urllib.request.urlopen(request, timeout=LONG_S) as response:
        (cookie,) = http.cookies.SimpleCookie(response.headers["Set-Cookie"]).values()
    return cookie


def test_sessions_end_by_the_time_in_which_the_service_ran(tmp_path: Path) -> None:
    """Thirty days of it, counted on over restarts; the 65th ends the oldest; nothing opens without a name."""
    clock, path, said = FakeClock(1000.0), tmp_path / "sessions.json", []
    sessions = Sessions(TOKEN, clock, path, said.append)
    name = sessions.open()
    assert sessions.valid(name)
    assert not sessions.valid("")
    assert name not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    clock.advance(SESSION_S / 2)
    sessions.keep()
    later = FakeClock(5.0)  # another boot, whose clock begins anew
    sessions = Sessions(TOKEN, later, path, said.append)
    later.advance(SESSION_S / 2 - 10)
    assert sessions.valid(name)
    later.advance(20)
    assert not sessions.valid(name)
    first = sessions.open()
    for _ in range(MAX_SESSIONS):
        last = sessions.open()
    assert not sessions.valid(first)
    sessions.close(last)
    assert not Sessions(TOKEN, later, path, said.append).valid(last)
    assert said == []


def test_a_session_is_written_down_again_after_an_hour_only(tmp_path: Path) -> None:
    """What is left reaches the disk when somebody comes, at most once an hour, and at the end."""
    clock, path = FakeClock(1000.0), tmp_path / "sessions.json"
    sessions = Sessions(TOKEN, clock, path)
    sessions.open()
    before = path.read_bytes()
    clock.advance(SAVED_S / 2)
    sessions.keep()
    assert path.read_bytes() == before
    sessions.keep(soon=True)
    assert path.read_bytes() != before


def test_another_token_and_a_damaged_file_end_all_sessions(tmp_path: Path) -> None:
    """A changed token logs everybody out; a file that is no such file is said in a line, and is replaced."""
    clock, path, said = FakeClock(1000.0), tmp_path / "sessions.json", []
    name = Sessions(TOKEN, clock, path, said.append).open()
    assert not Sessions(TOKEN + "2", clock, path, said.append).valid(name)
    for damage in ("", "[]", '{"key": 1', '{"left_s": {}}', "\xff", "[" * 70_000):
        path.write_text(damage, encoding="latin-1")
        sessions = Sessions(TOKEN, clock, path, said.append)
        assert "cannot be read" in said.pop()
        assert sessions.valid(sessions.open())
    assert said == []


def test_where_the_disk_takes_nothing_sessions_live_in_memory(tmp_path: Path) -> None:
    """A full disk lets people log in; the log says once that a restart will ask for the token."""
    said: list[str] = []
    with tmpfs(tmp_path / "disk", 65_536) as disk:
        with (disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                try:
                    ballast.write(b"x" * 4096)
                except OSError:
                    break
        sessions = Sessions(TOKEN, FakeClock(0.0), disk / "sessions.json", said.append)
        names = [sessions.open(), sessions.open()]
        assert all(map(sessions.valid, names))
        assert os.listdir(disk) == ["ballast"]
    assert len(said) == 1
    assert "after a restart the console asks for the token" in said[0]


def test_two_consoles_of_one_host_keep_each_their_session_over_a_restart(tmp_path: Path) -> None:
    """The cookies' names have the ports, a kill leaves a session open, and a logout closes one of them."""
    pair = []
    for name in ("kitchen", "hall"):
        more = f'[web]\nport = {free_port()}\ntoken_file = "{tmp_path / name}/token"\n'
        pair.append(Serving(tmp_path / name, more))
    with pair[0] as kitchen, pair[1] as hall:
        cookies = [login(one.start()) for one in (kitchen, hall)]
        jar = "; ".join(f"{one.key}={one.value}" for one in cookies)  # a browser sends both to both
        for one, cookie in zip((kitchen, hall), cookies, strict=True):
            assert cookie.key == f"edge_tl_session_{one.address.rsplit(':', 1)[1]}"
            assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "strict", "")
            assert one.ask("/api/state", Cookie=jar)[0] == 200
        kitchen.kill()
        kitchen.start()
        for one in (kitchen, hall):
            assert one.ask("/api/state", Cookie=jar)[0] == 200
            assert one.ask("/api/health", Cookie=jar)[1]["pipelines"]
        assert kitchen.ask("/api/logout", {}, Cookie=jar)[0] == 200
        assert kitchen.ask("/api/state", Cookie=jar)[0] == 401
        assert hall.ask("/api/state", Cookie=jar)[0] == 200
