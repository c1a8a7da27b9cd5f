"""Three trips through the program are as ARCHITECTURE.md tells them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from places import ROOT

pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")
pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")
pytest.importorskip("paho", reason="paho-mqtt is not installed (extra mqtt)")

HAND_ON = {"A frame to a ghost": 14, "A second of sound to an MQTT message": 15, "A request to record, to SQLite": 27}
"""So many files hand on what comes, at most: who follows the trip reads these."""


def told() -> dict[str, dict[str, bool]]:
    """Trip → the files in its table, and whether each is bold."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    parts = re.split(r"^### (.+)$", text.partition("\n## Six")[0], flags=re.MULTILINE)[1:]
    rows = re.compile(r"^\| (\*\*)?([\w/]+\.py)(?:\*\*)? \|", re.MULTILINE)
    return {
        name: {file: bool(bold) for bold, file in rows.findall(table)}
        for name, table in zip(parts[::2], parts[1::2], strict=True)
    }


@pytest.fixture(scope="module")
def traced() -> dict[str, dict[str, bool]]:
    """Trip → the files that ran, and whether each called on into another, from a process of its own."""
    command = [sys.executable, str(ROOT / "tests" / "parts" / "trips.py")]
    done = subprocess.run(command, cwd=ROOT, env=environment(), check=True, capture_output=True, text=True, timeout=300)
    trips: dict[str, dict[str, bool]] = json.loads(done.stdout.splitlines()[-1])
    return trips


def environment() -> dict[str, str]:
    """This process's, in which our packages and the tests' parts are found."""
    return os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests" / "parts")))}


@pytest.mark.parametrize(("name", "key"), [*zip(HAND_ON, ("frame", "sound", "request"), strict=True)])
def test_a_trip_runs_through_the_files_that_are_told(name: str, key: str, traced: dict[str, dict[str, bool]]) -> None:
    """Nothing runs that the page does not tell, what is bold runs, and whatever calls on is bold."""
    table, trip = told()[name], traced[key]
    assert set(trip) <= set(table)
    bold = {file for file, is_bold in table.items() if is_bold}
    assert bold <= set(trip)
    assert {file for file, calls_on in trip.items() if calls_on} <= bold
    assert len(bold) <= HAND_ON[name]
