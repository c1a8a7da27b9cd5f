"""Where nothing was done no command says that something was."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.commands.main import main
from edge_tl.store.profile import Profile


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A data folder whose profile has two classes and no example."""
    with Profile(tmp_path / "data" / "profiles" / "default", writable=True) as profile:
        profile.store.add_label("up")
        profile.store.add_label("down")
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("remove", "--last-take"), 1, "there is no take to remove: nothing was recorded yet"),
        (("remove", "--label", "down"), 0, "removed the class down, which had no example"),
        (("rename", "up", "left"), 0, "up is now left"),
        (("re-embed",), 0, "there are no examples to embed; new ones will use "),
        (("export", "out"), 1, "there is nothing to export: profile 'default' keeps no picture and no sound"),
        (("export", "out", "--format", "csv"), 1, "there is nothing to export: profile 'default' keeps no picture"),
        (("export", "out", "--format", "coco"), 1, "there is nothing to export: profile 'default' keeps no picture"),
    ],
)
def test_what_was_not_done_is_not_said(
    named: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    """No "removed 0", "exported 0", "embedded 0", nor a training that would make it count; no empty folder stays."""
    monkeypatch.chdir(tmp_path)
    assert main(["examples", *words, "--data-dir", str(named)]) == code
    out, err = capsys.readouterr()
    assert said in (err if code else out)
    assert "edge-tl train" not in out + err
    assert not (tmp_path / "out").exists()
