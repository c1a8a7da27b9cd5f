"""`examples import` of recordings with Audacity's labels: cut where somebody labelled them, and never elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command_run import Run, run_on
from made_words import RATE_HZ, room, spoken, write

from edge_tl.media.wav import read_wav

pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
ORDER = ("hum", "hiss", "hum", "hiss")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command on a data folder of its own: (exit code, stdout as JSON or text, stderr)."""
    return run_on(tmp_path / "data", capsys)


def labelled(folder: Path, *more: str) -> Path:
    """A recording of four words with the labels of each, and more lines."""
    words = [spoken(label, 60 + at) for at, label in enumerate(ORDER)]
    ends = np.cumsum([len(word) for word in words]) / RATE_HZ
    lines = [
        f"{end - len(word) / RATE_HZ + 0.2:.6f}\t{end - 0.2:.6f}\t{label}"
        for end, word, label in zip(ends, words, ORDER, strict=True)
    ]
    lines.insert(1, "\\\t200.0\t4000.0")  # of a label that somebody gave frequencies
    path = write(folder / "day.wav", np.concatenate(words))
    path.with_suffix(".txt").write_text("\n".join([*lines, *more]) + "\n")
    return path


@pytest.mark.parametrize("name", ["day.wav", "day.txt", ""])
def test_a_recording_is_cut_at_its_labels(run: Run, tmp_path: Path, name: str) -> None:
    """The recording, its labels or their folder: each part is a take of its class, and none reaches into the next."""
    path = labelled(tmp_path / "in")
    code, said, err = run("examples", "import", path.parent / name)
    assert (code, err) == (0, "")
    assert "imported 4 sounds in 4 takes; " in said
    assert "Audacity's labels" in said
    listed = run("examples", "list", "--json")[1]
    assert sorted(one["label"] for one in listed) == ["hiss", "hiss", "hum", "hum"]
    run("examples", "export", tmp_path / "out")
    kept = sum(len(read_wav(file)[0]) for file in (tmp_path / "out").rglob("*.wav"))
    assert kept <= len(read_wav(path)[0])
    assert run("examples", "import", path)[1].endswith(
        "4 are copies of others and were skipped; cut at Audacity's labels in day.txt\n"
    )


def test_what_is_no_part_of_it_is_left_out(run: Run, tmp_path: Path) -> None:
    """A moment, a part behind the end, one too long and one without a name are named, each with the reason."""
    path = labelled(tmp_path / "in", "0.5\t0.5\thum", "90.0\t90.5\thum", "0.1\t3.9\thiss", "0.1\t0.2\t")
    code, said, err = run("examples", "import", path)
    assert code == 1
    assert "imported 4 sounds in 4 takes; 4 left out" in said
    assert "left out: the recording ends at" in said
    assert "left out: too long for a word (at most 3 s)" in said
    assert "day.txt, line 6: it marks a moment and no part: drag over the word before you label it" in err
    assert "day.txt, line 9: " in err


def test_labels_alone_say_what_is_missing(run: Run, tmp_path: Path) -> None:
    """One line that names the recording that is wanted; a text of another form is no labels."""
    (tmp_path / "day.txt").write_text("0.5\t1.0\thum\n")
    code, _, err = run("examples", "import", tmp_path / "day.txt")
    assert (code, err.count("\n")) == (1, 1)
    assert "the recording is wanted beside them under that name, as day.wav, and none is there" in err
    write(tmp_path / "day.wav", room(2.0))
    (tmp_path / "day.txt").write_text("day one, in the kitchen\n")
    assert run("examples", "import", tmp_path / "day.wav")[2].endswith(
        "is a single file: give its class with --label NAME\n"
    )
