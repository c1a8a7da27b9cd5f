"""What somebody else made, asked once in a process of its own that may take so much memory and time, and no more.

A head that was made by hand can ask for terabytes or for hours. `python -m device.teach.trial DATA_DIR FOLDER` is
that process: it says in one line what is wrong with the profile in a folder, and nothing where its newest generation
answers.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

from device.assembly import Context
from device.teach.generation_fit import opened_with
from edge_tl.core.answers import head_name
from edge_tl.core.restoring import damage_in_one_line
from edge_tl.detection.few import NAME as BOXES
from edge_tl.detection.few import FewDetector
from edge_tl.errors import EdgeTLError, ModelError
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile
from edge_tl.store.settings import NEEDED, read_settings

MAX_BYTES, MAX_S = 1_500_000_000, 60
"""Beside what the files themselves hold; the interpreter and the models take a tenth of the first."""


def tried(data_dir: Path, folder: Path) -> str:
    """What is wrong with the newest generation in a profile's folder, in a line; empty where it answers."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "device.teach.trial", str(data_dir), str(folder)],
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            timeout=MAX_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the trained model does not answer within {MAX_S} s"
    if done.returncode < 0:
        return "the trained model takes too much memory or time"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["the trained model does not run"])[-1][:200]
    return done.stdout.strip()


def _main(data_dir: Path, folder: Path) -> None:
    """Ask, within limits."""
    own = sum(path.stat().st_size for path in folder.glob("generations/*/*"))
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_BYTES + 4 * own, MAX_BYTES + 4 * own))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_S, MAX_S))
    try:
        with Profile(folder) as profile, damage_in_one_line():
            try:
                embedder = opened_with(Context(data_dir, "default", threads=1), read_settings(folder, *NEEDED))
            except ModelError:
                return  # it is not installed here, and nothing of the profile is asked before it is
            saved = profile.load(embedder.fingerprint)  # those of other models nobody asks
            if saved is None:
                return
            if head_name(saved) == BOXES:
                FewDetector.restored(saved, embedder)
            else:
                Recognizer.restore(saved, embedder)
    except EdgeTLError as error:
        print(error)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]))
