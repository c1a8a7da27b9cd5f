"""Prometheus: the figures of health as text that its parser takes, behind the token off loopback."""

from __future__ import annotations

import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from benchmarks.serving import Serving
from device.serve.metrics import TYPE, metrics
from device.serve.starting import FailedStart

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")

SAMPLE = re.compile(r'(edge_tl_[a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (-?[0-9.e+-]+|NaN|[+-]Inf)')
HEALTH: dict[str, Any] = {
    "status": "degraded",
    "uptime_s": 12.5,
    "events": 7,
    "pipelines": {
        "signs": {
            **{
                "kind": "picture",
                "profile": "default",
                "source": "sim",
                "state": "open",
                "fault": "",
                "last_error": "",
            },
            **{"frames_per_s": 29.9, "frames": 1000, "dropped": 3, "generation": 2, "teaching": "ready"},
            **{"latency_p50_ms": 4.0, "latency_p95_ms": 9.5, "label": "fist"},
        },
        "words": FailedStart("damaged", 3, 140.0).health(99.5),
    },
    "outputs": {
        "socket": {"state": "ok", "clients": 2},
        "hooks": {"state": "ok", "ran": 5, "failed": 1, "dropped": 0, "error": ""},
        "mqtt": {"state": "waiting", "published": 9, "dropped": 4, "topic": "edge-tl/a", "error": "gone"},
    },
    "machine": {"temperature_c": 61.5, "limited_now": ["throttled"], "limited_since_start": None, "memory_mib": 100.0},
}


def parsed(text: str) -> dict[str, float]:
    """Name with labels → value, by the grammar of the format: a family in one piece, each sample once."""
    found: dict[str, float] = {}
    family, families = "", set()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split(" ")[2]
            assert family not in families
            families.add(family)
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2:] in ([family, "gauge"], [family, "counter"])
            assert line.endswith("counter") == family.endswith("_total")
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] == family
            key = line.rpartition(" ")[0]
            assert key not in found
            found[key] = float(match[3])
    return found


def test_all_figures_of_health_are_there() -> None:
    """Each number of health is a sample, in seconds and bytes; states are one and zeros; the unknown is left out."""
    found = parsed(metrics(HEALTH))
    assert found['edge_tl_status{status="degraded"}'] == 1
    assert found['edge_tl_status{status="ok"}'] == 0
    assert found["edge_tl_events_total"] == 7
    assert found['edge_tl_pipeline_latency_seconds{pipeline="signs",within="0.95"}'] == 0.0095
    assert found['edge_tl_pipeline_state{pipeline="words",state="failed"}'] == 1
    assert found['edge_tl_pipeline_fault{pipeline="words"}'] == 1
    assert found['edge_tl_pipeline_failed_starts_total{pipeline="words"}'] == 3
    assert found['edge_tl_pipeline_next_start_seconds{pipeline="words"}'] == 40.5
    assert found['edge_tl_pipeline_teachable{pipeline="signs"}'] == 1
    assert 'edge_tl_pipeline_latency_seconds{pipeline="words",within="0.5"}' not in found
    assert found['edge_tl_output_total{output="mqtt",what="dropped"}'] == 4
    assert found['edge_tl_output_listeners{output="socket"}'] == 2
    assert found["edge_tl_memory_bytes"] == 100 * 2**20
    assert found['edge_tl_limited{reason="throttled"}'] == 1
    assert parsed(metrics({"status": "starting"}))['edge_tl_status{status="starting"}'] == 1
    numbers = [value for one in HEALTH["pipelines"].values() for value in one.values() if type(value) in (int, float)]
    values = [round(value, 4) for value in found.values()]
    assert all(any(round(number * scale, 4) in values for scale in (1, 1e-3)) for number in numbers)


def test_prometheus_own_tool_finds_nothing_wrong() -> None:
    """`promtool check metrics` passes, naming and help included."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (apt install prometheus)")
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=metrics(HEALTH), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr + done.stdout) == (0, "")


def test_who_has_no_token_gets_no_figures(tmp_path: Path) -> None:
    """Off loopback, and wherever a token is wanted, /metrics wants it; with it, it says what health says."""
    more = f'[web]\nport = 0\nlisten = "0.0.0.0"\ntoken_file = "{tmp_path / "token"}"\n'
    with Serving(tmp_path / "s", more) as serving:
        serving.start()
        serving.wait_for("STATUS=ok: signs")
        assert serving.ask("/metrics")[0] == 401
        token = (tmp_path / "token").read_text().strip()
        asked = urllib.request.Request(f"{serving.address}/metrics", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(asked) as answer:
            assert answer.headers["Content-Type"] == TYPE
            found = parsed(answer.read().decode())
        assert found['edge_tl_status{status="ok"}'] == 1
        assert found['edge_tl_pipeline_frames_total{pipeline="signs"}'] > 0
        assert found['edge_tl_output_state{output="web",state="ok"}'] == 1
