"""The wheel that holds the models for hands and faces: found on this machine, or fetched with pip."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import edge_tl
from device.cli.output import Progress
from edge_tl.embedders.look.models import VERSION, Part, download_command, read_parts
from edge_tl.errors import ModelError

WHEEL_BYTES = 34_508_011
"""Of the wheel for x86-64, which is the one that is fetched."""
BY_HAND = f"or bring the wheel of mediapipe {VERSION} from elsewhere and say --wheel FILE"


def local_wheels(data_dir: Path) -> Iterator[Path]:
    """Wheels of the wanted version where people keep them: here, in `downloads` here, of the checkout, of the data."""
    checkout = Path(edge_tl.__file__).parents[1]
    folders = (Path(), Path("downloads"), checkout / "downloads", data_dir / "downloads")
    for folder in dict.fromkeys(folder.absolute() for folder in folders):
        yield from sorted(folder.glob(f"mediapipe-{VERSION}-*.whl"))


def fetched_parts(which: str, python: str | None = None) -> dict[Part, bytes]:
    """The models of `hands` or `face`, from the wheel that pip fetches; of the wheel nothing is left afterwards.

    `python`: whose pip is asked; None for the running one. ModelError (one line) where pip is missing, where no
    package index can be reached, or where the disk is full.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="edge-tl-") as folder:
            return read_parts(_fetched(Path(folder), python), which)
    except OSError as error:
        raise ModelError(f"{tempfile.gettempdir()}: cannot be written ({error.strerror}); set TMPDIR") from error


def _fetched(folder: Path, python: str | None) -> Path:
    """The wheel that pip put into a folder."""
    command = download_command(folder)
    # Its cache would keep 35 MB of which 8 are wanted, and its temporary files must go with the folder.
    command += ["--quiet", "--no-cache-dir", "--disable-pip-version-check", "--no-input", "--retries", "2"]
    if python is not None:
        command[0] = python
    environment = {**os.environ, "TMPDIR": str(folder), "LC_ALL": "C.UTF-8"}
    pipe = subprocess.PIPE
    pip = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT, env=environment)
    try:
        said = _wait(pip, folder)
    finally:
        if pip.poll() is None:
            pip.terminate()
            pip.wait()
    wheels = list(folder.glob("*.whl"))
    if pip.returncode or len(wheels) != 1:
        raise ModelError(reason(said))
    return wheels[0]


def _wait(pip: subprocess.Popen[bytes], folder: Path) -> str:
    """What pip says until it ends; meanwhile how many MB it has is shown."""
    with Progress(f"fetching mediapipe {VERSION}", WHEEL_BYTES // 10**6) as progress:
        while True:
            progress(min(_written_bytes(folder), WHEEL_BYTES) // 10**6, "MB")
            try:
                return pip.communicate(timeout=0.2)[0].decode(errors="replace")
            except subprocess.TimeoutExpired:
                continue


def _written_bytes(folder: Path) -> int:
    """The size of the largest file below a folder; pip moves them while they are looked at."""
    largest = 0
    for path in folder.rglob("*"):
        try:
            largest = max(largest, path.stat().st_size)
        except OSError:
            continue
    return largest


def reason(said: str) -> str:
    """One line that says why pip failed, and what to do."""
    what = f"the wheel of mediapipe {VERSION} cannot be fetched"
    if "No module named pip" in said:
        return f"{what}: pip is missing; run `python -m ensurepip` (sudo apt install python3-pip), {BY_HAND}"
    if "No space left" in said or "Disk quota" in said:
        return f"{what}: {tempfile.gettempdir()} is full; set TMPDIR to a folder with 80 MB free, {BY_HAND}"
    if "connection broken" in said or "ConnectionError" in said or "Max retries" in said or "timed out" in said:
        return f"{what}: no package index can be reached; connect to the network, {BY_HAND}"
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.strip()]
    return f"{what}: pip says {errors[-1].strip() if errors else 'nothing'!r}; try again, {BY_HAND}"
