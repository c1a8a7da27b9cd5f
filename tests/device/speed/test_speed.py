"""What a board is predicted to do, what a machine is measured to do, and what is remembered of it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from places import ROOT

from benchmarks.tables import REFERENCE, referring
from device.speed.boards import BOARDS, FLOAT32, LIBRARY, this_board
from device.speed.chosen import FILE_NAME, SpeedChoice, read_speed, this_machine, write_speed
from device.speed.costs import (
    EMBEDDER,
    FACES,
    FULL,
    GLANCED,
    HAND,
    LISTENING,
    PALMS,
    PUBLISHED,
    frame_ms,
    predicted,
    stages_ms,
    works,
)
from device.speed.measured import GOOD_FPS, Measurements, best_threads, measure, wanted_fps
from device.speed.reference import NETWORKS_MS
from edge_tl.embedders.speech import EMBEDDING_FILE, PACKAGE
from edge_tl.errors import ConfigError
from edge_tl.tflite.counting import Work, work_of

HERE = SpeedChoice("this one, 4 cores", 4, 10.0, {"hand": {"full": 150.0, "glanced": 10.0}})


def test_the_factors_are_those_of_the_record() -> None:
    """What predicts is what was fitted to the published figures, to three digits."""
    result = json.loads((ROOT / "benchmarks" / "results" / "prove_boards.json").read_text())["result"]
    assert pytest.approx(result["library"]["factor"], rel=2e-3) == LIBRARY
    assert {board.name for board in BOARDS} == set(result["boards"])
    for board in BOARDS:
        for threads, factors in board.ms.items():
            assert factors == pytest.approx(result["boards"][board.name][str(threads)]["ms_a_million"], rel=2e-3)


def test_a_network_takes_the_sum_of_what_it_does() -> None:
    """Twice the work, twice the time; a board that was measured in float16 takes twice as long in float32."""
    work = Work(100_000_000, 10_000_000, 20_000_000)
    for board in BOARDS:
        dense, depthwise, moved = board.ms[4]
        ms = LIBRARY * (100 * dense + 10 * depthwise + 20 * moved) * (FLOAT32 if board.halves else 1)
        assert board.network_ms(work, 4) == pytest.approx(ms)
        assert board.network_ms(work + work, 4) == pytest.approx(2 * ms)
        assert board.network_ms(work, 1) > ms


def test_what_is_no_network_is_as_recorded() -> None:
    """What predicts is what the record gives: a frame of it is its networks and the rest, followed and glanced at."""
    assert referring(REFERENCE.read_text()) == REFERENCE.read_text()
    result = json.loads((ROOT / "benchmarks" / "results" / "prove_budget.json").read_text())["result"]
    for way, one in result["ms"].items():
        full, glanced = (
            frame.other_ms + sum(count * NETWORKS_MS[name] for name, count in frame.networks)
            for frame in (FULL[way], GLANCED[way])
        )
        assert full == pytest.approx(one["1"]["ms"]["median"], abs=0.03)
        assert (full + glanced) / 2 == pytest.approx(one["2"]["ms"]["median"], abs=0.1)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Raspberry Pi Zero 2 W Rev 1.0\0", "Zero 2 W"),
        ("Raspberry Pi 4 Model B Rev 1.5\0", "4"),
        ("Raspberry Pi 5 Model B Rev 1.0\0", "5"),
        ("Raspberry Pi Compute Module 3\0", None),
        ("Some other board", None),
    ],
)
def test_the_board_is_known_by_its_device_tree(tmp_path: Path, model: str, name: str | None) -> None:
    """By what its kernel calls it; of another one nothing is predicted."""
    tree = tmp_path / "model"
    tree.write_text(model)
    board = this_board(tree)
    assert (board.name if board else None) == name


def test_a_machine_without_a_device_tree_is_no_board(tmp_path: Path) -> None:
    """A PC has none; its name is its processor's."""
    assert this_board(tmp_path / "none") is None
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Some Processor\n")
    assert this_machine(cpuinfo, tmp_path / "none").startswith("Some Processor, ")


def test_what_is_said_of_hands_and_faces_is_counted(look_models: Path, tmp_path: Path) -> None:
    """Where the models are not installed the prediction goes by what was counted in the published files."""
    found = works(look_models)
    assert {name: found[name] for name in (HAND, PALMS, FACES)} == PUBLISHED
    assert works(None) == works(tmp_path) == found


@pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is None, reason="the extra speech is not installed")
def test_what_is_said_of_listening_is_counted() -> None:
    """The network of the embedded speech base, from its own file."""
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    (folder,) = spec.submodule_search_locations
    assert work_of((Path(folder) / "models" / EMBEDDING_FILE).read_bytes()) == LISTENING


def test_every_stage_is_predicted() -> None:
    """Networks, listening, the head and the game, and none of them takes no time."""
    for board in BOARDS:
        stages = stages_ms(board, works(None))
        assert set(stages) == {EMBEDDER, HAND, PALMS, FACES, "listening, of 80", "head", "game"}
        assert all(ms > 0 for ms in stages.values())


def test_slower_boards_and_fuller_frames_take_longer() -> None:
    """In the order of the boards, and a glance never more than a full look."""
    said = predicted(works(None))
    for way in FULL:
        times = [said[board.name][way]["full"] for board in BOARDS]
        assert times == sorted(times, reverse=True)
        for board in BOARDS:
            assert said[board.name][way]["sparing"] <= said[board.name][way]["full"]
            assert frame_ms(board, GLANCED[way], works(None), 4) <= said[board.name][way]["full"]


def test_what_was_chosen_is_remembered_for_this_machine(tmp_path: Path) -> None:
    """Read as it was written, by nobody else; of another machine it is passed over."""
    path = write_speed(tmp_path / "new", HERE)
    assert path.stat().st_mode & 0o077 == 0
    assert read_speed(tmp_path / "new", HERE.machine) == HERE
    assert read_speed(tmp_path / "new", "another one") is None
    assert read_speed(tmp_path / "new") is None
    assert read_speed(tmp_path) is None
    assert HERE.answers_a_second("hand") == pytest.approx(12.5)
    assert HERE.answers_a_second("face") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"format": 2, "machine": "x", "threads": 1, "fps": 10.0}',
        '{"format": 1, "machine": "x", "threads": 0, "fps": 10.0}',
        '{"format": 1, "machine": "x", "threads": "4", "fps": 10.0}',
        '{"format": 1, "machine": "x", "threads": 4, "fps": "fast"}',
        '{"format": 1, "machine": "x", "threads": 4, "fps": NaN}',
        '{"format": 1, "machine": "x", "threads": 4, "fps": 10.0, "ms": {"hand": {}}}',
        '{"format": 1, "machine": "x", "threads": 4, "fps": 10.0, "ms": []}',
        '{"format": 1, "machine": "x", "threads": 4, "fps": 10.0, "more": 1}',
        "[" * 10_000,
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    """What was never written is no choice, and the message says what makes it anew."""
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(ConfigError, match="damaged: `edge-tl bench`"):
        read_speed(tmp_path, "x")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        write_speed(tmp_path / "file", HERE)


def test_so_many_answers_are_wanted_as_there_can_be() -> None:
    """Fifteen where a full look at every second picture is enough for the slowest way, else ten."""
    fast, slow = {"full": 120.0, "glanced": 2.0}, {"full": 200.0, "glanced": 2.0}
    assert wanted_fps({"hand": fast, "frame": {"full": 3.0, "glanced": 3.0}}) == GOOD_FPS
    assert wanted_fps({"hand": fast, "face": slow}) == 10.0


def test_more_threads_are_taken_where_they_help(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for a twentieth: others want to compute, too."""
    monkeypatch.setattr("device.speed.measured.thread_numbers", lambda: [1, 2, 4])
    assert best_threads({"a": {1: 10.0, 2: 6.0, 4: 5.9}}) == 2
    assert best_threads({"a": {1: 10.0, 2: 6.0, 4: 4.0}, "b": {1: 1.0, 2: 1.0, 4: 1.2}}) == 4
    assert best_threads({"a": {1: 5.0, 2: 6.0, 4: 9.0}}) == 1


def test_what_is_there_is_measured(tmp_path: Path) -> None:
    """Without models of hands and faces the whole picture, the head, and whatever comes after it."""
    told: list[str] = []
    found = measure(tmp_path, told.append, {"game": lambda: None}, round_s=0.001)
    assert isinstance(found, Measurements)
    assert set(found.networks) == {EMBEDDER}
    assert set(found.ways) == {"frame"}
    assert set(found.rest) == {"head", "game"}
    assert found.int8_of_float is None or found.int8_of_float > 0
    assert told == ["networks", "int8", "frame", "head, game"]
    assert found.chosen("here").threads == found.threads
