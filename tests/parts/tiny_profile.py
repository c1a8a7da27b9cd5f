"""A tiny model, tiny pictures and a profile taught with them: what the tests of bad input start from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from places import DATA

from device.commands.main import main
from edge_tl.tflite.manifest import Manifest, Scaling, write_manifest

TINY = DATA / "tiny_float32.tflite"
LABELS = ("dark", "light")

Run = Callable[..., tuple[int, Any, str]]
"""Calls the command: (exit code, stdout as JSON or text, stderr)."""


def model_folder(folder: Path, *, name: str = "tiny", more: bytes = b"", **changes: Any) -> Path:
    """A model folder around the tiny model, whose manifest says what `changes` say; `more` makes it another model."""
    folder.mkdir(parents=True)
    model = TINY.read_bytes() + more
    (folder / "tiny.tflite").write_bytes(model)
    manifest = Manifest(
        name=name,
        model="tiny.tflite",
        sha256=hashlib.sha256(model).hexdigest(),
        architecture="means",
        alpha=None,
        layer="means",
        input_shape=(8, 8, 3),
        colour_order="rgb",
        resize="crop",
        scaling=Scaling((1 / 255,) * 3, (0.0,) * 3),
        output_shape=(2, 2, 3),
        quantization="float32",
        weights={},
        tools={},
    )
    write_manifest(folder, replace(manifest, **changes))
    return folder


def picture(label: str, number: int) -> Image.Image:
    """A small picture, dark or light, no two alike."""
    rng = np.random.default_rng([number, LABELS.index(label)])
    base = rng.normal(60 if label == "dark" else 190, 25, (1, 1, 3))
    return Image.fromarray(np.clip(base + rng.normal(0, 20, (24, 32, 3)), 0, 255).astype(np.uint8))


def fill(root: Path, takes: int = 3, pictures: int = 4) -> Path:
    """A folder CLASS/TAKE/picture."""
    for label in LABELS:
        for take in range(takes):
            folder = root / label / f"take{take}"
            folder.mkdir(parents=True)
            for number in range(pictures):
                picture(label, 10 * take + number).save(folder / f"{number}.png")
    return root


def make_all(root: Path) -> Path:
    """Fill a folder: `model`, `other` (two embedders), `pictures`, and `data` with a profile, taught and trained."""
    model_folder(root / "model")
    model_folder(root / "other", name="other", more=bytes(16))
    fill(root / "pictures")
    data = ["--data-dir", str(root / "data")]
    assert main(["examples", "import", str(root / "pictures"), "--model", str(root / "model"), *data]) == 0
    assert main(["train", "--model", str(root / "model"), *data]) == 0
    return root


def runner(made: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command on a data folder, with the tiny model where none is named."""

    def call(*arguments: object) -> tuple[int, Any, str]:
        capsys.readouterr()
        words = [*map(str, arguments), "--data-dir", str(data_dir)]
        embeds = words[0] in ("train", "evaluate", "predict", "demo") or words[1] in ("import", "re-embed")
        if embeds and "--model" not in words:
            words += ["--model", str(made / "model")]
        code = main(words)
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in words and out else out, err

    return call


def refused(result: tuple[int, Any, str], *says: str) -> None:
    """Assert exit 1 with exactly one line from us that says all this."""
    code, _, err = result
    assert code == 1
    assert err.count("\n") == 1, err
    assert err.startswith("edge-tl: "), err
    for text in says:
        assert text in err


def counted(run: Run) -> int:
    """The examples in the profile."""
    return len(run("examples", "list", "--json")[1])
