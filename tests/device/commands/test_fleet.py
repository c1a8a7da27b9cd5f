"""`edge-tl fleet`, and what `evaluate`, `train` and `report` say where lessons of other devices are there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from command_run import Run, run_on
from tiny_profile import fill, model_folder, picture

from device.commands import doctor
from device.teach.candidates import Candidate
from device.teach.fleet_account import fleet_account
from device.teach.lesson import Lesson
from device.teach.training import train_on_lessons
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ProfileError
from edge_tl.fleet.keys import DeviceKey, key_of, key_text
from edge_tl.fleet.lesson import LessonHeader, new_lessons
from edge_tl.recognizer import Recognizer
from edge_tl.store.lessons import LEFT, TAKEN, WAITING, LessonStore
from edge_tl.store.media import stored_media
from edge_tl.store.profile import Profile

pytest.importorskip("cryptography", reason="cryptography is not installed (extra fleet)")
DESK, SHELF = DeviceKey(bytes(32)), DeviceKey(bytes(31) + b"\1")


@pytest.fixture
def fleet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Run, list[str]]:
    """The command, and --config of a fleet: a taught profile, lessons of the desk, and of the shelf, which wait."""
    run = run_on(tmp_path / "data", capsys)
    model = model_folder(tmp_path / "model")
    assert run("examples", "import", fill(tmp_path / "pictures"), "--model", model)[0] == 0
    assert run("train")[0] == 0
    embedder = TFLiteEmbedder.load(model)
    with LessonStore(tmp_path / "data" / "profiles" / "default", writable=True) as store:
        store.call({DESK.public: "desk", SHELF.public: "shelf"})
        with store.together():
            for number, (key, state) in enumerate([(DESK, TAKEN), (SHELF, WAITING)]):
                for take in range(6):
                    label = ("dark", "light")[take % 2]
                    seen = [np.asarray(picture(label, 100 * number + 10 * take + at)) for at in range(4)]
                    X = np.stack([embedder.embed(one) for one in seen])
                    header = LessonHeader("x", embedder.fingerprint, "frame", label, take, 1)
                    for one in new_lessons(key, header, X.astype(np.float16).astype(np.float32)):
                        store.add(one, state)
    config = tmp_path / "edge-tl.toml"
    trusted = "".join(f'{name} = "{key_text(one.public)}"\n' for name, one in (("desk", DESK), ("shelf", SHELF)))
    config.write_text(
        f'[pipelines.signs]\ncamera = "sim"\n[mqtt]\nhost = "localhost"\n[fleet]\nname = "school"\n'
        f"[fleet.trusted]\n{trusted}"
    )
    return run, ["--config", str(config)]


def test_lessons_teach_and_are_judged(fleet: tuple[Run, list[str]], tmp_path: Path) -> None:
    """`train` learns from them, `evaluate` leaves each device out, `report` is made, and setting aside undoes it."""
    run, config = fleet
    code, trained, _ = run("train", "--json")
    assert code == 0
    assert trained["examples"] == 24 + 24
    code, evaluated, _ = run("evaluate", "--json")
    assert code == 0
    own, desk = evaluated["fleet"]["devices"]
    assert (own["device"], own["examples"], desk["device"], desk["examples"]) == ("", 24, "desk", 24)
    assert own["accuracy"] > 0.5
    (alone,) = evaluated["fleet"]["alone"]
    assert (alone["device"], alone["examples"]) == ("desk", 24)
    assert alone["accuracy"] == own["accuracy"]  # it is the only other one
    said = run("evaluate")[1]
    assert "training on the lessons of all others" in said
    assert "this device" in said
    assert run("report", "--out", tmp_path / "report.html")[0] == 0
    assert not re.search(r"--id [^<]*-\d", (tmp_path / "report.html").read_text())  # no number of another's example
    code, said, _ = run("fleet", "aside", "desk", *config)
    assert (code, said.startswith("6 lessons of desk are no longer used")) == (0, True)
    assert run("train", "--json")[1]["examples"] == 24
    assert "fleet" not in run("evaluate", "--json")[1]
    assert "6 lessons of shelf are used" in run("fleet", "accept", SHELF.id, *config)[1]
    assert run("train", "--json")[1]["examples"] == 48
    assert run("fleet", "undo", "shelf", *config)[1] == (
        "nothing is decided about shelf now: 0 of its 6 lessons are used: run `edge-tl train`\n"
    )
    assert run("fleet", "undo", "desk", "--json", *config)[1] == {
        "device": "desk",
        "id": DESK.id,
        "decision": "",
        "lessons": 6,
    }
    assert run("fleet", "undo", "desk", *config)[1] == (
        "nothing is decided about desk now: 6 of its 6 lessons are used\n"
    )


def test_status_tells_who_gave_what(fleet: tuple[Run, list[str]]) -> None:
    """Also where no service runs: from the files, and it says so; who waits is named with the command."""
    run, config = fleet
    code, said, _ = run("fleet", "status", *config)
    assert code == 0
    assert "fleet school, 2 other devices" in said
    assert "the service is not running" in said
    assert "shared 6 lessons of dark, light, 6 used here" in said
    assert f"6 waiting: `edge-tl fleet accept {SHELF.id}`" in said
    told = run("fleet", "status", "--json", *config)[1]
    assert [(one["device"], one["used"], one["waiting"]) for one in told["devices"]] == [
        ("desk", 6, 0),
        ("shelf", 0, 6),
    ]
    assert told["given"] == []


def test_own_lessons_of_before_are_no_other_device(fleet: tuple[Run, list[str]], tmp_path: Path) -> None:
    """What comes back from the broker after a profile was deleted is this device's own, and counted as that."""
    run, config = fleet
    own = key_of(tmp_path / "data" / "fleet-key")
    with LessonStore(tmp_path / "data" / "profiles" / "default", writable=True) as store, store.together():
        header = LessonHeader("x", "another", "frame", "dark", 1, 1)
        for one in new_lessons(own, header, np.ones((3, 8), np.float32)):
            store.add(one, LEFT)
    code, said, _ = run("fleet", "status", *config)
    assert (code, "fleet school, 2 other devices" in said, own.id in said) == (0, True, False)
    assert "1 lesson with this device's key, of a deleted profile or a copied card" in said
    listed = run("fleet", "status", "--json", *config)[1]["devices"]
    assert [one["device"] for one in listed] == ["desk", "shelf"]


def test_status_says_what_a_silent_fleet_waits_for(
    fleet: tuple[Run, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no broker answers it says so; of a device that sent nothing, what may be wrong there: its fleet's name, or
    that it does not know this device's key."""
    run, config = fleet
    peers = [{"id": DESK.id, "there": False, "seen_s": None}]
    outputs = {
        "mqtt": {"state": "waiting", "error": "localhost:1883: no broker answers there"},
        "fleet": {"state": "waiting", "peers": peers, "error": None},
    }
    monkeypatch.setattr("device.commands.fleet.ask_health", lambda socket: {"outputs": outputs})
    code, said, _ = run("fleet", "status", *config)
    assert code == 0
    assert "the service: waiting, localhost:1883: no broker answers there\n" in said
    assert "with this fleet's name, and does its [fleet.trusted] hold this device's key" in said


def test_damaged_lessons_keep_nobody_from_training(fleet: tuple[Run, list[str]], tmp_path: Path) -> None:
    """It is trained on the own examples and said once; nothing is trained for the lessons' sake, and the fleet's
    commands say what to do."""
    run, config = fleet
    folder = tmp_path / "data" / "profiles" / "default"
    for more in ("-wal", "-shm"):
        (folder / f"lessons.sqlite{more}").unlink(missing_ok=True)
    (folder / "lessons.sqlite").write_bytes(b"no database" * 1000)
    code, trained, _ = run("train", "--json")
    assert (code, trained["examples"], trained["generation"]) == (0, 24, 2)
    assert [one for one in trained["cautions"] if "trained without the lessons of other devices" in one] == [
        f"trained without the lessons of other devices: {folder / 'lessons.sqlite'} is damaged (file is not a database)"
        ": move it away: the lessons come again from the broker, and what was decided about devices is to be decided "
        "again"
    ]
    for command in (("evaluate",), ("report", "--out", tmp_path / "report.html")):
        code, _, said = run(*command)
        assert (code, said.count("trained without the lessons of other devices")) == (0, 1)
    with Profile(folder, writable=True) as profile:
        recognizer = Recognizer(TFLiteEmbedder.load(tmp_path / "model"), "ridge")
        lesson = Lesson(profile.store, recognizer, lambda: 0.0)
        with pytest.raises(ProfileError, match="not trained without the lessons"):
            train_on_lessons(profile, lesson, lambda: None)
        assert len(profile.generations()) == 2
    assert run("fleet", "status", *config)[2].count("the lessons come again from the broker") == 1
    found = {one.what: one for one in doctor.profile_findings(tmp_path / "data")}
    assert found["profile default"].state == "missing"
    assert "the lessons come again from the broker" in found["profile default"].detail
    (folder / "lessons.sqlite").unlink()
    (whole,) = doctor.profile_findings(tmp_path / "data")
    assert (whole.state, whole.detail) == ("ok", "default, readable")


def test_keys_are_made_once(fleet: tuple[Run, list[str]], tmp_path: Path) -> None:
    """The key that is printed is the one that the service signs with, before there is a configuration too."""
    run, config = fleet
    made = run("fleet", "keys", "--json", *config)[1]
    assert made["key"] == key_text(key_of(tmp_path / "data" / "fleet-key").public)
    assert f'NAME = "{made["key"]}"' in run("fleet", "keys", *config)[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("aside", "attic"), "there are: desk"),
        (("aside", "\x1b[2J"), "there is no device"),
        (("forget", "zz"), "hexadecimal digits, as `edge-tl fleet status` shows them"),
        (("forget", "abcd"), "no lesson of this device"),
    ],
)
def test_wrong_names_are_refused_in_one_line(fleet: tuple[Run, list[str]], words: tuple[str, ...], said: str) -> None:
    """With those there are, and nothing is changed."""
    run, config = fleet
    code, out, err = run("fleet", *words, *config)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert said in err
    assert "\x1b" not in err


def test_without_a_fleet_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A configuration without [fleet], and a profile that no lesson reached."""
    run = run_on(tmp_path, capsys)
    config = tmp_path / "edge-tl.toml"
    config.write_text('[pipelines.signs]\ncamera = "sim"\n')
    assert "no [fleet] table" in run("fleet", "status", "--config", config)[2]
    config.write_text('[pipelines.signs]\ncamera = "sim"\n[mqtt]\nhost = "b"\n[fleet]\nname = "school"\n')
    assert "no lesson was sent or received yet" in run("fleet", "aside", "desk", "--config", config)[2]


def test_what_others_labelled_is_not_to_be_removed_here(fleet: tuple[Run, list[str]], tmp_path: Path) -> None:
    """Of the lessons of others no example has a number here: no command removes them, on no screen and no page."""
    run, _ = fleet
    store = run("examples", "list", "--json")[1]
    assert run("examples", "remove", "--id", *(str(one["id"]) for one in store))[0] == 0
    embedder = TFLiteEmbedder.load(tmp_path / "model")
    with LessonStore(tmp_path / "data" / "profiles" / "default", writable=True) as lessons, lessons.together():
        X = np.stack([embedder.embed(np.asarray(picture("light", 700)))] * 3)
        header = LessonHeader("x", embedder.fingerprint, "frame", "dark", 9, 1)
        for one in new_lessons(DESK, header, X.astype(np.float16).astype(np.float32)):
            lessons.add(one, TAKEN)
    assert run("train")[0] == 0
    code, said, _ = run("evaluate")
    assert code == 0
    assert "labelled dark, looks like light, in a lesson of another device" in said
    assert "examples remove" not in said
    assert run("report", "--out", tmp_path / "report.html")[0] == 0
    page = (tmp_path / "report.html").read_text()
    assert "a lesson of another device: labelled dark" in page
    assert "examples remove" not in page


def test_what_is_recorded_beside_lessons_is_the_own(fleet: tuple[Run, list[str]], tmp_path: Path) -> None:
    """Examples that came after the lessons were read are this device's, so that the account of all can be made."""
    folder = tmp_path / "data" / "profiles" / "default"
    with Profile(folder, writable=True) as profile:
        recognizer = Recognizer(TFLiteEmbedder.load(tmp_path / "model"), "ridge")
        lesson = Lesson(profile.store, recognizer, lambda: 0.0)
        before = lesson.devices
        assert before is not None
        pictures = [np.asarray(picture("dark", 900 + at)) for at in range(3)]
        offered = [Candidate("dark", stored_media(one), one) for one in pictures]
        lesson.bring("more", "dark", offered)
        assert lesson.devices is not None
        assert lesson.devices.tolist() == [*before.tolist(), "", "", ""]
        lesson.learn()
        account = fleet_account(recognizer, lesson.devices)
        assert account is not None
        assert account.own is not None
        assert account.own.examples == (before == "").sum() + 3
