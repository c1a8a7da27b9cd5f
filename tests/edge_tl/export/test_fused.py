"""A fused file in whatever runtime there is: it gives what the recognizer gave, and says of itself what it needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_fused import FUSED, LABELS, TINY, picture, taught

from device.commands.main import main
from edge_tl.errors import EdgeTLError, ModelError, ShapeError
from edge_tl.export.fused import FusedModel, read_about
from edge_tl.media.image import save_png
from edge_tl.media.sound import Sound

Run = tuple[int, str, str]


@pytest.fixture(scope="module")
def fused() -> FusedModel:
    """The tiny fused file, loaded."""
    return FusedModel.load(FUSED, threads=1)


def test_the_runtime_here_gives_what_the_recognizer_gives(fused: FusedModel) -> None:
    """On LiteRT and on tflite-runtime alike, one file and two stages agree within float32 on pictures of any size."""
    recognizer = taught()
    recognizer.confidence = recognizer.confidence.elsewhere()
    # The file was trained on another machine, whose BLAS adds in another order: a Gram matrix of that many rows and
    # values differs by a rounding each, and the temperature multiplies it by a few.
    rounding = 4 * 6 * len(LABELS) * recognizer.embedder.embedding_dim * np.finfo(np.float32).eps
    assert fused.classes == recognizer.classes == tuple(sorted(LABELS))
    for label in LABELS:
        for number in range(20, 30):
            one, two = fused.observe(picture(label, number)), recognizer.observe(picture(label, number))
            np.testing.assert_allclose(one.probabilities, two.probabilities, rtol=0, atol=rounding)
            assert (one.label, one.best) == (two.label, two.best)


@pytest.mark.host
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated:UserWarning")
def test_tensorflow_runs_it_too(fused: FusedModel) -> None:
    """TensorFlow's own interpreter computes the same probabilities from the file."""
    import tensorflow

    interpreter = tensorflow.lite.Interpreter(str(FUSED))
    interpreter.allocate_tensors()
    (entry,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    about = read_about(FUSED.read_bytes())
    assert about is not None
    assert about.manifest is not None
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    scaled = pixels[..., ::-1] * np.array(about.manifest.scaling.scale) + np.array(about.manifest.scaling.offset)
    interpreter.set_tensor(entry["index"], scaled[np.newaxis].astype(np.float32))
    interpreter.invoke()
    ours = fused.observe(pixels).probabilities
    np.testing.assert_allclose(interpreter.get_tensor(result["index"])[0], ours, atol=1e-5)


def test_it_says_what_a_picture_needs() -> None:
    """Labels, head, and the manifest with scaling, colour order and size lie inside the file."""
    about = read_about(FUSED.read_bytes())
    assert about is not None
    assert about.manifest is not None
    assert (about.labels, about.kind, about.head) == (tuple(sorted(LABELS)), "picture", "ridge")
    assert (about.manifest.colour_order, about.manifest.input_shape) == ("bgr", (8, 8, 3))


def test_another_model_is_refused(fused: FusedModel, tmp_path: Path) -> None:
    """A .tflite file that nobody fused has no labels, and a sound is no picture."""
    assert read_about(TINY.read_bytes()) is None
    with pytest.raises(ModelError, match="carries no labels"):
        FusedModel.load(TINY)
    with pytest.raises(ShapeError, match="a picture is wanted"):
        fused.observe(Sound(np.zeros(1000, np.float32), 16_000))
    spoilt = FUSED.read_bytes().replace("light 💡".encode(), b"light\n\n\n\n\n")
    (tmp_path / "spoilt.tflite").write_bytes(spoilt)
    with pytest.raises(ModelError, match="fuse the profile again"):
        FusedModel.load(tmp_path / "spoilt.tflite")


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8), end=st.floats(0, 1)
)
def test_a_hostile_file_says_nothing_or_one_line(changes: list[tuple[float, int]], end: float) -> None:
    """Whatever bytes are changed or missing, reading what a file says of itself ends in an answer or in one line."""
    data = FUSED.read_bytes()
    spoilt = bytearray(data if end > 0.5 else data[: int(2 * end * len(data))])
    for place, value in changes:
        if spoilt:
            spoilt[int(place * len(spoilt))] = value
    said = ""
    try:
        about = read_about(bytes(spoilt))
        assert about is None or about.labels
    except EdgeTLError as error:
        said = str(error)
    assert "\n" not in said


def test_predict_needs_nothing_but_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`edge-tl predict --model FILE.tflite` names pictures with no profile at all, and `model info` shows labels."""
    nothing = ["--data-dir", str(tmp_path / "none")]
    save_png(tmp_path / "a.png", picture("dark", 40))
    save_png(tmp_path / "b.png", picture("light 💡", 40))
    files = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    assert main(["predict", "--model", str(FUSED), *files, "--json", *nothing]) == 0
    answers: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [answer["label"] for answer in answers] == ["dark", "light 💡"]
    assert list(answers[0]["probabilities"]) == sorted(LABELS)
    assert main(["predict", "--model", str(FUSED), *files, str(FUSED), *nothing]) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2
    assert len(err.splitlines()) == 1
    assert main(["model", "info", str(FUSED), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["labels"] == ", ".join(sorted(LABELS))
