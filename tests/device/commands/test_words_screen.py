"""Words in a real terminal: taught by key and voice, told on a screen, and played."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from made_words import room, spoken, teach_words, write, write_clips
from terminal_pty import Pty

from edge_tl.labels import NOISE
from edge_tl.store.examples import ExampleStore

pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose profile `words` was taught and trained."""
    folder = tmp_path_factory.mktemp("words")
    return teach_words(write_clips(folder / "clips"), folder / "data")


def spawn(data: Path, *arguments: object, rows: int = 24, columns: int = 100) -> Pty:
    """The real command in a real pseudo-terminal."""
    code = "import sys; from device.commands.main import main; sys.exit(main())"
    return Pty.spawn([sys.executable, "-c", code, *map(str, arguments), "--data-dir", str(data)], rows, columns)


@pytest.fixture
def one_word(tmp_path: Path) -> Path:
    """A recording in place of the microphone: a word every two seconds, without end."""
    return write(tmp_path / "mic.wav", np.concatenate([room(0.3), spoken("hum", 3), room(0.3)]))


@pytest.fixture
def teach(tmp_path: Path, one_word: Path) -> Iterator[Pty]:
    """`edge-tl teach --mic` with two words."""
    labels = ("--labels", "hum", "hiss", "--min-examples", "2")
    with spawn(tmp_path / "data", "teach", "--mic", one_word, *labels) as pty:
        pty.wait_for("1 hum")
        yield pty


def counted(pty: Pty, label: str) -> int:
    """The number of recordings that the screen shows for a class."""
    for line in pty.screen():
        if found := re.search(rf"\d {label} +(\d+) in", line):
            return int(found[1])
    return 0


def test_a_key_and_a_word_make_an_example(teach: Pty, tmp_path: Path) -> None:
    """After a key the next word is on disk; u deletes it; t says what is missing; q restores the screen."""
    teach.wait_for("background noise")
    teach.wait_for("hears: speech")
    teach.send("1")
    teach.wait_for("say hum now")
    teach.wait_until(lambda pty: counted(pty, "hum") == 1, what="one recording")
    with ExampleStore(tmp_path / "data" / "profiles" / "default" / "examples.sqlite", writable=False) as store:
        (example,) = store.list()
        assert example.label == "hum"
        assert 0.8 < store.sound(example.id).duration_s < 2.0
    teach.send("t")
    teach.wait_for("still needed: 1 more of hum, 2 more of hiss, 2 more of background noise")
    teach.send("u", "u")
    teach.wait_for("deleted 1 example of hum")
    teach.send("r")
    teach.wait_for("no recording yet")
    teach.send("q")
    assert teach.wait_exit() == 0
    assert teach.restored()


def test_a_trained_profile_is_heard_and_played(tmp_path: Path, taught: Path, one_word: Path) -> None:
    """`listen` shows what is told, and `play --mic` is steered by it: the word's direction moves Pac-Man."""
    with spawn(taught, "listen", "--profile", "words", "--mic", one_word) as pty:
        pty.wait_for("→ hum")
        pty.wait_for("hiss")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert pty.restored()
    words = ("play", "--profile", "words", "--mic", one_word, "--steer", "left=hum", "right=hiss")
    with spawn(taught, *words) as pty:
        pty.wait_for("edge-tl play")
        pty.wait_for("→ hum")
        pty.send("q")
        assert pty.wait_exit() == 0


def test_a_plain_listen_tells_each_word_in_a_line(taught: Path, one_word: Path) -> None:
    """With --plain each word is a line of its own, with its probability, and q ends it."""
    with spawn(taught, "listen", "--plain", "--profile", "words", "--mic", one_word) as pty:
        pty.wait_until(lambda pty: re.search(r"\d\d  hum  \d+%\r\n", pty.plain()) is not None, what="a word")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert b"\x1b" not in pty.raw


def test_what_was_told_wrongly_is_marked_by_a_key(tmp_path: Path, taught: Path, one_word: Path) -> None:
    """n keeps the last word as noise, a digit what was missed or what it was; both counts are on disk."""
    data = shutil.copytree(taught, tmp_path / "data")
    with spawn(data, "listen", "--plain", "--profile", "words", "--mic", one_word) as pty:
        pty.wait_for("n false alarm  wrong, it was: 1 hiss  2 hum")
        pty.wait_until(lambda pty: re.search(r"\d\d  (hum|hiss)  \d+%\r\n", pty.plain()) is not None, what="a word")
        pty.send("n")
        pty.wait_for("the next training uses it")
        pty.send("n")
        pty.wait_for("corrected already, as nothing")
        pty.send("q")
        assert pty.wait_exit() == 0
    with ExampleStore(data / "profiles" / "words" / "examples.sqlite", writable=False) as store:
        (marked,) = [one for one in store.list() if one.source.startswith("marked: ")]
    assert marked.label == NOISE


def test_marks_come_as_lines_of_json_too(tmp_path: Path, taught: Path, one_word: Path) -> None:
    """With --json --marks each word has a number, a line marks it, and is answered; a bad one says what is wanted."""
    data = shutil.copytree(taught, tmp_path / "data")
    code = "import sys; from device.commands.main import main; sys.exit(main())"
    words = ["--json", "--marks", "--profile", "words", "--mic", one_word, "--data-dir", data]
    command = [sys.executable, "-c", code, "listen", *map(str, words)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as listening:
        assert listening.stdin is not None
        assert listening.stdout is not None
        told = json.loads(listening.stdout.readline())
        assert (told["label"], told["number"]) == ("hum", 1)
        for mark in ({"was": "hiss", "number": 1}, {"missed": "hum"}, {"wrong": 1}):
            print(json.dumps(mark), file=listening.stdin, flush=True)
        answers = [json.loads(listening.stdout.readline()) for _ in range(3)]
        listening.stdin.close()
        assert listening.wait() == 0
    assert answers[0] == {"kept": "kept as hiss: it was reported as hum; the next training uses it"}
    assert answers[1] == {"kept": "kept as hum: it was missed; the next training uses it"}
    assert "is wanted" in answers[2]["error"]
    with ExampleStore(data / "profiles" / "words" / "examples.sqlite", writable=False) as store:
        assert [one.label for one in store.list() if one.source.startswith("marked: ")] == ["hiss", "hum"]


def test_the_listen_screen_says_what_was_nearest(taught: Path, one_word: Path) -> None:
    """While nothing is told the nearest word is shown quietly, and once more when the screen is closed."""
    with spawn(taught, "listen", "--profile", "words", "--mic", one_word, "--threshold", "1.0") as pty:
        pty.wait_for("heard nothing above 1; nearest: hum")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert pty.restored()
        assert re.search(r"edge-tl: heard nothing above 1; nearest: hum (\.\d\d|1\.00) at \d\.\d s", pty.plain())


def test_a_screen_that_is_no_profile_of_words_is_one_line(taught: Path, one_word: Path) -> None:
    """`play` without --mic on a profile of words says what to give."""
    with spawn(taught, "play", "--profile", "words", "--camera", "sim") as pty:
        assert pty.wait_exit() == 1
        assert "was taught words: give --mic" in " ".join(pty.screen())


def test_camera_and_voice_steer_together(tmp_path: Path, taught: Path, one_word: Path) -> None:
    """With --mic-profile the camera plays with its own profile and the words of the other are heard beside it."""
    data = shutil.copytree(taught, tmp_path / "data")
    with spawn(
        data, "teach", "--camera", "sim", "--look", "frame", "--labels", "up", "left", "--min-examples", "4"
    ) as pty:
        pty.wait_for("1 up")
        for key, label in (("1", "up"), ("2", "left")):

            def more(pty: Pty, key: str = key, label: str = label) -> bool:
                pty.send(key)
                return counted(pty, label) >= 4

            pty.wait_until(more, what=f"examples of {label}")
        pty.send("t")
        pty.wait_for("trained on")
        pty.send("q")
        assert pty.wait_exit() == 0
    with spawn(data, "examples", "rename", "hum", "right", "--profile", "words") as pty:
        assert pty.wait_exit() == 0
    with spawn(data, "train", "--profile", "words") as pty:
        assert pty.wait_exit() == 0
    with spawn(data, "play", "--camera", "sim", "--mic", one_word, "--mic-profile", "words") as pty:
        pty.wait_for("frames/s")
        pty.wait_for("heard: right")
        pty.send("q")
        assert pty.wait_exit() == 0
