"""Five minutes each of what strangers may send: broken requests to the real service, over HTTP, at the socket of sums,
and as satellites; and generations that are damaged inside.

`make check-hostile`, seconds each: `make check-hostile SECONDS=20`. Prints what was tried and what failed.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from every_part import EVERY_PART, satellites_at, sums_socket
from hostile_requests import request, satellite_events, sums_request
from hypothesis import HealthCheck, settings
from raw_http import said_by, status
from service_parts import taught
from test_damaged_inside import SOME, array_changed, json_changed

from benchmarks.serving import Serving

PATIENCE_S = 15.0
Made = Callable[[random.Random], bytes]


def fuzz(place: str, made: Made, bad: Callable[[bytes], bool], seconds: float, seed: int) -> dict[str, int]:
    """What is made by chance, each on a connection of its own; bad: whether an answer is an error of ours."""
    rng, found = random.Random(seed), {"tried": 0, "answered": 0, "failed": 0}
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        sent = made(rng)
        found["tried"] += 1
        answer = said_by(place, sent, PATIENCE_S)
        found["answered"] += bool(answer)
        if bad(answer):
            found["failed"] += 1
            print(f"FAILED {sent[:300]!r} got {answer[:300]!r}")
    return found


def main(seconds: float) -> int:
    """Run all; 1 where anything failed."""
    failed, seed = 0, int(time.time())
    with tempfile.TemporaryDirectory() as folder, Serving(Path(folder) / "s", EVERY_PART) as serving:
        serving.start()
        taught(serving)
        for name, place, made, bad in (
            ("requests", serving.address, request, lambda answer: status(answer) >= 500),
            ("sums", str(sums_socket(serving)), sums_request, lambda answer: b"Error: " in answer),
            ("satellites", satellites_at(serving), satellite_events, lambda answer: False),
        ):
            found = fuzz(place, made, bad, seconds, seed)
            print(f"{name}: {found}", flush=True)
            failed += found["failed"]
        broken = len(re.findall("Traceback| failed: ", serving.log))
        lines = len(serving.log.splitlines())
        print(f"the log has {lines} lines, {broken} of errors; the service {'runs' if alive(serving) else 'ended'}")
        failed += broken + (not alive(serving))

    often = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    for change in (json_changed, array_changed):
        end_s, rounds = time.monotonic() + seconds, 0
        while time.monotonic() < end_s:
            often(SOME(change))()  # raises what was found
            rounds += 1
        print(f"{change.__name__}: {500 * rounds} tried, 0 failed", flush=True)
    return int(failed > 0)


def alive(serving: Serving) -> bool:
    """Whether it still runs and answers."""
    assert serving.process is not None
    return serving.process.poll() is None and serving.ask("/health")[0] == 200


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 300.0))
