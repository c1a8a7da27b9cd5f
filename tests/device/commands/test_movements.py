"""Movements on the command line: imported, trained, judged, asked, exported, embedded again; or one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command_run import Run, run_on
from made_movements import performed, rest

from edge_tl.movements.track import Track

LABELS = ("circle", "left", "wave")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command on a data folder of its own: (exit code, stdout as JSON or text, stderr)."""
    return run_on(tmp_path / "data", capsys)


def write(path: Path, track: Track) -> Path:
    """A track as whoever has landmarks writes it: .npz or .csv by the path's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        np.savez(path, landmarks=track.landmarks, times_s=track.times_s)
    else:
        rows = np.column_stack([track.times_s, track.landmarks.reshape(len(track.times_s), -1)])
        names = ",".join(["time_s", *(f"{axis}{at}" for at in range(21) for axis in "xy")])
        np.savetxt(path, rows, delimiter=",", header=names, comments="")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three demonstrations of three movements, some of them tables, and twenty seconds of nothing."""
    for label in LABELS:
        for seed in range(3):
            write(tmp_path / "in" / label / f"{seed}.{'csv' if seed == 1 else 'npz'}", performed(label, seed))
    write(tmp_path / "in" / "nothing" / "about.npz", rest(7, 20))
    return tmp_path / "in"


def test_movements_are_imported_trained_judged_and_asked(run: Run, folder: Path, tmp_path: Path) -> None:
    """The head for movements is chosen by itself, takes are left out, and other demonstrations are named and found."""
    code, told, err = run("examples", "import", folder, "--json")
    assert (code, err) == (0, "")
    assert told == {"imported": 9 + 17, "copies": 0, "bad": 0, "takes": 10, "sessions": [1]}
    code, told, _ = run("train", "--json")
    assert (code, told["head"], told["look"]) == (0, "movement", "movement")
    assert told["classes"] == ["circle", "left", "nothing", "wave"]
    assert told["accuracy"] > 0.8
    assert "leave-one-take-out" in told["method"]
    code, text, _ = run("evaluate")
    assert code == 0
    assert "movement head, 26 examples" in text
    assert "none of these" not in text
    asked = [write(tmp_path / f"{label}.npz", performed(label, 50)) for label in ("circle", "left")]
    stream = write(tmp_path / "rest.csv", rest(9, 12))
    code, answers, err = run("predict", "--json", *asked, stream)
    assert (code, err) == (0, "")
    assert [one["label"] for one in answers] == ["circle", "left", None]
    assert [[moved["label"] for moved in one["told"]] for one in answers[:2]] == [["circle"], ["left"]]
    assert all(0.2 < moved["start_s"] < moved["end_s"] < 2.3 for one in answers[:2] for moved in one["told"])
    code, text, _ = run("predict", *asked[:1], stream)
    first, second = text.splitlines()
    assert "circle  " in first
    assert "found in the stream: circle at" in first
    assert "no single movement (the hand moves for" in second


def test_what_is_exported_is_imported_as_it_was(run: Run, folder: Path, tmp_path: Path) -> None:
    """Files come out byte for byte, another profile takes them, and the same again is skipped as copies."""
    run("examples", "import", folder)
    code, text, _ = run("examples", "export", tmp_path / "out")
    assert (code, text) == (0, f"exported 26 files to {tmp_path / 'out'}\n")
    code, told, err = run("examples", "import", tmp_path / "out", "--json")
    assert (code, err) == (0, "")
    assert (told["imported"], told["copies"]) == (0, 26)
    code, told, _ = run("examples", "import", tmp_path / "out", "--json", "--profile", "other")
    # Pieces of the one recording of nothing overlap: in takes of their own a test would find its like in the training.
    assert (code, told["imported"], told["bad"], told["takes"]) == (0, 26, 0, 10)
    listed = run("examples", "list", "--json", "--profile", "other")[1]
    assert {one["media_type"] for one in listed} == {"application/x-edge-tl-track"}


def test_everything_can_be_computed_again_and_carried_off(run: Run, folder: Path, tmp_path: Path) -> None:
    """A backup restored elsewhere is trained and asked, and its examples are embedded again from their tracks."""
    run("examples", "import", folder)
    run("train")
    assert run("backup", tmp_path / "all.zip")[0] == 0
    code, text, err = run("restore", tmp_path / "all.zip", "--profile", "again")
    assert (code, err) == (0, "")
    assert "before it can be used" not in text
    asked = write(tmp_path / "left.npz", performed("left", 60))
    assert run("predict", "--json", asked, "--profile", "again")[1][0]["label"] == "left"
    code, told, _ = run("examples", "re-embed", "--json", "--profile", "again")
    assert (code, told["re_embedded"], told["look"]) == (0, 0, "movement")


def test_what_is_said_of_few_demonstrations_and_of_no_nothing(run: Run, folder: Path) -> None:
    """One demonstration each is trained, and it says for whom; without `nothing` it says what that costs."""
    for path in [*folder.glob("*/[12].*"), *folder.glob("nothing/*")]:
        path.unlink()
    assert run("examples", "import", folder)[0] == 0
    code, text, _ = run("train")
    assert code == 0
    assert "fewer than 3 demonstrations of circle, left, wave: for this person only" in text
    assert "no 'nothing' was recorded" in text
    code, _, err = run("train", "--max-false-triggers-per-minute", "1")
    assert code == 1
    assert "needs the class nothing" in err


def test_a_budget_is_kept_for_the_next_training(run: Run, folder: Path) -> None:
    """Six a minute allow two false triggers in seventeen seconds of nothing, and the next training too."""
    run("examples", "import", folder)
    assert run("train", "--max-false-triggers-per-minute", "8")[0] == 0
    assert run("train")[0] == 0
    code, _, err = run("train", "--head", "ridge", "--max-false-triggers-per-minute", "8")
    assert code == 1
    assert "goes with movements and their head" in err


def test_a_page_tells_what_is_left_out_and_shows_paths(run: Run, folder: Path, tmp_path: Path) -> None:
    """`report` judges demonstrations left out, draws the path of some, and advises what movements want."""
    run("examples", "import", folder)
    run("train")
    code, told, err = run("report", "--out", tmp_path / "page.html", "--json")
    assert (code, err) == (0, "")
    assert told["advice"] == {"kind": "few", "text": "now nothing, a minute of ordinary hand motion, matters most"}
    page = (tmp_path / "page.html").read_text()
    assert "follows a hand: movement · head: movement" in page
    assert "“None of these”" not in page
    assert "on held-out takes" in page
    assert page.count("data:image/jpeg") >= 9
    for label in LABELS:
        assert f'<th scope="row">{label}</th>' in page


BY_JOINT = [0] + [1 + 4 * finger + joint for joint in range(4) for finger in range(5)]
"""As other models order a hand's points: joint by joint."""
BAD: dict[str, Callable[[Path], object]] = {
    "is no .npz of landmarks": lambda path: path.with_suffix(".npz").write_bytes(b"nothing of the kind"),
    "and no landmarks or times_s": lambda path: np.savez(path.with_suffix(".npz"), x=np.zeros(3)),
    "(frames, 21, 2 or 3) is wanted": lambda path: np.savez(
        path.with_suffix(".npz"), landmarks=np.zeros((9, 22, 3)), times_s=np.arange(9.0)
    ),
    "no hand is seen": lambda path: np.savez(
        path.with_suffix(".npz"), landmarks=np.zeros((9, 21, 2)), times_s=np.arange(9.0)
    ),
    "stand still or run back": lambda path: np.savez(
        path.with_suffix(".npz"), landmarks=performed("left", 0).landmarks[:9], times_s=np.zeros(9)
    ),
    "one at a time": lambda path: write(path.with_suffix(".npz"), rest(3, 60)),
    "hardly moved": lambda path: np.savez(
        path.with_suffix(".npz"),
        landmarks=np.repeat(performed("left", 0).landmarks[:1], 40, 0),
        times_s=np.arange(40) / 30,
    ),
    "another order than MediaPipe's": lambda path: np.savez(
        path.with_suffix(".npz"),
        landmarks=performed("left", 0).landmarks[:, BY_JOINT],
        times_s=performed("left", 0).times_s,
    ),
    "no hand is seen in two pictures": lambda path: np.savez(
        path.with_suffix(".npz"), landmarks=performed("left", 0).landmarks[:1], times_s=np.zeros(1)
    ),
    "two pictures that follow each other": lambda path: np.savez(
        path.with_suffix(".npz"), landmarks=np.full((40, 21, 2), np.nan), times_s=np.arange(40) / 30
    ),
    "moves for 59": lambda path: write(path.with_suffix(".csv"), rest(3, 600)),
    "time stamp": lambda path: np.savez(
        path.with_suffix(".npz"),
        landmarks=performed("left", 0).landmarks,
        times_s=performed("left", 0).times_s[::-1],
    ),
    "columns; the time in seconds": lambda path: path.with_suffix(".csv").write_text("a,b\n1,2\n"),
    "has no row of numbers": lambda path: path.with_suffix(".csv").write_text("a,b\n"),
    "other separators than commas": lambda path: path.with_suffix(".csv").write_text(";".join(["0,5"] * 43) + "\n"),
    "the frames are 33.3 s apart; at most 0.3 s are wanted": lambda path: np.savez(
        path.with_suffix(".npz"),
        landmarks=performed("left", 0).landmarks,
        times_s=1000 * performed("left", 0).times_s,
    ),
    "landmarks reach 1e+30": lambda path: np.savez(
        path.with_suffix(".npz"),
        landmarks=1e30 * np.sign(performed("left", 0).landmarks),
        times_s=performed("left", 0).times_s,
    ),
    "is no picture, sound or track (it ends in '.npy')": lambda path: np.save(path.with_suffix(".npy"), np.zeros(9)),
    "what is no number": lambda path: path.with_suffix(".csv").write_text(",".join(["1"] + ["x"] * 42) + "\n"),
}


@pytest.mark.parametrize("said", BAD)
def test_a_file_that_is_none_is_named_in_a_line(run: Run, folder: Path, said: str) -> None:
    """What cannot be a demonstration is left out and named with the reason, and the others are imported."""
    BAD[said](folder / "left" / "bad")
    code, told, err = run("examples", "import", folder, "--json")
    assert (code, told["bad"], told["imported"]) == (1, 1, 26)
    (line,) = err.splitlines()
    assert "bad." in line
    assert said in line


def test_two_hands_are_the_one_that_is_there_most(run: Run, folder: Path, tmp_path: Path) -> None:
    """A file with a second hand, seen for a moment, and one with a gap and late frames are read as they should be."""
    track = performed("left", 50)
    both = np.full((len(track.times_s), 2, 21, 2), np.nan)
    both[:, 1], both[:9, 0] = track.landmarks, performed("circle", 4).landmarks[:9]
    np.savez(tmp_path / "two.npz", landmarks=both, times_s=track.times_s)
    late = track.times_s.copy()
    late[20], gap = late[19], track.landmarks.copy()
    gap[30:34] = np.nan
    np.savez(tmp_path / "late.npz", landmarks=gap, times_s=late)
    run("examples", "import", folder)
    run("train")
    code, answers, err = run("predict", "--json", tmp_path / "two.npz", tmp_path / "late.npz")
    assert (code, err) == (0, "")
    assert [one["label"] for one in answers] == ["left", "left"]


def test_movements_and_pictures_are_profiles_of_their_own(run: Run, folder: Path) -> None:
    """What does not know movements yet says so, and a profile of them takes no pictures."""
    run("examples", "import", folder)
    run("train")
    for command in (["detect"], ["model", "fuse", "--out", "x.tflite"]):
        code, _, err = run(*command)
        assert (code, len(err.splitlines())) == (1, 1), command
    code, _, err = run("examples", "import", folder, "--label", "left")
    assert (code, "leave --label out" in err) == (1, True)
    code, _, err = run("listen", "--mic", "none.wav")
    assert (code, "was taught with movements" in err) == (1, True)
    code, _, err = run("detect")
    assert (code, "this profile was taught movements" in err, "--profile boxes" in err) == (1, True, True)
    code, _, err = run("predict", __file__)
    assert (code, "is no track of a hand: an .npz" in err) == (1, True)


def test_one_class_wants_another_and_no_other_head(run: Run, folder: Path) -> None:
    """Where only one movement was recorded, training says what is missing, and advises no head that knows none."""
    for path in [*folder.glob("circle/*"), *folder.glob("wave/*"), *folder.glob("nothing/*")]:
        path.unlink()
    run("examples", "import", folder)
    code, _, err = run("train")
    assert (code, "teach another class" in err, "knn" in err) == (1, True, False)


def test_a_movement_is_found_within_its_track(run: Run, folder: Path, tmp_path: Path) -> None:
    """A file that begins with the movement has it from its first frame on: no time is below 0."""
    run("examples", "import", folder)
    run("train")
    run("examples", "export", tmp_path / "out")
    files = sorted((tmp_path / "out").glob("[cl]*/*/*.npz"))
    code, answers, _ = run("predict", "--json", *files)
    starts = [moved["start_s"] for one in answers for moved in one["told"]]
    assert (code, min(starts)) == (0, 0.0)
