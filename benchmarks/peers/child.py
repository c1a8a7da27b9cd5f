"""A peer's side of the protocol: each line a request, each answer a line. Needs the standard library alone."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any


def serve(actions: Mapping[str, Callable[..., dict[str, Any]]]) -> None:
    """Answer requests until the input ends; what else is printed goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = actions[request.pop("do")](**request)
        except Exception as error:  # whatever a peer raises is its answer, and the other peers go on
            text = str(error).strip().splitlines()
            answer = {"error": f"{type(error).__name__}: {text[0] if text else ''}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def timed(run: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """What it gave, and the milliseconds that passed and that all processors spent."""
    cpu_s, start_s = time.process_time(), time.perf_counter()
    made = run()
    passed_s, spent_s = time.perf_counter() - start_s, time.process_time() - cpu_s
    return made, {"ms": 1000 * passed_s, "cpu_ms": 1000 * spent_s}
