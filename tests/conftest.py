"""What every test may ask for: the shared real data, and TensorFlow where it is installed."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_tl.embedders.look.models import PARTS, VERSION, install_models

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data() -> Callable[[str], Path]:
    """A function from a name to its path in the shared data; the test is skipped where that is absent."""
    folder = Path(os.environ.get("EDGE_TL_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            pytest.skip(f"no {name} in {folder} (set EDGE_TL_DATA)")
        return path

    return find


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The published wheel that holds the models for hands and faces; `make test HOST=1` downloads it."""
    found = sorted((ROOT / "downloads").glob(f"mediapipe-{VERSION}-*.whl"))
    if not found:
        pytest.skip(f"no wheel of mediapipe {VERSION} in downloads (make downloads)")
    return found[0]


@pytest.fixture(scope="session")
def look_models(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models for hands and faces, as `edge-tl model get` puts them into the data folder."""
    folder = tmp_path_factory.mktemp("models")
    for which in PARTS:
        install_models(wheel, folder, which)
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests marked `host` where TensorFlow is not installed."""
    if importlib.util.find_spec("tensorflow") is None:
        skip = pytest.mark.skip(reason="TensorFlow is not installed (make test HOST=1)")
        for item in items:
            if "host" in item.keywords:
                item.add_marker(skip)
