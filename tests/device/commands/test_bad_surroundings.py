"""Other embedders, damaged profiles, full disks, foreign users, closed pipes, Ctrl-C: one line, and nothing lost."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from places import ROOT
from tiny_profile import Run, counted, fill, make_all, picture, refused, runner

from device.cli.stopping import stoppable
from edge_tl.store.profile import Profile

COMMAND = "import sys; from device.commands.main import main; sys.exit(main())"


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


# -- profiles --------------------------------------------------------------------------------------------------------


def test_a_profile_of_another_embedder(run: Run, made: Path) -> None:
    """Every command says it in one line, and `examples re-embed`, then `train`, mend it."""
    file = made / "pictures" / "light" / "take0" / "0.png"
    other = ("--model", made / "other")
    for arguments in (("predict", file), ("train",), ("evaluate",), ("examples", "import", made / "pictures")):
        refused(run(*arguments, *other), "edge-tl examples re-embed")
    done = {"re_embedded": 24, "embedder": "other", "look": "frame", "nothing_found": 0}
    assert run("examples", "re-embed", *other, "--json")[1] == done
    refused(run("predict", file, *other), "edge-tl train")
    assert run("train", *other)[0] == 0
    assert run("predict", file, *other, "--no-reject", "--json")[1][0]["label"] == "light"
    refused(run("predict", file), "other")


def test_two_writers_on_one_profile(run: Run, made: Path, data_dir: Path) -> None:
    """While a process writes, a second writer is refused with the first one's PID, and every reader works."""
    file = made / "pictures" / "light" / "take0" / "0.png"
    with Profile(data_dir / "profiles" / "default", writable=True):
        refused(run("train"), str(os.getpid()))
        refused(run("examples", "import", made / "pictures"), str(os.getpid()))
        refused(run("examples", "remove", "--last-take"), str(os.getpid()))
        assert counted(run) == 24
        assert run("predict", file)[0] == 0
        assert run("evaluate")[0] == 0
        assert run("model", "generations")[0] == 0
    assert run("train")[0] == 0


def test_a_damaged_generation_is_told_once(run: Run, made: Path, data_dir: Path) -> None:
    """Where the newest generation is damaged the one before answers, and one line says so."""
    assert run("train", "--head", "knn")[0] == 0
    (data_dir / "profiles" / "default" / "generations" / "000002" / "arrays.npz").write_bytes(b"")
    code, answers, err = run("predict", made / "pictures" / "light" / "take0" / "0.png", "--no-reject", "--json")
    assert (code, answers[0]["label"]) == (0, "light")
    assert err.count("\n") == 1
    assert "damaged" in err


def test_one_picture_a_class(run: Run, tmp_path: Path) -> None:
    """With one picture a class, training wants more; forced, it trains, and says null for what it cannot know."""
    fill(tmp_path / "in", takes=1, pictures=1)
    assert run("examples", "import", tmp_path / "in", "--profile", "one")[0] == 0
    refused(run("train", "--profile", "one"), "dark has 1", "--force")
    code, result, _ = run("train", "--profile", "one", "--force", "--json")
    assert (code, result["accuracy"]) == (0, None)
    code, text, _ = run("evaluate", "--profile", "one")
    assert code == 0
    assert "unknown" in text
    assert run("evaluate", "--profile", "one", "--json")[1]["accuracy"] is None


def test_figures_with_and_without_rejection(run: Run, made: Path, tmp_path: Path) -> None:
    """`evaluate` leads with what is answered, and rightly, or says why "none of these" is off."""
    assert re.search(
        r"\nanswered correctly [\d.]+% on held-out takes .*\n  'none of these' for [\d.]+%", run("evaluate")[1]
    )
    answers = run("evaluate", "--json")[1]["headline"]["answers"]
    assert 0 < answers["right"] <= 1
    assert answers["right"] + answers["wrong"] <= 1
    fill(tmp_path / "in", takes=1)
    run("examples", "import", tmp_path / "in", "--profile", "short")
    assert "'none of these' is off" in run("evaluate", "--profile", "short")[1]


# -- disks, users, pipes ---------------------------------------------------------------------------------------------


def child(code: str, *arguments: object, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """Run a Python program in a process of its own, with the command's arguments."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **more.pop("env", {})}
    words = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(words, env=env, check=False, timeout=60, **{"capture_output": True, **more})


def test_a_full_disk(made: Path, data_dir: Path, run: Run) -> None:
    """A disk that takes no more ends an import and a training in one line; what was there before still works."""
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); {COMMAND}"
    common = ("--data-dir", data_dir, "--model", made / "model")
    for arguments in (("examples", "import", made / "pictures"), ("train",)):
        done = child(limited, *arguments, *common)
        refused((done.returncode, "", done.stderr.decode()), "cannot be written")
    assert counted(run) == 24
    assert run("evaluate")[0] == 0
    assert run("train")[0] == 0


@pytest.fixture
def public(made: Path) -> Iterator[Path]:
    """`model`, `pictures` and `data` where every user may read and nobody may write."""
    folder = Path(tempfile.mkdtemp())
    for name in ("model", "pictures", "data"):
        shutil.copytree(made / name, folder / name)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


AS_NOBODY = """
import importlib, os, sys
from encodings import cp437
import numpy.random
from PIL import JpegImagePlugin, PngImagePlugin
from device.commands.main import main
for name in ("train", "predict", "evaluate", "examples"):
    importlib.import_module(f"device.commands.{name}")
from edge_tl.embedders.tflite import TFLiteEmbedder
TFLiteEmbedder.load(sys.argv[-1])
if os.geteuid() == 0:
    os.setuid(65534)
sys.exit(main())
"""


def test_a_read_only_data_folder(public: Path) -> None:
    """Where nobody may write, writers say so in one line, and readers read."""
    file = public / "pictures" / "light" / "take0" / "0.png"
    common = ("--data-dir", public / "data", "--model", public / "model")
    for arguments in (("train",), ("examples", "import", public / "pictures")):
        done = child(AS_NOBODY, *arguments, *common)
        refused((done.returncode, "", done.stderr.decode()), "cannot be written")
    done = child(AS_NOBODY, "predict", file, "--json", *common)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)[0]["file"] == str(file)
    assert child(AS_NOBODY, "evaluate", *common).returncode == 0


def test_a_reader_that_goes_away_is_no_error(data_dir: Path) -> None:
    """`edge-tl … | head` ends with 0 and in silence, also where the pipe is closed from the beginning."""
    reader, writer = os.pipe()
    os.close(reader)
    done = child(
        COMMAND, "examples", "list", "--json", "--data-dir", data_dir, capture_output=False,
        stdout=writer, stderr=subprocess.PIPE,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_to_a_full_disk(data_dir: Path) -> None:
    """Where stdout takes no more, one line says so."""
    with open("/dev/full", "wb") as full:
        done = child(
            COMMAND, "examples", "list", "--data-dir", data_dir, capture_output=False, stdout=full,
            stderr=subprocess.PIPE,
        )  # fmt: skip
    refused((done.returncode, "", done.stderr.decode()), "No space left")


def test_labels_on_a_terminal_that_lacks_them(run: Run, data_dir: Path) -> None:
    """Where stdout is not UTF-8, an emoji is escaped, and JSON stays JSON."""
    run("examples", "rename", "dark", "dark 🙂")
    latin = {"PYTHONIOENCODING": "latin-1"}
    done = child(COMMAND, "examples", "list", "--data-dir", data_dir, env=latin)
    assert done.returncode == 0
    assert b"dark \\U0001f642" in done.stdout
    done = child(COMMAND, "examples", "list", "--json", "--data-dir", data_dir, env=latin)
    assert json.loads(done.stdout)[0]["label"] == "dark 🙂"


# -- stopping --------------------------------------------------------------------------------------------------------


def test_ctrl_c_is_asked_for_between_steps() -> None:
    """The first Ctrl-C is only noted, the second interrupts, and afterwards all is as before."""
    before = signal.getsignal(signal.SIGINT)
    with stoppable() as stopped:
        assert not stopped()
        signal.raise_signal(signal.SIGINT)
        assert stopped()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_import_that_is_stopped_keeps_what_it_said(made: Path, tmp_path: Path) -> None:
    """Ctrl-C during an import: exit 130, and as many examples on disk as the line says."""
    folder = tmp_path / "in" / "dark"
    folder.mkdir(parents=True)
    picture("dark", 0).resize((640, 480)).save(folder / "0000.jpg")
    jpeg = (folder / "0000.jpg").read_bytes()
    for number in range(1, 600):  # the same bytes again would be a copy
        (folder / f"{number:04}.jpg").write_bytes(jpeg + number.to_bytes(2, "big"))
    words = [sys.executable, "-c", COMMAND, "examples", "import", tmp_path / "in", "--model", made / "model"]
    data = ["--data-dir", str(tmp_path / "data")]
    database = tmp_path / "data" / "profiles" / "default" / "examples.sqlite-wal"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([*map(str, words), *data], env=env, stderr=subprocess.PIPE) as process:
        while process.poll() is None and not (database.exists() and database.stat().st_size > 500_000):
            os.sched_yield()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130
    said = err.decode()
    assert said.startswith("edge-tl: stopped; ")
    with Profile(tmp_path / "data" / "profiles" / "default") as profile:
        assert f"stopped; {profile.store.counts()['dark'].examples} of 600" in said


def test_a_lock_is_free_after_every_command(run: Run, data_dir: Path) -> None:
    """Neither a refused nor a finished command leaves the profile locked."""
    run("examples", "remove", "--label", "nobody")
    run("train")
    with open(data_dir / "profiles" / "default" / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
