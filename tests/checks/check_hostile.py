"""Five minutes each of what strangers may send: broken requests to the real service, and generations damaged inside.

`make check-hostile`, seconds each: `make check-hostile SECONDS=20`. Prints what was tried and what failed.
"""

from __future__ import annotations

import random
import re
import socket
import sys
import tempfile
import time
from pathlib import Path

from hostile_requests import request
from hypothesis import HealthCheck, settings
from raw_http import connected, status
from test_damaged_inside import SOME, array_changed, json_changed

from benchmarks.serving import Serving

PATIENCE_S = 15.0


def requests(serving: Serving, seconds: float, seed: int) -> dict[str, int]:
    """Broken requests, each on a connection of its own; every answer is no 5xx, and what was taught stays."""
    rng, found = random.Random(seed), {"tried": 0, "answered": 0, "failed": 0}
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        sent = request(rng)
        found["tried"] += 1
        answer = b""
        try:
            with connected(serving.address) as client:
                client.settimeout(PATIENCE_S)
                client.sendall(sent)
                client.shutdown(socket.SHUT_WR)
                while data := client.recv(65536):
                    answer += data
                    if len(answer) > 10**6 or b"text/event-stream" in answer:
                        break
        except OSError:
            pass
        found["answered"] += bool(answer)
        if status(answer) >= 500:
            found["failed"] += 1
            print(f"FAILED {sent[:300]!r} got {answer[:300]!r}")
    return found


def main(seconds: float) -> int:
    """Run all; 1 where anything failed."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder, Serving(Path(folder) / "s") as serving:
        serving.start()
        found = requests(serving, seconds, seed=int(time.time()))
        print(f"requests: {found}")
        tracebacks = len(re.findall("Traceback", serving.log))
        lines = len(serving.log.splitlines())
        print(
            f"the log has {lines} lines, {tracebacks} tracebacks; the service {'runs' if alive(serving) else 'ended'}"
        )
        failed += found["failed"] + tracebacks + (not alive(serving))

    often = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    for change in (json_changed, array_changed):
        end_s, rounds = time.monotonic() + seconds, 0
        while time.monotonic() < end_s:
            often(SOME(change))()  # raises what was found
            rounds += 1
        print(f"{change.__name__}: {500 * rounds} tried, 0 failed")
    return int(failed > 0)


def alive(serving: Serving) -> bool:
    """Whether it still runs and answers."""
    assert serving.process is not None
    return serving.process.poll() is None and serving.ask("/health")[0] == 200


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 300.0))
