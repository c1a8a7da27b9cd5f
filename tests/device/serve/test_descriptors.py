"""A service that may open few files, while somebody holds idle connections to everything that it listens at."""

from __future__ import annotations

import resource
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

from every_part import EVERY_PART, satellites_at, sums_socket
from raw_http import connected
from waiting import until

from benchmarks.serving import Serving
from device.health import ask_health

FEW, EACH = 140, 100
"""Files that it may open, of which it needs some thirty; idle connections to each of four places."""


def test_idle_connections_everywhere_leave_it_all_it_needs(tmp_path: Path) -> None:
    """Console, satellites, sums and events, each with more than may be: it is taught, and health is answered."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Serving(tmp_path, EVERY_PART) as serving, ExitStack() as held:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, hard))
        try:
            serving.start()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        events = serving.data / "events.sock"
        for _ in range(EACH):
            for address in (satellites_at(serving), serving.address):
                with suppress(OSError):
                    held.enter_context(connected(address))
            for place in (sums_socket(serving), events):
                client = held.enter_context(socket.socket(socket.AF_UNIX))
                client.setblocking(False)  # at sums one is served, and of the others only some may wait
                with suppress(OSError):
                    client.connect(str(place))

        def answered() -> bool:
            with suppress(OSError):
                return serving.ask("/health")[0] == 200
            return False

        until(answered)  # what came just now may be refused until what made room is closed
        assert ask_health(events)["pipelines"]["signs"]["state"] == "open"
        assert serving.teach("up", 3) >= 3
        assert serving.teach("down", 3) >= 3
        assert serving.act("label", "words", label="hum")["counts"] == {"hum": [0, 0]}
        assert serving.stop() == 0
        assert "Traceback" not in serving.log
        assert len(serving.log) < 3000
