"""A profile of very many classes in the console: the likeliest are shown, and how many there are."""

from __future__ import annotations

from pathlib import Path

import browser
import numpy as np
import pytest
from PIL import Image
from service_parts import command

from benchmarks.serving import Serving

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")

CLASSES, SHOWN = 20, 12


def test_the_likeliest_of_many_classes_are_shown(tmp_path: Path) -> None:
    """Of twenty classes twelve have bars, the likeliest among them, and a line says so; every class can be taught."""
    for number in range(CLASSES):
        folder = tmp_path / "pictures" / f"part {number:02d} of the shelf"
        folder.mkdir(parents=True)
        tiles = np.random.default_rng(number).integers(0, 256, (6, 8, 3), np.uint8)
        for take in range(2):
            Image.fromarray(np.kron(tiles, np.ones((20 + take, 20, 1), np.uint8))).save(folder / f"{take}.png")
    with Serving(tmp_path / "service", '[pipelines.signs]\ncamera = "sim"\n[web]\nport = 0\n') as serving:
        data = ("--data-dir", str(serving.data))
        for words in (("examples", "import", str(tmp_path / "pictures"), *data), ("train", *data)):
            done = command(*words, folder=tmp_path)
            assert done.returncode == 0, done.stderr
        serving.start()
        with browser.Browser(tmp_path / "browser", 900, 1400) as page:
            page.open(serving.address + "/")
            page.until(f"document.querySelectorAll('.bar').length === {CLASSES}")
            page.until(f"document.querySelectorAll('.bar:not([hidden])').length === {SHOWN}")
            page.until(f"document.querySelector('.rest').textContent === 'the likeliest of {CLASSES} classes'")
            value = "(one) => parseFloat(one.querySelector('b').textContent)"
            seen = f"[...document.querySelectorAll('.bar:not([hidden])')].map({value})"
            left = f"[...document.querySelectorAll('.bar[hidden]')].map({value})"
            page.until(f"Math.min(...{seen}) >= Math.max(...{left})")
            page.until(f"document.querySelectorAll('.classes li').length === {CLASSES}")
            assert page.problems == []
