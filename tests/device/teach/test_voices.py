"""Programs that speak: who is chosen, and what of one that fails, hangs or is not there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from stand_in_voices import install_flite

from device.teach import typed, voices
from device.teach.typed import spoken_once
from device.teach.voices import ENGINES, Manner, check_language, speaking, spoken
from edge_tl.errors import ConfigError, ExampleError

pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")

FLITE, FESTIVAL, ESPEAK = ENGINES


def test_the_text_is_no_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program gets the word in a file: whatever it is, it is no option and no name of one."""
    log = install_flite(monkeypatch, tmp_path)
    sound = spoken(FLITE, Manner("flite", "awb", 0.9), "say this")
    assert sound.duration_s > 1
    called, said = log.read_text().splitlines()
    assert called == "-voice awb --setf duration_stretch=0.9 -f word.txt -o word.wav"
    assert said == "say this"


def test_a_shift_changes_pitch_and_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same voice as a shorter speaker's."""
    install_flite(monkeypatch, tmp_path)
    plain, shifted = (spoken(FLITE, Manner("flite", "awb", shift=shift), "hum") for shift in (1.0, 0.86))
    assert shifted.duration_s == pytest.approx(0.86 * plain.duration_s, rel=0.01)


def test_voices_of_a_telephone_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those installed the 8 kHz one is skipped; flite speaks English alone."""
    install_flite(monkeypatch, tmp_path)
    assert {one.voice for one in FLITE.manners("en-gb")} == {"awb", "rms"}
    assert FLITE.manners("de") == []


def test_a_festival_without_a_voice_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's festival comes without one, and writes which it looked for: no word of that is a voice."""
    install_flite(monkeypatch, tmp_path)
    program = tmp_path / "bin" / "festival"
    looked = 'echo "Could not find any of these voices:"; echo "(kal_diphone ked_diphone)"'
    program.write_text(f'#!/bin/sh\n{looked}\necho "voices: nil"\n')
    program.chmod(0o755)
    with pytest.raises(ConfigError, match=r"^festival has no voice: `sudo apt install festvox-kallpc16k`$"):
        speaking("en", ["festival"])
    with pytest.raises(ConfigError, match="festival does not speak 'de'"):
        speaking("de", ["festival"])
    program.write_text(f'#!/bin/sh\n{looked}\necho "voices: (kal_diphone cmu_us_slt)"\n')
    ((_, manners),) = speaking("en", ["festival"])
    assert {one.voice for one in manners} == {"kal_diphone", "cmu_us_slt"}


def test_a_program_that_fails_or_hangs_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it wrote last is quoted; one that goes on for ever is ended."""
    install_flite(monkeypatch, tmp_path)
    with pytest.raises(ExampleError, match=r"^flite failed \(rms is hoarse\)$"):
        spoken(FLITE, Manner("flite", "rms"), "hum")
    program = tmp_path / "bin" / "flite"
    program.write_text("#!/bin/sh\nwhile :; do :; done\n")
    monkeypatch.setattr(voices, "LONGEST_S", 0.2)
    with pytest.raises(ExampleError, match=r"^flite took more than 0\.2 s, and was ended$"):
        spoken(FLITE, Manner("flite", "awb"), "hum")
    program.write_text("#!/bin/sh\necho quiet > word.wav\n")
    monkeypatch.setattr(voices, "LONGEST_S", 60)
    with pytest.raises(ExampleError, match="made no sound of 'hum'"):
        spoken(FLITE, Manner("flite", "awb"), "hum")


def test_who_is_missing_is_named_by_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For English flite, for all else espeak-ng; a voice of piper is a file that must be there."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(ConfigError, match="`sudo apt install flite`"):
        speaking("en")
    with pytest.raises(ConfigError, match="`sudo apt install espeak-ng`"):
        speaking("ar")
    with pytest.raises(ConfigError, match="`sudo apt install festival`"):
        speaking("en", ["festival"])
    with pytest.raises(ConfigError, match="is no voice"):
        speaking("en", piper=tmp_path / "voice.onnx")
    (tmp_path / "voice.onnx").write_bytes(b"")
    with pytest.raises(ConfigError, match="piper is not installed"):
        speaking("en", piper=tmp_path / "voice.onnx")


def test_a_voice_of_piper_speaks_beside_none_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file is given by its whole path, the word in a file as to the others."""
    install_flite(monkeypatch, tmp_path)
    (tmp_path / "en_US-x.onnx").write_bytes(b"")
    piper = tmp_path / "bin" / "piper"
    piper.write_text((tmp_path / "bin" / "flite").read_text())
    piper.chmod(0o755)
    ((engine, manners),) = speaking("en", piper=tmp_path / "en_US-x.onnx")
    assert engine.name == "piper"
    assert engine.command(manners[0])[:3] == ["piper", "-m", str(tmp_path / "en_US-x.onnx")]
    assert spoken(engine, manners[0], "hum").duration_s > 1


def test_what_was_spoken_is_kept_for_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed to others, no more than so many; a damaged one is spoken anew."""
    log = install_flite(monkeypatch, tmp_path)
    kept = tmp_path / "typed"
    monkeypatch.setattr(typed, "MAX_KEPT", 2)
    first = spoken_once(kept, FLITE, Manner("flite", "awb"), "one")
    again = spoken_once(kept, FLITE, Manner("flite", "awb"), "one")
    assert (first.samples == again.samples).all()
    (path,) = kept.iterdir()
    assert (path.stat().st_mode & 0o777, kept.stat().st_mode & 0o777) == (0o600, 0o700)
    path.write_bytes(path.read_bytes()[:20])
    spoken_once(kept, FLITE, Manner("flite", "awb"), "one")
    assert log.read_text().count("-voice") == 2
    for word in ("two", "three", "four"):
        spoken_once(kept, FLITE, Manner("flite", "awb"), word)
        assert len(list(kept.iterdir())) == 2


@pytest.mark.parametrize("language", ["", "-v", "en;ls", "../en", "english language", "e", "EN!"])
def test_a_language_is_a_name_of_one(language: str) -> None:
    """Nothing else reaches a program's command line."""
    with pytest.raises(ConfigError, match="--language"):
        check_language(language)
    assert check_language("en-GB") == "en-gb"


@pytest.mark.parametrize("engine", ENGINES, ids=lambda one: one.name)
def test_each_program_speaks(engine: voices.Engine) -> None:
    """The real ones, where they are installed: a word of half a second and more, at every voice's usual pace."""
    if not engine.installed:
        pytest.skip(f"{engine.name} is not installed: apt install {engine.name}")
    manners = engine.manners("en")
    if engine.name == "festival" and not manners:
        pytest.skip(engine.silent("en"))
    assert len(set(map(str, manners))) == len(manners) >= 12
    for manner in {one.voice: one for one in manners if one.shift == 1}.values():
        sound = spoken(engine, manner, "okay computer")
        assert 0.5 < sound.duration_s < 4
        assert abs(sound.samples).max() > 0.05
        if engine is ESPEAK:  # of thirteen variants one shows it
            break


def test_a_language_that_nobody_speaks_is_said() -> None:
    """espeak-ng lists no voice of it."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed: apt install espeak-ng")
    assert len(ESPEAK.manners("ar")) == voices.ESPEAK_TAKES
    with pytest.raises(ConfigError, match="does not speak 'zz'"):
        speaking("zz")
