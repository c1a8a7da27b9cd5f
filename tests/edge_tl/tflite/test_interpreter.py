"""The TFLite runtime behind one door: whichever is installed gives the same arrays, and no file kills the process."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_tflite
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.errors import MissingDependency, ModelError, ShapeError
from edge_tl.models import default_model
from edge_tl.tflite import interpreter
from edge_tl.tflite.flatbuffer import check_whole
from edge_tl.tflite.interpreter import BACKENDS, Interpreter, default_threads

TINY = {kind: tiny_tflite.DATA / f"tiny_{kind}.tflite" for kind in tiny_tflite.KINDS}
TWO_INPUTS = tiny_tflite.DATA / "tiny_two_inputs.tflite"
INSTALLED = [name for name, (package, _) in BACKENDS.items() if importlib.util.find_spec(package)]


def means(pixels: np.ndarray) -> np.ndarray:
    """What the tiny models compute: the means of 4×4 fields."""
    return pixels.reshape(1, 2, 4, 2, 4, 3).mean(axis=(2, 4))


@pytest.mark.parametrize("kind", sorted(TINY))
def test_the_tiny_models_are_what_the_script_makes(kind: str) -> None:
    """The kept test models are byte for byte those that tests/parts/tiny_tflite.py makes."""
    pytest.importorskip("ai_edge_litert", reason="the TFLite schema is in LiteRT's wheel")
    assert TINY[kind].read_bytes() == tiny_tflite.make(kind)
    assert TWO_INPUTS.read_bytes() == tiny_tflite.make("float32", inputs=2)


@pytest.mark.parametrize("backend", INSTALLED)
def test_a_float_model_runs(backend: str) -> None:
    """Each runtime installed computes what NumPy computes, from the path and from the bytes."""
    pixels = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32)
    for model in (TINY["float32"], TINY["float32"].read_bytes()):
        loaded = Interpreter(model, threads=1, backend=backend)
        assert loaded.backend.startswith(f"{backend} 2.")
        (made,) = loaded.invoke(pixels)
        np.testing.assert_allclose(made, means(pixels), atol=1e-6)


@pytest.mark.parametrize("kind", ["int8", "uint8"])
def test_a_quantised_model_runs(kind: str) -> None:
    """Stored integers go in and come out, and their scale and zero point are told."""
    loaded = Interpreter(TINY[kind], threads=1)
    _, scale, zero_point = tiny_tflite.KINDS[kind]
    for info in (*loaded.inputs, *loaded.outputs):
        assert info.dtype == np.dtype(kind)
        assert info.scale == pytest.approx(scale)
        assert info.zero_point == zero_point
    bounds = np.iinfo(kind)
    stored = np.random.default_rng(0).integers(bounds.min, bounds.max + 1, (1, 8, 8, 3)).astype(kind)
    (made,) = loaded.invoke(stored)
    assert made.dtype == np.dtype(kind)
    assert np.abs(made - means(stored.astype(float))).max() <= 0.51


def test_tensors_are_described() -> None:
    """Names, shapes with the batch axis and dtypes are those in the file; a float tensor has no scale."""
    loaded = Interpreter(TINY["float32"])
    (wanted,), (made,) = loaded.inputs, loaded.outputs
    assert (wanted.name, wanted.shape, wanted.dtype, wanted.scale) == ("pixels", (1, 8, 8, 3), np.float32, None)
    assert (made.name, made.shape, made.dtype) == ("means", (1, 2, 2, 3), np.float32)


def test_outputs_are_copies() -> None:
    """An output stays what it was when the model runs again."""
    loaded = Interpreter(TINY["float32"])
    (first,) = loaded.invoke(np.ones((1, 8, 8, 3), np.float32))
    loaded.invoke(np.zeros((1, 8, 8, 3), np.float32))
    assert (first == 1).all()


def test_an_input_can_be_written_in_place() -> None:
    """What is written into the input's own memory is what the next run sees."""
    loaded = Interpreter(TINY["float32"])
    loaded.input_view()[:] = 3.0
    (made,) = loaded.invoke()
    assert (made == 3).all()


def test_wrong_inputs_are_shape_errors() -> None:
    """An input of another shape or dtype, or too many, is told with what came and what is wanted."""
    loaded = Interpreter(TINY["float32"])
    with pytest.raises(ShapeError, match=r"float64 \(1, 8, 8, 3\); the model wants float32 \(1, 8, 8, 3\)"):
        loaded.invoke(np.zeros((1, 8, 8, 3)))
    with pytest.raises(ShapeError, match=r"\(8, 8, 3\); the model wants"):
        loaded.invoke(np.zeros((8, 8, 3), np.float32))
    with pytest.raises(ShapeError, match="got 2 inputs; the model wants 1"):
        loaded.invoke(np.zeros((1, 8, 8, 3), np.float32), np.zeros((1, 8, 8, 3), np.float32))


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"<html>404</html>", "no TFLite model"), (b"\x1c\0\0\0TFL3", "truncated")],
)
def test_what_is_no_model_gets_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    """An empty file, a web page and a mere beginning are each told in one line with the file's name."""
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=said) as caught:
        Interpreter(path)
    assert "model.tflite: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_get_one_line(tmp_path: Path) -> None:
    """A path with nothing there, and a folder, are told apart."""
    with pytest.raises(ModelError, match=r"gone\.tflite: no such file"):
        Interpreter(tmp_path / "gone.tflite")
    with pytest.raises(ModelError, match="cannot be read"):
        Interpreter(tmp_path)


def test_no_truncated_model_kills_the_process() -> None:
    """Tiny models cut anywhere and the shipped one cut at many places raise ModelError; the process lives on."""
    code = """
import sys
from pathlib import Path
from edge_tl.errors import ModelError
from edge_tl.tflite.interpreter import Interpreter
for name in sys.argv[1:]:
    data = Path(name).read_bytes()
    for size in range(0, len(data), max(1, len(data) // 500)):
        try:
            Interpreter(data[:size], threads=1)
        except ModelError as error:
            assert chr(10) not in str(error)
        else:
            raise AssertionError(f"{name} cut to {size} bytes was loaded")
print("alive")
"""
    shipped = next(default_model().glob("*.tflite"))
    files = [str(path) for path in (TINY["float32"], TINY["int8"], shipped)]
    ran = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "alive\n", "")


def test_whole_models_are_seen_to_be_whole() -> None:
    """The check for truncation passes every model at hand."""
    for path in (*TINY.values(), TWO_INPUTS, next(default_model().glob("*.tflite"))):
        check_whole(path.read_bytes(), path.name)


SAMPLE = TINY["int8"].read_bytes()


@given(st.lists(st.tuples(st.integers(8, len(SAMPLE) - 1), st.integers(0, 255)), min_size=1, max_size=20))
@settings(max_examples=300)
def test_the_check_itself_survives_any_damage(changes: list[tuple[int, int]]) -> None:
    """Whatever bytes of a model are overwritten, the check passes it or raises ModelError with one line."""
    damaged = bytearray(SAMPLE)
    for where, value in changes:
        damaged[where] = value
    message = ""
    try:
        check_whole(bytes(damaged), "model")
    except ModelError as error:
        message = str(error)
    assert "\n" not in message


def test_threads_and_backend_are_checked() -> None:
    """No threads at all, and a runtime that nobody knows, are told in one line."""
    with pytest.raises(ModelError, match="threads is 0"):
        Interpreter(TINY["float32"], threads=0)
    with pytest.raises(ModelError, match="one of litert, tflite-runtime"):
        Interpreter(TINY["float32"], backend="onnx")


@pytest.mark.parametrize(
    ("cores", "litert", "spinning"), [(1, 1, 1), (2, 2, 1), (4, 4, 3), (8, 4, 4)], ids=lambda value: str(value)
)
def test_threads_that_spin_leave_a_core_to_the_rest(
    monkeypatch: pytest.MonkeyPatch, cores: int, litert: int, spinning: int
) -> None:
    """LiteRT gets a thread a core, tflite-runtime one less, neither more than four nor less than one."""
    monkeypatch.setattr(interpreter.os, "sched_getaffinity", lambda process: set(range(cores)))
    assert default_threads("litert 2.3.0") == litert
    assert default_threads("tflite-runtime 2.14.0") == spinning


def test_a_runtime_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a runtime the error holds the command that installs one."""
    monkeypatch.setattr(interpreter.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match="pip install ai-edge-litert"):
        Interpreter(TINY["float32"])
    with pytest.raises(MissingDependency, match="pip install tflite-runtime"):
        Interpreter(TINY["float32"], backend="tflite-runtime")


def test_loading_is_silent_but_swallows_nothing() -> None:
    """LiteRT's announcement stays off stderr, what others write there comes through, and stderr may be closed."""
    code = f"""
import os, sys
from edge_tl.tflite import interpreter
from pathlib import Path
with interpreter._without_chatter():
    os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\nheard\\n")
interpreter.Interpreter(Path({str(TINY["float32"])!r}))
os.close(2)
interpreter.Interpreter(Path({str(TINY["float32"])!r}))
print("done")
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "done\n", "heard\n")


def test_open_shapes_can_be_set_and_fixed_ones_not() -> None:
    """Another size for a fixed input, or a wrong number of inputs, is one line; the file's own size is fine."""
    pixels = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32)
    (made,) = Interpreter(TINY["float32"], threads=1, input_shapes=((1, 8, 8, 3),)).invoke(pixels)
    np.testing.assert_allclose(made, means(pixels), atol=1e-6)
    for shapes in ((), ((1, 8, 8, 3),) * 2, ((1, 8),), ((1, 16, 8, 3),)):
        with pytest.raises(ModelError) as caught:
            Interpreter(TINY["float32"], threads=1, input_shapes=shapes)
        assert "\n" not in str(caught.value)
