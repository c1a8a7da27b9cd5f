"""What telephones write, at the command: memos, long recordings, clips, and sounds in the place of others."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from command_run import Run, run_on
from made_words import RATE_HZ, room, spoken, teach_words, write, write_clips
from phone_files import film, sound_file
from places import ROOT
from striped import picture

from edge_tl.media.frontend import spectrogram
from edge_tl.media.image import decode
from edge_tl.media.resample import resample
from edge_tl.media.tfjsscds import read_tfjsscds

COMMAND = (sys.executable, "-c", "import sys; from device.commands.main import main; sys.exit(main(sys.argv[1:]))")
pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command on a data folder of its own: (exit code, stdout as JSON or text, stderr)."""
    return run_on(tmp_path / "data", capsys)


def memo(path: Path, samples: np.ndarray) -> Path:
    """A telephone's recording, in the kind that its ending names."""
    rate_hz = {"webm": 48_000, "3gp": 8_000}.get(path.suffix[1:], RATE_HZ)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sound_file(path.suffix[1:], resample(samples, RATE_HZ, rate_hz), rate_hz))
    return path


def test_memos_are_taught_asked_and_held_against(run: Run, tmp_path: Path) -> None:
    """m4a, webm and 3gp are imported as classes and named by predict, and count false alarms, also from a ZIP.

    What lies in a folder called like a word that was taught, and clutter, is no false alarm.
    """
    clips = write_clips(tmp_path / "clips")
    for label, ending in (("hum", "m4a"), ("hiss", "webm"), ("hum", "3gp")):
        memo(clips / label / f"memo.{ending}", spoken(label, 50))
    (clips / "hum" / "._memo.m4a").write_bytes(b"\0\5\x16\7")
    code, said, err = run("examples", "import", clips, "--profile", "words")
    assert (code, err) == (0, "")
    assert said.startswith("imported 24 sounds")
    assert run("train", "--profile", "words")[0] == 0
    asked = memo(tmp_path / "asked.m4a", spoken("hum", 77))
    assert run("predict", asked, "--profile", "words", "--json")[1][0]["label"] == "hum"
    others = tmp_path / "others"
    memo(others / "kitchen" / "a.m4a", room(6.0, 3))
    write(others / "b.wav", room(5.0, 4))
    write(others / "Hum" / "1.wav", spoken("hum", 78))
    (others / "__MACOSX").mkdir()
    (others / "__MACOSX" / "c.wav").write_bytes(b"none")
    with zipfile.ZipFile(tmp_path / "others.zip", "w") as packed:
        for file in others.rglob("*.*"):
            packed.write(file, file.relative_to(others))
    for path in (others, tmp_path / "others.zip"):
        code, said, err = run("evaluate", "--profile", "words", "--against", path)
        assert code == 0
        assert err == "edge-tl: skipped 1 sound of Hum in --against: it is taught\n"
        assert "false alarms: 0 in 0.2 minutes" in said


def test_a_long_recording_is_cut_into_its_words(run: Run, tmp_path: Path) -> None:
    """`--preview` says what would be kept and keeps nothing; then each time the word is said is a take of its own."""
    clips = write_clips(tmp_path / "clips")
    teach_words(clips, tmp_path / "data")
    long = memo(tmp_path / "long.m4a", np.concatenate([*(spoken("hum", 60 + one) for one in range(5)), room(2.0)]))
    code, said, err = run("examples", "import", long, "--label", "hum", "--preview", "--profile", "words")
    assert (code, err) == (0, "")
    assert said.startswith("long.m4a: 5 of 5 sounds are kept as hum\n    0:00.")
    assert said.endswith(" s  kept\nwould import 5 sounds: hum 5; nothing was kept\n")
    before = len(run("examples", "list", "--json", "--profile", "words")[1])
    code, said, err = run("examples", "import", long, "--label", "hum", "--profile", "words", "--json")
    assert (code, err) == (0, "")
    assert (said["imported"], said["takes"]) == (5, 5)
    assert [one["kept"] for one in said["words"]] == [True] * 5
    listed = run("examples", "list", "--json", "--profile", "words")[1]
    assert len(listed) == before + 5
    again = run("examples", "import", long, "--label", "hum", "--profile", "words")[1]
    assert again.endswith("imported 0 sounds; 5 are copies of others and were skipped\n")
    code, _, err = run("examples", "import", long, "--profile", "words")
    assert code == 1
    assert err.endswith("long.m4a: is a single file: give its class with --label NAME\n")


def test_what_is_piped_in_is_heard(run: Run, tmp_path: Path) -> None:
    """`arecord | edge-tl listen --mic -`: a word of a WAV stream without an end, and of raw samples at a rate."""
    clips = write_clips(tmp_path / "clips")
    teach_words(clips, tmp_path / "data")
    said = np.concatenate((room(1.5), spoken("hum", 90), room(2.0)))
    raw = (said * 32767).astype("<i2").tobytes()
    endless = b"RIFF\xff\xff\xff\xffWAVE" + write(tmp_path / "a.wav", said).read_bytes()[12:40] + b"\xff" * 4 + raw
    for mic, data in (("-", endless), (f"stdin:{RATE_HZ}", raw)):
        command = ["listen", "--profile", "words", "--mic", mic, "--data-dir", str(tmp_path / "data")]
        heard = subprocess.run([*COMMAND, *command], input=data, capture_output=True, cwd=ROOT, check=True)
        (word,) = [json.loads(line) for line in heard.stdout.splitlines()]
        assert word["label"] == "hum"
        assert 1.5 < word["at_s"] < 3.0
        assert heard.stderr == b""
    code, _, err = run("teach", "--profile", "words", "--mic", "-")
    assert code == 1
    assert err.startswith("edge-tl: --mic -: the keys come from standard input here: give a FIFO")


def test_nothing_in_a_long_recording_is_one_line(run: Run, tmp_path: Path) -> None:
    """Eight seconds of a quiet room are no word: named, and nothing is kept."""
    long = write(tmp_path / "long.wav", room(8.0))
    code, _, err = run("examples", "import", long, "--label", "hum", "--preview")
    assert code == 1
    assert err.count("\n") == 1
    assert "nothing in it stands out as a word" in err


def test_a_clip_is_a_take_of_frames(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CLASS/clip.mp4 becomes frames at even distances, one take a clip, beside single pictures; a copy is none."""
    for label in ("across", "down"):
        for clip in range(2):
            path = tmp_path / "in" / label / f"clip{clip}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(film([decode(picture(label, 50 * clip + one)) for one in range(20)]))
        (tmp_path / "in" / label / "one.jpg").write_bytes(picture(label, 200))
    code, said, err = run("examples", "import", tmp_path / "in")
    assert (code, err) == (0, "")
    assert ", frames of 4 clips at even distances" in said
    listed = run("examples", "list", "--json")[1]
    takes = {}
    for one in listed:
        takes.setdefault((one["label"], one["take"]), []).append(one)
    assert sorted(map(len, takes.values())) == [1, 1, 5, 5, 5, 5]
    assert {one["source"] for one in listed} == {"clip0.mp4", "clip1.mp4", ""}
    assert run("examples", "import", tmp_path / "in")[1].startswith("imported 0 pictures")
    assert run("train")[0] == 0
    monkeypatch.setitem(sys.modules, "av", None)
    code, said, err = run("examples", "import", tmp_path / "in", "--profile", "without")
    assert code == 1
    assert said.startswith("imported 2 pictures in 2 takes, derived from")
    assert err.count("is read with PyAV, which is not installed") == 4


def test_sounds_are_never_called_no_pictures(run: Run, tmp_path: Path) -> None:
    """A folder of memos with a cover picture is one of sounds; a memo asked of pictures is called a sound."""
    clips = write_clips(tmp_path / "clips")
    (clips / "hum" / "cover.jpg").write_bytes(picture("down", 1))
    code, said, err = run("examples", "import", clips)
    assert code == 0
    assert said.startswith("imported 21 sounds")
    assert err == "edge-tl: skipped 1 of other kinds, which are no sounds: cover.jpg\n"
    for label in ("across", "down"):
        for one in range(4):
            (tmp_path / "in" / label).mkdir(parents=True, exist_ok=True)
            (tmp_path / "in" / label / f"{one}.jpg").write_bytes(picture(label, one))
    assert run("examples", "import", tmp_path / "in", "--profile", "seen")[0] == 0
    assert run("train", "--profile", "seen")[0] == 0
    code, _, err = run("predict", clips / "hum" / "0.wav", "--profile", "seen")
    assert code == 1
    assert err.endswith("0.wav: is a sound or a video, not a picture; a JPEG or PNG file is wanted\n")


def test_pictures_are_never_called_no_sounds(run: Run, tmp_path: Path) -> None:
    """Brought to a profile of words, in folders or alone, or asked of one, they are called pictures."""
    teach_words(write_clips(tmp_path / "clips"), tmp_path / "data")
    (tmp_path / "in" / "cat").mkdir(parents=True)
    one = tmp_path / "in" / "cat" / "1.jpg"
    one.write_bytes(picture("across", 1))
    for words in ((tmp_path / "in",), (one, "--label", "cat")):
        code, _, err = run("examples", "import", *words, "--profile", "words")
        assert (code, err.count("\n")) == (1, 1)
        assert err.endswith(" holds pictures, and profile 'words' holds words: give another --profile\n")
    code, _, err = run("predict", one, "--profile", "words")
    assert code == 1
    assert err.endswith("1.jpg: is a picture, not a sound; a WAV file is wanted\n")


def samples_zip(path: Path, words: list[np.ndarray]) -> Path:
    """A class's samples as Teachable Machine gives them: two recordings, and where in them each sample is."""
    listed, files = [], {}
    for number, some in enumerate((words[:2], words[2:]), 1):
        sound = resample(np.concatenate(some), RATE_HZ, 44_100)
        files[f"sample-{number}.webm"] = sound_file("webm", resample(sound, 44_100, 48_000), 48_000)
        for at, word in enumerate(some):
            start_s = sum(map(len, some[:at])) / RATE_HZ
            plane = spectrogram(resample(word, RATE_HZ, 44_100))[:43]
            rows = [[None if value < -400 else round(float(value), 2) for value in row] for row in plane]
            times = {"startTime": start_s, "endTime": start_s + len(word) / RATE_HZ, "recordingDuration": 9}
            listed.append({"frequencyFrames": rows, "blob": None, "blobFilePath": f"sample-{number}.webm"} | times)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("samples.json", json.dumps(listed))
        for name, data in files.items():
            packed.writestr(name, data)
    return path


def test_samples_of_a_browser_become_recordings(run: Run, tmp_path: Path) -> None:
    """An archive of Teachable Machine's samples: each is the stretch of a recording that it names."""
    words = [spoken("hum", one)[: RATE_HZ + 4000] for one in range(4)]
    packed = samples_zip(tmp_path / "My Word-samples.zip", words)
    code, said, err = run("examples", "import", packed)
    assert (code, err) == (0, "")
    assert said == "imported 4 recordings of 1 class\n"
    listed = run("examples", "list", "--json")[1]
    assert {one["label"] for one in listed} == {"My Word"}
    assert run("examples", "export", tmp_path / "out.bin", "--format", "tfjsscds")[0] == 0
    exported = read_tfjsscds((tmp_path / "out.bin").read_bytes())
    for one, word in zip(exported, words, strict=True):
        assert one.spectrogram.shape == (43, 232)
        assert one.samples is not None
        found = resample(one.samples, one.rate_hz, RATE_HZ)
        assert len(found) == pytest.approx(len(word), rel=0.02)
        loud = np.convolve(np.square(found), np.ones(800), "same").argmax()
        assert loud == pytest.approx(np.convolve(np.square(word), np.ones(800), "same").argmax(), abs=0.1 * RATE_HZ)
    code, _, err = run("examples", "import", packed.rename(tmp_path / "up.zip"))
    assert code == 1
    assert err.endswith("up.zip holds samples of one class: say which with --label NAME\n")


def test_a_recording_that_is_lost_leaves_its_spectrograms(run: Run, tmp_path: Path) -> None:
    """Samples whose WebM cannot be read are kept, listed and named; a list that is none is one line."""
    whole = samples_zip(tmp_path / "whole.zip", [spoken("hum", one)[: RATE_HZ + 4000] for one in range(3)])
    with zipfile.ZipFile(whole) as before, zipfile.ZipFile(tmp_path / "cut.zip", "w") as packed:
        packed.writestr("samples.json", before.read("samples.json"))
        packed.writestr("sample-1.webm", before.read("sample-1.webm")[:40])
        packed.writestr("sample-2.webm", before.read("sample-2.webm"))
    code, said, err = run("examples", "import", tmp_path / "cut.zip", "--label", "hum")
    assert code == 1
    assert err.count("\n") == 1
    assert "a recording is left out, its spectrograms are kept (sample-1.webm: is damaged" in err
    assert said.startswith("imported 3 recordings of 1 class; 2 contained no sound")
    for broken in (
        b"{}",
        b"[]",
        b"[1]",
        b"nothing",
        b'[{"frequencyFrames": [[1, 2], [3]]}]',
        b'[{"blobFilePath": "x"}]',
    ):
        with zipfile.ZipFile(tmp_path / "bad.zip", "w") as packed:
            packed.writestr("samples.json", broken)
        code, _, err = run("examples", "import", tmp_path / "bad.zip", "--label", "hum")
        assert code == 1
        assert err.splitlines()[-1].startswith(f"edge-tl: {tmp_path / 'bad.zip'}: is no archive of samples")


def test_a_project_of_pictures_is_read(run: Run, tmp_path: Path) -> None:
    """Teachable Machine's `.tm`: the classes are those that its pictures' names tell; other kinds are named."""
    with zipfile.ZipFile(tmp_path / "project.tm", "w") as packed:
        packed.writestr("manifest.json", '{"type": "image", "version": "2.4.4", "appdata": {"trainEpochs": 50}}')
        for number in range(3):
            packed.writestr(f"Class 1-!-{number}.jpg", picture("across", number))
            packed.writestr(f"a-!-b-!-{number}.jpg", picture("down", number))
    code, said, err = run("examples", "import", tmp_path / "project.tm")
    assert (code, err) == (0, "")
    assert said.endswith("; read as a Teachable Machine project\n")
    assert {one["label"] for one in run("examples", "list", "--json")[1]} == {"Class 1", "a-!-b"}
    for kind, file, said in (
        ("pose", "pose.tm", "of kind 'pose', which is not read; projects of images and of sounds are"),
        ("audio", "unpacked", "of sounds that was unpacked: import the .tm file itself"),
    ):
        manifest = json.dumps({"type": kind, "appdata": {}})
        if kind == "pose":
            with zipfile.ZipFile(tmp_path / file, "w") as packed:
                packed.writestr("manifest.json", manifest)
        else:
            (tmp_path / file).mkdir()
            (tmp_path / file / "manifest.json").write_text(manifest)
            (tmp_path / file / "clip.webm").write_bytes(b"")
        code, _, err = run("examples", "import", tmp_path / file)
        assert code == 1
        assert err == f"edge-tl: {file.removesuffix('.tm')!r} is a Teachable Machine project {said}\n"


def sound_project(path: Path, classes: dict[str, bytes], kind: str = "audio") -> Path:
    """A project as Teachable Machine saves it: a manifest, and the archive of samples of each class."""
    with zipfile.ZipFile(path, "w") as packed:
        manifest = {"type": kind, "version": "2.4.7", "appdata": {"publishResults": {}, "trainEpochs": 50}}
        for name, data in classes.items():
            packed.writestr(f"{name}-!-0.zip", data)
        packed.writestr("manifest.json", json.dumps(manifest))
    return path


def test_a_project_of_sounds_is_read(run: Run, tmp_path: Path) -> None:
    """Teachable Machine's `.tm` of sounds: every class with its samples; a damaged class is named, the others come."""
    hum = samples_zip(tmp_path / "hum.zip", [spoken("hum", one)[: RATE_HZ + 4000] for one in range(3)]).read_bytes()
    hiss = samples_zip(tmp_path / "hiss.zip", [spoken("hiss", one)[: RATE_HZ + 4000] for one in range(3)]).read_bytes()
    noise = samples_zip(tmp_path / "noise.zip", [room(1.2, one) for one in range(3)]).read_bytes()
    whole = sound_project(tmp_path / "mine.tm", {"hum": hum, "a-!-b/c": hiss, "_background_noise_": noise})
    code, said, err = run("examples", "import", whole)
    assert (code, err) == (0, "")
    assert said == "imported 9 recordings of 3 classes\n"
    listed = run("examples", "list", "--json")[1]
    assert sorted(one["label"] for one in listed) == ["a-!-b/c"] * 3 + ["background noise"] * 3 + ["hum"] * 3
    assert run("train", "--force")[0] == 0
    cut = sound_project(tmp_path / "cut.tm", {"hum": hum, "hiss": hiss[:900], "\n": noise})
    code, said, err = run("examples", "import", cut, "--profile", "cut")
    assert code == 1
    assert said == "imported 3 recordings of 1 class\n"
    assert "cut.tm: 'hiss-!-0.zip': left out (is no archive of samples that can be read" in err
    assert "left out (a label is empty" in err
    for classes, reason in (({}, "the project holds no samples of sounds"), ({"hum": b""}, "none of its classes")):
        code, _, err = run("examples", "import", sound_project(tmp_path / "no.tm", classes), "--profile", "no")
        assert code == 1
        assert err.splitlines()[-1].startswith(f"edge-tl: {tmp_path / 'no.tm'}: {reason}")
    code, _, err = run("examples", "import", whole, "--label", "hum")
    assert err == f"edge-tl: {whole} is a project of sounds: --base goes with it, and nothing else\n"


def test_a_stretch_that_many_samples_name_is_the_sound_of_none(run: Run, tmp_path: Path) -> None:
    """Programs that write projects put one recording in for all samples: their spectrograms alone are kept."""
    classes = {}
    for label in ("hum", "hiss"):
        path = samples_zip(tmp_path / f"{label}.zip", [spoken(label, one)[: RATE_HZ + 4000] for one in range(3)])
        with zipfile.ZipFile(path) as packed:
            entries = json.loads(packed.read("samples.json"))
        dummy = sound_file("webm", resample(room(2.0, 1), RATE_HZ, 48_000), 48_000)
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("samples.json", json.dumps([one | {"startTime": 0, "endTime": 1} for one in entries[:2]]))
            packed.writestr("sample-1.webm", dummy)
        classes[label] = path.read_bytes()
    code, said, err = run("examples", "import", sound_project(tmp_path / "made.tm", classes))
    assert code == 1
    assert err.count("\n") == 1
    assert "made.tm: 4 samples with different spectrograms name the same stretch of a recording" in err
    assert said == (
        "imported 4 recordings of 2 classes; 4 contained no sound: they are listed and exported, and not trained on\n"
    )
