"""Counting what is told in hours of sound, and budgets that so little sound cannot show."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from made_words import RATE_HZ, room, spoken, teach_words, write, write_clips

from device.commands.main import main

for needed in ("soundfile", "soxr", "pyopen_wakeword"):
    pytest.importorskip(needed, reason=f"{needed} is not installed: pip install -e .[speech]")


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose profile `words` was taught and trained."""
    return teach_words(write_clips(tmp_path_factory.mktemp("clips")), tmp_path_factory.mktemp("data"))


def said(capsys: pytest.CaptureFixture[str], taught: Path, *arguments: object) -> tuple[int, str, str]:
    """What a command on it printed: (exit code, stdout, stderr)."""
    capsys.readouterr()
    code = main([*map(str, arguments), "--profile", "words", "--data-dir", str(taught)])
    return (code, *capsys.readouterr())


def test_words_are_counted_where_they_are_said(
    capsys: pytest.CaptureFixture[str], taught: Path, tmp_path: Path
) -> None:
    """Each file is heard from its beginning; label, second and file of each word, and what so much sound proves."""
    first, second = np.concatenate([room(3.0), spoken("hum", 50), room(2.0)]), room(20.0, 7)
    write(tmp_path / "a.wav", first)
    write(tmp_path / "b.wav", second)
    code, out, err = said(capsys, taught, "count", tmp_path, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    (event,) = found["events"]
    assert (event["label"], Path(event["file"]).name) == ("hum", "a.wav")
    assert 3.5 < event["at_s"] < 5.5
    assert found["hours"] == pytest.approx((len(first) + len(second)) / RATE_HZ / 3600, rel=0.15)
    assert found["told"] == 1
    assert found["at_most_per_hour"] == pytest.approx(4.74 / found["hours"], rel=0.02)
    by_threshold = [one["told"] for one in found["thresholds"]]
    assert by_threshold == sorted(by_threshold, reverse=True)
    _, text, _ = said(capsys, taught, "count", tmp_path)
    assert re.match(
        r"1 word is detected in 0\.\d+ hours at threshold 0\.85, .* an hour, at most [\d.e+]+ with 95 %", text
    )
    assert f"hum at {event['at_s']} s of {tmp_path / 'a.wav'}" in text


def test_where_nothing_is_told_the_nearest_is(capsys: pytest.CaptureFixture[str], taught: Path, tmp_path: Path) -> None:
    """A quiet room tells nothing, and the line says what came nearest; a file that is none is one line."""
    write(tmp_path / "room.wav", room(5.0, 8))
    code, text, _ = said(capsys, taught, "count", tmp_path / "room.wav")
    assert code == 0
    assert text.startswith("0 words are detected in ")
    assert re.search(r"\n  nearest: (hum|hiss), 0\.\d\d\n", text)
    code, _, err = said(capsys, taught, "count", tmp_path / "none.wav")
    assert code == 1
    assert re.fullmatch(r"edge-tl: .*none\.wav: cannot be read .*\n", err)


def test_a_budget_that_so_little_sound_cannot_show_is_refused(
    capsys: pytest.CaptureFixture[str], taught: Path, tmp_path: Path
) -> None:
    """Half a minute says nothing of one alarm an hour: the line says what it could be, and how much sound is wanted."""
    path = write(tmp_path / "radio.wav", room(40.0, 5))
    code, out, err = said(capsys, taught, "train", "--against", path, "--max-false-alarms-per-hour", "0.5")
    assert (code, out) == (1, "")
    assert "0.5 cannot be shown by 0.333 minutes" in err
    assert "--against 4 hours and more" in err
    assert re.search(r"or allow 1\.8e\+02 and more\n", err)


def test_training_says_what_words_are_told_from(capsys: pytest.CaptureFixture[str], taught: Path) -> None:
    """Two words are told from everything; as commands where that is asked for, and from then on."""
    _, text, _ = said(capsys, taught, "train")
    assert re.search(r"compared with 2\.\d hours of other sound, as wake words", text)
    assert "at threshold 0.85 about 0.5 false alarms a word and hour" in text
    assert "as commands (" in said(capsys, taught, "train", "--closed")[1]
    assert "as commands (" in said(capsys, taught, "train")[1]
    assert "as wake words (" in said(capsys, taught, "train", "--open")[1]
