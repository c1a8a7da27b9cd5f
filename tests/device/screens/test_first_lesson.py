"""From an empty profile to a game that is steered, in a real terminal, with the documented keys and nothing else."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from terminal_pty import Pty

from edge_tl.store.examples import ExampleStore

LABELS = ("up", "down", "left", "right", "neutral")
PELLET = 10
LONG_S = 120.0
CODE = "import sys; from device.commands.main import main; sys.exit(main())"


@pytest.fixture
def data_dir(tmp_path: Path, look_models: Path) -> Path:
    """An empty data folder in which hands and faces are installed."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "models").symlink_to(look_models)
    return folder


def spawn(data_dir: Path, *arguments: str) -> Pty:
    """`edge-tl teach` as a newcomer starts it, in a window of 80×24."""
    return Pty.spawn([sys.executable, "-c", CODE, "teach", *arguments, "--data-dir", str(data_dir)], 24, 80)


@pytest.fixture
def teach(data_dir: Path) -> Iterator[Pty]:
    """`edge-tl teach --camera sim`, in an empty profile."""
    with spawn(data_dir, "--camera", "sim") as pty:
        pty.wait_for("the first take decides")
        pty.wait_for("look: auto")
        yield pty


def count(pty: Pty, label: str) -> tuple[int, int]:
    """The examples and takes that the screen shows for a class."""
    found = re.search(rf"\d {label} +(\d+) in (\d+)", "\n".join(pty.screen()))
    return (int(found[1]), int(found[2])) if found else (0, 0)


def take(pty: Pty, label: str, examples: int = 20) -> None:
    """Hold the key of a class until so many more examples are shown, and let go until the take is over."""
    key, before = str(LABELS.index(label) + 1), count(pty, label)[0]

    def more(_: Pty) -> bool:
        pty.send(key)
        return count(pty, label)[0] >= before + examples

    pty.wait_until(more, LONG_S, f"{examples} examples of {label}")
    row, column = next((row, line.index(label)) for row, line in enumerate(pty.screen()) if f" {label} " in line)
    pty.wait_until(lambda pty: pty.colour_at(row, column)[0] != "ff5f5f", LONG_S, "the end of the take")


def way(data_dir: Path) -> str:
    """The way to look that the profile remembers."""
    return str(json.loads((data_dir / "profiles" / "default" / "settings.json").read_text())["look"]["way"])


def score(pty: Pty) -> int:
    """What the game shows."""
    found = re.search(r"SCORE +(\d+)", "\n".join(pty.screen()))
    return int(found[1]) if found else 0


def eaten(pellets: int) -> Callable[[Pty], bool]:
    """Whether so many were eaten in one game; a game that a slow machine lost is begun again, as a player would."""
    over = False

    def enough(pty: Pty) -> bool:
        nonlocal over
        was, over = over, any("GAME OVER" in row for row in pty.screen())
        if over and not was:
            pty.send("r")
        return score(pty) >= pellets * PELLET

    return enough


def test_two_takes_of_each_class_steer_pac_man(teach: Pty, data_dir: Path) -> None:
    """Hold 1 to 5 twice each, t, p: the face was chosen, and Pac-Man eats ten pellets, steered by what is seen."""
    take(teach, "up")
    teach.wait_for("uses the face: one is in 15 of 15 frames; l changes it")
    teach.wait_for("look: face-crop")
    assert way(data_dir) == "face-crop"
    for label in (*LABELS[1:], *LABELS):
        take(teach, label)
    teach.send("t")
    # On a busy machine the milliseconds are so many that the line breaks between the two words.
    teach.wait_said("p plays", LONG_S)
    teach.send("p")
    teach.wait_for("edge-tl play")
    teach.wait_until(eaten(10), LONG_S, "ten eaten pellets")
    teach.send("q")
    teach.wait_for("edge-tl teach")
    teach.send("q")
    assert teach.wait_exit() == 0


def test_a_hand_is_chosen_by_its_first_take(data_dir: Path) -> None:
    """Who shows a hand first is looked at so, and the profile stays so when it is opened again."""
    with spawn(data_dir, "--camera", "sim:hand") as pty:
        pty.wait_for("the first take decides")
        take(pty, "up")
        pty.wait_for("uses the hand")
        pty.send("q")
        assert pty.wait_exit() == 0
    assert way(data_dir) == "hand"
    with spawn(data_dir, "--camera", "sim:hand") as pty:
        pty.wait_for("look: hand")
        pty.send("q")
        assert pty.wait_exit() == 0


def test_what_is_recorded_while_it_embeds_anew_goes_on_after_it(teach: Pty, data_dir: Path) -> None:
    """The next class is switched on as the first one ends, which embeds that anew: its take begins after that."""
    teach.send(" ")
    teach.wait_until(lambda pty: count(pty, "up")[0] >= 20, LONG_S, "twenty examples of up")
    teach.send("tab", " ", " ")
    teach.wait_until(lambda pty: count(pty, "down")[0] >= 10, LONG_S, "ten examples of down")
    assert way(data_dir) == "face-crop"
    teach.send("q")
    assert teach.wait_exit() == 0
    with ExampleStore(data_dir / "profiles" / "default" / "examples.sqlite", writable=False) as store:
        assert len({one.fingerprint for one in store.list()}) == 1
        assert store.counts()["down"].takes == 1


def test_another_way_by_key_embeds_all_anew(teach: Pty, data_dir: Path) -> None:
    """l, a way, enter, y: all examples are embedded again and what to do next is said; n leaves all as it was."""
    take(teach, "up")
    teach.wait_for("look: face-crop")
    take(teach, "down", 6)
    for answer, said in (("n", "nothing was changed"), ("y", "examples embedded again; train again")):
        teach.send("l")
        teach.wait_for("look: face-crop (")
        teach.send("l")
        teach.wait_for("look: frame (")
        teach.send("enter")
        teach.wait_for("y or n")
        teach.send(answer)
        teach.wait_for(said, LONG_S)
    teach.wait_for("look: frame ")
    assert way(data_dir) == "frame"
    with ExampleStore(data_dir / "profiles" / "default" / "examples.sqlite", writable=False) as store:
        assert len({one.fingerprint for one in store.list()}) == 1
        assert sum(count.examples for count in store.counts().values()) >= 26
    teach.send("q")
    assert teach.wait_exit() == 0
