"""What the tests of commands have in common."""

from __future__ import annotations

import pytest

from device.cli import output


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long work says no lines of its progress: whether some come depends on how busy the machine is."""
    monkeypatch.setattr(output, "LINE_S", float("inf"))
