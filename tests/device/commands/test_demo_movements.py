"""`edge-tl demo --movements`: the simulated hand teaches itself and plays, by a clock that nothing hurries."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from device.commands import demo_movements
from device.commands.demo_movements import MovementGame, text
from device.commands.main import main
from edge_tl.movements.spotter import FoundMovement
from edge_tl.testing import FakeClock

Demo = Callable[..., tuple[int, str, str]]


@pytest.fixture
def demo(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Demo:
    """Call `edge-tl demo` by a faked clock, with less moving about: (exit code, stdout, stderr)."""
    clock = FakeClock(50.0)
    monkeypatch.setattr(demo_movements, "clock", clock)
    monkeypatch.setattr(demo_movements, "sleep", clock.sleep)
    monkeypatch.setattr(demo_movements, "ABOUT_S", 12.0)

    def call(*arguments: object) -> tuple[int, str, str]:
        code = main(["demo", *map(str, arguments), "--data-dir", str(tmp_path / "data")])
        return code, *capsys.readouterr()

    return call


def test_it_teaches_itself_and_plays_by_swipes(demo: Demo) -> None:
    """Without the hand's models the joints are told, which is said; movements are told, and steer, after their end."""
    code, out, _ = demo("--movements", "--seconds", "18", "--json")
    assert code == 0
    told = json.loads(out)
    assert told["hand"] == "told"
    assert told["hand_missed"] is None
    assert told["classes"] == ["circle", "down", "left", "nothing", "right", "up", "wave"]
    assert told["head"] == "movement"
    assert told["accuracy"] > 0.8
    moved = told["movements"]
    assert moved["right"] + moved["other"] + moved["missed"] >= 3
    assert moved["right"] >= 2
    assert 200 < told["latency_ms_p50"] < 1000
    assert told["pellets_eaten"] > 0
    said = " ".join(text(told))
    assert "its joints come from the simulation" in said
    assert f"{moved['right']} were recognized correctly" in said
    assert "12 s of ordinary motion" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--movements", "--look", "hand"), "leave --look out"),
        (("--movements", "--camera", "sim:head"), "leave --camera out"),
        (("--movements", "--camera", "pictures/"), "leave --camera out"),
        (("--movements", "--rotate", "90"), "leave --rotate out"),
        (("--camera", "sim:movements", "--movements", "--head", "ridge"), "leave --head out"),
    ],
)
def test_what_goes_with_pictures_is_one_line(demo: Demo, arguments: tuple[str, ...], said: str) -> None:
    """Options that a hand's track has no use for are refused, before anything is taught."""
    code, out, err = demo(*arguments)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert said in err


def test_what_was_told_is_matched_with_what_was_performed() -> None:
    """The nearest end within half a second counts once; what was begun last is neither right nor missed."""
    told = [
        FoundMovement("left", 0.9, 1.0, 2.1),
        FoundMovement("up", 0.8, 4.0, 5.2),
        FoundMovement("down", 0.8, 8.0, 9.0),
    ]
    played = MovementGame(SimpleNamespace(), SimpleNamespace(reported=told), last_s=20.0)  # type: ignore[arg-type]
    played.performed = [("left", 2.0), ("right", 5.0), ("up", 12.0), ("up", 19.8)]
    assert played.outcomes() == {"right": 1, "other": 1, "missed": 1, "false": 1}
    played.performed = [("left", 2.0), ("left", 2.3)]
    assert played.outcomes() == {"right": 1, "other": 0, "missed": 1, "false": 2}
