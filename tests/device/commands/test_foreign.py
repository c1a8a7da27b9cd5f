"""A .tflite file of any maker from the shell: it is run as it wants to be, or one line says what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_foreign import (
    NAMES,
    RATE_HZ,
    TONES_HZ,
    classifier,
    coloured,
    needs_schema,
    of_sounds,
    put,
    said,
    tone,
    with_labels,
)
from tiny_profile import Run

from device.commands.main import main
from edge_tl.embedders.foreign_sound import ForeignSound
from edge_tl.media.wav import encode_wav
from edge_tl.store.settings import read_chosen
from edge_tl.testing import check_embedder
from edge_tl.tflite.manifest import read_manifest

pytestmark = needs_schema
NUMBERED = "0 red\n1 green\n2 blue\n"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command on a state folder of its own."""

    def call(*arguments: object) -> tuple[int, Any, str]:
        capsys.readouterr()
        words = [*map(str, arguments)]
        words += [] if words[:2] == ["model", "describe"] else ["--data-dir", str(tmp_path / "data")]
        code = main(words)
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in words and out else out, err

    return call


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """A red, a green and a blue picture."""
    return [coloured(tmp_path / "pictures", name) for name in NAMES]


def refused(result: tuple[int, Any, str], *says: str) -> None:
    """Assert exit 1 with one line that says all this."""
    code, out, err = result
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert all(text in err for text in says), err


KNOWN = {
    "Teachable Machine, float": lambda at: put(at, classifier(side_px=224), "model_unquant.tflite", NUMBERED),
    "Teachable Machine, quantised": lambda at: put(at, classifier("uint8"), "model.tflite", NUMBERED),
    "metadata, float": lambda at: put(at, with_labels(classifier(held=said()))),
    "metadata, uint8": lambda at: put(at, with_labels(classifier("uint8", held=said()))),
    "labels under another name": lambda at: put(
        at, with_labels(classifier(held=said(labels_file="dict.txt")), file="dict.txt")
    ),
    "Edge Impulse, int8": lambda at: put(at, classifier("int8"), labels="red\ngreen\nblue\n"),
}
"""Files that say all that is needed."""


@pytest.mark.parametrize("kind", KNOWN)
def test_a_file_that_says_all_is_run_as_it_is(run: Run, pictures: list[Path], tmp_path: Path, kind: str) -> None:
    """Labels and scaling are those of the file, its archive or its 8-bit input, and each picture is named right."""
    model = KNOWN[kind](tmp_path / "model")
    code, told, err = run("predict", "--model", model, *pictures, "--json")
    assert (code, err) == (0, "")
    assert [one["label"] for one in told] == list(NAMES)
    assert all(sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-5) for one in told)


def test_what_a_file_does_not_say_is_asked_for_and_never_guessed(
    run: Run, pictures: list[Path], tmp_path: Path
) -> None:
    """A float file without metadata is refused with the option that helps; with it, it names pictures."""
    model = put(tmp_path / "model", classifier())
    refused(run("predict", "--model", model, *pictures), "does not say how its pixels are scaled", "--scaling LOW,HIGH")
    (tmp_path / "names.txt").write_text("red\ngreen\nblue\n")
    words = ("--scaling", "-1,1", "--labels", tmp_path / "names.txt", "--json")
    assert [one["label"] for one in run("predict", "--model", model, *pictures, *words)[1]] == list(NAMES)
    bgr = run("predict", "--model", model, *pictures, *words, "--colour-order", "bgr")[1]
    assert [one["label"] for one in bgr] == ["blue", "green", "red"]
    # The names alone do not make a file Teachable Machine's: labels that it did not number, or none.
    for labels in ("", "red\ngreen\nblue\n"):
        foreign = put(tmp_path / f"tm{len(labels)}", classifier(side_px=224), "model_unquant.tflite", labels)
        refused(run("predict", "--model", foreign, *pictures), "--scaling")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (lambda: classifier(open_size=True), ("any size", "--size PIXELS")),
        (lambda: classifier(operator="edgetpu-custom-op"), ("Coral", "without _edgetpu")),
        (lambda: classifier(operator="ethos-u"), ("Vela", "without _vela")),
        (lambda: classifier(operator="FlexErf"), ("FlexErf", "TFLITE_BUILTINS")),
        (lambda: classifier(operator="Unheard"), ("Unheard", "operator")),
        (lambda: classifier(held=said(kind="sound")), ("model of sound", "a window of samples")),
        (lambda: classifier(end="map", held=said()), ("2×2×3", "names no classes", "edge-tl teach --model")),
        (lambda: classifier(held=said(deviation=0.0)), ("metadata", "--scaling")),
    ],
)
def test_what_cannot_be_named_says_what_to_do(
    run: Run, pictures: list[Path], tmp_path: Path, data: Any, says: tuple[str, ...]
) -> None:
    """Files of any size, for other processors, of sound and without classes are refused in one line that helps."""
    refused(run("predict", "--model", put(tmp_path / "model", data()), *pictures), *says)


def test_other_kinds_of_outputs(run: Run, pictures: list[Path], tmp_path: Path) -> None:
    """Any size is run in the one that is given; scores become probabilities; one output is the second of two classes;
    labels that are too few are refused, and two alike are told apart."""
    scaled = ("--scaling", "-1,1", "--json")
    one = put(tmp_path / "open", classifier(open_size=True), labels=NUMBERED)
    assert run("predict", "--model", one, *pictures, *scaled, "--size", 16)[1][2]["label"] == "blue"
    one = put(tmp_path / "scores", classifier(end=""), labels=NUMBERED)
    told = run("predict", "--model", one, *pictures, *scaled)[1]
    assert sum(told[0]["probabilities"].values()) == pytest.approx(1)
    one = put(tmp_path / "two", classifier(end="logistic", outputs=1), labels="no red\nred\n")
    assert [x["label"] for x in run("predict", "--model", one, *pictures, *scaled)[1]] == ["red", "no red", "no red"]
    one = put(tmp_path / "few", classifier("uint8"), labels="red\ngreen\n")
    refused(run("predict", "--model", one, *pictures), "2 labels", "3 outputs", "--labels FILE")
    one = put(tmp_path / "alike", classifier("uint8"), labels="crane\nbird\ncrane\n")
    told = run("predict", "--model", one, pictures[2], "--json")[1]
    assert list(told[0]["probabilities"]) == ["crane", "bird", "crane (2)"]
    one = put(tmp_path / "fingers", classifier("uint8"), labels="1 finger\n2 fingers\n3 fingers\n")
    assert run("predict", "--model", one, pictures[1], "--json")[1][0]["label"] == "2 fingers"


def test_a_grey_model_sees_grey(run: Run, tmp_path: Path) -> None:
    """A square of one channel is given the brightness; one that is no square may be sound, and is asked about."""
    model = put(tmp_path / "model", classifier("int8", channels=1), labels="dark\nmiddle\nlight\n")
    green, blue = (coloured(tmp_path, name, 255) for name in ("green", "blue"))
    told = run("predict", "--model", model, green, blue, "--json")[1]
    assert [one["label"] for one in told] == ["light", "dark"]


def teach(run: Run, tmp_path: Path, model: Path, *more: object) -> tuple[int, Any, str]:
    """Import three pictures of each colour with a model."""
    for name in NAMES:
        for number in range(3):
            coloured(tmp_path / "taught" / name / f"take{number}", name, 120 + 50 * number, number)
    return run("examples", "import", tmp_path / "taught", "--model", model, *more)


def test_a_profile_remembers_the_model_it_is_taught_with(run: Run, pictures: list[Path], tmp_path: Path) -> None:
    """After `import --model FILE` no command needs the file again, and another model needs the person's word."""
    model = put(tmp_path / "model", classifier(end="features"))
    refused(teach(run, tmp_path, model), "--scaling")
    assert teach(run, tmp_path, model, "--scaling", "-1,1")[0] == 0
    model.unlink()
    assert run("train")[0] == 0
    assert [one["label"] for one in run("predict", *pictures, "--json", "--no-reject")[1]] == list(NAMES)
    chosen = read_chosen(tmp_path / "data" / "profiles" / "default")
    assert chosen is not None
    assert read_manifest(tmp_path / "data" / "embedders" / chosen).scaling.offset == (-1.0,) * 3
    other = put(tmp_path / "other", classifier(end="map", held=said()))
    refused(teach(run, tmp_path, other), "another model", "`edge-tl examples re-embed`")
    assert run("examples", "re-embed", "--model", other)[0] == 0
    assert run("train")[0] == 0
    assert run("predict", *pictures, "--no-reject")[0] == 0
    assert read_chosen(tmp_path / "data" / "profiles" / "default") != chosen


def test_a_file_under_another_scaling_is_not_mixed_in(run: Run, tmp_path: Path) -> None:
    """The same file with other words about its pixels would be taken for the same embedder: it is refused."""
    model = put(tmp_path / "model", classifier(end="features"))
    assert teach(run, tmp_path, model, "--scaling", "-1,1")[0] == 0
    refused(run("examples", "import", tmp_path / "taught", "--model", model, "--scaling", "0,1"), "--profile")
    code, _, err = run("model", "use", model, "--scaling", "0,1")
    assert code == 1
    assert "new --profile" in err


def test_a_described_file_needs_no_more_words(run: Run, pictures: list[Path], tmp_path: Path) -> None:
    """`model describe` writes manifest and labels; the folder runs, teaches, and is what `model use` takes."""
    model = put(tmp_path / "model", classifier(), labels=NUMBERED)
    refused(run("model", "describe", model, "--out", tmp_path / "made"), "--scaling")
    assert not (tmp_path / "made").exists()
    words = ("model", "describe", model, "--out", tmp_path / "made", "--scaling", "-1,1", "--name", "mine", "--json")
    code, told, _ = run(*words)
    assert code == 0
    assert (told["labels"], told["pixels"]) == (list(NAMES), [[-1.0] * 3, [1.0] * 3])
    assert read_manifest(tmp_path / "made").name == "mine"
    made = tmp_path / "made"
    assert [one["label"] for one in run("predict", "--model", made, *pictures, "--json")[1]] == list(NAMES)
    assert teach(run, tmp_path, made)[0] == 0
    assert run("train")[0] == 0
    # Taught with it, the profile's own answer counts.
    told = run("predict", "--model", made, *pictures, "--json")[1]
    assert set(told[0]["probabilities"]) == set(NAMES)
    assert main(["model", "info", str(made)]) == 0


def test_what_was_cut_says_what_the_whole_said(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`model info --tensors` lists where to cut and no constant; the cut file keeps the scaling of the metadata."""
    model = put(tmp_path / "model", with_labels(classifier(held=said())))
    assert main(["model", "info", str(model), "--tensors", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(one["tensor"], one["operator"]) for one in listed] == [
        ("pool/mean", "MEAN"),
        ("scores", "FULLY_CONNECTED"),
        ("StatefulPartitionedCall:0", "SOFTMAX"),
    ]
    cut = ["model", "truncate", str(model), "--out", str(tmp_path / "cut.tflite"), "--tensor"]
    assert main([*cut, "pool/maen"]) == 1
    err = capsys.readouterr().err
    assert "'pool/mean'" in err
    assert "edge_tl/" not in err  # a constant
    assert main([*cut, "pool/mean"]) == 0
    assert "--scaling" not in capsys.readouterr().out
    code, _, err = teach(run, tmp_path, model, "--profile", "few")
    assert code == 0
    assert "--tensor pool/mean" in err
    assert teach(run, tmp_path, tmp_path / "cut.tflite")[0] == 0
    assert run("train")[0] == 0


def test_options_that_describe_nothing_are_refused(run: Run, pictures: list[Path], tmp_path: Path) -> None:
    """--scaling or --labels without a file to describe, and a range that is none, are one line each."""
    refused(run("predict", *pictures, "--labels", tmp_path / "none.txt"), "--model")
    refused(run("predict", *pictures, "--scaling", "0,1"), "--model")
    with pytest.raises(SystemExit):
        main(["predict", str(pictures[0]), "--scaling", "1,1"])


def test_a_colour_is_scaled_per_channel_as_pytorch_does(run: Run, tmp_path: Path) -> None:
    """`--scaling torch` takes ImageNet's mean off each channel and divides by its deviation."""
    model = put(tmp_path / "model", classifier(end="features"))
    words = ("model", "describe", model, "--out", tmp_path / "made", "--scaling", "torch")
    assert run(*words)[0] == 0
    scaling = read_manifest(tmp_path / "made").scaling
    pixel = np.array((124, 116, 104))
    np.testing.assert_allclose(pixel * scaling.scale + scaling.offset, 0, atol=0.02)


def test_a_classifier_of_sounds_is_listened_with(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file whose metadata tell its rate names recordings and is a base to listen with; pictures get one line."""
    model = put(tmp_path / "model", of_sounds(said(kind="sound")), labels="low\nhigh\nBackground Noise\n")
    files = []
    for name, hz in (("low", 500.0), ("high", 2000.0)):
        files.append(tmp_path / f"{name}.wav")
        files[-1].write_bytes(encode_wav(tone(hz), RATE_HZ))
    code, told, err = run("predict", "--model", model, *files, "--json")
    assert (code, err) == (0, "")
    assert [one["label"] for one in told] == ["low", "high"]
    assert set(told[0]["probabilities"]) == {"low", "high", "background noise"}
    assert main(["listen", "--base", str(model), "--mic", str(files[1]), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["label"] == "high"
    refused(teach(run, tmp_path, model), "model of sound", "edge-tl listen --base")
    mute = put(tmp_path / "mute", of_sounds({}), labels="low\nhigh\nnoise\n")
    assert main(["listen", "--base", str(mute), "--mic", str(files[1])]) == 1
    assert "rate of its samples" in capsys.readouterr().err


def test_what_sounds_give_keeps_the_contract(tmp_path: Path) -> None:
    """It is an embedder of sounds as all others are, and a stream gives what its windows give."""
    path = put(tmp_path, of_sounds(said(kind="sound")), labels="low\nhigh\nnoise\n")
    embedder = ForeignSound.load(path, 1)
    check_embedder(embedder, [tone(hz) for hz in TONES_HZ])
    samples = tone(2000.0)
    hop, window = embedder.hop_samples, embedder.window_samples
    wanted = [embedder.embed(samples[at : at + window]) for at in range(0, len(samples) - window + 1, hop)]
    stream = embedder.stream()
    found = [one for block in np.array_split(samples, 7) for one in stream.push(block)]
    np.testing.assert_array_equal(np.stack(found), np.stack(wanted))


def test_model_info_says_what_a_file_takes_or_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`model info` of a foreign file tells its pixels and labels, or the option that is missing; never an error."""
    for data, wanted in (
        (with_labels(classifier(held=said())), {"pixels": "-1 to 1", "colours": "rgb", "labels": "red, green, blue"}),
        (classifier(), {"note": "give --scaling LOW,HIGH"}),
        (of_sounds(said(kind="sound")), {"note": "edge-tl listen --base"}),
    ):
        path = put(tmp_path / str(len(data)), data)
        assert main(["model", "info", str(path), "--json"]) == 0
        facts = json.loads(capsys.readouterr().out)
        for name, text in wanted.items():
            assert text in facts[name]
