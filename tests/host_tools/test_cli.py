"""`edge-tl-host`: what it prints, what it refuses, and how it ends."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge_tl.errors import to_install
from edge_tl.tflite.manifest import Scaling, read_manifest, write_manifest
from host_tools.cli import main

NO_TOP = "mobilenet_v1_0.25_224/mobilenet_2_5_224_tf_no_top.h5"
SMALL = ("convert", "image", "--architecture", "mobilenet_v1", "--alpha", "0.25", "--size", "64")


def error_of(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """The one line on stderr (after what was said of the progress) of a command that ends with 1."""
    assert main(argv) == 1
    said = capsys.readouterr()
    assert said.out == ""
    *progress, line = said.err.splitlines()
    assert not any("edge-tl-host:" in text or "Traceback" in text for text in progress)
    assert line.startswith("edge-tl-host: ")
    return line


def test_without_tensorflow_the_install_command_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where TensorFlow is missing the answer is how to install it, in one line, and no folder is left behind."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    line = error_of(capsys, *SMALL, "--weights", "none", "--out", str(tmp_path / "out"))
    assert to_install("[host]") in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--quantize", "int8"), "--quantize int8 needs --representative FOLDER"),
        (("--representative", "."), "--representative is for --quantize int8"),
        (("--name", "../up"), "cannot be a file's name"),
        (("--weights", "gone.h5"), "gone.h5: no such file"),
        (("--out", __file__), "is a file; a folder is wanted"),
    ],
)
def test_what_cannot_work_is_said_before_any_work(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Contradicting or missing arguments are one line at once, without starting TensorFlow."""
    assert message in error_of(capsys, *SMALL, "--weights", "none", "--out", str(tmp_path / "out"), *arguments)


@pytest.mark.parametrize("argv", [(), ("convert",), ("convert", "image"), (*SMALL, "--out", "x", "--quantize", "int4")])
def test_wrong_usage_ends_with_two(argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """A command that is not grammatical shows the usage and ends with 2."""
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: edge-tl-host")


@pytest.mark.parametrize("argv", [("--help",), ("convert", "image", "--help"), ("verify", "--help")])
def test_help_explains_every_option(argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Each option that help lists has an explanation, and the two commands have examples."""
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    if argv != ("--help",):
        assert "example" in shown
    listed = re.findall(r"^  -", shown, re.MULTILINE)
    explained = re.findall(r"^  -(?:-help|h, --help|-[a-z]+(?: \S+)?)(?:  +|\n {10,})\S", shown, re.MULTILINE)
    assert len(explained) == len(listed) > 0


def test_verify_says_where_a_folder_is_no_model(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A folder without a manifest is one line."""
    assert "no manifest.json there" in error_of(capsys, "verify", str(tmp_path), "--images", str(tmp_path))


@pytest.mark.host
def test_convert_then_verify_then_find_the_fault(
    capsys: pytest.CaptureFixture[str],
    data: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A converted folder verifies, as text and JSON; with wrong scaling, colours, weights or without them it fails."""
    monkeypatch.chdir(tmp_path)
    out, weights, images = tmp_path / "mine", str(data(NO_TOP)), str(data("sign_digits"))
    assert main((*SMALL, "--weights", weights, "--quantize", "float16", "--name", "tiny", "--out", str(out))) == 0
    assert "tiny.tflite: 0.4" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "tiny.tflite"]
    verify = ("verify", str(out), "--images", images, "--weights", weights)
    assert main(verify) == 0
    assert "100 pictures, float16: within the bound" in capsys.readouterr().out

    assert "say where with --weights FILE" in error_of(capsys, *verify[:4])
    assert "SHA-256 differs" in error_of(capsys, *verify[:4], "--weights", weights.replace("_no_top", ".keras"))
    (tmp_path / "empty").mkdir()
    assert "holds no pictures" in error_of(capsys, *verify[:3], "empty", *verify[4:])
    assert main((*verify, "--json")) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["ok"] is True
    assert figures["agreement"] > 0.9
    assert figures["cosine_min"] > 0.999

    manifest = read_manifest(out)
    for wrong in (
        replace(manifest, scaling=Scaling((1 / 255,) * 3, (0.0,) * 3)),
        replace(manifest, colour_order="bgr"),
    ):
        write_manifest(out, wrong)
        assert main(verify) == 1
        assert "BEYOND the bound" in capsys.readouterr().out


@pytest.mark.host
def test_any_architecture_of_keras_converts_and_verifies(
    capsys: pytest.CaptureFixture[str], data: Callable[[str], Path], tmp_path: Path
) -> None:
    """MobileNetV3, which scales pixels itself, goes the same way from conversion to verification."""
    arguments = ("--architecture", "mobilenet_v3_small", "--size", "64", "--weights", "none", "--out", str(tmp_path))
    assert main(("convert", "image", *arguments)) == 0
    assert read_manifest(tmp_path).scaling == Scaling((1.0,) * 3, (0.0,) * 3)
    assert main(("verify", str(tmp_path), "--images", str(data("sign_digits")), "--json")) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["pictures"] == 100
