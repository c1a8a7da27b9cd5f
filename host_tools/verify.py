"""Does a model folder do what its base model does? The Keras model against the .tflite file, on the same pictures.

The Keras side scales pixels with the base model's own function and the TFLite side by the manifest alone, so a wrong
scaling shows as well as a wrong conversion.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, ModelError, counted
from edge_tl.store.pictures import read_pictures
from edge_tl.tflite.manifest import Manifest, read_manifest
from edge_tl.tflite.weights import Weights
from host_tools.image import ImageRecipe, build
from host_tools.weights import read_weights

MAX_PICTURES = 100
PLACES = ("downloads", ".")
"""Where the file of weights is looked for when nobody says: beside the model, then here."""


@dataclass(frozen=True)
class Bound:
    """What a quantisation may cost."""

    error: float
    """Largest error of any value, relative to the largest value of the base model's embeddings."""
    cosine: float
    """Smallest cosine of a picture's two embeddings."""
    agreement: float
    """Smallest share of pictures with the same nearest other picture in both embeddings."""


BOUNDS = {
    "float32": Bound(5e-3, 0.99999, 0.97),
    "float16": Bound(0.25, 0.999, 0.9),
    "dynamic": Bound(1.5, 0.93, 0.7),
    "int8": Bound(1.5, 0.9, 0.6),
}
"""By quantisation: beyond what MobileNet V1 and V2 show, short of what a fault shows (see the tests).

The errors are wide because a few channels of V1 .25 have a batch norm that magnifies every rounding: in 8 bits single
values go from 0 to 6 while no neighbour changes. The cosine is the sharp one."""


@dataclass(frozen=True)
class Verification:
    """How far the .tflite file is from its base model."""

    pictures: int
    quantization: str
    max_error: float
    """Largest absolute difference of any value."""
    relative_error: float
    """The same, divided by the largest absolute value of the base model's embeddings."""
    cosine_min: float
    cosine_mean: float
    agreement: float
    """Share of pictures whose nearest other picture (by cosine) is the same in both; 1 for fewer than three."""
    bound: Bound
    ok: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def verify(folder: Path, images: Path, weights: str | None = None) -> Verification:
    """Compare the model in `folder` with its base model on at most 100 pictures of `images`.

    `weights`: as for `--weights`; None: `imagenet`, `none`, or the file that the manifest names, looked for beside the
    model, in downloads/ and here. ModelError (one line) where model and manifest disagree or the weights are others
    than the manifest's, ConfigError where pictures or weights are missing, MissingDependency without TensorFlow.
    """
    manifest = read_manifest(folder)
    embedder = TFLiteEmbedder.load(folder)
    pictures = list(read_pictures(images, manifest.input_shape[0], MAX_PICTURES))
    base = build(_recipe(manifest), _weights(manifest, folder, weights))
    converted = np.stack([embedder.embed(picture) for picture in pictures])
    wanted = base.embed_all(pictures)
    if converted.shape != wanted.shape:
        raise ModelError(
            f"{folder}: gives {counted(converted.shape[1], 'value')}, its base model {wanted.shape[1]}; convert it "
            "again"
        )
    return compare(converted, wanted, manifest.quantization)


def compare(converted: np.ndarray, wanted: np.ndarray, quantization: str) -> Verification:
    """The verification of embeddings float32 (N, D) against those of the base model (N, D)."""
    error = float(np.abs(converted - wanted).max())
    relative = error / (float(np.abs(wanted).max()) or 1.0)
    a, b = _unit(converted), _unit(wanted)
    cosines = np.einsum("ij,ij->i", a, b)
    agreement = float(np.mean(_nearest(a) == _nearest(b))) if len(a) > 2 else 1.0
    bound = BOUNDS[quantization]
    smallest = float(cosines.min())
    ok = relative <= bound.error and smallest >= bound.cosine and agreement >= bound.agreement
    # A NaN fails each comparison above, but JSON has none.
    error, relative, smallest, mean = np.nan_to_num((error, relative, smallest, cosines.mean()), nan=-1.0).tolist()
    return Verification(len(a), quantization, error, relative, smallest, mean, agreement, bound, ok)


def _unit(rows: np.ndarray) -> np.ndarray:
    rows = rows.astype(np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def _nearest(rows: np.ndarray) -> np.ndarray:
    """For each unit row the index of the nearest other one."""
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -2)
    return cosines.argmax(1)


def _recipe(manifest: Manifest) -> ImageRecipe:
    height, width, _ = manifest.input_shape
    if height != width or manifest.kind != "picture":
        raise ModelError(f"{manifest.name}: was not made by edge-tl-host convert image; only such models are verified")
    return ImageRecipe(manifest.architecture, height, manifest.alpha, manifest.layer)


def _weights(manifest: Manifest, folder: Path, given: str | None) -> Weights:
    """The weights the model was made from, known by their SHA-256."""
    file = manifest.weights.get("file", "")
    if given is None and file in ("imagenet", "none"):
        given = file
    if given is None:
        found = [path for place in (folder, *map(Path, PLACES)) if (path := place / file).is_file()]
        if not found:
            raise ConfigError(f"{folder}: was made from {file or 'unknown weights'}; say where with --weights FILE")
        given = str(found[0])
    weights = read_weights(given)
    if weights.sha256 != manifest.weights.get("sha256", ""):
        raise ModelError(f"{given}: is not what {folder} was made from (SHA-256 differs); give --weights that file")
    return weights
