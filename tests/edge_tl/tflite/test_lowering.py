"""Layers trained in NumPy as a .tflite file: it gives what NumPy gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_profile import refused, runner

from device.commands.main import main
from edge_tl.errors import ConfigError, ShapeError
from edge_tl.export.fused import FusedModel
from edge_tl.finetune.adaptation import adapt
from edge_tl.finetune.picture_base import read_picture_base, write_picture_base
from edge_tl.nn import BatchNorm, Conv2D, Dense, DepthwiseConv2D, Dropout, Flatten, Layer, MaxPool, Network, ReLU
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.lowering import network_model

pytestmark = pytest.mark.exact

pytest.importorskip("ai_edge_litert.interpreter", reason="only LiteRT brings the schema", exc_type=ImportError)


def normed(channels: int, rng: np.random.Generator) -> BatchNorm:
    """A batch norm that has seen something."""
    values = (rng.uniform(0.5, 2, channels), rng.normal(size=channels), rng.normal(size=channels))
    return BatchNorm(*(v.astype(np.float32) for v in values), rng.uniform(0.3, 3, channels).astype(np.float32))


def same(network: Network, shape: tuple[int, ...], rng: np.random.Generator) -> None:
    """Assert that the file of a network gives what the network gives, within 1e-5 of the largest value."""
    x = rng.normal(size=(1, *shape)).astype(np.float32)
    (made,) = Interpreter(network_model(network, shape, "x"), threads=1).invoke(x)
    wanted = network(x)
    np.testing.assert_allclose(made, wanted, atol=1e-5 * max(1.0, float(np.abs(wanted).max())))


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    size=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    strides=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    padding=st.sampled_from(["same", "valid"]),
    parts=st.lists(st.sampled_from(["norm", "relu", "relu6", "relu1", "pool", "dropout"]), max_size=4),
    depthwise=st.booleans(),
    bias=st.booleans(),
)
def test_any_stack_of_layers_gives_what_numpy_gives(
    seed: int,
    size: tuple[int, int],
    strides: tuple[int, int],
    padding: str,
    parts: list[str],
    depthwise: bool,
    bias: bool,
) -> None:
    """Convolutions of any size, stride and padding, and whatever follows them in whatever order, agree within 1e-5."""
    rng = np.random.default_rng(seed)
    filters = 3 if depthwise else 4
    b = rng.normal(size=filters).astype(np.float32) if bias else None
    kernel = rng.normal(0, 0.3, (*size, 3, filters)).astype(np.float32)
    first: Layer = (
        DepthwiseConv2D(kernel[..., 0], b, strides, padding) if depthwise else Conv2D(kernel, b, strides, padding)
    )
    more: dict[str, Callable[[], Layer]] = {
        "norm": lambda: normed(filters, rng),
        "relu": ReLU,
        "relu6": lambda: ReLU(6.0),
        "relu1": lambda: ReLU(1.5),
        "pool": lambda: MaxPool((2, 2), (1, 1), "same"),
        "dropout": lambda: Dropout(0.5),
    }
    network = Network([first, *(more[part]() for part in parts)])
    same(network, (9, 10, 3), rng)
    width = int(np.prod(network(np.zeros((1, 9, 10, 3), np.float32)).shape))
    top = [Flatten(), Dense.new(width, 7, rng), ReLU(), Dense(rng.normal(size=(7, 2)).astype(np.float32))]
    same(Network([*network.layers, *top]), (9, 10, 3), rng)


def test_what_has_no_operator_or_does_not_fit_is_one_line() -> None:
    """A layer of another kind, rows of another width, channels of another number and too small pictures are named."""

    class Strange(ReLU):
        kind = "strange"

    strange: Any = Strange.__new__(Strange)
    strange.__class__ = type("Other", (), {"kind": "strange"})
    rng = np.random.default_rng(0)
    with pytest.raises(ConfigError, match="'strange' has no operator"):
        network_model(Network([strange]), (4,), "x")
    for layer, shape in (
        (Dense.new(3, 2, rng), (4,)),
        (Conv2D.new((3, 3), 3, 2, rng), (8, 8, 2)),
        (Conv2D.new((5, 5), 3, 2, rng), (4, 4, 3)),
        (MaxPool((5, 5)), (4, 4, 3)),
    ):
        with pytest.raises(ShapeError):
            network_model(Network([layer]), shape, "x")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A small network of grey pictures, as `edge-tl-host mnist-transfer` would write it, untrained."""
    rng = np.random.default_rng(3)
    layers = [Conv2D.new((3, 3), 1, 4, rng), ReLU(), MaxPool(), Flatten(), Dense.new(36, 2, rng)]
    about = {"name": "small", "labels": ("a", "b"), "input_shape": (8, 8, 1), "scale": 1 / 255, "frozen": 2}
    write_picture_base(tmp_path / "base", Network(layers), None, about | {"weights": {"origin": "drawn"}, "tools": {}})
    return tmp_path / "base"


def test_an_adapted_network_is_one_file(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `model adapt` trained further becomes one .tflite that names pictures as the network does in NumPy."""
    from PIL import Image

    rng = np.random.default_rng(1)
    run = runner(tmp_path, tmp_path / "data", capsys)
    for label, level in (("x", 40), ("y", 200)):
        (tmp_path / "pictures" / label).mkdir(parents=True)
        for number in range(12):
            grey = np.clip(rng.normal(level, 20, (8, 8)), 0, 255).astype(np.uint8)
            grey[[0, -1]] = grey[:, [0, -1]] = 0  # a dark border: light on dark
            Image.fromarray(grey).save(tmp_path / "pictures" / label / f"{number}.png")
    out, one = tmp_path / "adapted", tmp_path / "one.tflite"
    arguments = ("model", "adapt", base, tmp_path / "pictures", "--mode", "all", "--rate", "0.01", "--out", out)
    assert main([*map(str, arguments)]) == 0
    code, said, _ = run("model", "fuse", "--network", out, "--out", one, "--json")
    assert code == 0
    assert said["labels"] == ["x", "y"]
    assert said["largest_difference"] < 1e-5
    network, fused = read_picture_base(out), FusedModel.load(one, threads=1)
    for file in sorted((tmp_path / "pictures").rglob("*.png")):
        grey = np.array(Image.open(file))
        scores = network.network(network.pixels(grey[np.newaxis]))[0]
        observed = fused.observe(np.stack([grey] * 3, -1))
        assert observed.best == network.about.labels[int(scores.argmax())]
    code, alone, _ = run("predict", "--model", one, file, "--json")
    assert alone[0]["label"] == observed.best
    refused(run("model", "fuse", "--network", tmp_path / "none", "--out", one), "cannot be read")


def test_frozen_layers_go_into_the_file_bit_for_bit(base: Path) -> None:
    """Of a network adapted with its features frozen, their weights in the file are the base's."""
    from ai_edge_litert import schema_py_generated as schema

    before = read_picture_base(base)
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (24, 8, 8), np.uint8)
    labels = ["p" if picture.mean() > 127 else "q" for picture in pictures]
    done = adapt(before, (pictures, labels), "freeze", rng=rng, clock=lambda: 0.0, epochs=2)
    model = schema.ModelT.InitFromPackedBuf(network_model(done.network, (8, 8, 1), "x"), 0)
    held = [buffer.data.tobytes() for buffer in model.buffers if buffer.data is not None]
    frozen: Any = before.network.layers[0]
    assert np.ascontiguousarray(frozen.W.transpose(3, 0, 1, 2)).tobytes() in held
