"""A base of speech on disk: written whole, read with suspicion."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.embedders.speech_base import ARRAYS, BASE, FILE_NAME, SpeechBase, read_base, write_base
from edge_tl.errors import ModelError
from edge_tl.nn.network import Upper

pytestmark = pytest.mark.exact

LABELS = ("background noise", "up", "down")


def upper() -> Upper:
    """Small layers."""
    rng = np.random.default_rng(0)
    return Upper(*(rng.normal(size=shape).astype(np.float32) for shape in ((6, 4), (4,), (4, 3), (3,))))


def written(folder: Path) -> SpeechBase:
    """A folder as the host writes it, around bytes that are no model."""
    described = {"name": "tiny", "labels": LABELS, "weights": {"origin": "here"}, "tools": {}}
    return write_base(folder, b"base", b"words", upper(), described)


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    """Description, convolutions and arrays are read as they were written; writing again replaces them."""
    first = written(tmp_path / "base")
    assert written(tmp_path / "base") == first
    about, base, layers = read_base(tmp_path / "base")
    assert about == first
    assert base == b"base"
    for name in ("dense", "dense_bias", "head", "head_bias"):
        assert np.array_equal(getattr(layers, name), getattr(upper(), name))


def test_the_layers_are_relu_and_softmax() -> None:
    """The dense layer's answer is never negative, and the words' probabilities sum to 1."""
    layers = upper()
    x = np.random.default_rng(1).normal(size=(5, 6)).astype(np.float32)
    units = layers.units(x)
    assert units.min() >= 0
    np.testing.assert_allclose(units, np.maximum(x @ layers.dense + layers.dense_bias, 0), rtol=1e-6)
    scores = np.exp(units @ layers.head + layers.head_bias)
    np.testing.assert_allclose(layers.words(units), scores / scores.sum(axis=1, keepdims=True), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "damage", "says"),
    [
        (BASE, b"other", "is not what"),
        (ARRAYS, b"PK", "is not what"),
        (ARRAYS, None, "cannot be read"),
        (FILE_NAME, None, "cannot be read"),
        (FILE_NAME, b"{", "is damaged"),
        (FILE_NAME, b"[]", "is damaged"),
        (FILE_NAME, b"{}", "is damaged"),
    ],
)
def test_damage_is_one_line(tmp_path: Path, name: str, damage: bytes | None, says: str) -> None:
    """A file that is missing, cut or exchanged is named."""
    written(tmp_path)
    (tmp_path / name).unlink()
    if damage is not None:
        (tmp_path / name).write_bytes(damage)
    with pytest.raises(ModelError, match=says) as caught:
        read_base(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


values = st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda v: st.lists(v, max_size=3), max_leaves=5)


@given(
    st.dictionaries(
        st.sampled_from(["name", "labels", "sha256", "weights", "tools", "front_end", "format", "x"]), values
    )
)
@settings(max_examples=60)
def test_any_description_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, object]
) -> None:
    """Whatever JSON stands there, the answer is a base or one line."""
    folder = tmp_path_factory.mktemp("base")
    written(folder)
    described = json.loads((folder / FILE_NAME).read_text()) | content
    (folder / FILE_NAME).write_text(json.dumps(described))
    said = ""
    try:
        read_base(folder)
    except ModelError as error:
        said = str(error)
    assert "\n" not in said
