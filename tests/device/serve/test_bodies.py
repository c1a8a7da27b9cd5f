"""Broken bodies at every address that takes one: refused in a line, and nothing is done."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from every_part import EVERY_PART, satellites_at, sums_socket
from hostile_requests import satellite_events, sums_request
from raw_http import exchanged, post, said_by, status
from service_parts import taught

from benchmarks.serving import Serving
from device.serve.actions import ACTIONS
from device.serve.fleet_requests import DECISIONS

HERE = [f"/api/pipelines/{name}/{action}" for name in ("signs", "words") for action in ACTIONS]
PATHS = [*HERE, *(f"/api/fleet/{action}" for action in DECISIONS), "/api/login"]
BROKEN = [
    b"",
    b'{"on": 0.8',
    b'{"device": "desk"',
    b'{"number": 1, "was": "up',
    b'{"word": "computer", "language": "en"',
    b'{"head": NaN}',
    b"null",
    b"[]",
    b'"{}"',
    b"{}{}",
    b"\xff\xfe{}\x00",
    b'{"was": "\\udfff"}',
    b'{"a":' * 20 + b"1" + b"}" * 20,
]
WRONG = [{"x": 1}, {"device": ["desk"]}, {"word": 5}, {"number": -1, "was": "up"}, {"was": None, "y": 0}]
"""Objects that are whole, and hold what nothing takes."""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service with every part, taught and trained."""
    with Serving(tmp_path_factory.mktemp("every"), EVERY_PART) as made:
        made.start()
        taught(made)
        yield made


def kept(serving: Serving) -> Any:
    """What an action would have changed."""
    state = serving.state()
    pipelines = {
        name: [one[what] for what in ("tuning", "counts", "generation", "look", "recording")]
        for name, one in state.items()
    }
    return pipelines, serving.ask("/api/fleet")[1]["devices"]


def test_no_broken_body_does_anything_anywhere(serving: Serving) -> None:
    """Every action of a camera, of words and of the fleet, and the login: 400, and all is as it was."""
    before = kept(serving)
    for path in PATHS:
        for body in BROKEN:
            answer = exchanged(serving.address, post(path, body))
            assert status(answer) == 400, (path, body, answer[:200])
            assert b'{"error":"' in answer
        for value in WRONG:
            answer = exchanged(serving.address, post(path, json.dumps(value).encode()))
            assert status(answer) == (401 if path == "/api/login" else 400), (path, value, answer[:200])
        assert status(exchanged(serving.address, post(path, b"{}", 9), end=True)) in (0, 400)
    assert kept(serving) == before
    assert "Traceback" not in serving.log


def test_broken_words_to_the_other_sockets_are_never_an_error_of_ours(serving: Serving) -> None:
    """Requests for sums and events of satellites made by chance (`make check-hostile`: five minutes of each)."""
    rng, before = random.Random(20), kept(serving)
    for _ in range(150):
        assert b"Error: " not in said_by(str(sums_socket(serving)), sums_request(rng))
        said_by(satellites_at(serving), satellite_events(rng))
    assert kept(serving) == before
    assert "Traceback" not in serving.log
    assert " failed: " not in serving.log
