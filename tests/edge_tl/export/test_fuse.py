"""Fusing a profile into one file: it equals the two stages on real pictures, and one line says what cannot be fused."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lacking import lacking
from places import ROOT
from tiny_fused import DATA, FUSED, TINY, taught
from tiny_profile import make_all, refused, runner

from edge_tl.core.features import GRIDS, FeatureMap
from edge_tl.embedders.browser import BrowserEmbedder
from edge_tl.embedders.look.choices import Look
from edge_tl.embedders.speech_base import BASE
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, EdgeTLError, MissingDependency, ModelError, NotFittedError
from edge_tl.export.fuse import append, fuse
from edge_tl.export.fused import FusedModel
from edge_tl.heads import make_head
from edge_tl.media.image import decode
from edge_tl.media.sound import read_sound
from edge_tl.models import default_model
from edge_tl.nn import Dense, ReLU
from edge_tl.recognizer import Recognizer
from edge_tl.store.settings import write_settings
from edge_tl.tflite.flatbuffer import check_whole
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.manifest import Scaling

pytestmark = pytest.mark.exact

pytest.importorskip("ai_edge_litert.interpreter", reason="only LiteRT brings the schema", exc_type=ImportError)

SHIPPED = next(default_model().glob("*.tflite"))
Embedded = tuple[TFLiteEmbedder, list[tuple[np.ndarray, np.ndarray, str]]]


@pytest.fixture(scope="module")
def digits(data: Callable[[str], Path]) -> Embedded:
    """The shipped embedder, and (picture, embedding, label) of eight hands a digit."""
    embedder = TFLiteEmbedder.load(default_model(), threads=1)
    files = [file for folder in sorted(data("sign_digits").iterdir()) for file in sorted(folder.glob("*.JPG"))[:8]]
    pictures = [(decode(file), file.parent.name) for file in files]
    asked = Recognizer(embedder)
    return embedder, [(picture, asked.embed(picture), label) for picture, label in pictures]


@pytest.mark.parametrize("head", ["ridge", "softmax", "mlp", "prototype"])
@pytest.mark.parametrize("pool", GRIDS)
def test_one_file_equals_two_stages_on_real_pictures(head: str, pool: str, digits: Embedded, tmp_path: Path) -> None:
    """Probabilities of pictures that were not taught agree within 1e-5, whatever the head and the feature map."""
    embedder, pictures = digits
    recognizer = Recognizer(embedder, head, FeatureMap(pool), reject=False)
    for number, (_, embedding, label) in enumerate(pictures[::2]):
        recognizer.add(embedding, label, number)
    recognizer.learn()
    out = tmp_path / "fused.tflite"
    out.write_bytes(fuse(recognizer, SHIPPED.read_bytes()))
    fused = FusedModel.load(out, threads=1)
    recognizer.confidence = recognizer.confidence.elsewhere()
    for picture, embedding, _ in pictures[1::6]:
        one, two = fused.observe(picture), recognizer.recognize(embedding)
        np.testing.assert_allclose(one.probabilities, two.probabilities, atol=1e-5)
        assert one.best == two.best


@pytest.mark.parametrize("kind", ["float32", "int8", "uint8"])
def test_quantised_embedders_are_fused_too(kind: str, tmp_path: Path) -> None:
    """An int8 or uint8 embedder keeps its input, and the probabilities come out as float32, equal to the two stages."""
    file = DATA / f"tiny_{kind}.tflite"
    scaling = Scaling((1 / 255,) * 3, (0.0,) * 3)
    embedder = TFLiteEmbedder.load(file, threads=1, scaling=scaling, resize="crop", colour_order="rgb")
    recognizer = Recognizer(embedder, "softmax", FeatureMap("mean", unit=False), reject=False)
    rng = np.random.default_rng(1)
    pictures = [(rng.random((20, 20, 3)) * 80 + 150 * (i % 2)).astype(np.uint8) for i in range(16)]
    for i, picture in enumerate(pictures[:10]):
        recognizer.teach(picture, "light" if i % 2 else "dark", i)
    recognizer.learn()
    out = tmp_path / "fused.tflite"
    out.write_bytes(fuse(recognizer, file.read_bytes()))
    fused = FusedModel.load(out, threads=1)
    recognizer.confidence = recognizer.confidence.elsewhere()
    for picture in pictures:
        expected = recognizer.observe(picture).probabilities
        np.testing.assert_allclose(fused.observe(picture).probabilities, expected, atol=1e-5)


def test_the_same_profile_gives_the_same_file() -> None:
    """Fusing is repeatable, gives the file kept for other runtimes, and every buffer of weights begins on 16 bytes."""
    data = fuse(taught(), TINY.read_bytes())
    assert len(data) == len(FUSED.read_bytes())
    assert fuse(taught(), TINY.read_bytes()) == data
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(data, 0)
    for number in range(model.BuffersLength()):
        held = model.Buffers(number)
        if held.DataLength():
            place = held._tab.Vector(held._tab.Offset(4))
            assert place % 16 == 0


def test_the_embedders_weights_are_untouched(digits: Embedded) -> None:
    """Every constant of the embedder's file is in the fused file, bit for bit."""
    from ai_edge_litert import schema_py_generated as schema

    embedder, pictures = digits
    recognizer = Recognizer(embedder, reject=False)
    for number, (_, embedding, label) in enumerate(pictures[::4]):
        recognizer.add(embedding, label, number)
    recognizer.learn()

    def constants(data: bytes) -> set[bytes]:
        model = schema.ModelT.InitFromPackedBuf(data, 0)
        used = {tensor.buffer for tensor in model.subgraphs[0].tensors}
        return {model.buffers[number].data.tobytes() for number in used if model.buffers[number].data is not None}

    before = SHIPPED.read_bytes()
    assert constants(before) <= constants(fuse(recognizer, before))


def test_what_is_no_network_is_refused() -> None:
    """A head that holds examples, an untrained one, and another model than the embedder's: one clear line each."""
    recognizer = taught()
    with pytest.raises(ModelError, match="is not the file that"):
        fuse(recognizer, SHIPPED.read_bytes())
    X, y, takes = recognizer.rows
    recognizer.head = make_head("knn").fit(X, y, takes)
    with pytest.raises(ConfigError, match="--head ridge"):
        fuse(recognizer, TINY.read_bytes())
    with pytest.raises(NotFittedError):
        fuse(Recognizer(recognizer.embedder), TINY.read_bytes())


def test_without_the_schema_the_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only tflite-runtime is installed, the message names the command that helps."""
    import sys

    recognizer = taught()
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(MissingDependency, match="pip install ai-edge-litert"):
        fuse(recognizer, TINY.read_bytes())


HEAD = [FeatureMap("mean"), Dense(np.ones((3, 4), np.float32), np.zeros(4, np.float32)), ReLU()]
HEAD += [Dense(np.ones((4, 2), np.float32))]


def test_layers_follow_any_model() -> None:
    """`append` computes what the steps compute in NumPy."""
    out = Interpreter(append(TINY.read_bytes(), HEAD, (2, 2, 3), {"a": b"b"}), threads=1)
    x = np.random.default_rng(0).random((1, 8, 8, 3), np.float32)
    (made,) = out.invoke(x)
    np.testing.assert_allclose(made, [[0.5, 0.5]], atol=1e-6)
    with pytest.raises(ModelError, match="is wanted"):
        append(TINY.read_bytes(), HEAD, (12,), {})


@settings(max_examples=300)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8), end=st.floats(0, 1)
)
def test_a_hostile_model_is_one_clear_line(changes: list[tuple[float, int]], end: float) -> None:
    """Whatever bytes are changed or missing, appending gives a file that lies whole in its bytes, or one line."""
    data = TINY.read_bytes()
    spoilt = bytearray(data if end > 0.5 else data[: int(2 * end * len(data))])
    for place, value in changes:
        if spoilt:
            spoilt[int(place * len(spoilt))] = value
    said = ""
    try:
        check_whole(append(bytes(spoilt), HEAD, (2, 2, 3), {"a": b"b"}), "fused")
    except EdgeTLError as error:
        said = str(error)
    assert "\n" not in said


@settings(max_examples=200)
@given(at=st.floats(0, 1, exclude_max=True), value=st.sampled_from([0, 1, 2**31 - 1, -1, -(2**31), 2**20, 65536]))
def test_absurd_numbers_are_one_clear_line(at: float, value: int) -> None:
    """A size, an offset or a count that is absurd ends in a file or in one line, never in a crash or in waiting."""
    data = bytearray(TINY.read_bytes())
    struct.pack_into("<i", data, int(at * (len(data) // 4)) * 4, value)
    said = ""
    try:
        append(bytes(data), HEAD, (2, 2, 3), {})
    except EdgeTLError as error:
        said = str(error)
    assert "\n" not in said


def bomb(count: int) -> bytes:
    """A file of about 8·count bytes: `count` graphs that are one, with `count` operators that are one."""
    import flatbuffers

    builder = flatbuffers.Builder(1024)

    def table(*fields: tuple[int, int]) -> int:
        builder.StartObject(8)
        for slot, offset in fields:
            builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
        return int(builder.EndObject())

    def many(offset: int) -> int:
        builder.StartVector(4, count, 4)
        for _ in range(count):
            builder.PrependUOffsetTRelative(offset)
        return int(builder.EndVector())

    graph = table((3, many(table())))
    builder.Finish(table((1, many(table())), (2, many(graph))), file_identifier=b"TFL3")
    return bytes(builder.Output())


def test_a_file_that_unfolds_without_end_is_refused_at_once() -> None:
    """20 000 graphs of 20 000 operators in 160 kB, all of them one, are seen for what they are and not copied out."""
    data = bomb(20_000)
    with pytest.raises(ModelError, match="its parts overlap"):
        check_whole(data, "bomb")
    with pytest.raises(ModelError, match="its parts overlap"):
        append(data, HEAD, (2, 2, 3), {})


def test_the_command_fuses_a_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From a taught profile to one file that names pictures alone, as the profile did; and it is told how far apart."""
    made = make_all(tmp_path)
    run, model = runner(made, made / "data", capsys), made / "model"
    out = tmp_path / "one.tflite"
    code, said, _ = run("model", "fuse", "--model", model, "--out", out, "--json")
    assert code == 0
    assert said["labels"] == ["dark", "light"]
    assert said["compared"] > 10
    assert said["largest_difference"] < 1e-5
    code, told, _ = run("model", "fuse", "--model", model, "--out", out)
    assert (code, "near the training examples the profile is more confident" in told) == (0, True)
    pictures = sorted((made / "pictures").rglob("*.png"))
    _, alone, _ = run("predict", "--model", out, *pictures, "--json")
    _, profile, _ = run("predict", *pictures, "--no-reject", "--json")
    assert [one["label"] for one in alone] == [one["label"] for one in profile]
    code, said, _ = run("model", "fuse", "--model", model, "--out", out)
    assert code == 0
    assert "dark, light" in said
    refused(run("model", "fuse", "--model", model, "--out", model / "tiny.tflite"), "name another file")
    assert run("train", "--head", "knn")[0] == 0
    refused(run("model", "fuse", "--model", model, "--out", tmp_path / "b.tflite"), "--head ridge")
    write_settings(made / "data" / "profiles" / "default", look=Look("box", (0.1, 0.1, 0.9, 0.9)))
    refused(run("model", "fuse", "--model", model, "--out", tmp_path / "b.tflite"), "whole frame")
    assert not (tmp_path / "b.tflite").exists()


@pytest.mark.parametrize(("head", "unfrozen"), [("ridge", 0), ("tuned", 0), ("tuned", 2), ("ridge", 1)])
def test_words_are_fused_from_the_spectrogram_on(
    head: str, unfrozen: int, data: Callable[[str], Path], tmp_path: Path
) -> None:
    """Of a converted base of speech, frozen, fine-tuned or with convolutions trained further and written back, one file
    gives on real clips what the recognizer gives."""
    base = ROOT / "downloads" / "speech_18w"
    if not base.exists():
        pytest.skip(lacking("downloads/speech_18w"))
    clips = {word: sorted(data(f"speech/arabic/{word}").glob("*.wav")) for word in ("left", "right")}
    recognizer = Recognizer(BrowserEmbedder.load(base, 1, unfrozen=unfrozen), head, reject=False)
    if head == "tuned":
        recognizer.settings = {"epochs": (2, 2)}
    for word, files in clips.items():
        for take, file in enumerate(files[:4]):
            recognizer.teach(read_sound(file), word, take)
    recognizer.learn()
    out = tmp_path / "fused.tflite"
    out.write_bytes(fuse(recognizer, (base / BASE).read_bytes()))
    fused = FusedModel.load(out, threads=1)
    recognizer.confidence = recognizer.confidence.elsewhere()
    for file in (*clips["left"][4:6], *clips["right"][4:6]):
        one, two = fused.observe(read_sound(file)), recognizer.observe(read_sound(file))
        np.testing.assert_allclose(one.probabilities, two.probabilities, atol=1e-5)
