"""`edge-tl-host world`: folders of sounds become statistics with a card; what does not fit is one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge_tl.embedders.speech import SpeechEmbedder
from edge_tl.embedders.world import read_world
from edge_tl.media.wav import encode_wav
from host_tools.cli import main

for needed in ("soundfile", "soxr", "pyopen_wakeword"):
    pytest.importorskip(needed, reason=f"{needed} is not installed: pip install -e .[speech]")

RATE_HZ = 8000


def sounds(folder: Path, seconds: float, seed: int) -> Path:
    """A folder with two files of noise."""
    folder.mkdir()
    for number in range(2):
        noise = np.random.default_rng([seed, number]).normal(0, 0.05, int(seconds / 2 * RATE_HZ))
        (folder / f"{number}.wav").write_bytes(encode_wav(noise.astype(np.float32), RATE_HZ))
    return folder


def test_folders_of_sounds_become_a_world(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Each folder stands in the card with its hours, licence, name and check sum; the numbers are read again."""
    first, second, out = sounds(tmp_path / "talk", 20, 1), sounds(tmp_path / "rooms", 12, 2), tmp_path / "world"
    argv = ["world", str(first), str(second), "--licence", "CC0-1.0", "--source", "A talk", "--source", "Two rooms"]
    assert main([*argv, "--out", str(out)]) == 0
    assert capsys.readouterr().out.startswith(f"{out}: 3")
    about = json.loads((out / "world.json").read_text())
    assert [(one["name"], one["licence"], one["files"]) for one in about["sources"]] == [
        ("A talk", "CC0-1.0", 2),
        ("Two rooms", "CC0-1.0", 2),
    ]
    assert len({one["sha256"] for one in about["sources"]}) == 2
    assert 'world talk rooms --licence "CC0-1.0"' in (out / "CARD.md").read_text()
    world = read_world(out, SpeechEmbedder.load(1))
    assert world.hours == pytest.approx((20 + 12 - 2 * 1.3) / 3600, rel=0.02)
    assert main([*argv, "--out", str(out)]) == 0  # again: it is replaced, and the same


def test_what_does_not_fit_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Licences that are not as many as the folders, names likewise, no sounds, too little of them, a file as --out."""
    some, short = sounds(tmp_path / "some", 4, 1), sounds(tmp_path / "short", 4, 2)
    (tmp_path / "none").mkdir()
    (tmp_path / "file").touch()
    two = ["--licence", "CC0-1.0", "--licence", "CC BY 4.0"]
    for argv, said in (
        ([str(some), *two], "--licence: 2 for 1 folder"),
        ([str(some), *two[:2], "--source", "a", "--source", "b"], "--source: 2 for 1 folder"),
        ([str(tmp_path / "none"), *two[:2]], "no sound files in"),
        ([str(short), *two[:2]], "too short"),
    ):
        assert main(["world", *argv, "--out", str(tmp_path / "out")]) == 1
        *_, line = capsys.readouterr().err.splitlines()
        assert said in line
        assert not (tmp_path / "out").exists()
    assert main(["world", str(some), *two[:2], "--out", str(tmp_path / "file")]) == 1
    assert "is a file" in capsys.readouterr().err
