"""make check-release: wheel and sdist, each in an empty environment of each Python, do what a release must.

    python tests/checks/check_release.py DIST [PYTHON …]

DIST is the folder with both (`make dist-files`). Of each Python (python3.11 and python3.13 unless others are named; one
that is not here is said) an environment is made for either file, with the extras web and mqtt from the package index.
Then, away from the checkout: the demo; the service, checked, started, asked over its console and its socket, and ended;
and the examples as the sdist carries them, by their own tests. A line each, with the seconds it took.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("python3.11", "python3.13")
CLEAN = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
FEW = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Failed(Exception):
    """What a step said when it failed."""


def run(*command: object, folder: Path) -> str:
    """A program in a folder; its output, or Failed with the end of it."""
    ended = subprocess.run(
        [*map(str, command)], cwd=folder, env=CLEAN | FEW, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise Failed(f"{command[0]} ended with {ended.returncode}: {(ended.stdout + ended.stderr)[-1500:]}")
    return ended.stdout


def usable(name: str) -> str | None:
    """The Python that a name stands for, where it starts and can make environments; pyenv's stand-ins may not."""
    path = shutil.which(name)
    if path is None:
        return None
    asked = subprocess.run([path, "-c", "import sys, ensurepip; print(sys.executable)"], capture_output=True, text=True)
    return asked.stdout.strip() if not asked.returncode else None


class Release:
    """One file of the release in an empty environment of one Python, in a folder of its own."""

    def __init__(self, python: str, file: Path, sdist: Path, folder: Path) -> None:
        self.python, self.file, self.sdist, self.folder = python, file, sdist, folder
        self.programs = folder / "venv" / "bin"

    def install(self) -> None:
        """An environment with nothing but what the file asks for, and pytest."""
        run(self.python, "-m", "venv", self.folder / "venv", folder=self.folder)
        pip = (self.programs / "python", "-m", "pip", "--disable-pip-version-check", "-q", "install")
        run(*pip, f"{self.file}[web,mqtt]", "pytest", folder=self.folder)
        where = run(self.programs / "python", "-c", "import edge_tl; print(edge_tl.__file__)", folder=self.folder)
        if not where.startswith(str(self.folder)):
            raise Failed(f"edge_tl comes from {where}")

    def demo(self) -> None:
        """It teaches itself, plays, and says how well it was understood."""
        said = run(self.programs / "edge-tl", "demo", "--seconds", "1", "--json", folder=self.folder)
        if '"accuracy"' not in said:
            raise Failed(f"the demo said {said[:500]}")

    def check_service(self) -> None:
        """The configuration that is installed with it is good."""
        (config,) = (self.folder / "venv").rglob("systemd/edge-tl.toml")
        run(self.programs / "edge-tl", "serve", "--config", config, "--check", folder=self.folder)

    def start_service(self) -> None:
        """It starts, serves its console, answers `status`, and ends when it is told to."""
        state = self.folder / "state"
        command = [str(self.programs / "edge-tl"), "serve", "--camera", "sim", "--web", "0", "--data-dir", str(state)]
        with subprocess.Popen(command, cwd=self.folder, env=CLEAN | FEW, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stderr is not None
                told = ""
                while "console at" not in told:
                    if not (told := process.stderr.readline()):
                        raise Failed("the service ended before it served")
                with urllib.request.urlopen(told.split("console at ")[1].split()[0], timeout=60) as answer:
                    if b"<title>" not in answer.read():
                        raise Failed("the console is no page")
                run(self.programs / "edge-tl", "status", "--socket", state / "events.sock", folder=self.folder)
            finally:
                process.terminate()
                rest = process.stderr.read() if process.stderr else ""
        if process.returncode:
            raise Failed(f"the service ended with {process.returncode}: {rest[-500:]}")

    def examples(self) -> None:
        """Those in the sdist, by the tests that are theirs; what is installed is what they import."""
        place = self.folder / "examples"
        with tarfile.open(self.sdist) as archive:
            inside = [one for one in archive.getmembers() if "/examples/" in f"/{one.name.partition('/')[2]}"]
            archive.extractall(place, inside, filter="data")
        (root,) = place.iterdir()
        for name in ("tests/examples", "tests/parts"):
            shutil.copytree(ROOT / name, root / name, dirs_exist_ok=True)
        shutil.copy(ROOT / "pyproject.toml", root)
        run(self.programs / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/examples", folder=root)


def main(dist: Path, names: tuple[str, ...]) -> int:
    """Every step of every file with every Python; 1 where one failed, or where there is no Python at all."""
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    passed, failed = 0, 0
    for name in names:
        if (python := usable(name)) is None:
            print(f"{name}: skipped: it is not here, or cannot make environments (python3-venv)")
            continue
        for file in (wheel, sdist):
            with tempfile.TemporaryDirectory() as made:
                one = Release(python, file, sdist, Path(made))
                steps: tuple[Callable[[], None], ...]
                steps = (one.install, one.demo, one.check_service, one.start_service, one.examples)
                for step in steps:
                    begun_s = time.monotonic()
                    try:
                        step()
                    except Failed as error:
                        failed += 1
                        print(f"{name}, {file.name}: {step.__name__} FAILED: {error}", flush=True)
                        if step == one.install:
                            break
                    else:
                        passed += 1
                        took_s = time.monotonic() - begun_s
                        print(f"{name}, {file.name}: {step.__name__} ok ({took_s:.0f} s)", flush=True)
    print(f"check-release: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), tuple(sys.argv[2:]) or PYTHONS))
