"""The environments of the peers: what is installed where, how they are made, and why one is absent."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.pictures import ROOT
from edge_tl.embedders.look.models import VERSION

FOLDER = ROOT / ".venv-peers"
"""Ignored by git."""
LIMIT_S = 1200.0
"""To install one of them."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment, or a folder with `node_modules`, that holds one peer."""

    name: str
    packages: tuple[str, ...]
    """For pip `NAME==VERSION`, for npm `NAME@VERSION`."""
    node: bool = False
    alone: tuple[str, ...] = ()
    """Installed without what they ask for, since that is gigabytes that nothing here uses."""
    ours: bool = False
    """Whether edge-tl is installed there too, from this checkout: for what is timed in one process with the peer."""
    python: tuple[int, int] | None = None
    """The only version of Python that the packages have wheels for; None: whichever runs this."""

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return FOLDER / self.name

    @property
    def pinned(self) -> list[str]:
        """The names of the packages whose versions are said: the peer, and what decides how it runs."""
        if self.node:
            return [package.rsplit("@", 1)[0] for package in self.packages]
        return [bare(package) for package in (*self.packages, *self.alone) if "==" in package]

    def command(self, child: str) -> list[str]:
        """What starts a file of `children/` in it."""
        if self.node:
            return ["node", str(Path(__file__).parent / "children" / f"{child}.cjs")]
        return [str(self.folder / "bin" / "python"), "-m", f"benchmarks.peers.children.{child}"]

    def absent(self) -> str | None:
        """Why it cannot be used, None where it can."""
        if (self.folder / "ready").exists():
            return None
        kept = self.folder / "reason"
        return kept.read_text() if kept.exists() else f"no environment {self.name}: make bench-peers makes it"

    def make(self) -> str | None:
        """Make it where it is not there; the reason where that failed, which is kept too."""
        if self.absent() is None:
            return None
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            reason = self._install()
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = f"could not be installed: {error}"
        if reason is None:
            (self.folder / "reason").unlink(missing_ok=True)
            (self.folder / "ready").touch()
            return None
        (self.folder / "reason").write_text(reason)
        return reason

    def _install(self) -> str | None:
        if self.node:
            if shutil.which("npm") is None or shutil.which("node") is None:
                return "Node and npm are not installed"
            (self.folder / "package.json").write_text("{}")
            quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--no-package-lock", "--silent")
            return _failed(["npm", "install", *quiet, *self.packages], self.folder)
        python = _python(self.python)
        if python is None:
            return "its packages need Python {}.{}, which is not installed".format(*self.python or ())
        inside = str(self.folder / "bin" / "python")
        pip = [inside, "-m", "pip", "--disable-pip-version-check", "-q", "install"]
        steps = [[python, "-m", "venv", str(self.folder)], [*pip, *self.packages]]
        steps += [[*pip, "--no-deps", *self.alone]] if self.alone else []
        steps += [[*pip, "--no-deps", "-e", str(ROOT)]] if self.ours else []
        return next((reason for step in steps if (reason := _failed(step, ROOT)) is not None), None)

    def versions(self) -> dict[str, str]:
        """The versions of its packages."""
        names = [
            package.split("==")[0].rsplit("@", 1)[0] if self.node else bare(package)
            for package in (*self.packages, *self.alone)
        ]
        if self.node:
            found = {}
            for name in names:
                about = json.loads((self.folder / "node_modules" / name / "package.json").read_text())
                found[name] = about["version"]
            return found
        ask = "import json, sys; from importlib.metadata import version as v; "
        ask += "print(json.dumps({name: v(name) for name in sys.argv[1:]}))"
        done = subprocess.run([self.command("")[0], "-c", ask, *names], capture_output=True, text=True, check=True)
        told: dict[str, str] = json.loads(done.stdout)
        return told

    def bytes(self, roots: tuple[str, ...]) -> int:
        """What these packages and all that they ask for take on the disk."""
        done = subprocess.run([self.command("")[0], "-c", SIZES, *roots], capture_output=True, text=True, check=True)
        return int(done.stdout)


SIZES = """
import re, sys
from importlib.metadata import PackageNotFoundError, distribution
seen, wanted, total = set(), sys.argv[1:], 0
while wanted:
    name = re.match("[A-Za-z0-9._-]+", wanted.pop())[0].lower().replace("_", "-")
    if name in seen:
        continue
    seen.add(name)
    try:
        found = distribution(name)
    except PackageNotFoundError:
        continue
    wanted += [one for one in found.requires or [] if "extra ==" not in one]
    files = [one.locate() for one in found.files or [] if "__pycache__" not in one.parts]
    total += sum(one.stat().st_size for one in files if one.is_file())
print(total)
"""
"""Run in an environment: bytes of the files of some packages and of what they ask for."""


def bare(requirement: str) -> str:
    """The name of a requirement."""
    for sign in ("==", "<", ">", "["):
        requirement = requirement.split(sign)[0]
    return requirement


def size(folder: Path) -> int:
    """Bytes of all files below a folder, compiled ones not counted."""
    files = [one for one in folder.rglob("*") if one.is_file() and "__pycache__" not in one.parts]
    return sum(one.stat().st_size for one in files)


def _python(wanted: tuple[int, int] | None) -> str | None:
    if wanted is None or sys.version_info[:2] == wanted:
        return sys.executable
    return shutil.which("python{}.{}".format(*wanted))


def _failed(command: list[str], folder: Path) -> str | None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if done.returncode == 0:
        return None
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    return f"could not be installed: {lines[-1].strip() if lines else f'exit code {done.returncode}'}"


ENVIRONMENTS: dict[str, Environment] = {
    one.name: one
    for one in (
        Environment(
            "node",
            (
                "@tensorflow/tfjs@4.22.0",
                "@tensorflow/tfjs-backend-wasm@4.22.0",
                "@tensorflow-models/knn-classifier@1.2.6",
            ),
            node=True,
        ),
        Environment(
            "tensorflow",
            ("tensorflow-cpu==2.21.0", "keras==3.15.1", "ai-edge-litert==2.3.0", "pillow>=9.4", "soundfile", "soxr"),
            ours=True,
        ),
        Environment("torch", ("torch==2.13.0", "numpy", "pillow>=9.4")),
        Environment("scikit-learn", ("scikit-learn==1.9.1",)),
        Environment("faiss", ("faiss-cpu==1.15.1",)),
        Environment("mediapipe", (f"mediapipe=={VERSION}", "numpy<2", "pillow>=9.4"), python=(3, 11)),
        Environment("tflite-runtime", ("tflite-runtime==2.14.0", "numpy==1.24.4", "pillow>=9.4"), python=(3, 11)),
        Environment("litert", ("ai-edge-litert==2.3.0", "numpy", "pillow>=9.4")),
        Environment("livekit-wakeword", ("livekit-wakeword==0.3.0",)),
        Environment("local-wake", ("librosa", "onnxruntime", "soundfile"), alone=("local-wake==0.1.2",)),
        Environment("openwakeword", ("openwakeword==0.6.0",)),
    )
}


def describe(name: str) -> dict[str, Any]:
    """The versions of an environment that is there, or why it is not."""
    reason = ENVIRONMENTS[name].absent()
    return {"absent": reason} if reason else {"versions": ENVIRONMENTS[name].versions()}
