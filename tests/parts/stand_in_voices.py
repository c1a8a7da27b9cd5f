"""Programs that stand in for flite, festival and espeak-ng: they write down what they are called with, and a sound."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_words import spoken, write

FLITE = """#!/bin/sh
if [ "$1" = -lv ]; then echo "Voices available: kal awb rms"; exit 0; fi
echo "$@" >> "{log}"; cat word.txt >> "{log}"
[ "$2" = rms ] && {{ echo "rms is hoarse" >&2; exit 3; }}
cp "{wav}" word.wav
"""


def install_flite(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """A flite of two voices worth having, of which one fails, and no other program that speaks; where it writes down
    how it was called."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "called.txt"
    wav = write(folder / "hum.wav", spoken("hum", 77))
    program = folder / "bin" / "flite"
    program.parent.mkdir()
    program.write_text(FLITE.format(log=log, wav=wav))
    program.chmod(0o755)
    for tool in ("sh", "cp", "cat", "echo"):
        (program.parent / tool).symlink_to(
            next(p for p in (Path("/bin") / tool, Path("/usr/bin") / tool) if p.exists())
        )
    monkeypatch.setenv("PATH", str(program.parent))
    return log
