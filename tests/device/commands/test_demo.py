"""The demo's two days: what is taught today is asked tomorrow, beside the whole picture, and nothing is shown twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_profile import fill

from device.assembly import Context
from device.cli.output import wrapped
from device.cli.spoken_demo import voice_demo, voice_lines
from device.commands.demo import advice, look_at_shown
from device.commands.main import main
from device.teach import players
from device.teach.players import FolderPlayer, SimulatedDemo, Take
from device.teach.rehearsal import evaluate, teach
from edge_tl.embedders.embedder import Finder
from edge_tl.embedders.look.choices import Look
from edge_tl.embedders.look.models import read_installed, store_parts
from edge_tl.errors import ExampleError, to_install
from edge_tl.media.image import save_png
from edge_tl.recognizer import Recognizer
from edge_tl.sources.simulated import SimulatedPlayer
from edge_tl.store.settings import write_settings
from edge_tl.testing import FakeEmbedder

Demo = Callable[..., tuple[int, str, str]]


@pytest.fixture
def demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Demo:
    """Call `edge-tl demo` for a moment on a data folder of its own: (exit code, stdout, stderr)."""

    def call(*arguments: object, data_dir: Path = tmp_path / "data") -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["demo", *map(str, arguments), "--seconds", "0.05", "--data-dir", str(data_dir)])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer takes than the real demo's."""
    monkeypatch.setattr(players, "TEACHING_TAKES", 4)
    monkeypatch.setattr(players, "TESTING_TAKES", 2)


def days(root: Path, number: int = 3, classes: tuple[str, ...] = ("dark", "light"), pictures: int = 4) -> Path:
    """Folders SESSION/CLASS/picture: grey pictures, another one each."""
    for day in range(number):
        for index, label in enumerate(classes):
            folder = root / f"day{day}" / label
            folder.mkdir(parents=True)
            for picture in range(pictures):
                save_png(folder / f"{picture}.png", np.full((24, 32, 3), 120 * index + 20 * day + picture, np.uint8))
    return root


def folder_player(root: Path, sessions: bool = True) -> FolderPlayer:
    """A folder that plays, and warns of nothing."""
    return FolderPlayer(root, 0, lambda: 0.0, lambda seconds: None, lambda line: None, sessions=sessions)


def greys(takes: list[Take]) -> set[int]:
    """The grey levels of all pictures of some takes."""
    return {int(frame.data[0, 0, 0]) for _, frames in takes for frame in frames}


def test_taught_tested_and_tomorrow_share_no_picture(tmp_path: Path) -> None:
    """Of a folder of sessions the last is tomorrow, and each other session gives pictures to teach and to test."""
    player = folder_player(days(tmp_path / "in"))
    sides = [greys(list(player.takes(testing=False))), greys(list(player.takes(testing=True)))]
    sides.append(greys(list(player.tomorrow())))
    assert [len(side) for side in sides] == [12, 4, 8]
    assert len(set.union(*sides)) == 24
    assert sides[2] == {120 * index + 40 + picture for index in range(2) for picture in range(4)}
    assert int(player.read().data[0, 0, 0]) in sides[2]
    player.today()
    assert int(player.read().data[0, 0, 0]) in sides[1]


def test_a_folder_of_one_day_knows_no_tomorrow(tmp_path: Path) -> None:
    """Without sessions nothing is called tomorrow, and what is shown is what was held out."""
    player = folder_player(days(tmp_path / "in", number=1) / "day0", sessions=False)
    assert list(player.tomorrow()) == []
    held = greys(list(player.takes(testing=True)))
    assert int(player.read().data[0, 0, 0]) in held


def test_a_class_that_only_tomorrow_knows_is_left_out(tmp_path: Path) -> None:
    """Nobody can name what was never taught; a class that tomorrow lacks is played from what was held out."""
    root = days(tmp_path / "in")
    (root / "day2" / "dark").rename(root / "day2" / "new")
    player = folder_player(root)
    assert player.labels == ("dark", "light")
    assert {label for label, _ in player.tomorrow()} == {"light"}
    player.pose = "dark"
    assert player.read().truth == "dark"


def test_one_class_a_session_is_refused(tmp_path: Path) -> None:
    """Sessions that were not said to be sessions, or have one class, end in one line."""
    with pytest.raises(ExampleError, match="has 1 class of pictures; wanted 2 or more"):
        folder_player(days(tmp_path / "in", classes=("dark",)))


@pytest.mark.parametrize("subject", ["head", "hand"])
def test_the_simulated_tomorrow_is_elsewhere_and_today_comes_back(subject: str, short: None) -> None:
    """Tomorrow shows somebody else in another place, also to the game; `today` brings the first person back."""
    player = SimulatedDemo(5, lambda: 0.0, subject)
    shown = [player._place]
    taught, tested = list(player.takes(testing=False)), list(player.takes(testing=True))
    tomorrow = list(player.tomorrow())
    shown.append(player._place)
    player.today()
    shown.append(player._place)
    assert shown[0] == shown[2] != shown[1]
    assert [len(takes) for takes in (taught, tested, tomorrow)] == [20, 10, 10]
    pictures = [frame.data.tobytes() for takes in (taught, tested, tomorrow) for _, frames in takes for frame in frames]
    assert len(set(pictures)) == len(pictures)
    again = SimulatedDemo(5, lambda: 0.0, subject)
    assert [frame.data.tobytes() for _, frames in again.tomorrow() for frame in frames] == pictures[-40:]


class Blind(Finder[np.ndarray]):
    """Finds nothing in dark pictures."""

    way, looks_for = "hand", "hand"
    name, fingerprint = "blind", "1" * 64
    embedding_shape, embedding_dim = FakeEmbedder().embedding_shape, FakeEmbedder().embedding_dim

    def __init__(self) -> None:
        super().__init__(self)  # type: ignore[arg-type]

    def find(self, picture: np.ndarray) -> np.ndarray | None:
        """A bright picture."""
        return picture if picture.mean() > 30 else None

    def _embedding(self, picture: np.ndarray, seen: np.ndarray) -> np.ndarray:
        return FakeEmbedder().embed(seen)


def test_nothing_found_is_a_wrong_answer(tmp_path: Path) -> None:
    """Pictures in which nothing is found are counted as such, and as mistakes; the whole picture is not hurt by it."""
    root = days(tmp_path / "in", classes=("a", "b"))
    for file in (root / "day2" / "b").iterdir():
        save_png(file, np.full((24, 32, 3), 10, np.uint8))
    for day in range(3):
        for file in (root / f"day{day}" / "a").iterdir():
            save_png(file, np.full((24, 32, 3), 90 + day, np.uint8))
    player = folder_player(root)
    recognizers = [Recognizer(Blind()), Recognizer(FakeEmbedder())]
    learned = teach(player, recognizers, tmp_path / "examples.sqlite")
    assert [one.examples for one in learned] == [12, 12]
    blind, frame = evaluate(player, recognizers)
    assert blind.nothing_found == pytest.approx(4 / 24)
    assert blind.passed_over is not None
    assert blind.passed_over >= 4 / 8  # at least those in which nothing is found
    assert blind.tomorrow is not None
    assert blind.tomorrow <= 0.5
    assert blind.takes == frame.takes
    assert frame.nothing_found == 0.0


def test_hand_beside_frame(demo: Demo, short: None, look_models: Path, tmp_path: Path) -> None:
    """`demo --look hand` finds the hand and is right tomorrow, where the whole picture is lost; both are reported."""
    (tmp_path / "models").symlink_to(look_models)
    code, out, _ = demo("--look", "hand", "--json", data_dir=tmp_path)
    result = json.loads(out)
    assert code == 0
    assert (result["look"], result["beside"]["look"], result["played"]) == ("hand", "frame", "tomorrow")
    assert result["accuracy_tomorrow"] >= 0.85
    assert result["beside"]["accuracy_tomorrow"] <= result["accuracy_tomorrow"] - 0.2
    assert result["nothing_found"] <= 0.1


def test_without_models_it_says_how_to_get_them(demo: Demo) -> None:
    """`demo --look hand` and `face` without their models end in one line with the command that gets them."""
    for way, what in (
        ("hand", "hands"),
        ("hand-crop", "hands"),
        ("hand-and-crop", "hands"),
        ("face", "face"),
        ("face-crop", "face"),
    ):
        code, out, err = demo("--look", way)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert f"edge-tl model get {what}" in err


def test_the_demo_finds_the_head_by_itself(
    demo: Demo, look_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an option, where the models are, a face is looked for: tomorrow is played, told last, and right.

    Beside it the whole picture is lost. Every line fits 80 columns.
    """
    monkeypatch.setattr("device.cli.spoken_demo.shutil.which", lambda _: None)
    (tmp_path / "models").symlink_to(look_models)
    code, out, _ = demo(data_dir=tmp_path)
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "simulated player, face-crop"
    assert "played Pac-Man tomorrow" in out
    assert "no voice: espeak-ng" in out
    assert lines[-4].startswith("accuracy (frame: the whole picture)")
    assert lines[-4].split()[-2:] == ["face-crop", "frame"]
    assert lines[-1].startswith("tomorrow, in a new session")
    looked, beside = (float(share.rstrip("%")) for share in lines[-1].split()[-2:])
    assert looked >= 90
    assert beside <= looked - 20
    assert max(map(len, lines)) <= 80


def test_the_demo_ends_with_what_to_try(demo: Demo, short: None) -> None:
    """Without the models it looks at the whole picture, tells what tomorrow would bring, and how to get the models."""
    code, out, _ = demo()
    lines = out.splitlines()
    assert code == 0
    assert "played Pac-Man today" in out
    assert lines[-3].startswith("tomorrow, in a new session")
    assert " ".join(lines[-2:]).endswith("`edge-tl model get all` (35 MB), then `edge-tl demo`")
    assert max(map(len, lines)) <= 80


def test_lines_break_between_words_and_never_in_a_command() -> None:
    """What is longer than 80 columns goes on in the next line, indented; a command stays whole."""
    said = wrapped("word " * 15 + "`edge-tl model get all` " + "x" * 90, 80)
    assert said.splitlines() == [("word " * 15).strip(), "  `edge-tl model get all`", "  " + "x" * 90]
    assert wrapped("short", 80) == "short"


def test_the_demo_speaks_where_it_can(demo: Demo, short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """With espeak-ng words are taught and named too; without it a line says what is missing, all else as ever."""
    pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")
    if shutil.which("espeak-ng") is not None:
        code, out, _ = demo("--json")
        voice = json.loads(out)["voice"]
        assert (code, voice["recordings"]) == (0, 37)
        assert voice["same_voices"][0] >= 28
        assert voice["other_voices"][0] > 4
    monkeypatch.setattr("device.cli.spoken_demo.shutil.which", lambda _: None)
    code, out, _ = demo()
    assert code == 0
    assert "no voice: espeak-ng is not installed: `sudo apt install espeak-ng`" in out


def test_the_demo_names_what_its_voice_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where espeak-ng is and the packages of words are not, one command brings them all, whichever was missed first."""
    monkeypatch.setattr("device.cli.spoken_demo.shutil.which", lambda _: "/bin/espeak-ng")
    monkeypatch.setattr("edge_tl.embedders.speech.PACKAGE", "no_such_package")
    (line,) = voice_lines(voice_demo(1, seed=1))
    said = "no voice: pyopen-wakeword holds the speech model and is not installed"
    assert line == f"{said}: {to_install('[speech]')}"


def test_advice_knows_which_models_are_there(look_models: Path, tmp_path: Path) -> None:
    """Where the models are, getting them is not advised; a hand is found by its own way to look."""
    assert "model get all" in advice(tmp_path, "head")
    (tmp_path / "models").symlink_to(look_models)
    assert "model get" not in advice(tmp_path, "head")
    assert advice(tmp_path, "head").endswith("to use the head instead: `edge-tl demo`")
    assert advice(tmp_path, "hand").endswith("to use the hand instead: `edge-tl demo --look hand`")


def asked(tmp_path: Path, camera: str = "auto") -> str:
    """The way to look of the demo with this camera and without `--look`."""
    return look_at_shown(camera, tmp_path).way


def test_the_demo_looks_at_what_is_shown(look_models: Path, tmp_path: Path) -> None:
    """A head by its face, a hand by its shape; a folder of pictures, and all without models, as a whole."""
    assert asked(tmp_path) == "frame"
    install_models_of(look_models, tmp_path, "hands")
    assert asked(tmp_path) == "frame"
    assert asked(tmp_path, "sim:hand") == "hand"
    install_models_of(look_models, tmp_path, "face")
    assert asked(tmp_path) == "face-crop"
    assert asked(tmp_path, "sim:head") == "face-crop"
    assert asked(tmp_path, str(tmp_path)) == "frame"


def install_models_of(look_models: Path, data_dir: Path, which: str) -> None:
    """Give a data folder some of the models."""
    store_parts(data_dir / "models", read_installed(look_models, which))


def test_sessions_go_with_a_folder(demo: Demo) -> None:
    """`--sessions` without a folder is refused in one line instead of being skipped."""
    code, _, err = demo("--sessions", "--camera", "sim")
    assert (code, err.count("\n")) == (1, 1)
    assert "--camera FOLDER" in err


def test_a_folder_of_sessions_shows_both_days(demo: Demo, tmp_path: Path) -> None:
    """`demo --camera FOLDER --sessions` asks the last session and plays it with a look; without, it is no class."""
    root = days(tmp_path / "in")
    code, out, _ = demo("--camera", root, "--sessions", "--json")
    result: dict[str, Any] = json.loads(out)
    assert (code, result["examples"], result["played"]) == (0, 12, "today")
    assert result["accuracy_tomorrow"] is not None
    code, out, _ = demo("--camera", root, "--sessions", "--look", "box", "--box", "0,0,0.5,1")
    assert code == 0
    assert "tomorrow" in out
    assert "played Pac-Man tomorrow" in out
    assert "accuracy (frame: the whole picture)         box 0,0,0.5,1    frame" in out


def opened(context: Context, stack: ExitStack, camera: str = "sim", way: str | None = None) -> str:
    """What the simulated player shows to who looks so."""
    source = context.open_camera(camera, 0, stack, None if way is None else Look(way))
    assert isinstance(source, SimulatedPlayer)
    return source.subject


def test_who_looks_at_hands_is_shown_hands(tmp_path: Path) -> None:
    """`--camera sim` shows a hand to a profile that looks at hands, by option or as remembered; `sim:head` a head."""
    (tmp_path / "profiles" / "hands").mkdir(parents=True)
    write_settings(tmp_path / "profiles" / "hands", look=Look("hand"))
    one, hands = Context(tmp_path, "one"), Context(tmp_path, "hands")
    with ExitStack() as stack:
        assert opened(one, stack) == "head"
        assert opened(one, stack, way="hand") == "hand"
        assert opened(one, stack, way="hand-crop") == "hand"
        assert opened(one, stack, way="face") == "head"
        assert opened(hands, stack) == "hand"
        assert opened(hands, stack, "sim:head") == "head"
        assert opened(one, stack, "sim:hand") == "hand"


@pytest.mark.parametrize("split", ["train", "valid"])
def test_splits_are_no_classes(split: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`train` is not taken for a class: one line names what the folder holds and what reads it."""
    for folder in ("train", "valid"):
        fill(tmp_path / "set" / folder, takes=1, pictures=3)
    assert main(["demo", "--camera", str(tmp_path / "set"), "--data-dir", str(tmp_path / "data")]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "holds classes in splits, and CLASS/picture is wanted here" in error
    one = ["demo", "--camera", str(tmp_path / "set" / split), "--data-dir", str(tmp_path / "data"), "--seconds", "1"]
    assert main([*one, "--json"]) == 0
