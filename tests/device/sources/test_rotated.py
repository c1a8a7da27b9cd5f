"""`--rotate`: pictures of a camera that hangs on its side are turned before anything sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_profile import fill, model_folder

from device.commands.main import main
from device.sources.rotated import DEGREES, RotatedSource, turned
from edge_tl.sources.folder import FolderSource
from edge_tl.testing import FakeClock, check_source


@pytest.mark.parametrize("degrees", DEGREES)
def test_pictures_are_turned_clockwise(degrees: int) -> None:
    """As Pillow turns them, for every angle; the array is a picture of its own."""
    picture = np.random.default_rng(0).integers(0, 256, (3, 5, 3), np.uint8)
    wanted = np.asarray(Image.fromarray(picture).rotate(-degrees, expand=True))
    made = turned(picture, degrees)
    assert np.array_equal(made, wanted)
    assert made.flags.c_contiguous


def test_a_turned_source_is_a_source(tmp_path: Path) -> None:
    """It keeps the contract, and its frames are those of the source, turned."""
    root = fill(tmp_path / "pictures", takes=1, pictures=3)
    clock = FakeClock()

    def make() -> RotatedSource:
        return RotatedSource(FolderSource(root, None, False, clock, clock.sleep), 90)

    check_source(make)
    with make() as source, FolderSource(root, None, False, clock, clock.sleep) as plain:
        frame, before = source.read(), plain.read()
    assert np.array_equal(frame.data, turned(before.data, 90))
    assert frame.truth == before.truth


def test_an_import_that_was_turned_back_is_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pictures lying on their side, imported and asked with --rotate, get the embeddings of the upright ones."""
    model = model_folder(tmp_path / "model")
    upright = fill(tmp_path / "upright", takes=2, pictures=2)
    for path in sorted(upright.rglob("*.png")):
        lying = tmp_path / "lying" / path.relative_to(upright)
        lying.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(turned(np.asarray(Image.open(path)), 270)).save(lying)
    named = []
    for folder, more in (("upright", []), ("lying", ["--rotate", "90"])):
        common = ["--data-dir", str(tmp_path / f"data-{folder}"), "--model", str(model)]
        assert main(["examples", "import", str(tmp_path / folder), *common, *more]) == 0
        assert main(["train", *common]) == 0
        capsys.readouterr()
        asked = sorted((tmp_path / folder).rglob("*.png"))
        assert main(["predict", *map(str, asked), *common, *more]) == 0
        named.append([line.split(": ")[1].split()[0] for line in capsys.readouterr().out.splitlines()])
    assert named[0] == named[1]


def test_the_simulated_player_is_not_turned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`demo --rotate` without a folder is one line."""
    assert main(["demo", "--rotate", "180", "--json", "--data-dir", str(tmp_path)]) == 1
    assert "give --camera FOLDER" in capsys.readouterr().err
