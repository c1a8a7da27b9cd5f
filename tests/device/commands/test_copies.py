"""Copies at `edge-tl examples import`: the same bytes twice teach nothing twice, and never win under another label."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from command_run import Run, run_on

from device.commands.examples_import import TOLD
from device.commands.model_adapt import held_out_of
from edge_tl.core.near_copies import SIDE
from edge_tl.media.image import decode, encode_jpeg, save_png
from edge_tl.media.wav import encode_wav


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command on a data folder of its own: (exit code, stdout as JSON or text, stderr)."""
    return run_on(tmp_path / "data", capsys)


def fill(root: Path, label: str, numbers: range | list[int], ending: str = "jpg") -> None:
    """Pictures of noise, each number always the same file, in a folder of a label."""
    (root / label).mkdir(parents=True, exist_ok=True)
    for number in numbers:
        picture = np.random.default_rng(number).integers(0, 256, (60, 80, 3)).astype(np.uint8)
        if ending == "png":
            save_png(root / label / f"{number}.png", picture)
        else:
            (root / label / f"{number}.jpg").write_bytes(encode_jpeg(picture))


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_what_is_there_already_is_passed_over(run: Run, tmp_path: Path, ending: str) -> None:
    """Imported again, beside new pictures and twice in one folder, a picture stays one example and is counted."""
    fill(tmp_path / "in", "a", range(3), ending)
    assert run("examples", "import", tmp_path / "in", "--json")[1]["copies"] == 0
    code, told, err = run("examples", "import", tmp_path / "in", "--json")
    assert (code, err) == (0, "")
    assert told == {"imported": 0, "copies": 3, "bad": 0, "takes": 0, "sessions": [], "nothing_found": 0}
    fill(tmp_path / "in", "a", [3], ending)
    shutil.copy(tmp_path / "in" / "a" / f"3.{ending}", tmp_path / "in" / "a" / f"4.{ending}")
    code, text, err = run("examples", "import", tmp_path / "in")
    assert (code, err) == (0, "")
    assert text == f"imported 1 picture in 1 take{TOLD}; 4 are copies of others and were skipped\n"
    assert len(run("examples", "list", "--json")[1]) == 4


def test_near_copies_under_two_labels_are_named(run: Run, tmp_path: Path) -> None:
    """The same picture encoded anew under another label: `evaluate` names both examples, for one of them is wrong."""
    fill(tmp_path / "one", "a", range(4))
    fill(tmp_path / "one", "b", range(4, 8))
    run("examples", "import", tmp_path / "one")
    (tmp_path / "two" / "b").mkdir(parents=True)
    picture = decode(tmp_path / "one" / "a" / "1.jpg")
    (tmp_path / "two" / "b" / "1.jpg").write_bytes(encode_jpeg(picture, 70))
    assert run("evaluate", "--json")[1]["contradictions"] == []
    run("examples", "import", tmp_path / "two")
    assert run("evaluate", "--json")[1]["contradictions"] == [[2, 9]]
    assert run("evaluate")[1].splitlines()[-1] == "       2 (a) and 9 (b)"


def test_near_copies_with_boxes_are_on_one_side(run: Run, tmp_path: Path) -> None:
    """Copies of pictures with boxes count with the takes of what they copy, and `evaluate` says how many there are."""
    rows = ["file,label,left,top,right,bottom,take"]
    for take in range(6):
        fill(tmp_path / "in", "a", [take])
        (tmp_path / "in" / "a" / f"{take}b.jpg").write_bytes(
            encode_jpeg(decode(tmp_path / "in" / "a" / f"{take}.jpg"), 70)
        )
        rows += [f"a/{take}.jpg,mug,10,10,40,40,{take}", f"a/{take}b.jpg,mug,10,10,40,40,{take + 6}"]
    (tmp_path / "in" / "l.csv").write_text("\n".join(rows))
    assert run("examples", "import", tmp_path / "in" / "l.csv", "--json")[1]["imported"] == 12
    assert run("evaluate", "--json")[1]["near_copies"] == 6
    assert "6 examples are near-copies of others" in run("evaluate")[1]


@pytest.mark.parametrize("count", [1, 2])
def test_near_copies_are_not_held_out_of_what_an_adapted_network_learns(count: int) -> None:
    """A block of copies is held out whole or not at all, and a class that is one picture is not asked."""
    rng = np.random.default_rng(0)
    small = np.repeat(rng.integers(0, 256, (5, SIDE * SIDE)), 2, axis=0).astype(np.uint8)
    held = held_out_of(small, count, rng)
    assert held.sum() == 2
    np.testing.assert_array_equal(held[::2], held[1::2])
    assert not held_out_of(small[:2], count, rng).any()


def test_of_two_labels_in_a_folder_neither_wins(run: Run, tmp_path: Path) -> None:
    """The same picture under two labels is named with both its files, and neither is imported."""
    fill(tmp_path / "in", "a", [1, 2])
    fill(tmp_path / "in", "b", [2, 3])
    code, told, err = run("examples", "import", tmp_path / "in", "--json")
    assert (code, told["imported"], told["bad"], told["copies"]) == (1, 2, 2, 0)
    assert len(err.splitlines()) == 2
    for line in err.splitlines():
        assert str(Path("a") / "2.jpg") in line
        assert str(Path("b") / "2.jpg") in line
    assert [one["label"] for one in run("examples", "list", "--json")[1]] == ["a", "b"]


def test_what_the_profile_has_under_another_label_stays(run: Run, tmp_path: Path) -> None:
    """The new file is left out and the example named; once that is removed, as the line says, the file comes in."""
    fill(tmp_path / "one", "a", [1, 2])
    fill(tmp_path / "two", "b", [2])
    run("examples", "import", tmp_path / "one")
    code, told, err = run("examples", "import", tmp_path / "two", "--json")
    assert (code, told["imported"], told["bad"]) == (1, 0, 1)
    assert "example 2" in err
    assert "'a'" in err
    assert run("examples", "remove", "--id", 2)[0] == 0
    assert run("examples", "import", tmp_path / "two", "--json")[1]["imported"] == 1


def test_an_export_comes_in_again_as_copies(run: Run, tmp_path: Path) -> None:
    """What a profile exported, it knows: as folders and as a list of boxes."""
    fill(tmp_path / "in", "a", range(2))
    rows = ["a/0.jpg,a,7,3,60.31,41.77", "a/0.jpg,b,1,1,30,20", "a/1.jpg,a,,,,"]
    (tmp_path / "in" / "l.csv").write_text("\n".join(["file,label,left,top,right,bottom", *rows]))
    code, told, _ = run("examples", "import", tmp_path / "in" / "l.csv", "--json")
    assert (code, told["imported"], told["copies"]) == (0, 3, 0)
    listed = run("examples", "export", tmp_path / "out", "--format", "csv", "--json")[1]["list"]
    code, told, err = run("examples", "import", listed, "--json")
    assert (code, told["imported"], told["copies"], err) == (0, 0, 3, "")


def test_a_box_under_two_labels_is_a_contradiction(run: Run, tmp_path: Path) -> None:
    """The same picture with the same box is one thing; with another box it may be another."""
    fill(tmp_path, "x", [1])
    rows = ["x/1.jpg,a,1,1,30,20", "x/1.jpg,b,1,1,30,20", "x/1.jpg,b,9,9,50,40"]
    (tmp_path / "l.csv").write_text("\n".join(["file,label,left,top,right,bottom", *rows]))
    code, told, err = run("examples", "import", tmp_path / "l.csv", "--json")
    assert (code, told["imported"], told["bad"]) == (1, 1, 2)
    assert err.count("neither") == 2


def test_sounds_are_passed_over_too(run: Run, tmp_path: Path) -> None:
    """A recording that is there already teaches nothing; nor does it under another word."""
    for needed in ("soundfile", "soxr", "pyopen_wakeword"):
        pytest.importorskip(needed, reason=f"{needed} is not installed: pip install -e .[speech]")
    for label in ("yes", "no"):
        (tmp_path / "in" / label).mkdir(parents=True)
        for number in range(2):
            sound = np.random.default_rng([number, len(label)]).uniform(-0.3, 0.3, 16000).astype(np.float32)
            (tmp_path / "in" / label / f"{number}.wav").write_bytes(encode_wav(sound, 16000))
    words = ("--profile", "words", "--json")
    code, told, err = run("examples", "import", tmp_path / "in", *words)
    assert (code, told["imported"], err) == (0, 4, "")
    (tmp_path / "more" / "no").mkdir(parents=True)
    shutil.copy(tmp_path / "in" / "yes" / "0.wav", tmp_path / "more" / "no" / "0.wav")
    shutil.copy(tmp_path / "in" / "no" / "0.wav", tmp_path / "more" / "no" / "1.wav")
    code, told, err = run("examples", "import", tmp_path / "more", *words)
    assert (code, told["imported"], told["copies"], told["bad"]) == (1, 0, 1, 1)
    assert "'yes'" in err
