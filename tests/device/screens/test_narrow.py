"""Windows of 80×24 and smaller: nothing is cut in the middle of a word or a number, and tables fit."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from terminal_pty import Pty
from tiny_profile import make_all, model_folder, runner

from device.cli.output import wrapped
from device.screens.answers import answers_lines
from device.screens.cells import fit, text_columns
from device.screens.panel import speed_text

COMMAND = "import sys; from device.commands.main import main; sys.exit(main())"
WORDS = st.lists(st.text("abc123é", min_size=1, max_size=9), min_size=1, max_size=20).map(" ".join)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, and a profile that was taught and trained with it."""
    return make_all(tmp_path_factory.mktemp("made"))


def spawn(made: Path, *words: object, rows: int = 24, columns: int = 80) -> Pty:
    """The real command in a window of this size; its folder by the environment, so that no hint has to name it."""
    (made / "edge-tl").unlink(missing_ok=True)
    (made / "edge-tl").symlink_to(made / "data")
    env = {"XDG_DATA_HOME": str(made)}
    more = ["--model", made / "model"]
    return Pty.spawn([sys.executable, "-c", COMMAND, *map(str, [*words, *more])], rows, columns, env)


def lines_of(pty: Pty) -> list[str]:
    """The lines that were sent, as they were sent: what is wider than the window the terminal would break."""
    return [line.split("\r")[-1] for line in pty.plain().replace("\r\n", "\n").split("\n")]


@pytest.mark.parametrize("words", [("teach", "--camera", "sim"), ("play", "--camera", "sim", "--steer", "left=dark")])
def test_a_screen_of_80_by_24_cuts_nothing(made: Path, words: tuple[str, ...]) -> None:
    """Every text of both screens stands there whole, the speed and the keys too; no count of passed pictures climbs."""
    with spawn(made, *words) as pty:
        pty.wait_for("frames/s")
        pty.wait_until(lambda pty: not any("waiting for" in line for line in pty.screen()), what="a picture")
        keys = "1-9, space, tab, n new" if words[0] == "teach" else "p pause  r restart  q"
        pty.wait_for(keys)
        pty.wait_until(lambda pty: any("% " in line or line.endswith("%") for line in pty.screen()), what="bars")
        text = "\n".join(pty.screen())
        assert "dropped" not in text
        cut = [line for line in pty.screen() if "…" in line and not line.endswith("→ …")]
        assert not cut
        pty.send("q")
        pty.wait_exit()


@pytest.mark.parametrize(("rows", "columns"), [(24, 80), (20, 60)])
def test_sentences_break_between_words(made: Path, rows: int, columns: int) -> None:
    """What `evaluate` and `train` say fits the window, each line whole, and joined it says what a pipe gets."""
    for command in ("evaluate", "train"):
        with spawn(made, command, rows=rows, columns=columns) as pty:
            assert pty.wait_exit() == 0
            lines = [line for line in lines_of(pty) if line.strip()]
        assert max(map(text_columns, lines)) <= columns
        assert "look different; record a second, short session there" in " ".join(" ".join(lines).split())


def test_a_window_too_small_is_told_in_whole_words(made: Path) -> None:
    """In a window of 60×20 the demo ends at once, in lines that fit."""
    with spawn(made, "demo", rows=20, columns=60) as pty:
        assert pty.wait_exit() == 1
        lines = [line for line in lines_of(pty) if line.strip()]
    assert max(map(len, lines)) <= 60
    assert " ".join(" ".join(lines).split()) == (
        "edge-tl: the window has 60×20 characters, this needs 80×24; make it larger"
    )


@pytest.mark.parametrize("more", ["--look=frame", "--movements"])
def test_a_window_too_small_is_no_end_where_lines_will_do(made: Path, more: str) -> None:
    """In a window of 60×20, and in a terminal that moves no cursor, `teach` says that --plain is another way."""
    words = [sys.executable, "-c", COMMAND, "teach", "--camera", "sim", more, "--data-dir", str(made / "data")]
    with Pty.spawn(words, 20, 60) as pty:
        assert pty.wait_exit() == 1
        assert "this needs 72×20; make it larger, or give --plain" in " ".join(pty.plain().split())
    with Pty.spawn(
        [sys.executable, "-c", COMMAND, "teach", "--data-dir", str(made / "data")], 24, 80, {"TERM": "dumb"}
    ) as pty:
        assert pty.wait_exit() == 1
        assert "try TERM=xterm-256color, or give --plain" in " ".join(pty.plain().split())


def test_many_classes_are_ranked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of 150 classes `evaluate` shows the worst and the pairs mixed up most, in 80 columns; all of it is in --json."""
    model_folder(tmp_path / "model")
    rng = np.random.default_rng(5)
    for number in range(150):
        colour = rng.uniform(40, 210, 3)
        for picture in range(2):
            folder = tmp_path / "pictures" / f"class {number:03}" / str(picture)
            folder.mkdir(parents=True)
            pixels = np.clip(colour + rng.normal(0, 20, (8, 8, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "one.png")
    run = runner(tmp_path, tmp_path / "data", capsys)
    assert run("examples", "import", tmp_path / "pictures")[0] == 0
    code, out, _ = run("evaluate")
    table = out[out.index("recall") : out.index("look at these")]
    assert code == 0
    assert max(map(len, table.splitlines())) <= 80
    assert re.search(r"150 classes, \d+ without a mistake: the whole table is in --json", table)
    found = run("evaluate", "--json")[1]
    assert np.shape(found["confusion"]) == (150, 150)
    worst = re.search(r"^(class \d+) +(\d+\.\d)%", table, re.MULTILINE)
    assert worst is not None
    assert found["recall"][worst[1]] == min(found["recall"].values()) == pytest.approx(float(worst[2]) / 100)
    assert json.dumps(found)


def test_a_small_table_is_whole() -> None:
    """Where it fits it is the whole table, with whole names where these fit too."""
    names, counts = ("up", "background noise"), np.array([[3, 1], [0, 4]])
    recall = {"up": 0.75, "background noise": 1.0}
    wide = answers_lines(names, counts, recall, 80)
    assert wide == [
        f"{'':18}recall{'up':>18} background noise   ← answers",
        f"up                 75.0%  {3:16} {1:16}",
        f"background noise  100.0%  {0:16} {4:16}",
    ]
    narrow = answers_lines(names, counts, recall, 60)
    assert max(map(text_columns, narrow)) <= 60
    assert narrow[1].split() == ["up", "75.0%", "3", "1"]


@given(WORDS, st.integers(2, 60))
def test_a_fitted_text_ends_with_a_word(text: str, columns: int) -> None:
    """A text that is cut ends between two words unless that would leave less than half of it."""
    made = fit(text, columns)
    assert text_columns(made) == columns
    if "…" not in made:
        assert made.rstrip() == text
        return
    kept = made.rstrip().removesuffix("…")
    assert text.startswith(kept)
    half_a_word = text[len(kept)] != " " and not kept.endswith(" ")
    if half_a_word:
        assert 2 * len(kept.rpartition(" ")[0]) < columns


@given(WORDS, st.integers(10, 100))
def test_a_wrapped_line_says_the_same(text: str, columns: int) -> None:
    """Nothing is lost by breaking a line, and every part fits."""
    lines = wrapped(text, columns).split("\n")
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())
    assert max(map(len, lines)) <= max(columns, 11)


class Timed:
    """As much of a Line as its speed needs."""

    def __init__(self, kind: str) -> None:
        self.kind, self.fps, self.dropped = kind, 30.0, 12


def test_what_was_passed_over_is_no_fault_of_pictures_but_one_of_sound() -> None:
    """The newest picture wins, which is no loss; of sound what is missing is said, and what fits stands whole."""
    assert speed_text(Timed("picture"), [30.0, 40.0]) == "30.0 frames/s  35/40 ms"  # type: ignore[arg-type]
    assert speed_text(Timed("picture"), [30.0, 40.0], 20) == "30.0 frames/s"  # type: ignore[arg-type]
    assert speed_text(Timed("sound"), []) == "12 blocks lost  30.0 windows/s"  # type: ignore[arg-type]
