"""`edge-tl teach` and `play` in a real terminal when things are not as they should be."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from terminal_pty import Pty
from tiny_profile import fill, make_all, model_folder

from device.commands.main import main
from device.pacman.game import Game, State
from device.pacman.maze import pick_maze
from device.pacman.round import Round
from device.screens.cells import text_columns
from device.screens.play import PlayScreen
from device.screens.terminal import Terminal
from edge_tl.store.profile import Profile
from edge_tl.testing import FakeClock

COMMAND = "import sys; from device.commands.main import main; sys.exit(main())"
AS_NOBODY = f"""
import os, sys
import numpy.random, secrets
from encodings import cp437
from PIL import JpegImagePlugin, PngImagePlugin
import device.commands.play, device.commands.teach
from edge_tl.embedders.tflite import TFLiteEmbedder
TFLiteEmbedder.load(sys.argv[sys.argv.index("--model") + 1])
if os.geteuid() == 0:
    os.setuid(65534)
{COMMAND}
"""
STEER = ("--steer", "left=dark", "right=light")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models, pictures and a taught profile, made once."""
    return make_all(tmp_path_factory.mktemp("made"))


@pytest.fixture
def data_dir(made: Path, tmp_path: Path) -> Path:
    """A copy of the taught data folder for one test."""
    return shutil.copytree(made / "data", tmp_path / "data")


def spawn(
    made: Path, data_dir: Path, *arguments: object, code: str = COMMAND, rows: int = 24, columns: int = 80
) -> Pty:
    """The real command in a real pseudo-terminal, with the tiny model."""
    words = [sys.executable, "-c", code, *arguments, "--data-dir", data_dir, "--model", made / "model"]
    return Pty.spawn([*map(str, words)], rows, columns)


def wait_row(pty: Pty, pattern: str) -> None:
    """Wait until a line of the screen holds the pattern."""
    pty.wait_until(lambda pty: any(re.search(pattern, line) for line in pty.screen()), what=pattern)


@pytest.mark.parametrize(
    "arguments", [("teach", "--camera", "sim"), ("play", "--camera", "sim"), ("play", "--no-camera"), ("demo",)]
)
def test_a_window_of_20_by_5(made: Path, data_dir: Path, arguments: tuple[str, ...]) -> None:
    """Every screen refuses a window that is much too small, in one sentence and before any long work."""
    with spawn(made, data_dir, *arguments, rows=5, columns=20) as pty:
        assert pty.wait_exit() == 1
        said = " ".join(pty.plain().split())
        assert re.fullmatch(
            r"edge-tl: the window has 20×5 characters, this needs \d+×\d+; make it larger(, or give --plain)?", said
        )


def test_a_window_that_shrinks_and_grows_again(made: Path, data_dir: Path) -> None:
    """A window made too small while teaching says so, and goes on when it is large again; so does the game."""
    with spawn(made, data_dir, "teach", "--camera", made / "pictures") as pty:
        pty.wait_for("1 dark")
        pty.resize(5, 20)
        pty.wait_for("larger")
        pty.send("1")
        pty.resize(24, 80)
        pty.wait_for("q quit")
        pty.send("q")
        assert pty.wait_exit() == 0
    with spawn(made, data_dir, "play", "--camera", made / "pictures", *STEER) as pty:
        pty.wait_for("edge-tl play")
        pty.resize(3, 9)
        pty.wait_for("larger")
        pty.resize(40, 100)
        pty.wait_for("edge-tl play")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert pty.restored()


def test_teaching_goes_on_where_it_was_left(made: Path, data_dir: Path) -> None:
    """Opened again, `teach` shows counts, the last picture of each class, and what it recognizes; q keeps the take."""
    with spawn(made, data_dir, "teach", "--camera", made / "pictures") as pty:
        pty.wait_for("%")
        wait_row(pty, r"dark +12 in 3")
        wait_row(pty, r"^dark +light$")
        pty.send("1")
        wait_row(pty, r"dark +1[3-9] in 4")
        pty.send("1", "q")
        assert pty.wait_exit() == 0
    with Profile(data_dir / "profiles" / "default") as profile:
        count = profile.store.counts()["dark"]
    assert count.examples >= 13
    assert count.takes == 4


def test_twelve_classes_with_odd_names_stay_in_line(made: Path, tmp_path: Path) -> None:
    """Emoji, wide letters and long names: all twelve classes are shown, and their counts stand in one column."""
    labels = ["🙂", "👍🏽 up", "日本語", "x" * 64, "a/b", *(f"class {number}" for number in range(7))]
    with spawn(made, tmp_path, "teach", "--look", "frame", "--camera", made / "pictures", "--labels", *labels) as pty:
        pty.wait_for("class 6")
        rows = [line for line in pty.screen() if re.search(r"[1-90 ] .* 0$", line) and "frames" not in line]
        assert len(rows) == 12
        assert {text_columns(line) for line in rows} == {text_columns(rows[0])}
        pty.send("q")
        assert pty.wait_exit() == 0


def test_undo_while_recording(made: Path, data_dir: Path) -> None:
    """`u` while a take is recorded ends it and forgets it, whole; the classes are as before."""
    with spawn(made, data_dir, "teach", "--camera", made / "pictures") as pty:
        pty.wait_for("1 dark")
        pty.send(" ")
        wait_row(pty, r"dark +1[3-9] in 4")
        pty.send("u", "u")
        pty.wait_for("deleted")
        wait_row(pty, r"dark +12 in 3")
        pty.send("q")
        assert pty.wait_exit() == 0


def test_a_new_class_trained_while_the_screen_runs(made: Path, data_dir: Path) -> None:
    """A class added, recorded and trained while the old answers are on the screen is answered next."""
    with spawn(made, data_dir, "teach", "--camera", made / "pictures", "--min-examples", "2") as pty:
        pty.wait_for("%")
        pty.send("n", "fist", "enter")
        pty.wait_for("3 fist")
        pty.send(" ")
        wait_row(pty, r"fist +[3-9] in 1")
        pty.send("t")
        pty.wait_for("trained, but it confuses the classes")  # each take shows dark and light pictures
        wait_row(pty, r"3 fist .*%")
        pty.send("q")
        assert pty.wait_exit() == 0


def test_what_does_not_steer_is_said_and_teaching_goes_on(made: Path, data_dir: Path) -> None:
    """`p` with classes that are no directions, or in a window too small to play, is a line on the teach screen."""
    with spawn(made, data_dir, "teach", "--camera", made / "pictures", rows=22) as pty:
        pty.wait_for("1 dark")
        pty.send("p")
        pty.wait_for("needs 80×24")
        pty.resize(24, 80)
        pty.send("p")
        pty.wait_for("is a direction")
        pty.send("q")
        assert pty.wait_exit() == 0


def test_a_camera_that_goes_and_comes_back(made: Path, data_dir: Path, tmp_path: Path) -> None:
    """Pictures that vanish while teaching are a lost camera, said on the screen; when they are back, it goes on."""
    source = fill(tmp_path / "source", takes=1, pictures=2)
    with spawn(made, data_dir, "teach", "--camera", source) as pty:
        pty.wait_for("%")
        source.rename(tmp_path / "away")
        pty.wait_for("camera lost")
        pty.send("1")
        (tmp_path / "away").rename(source)
        pty.wait_gone("camera lost")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert pty.restored()


def test_playing_beside_a_writer(made: Path, data_dir: Path) -> None:
    """While another process teaches the profile, the game can be played, without teaching, and says why at the end."""
    with (
        Profile(data_dir / "profiles" / "default", writable=True),
        spawn(made, data_dir, "play", "--camera", made / "pictures", *STEER) as pty,
    ):
        pty.wait_for("   p pause  r restart  q quit")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert f"played without recording examples: another process (PID {os.getpid()})" in pty.plain()


@pytest.fixture
def public(made: Path) -> Iterator[Path]:
    """`model`, `pictures` and `data` where every user may read and nobody may write."""
    folder = Path(tempfile.mkdtemp())
    for name in ("model", "pictures", "data"):
        shutil.copytree(made / name, folder / name)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


def test_playing_where_nothing_can_be_written(public: Path) -> None:
    """In a read-only folder the game is played; neither profile nor high score make an error of it."""
    arguments = ("play", "--camera", public / "pictures", *STEER)
    with spawn(public, public / "data", *arguments, code=AS_NOBODY) as pty:
        pty.wait_for("edge-tl play")
        pty.send("left")
        wait_row(pty, r"SCORE +[1-9]")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert "played without recording examples" in pty.plain()
        assert re.search(r"the high score \d+ could not be written", pty.plain())
        assert pty.restored()


def test_teaching_while_playing(made: Path, data_dir: Path) -> None:
    """A number key held while playing records a take of its class, which is learned when the key is let go."""
    with spawn(made, data_dir, "play", "--camera", made / "pictures", *STEER) as pty:
        pty.wait_for("edge-tl play")
        pty.send("2")
        pty.wait_for("trained on")
        pty.send("q")
        assert pty.wait_exit() == 0
    with Profile(data_dir / "profiles" / "default") as profile:
        assert profile.store.counts()["light"].takes == 4
        assert len(profile.generations()) == 2


def test_why_nothing_steers_is_said_and_goes_when_something_does(made: Path, data_dir: Path, tmp_path: Path) -> None:
    """Before a camera that shows nothing taught the line comes after five seconds, fits 80×24, and a key ends it."""
    for number, colour in enumerate([(255, 0, 0), (0, 255, 0)]):
        (tmp_path / "odd").mkdir(exist_ok=True)
        Image.new("RGB", (32, 24), colour).save(tmp_path / "odd" / f"{number}.png")
    with spawn(made, data_dir, "play", "--camera", tmp_path / "odd", *STEER) as pty:
        wait_row(pty, "^unlike all training examples +1-9 teach")
        pty.send("right")
        pty.wait_gone("unlike all training examples")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert pty.restored()


def test_playing_goes_on_when_there_is_too_little_to_learn_from(made: Path, data_dir: Path) -> None:
    """Where the examples were removed, a take of one class cannot be learned: the game says so and goes on."""
    for label in ("dark", "light"):
        assert main(["examples", "remove", "--label", label, "--data-dir", str(data_dir)]) == 0
    with Profile(data_dir / "profiles" / "default", writable=True) as profile:
        profile.store.add_label("dark")
    with spawn(made, data_dir, "play", "--camera", made / "pictures", *STEER) as pty:
        pty.wait_for("edge-tl play")
        pty.send("1")
        pty.wait_for("only one class")
        pty.send("q")
        assert pty.wait_exit() == 0


def test_w_says_why_and_the_game_stands_still(made: Path, data_dir: Path) -> None:
    """The nearest taught examples of the picture of now, for as long as nobody plays on; in lines too."""
    camera = ("play", "--camera", made / "pictures", *STEER)
    with spawn(made, data_dir, *camera, rows=40, columns=120) as pty:
        wait_row(pty, r"→ \w+ .*w why\?")
        pty.send("w")
        wait_row(pty, r"nearest taught: \w+ \(example \d+, \d+ % alike")
        assert any("PAUSED" in line.upper() for line in pty.screen()), "\n".join(pty.screen())
        pty.wait_for("p plays on")
        pty.send("p")
        pty.wait_until(lambda pty: not any("nearest taught" in line for line in pty.screen()), what="the game again")
        pty.send("q")
        assert pty.wait_exit() == 0
    with spawn(made, data_dir, *camera, "--plain") as pty:
        pty.wait_for("→ ")
        pty.send("w")
        pty.wait_for("nearest taught: ")
        pty.send("q")
        assert pty.wait_exit() == 0
    assert re.search("^(why|next): ", pty.plain(), re.MULTILINE)


def test_another_embedder_is_one_line_on_the_screens_too(made: Path, data_dir: Path, tmp_path: Path) -> None:
    """`teach` and `play` with another model than the profile's end before the screen, with what to do."""
    other = model_folder(tmp_path / "other" / "model", name="other", more=bytes(16)).parent
    for arguments in (("teach", "--camera", "sim"), ("play", "--camera", "sim", *STEER)):
        with spawn(other, data_dir, *arguments) as pty:
            assert pty.wait_exit() == 1
            said = " ".join(pty.plain().split())
            assert re.fullmatch(r"edge-tl: [^:]+(: | )[^:]*`edge-tl examples re-embed --data-dir [^`]*`.*", said), said


def test_ctrl_c_leaves_every_screen_in_order(made: Path, data_dir: Path) -> None:
    """Ctrl-C on a screen restores the terminal and ends with 130 and one line."""
    for arguments in (("teach", "--camera", made / "pictures"), ("play", "--camera", made / "pictures", *STEER)):
        with spawn(made, data_dir, *arguments) as pty:
            pty.wait_for("q quit" if arguments[0] == "teach" else "r restart  q")
            pty.send("ctrl-c")
            assert pty.wait_exit() == 130
            assert pty.restored()
            assert "edge-tl: stopped" in pty.plain()


def test_the_best_of_several_games_counts() -> None:
    """A game lost and begun again keeps the better score for the high score, on the screen and at the end."""
    clock = FakeClock()
    game = Game(pick_maze(24, 80), seed=1)
    screen = PlayScreen(Terminal(), Round(game, None, {}, clock, clock.sleep), clock, best=100)
    game.score, game.state = 500, State.LOST
    screen.key("enter")
    assert game.score == 0
    assert screen.best_played == 500
    assert screen.board.best == 500
    game.score = 700
    assert screen.best_played == 700
