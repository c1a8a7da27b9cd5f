"""`edge-tl teach` and `play` in a real terminal, with the simulated player before the camera."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from terminal_pty import Pty

from device.commands.main import main
from edge_tl.store.examples import ExampleStore
from edge_tl.store.profile import Profile

SIM = ("--camera", "sim", "--look", "frame")
"""What is tested here needs no hand and no face."""
LOW = re.compile(r"it confuses the classes on held-out takes \(\d+%\): \w+")
"""How low a figure is, to where the advice begins, which stands below it."""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder of its own."""
    return tmp_path / "data"


def spawn(data_dir: Path, *arguments: str, rows: int = 24, columns: int = 80) -> Pty:
    """The real command in a real pseudo-terminal."""
    code = "import sys; from device.commands.main import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *arguments, "--data-dir", str(data_dir)]
    return Pty.spawn(command, rows, columns)


def on_disk(data_dir: Path) -> dict[str, tuple[int, int]]:
    """Label → (examples, takes), as another process reads them."""
    with ExampleStore(data_dir / "profiles" / "default" / "examples.sqlite", writable=False) as store:
        return {label: (count.examples, count.takes) for label, count in store.counts().items()}


def spoken(pty: Pty) -> str:
    """The screen as running text."""
    return " ".join(" ".join(pty.screen()).split())


def shown(pty: Pty, label: str) -> int:
    """The number of examples that the screen shows for a class."""
    for line in pty.screen():
        if found := re.search(rf"\d {label} +(\d+) in", line):
            return int(found[1])
    return 0


def hold(pty: Pty, key: str, label: str, examples: int) -> None:
    """Type a key again and again, as a held key repeats, until so many examples are shown; then let go."""

    def more(_: Pty) -> bool:
        pty.send(key)
        return shown(pty, label) >= examples

    pty.wait_until(more, what=f"{examples} examples of {label}")


@pytest.fixture
def teach(data_dir: Path) -> Iterator[Pty]:
    """`edge-tl teach` with two classes and the simulated player."""
    with spawn(data_dir, "teach", *SIM, "--labels", "up", "left", "--min-examples", "6") as pty:
        pty.wait_for("1 up")
        yield pty


def test_hold_train_play_and_quit(teach: Pty, data_dir: Path) -> None:
    """Holding keys records, what is shown is on disk, t trains, p plays, q leaves the terminal as it was."""
    teach.send("t")
    teach.wait_for("6 more of up")
    hold(teach, "1", "up", 8)
    counted = shown(teach, "up")
    assert on_disk(data_dir)["up"][0] >= counted
    hold(teach, "2", "left", 8)
    teach.send("t")
    teach.wait_for("one take only")  # what it is worth elsewhere cannot be known yet
    teach.send("p")
    teach.wait_for("edge-tl play")
    teach.send("q")
    teach.wait_for("edge-tl teach")
    teach.send("q")
    assert teach.wait_exit() == 0
    assert teach.restored()
    assert (data_dir / "high_score.json").exists() or on_disk(data_dir)


def test_the_guide_speaks_after_each_take(teach: Pty) -> None:
    """When a take ends the screen says what helps most, and with which key to go on."""
    hold(teach, "1", "up", 6)
    teach.wait_for("still needed: 6 more of left")
    hold(teach, "2", "left", 6)
    # The player's first frames may still show the pose before: then these are named, and else the second take.
    said = ("a second take of left, up from another place makes it more reliable; t trains", "looks like", "look like")
    teach.wait_until(lambda pty: any(text in "\n".join(pty.screen()) for text in said), what="advice")


def test_a_take_ends_when_the_key_is_let_go(teach: Pty, data_dir: Path) -> None:
    """After the last repeat the take ends by itself, and the next press begins another one."""
    teach.send("1")
    teach.wait_for("still needed")
    first = on_disk(data_dir)["up"]
    assert first[1] == 1
    teach.send("1")
    teach.wait_until(lambda pty: on_disk(data_dir)["up"][1] == 2, what="a second take")


def test_space_records_until_pressed_again(teach: Pty) -> None:
    """On a keyboard without repeat, space starts the selected class and stops it."""
    teach.send("tab", " ")
    teach.wait_until(lambda pty: shown(pty, "left") >= 30, what="30 examples")
    teach.send(" ")
    teach.wait_for("still needed")
    stopped = shown(teach, "left")
    teach.send("u", "u")
    teach.wait_for("deleted")
    assert shown(teach, "left") < stopped


def test_a_new_class_and_a_deleted_one(teach: Pty) -> None:
    """A class is typed in while running, refused when its name cannot be, and deleted after asking."""
    teach.send("n", "f", "i", "s", "t", "enter")
    teach.wait_for("3 fist")
    teach.send("n", "enter")
    teach.wait_for("label")
    teach.send("d", "n")
    teach.wait_for("stays")
    teach.send("d", "y")
    teach.wait_for("deleted fist")
    teach.wait_gone("3 fist")


def test_a_new_session_by_key(teach: Pty, data_dir: Path) -> None:
    """s begins a session with a name, which stands on the screen and on disk; escape begins none."""
    teach.wait_for("look: frame  session 1")
    hold(teach, "1", "up", 2)
    teach.send("s", "x")
    teach.wait_for("x_  ← name of the new session")
    teach.send("escape")
    teach.wait_gone("name of the new session")
    teach.send("s", *"desk", "enter")
    teach.wait_for("session 2 desk begins")
    hold(teach, "1", "up", shown(teach, "up") + 3)
    teach.send("q")
    assert teach.wait_exit() == 0
    with ExampleStore(data_dir / "profiles" / "default" / "examples.sqlite", writable=False) as store:
        assert [(one.id, one.name) for one in store.sessions()] == [(1, ""), (2, "desk")]


def test_the_keys_fit(teach: Pty) -> None:
    """On 80 columns every key is named in the last line."""
    teach.wait_for("q quit")
    line = next(line for line in teach.screen() if "q quit" in line)
    for key in ("1-9", "space", "tab", "n new", "s place", "u undo", "d del", "l look", "t train", "p play"):
        assert key in line


def test_sigterm_restores_the_terminal_and_loses_nothing(teach: Pty, data_dir: Path) -> None:
    """SIGTERM while recording: the terminal is as it was, and everything that was shown is on disk."""
    hold(teach, "1", "up", 10)
    counted = shown(teach, "up")
    teach.signal(signal.SIGTERM)
    assert teach.wait_exit() != 0
    assert teach.restored()
    assert on_disk(data_dir)["up"][0] >= counted


def test_kill_loses_nothing_that_was_counted(teach: Pty, data_dir: Path) -> None:
    """SIGKILL while recording: everything that was shown is on disk."""
    hold(teach, "1", "up", 10)
    counted = shown(teach, "up")
    teach.signal(signal.SIGKILL)
    teach.wait_exit()
    assert on_disk(data_dir)["up"][0] >= counted


def test_two_writers_on_one_profile(teach: Pty, data_dir: Path) -> None:
    """A second `teach` is refused in one line that names the first one's process."""
    with spawn(data_dir, "teach", *SIM) as second:
        assert second.wait_exit() == 1
        assert re.search(r"edge-tl: .*\d+", second.plain())
    assert teach.find("edge-tl teach")


def test_a_tiny_terminal_is_one_line(data_dir: Path) -> None:
    """A terminal of 20×5 gets one clear line and exit 1."""
    with spawn(data_dir, "teach", *SIM, rows=5, columns=20) as pty:
        assert pty.wait_exit() == 1
        assert "edge-tl:" in pty.plain()
        assert "Traceback" not in pty.plain()


def test_demo_in_a_terminal_plays_and_sums_up(data_dir: Path) -> None:
    """In a terminal the demo shows how far its teaching is, the game and the player, and ends with its figures."""
    with spawn(data_dir, "demo", "--seconds", "3") as pty:
        pty.wait_for("of 240", deadline_s=120)
        pty.wait_for("of 160", deadline_s=120)
        pty.wait_for("edge-tl play", deadline_s=120)
        assert pty.wait_exit(deadline_s=60) == 0
        assert pty.restored()
        assert "today, on held-out takes" in pty.plain()


def test_play_with_keys_only(data_dir: Path) -> None:
    """`play --no-camera` needs nothing taught, and the arrow keys play."""
    with spawn(data_dir, "play", "--no-camera") as pty:
        pty.wait_for("arrow keys steer")
        pty.send("left", "p")
        pty.wait_for("PAUSED")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert pty.restored()


def test_t_says_how_well_it_does(data_dir: Path) -> None:
    """After t the screen shows the accuracy that is kept, and what to record where classes cannot be told apart."""
    with spawn(data_dir, "teach", *SIM, "--labels", "this", "that", "--min-examples", "6") as pty:
        pty.wait_for("1 this")
        for _ in range(2):
            for key, label in (("1", "this"), ("2", "that")):
                # The simulated player knows neither word and stays as he is.
                hold(pty, key, label, shown(pty, label) + 6)
        pty.send("t")
        pty.wait_until(lambda pty: LOW.search(spoken(pty)) is not None, what="how low it is")
        said = spoken(pty)
        pty.send("q")
        assert pty.wait_exit() == 0
    (kept,) = Profile(data_dir / "profiles" / "default").generations()
    assert kept.accuracy is not None
    assert kept.accuracy < 0.75
    assert f"on held-out takes ({kept.accuracy:.0%}): " in said


def test_who_quits_without_an_example_leaves_no_profile(teach: Pty, data_dir: Path) -> None:
    """`q` before anything was shown: no profile stands in lists and backups afterwards."""
    assert (data_dir / "profiles" / "default").is_dir()
    teach.send("q")
    assert teach.wait_exit() == 0
    assert not list((data_dir / "profiles").iterdir())


def test_a_class_that_was_named_is_there_the_next_time(teach: Pty, data_dir: Path) -> None:
    """`n` and a name, and `q` before it was shown: somebody made that."""
    teach.send("n")
    teach.send("wave", "enter")
    teach.wait_said("new class wave")
    teach.send("q")
    assert teach.wait_exit() == 0
    with Profile(data_dir / "profiles" / "default") as profile:
        assert "wave" in profile.store.labels()


def test_a_low_figure_is_said_to_its_end(data_dir: Path, tmp_path: Path) -> None:
    """Noise cannot be told apart: the sentence that says so and what to record is whole in a window of 80×24."""
    labels = ("thumb and little finger to the right", "two fingers to the left")
    rng = np.random.default_rng(0)
    for label in labels:
        for take in "ab":
            (tmp_path / "in" / label / take).mkdir(parents=True)
            for number in range(6):
                blots = Image.fromarray(rng.integers(0, 256, (12, 16, 3)).astype(np.uint8)).resize((160, 120))
                blots.save(tmp_path / "in" / label / take / f"{number}.png")
    bring = ["examples", "import", str(tmp_path / "in"), "--layout", "classes", "--look", "frame"]
    assert main([*bring, "--data-dir", str(data_dir)]) == 0
    with spawn(data_dir, "teach", *SIM, "--min-examples", "6") as pty:
        pty.wait_for("thumb and")
        pty.send("t")
        pty.wait_until(lambda pty: LOW.search(spoken(pty)) is not None, what="the whole sentence")
        lines = pty.screen()
        first = next(row for row, line in enumerate(lines) if line.startswith("trained, but"))
        assert len(lines) - 1 - first > 2
        assert "…" not in "".join(lines[first:-1])
        pty.send("q")
        assert pty.wait_exit() == 0
