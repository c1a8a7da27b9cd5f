"""Words on the command line: brought along, trained, evaluated, told, and taught in a real terminal."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_words import RATE_HZ, room, spoken, teach_words, write, write_clips
from tiny_profile import fill, model_folder

from device.commands.main import main
from edge_tl.labels import NOISE
from edge_tl.media.image import decode
from edge_tl.media.tfjsscds import SpokenExample, read_tfjsscds, write_tfjsscds

soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")
pytest.importorskip("pyopen_wakeword", reason="pyopen-wakeword is not installed: pip install -e .[speech]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of two words, and of the room."""
    return write_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def taught(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose profile `words` was taught and trained."""
    return teach_words(folder, tmp_path_factory.mktemp("data"))


Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(taught: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command on the taught profile: (exit code, stdout as JSON or text, stderr)."""

    def call(*arguments: object, profile: str = "words", data: Path = taught) -> tuple[int, Any, str]:
        capsys.readouterr()
        code = main([*map(str, arguments), "--profile", profile, "--data-dir", str(data)])
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in arguments and arguments[0] != "listen" and out else out, err

    return call


def test_a_folder_of_recordings_becomes_words(run: Run) -> None:
    """Each recording is an example in a take of its own; the noise is cut into five; their names for it are ours."""
    _, listed, _ = run("examples", "list", "--json")
    counts = {label: sum(one["label"] == label for one in listed) for label in ("hum", "hiss", NOISE)}
    assert counts == {"hum": 8, "hiss": 8, NOISE: 5}
    assert len({one["take"] for one in listed}) == 21
    assert {one["media_type"] for one in listed} == {"audio/wav"}


def test_training_says_how_many_words_would_be_told(run: Run) -> None:
    """Accuracy on recordings left out, and how many of them a listener would tell."""
    code, said, _ = run("train", "--json")
    assert (code, said["examples"], said["accuracy"]) == (0, 21, 1.0)
    used = next(one for one in said["thresholds"] if one["threshold"] == said["listening"]["threshold"])
    assert used["words"] == 16
    assert used["told"] >= 14
    _, text, _ = run("evaluate")
    assert "recordings of words are detected" in text
    assert re.search(r"half of them within 0\.\d\d s of the middle of the word", text)
    assert "false alarms are unknown" in text
    assert "21 examples" in text
    assert "accuracy 100.0% on held-out takes" in text


def test_the_report_shows_what_was_said(run: Run, tmp_path: Path) -> None:
    """The page has a spectrogram for each example shown, and says what listened."""
    out = tmp_path / "report.html"
    assert run("report", "--out", out)[0] == 0
    page = out.read_text()
    assert "listens with: speech" in page
    assert page.count("data:image/jpeg") >= 15


def test_words_are_told_where_they_are_said(run: Run, tmp_path: Path) -> None:
    """Of a long recording each word is told once, in its order, soon after it; the room between tells nothing."""
    parts = [room(2.0), spoken("hum", 50), room(2.5), spoken("hiss", 51), room(3.0), spoken("hum", 52), room(1.0)]
    path = write(tmp_path / "long.wav", np.concatenate(parts))
    code, out, _ = run("listen", "--json", "--mic", path)
    told = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [word["label"] for word in told] == ["hum", "hiss", "hum"]
    middles = np.cumsum([len(part) for part in parts])[[0, 2, 4]] / RATE_HZ + 0.7
    assert all(0 < word["at_s"] - middle < 1.2 for word, middle in zip(told, middles, strict=True))
    assert all(0.5 < word["confidence"] <= 1 for word in told)
    _, short, _ = run("listen", "--json", "--mic", path, "--seconds", "5")
    assert short.splitlines() == out.splitlines()[:1]


def test_where_nothing_is_told_the_nearest_word_is_named(run: Run, tmp_path: Path) -> None:
    """The one line of JSON has no label and the nearest word; a person reads it on stderr. Of noise that is said."""
    path = write(tmp_path / "hum.wav", np.concatenate([room(1.0), spoken("hum", 50), room(1.0)]))
    code, out, err = run("listen", "--json", "--mic", path, "--threshold", "1.0")
    (said,) = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert (said["label"], said["threshold"], said["nearest"]["label"]) == (None, 1.0, "hum")
    assert 0.5 < said["nearest"]["confidence"] < 1
    assert 1.0 < said["nearest"]["at_s"] < 3.0
    assert said["nearest"]["because"] == "not confident enough"
    _, _, err = run("listen", "--mic", path, "--threshold", "1.0")
    assert re.fullmatch(r"edge-tl: heard nothing above 1; nearest: hum (\.\d\d|1\.00) at [12]\.\d s\n", err)
    _, out, err = run("listen", "--mic", write(tmp_path / "room.wav", room(3.0, 40)))
    assert json.loads(out)["nearest"]["because"] == f"rather {NOISE}"
    assert re.search(rf"heard nothing above .*, rather {NOISE}\n", err)


def test_what_is_predicted_is_what_listen_tells(run: Run, taught: Path, tmp_path: Path) -> None:
    """The words of a recording, each as sure as a listener counts; what is below the threshold says so."""
    parts = [np.zeros(RATE_HZ, np.float32), spoken("hum", 50), room(2.5), spoken("hiss", 51)]
    path = write(tmp_path / "two.wav", np.concatenate(parts))
    told = [json.loads(line)["label"] for line in run("listen", "--json", "--mic", path)[1].splitlines()]
    ((answer,), text) = run("predict", path, "--json")[1], run("predict", path)[1]
    assert [word["label"] for word in answer["told"]] == told == ["hum", "hiss"]
    assert (answer["label"], answer["confidence"]) == ("hum", answer["told"][0]["confidence"])
    assert re.fullmatch(r".*two\.wav: hum  \d\d\.\d%, then hiss  \d\d\.\d%\n", text)
    strict = shutil.copytree(taught, tmp_path / "strict")
    assert run("train", "--threshold", "1.0", data=strict)[0] == 0
    (answer,) = run("predict", path, "--json", data=strict)[1]
    assert (answer["label"], answer["told"]) == ("hum", [])
    assert re.search(
        r": hum  \d\d\.\d%, not confident enough: the threshold is 100%\n", run("predict", path, data=strict)[1]
    )
    assert run("predict", write(tmp_path / "room.wav", room(3.0, 40)), "--json")[1][0]["label"] == NOISE


def test_a_budget_of_false_alarms_chooses_the_threshold(run: Run, tmp_path: Path) -> None:
    """Sounds without the words are counted in; the threshold that keeps the budget is kept with the trained head."""
    other = write(tmp_path / "other" / "a.wav", np.concatenate([room(30.0, 5), *[spoken("hum", 70) * 0.5] * 2]))
    code, said, _ = run("train", "--against", other.parent, "--max-false-alarms-per-hour", "1000", "--json")
    assert code == 0
    by_threshold = {one["threshold"]: one for one in said["thresholds"]}
    chosen = by_threshold[said["listening"]["threshold"]]
    assert chosen["false_alarms"] <= 1000 * chosen["hours"]
    assert chosen["hours"] == pytest.approx(16 / 3600, rel=0.1)  # the other half taught
    assert run("train", "--json")[1]["listening"] == said["listening"]
    _, text, _ = run("evaluate", "--against", other)
    assert re.search(r"false alarms: \d+ in 0\.3 minutes, .* an hour \(at most [\d.]+ with 95 % confidence\)", text)
    curve = tmp_path / "curve.svg"
    assert run("evaluate", "--against", other, "--threshold", "0.5", "--curve", curve)[0] == 0
    drawn = curve.read_text()
    assert "threshold 0.5" in drawn
    points = drawn.split('" fill="none" stroke="#2471a3"')[0].rsplit('points="', 1)[1].split()
    assert len(points) == len(by_threshold.keys() - {said["listening"]["threshold"]} | {0.5})
    assert run("evaluate", "--against", other, "--curve", tmp_path / "curve.png")[0] == 0
    assert decode(tmp_path / "curve.png").shape[2] == 3
    run("train", "--threshold", "0.75")


def test_a_sound_under_two_names_is_heard_once(run: Run, folder: Path, tmp_path: Path) -> None:
    """The same recording, softer and a little shorter, neither judges what it taught nor proves twice as much."""
    sound = np.concatenate([room(10.0, 5), spoken("hum", 71)])
    other = write(tmp_path / "other" / "a.wav", sound)
    write(tmp_path / "other" / "b.wav", sound[90:] * 0.5)
    data = teach_words(folder, tmp_path / "data")  # others train the shared one against sounds
    _, alone, _ = run("evaluate", "--against", other, "--json", data=data)
    _, both, err = run("evaluate", "--against", other.parent, "--json", data=data)
    assert both["thresholds"] == alone["thresholds"]
    assert err == "edge-tl: skipped b.wav: the same sound stands under another name in --against\n"
    write(other.parent / "c.wav", sound)
    write(other.parent / "d.wav", sound)
    _, more, err = run("train", "--against", other.parent, "--json", data=data)
    assert "skipped b.wav and 2 more: " in err
    assert 0 < more["thresholds"][0]["hours"] < 0.6 * alone["thresholds"][0]["hours"]  # half of the one taught


def test_the_next_step_of_words_is_taught_with_the_microphone(run: Run, folder: Path, tmp_path: Path) -> None:
    """What `train` and `evaluate` advise to record opens the microphone: `teach` alone refuses a profile of words."""
    data = teach_words(folder, tmp_path / "data")
    for command in ("train", "evaluate"):
        code, said, _ = run(command, data=data)
        assert code == 0
        assert re.search(
            r"record a second, short session there \(`edge-tl teach --mic --profile \w+[^`]*`, key s\)", said
        )


def test_a_recording_that_is_too_short_is_named(run: Run, tmp_path: Path) -> None:
    """What cannot be taught is left out with the name of its file, and the others are kept."""
    write(tmp_path / "in" / "hum" / "click.wav", spoken("hum", 80)[:400])
    write(tmp_path / "in" / "hum" / "good.wav", spoken("hum", 81))
    code, _, said = run("examples", "import", tmp_path / "in", profile="short")
    assert code == 1
    assert re.search(r"click\.wav: is 0\.03 s long; 0\.1 s and more are wanted", said)


def test_variations_are_taught_and_not_asked(run: Run, tmp_path: Path) -> None:
    """`--augment` trains on noisy, louder and slower recordings too; the accuracy is that of the recordings alone."""
    plain = run("train", "--json")[1]
    code, text, _ = run("train", "--augment")
    assert code == 0
    assert "and on 48 variations of them" in text
    augmented = run("train", "--augment", "--json")[1]
    assert (augmented["accuracy"], augmented["examples"]) == (plain["accuracy"], plain["examples"])
    assert run("predict", write(tmp_path / "hum.wav", spoken("hum", 91)), "--json")[1][0]["label"] == "hum"
    model = model_folder(tmp_path / "model")
    data = tmp_path / "data"
    assert run("examples", "import", fill(tmp_path / "p"), "--model", model, profile="signs", data=data)[0] == 0
    code, _, err = run("train", "--augment", "--model", model, profile="signs", data=data)
    assert code == 1
    assert "--augment varies recordings of words" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("train", "--max-false-alarms-per-hour", "1"), "needs --against PATH"),
        (("evaluate", "--against", "nowhere.wav"), "nowhere.wav: cannot be read"),
        (("evaluate", "--curve", "curve.svg"), "--against PATH"),
        (("listen", "--json", "--mic", "nowhere.wav"), "nowhere.wav: cannot be read"),
        (("listen", "--json", "--mic", ""), "wanted auto|NAME|NUMBER|FILE|-|stdin:HZ|rtsp://…"),
        (("examples", "re-embed", "--look", "frame"), "goes with pictures"),
        (("predict", "nowhere.wav"), "nowhere.wav"),
    ],
)
def test_what_cannot_be_is_one_line(run: Run, words: tuple[str, ...], says: str) -> None:
    """Wrong input to the commands of words ends with one line that says what was wanted."""
    code, _, err = run(*words)
    assert code == 1
    assert says in err
    assert err.count("\n") == 1


def test_words_and_pictures_do_not_mix(run: Run, tmp_path: Path) -> None:
    """A profile of pictures takes no words and one of words no pictures; each line names the way out."""
    model = model_folder(tmp_path / "model")
    pictures = fill(tmp_path / "pictures")
    code, _, err = run("examples", "import", pictures, "--model", model)
    assert code == 1
    assert "holds pictures, and profile 'words' holds words: give another --profile" in err
    data = tmp_path / "data"
    assert run("examples", "import", pictures, "--model", model, profile="signs", data=data)[0] == 0
    clips = write(tmp_path / "clips" / "hum" / "1.wav", spoken("hum", 1)).parents[1]
    for words in (("examples", "import", clips), ("listen", "--json", "--mic", clips / "hum" / "1.wav")):
        code, _, err = run(*words, profile="signs", data=data)
        assert code == 1
        assert "was taught with pictures" in err
    assert len(run("examples", "list", "--json", profile="signs", data=data)[1]) == 24


def test_recordings_go_out_and_come_back(run: Run, tmp_path: Path) -> None:
    """The exported WAV files, imported again, are the same sounds with the same labels."""
    assert run("examples", "export", tmp_path / "out")[0] == 0
    assert run("examples", "import", tmp_path / "out", data=tmp_path / "data")[0] == 0
    _, before, _ = run("examples", "list", "--json")
    _, after, _ = run("examples", "list", "--json", data=tmp_path / "data")
    key = ("label", "media_bytes_len", "fingerprint")
    assert sorted(tuple(one[name] for name in key) for one in after) == sorted(
        tuple(one[name] for name in key) for one in before
    )


def test_a_browsers_data_set_comes_and_goes_to_the_byte(run: Run, tmp_path: Path) -> None:
    """Examples with and without their sound are kept and listed; what goes out again is the file that came."""
    rng = np.random.default_rng(1)
    made = []
    for number in range(6):
        label = ("hiss", "hum")[number % 2]
        sound = spoken(label, number) if number < 4 else None
        plane = rng.normal(-60, 10, (43, 232)).astype(np.float32)
        made.append(SpokenExample(label, plane, 20, sound, None if sound is None else RATE_HZ))
    data = write_tfjsscds(made)
    path, out, store = tmp_path / "mine.bin", tmp_path / "back.bin", tmp_path / "data"
    path.write_bytes(data)
    code, said, _ = run("examples", "import", path, "--json", data=store)
    assert (code, said) == (0, {"imported": 6, "copies": 0, "with_sound": 4, "trainable": 4})
    listed = run("examples", "list", "--json", data=store)[1]
    assert [bool(one["fingerprint"]) for one in sorted(listed, key=lambda one: one["media_bytes_len"])] == [
        False,
        False,
        True,
        True,
        True,
        True,
    ]
    code, text, err = run("train", data=store)
    assert code == 0
    assert "trained ridge on 4 examples" in text
    assert "2 examples" in err
    assert "spectrogram" in err
    assert run("examples", "export", out, "--format", "tfjsscds", data=store)[0] == 0
    assert out.read_bytes() == data
    assert run("examples", "export", out, "--format", "tfjsscds", data=store)[0] == 1
    code, said, err = run("examples", "export", tmp_path / "folder", data=store)
    assert (code, said) == (1, "")
    assert "there is nothing to export: 6 examples are of a browser's data set" in err
    write(tmp_path / "more" / "hum" / "1.wav", spoken("hum", 9))
    run("examples", "import", tmp_path / "more", data=store)
    code, said, err = run("examples", "export", tmp_path / "folder", data=store)
    assert (code, said.startswith("exported 1 file ")) == (0, True)
    assert "6 examples are of a browser's data set and become no file in a folder: `--format tfjsscds`" in err
    path.write_bytes(data[:-3])
    code, _, err = run("examples", "import", path, data=store)
    assert code == 1
    assert str(path) in err


def test_recordings_become_a_browsers_data_set(run: Run, tmp_path: Path) -> None:
    """Words taught here go out as spectrograms with their sound, the noise under the name it has there."""
    out = tmp_path / "words.bin"
    assert run("examples", "export", out, "--format", "tfjsscds")[0] == 0
    examples = read_tfjsscds(out.read_bytes())
    assert len(examples) == 21
    assert {one.label for one in examples} == {"hum", "hiss", "_background_noise_"}
    assert all(one.spectrogram.shape[1] == 232 and one.rate_hz == 44_100 for one in examples)


def test_files_are_named_by_their_word(run: Run, tmp_path: Path) -> None:
    """`predict` names the word in a file; a file that is no sound is named and makes exit 1."""
    good = write(tmp_path / "hiss.wav", spoken("hiss", 90))
    code, said, _ = run("predict", good, "--json")
    assert (code, said[0]["label"]) == (0, "hiss")
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF")
    assert run("predict", good, bad)[0] == 1


def test_one_example_that_cannot_be_taught_does_not_refuse_the_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Three samples are no word: the example is named, kept beside the others, and goes out again byte for byte."""
    rng = np.random.default_rng(4)
    spectrogram = rng.normal(-60, 9, (43, 232)).astype(np.float32)
    sound = rng.normal(0, 0.1, 44100).astype(np.float32)
    examples = [
        SpokenExample("yes", spectrogram, 20, sound, 44100),
        SpokenExample("yes", spectrogram + 1, 20, sound[:3], 44100),
    ]
    (tmp_path / "a.bin").write_bytes(write_tfjsscds(examples))
    data = ["--data-dir", str(tmp_path / "data")]
    assert main(["examples", "import", str(tmp_path / "a.bin"), *data]) == 0
    said, err = capsys.readouterr()
    assert said.startswith("imported 2 recordings of 1 class; 1 contained no sound that can be used for training")
    assert "an example of 'yes' is kept and not trained on" in err
    assert main(["examples", "list", "--json", *data]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    assert main(["examples", "export", str(tmp_path / "b.bin"), "--format", "tfjsscds", *data]) == 0
    assert (tmp_path / "b.bin").read_bytes() == (tmp_path / "a.bin").read_bytes()
