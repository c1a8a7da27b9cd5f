"""The embedder: what it promises with every kind of model, against NumPy and against the runtime itself."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_tflite
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ModelError, ShapeError
from edge_tl.media.image import decode, fit
from edge_tl.models import default_model
from edge_tl.testing import FakeEmbedder, check_embedder
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.manifest import Manifest, Scaling, read_manifest, write_manifest

TINY = {kind: tiny_tflite.DATA / f"tiny_{kind}.tflite" for kind in tiny_tflite.KINDS}
EVEN = Scaling((2 / 255,) * 3, (-1.0,) * 3)
UNEVEN = Scaling((2 / 255, 1 / 255, 1 / 128), (-1.0, 0.0, -0.5))


def load(kind: str, scaling: Scaling = EVEN, colour_order: str = "rgb", resize: str = "crop") -> TFLiteEmbedder:
    """A tiny model with explicit arguments."""
    return TFLiteEmbedder.load(TINY[kind], threads=1, scaling=scaling, resize=resize, colour_order=colour_order)


def scaled(picture: np.ndarray, scaling: Scaling) -> np.ndarray:
    """The means of the 4×4 fields of the scaled picture, in double precision."""
    real = picture * np.array(scaling.scale) + np.array(scaling.offset)
    return real.reshape(2, 4, 2, 4, 3).mean(axis=(1, 3)).reshape(-1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder around the tiny float model."""
    data = TINY["float32"].read_bytes()
    (tmp_path / "tiny.tflite").write_bytes(data)
    manifest = Manifest(
        name="tiny",
        model="tiny.tflite",
        sha256=hashlib.sha256(data).hexdigest(),
        architecture="pool",
        alpha=None,
        layer="means",
        input_shape=(8, 8, 3),
        colour_order="rgb",
        resize="stretch",
        scaling=UNEVEN,
        output_shape=(2, 2, 3),
        quantization="float32",
        weights={},
        tools={},
    )
    write_manifest(tmp_path, manifest)
    return tmp_path


def change(folder: Path, **values: object) -> None:
    """Write other values into the folder's manifest."""
    write_manifest(folder, dataclasses.replace(read_manifest(folder), **values))


def one_line(*arguments: object, **named: object) -> str:
    """The message with which loading fails, seen to be one line."""
    with pytest.raises(ModelError) as caught:
        TFLiteEmbedder.load(*arguments, **named)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", sorted(TINY))
@pytest.mark.parametrize("scaling", [EVEN, UNEVEN], ids=["even", "uneven"])
def test_the_contract_holds(kind: str, scaling: Scaling) -> None:
    """Float, int8 and uint8 models with one scaling or one per channel keep what an Embedder promises."""
    check_embedder(load(kind, scaling))


def test_the_contract_holds_for_the_fake() -> None:
    """FakeEmbedder keeps what an Embedder promises, and another fake has another fingerprint."""
    check_embedder(FakeEmbedder())
    check_embedder(FakeEmbedder(cells=2, name="other"))
    assert FakeEmbedder().fingerprint == FakeEmbedder().fingerprint
    assert len({FakeEmbedder().fingerprint, FakeEmbedder(2).fingerprint, FakeEmbedder(name="b").fingerprint}) == 3


NUMBER = st.floats(-2, 2)
SCALINGS = st.one_of(
    st.just(EVEN),
    st.builds(Scaling, st.tuples(*[st.floats(-0.02, 0.02)] * 3), st.tuples(NUMBER, NUMBER, NUMBER)),
)


@given(SCALINGS, st.sampled_from(("rgb", "bgr")), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_floats_are_scaled_as_the_manifest_says(scaling: Scaling, colour_order: str, seed: int) -> None:
    """y = pixel * scale + offset in the model's colour order, whatever the scaling."""
    picture = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    ordered = picture if colour_order == "rgb" else picture[..., ::-1]
    np.testing.assert_allclose(
        load("float32", scaling, colour_order).embed(picture), scaled(ordered, scaling), atol=1e-5
    )


@given(st.sampled_from(("int8", "uint8")), SCALINGS, st.sampled_from(("rgb", "bgr")), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_quantised_values_are_right_to_a_step(kind: str, scaling: Scaling, colour_order: str, seed: int) -> None:
    """Through a quantised model an embedding is right to one step of its scale, within the range that it can store."""
    _, step, zero_point = tiny_tflite.KINDS[kind]
    assert step is not None
    bounds = np.iinfo(kind)
    picture = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    ordered = picture if colour_order == "rgb" else picture[..., ::-1]
    real = ordered * np.array(scaling.scale) + np.array(scaling.offset)
    storable = np.clip(real, (bounds.min - zero_point) * step, (bounds.max - zero_point) * step)
    wanted = storable.reshape(2, 4, 2, 4, 3).mean(axis=(1, 3)).reshape(-1)
    assert np.abs(load(kind, scaling, colour_order).embed(picture) - wanted).max() <= 1.03 * step


def test_neighbouring_pixel_values_stay_apart_when_quantised() -> None:
    """An int8 input of [-1, 1] keeps all 256 pixel values apart."""
    embedder = load("int8")
    values = [embedder.embed(np.full((8, 8, 3), value, np.uint8))[0] for value in range(256)]
    assert (np.diff(values) > 0).all()


@pytest.mark.parametrize("kind", ["int8", "uint8"])
@pytest.mark.parametrize("beyond", [-9, -1, 0, 1, 9])
def test_what_an_input_cannot_store_is_its_nearest_end(kind: str, beyond: int) -> None:
    """With a step a pixel value each is kept apart, and those beyond the input's range are stored as its end."""
    _, step, zero_point = tiny_tflite.KINDS[kind]
    assert step is not None
    bounds = np.iinfo(kind)
    pixels = np.arange(256)
    embedder = load(kind, Scaling((step,) * 3, (step * (bounds.min - zero_point - beyond),) * 3))
    got = [embedder.embed(np.full((8, 8, 3), value, np.uint8))[0] for value in pixels]
    wanted = step * (np.clip(pixels - beyond + bounds.min, bounds.min, bounds.max) - zero_point)
    np.testing.assert_allclose(got, wanted, atol=1e-6)


def test_another_size_is_fitted_as_the_manifest_says() -> None:
    """A larger picture is embedded as its centre square, or as all of it squeezed."""
    picture = np.random.default_rng(2).integers(0, 256, (40, 60, 3), np.uint8)
    for resize in ("crop", "stretch", "letterbox"):
        embedder = load("float32", resize=resize)
        np.testing.assert_allclose(embedder.embed(picture), scaled(fit(picture, (8, 8), resize), EVEN), atol=1e-5)


def test_a_folder_loads_by_itself(folder: Path) -> None:
    """A model folder needs no arguments; the file in it finds its manifest; names and fingerprint come from there."""
    picture = np.random.default_rng(3).integers(0, 256, (8, 8, 3), np.uint8)
    for path in (folder, folder / "tiny.tflite", str(folder)):
        embedder = TFLiteEmbedder.load(path)
        assert embedder.name == "tiny"
        assert embedder.fingerprint == hashlib.sha256(TINY["float32"].read_bytes()).hexdigest()
        assert (embedder.embedding_shape, embedder.embedding_dim) == ((2, 2, 3), 12)
        assert embedder.manifest.scaling == UNEVEN
        np.testing.assert_allclose(embedder.embed(picture), scaled(picture, UNEVEN), atol=1e-5)


def test_a_manifest_can_be_given(folder: Path) -> None:
    """A manifest given as an argument is taken instead of the one in the folder."""
    given_one = dataclasses.replace(read_manifest(folder), scaling=EVEN, name="given")
    assert TFLiteEmbedder.load(folder, manifest=given_one).name == "given"
    assert TFLiteEmbedder.load(TINY["float32"], manifest=given_one).manifest.scaling == EVEN


def test_a_bare_file_says_what_it_needs() -> None:
    """Without a manifest the scaling is asked for, by the option that gives it; with it the file describes itself."""
    for more in ({}, {"resize": "crop", "colour_order": "rgb"}):
        assert "does not say how its pixels are scaled: give --scaling LOW,HIGH" in one_line(TINY["float32"], **more)
    manifest = load("int8").manifest
    assert (manifest.name, manifest.input_shape, manifest.output_shape) == ("tiny_int8", (8, 8, 3), (2, 2, 3))
    assert (manifest.quantization, manifest.layer) == ("int8", "means")
    assert manifest.sha256 == hashlib.sha256(TINY["int8"].read_bytes()).hexdigest()


def test_wrong_arguments_are_named(folder: Path) -> None:
    """An unknown resize or colour order, or arguments beside a manifest that gives them, get one line."""
    assert "one of crop" in one_line(TINY["float32"], scaling=EVEN, resize="zoom", colour_order="rgb")
    assert "one of rgb" in one_line(TINY["float32"], scaling=EVEN, resize="crop", colour_order="grb")
    assert "manifest already gives scaling, resize" in one_line(folder, scaling=EVEN, resize="crop")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"input_shape": (9, 8, 3)}, "its manifest says input (9, 8, 3), the model has (1, 8, 8, 3)"),
        ({"output_shape": (12,)}, "its manifest says output (12,), the model has (1, 2, 2, 3)"),
        ({"sha256": "0" * 64}, "its manifest says 000000000000"),
        ({"model": "other.tflite"}, "other.tflite: no such file"),
        ({"kind": "sound"}, "its manifest says sound"),
    ],
)
def test_a_manifest_that_contradicts_the_model(folder: Path, values: dict[str, object], said: str) -> None:
    """Where manifest and model disagree, one line names what each of them says."""
    change(folder, **values)
    assert said in one_line(folder)


def test_a_float_manifest_of_a_quantised_model(folder: Path) -> None:
    """A manifest that says float32 for a model with int8 tensors contradicts it."""
    data = TINY["int8"].read_bytes()
    (folder / "tiny.tflite").write_bytes(data)
    change(folder, sha256=hashlib.sha256(data).hexdigest())
    assert "its manifest says float32, the model's input is int8" in one_line(folder)
    change(folder, quantization="int8")
    check_embedder(TFLiteEmbedder.load(folder))


def test_a_changed_model_file_is_found_by_its_hash(folder: Path) -> None:
    """One changed bit anywhere in the file is caught before the runtime sees it, as is truncation."""
    data = bytearray(TINY["float32"].read_bytes())
    data[203] ^= 0x80  # in the pool's height: this one would crash LiteRT 2.3
    (folder / "tiny.tflite").write_bytes(data)
    assert "its manifest says" in one_line(folder)
    (folder / "tiny.tflite").write_bytes(data[:100])
    assert "SHA-256" in one_line(folder)
    (folder / "tiny.tflite").unlink()
    assert "no such file" in one_line(folder)


def test_a_damaged_model_without_manifest_gets_one_line(tmp_path: Path) -> None:
    """Damage that makes the output empty, which LiteRT 2.3 dies of when run, is refused at load in one line."""
    data = bytearray(TINY["float32"].read_bytes())
    data[203] ^= 0x80
    (tmp_path / "bad.tflite").write_bytes(data)
    message = one_line(tmp_path / "bad.tflite", scaling=EVEN, resize="crop", colour_order="rgb")
    assert "bad.tflite: " in message


def test_a_model_of_two_inputs_is_no_embedder() -> None:
    """A model with more than one input is told so."""
    path = tiny_tflite.DATA / "tiny_two_inputs.tflite"
    said = one_line(path, scaling=EVEN, resize="crop", colour_order="rgb")
    assert "2 inputs and 1 output; one of each is wanted" in said
    assert "give another model (docs/models.md)" in said


def test_a_model_that_gives_nan_is_refused() -> None:
    """A model whose embeddings are not finite is refused when it is loaded, not when it is taught."""
    huge = Scaling((3e38,) * 3, (0.0,) * 3)
    with np.errstate(over="ignore"):
        assert "NaN or infinity" in one_line(TINY["float32"], scaling=huge, resize="crop", colour_order="rgb")


def test_a_manifest_that_names_another_file_is_not_taken(folder: Path) -> None:
    """A bare file beside another model's manifest still needs its arguments."""
    shutil.copy(TINY["float32"], folder / "second.tflite")
    assert "give --scaling LOW,HIGH" in one_line(folder / "second.tflite")


def test_missing_paths_get_one_line(tmp_path: Path) -> None:
    """A folder with no manifest and a path with nothing there are each told in one line."""
    assert "no manifest.json there" in one_line(tmp_path)
    assert "no such file" in one_line(tmp_path / "gone")


def test_no_picture_is_a_shape_error() -> None:
    """A float picture and a grey one are refused with the shape that came."""
    embedder = load("float32")
    with pytest.raises(ShapeError, match="float32"):
        embedder.embed(np.zeros((8, 8, 3), np.float32))
    with pytest.raises(ShapeError, match=r"\(8, 8\)"):
        embedder.embed(np.zeros((8, 8), np.uint8))


@pytest.fixture(scope="module")
def shipped() -> TFLiteEmbedder:
    """The embedder that ships in the package."""
    return TFLiteEmbedder.load(default_model(), threads=1)


def test_the_shipped_model_keeps_the_contract(shipped: TFLiteEmbedder) -> None:
    """The model in the package loads in whichever runtime is installed and is an Embedder."""
    check_embedder(shipped)


def test_the_shipped_model_is_small_and_described(shipped: TFLiteEmbedder) -> None:
    """It is at most 4 MB, has a card, and its manifest says where its weights come from under which licence."""
    file = default_model() / shipped.manifest.model
    assert file.stat().st_size <= 4_000_000
    assert (default_model() / "CARD.md").is_file()
    assert shipped.manifest.weights["origin"]
    assert shipped.manifest.weights["licence"]


def test_the_embedder_adds_only_the_scaling(shipped: TFLiteEmbedder, data: Callable[[str], Path]) -> None:
    """On a real picture it gives what the bare runtime gives for the scaled pixels."""
    manifest = shipped.manifest
    picture = decode(next(data("hands_sessions").rglob("*.jpg")))
    pixels = fit(picture, manifest.input_shape[:2], manifest.resize)
    assert manifest.colour_order == "rgb"
    wanted = (pixels * np.array(manifest.scaling.scale) + np.array(manifest.scaling.offset)).astype(np.float32)
    (bare,) = Interpreter(default_model() / manifest.model, threads=1).invoke(wanted[np.newaxis])
    np.testing.assert_allclose(shipped.embed(picture), bare.reshape(-1), rtol=1e-4, atol=1e-4)


def test_the_shipped_model_sees(shipped: TFLiteEmbedder, data: Callable[[str], Path]) -> None:
    """Two pictures of the same pose in a row are nearer to each other than pictures of different hands."""
    first, second = sorted((data("hands_sessions") / "session_2" / "1").glob("*.jpg"))[:2]
    other = sorted((data("hands_sessions") / "session_2" / "5").glob("*.jpg"))[0]
    rows = np.stack([shipped.embed(decode(path)) for path in (first, second, other)])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]
