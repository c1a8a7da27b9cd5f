"""What a newcomer or a mean person may bring: each gets one clear line and exit 1, and nothing is lost."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tiny_profile import LABELS, TINY, Run, counted, fill, make_all, model_folder, picture, refused, runner

from device.commands.main import main


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models, pictures and a taught profile, made once."""
    return make_all(tmp_path_factory.mktemp("made"))


@pytest.fixture
def data_dir(made: Path, tmp_path: Path) -> Path:
    """A copy of the taught data folder for one test."""
    return shutil.copytree(made / "data", tmp_path / "data")


@pytest.fixture
def run(made: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command on that copy."""
    return runner(made, data_dir, capsys)


# -- models ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no such file"),
        (b"", "is empty"),
        (b"<html>not found</html>" * 9, "no TFLite model"),
        (TINY.read_bytes()[:300], "truncated"),
    ],
    ids=["missing", "empty", "foreign", "truncated"],
)
def test_a_model_file_that_is_none(
    run: Run, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, says: str
) -> None:
    """A missing, empty, foreign or truncated model file is one line for every command that loads it."""
    file = tmp_path / "model.tflite"
    if content is not None:
        file.write_bytes(content)
    picture_file = made / "pictures" / "dark" / "take0" / "0.png"
    refused(run("predict", picture_file, "--model", file))
    refused(run("train", "--model", file))
    code = main(["model", "info", str(file)])
    refused((code, "", capsys.readouterr().err), says)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"input_shape": (16, 16, 3)}, "input"),
        ({"output_shape": (4, 4, 3)}, "output"),
        ({"sha256": "0" * 64}, "SHA-256"),
        ({"model": "gone.tflite"}, "gone.tflite"),
    ],
    ids=["input", "output", "hash", "name"],
)
def test_a_manifest_that_contradicts_its_model(
    run: Run, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], says: str
) -> None:
    """A manifest that says other shapes, another hash or another file is one line, for `model info` too."""
    folder = model_folder(tmp_path / "liar", **changes)
    refused(run("predict", made / "pictures" / "dark" / "take0" / "0.png", "--model", folder), says)
    code = main(["model", "info", str(folder)])
    refused((code, "", capsys.readouterr().err), says)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b'{"format": 99}', None])
def test_a_manifest_that_is_none(run: Run, tmp_path: Path, content: bytes | None) -> None:
    """A manifest that is missing, no JSON, or of a format to come is one line."""
    folder = model_folder(tmp_path / "odd")
    (folder / "manifest.json").unlink()
    if content is not None:
        (folder / "manifest.json").write_bytes(content)
    refused(run("train", "--model", folder), "manifest.json")


def test_devices_are_no_files(run: Run) -> None:
    """A device that never ends is refused as model and as picture, instead of filling the memory."""
    refused(run("train", "--model", "/dev/zero"), "device")
    refused(run("predict", "/dev/zero"), "device")


# -- pictures --------------------------------------------------------------------------------------------------------


def odd_pictures(folder: Path) -> None:
    """Nine files: four pictures of unusual kinds, and five that cannot be examples."""
    folder.mkdir(parents=True)
    image = picture("dark", 60)
    picture("dark", 61).convert("L").save(folder / "grey.png")
    picture("dark", 62).convert("RGBA").save(folder / "rgba.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    image.save(folder / "turned.jpg", exif=exif)
    image.quantize(4).save(folder / "palette.gif")
    Image.new("RGB", (1, 1)).save(folder / "bad1.png")
    Image.new("RGB", (20000, 2)).save(folder / "bad2.png")
    (folder / "bad3.jpg").write_bytes(b"hello")
    (folder / "bad4.jpg").write_bytes(b"")
    whole = io.BytesIO()
    image.resize((320, 240)).save(whole, "JPEG")
    (folder / "bad5.jpg").write_bytes(whole.getvalue()[:2000])


def test_import_of_odd_pictures(run: Run, tmp_path: Path) -> None:
    """Grey, RGBA, turned and palette pictures are kept; 1×1, 20000×2, foreign, empty and cut ones named, each once."""
    odd_pictures(tmp_path / "in" / "dark")
    before = counted(run)
    code, result, err = run("examples", "import", tmp_path / "in", "--json")
    assert (code, result["imported"], result["bad"]) == (1, 4, 5)
    assert counted(run) == before + 4
    assert err.count("\n") == 5
    for number in range(1, 6):
        assert err.count(f"bad{number}.") == 1


def test_predict_of_odd_pictures(run: Run, tmp_path: Path) -> None:
    """Every readable picture is answered, every other named, and a folder is none."""
    odd_pictures(tmp_path / "dark")
    code, answers, err = run("predict", *sorted((tmp_path / "dark").iterdir()), tmp_path, "--no-reject", "--json")
    assert code == 1
    assert [Path(answer["file"]).name for answer in answers] == ["grey.png", "palette.gif", "rgba.png", "turned.jpg"]
    assert all(answer["label"] in LABELS for answer in answers)
    assert err.count("\n") == 6


def test_import_names_all_that_it_leaves_out(run: Run, tmp_path: Path) -> None:
    """A folder whose name cannot be a label, other files and pictures at the top are named, not dropped in silence."""
    root = tmp_path / "in"
    for folder in ("light", "x" * 200):
        (root / folder).mkdir(parents=True)
        picture("light", 63).save(root / folder / "a.png")
    picture("light", 2).save(root / "top.png")
    (root / "light" / "notes.txt").write_text("me")
    code, result, err = run("examples", "import", root, "--json")
    assert (code, result["imported"], result["bad"]) == (1, 1, 2)
    for text in ("x" * 200, "top.png", "notes.txt"):
        assert text in err


def test_file_names_that_are_no_unicode(run: Run, tmp_path: Path, made: Path) -> None:
    """File names of bytes that are no UTF-8 are read, named and printed as valid JSON."""
    good = os.fsdecode(os.fsencode(tmp_path) + b"/g\xff.png")
    shutil.copy(made / "pictures" / "dark" / "take0" / "0.png", good)
    code, answers, _ = run("predict", good, "--json")
    assert code == 0
    assert len(answers) == 1
    code, _, err = run("predict", good.replace(".png", ".jpg"))
    assert code == 1
    assert err.count("\n") == 1


# -- labels and names ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["thumb up", "🙂👍🏽", "../../etc", "a/b\\c", "%2e", ".hidden", "C:", "x" * 64])
def test_labels_that_are_odd_but_good(run: Run, tmp_path: Path, label: str) -> None:
    """Spaces, emoji and path separators are kept, stay inside the export's folder, and come back from it."""
    assert run("examples", "rename", "dark", label, "--json")[0] == 0
    assert run("examples", "export", tmp_path / "out" / "here")[0] == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["here"]
    assert run("examples", "import", tmp_path / "out" / "here", "--profile", label)[0] == 0
    names = {example["label"] for example in run("examples", "list", "--profile", label, "--json")[1]}
    assert names == {label, "light"}


@pytest.mark.parametrize(
    ("label", "says"), [("é" * 300, "300"), ("", "empty"), (" ", "empty"), ("a\nb", "unprintable"), ("\x1b[2J", "x1b")]
)
def test_labels_that_cannot_be(run: Run, label: str, says: str) -> None:
    """300 characters, nothing at all, and what would garble a terminal are refused, and nothing is renamed."""
    refused(run("examples", "rename", "dark", label), says)
    assert {example["label"] for example in run("examples", "list", "--json")[1]} == set(LABELS)


@pytest.mark.parametrize(
    "arguments",
    [
        ("train",),
        ("examples", "remove", "--last-take"),
        ("examples", "rename", "a", "b"),
        ("examples", "re-embed"),
        ("model", "roll-back"),
        ("play", "--camera", "sim"),
    ],
)
def test_a_mistyped_profile_is_not_made(run: Run, data_dir: Path, arguments: tuple[str, ...]) -> None:
    """Only teaching and importing make a profile; every other command says that there is none, and which there are."""
    code, _, err = run(*arguments, "--profile", "defualt")
    assert code == 1
    assert err.count("\n") == 1
    if arguments[0] != "play":  # without a terminal that is said first
        assert "'defualt'" in err
        assert "there are: default" in err
    assert not (data_dir / "profiles" / "defualt").exists()


def test_an_import_from_nowhere_makes_no_profile(run: Run, data_dir: Path, tmp_path: Path) -> None:
    """A folder that is not there is said before a profile is made for it."""
    refused(run("examples", "import", tmp_path / "nowhere", "--profile", "new"), "nowhere")
    assert not (data_dir / "profiles" / "new").exists()


# -- cameras ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("camera", ["usb:x", "nonsense", "", "picamera2", "/dev/null", "\0", "usb"])
def test_cameras_that_the_demo_cannot_take(run: Run, camera: str) -> None:
    """What is no folder of pictures is refused in one line."""
    refused(run("demo", "--camera", camera, "--seconds", "1"), "--camera")


def test_folders_that_the_demo_cannot_take(run: Run, tmp_path: Path) -> None:
    """A folder without pictures, with one class, or with one picture a class is refused in one line."""
    (tmp_path / "empty").mkdir()
    refused(run("demo", "--camera", tmp_path / "empty", "--seconds", "1"), "0 classes")
    fill(tmp_path / "one", takes=1, pictures=1)
    refused(run("demo", "--camera", tmp_path / "one", "--seconds", "1"), "one picture")
    shutil.rmtree(tmp_path / "one" / "dark")
    refused(run("demo", "--camera", tmp_path / "one", "--seconds", "1"), "1 class of")


def test_the_demo_leaves_bad_pictures_out(run: Run, tmp_path: Path) -> None:
    """A picture that cannot be read is named and left out; a class that has no other ends it in one line."""
    fill(tmp_path / "in")
    (tmp_path / "in" / "dark" / "take0" / "0.png").write_bytes(b"broken")
    code, result, err = run("demo", "--camera", tmp_path / "in", "--seconds", "0.05", "--json")
    assert (code, result["examples"]) == (0, 15)
    assert err.count("\n") == 1
    assert result["classes"] == list(LABELS)
    for file in (tmp_path / "in" / "dark").rglob("*.png"):
        file.write_bytes(b"broken")
    code, _, err = run("demo", "--camera", tmp_path / "in", "--seconds", "0.05")
    assert code == 1
    assert err.splitlines()[-1].startswith("edge-tl: class 'dark'")


@pytest.mark.parametrize(
    "arguments",
    [
        ("demo", "--seed", "-1"),
        ("demo", "--seconds", "nan"),
        ("demo", "--seconds", "soon"),
        ("train", "--threads", "100000"),
        ("train", "--threads", "0"),
        ("examples", "remove", "--id", "9" * 25),
        ("examples", "remove", "--id", "9" * 5000),
        ("play", "--seed", "x"),
    ],
)
def test_numbers_out_of_range_are_wrong_usage(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers that are none or that nothing could use are argparse's exit 2, with a short line."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert len(capsys.readouterr().err.splitlines()[-1]) < 200
