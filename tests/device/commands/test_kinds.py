"""Every command on every kind of profile: it does its work for that kind, or says in one line what does.

A table of kind × command, each on a copy of a profile that was taught and trained; then what a generation needs.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_things import drawn_things
from made_movements import performed, rest
from made_words import teach_words, write_clips
from tiny_profile import Run, fill, model_folder

from device.commands.main import main
from edge_tl.embedders.look.choices import Look
from edge_tl.media.image import save_png
from edge_tl.movements.track import Track
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_settings, write_settings


def save_track(path: Path, track: Track) -> None:
    """A demonstration as whoever has landmarks writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, landmarks=track.landmarks, times_s=track.times_s)


KINDS = ("signs", "things", "words", "movements")
ENDINGS = {"words": "wav", "movements": "npz"}
"""Of the file of each that is asked about; else a picture."""
NO_MOVEMENTS = "holds movements, which this command does not support"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a profile of each kind, two models, and a file of each to ask about."""
    pytest.importorskip("pyopen_wakeword", reason="the speech model is not installed (extra speech)")
    root = tmp_path_factory.mktemp("kinds")
    data = ["--data-dir", str(root / "data"), "--profile"]
    model_folder(root / "model")
    model_folder(root / "other", name="other", more=bytes(16))
    fill(root / "pictures")
    assert main(["model", "use", str(root / "model"), *data, "signs"]) == 0
    assert main(["examples", "import", str(root / "pictures"), *data, "signs"]) == 0
    lines = ["file,label,left,top,right,bottom,session"]
    (root / "drawn").mkdir()
    for number, one in enumerate(drawn_things(12, 0)):
        assert one.box is not None
        save_png(root / "drawn" / f"{number}.png", one.picture)
        lines.append(f"{number}.png,{one.label}," + ",".join(f"{side:g}" for side in one.box) + f",{number % 2}")
    (root / "drawn" / "list.csv").write_text("\n".join(lines) + "\n")
    assert main(["examples", "import", str(root / "drawn/list.csv"), *data, "things"]) == 0
    for label in ("circle", "left"):
        for seed in range(3):
            save_track(root / "moved" / label / f"{seed}.npz", performed(label, seed))
    save_track(root / "moved" / "nothing" / "about.npz", rest(7, 12))
    save_track(root / "movements.npz", performed("left", 50))
    assert main(["examples", "import", str(root / "moved"), *data, "movements"]) == 0
    for name in ("signs", "things", "movements"):
        assert main(["train", *data, name]) == 0
    teach_words(write_clips(root / "clips"), root / "data")
    shutil.copy(root / "pictures/dark/take0/0.png", root / "signs.png")
    shutil.copy(root / "drawn/0.png", root / "things.png")
    shutil.copy(next((root / "clips").rglob("*.wav")), root / "words.wav")
    return root


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which the process stands."""
    shutil.copytree(made, tmp_path / "made")
    monkeypatch.chdir(tmp_path / "made")
    return tmp_path / "made"


@pytest.fixture
def run(place: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command there."""

    def call(*words: str, profile: str) -> tuple[int, Any, str]:
        capsys.readouterr()
        code = main([*words, "--profile", profile, "--data-dir", "data"])
        out, error = capsys.readouterr()
        return code, json.loads(out) if "--json" in words and out and words[0] != "detect" else out, error

    return call


# command: what each kind says to it, and with which exit code; of 1 it is the one line on stderr.
TABLE: dict[str, tuple[list[str], dict[str, tuple[int, str]]]] = {
    "train": (
        ["train"],
        {
            "signs": (0, "trained ridge"),
            "things": (0, "trained boxes"),
            "words": (0, "trained ridge"),
            "movements": (0, "trained movement"),
        },
    ),
    "evaluate": (
        ["evaluate"],
        {
            "signs": (0, "ridge head"),
            "things": (0, "mean IoU"),
            "words": (0, "ridge head"),
            "movements": (0, "movement head"),
        },
    ),
    "report": (
        ["report", "--out", "page.html"],
        {
            "signs": (0, "page.html"),
            "things": (0, "page.html"),
            "words": (0, "page.html"),
            "movements": (0, "page.html"),
        },
    ),
    "ask signs": (
        ["predict", "signs.png"],
        {
            "signs": (0, "signs.png: "),
            "things": (1, "which `edge-tl detect --profile things` does"),
            "words": (1, ""),
            "movements": (1, "is no track of a hand: an .npz of landmarks"),
        },
    ),
    "ask things": (
        ["detect", "things.png"],
        {
            "signs": (1, "trained to name whole pictures"),
            "things": (0, "things.png: "),
            "words": (1, ""),
            "movements": (1, "was taught movements, and nothing is found by them"),
        },
    ),
    "ask movements": (
        ["predict", "movements.npz"],
        {
            "signs": (1, ""),
            "things": (1, ""),
            "words": (1, ""),
            "movements": (0, "movements.npz: left"),
        },
    ),
    "ask words": (
        ["predict", "words.wav"],
        {
            "signs": (1, ""),
            "things": (1, ""),
            "words": (0, "words.wav: "),
            "movements": (1, "is no track of a hand: an .npz of landmarks"),
        },
    ),
    "use": (
        ["model", "use", "other", "--force"],
        {
            "signs": (0, "generation 2"),
            "things": (0, "mean IoU"),
            "words": (1, "holds words"),
            "movements": (1, NO_MOVEMENTS),
        },
    ),
    "re-embed": (
        ["examples", "re-embed"],
        {
            "signs": (0, "embedded"),
            "things": (0, "embedded"),
            "words": (0, "embedded"),
            "movements": (0, "embedded"),
        },
    ),
    "another way to look": (
        ["examples", "re-embed", "--look", "box", "--box", ".1,.1,.9,.9"],
        {
            "signs": (0, "embedded"),
            "things": (1, "boxes are found in whole pictures"),
            "words": (1, "taught words"),
            "movements": (1, "--look goes with pictures"),
        },
    ),
    "fuse": (
        ["model", "fuse", "--out", "out.tflite"],
        {
            "signs": (0, "out.tflite"),
            "things": (1, "`edge-tl detect --profile things` asks it"),
            "words": (1, ""),
            "movements": (1, "which a .tflite cannot"),
        },
    ),
    "generations": (
        ["model", "generations"],
        {
            "signs": (0, "accuracy"),
            "things": (0, "mean IoU"),
            "words": (0, "accuracy"),
            "movements": (0, "accuracy"),
        },
    ),
    "backup": (
        ["backup", "out.zip"],
        {
            "signs": (0, "out.zip"),
            "things": (0, "out.zip"),
            "words": (0, "out.zip"),
            "movements": (0, "out.zip"),
        },
    ),
    "teach": (
        ["teach", "--camera", "sim"],
        {
            "signs": (1, "needs a terminal"),
            "things": (1, "needs a terminal"),
            "words": (1, "needs a terminal"),
            "movements": (1, "needs a terminal"),
        },
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", TABLE)
def test_a_command_knows_what_a_profile_is(run: Run, place: Path, command: str, kind: str) -> None:
    """It works, or one line says why not and nothing changed: the newest generation is as good as it was."""
    words, said = TABLE[command]
    if (command, kind) == ("fuse", "signs"):
        pytest.importorskip("ai_edge_litert.interpreter", reason="only LiteRT brings the schema", exc_type=ImportError)
    code, text = said[kind]
    with Profile(place / "data/profiles" / kind) as profile:
        before = profile.generations()[0]
    got, out, error = run(*words, profile=kind)
    assert got == code, error
    assert text in (out if code == 0 else error)
    with Profile(place / "data/profiles" / kind) as profile:
        after = next(one for one in profile.generations() if one.usable)
        assert after.boxes == before.boxes == (kind == "things")
    if code:
        assert (len(error.splitlines()), after.number) == (1, before.number)
        assert not (place / words[-1]).exists() or command.startswith("ask")


@pytest.mark.parametrize("kind", ["signs", "things"])
def test_pictures_take_no_movements_and_say_where_both_go(run: Run, place: Path, kind: str) -> None:
    """A profile of pictures is left as it was, and the one line names the command that begins one of both."""
    with Profile(place / "data/profiles" / kind) as profile:
        before = len(profile.store.list())
    code, _, error = run("examples", "import", "moved", profile=kind)
    assert (code, len(error.splitlines())) == (1, 1)
    assert "was taught pictures" in error
    assert "`edge-tl teach --movements --profile NEW`" in error
    with Profile(place / "data/profiles" / kind) as profile:
        assert len(profile.store.list()) == before


@pytest.mark.parametrize("kind", KINDS)
def test_back_and_forward(run: Run, place: Path, kind: str) -> None:
    """Roll-back and roll-forward go between generations that fit, and what is current answers."""
    assert run("train", profile=kind)[0] == 0
    for action, number in (("roll-back", 1), ("roll-forward", 2)):
        code, listed, error = run("model", action, "--json", profile=kind)
        assert code == 0, error
        assert [one["number"] for one in listed if one["current"]] == [number]
        assert [one["misfit"] for one in listed] == ["", ""]
        asks = "detect" if kind == "things" else "predict"
        assert run(asks, f"{kind}.{ENDINGS.get(kind, 'png')}", profile=kind)[0] == 0
    code, _, error = run("model", "roll-forward", profile=kind)
    assert (code, len(error.splitlines())) == (1, 1)


def test_roll_back_says_what_does_not_fit(run: Run, place: Path) -> None:
    """After another model no generation before fits: it says so and how to have it back, with all that it needs."""
    assert run("model", "use", "other", "--force", profile="signs")[0] == 0
    code, _, error = run("model", "roll-back", profile="signs")
    assert code == 1
    assert "1 looks with tiny, and the profile now with other" in error
    assert "`edge-tl model generations --use 1 --profile signs`" in error
    assert run("predict", "signs.png", profile="signs")[0] == 0
    assert run("model", "generations", "--use", "1", profile="signs")[0] == 0
    assert "tiny-" in str(read_settings(place / "data/profiles/signs", "embedder").embedder)
    code, listed, _ = run("model", "generations", "--json", profile="signs")
    assert [(one["number"], one["current"], one["misfit"][:5]) for one in listed] == [
        (2, False, "looks"),
        (1, True, ""),
    ]
    assert run("predict", "signs.png", profile="signs")[0] == 0
    assert run("evaluate", profile="signs")[0] == 0


def test_a_way_to_look_comes_back(run: Run, place: Path) -> None:
    """A generation is asked again with the part of the picture that it was trained on."""
    folder = place / "data/profiles/signs"
    box = ["--look", "box", "--box", ".1,.1,.9,.9"]
    assert run("examples", "re-embed", *box, profile="signs")[0] == 0
    assert run("train", profile="signs")[0] == 0
    assert run("model", "generations", "--use", "1", profile="signs")[0] == 0
    assert (read_settings(folder, "look").look or Look()).way == "frame"
    assert run("model", "generations", "--use", "2", profile="signs")[0] == 0
    assert read_settings(folder, "look").look == Look("box", (0.1, 0.1, 0.9, 0.9))
    assert run("predict", "signs.png", profile="signs")[0] == 0


def test_a_way_to_look_that_no_example_can_go_is_not_remembered(run: Run, place: Path) -> None:
    """Examples without a picture cannot be embedded again: the line says so, and the profile looks as it did."""
    folder = place / "data/profiles/signs"
    with sqlite3.connect(folder / "examples.sqlite") as db:
        db.execute("DELETE FROM media")
    code, _, error = run("examples", "re-embed", "--look", "box", "--box", ".1,.1,.9,.9", profile="signs")
    assert (code, len(error.splitlines())) == (1, 1)
    assert "no readable picture" in error
    assert (read_settings(folder, "look").look or Look()).way == "frame"
    assert run("predict", "signs.png", profile="signs")[0] == 0


def test_what_cannot_come_back_is_said(run: Run, place: Path) -> None:
    """A model that is gone, a number that is none, a damaged one: one line, and what is current stays."""
    assert run("model", "use", "other", "--force", profile="signs")[0] == 0
    tiny = next((place / "data/embedders").glob("tiny-*"))
    shutil.rmtree(tiny)
    for number, said in (("1", "is not installed any more"), ("7", "has no generation 7")):
        code, _, error = run("model", "generations", "--use", number, profile="signs")
        assert (code, len(error.splitlines())) == (1, 1)
        assert said in error
        assert "other-" in str(read_settings(place / "data/profiles/signs", "embedder").embedder)
        assert run("predict", "signs.png", profile="signs")[0] == 0


def test_an_earlier_edge_tl_did_not_say_what_is_needed(run: Run, place: Path) -> None:
    """Then a generation that does not fit is not brought back, and the line says what does."""
    file = place / "data/profiles/signs/generations/000001/profile.json"
    with Profile(place / "data/profiles/signs", writable=True) as profile:
        saved = profile.load()
        assert saved is not None
        profile._generations.save(saved, profile._clock())  # without settings
    assert "settings" in json.loads(file.read_text())
    write_settings(place / "data/profiles/signs", look=Look("box", (0.1, 0.1, 0.9, 0.9)))
    code, _, error = run("model", "generations", "--use", "2", profile="signs")
    assert (code, len(error.splitlines())) == (1, 1)
    assert "did not keep how" in error


def test_restore_says_what_is_missing(run: Run, place: Path) -> None:
    """On a machine without the model that the profile looks with, the profile comes back, and one sentence says so."""
    assert run("backup", "out.zip", profile="signs")[0] == 0
    shutil.rmtree(place / "data/embedders")
    code, out, _ = run("restore", "out.zip", profile="back")
    assert code == 0
    assert "before it can be used: profile 'back' uses the model tiny-" in " ".join(out.split())
    assert run("restore", "out.zip", "--json", profile="more")[1]["needs"].startswith("profile 'more' uses the model")
