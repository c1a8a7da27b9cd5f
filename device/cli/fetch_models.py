"""The models for hands and faces: taken from a wheel that is on this machine, or from the one that pip fetches."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import edge_tl
from device.cli.model_places import folder_of_models, folder_to_fill, has_models
from device.cli.output import Progress
from edge_tl.embedders.look.models import (
    ALL,
    VERSION,
    ModelPart,
    download_command,
    is_installed,
    parts_of,
    read_installed,
    read_parts,
    store_parts,
)
from edge_tl.errors import ModelError

Say = Callable[[str], None]
WHEEL_BYTES = 34_508_011
"""Of the wheel for x86-64, which is the one that is fetched."""
PATIENT = ("--retries", "2")
"""Options of pip for who asked for the models."""
HASTY = ("--retries", "1", "--timeout", "6")
"""For who wants to begin, with a network or without: one that never answers is given up after some 13 seconds."""
BY_HAND = "or bring its wheel from elsewhere with --wheel FILE"


def ensure_models(data_dir: Path, say: Say) -> bool:
    """True where the models of hands and of faces are both installed; what is missing is got first.

    It is taken from a wheel at hand or fetched (its size is said, a progress bar shown). Where that cannot be it says
    one line through `say`, with the command that helps, and returns False. Ctrl-C while fetching skips it (False) and
    does not end the program.
    """
    return has_models(data_dir) or bring_models(data_dir, folder_to_fill(data_dir), say)


def bring_models(data_dir: Path, folder: Path, say: Say) -> bool:
    """Put all models into a folder: those that are installed for `data_dir`, else as `ensure_models` gets them."""
    if all(is_installed(folder, part) for part in parts_of(ALL)):
        return True
    try:
        if has_models(data_dir):
            taken = read_installed(folder_of_models(data_dir), ALL)
        else:
            taken = taken_parts(data_dir, ALL, say, HASTY)
        store_parts(folder, taken)
    except ModelError as error:
        say(f"without the models for hands and faces the whole picture is used: {error}")
        return False
    except KeyboardInterrupt:
        say("skipped; without the models for hands and faces the whole picture is used: `edge-tl model get all`")
        return False
    return True


def taken_parts(data_dir: Path, which: str, say: Say, manner: tuple[str, ...] = PATIENT) -> dict[ModelPart, bytes]:
    """The models of `hands`, `face` or `all`, from a wheel on this machine, else from the one that pip fetches.

    `manner`: options of pip. ModelError, one line that says what to do, where they are not to be had.
    """
    for wheel in local_wheels(data_dir):
        try:
            taken = read_parts(wheel, which)
        except ModelError as error:
            say(f"{error}; looking on")
            continue
        say(f"the models for {described(which)} are taken from {wheel}")
        return taken
    say(f"fetching the models for {described(which)}: a wheel of 35 MB, of which 8 are kept (mediapipe {VERSION})")
    return fetched_parts(which, manner=manner)


def described(which: str) -> str:
    """What is found by the models of a word."""
    return {"face": "faces", ALL: "hands and faces"}.get(which, which)


def local_wheels(data_dir: Path) -> Iterator[Path]:
    """Wheels of the wanted version where people keep them: here, in `downloads` here, of the checkout, of the data."""
    checkout = Path(edge_tl.__file__).parents[1]
    folders = (Path(), Path("downloads"), checkout / "downloads", data_dir / "downloads")
    for folder in dict.fromkeys(folder.absolute() for folder in folders):
        yield from sorted(folder.glob(f"mediapipe-{VERSION}-*.whl"))


def fetched_parts(which: str, python: str | None = None, manner: tuple[str, ...] = PATIENT) -> dict[ModelPart, bytes]:
    """The models of `hands`, `face` or `all`, from the wheel that pip fetches; of the wheel nothing is left afterwards.

    `python`: whose pip is asked; None for the running one. ModelError (one line) where pip is missing, where no
    package index can be reached, or where the disk is full.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="edge-tl-") as folder:
            return read_parts(_fetched(Path(folder), python, manner), which)
    except OSError as error:
        raise ModelError(f"{tempfile.gettempdir()}: cannot be written ({error.strerror}); set TMPDIR") from error


def _fetched(folder: Path, python: str | None, manner: tuple[str, ...]) -> Path:
    """The wheel that pip put into a folder."""
    command = download_command(folder)
    # Its cache would keep 35 MB of which 8 are wanted, and its temporary files must go with the folder.
    command += ["--quiet", "--no-cache-dir", "--disable-pip-version-check", "--no-input", *manner]
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
    with Progress(f"fetching mediapipe {VERSION}", round(WHEEL_BYTES / 1e6)) as progress:
        while True:
            progress(round(min(_written_bytes(folder), WHEEL_BYTES) / 1e6), "MB")
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
    again = "`edge-tl model get all`"
    if "No module named pip" in said:
        return (
            f"{what}: pip is missing; run `python -m ensurepip` (sudo apt install python3-pip), then {again}, {BY_HAND}"
        )
    if "No space left" in said or "Disk quota" in said:
        return (
            f"{what}: {tempfile.gettempdir()} is full; set TMPDIR to a folder with 80 MB free, then {again}, {BY_HAND}"
        )
    if "connection broken" in said or "ConnectionError" in said or "Max retries" in said or "timed out" in said:
        return f"{what}: no package index can be reached; connect to the network and run {again}, {BY_HAND}"
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.strip()]
    return f"{what}: pip says {errors[-1].strip() if errors else 'nothing'!r}; try {again} again, {BY_HAND}"
