"""The wheel and the sdist: what is in them, that they build the same twice, and that the installed wheel works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import urllib.request
import zipfile
from pathlib import Path

import pytest
from places import ROOT

EPOCH = "1700000000"
INHERITED = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def run(*command: object, folder: Path, **environment: str) -> str:
    """A program in this folder; its output, and a failure with it."""
    ended = subprocess.run(
        [*map(str, command)], cwd=folder, capture_output=True, text=True, env=INHERITED | environment, check=False
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    return ended.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """The wheel and the sdist of this checkout by `make dist`, each built twice, from a copy each."""
    pytest.importorskip("build.env", reason="the package build is not installed")  # build alone may be a folder here
    import setuptools

    if int(setuptools.__version__.split(".")[0]) < 77:
        pytest.skip(f"setuptools {setuptools.__version__} is too old to build without a network; 77 is wanted")
    made: dict[str, list[Path]] = {"whl": [], "gz": []}
    # What git knows or would take, as it is now: a release holds nothing else.
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=False)
    if names.returncode:
        pytest.skip("this is no git checkout")
    for number in (1, 2):
        copy = tmp_path_factory.mktemp(f"copy{number}")
        for name in names.stdout.splitlines():
            if (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                (copy / name).write_bytes((ROOT / name).read_bytes())
        run("make", "dist-files", f"BIN={Path(sys.executable).parent}", folder=copy, SOURCE_DATE_EPOCH=EPOCH)
        for path in (copy / "dist").iterdir():
            made[path.suffix[1:]].append(path)
    return made


def test_two_builds_are_the_same(built: dict[str, list[Path]]) -> None:
    """Two wheels, built from the sdists, and two sdists are equal bit for bit."""
    for one, two in built.values():
        assert one.name == two.name
        assert one.read_bytes() == two.read_bytes()


def test_the_sdist_holds_all_that_the_wheel_is_built_from(built: dict[str, list[Path]]) -> None:
    """Every file of the three rooms, the licence and the build's own files are in it."""
    with tarfile.open(built["gz"][0]) as archive:
        names = {one.name.partition("/")[2] for one in archive if one.isfile()}
    wanted = {"LICENSE", "README.md", "pyproject.toml", "setup.py"}
    for room in ("edge_tl", "device", "host_tools"):
        found = (ROOT / room).rglob("*")
        wanted |= {path.relative_to(ROOT).as_posix() for path in found if path.is_file() and path.suffix != ".pyc"}
    assert wanted <= names, wanted - names


def test_the_wheel_holds_the_three_rooms_and_nothing_else(built: dict[str, list[Path]]) -> None:
    """The models with their cards and licences, the unit, the console; no tests, no benchmarks, no compiled files."""
    with zipfile.ZipFile(built["whl"][0]) as wheel:
        names = wheel.namelist()
        metadata = wheel.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"edge_tl", "device", "host_tools"}
    for room in ("edge_tl", "device", "host_tools"):
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.relative_to(ROOT).as_posix() in names
    for wanted in (".tflite", "CARD.md", "LICENSES.txt", "edge-tl.service", "edge-tl.toml", "console.html", "/LICENSE"):
        assert any(name.endswith(wanted) for name in names), wanted
    assert not any("__pycache__" in name for name in names)
    extras = {line.split(": ")[1] for line in metadata.splitlines() if line.startswith("Provides-Extra")}
    assert extras >= {"device", "speech", "host", "usb", "mqtt", "web", "gpio"}


@pytest.fixture(scope="module")
def installed(built: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of an environment with the wheel installed; NumPy and the rest are this one's."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", place, folder=ROOT)
    site = next(place.glob("lib/python3*/site-packages"))
    # A bare path: the checkout, which is installed editable beside these packages, is not seen through it.
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", place / "bin" / "python", "--disable-pip-version-check"]
    run(*pip, "install", "-q", "--no-deps", "--no-index", "--ignore-installed", built["whl"][0], folder=ROOT)
    return place / "bin"


def test_the_installed_wheel_is_the_whole_program(
    installed: Path, built: dict[str, list[Path]], tmp_path: Path
) -> None:
    """From an environment without the checkout: the demo, a configuration that is checked, a dry installation."""
    where = run(installed / "python", "-c", "import device, edge_tl; print(device.__file__)", folder=tmp_path)
    assert where.startswith(str(installed.parent))
    edge_tl = installed / "edge-tl"
    assert '"accuracy"' in run(edge_tl, "demo", "--seconds", "0.1", "--json", folder=tmp_path, OMP_NUM_THREADS="1")
    config = next(installed.parent.rglob("systemd/edge-tl.toml"))
    assert "good" in run(edge_tl, "serve", "--config", config, "--check", folder=tmp_path)
    assert "would" in run(edge_tl, "install-service", "--dry-run", "--wheel", built["whl"][0], folder=tmp_path)
    assert "convert" in run(installed / "edge-tl-host", "--help", folder=tmp_path)


def test_the_installed_program_keeps_its_models_beside_itself(installed: Path, wheel: Path, tmp_path: Path) -> None:
    """`model get all` of an installed wheel puts them into its own environment, and any data folder has them then."""
    edge_tl, share = installed / "edge-tl", installed.parent / "share"
    try:
        data = ("--data-dir", tmp_path / "data")
        run(edge_tl, "model", "get", "all", "--wheel", wheel, *data, folder=tmp_path, EDGE_TL_MODELS="")
        listed = run(edge_tl, "model", "list", "--data-dir", tmp_path, folder=tmp_path, EDGE_TL_MODELS="")
        assert listed.count(f": {share}/edge-tl/models/") == 3
        assert not (tmp_path / "data").exists()
    finally:
        shutil.rmtree(share / "edge-tl", ignore_errors=True)  # the other tests' environment has none


def test_the_installed_wheel_serves_its_console(installed: Path, tmp_path: Path) -> None:
    """The service runs from it, and gives out the page, its style and every script that it names."""
    pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
    command = [installed / "edge-tl", "serve", "--camera", "sim", "--web", "0", "--data-dir", tmp_path / "state"]
    with subprocess.Popen(
        [str(word) for word in command], cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=INHERITED
    ) as process:
        assert process.stderr is not None
        told = ""
        while "console at" not in told:
            told = process.stderr.readline()
            assert told, "it ended before it served"
        address = told.split("console at ")[1].split()[0]
        for name in ("", *(path.name for path in (ROOT / "device/serve/console").iterdir())):
            if name != "console.html":
                with urllib.request.urlopen(address + name, timeout=60) as answer:
                    assert answer.status == 200
        process.terminate()
        process.stderr.read()
        assert process.wait(60) == 0
