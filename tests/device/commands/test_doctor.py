"""`edge-tl doctor` names the faults that really happen, and the command that mends each."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.commands import doctor
from edge_tl.errors import to_install


def test_a_numpy_that_does_not_fit_picamera2_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Bookworm's Picamera2 beside a NumPy that pip raised fails at import; doctor says so and how to mend it."""
    broken = "raise ValueError('numpy.dtype size changed, may indicate binary incompatibility')"
    tmp_path.joinpath("picamera2.py").write_text(broken)
    monkeypatch.syspath_prepend(tmp_path)
    finding = doctor.numpy_finding()
    assert finding.state == "missing"
    assert "numpy.dtype size changed" in finding.detail
    assert "numpy<2" in finding.mend


def test_a_data_folder_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder without the right to write is missing, with the option that mends it."""
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: False)
    finding = doctor.data_finding(tmp_path / "not" / "there")
    assert finding.state == "missing"
    assert "--data-dir" in finding.mend


def test_a_camera_without_permission_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A /dev/video* that may not be read sends the user to the video group."""
    monkeypatch.setattr(doctor.Path, "glob", lambda self, pattern: [Path("/dev/video0")])
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: False)
    finding = list(doctor.cameras())[-1]
    assert (finding.what, finding.state) == ("camera", "missing")
    assert "video" in finding.mend


def test_a_missing_model_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the shipped model, doctor says so instead of failing."""
    monkeypatch.setattr(doctor, "default_model", lambda: tmp_path / "nowhere")
    assert doctor.model_finding().state == "missing"


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({"av"}, "not installed: pi-heif; HEIC is not read"),
        ({"pi_heif"}, "not installed: PyAV; m4a, 3gp and videos cannot be read"),
        (set(), "not installed: PyAV, pi-heif; m4a, 3gp and videos cannot be read"),
    ],
)
def test_what_phones_write_is_named(monkeypatch: pytest.MonkeyPatch, there: set[str], said: str) -> None:
    """What is missing to read memos, films and HEIC, what is not read then, and the command that installs it."""
    monkeypatch.setattr(doctor, "module", there.__contains__)
    found = doctor.phone_finding()
    assert (found.state, found.detail, found.mend) == ("note", said, to_install("[phone]"))
