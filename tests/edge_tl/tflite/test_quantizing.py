"""Models made smaller without TensorFlow: float16 as good as float32, int8 as good as TensorFlow's own."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import DATA
from tiny_foreign import classifier

from edge_tl.errors import ConfigError, EdgeTLError, ModelError
from edge_tl.models import default_model
from edge_tl.store.pictures import model_input, read_pictures
from edge_tl.tflite.building import BuiltModel, Recipe, build
from edge_tl.tflite.flatbuffer import check_whole
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.quantizing import asymmetric, to_float16, to_int8
from edge_tl.tflite.schema import opened, operator_name, packed
from edge_tl.tflite.weights import read_weights

pytest.importorskip("ai_edge_litert.interpreter", reason="only LiteRT brings the schema", exc_type=ImportError)

NO_TOP = "mobilenet_v1_0.25_224/mobilenet_2_5_224_tf_no_top.h5"
TINY = DATA / "tiny_float32.tflite"


@pytest.fixture(scope="module")
def small(data: Callable[[str], Path]) -> BuiltModel:
    """MobileNet v1 .25 with real weights at 96 pixels."""
    return build(Recipe("mobilenet_v1", 96, 0.25, "conv_pw_11_relu"), read_weights(data(NO_TOP)))


@pytest.fixture(scope="module")
def hands(data: Callable[[str], Path], small: BuiltModel) -> list[np.ndarray]:
    """Real pictures as the model takes them."""
    return [model_input(one, small.scaling, "rgb") for one in read_pictures(data("sign_digits"), 96, 40)]


def embedded(model: bytes, inputs: list[np.ndarray]) -> np.ndarray:
    """What a model makes of inputs, as real numbers: (N, D)."""
    interpreter = Interpreter(model, threads=1)
    taken, made = interpreter.inputs[0], interpreter.outputs[0]
    rows = []
    for x in inputs:
        if taken.scale is not None:
            x = np.clip(np.rint(x / taken.scale) + taken.zero_point, -128, 127).astype(np.int8)
        (y,) = interpreter.invoke(x)
        rows.append((y.astype(np.float32) - made.zero_point) * (made.scale or 1))
    return np.stack(rows).reshape(len(rows), -1)


def cosines(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Row by row."""
    return (one * two).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1)


def test_float16_is_half_the_size_and_as_good(small: BuiltModel, hands: list[np.ndarray]) -> None:
    """Weights rounded to 11 bits change an embedding by next to nothing; making it smaller twice changes no byte."""
    half = to_float16(small.model)
    assert len(half) < 0.55 * len(small.model)
    assert cosines(embedded(half, hands), embedded(small.model, hands)).min() > 0.999
    assert Interpreter(half).inputs[0].dtype == np.float32
    assert to_float16(half) == half


def test_int8_is_all_integers_and_keeps_the_embedding(small: BuiltModel, hands: list[np.ndarray]) -> None:
    """Measured on half of the pictures, the other half is embedded alike; the same examples give the same bytes."""
    model = to_int8(small.model, hands[::2])
    assert len(model) < 0.4 * len(small.model)
    check_whole(model, "int8")
    interpreter = Interpreter(model)
    assert interpreter.inputs[0].dtype == interpreter.outputs[0].dtype == np.int8
    assert cosines(embedded(model, hands[1::2]), embedded(small.model, hands[1::2])).mean() > 0.95
    assert to_int8(small.model, hands[::2]) == model
    assert to_int8(to_float16(small.model), hands[::2]) != model


@pytest.mark.host
def test_int8_is_what_tensorflow_makes_on_the_same_pictures(
    small: BuiltModel, hands: list[np.ndarray], data: Callable[[str], Path]
) -> None:
    """Scales and zero points of every tensor are TensorFlow's, and so is nearly every stored number."""
    from ai_edge_litert import schema_py_generated as schema

    from host_tools.tf import silence, tensorflow

    tf = tensorflow()
    from host_tools import image

    base = image.build(image.ImageRecipe("mobilenet_v1", 96, 0.25, "conv_pw_11_relu"), read_weights(data(NO_TOP)))
    with silence():
        converter = tf.lite.TFLiteConverter.from_keras_model(base.model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([one] for one in hands)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        theirs = bytes(converter.convert())
    ours = to_int8(small.model, hands)
    one, two = (schema.ModelT.InitFromPackedBuf(model, 0) for model in (ours, theirs))
    same = total = 0
    for left, right in zip(one.subgraphs[0].operators, two.subgraphs[0].operators, strict=True):
        for side in ("inputs", "outputs"):
            for a, b in zip(getattr(left, side), getattr(right, side), strict=True):
                mine, its = one.subgraphs[0].tensors[a], two.subgraphs[0].tensors[b]
                assert mine.type == its.type
                np.testing.assert_allclose(mine.quantization.scale, its.quantization.scale, rtol=1e-3)
                np.testing.assert_allclose(mine.quantization.zeroPoint, its.quantization.zeroPoint, atol=1)
                held = [model.buffers[tensor.buffer].data for model, tensor in ((one, mine), (two, its))]
                if mine.type == schema.TensorType.INT8 and held[0] is not None:
                    near = np.abs(held[0].view(np.int8).astype(int) - held[1].view(np.int8).astype(int)) <= 1
                    same, total = same + int(near.sum()), total + len(near)
    assert total > 100_000
    assert same == total
    apart = cosines(embedded(ours, hands), embedded(theirs, hands))
    assert apart.min() > 0.98


def test_the_model_that_ships_can_be_made_int8(data: Callable[[str], Path]) -> None:
    """The shipped MobileNet V2, written by TensorFlow with weights in float16, is measured and rewritten."""
    from edge_tl.tflite.manifest import read_manifest

    manifest = read_manifest(default_model())
    before = next(default_model().glob("*.tflite")).read_bytes()
    pictures = [model_input(one, manifest.scaling, "rgb") for one in read_pictures(data("sign_digits"), 128, 24)]
    model = to_int8(before, pictures[::2])
    assert len(model) < 0.75 * len(before)
    assert cosines(embedded(model, pictures[1::2]), embedded(before, pictures[1::2])).mean() > 0.95


def test_a_whole_classifier_is_written_in_int8(data: Callable[[str], Path]) -> None:
    """Mean, convolution with a bias, reshape and softmax too: the first guess is that of the float network."""
    weights = read_weights(data("mobilenet_v1_0.25_224/mobilenet_2_5_224_tf.keras.h5"))
    made = build(Recipe("mobilenet_v1", 128, 0.25, "predictions"), weights)
    pictures = [model_input(one, made.scaling, "rgb") for one in read_pictures(data("sign_digits"), 128, 24)]
    small, whole = embedded(to_int8(made.model, pictures), pictures), embedded(made.model, pictures)
    np.testing.assert_allclose(small.sum(1), 1, atol=0.2)
    ranks = (whole > np.take_along_axis(whole, small.argmax(1)[:, None], 1)).sum(1)
    assert (ranks < 5).mean() > 0.7


@settings(max_examples=200)
@given(low=st.floats(-1e6, 1e6), high=st.floats(-1e6, 1e6))
def test_every_range_holds_zero_exactly(low: float, high: float) -> None:
    """Zero, with which pictures are padded, is one of the 256 stored values, and the ends of the range are met."""
    low, high = min(low, high), max(low, high)
    scale, zero = asymmetric(low, high)
    assert scale > 0
    assert -128 <= zero <= 127
    assert (-128 - zero) * scale <= min(low, 0) + 0.51 * scale
    assert (127 - zero) * scale >= max(high, 0) - 0.51 * scale


@pytest.mark.parametrize("end", ["map", "softmax"])
def test_channels_first_is_written_in_int8(end: str) -> None:
    """A file of PyTorch's turns its pictures: that is written in int8 too, measured on pictures of either order."""
    model = classifier(end=end, channels_first=True)
    rng = np.random.default_rng(0)
    levels = rng.uniform(-1, 1, (24, 1, 1, 3)) + rng.uniform(-0.2, 0.2, (24, 8, 8, 3))
    pictures = [one[None] for one in levels.clip(-1, 1).astype(np.float32)]
    first = [one.transpose(0, 3, 1, 2) for one in pictures]
    made = to_int8(model, pictures)
    assert made == to_int8(model, first)
    assert Interpreter(made, threads=1).inputs[0].shape == (1, 3, 8, 8)
    assert embedded(made, first) == pytest.approx(embedded(model, first), abs=0.05)
    assert np.ptp(embedded(model, first), axis=0).min() > 0.5
    with pytest.raises(ModelError, match=r"takes \(1, 3, 8, 8\), the examples are \(1, 8, 3, 8\)"):
        to_int8(model, [one.transpose(0, 1, 3, 2) for one in pictures])


def test_what_cannot_be_made_smaller_is_one_line(small: BuiltModel, hands: list[np.ndarray]) -> None:
    """No examples, a model in int8 already, examples that are no numbers, and a truncated file are each one line."""
    with pytest.raises(ConfigError, match="no examples"):
        to_int8(small.model, [])
    model = to_int8(small.model, hands[:2])
    for change in (to_float16, lambda data: to_int8(data, hands[:2])):
        with pytest.raises(ModelError, match="quantised already"):
            change(model)
        with pytest.raises(ModelError, match="truncated or damaged"):
            change(small.model[: len(small.model) // 2])
    with pytest.raises(ModelError, match="NaN or infinity"):
        to_int8(small.model, [np.full_like(hands[0], np.nan)])


def test_sizes_that_contradict_each_other_take_no_memory() -> None:
    """Another input than the examples', or a PAD of a million rows, is one line before the runtime makes room."""
    (path,) = default_model().glob("*.tflite")
    data, example = path.read_bytes(), np.zeros((1, 128, 128, 3), np.float32)
    with opened(data, "huge") as model:
        graph = model.subgraphs[0]
        graph.tensors[int(graph.inputs[0])].shape = [1, 1 << 14, 128, 3]
        huge = packed(model, 2 * len(data))
    with pytest.raises(ModelError, match=r"takes \(1, 16384, 128, 3\), the examples are \(1, 128, 128, 3\)"):
        to_int8(huge, [example])
    with opened(data, "huge") as model:
        tensors = model.subgraphs[0].tensors
        pad = next(one for one in model.subgraphs[0].operators if operator_name(model, one) == "PAD")
        sizes = np.array([[0, 0], [0, 1 << 20], [1, 1], [0, 0]], "<i4")
        model.buffers[tensors[int(pad.inputs[1])].buffer].data = np.frombuffer(sizes.tobytes(), np.uint8)
        huge = packed(model, 2 * len(data))
    with pytest.raises(ModelError, match=r"a PAD of \(1, 128, 128, 3\) does not give \(1, 130, 130, 3\)"):
        to_int8(huge, [example])


@settings(max_examples=150)
@given(at=st.floats(0, 1, exclude_max=True), value=st.sampled_from([0, 1, 2, 3, 2**31 - 1, -1, -(2**31), 2**20, 255]))
def test_a_hostile_file_is_one_clear_line(at: float, value: int) -> None:
    """Whatever word of a file is changed, float16 gives a file that lies whole in its bytes, or one line."""
    data = bytearray(TINY.read_bytes())
    struct.pack_into("<i", data, int(at * (len(data) // 4)) * 4, value)
    said = ""
    try:
        check_whole(to_float16(bytes(data)), "half")
    except EdgeTLError as error:
        said = str(error)
    assert "\n" not in said
