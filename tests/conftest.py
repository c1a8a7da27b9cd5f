"""What every test may ask for: the shared real data, and TensorFlow where it is installed."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import settings
from lacking import lacking, summary

from device.cli import calling
from edge_tl.embedders.look.models import ALL, VERSION, install_models, read_installed, store_parts
from edge_tl.errors import ModelError

ROOT = Path(__file__).resolve().parents[1]
OFFLINE = {
    "EDGE_TL_MODELS": "/dev/null/models",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
}
"""What every test and every program that it starts begins with: no models but those that the test installs (what this
machine's environment holds decides nothing), and no package index."""


def pytest_configure() -> None:
    """Set it, also for the fixtures that are made before the first test."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        del os.environ[name]
    os.environ.update(OFFLINE)
    # A worker for each core is enough: what each starts computes on one (OpenBLAS' threads spin while they wait).
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


# Without deadlines: another machine, or a busy one, is not a wrong one. The same examples in every run: a red run is
# then of what was changed, and red again for whoever looks into it. `--hypothesis-profile=search` looks for new ones.
settings.register_profile("edge_tl", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("edge_tl")


@pytest.fixture(scope="session")
def data() -> Callable[[str], Path]:
    """A function from a name to its path in the shared data; the test is skipped where that is absent."""
    folder = Path(os.environ.get("EDGE_TL_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            pytest.skip(lacking(name))
        return path

    return find


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The published wheel that holds the models for hands and faces; `make test HOST=1` downloads it."""
    found = sorted((ROOT / "downloads").glob(f"mediapipe-{VERSION}-*.whl"))
    if not found:
        pytest.skip(lacking("the wheel of mediapipe"))
    return found[0]


@pytest.fixture(scope="session")
def look_models(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models for hands and faces: those that `make venv` brought, else out of the published wheel."""
    folder = tmp_path_factory.mktemp("models")
    try:
        store_parts(folder, read_installed(Path(sys.prefix) / "share" / "edge-tl" / "models", ALL))
    except ModelError:
        install_models(request.getfixturevalue("wheel"), folder, ALL)
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests marked `host` where TensorFlow is not installed."""
    if importlib.util.find_spec("tensorflow") is None:
        skip = pytest.mark.skip(reason=lacking("TensorFlow"))
        for item in items:
            if "host" in item.keywords:
                item.add_marker(skip)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around pytest's own, so that it stands last
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """Say at the end what skipped tests lacked, and how to get it."""
    yield
    if lines := summary(terminalreporter.getreports("skipped")):
        terminalreporter.section("what skipped tests lacked; data sets belong into the folder that EDGE_TL_DATA names")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture(autouse=True)
def plain_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins as a program does; its own data folder, which nearly every test gives, is left out of hints.

    tests/device/commands/test_hints.py asks for it, of programs of their own.
    """
    monkeypatch.setattr(calling, "_given", {})
    monkeypatch.setattr(calling, "_words", False)
    monkeypatch.setattr(calling, "OPTIONS", ("--profile",))
