"""The high score: kept for each maze, and a file that is spoilt or cannot be written is no end of the game."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from device.pacman.scores import HighScore
from edge_tl.errors import ConfigError


def test_the_high_score_is_kept(tmp_path: Path) -> None:
    """The best score of each maze survives in its file; a lower one changes nothing, and no temporary file stays."""
    path = tmp_path / "new" / "high_score.json"
    scores = HighScore(path)
    assert scores.best("compact") == 0
    assert scores.record("compact", 900)
    assert not scores.record("compact", 800)
    assert scores.record("large", 100)
    assert HighScore(path).best("compact") == 900
    assert HighScore(path).best("large") == 100
    assert json.loads(path.read_text()) == {"compact": 900, "large": 100}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"compact": "many"}', b"null"])
def test_a_spoilt_high_score_counts_as_none(tmp_path: Path, content: bytes) -> None:
    """A high score file that cannot be understood never keeps anybody from playing, and is written anew."""
    path = tmp_path / "high_score.json"
    path.write_bytes(content)
    scores = HighScore(path)
    assert scores.best("compact") == 0
    assert scores.record("compact", 10)
    assert HighScore(path).best("compact") == 10


def test_a_high_score_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    """Where the file cannot be written, one line says so, and the old file is as it was."""
    path = tmp_path / "folder"
    path.mkdir()
    (path / "inside").touch()
    with pytest.raises(ConfigError, match="the high score 10 could not be written") as error:
        HighScore(path).record("compact", 10)
    assert "\n" not in str(error.value)
    assert os.listdir(tmp_path) == ["folder"]
