"""What reads an archive from anywhere holds to its limit and ends in one line, whatever lies there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hostile import FRESH, READERS, Reader, seal, spread, with_bomb
from hypothesis import given, settings
from hypothesis import strategies as st
from places import ROOT

from edge_tl.embedders.look.models import PALM

MAX_KB = 30_000
"""What refusing a bomb may take; it unfolds to three times as much and more."""
BOMB_BYTES = {
    zipfile.ZIP_DEFLATED: 250_000_000,  # beyond each reader's limit
    zipfile.ZIP_BZIP2: 100_000_000,
    zipfile.ZIP_LZMA: 100_000_000,
}
ARCHIVES = [name for name in READERS if name != "anchors"]
OWN = -1
"""The size that the member has where it is good."""
BOMBS = [
    *((name, zipfile.ZIP_DEFLATED, claim) for name in ARCHIVES for claim in (None, OWN)),
    *((name, method, OWN) for name in ("backup", "digits") for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)),
    ("wheel", zipfile.ZIP_DEFLATED, PALM.size_bytes),
]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A good folder for each reader."""
    made = {}
    for name, reader in READERS.items():
        made[name] = tmp_path_factory.mktemp(name)
        reader.write(made[name])
    return made


def refusal(reader: Reader, folder: Path) -> str:
    """What the reader says, nothing where it reads."""
    try:
        reader.read(folder)
    except reader.error as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("name", "method", "claim"), BOMBS)
def test_a_bomb_costs_next_to_nothing(
    good: dict[str, Path], tmp_path: Path, name: str, method: int, claim: int | None
) -> None:
    """A small file that unfolds to 100 MB or 250 MB, saying so or not, is refused in one line and in little memory."""
    reader = READERS[name]
    shutil.copytree(good[name], tmp_path / "bad")
    path = tmp_path / "bad" / reader.archive
    if claim == OWN:
        with zipfile.ZipFile(path) as archive:
            claim = archive.getinfo(reader.member).file_size
    packed = with_bomb(path.read_bytes(), reader.member, method, BOMB_BYTES[method])
    path.write_bytes(packed if claim is None else spread(packed, claim, reader.member))
    assert path.stat().st_size < 1_000_000
    seal(reader, tmp_path / "bad")
    shutil.copytree(good[name], tmp_path / "good")
    command = [sys.executable, ROOT / "tests" / "parts" / "hostile_child.py", name, tmp_path / "good", tmp_path / "bad"]
    env = dict(os.environ, PYTHONPATH=f"{ROOT}{os.pathsep}{ROOT / 'tests' / 'parts'}")
    ended = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    grown, _, said = ended.stdout.strip().partition(" ")
    assert said
    assert "\n" not in said
    assert int(grown) < MAX_KB


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_damage_is_one_line(
    good: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    """Bytes changed, cut or put in, in any file, with hashes that agree: read, or refused in one line."""
    reader = READERS[name]
    folder = tmp_path_factory.mktemp("bad") / "it"
    shutil.copytree(good[name], folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".tflite", ".lock"))
    path = data.draw(st.sampled_from([folder / reader.archive, *files]), label="file")
    spoilt = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(
            st.sampled_from([0, 1, 8, 12, 14, 127, 255]) | st.integers(0, 255)
        )
    at = data.draw(st.integers(0, len(spoilt)))
    spoilt[at : at + data.draw(st.sampled_from([0, 0, 1, 4, 10**9]))] = data.draw(st.just(b"") | st.binary(max_size=9))
    path.write_bytes(spoilt)
    if data.draw(st.booleans(), label="sealed"):
        seal(reader, folder)
    said = refusal(reader, folder)
    assert "\n" not in said
    assert (folder / FRESH).exists() == (name == "backup" and not said)
