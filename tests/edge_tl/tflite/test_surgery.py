"""Cutting a TFLite file: bit-equal to the inner tensor, and one clear line for what cannot be cut."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import DATA

from device.commands.main import main
from edge_tl.errors import MissingDependency, ModelError
from edge_tl.models import default_model
from edge_tl.tflite.building import Recipe, build
from edge_tl.tflite.flatbuffer import check_whole
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.quantizing import to_int8
from edge_tl.tflite.schema import opened, packed
from edge_tl.tflite.surgery import truncate
from edge_tl.tflite.weights import read_weights

runtime: Any = pytest.importorskip(
    "ai_edge_litert.interpreter", reason="only LiteRT brings the schema", exc_type=ImportError
)

SHIPPED = next(default_model().glob("*.tflite"))
_WAKE = importlib.util.find_spec("pyopen_wakeword")
_MODELS = Path(_WAKE.origin).parent / "models" if _WAKE and _WAKE.origin else Path("none")
THEIRS = _MODELS / "embedding_model.tflite"
FILES = [SHIPPED, *([THEIRS] if THEIRS.exists() else [])]


def plain(data: bytes, *, inner: bool = False) -> Any:
    """The model on the reference kernels, which compute every tensor as the file says."""
    kind = runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    made = runtime.Interpreter(
        model_content=data, experimental_op_resolver_type=kind, experimental_preserve_all_tensors=inner, num_threads=1
    )
    made.allocate_tensors()
    return made


def made_tensors(model: Any) -> list[tuple[int, str]]:
    """Number and name of the tensors that operators compute from the input, by the runtime's own account."""
    seen = {details["index"] for details in model.get_input_details()}
    made = []
    for operator in model._get_ops_details():
        if seen & set(map(int, operator["inputs"])):
            seen |= set(map(int, operator["outputs"]))
            made += [int(number) for number in operator["outputs"]]
    names = {details["index"]: details["name"] for details in model.get_tensor_details()}
    unique = list(names.values())
    return [(number, names[number]) for number in made if names.get(number) and unique.count(names[number]) == 1]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name[:40])
def test_a_cut_is_bit_equal_to_the_inner_tensor(file: Path) -> None:
    """Early, in the middle and at the end, a cut model gives exactly what the whole one computes there."""
    bit_equal(file.read_bytes())


@pytest.mark.parametrize("name", ["palm_detection_full", "hand_landmark_full", "face_detection_short_range"])
def test_models_of_another_maker_are_cut_bit_equal(name: str, look_models: Path) -> None:
    """MediaPipe's palms, hands and faces, with weights in float16 and more than one output, are cut as well."""
    (file,) = (look_models / name).glob("*.tflite")
    bit_equal(file.read_bytes())


def test_a_quantised_model_is_cut_bit_equal(data: Callable[[str], Path]) -> None:
    """A MobileNet in 8-bit integers is cut at its integers."""
    file = data("mobilenet_v1_0.25_224/mobilenet_2_5_224_tf_no_top.h5")
    made = build(Recipe("mobilenet_v1", 64, 0.25), read_weights(file))
    examples = np.random.default_rng(0).uniform(-1, 1, (8, 1, 64, 64, 3)).astype(np.float32)
    model = to_int8(made.model, examples)
    bit_equal(model)
    assert Interpreter(truncate(model, "conv_pw_4_relu"), threads=1).outputs[0].dtype == np.int8


def bit_equal(data: bytes) -> None:
    """Assert that cuts of a model, early, in the middle and at the end, give what it computes there."""
    whole = plain(data, inner=True)
    rng = np.random.default_rng(0)
    for details in whole.get_input_details():
        drawn = rng.normal(size=details["shape"]) * (1 if details["dtype"] == np.float32 else 40)
        whole.set_tensor(details["index"], drawn.astype(details["dtype"]))
    whole.invoke()
    tensors = made_tensors(whole)
    for number, name in (tensors[0], tensors[len(tensors) // 2], tensors[-1]):
        cut = plain(truncate(data, name))
        by_name = {details["name"]: details["index"] for details in whole.get_input_details()}
        for details in cut.get_input_details():
            cut.set_tensor(details["index"], whole.get_tensor(by_name[details["name"]]))
        cut.invoke()
        (output,) = cut.get_output_details()
        np.testing.assert_array_equal(cut.get_tensor(output["index"]), whole.get_tensor(number))


@pytest.fixture(scope="module")
def small() -> tuple[bytes, str]:
    """The shipped model's first operators, and the tensor at which they end."""
    data = SHIPPED.read_bytes()
    name = made_tensors(plain(data))[1][1]
    return truncate(data, name), name


def test_a_cut_keeps_only_what_it_needs(small: tuple[bytes, str]) -> None:
    """The weights behind the cut are gone from the file, and it can be cut at its own end again."""
    data, name = small
    assert len(data) < len(SHIPPED.read_bytes()) / 20
    check_whole(data, "cut")
    assert truncate(data, name) == data
    assert Interpreter(data, threads=1).outputs[0].name == name


@settings(max_examples=150)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8), end=st.floats(0, 1)
)
def test_a_hostile_file_is_one_clear_line(
    small: tuple[bytes, str], changes: list[tuple[float, int]], end: float
) -> None:
    """Whatever bytes are changed or missing, a cut gives a file that lies whole in its bytes, or a ModelError line."""
    data, name = small
    spoilt = bytearray(data if end > 0.5 else data[: int(2 * end * len(data))])
    for place, value in changes:
        if spoilt:
            spoilt[int(place * len(spoilt))] = value
    said = ""
    try:
        check_whole(truncate(bytes(spoilt), name), "cut")
    except ModelError as error:
        said = str(error)
    assert "\n" not in said


def test_absurd_sizes_take_no_memory() -> None:
    """A tensor of more values than any memory holds is refused before a runtime is asked to make room for it."""
    data = (DATA / "tiny_float32.tflite").read_bytes()
    sizes = np.array([1, 8, 8, 3], "<i4").tobytes()
    assert sizes in data
    absurd = data.replace(sizes, np.array([1, 1 << 15, 1 << 15, 3], "<i4").tobytes())
    with pytest.raises(ModelError, match="size of a tensor"):
        Interpreter(absurd, threads=1)


def test_an_absurd_window_takes_no_memory() -> None:
    """A pooling over more pixels than any picture has is refused too: a runtime keeps an address for each of them."""
    data = (DATA / "tiny_float32.tflite").read_bytes()
    with opened(data, "absurd") as model:
        model.subgraphs[0].operators[0].builtinOptions.filterHeight = 150_994_948
        absurd = packed(model, 2 * len(data))
    with pytest.raises(ModelError, match="window of a pooling"):
        Interpreter(absurd, threads=1)


def test_what_cannot_be_cut_is_named(small: tuple[bytes, str]) -> None:
    """A name that is not there, and an input, are refused with a line that says what to do."""
    data, name = small
    with pytest.raises(ModelError, match="has no tensor"):
        truncate(data, "x" + name)
    with pytest.raises(ModelError, match="not computed from an input"):
        truncate(data, Interpreter(data, threads=1).inputs[0].name)


def test_without_the_schema_the_install_line_is_told(monkeypatch: pytest.MonkeyPatch, small: tuple[bytes, str]) -> None:
    """Where only tflite-runtime is installed, the message names the command that helps."""
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(MissingDependency, match="pip install ai-edge-litert"):
        truncate(*small)


def test_the_command_writes_the_cut_model(
    small: tuple[bytes, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`edge-tl model truncate` writes the file, never over its source, and leaves nothing behind when it fails."""
    data, name = small
    out = tmp_path / "cut.tflite"
    assert main(["model", "truncate", str(SHIPPED), "--tensor", name, "--out", str(out)]) == 0
    assert out.read_bytes() == data
    assert main(["model", "truncate", str(out), "--tensor", name, "--out", str(out)]) == 1
    assert main(["model", "truncate", str(out), "--tensor", "none", "--out", str(tmp_path / "b.tflite")]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["cut.tflite"]
    assert len(capsys.readouterr().err.splitlines()) == 2
