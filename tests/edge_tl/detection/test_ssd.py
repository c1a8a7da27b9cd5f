"""Single-shot detectors of any maker: with and without the operator that ends them, their labels, damaged files."""

from __future__ import annotations

import io
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lacking import lacking
from places import DATA, ROOT
from tiny_ssd import LABELS, anchors, scene

from edge_tl.core.boxes import overlaps, surest
from edge_tl.detection.ssd import OVERLAP, SSDDetector
from edge_tl.detection.ssd_anchors import read_anchors, standard_anchors
from edge_tl.errors import ModelError, ShapeError
from edge_tl.media.image import decode
from edge_tl.tflite.label_files import bundled_labels, parse_labels, read_labels

KINDS = ("old", "new", "quantised", "raw", "said")
NAMES = tuple(LABELS.split())


def tiny(kind: str, data: bytes | None = None) -> SSDDetector:
    """A tiny model that finds red and blue fields."""
    data = data or (DATA / f"tiny_ssd_{kind}.tflite").read_bytes()
    fields = anchors() if kind in ("raw", "said") else None
    return SSDDetector(data, kind, labels=() if kind == "said" else NAMES, anchors=fields, threads=1)


@pytest.mark.parametrize("kind", KINDS)
def test_things_are_found_where_they_are(kind: str) -> None:
    """Every kind of file gives labels, confidences and boxes in pixels, whatever the order of its outputs."""
    detector = tiny(kind)
    assert detector.labels == ("red", "blue")
    found = detector.detect(scene())
    assert [one.label for one in found] == ["red", "blue"]
    assert all(0.5 <= one.confidence <= 1 for one in found)
    # What the network's offsets (1, −2, .5, −.5 tenths and fifths) make of the fields 80..160 × 40..80 and so on.
    half_w, half_h = 40 * np.exp(-0.1), 20 * np.exp(0.1)
    for one, (x, y) in zip(found, ((120 - 16, 60 + 4), (280 - 16, 100 + 4)), strict=True):
        np.testing.assert_allclose(one.box, (x - half_w, y - half_h, x + half_w, y + half_h), atol=1e-3)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_our_decoding_is_the_operators(seed: int) -> None:
    """Of the same network, what is decoded here is what TFLite_Detection_PostProcess gives: all its eight boxes."""
    picture = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    theirs, ours = (tiny(kind).detect(picture, 1e-6, 8) for kind in ("old", "raw"))
    assert [one.label for one in theirs] == [one.label for one in ours]
    np.testing.assert_allclose([one.box for one in theirs], [one.box for one in ours], atol=1e-4)
    np.testing.assert_allclose([one.confidence for one in theirs], [one.confidence for one in ours], atol=1e-6)


def test_least_and_most() -> None:
    """Fewer things where more confidence is asked for, and at most so many."""
    detector = tiny("raw")
    assert len(detector.detect(scene(), 1e-6)) == 16
    assert len(detector.detect(scene(), 1e-6, 3)) == 3
    assert [one.label for one in detector.detect(scene(), 0.93)] == ["red"]
    assert detector.detect(np.zeros((9, 9, 3), np.uint8)) == ()
    with pytest.raises(ShapeError):
        detector.detect(np.zeros((9, 9), np.uint8))


def test_without_labels_things_have_numbers() -> None:
    """A file that names nothing still finds things."""
    detector = SSDDetector((DATA / "tiny_ssd_old.tflite").read_bytes(), "old", threads=1)
    assert detector.labels == ()
    assert [one.label for one in detector.detect(scene())] == ["class 0", "class 1"]


def test_pixels_as_the_file_says() -> None:
    """The range of a float input is that of the metadata, and that of the argument before it."""
    data = (DATA / "tiny_ssd_said.tflite").read_bytes()
    wrong = SSDDetector(data, "said", anchors=anchors(), pixels=(-1, 1), threads=1).detect(scene())
    right = SSDDetector(data, "said", anchors=anchors(), pixels=(0, 1), threads=1).detect(scene())
    assert right == tiny("said").detect(scene()) != wrong


@pytest.mark.parametrize(
    ("kind", "arguments", "told"),
    [
        ("raw", {}, "has 16 boxes, and the standard anchors of 16×16 px are 33"),
        ("raw", {"anchors": np.ones((3, 4))}, "3 anchors came"),
        ("old", {"anchors": np.ones((3, 4))}, "leave --anchors out"),
        ("raw", {"anchors": anchors(), "labels": ("a", "b", "c", "d")}, "scores 3 classes, and 4 labels came"),
    ],
)
def test_what_does_not_fit_is_said(kind: str, arguments: dict[str, object], told: str) -> None:
    """Anchors and labels of another model are refused in one line."""
    data = (DATA / f"tiny_ssd_{kind}.tflite").read_bytes()
    with pytest.raises(ModelError, match=re.escape(told)) as caught:
        SSDDetector(data, kind, threads=1, **arguments)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_model_that_is_no_detector() -> None:
    """Another model is refused by the shapes of its outputs."""
    with pytest.raises(ModelError, match="is no SSD"):
        SSDDetector.load(DATA / "tiny_float32.tflite")


def test_standard_anchors() -> None:
    """300 px give the 1917 boxes of the published models, of the published scales."""
    made = standard_anchors(300, 300)
    assert made.shape == (1917, 4)
    np.testing.assert_allclose(made[0], (0.5 / 19, 0.5 / 19, 0.1, 0.1))
    np.testing.assert_allclose(made[1, 2:], (0.2 / 2**0.5, 0.2 * 2**0.5))
    np.testing.assert_allclose(made[-6], (0.5, 0.5, 0.95, 0.95))
    np.testing.assert_allclose(made[-1], (0.5, 0.5, 0.95**0.5, 0.95**0.5))
    assert len(standard_anchors(320, 320)) == 2034


def test_the_published_detector(data: object, tmp_path: Path) -> None:
    """The SSD MobileNet v2 of MediaPipe's Objectron, with the operator appended, gives what is decoded here."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated", reason="LiteRT knows the layout of files")
    del schema
    from appended import with_operator

    modules = Path(os.environ.get("EDGE_TL_NODE_MODULES") or ROOT / "node_modules") / "@mediapipe" / "objectron"
    if not modules.is_dir():
        pytest.skip(lacking("@mediapipe/objectron"))
    packed = (modules / "objectron_solution_packed_assets.data").read_bytes()
    at = packed.index(b"TFL3") - 4
    labels, model = parse_labels(packed[:at], "labels"), packed[at:]
    assert len(labels) == 24
    raw = SSDDetector(model, "objectron", labels=labels, threads=1)
    ended = SSDDetector(with_operator(model, standard_anchors(300, 300), OVERLAP), "ended", labels=labels, threads=1)
    folder = data("hands_sessions")  # type: ignore[operator]
    for name in ("session_2/5", "session_5/0"):
        picture = decode(sorted((folder / name).glob("*.jpg"))[0])
        ours, theirs = raw.detect(picture, 0.02, 10), ended.detect(picture, 0.02, 10)
        assert ours
        assert [one.label for one in ours] == [one.label for one in theirs]
        np.testing.assert_allclose([one.box for one in ours], [one.box for one in theirs], atol=0.05)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("cat\ndog\n", ("cat", "dog")),
        ("\ufeffcat\r\n\r\ndog", ("cat", "dog")),
        ("0  person\n2  big car\n", ("person", "???", "big car")),
        ("1: a\n2: b", ("???", "a", "b")),
        ("7\nzip", ("7", "zip")),
    ],
)
def test_label_files(text: str, labels: tuple[str, ...]) -> None:
    """A label a line, or its number before it."""
    assert parse_labels(text.encode(), "labels") == labels


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00", b"a\0b", b"x" * 5000])
def test_label_files_that_are_none(content: bytes, tmp_path: Path) -> None:
    """Anything else is one line."""
    (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(ModelError):
        read_labels(tmp_path / "labels.txt")
    with pytest.raises(ModelError, match="cannot be read"):
        read_labels(tmp_path / "none.txt")


def test_anchor_files(tmp_path: Path) -> None:
    """Anchors are read as text and as .npy; what holds none is one line."""
    np.save(tmp_path / "a.npy", anchors())
    np.savetxt(tmp_path / "a.csv", anchors(), delimiter=",")
    np.testing.assert_allclose(read_anchors(tmp_path / "a.npy"), read_anchors(tmp_path / "a.csv"), atol=1e-6)
    for name, content in (("t.csv", b"1,2,3"), ("w.csv", b"a b c d"), ("n.npy", b"no"), ("z.csv", b"0,0,0,0")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError):
            read_anchors(tmp_path / name)
    for missing in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ModelError):
            read_anchors(missing)


def test_an_archive_that_unfolds_without_end() -> None:
    """Labels that would fill the memory are refused."""
    archive = io.BytesIO((DATA / "tiny_ssd_raw.tflite").read_bytes())
    archive.seek(0, io.SEEK_END)
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("labels.txt", b"a\n" * 5_000_000)
    with pytest.raises(ModelError, match="unfold"):
        SSDDetector(archive.getvalue(), "bomb", anchors=anchors(), threads=1)


@settings(max_examples=150)
@given(st.data())
def test_damaged_files_are_one_line(data: st.DataObject) -> None:
    """A file cut anywhere, or with bytes of its metadata and archive changed, works or is refused in one line."""
    whole = bytearray((DATA / "tiny_ssd_said.tflite").read_bytes())
    zipped = whole.index(b"PK\x03\x04")
    metadata = whole.index(b"M001") - 4
    if data.draw(st.booleans()):
        whole = whole[: data.draw(st.integers(0, len(whole)))]
    else:
        for _ in range(data.draw(st.integers(1, 3))):
            where = st.one_of(st.integers(zipped, len(whole) - 1), st.integers(metadata, metadata + 100))
            whole[data.draw(where)] = data.draw(st.integers(0, 255))
    try:
        tiny("said", bytes(whole)).detect(scene())
    except ModelError as error:
        told = str(error)
    else:
        told = ""
    assert "\n" not in told


def test_any_byte_of_the_labels_archive_may_be_wrong() -> None:
    """Whichever byte of the archive behind a model is changed, there are labels, none, or one line."""
    whole = (DATA / "tiny_ssd_said.tflite").read_bytes()
    assert bundled_labels(whole, "whole")
    for place in range(whole.index(b"PK\x03\x04"), len(whole)):
        for value in (0, 1, 9, 255):
            spoilt = whole[:place] + bytes([value]) + whole[place + 1 :]
            try:
                said = " ".join(bundled_labels(spoilt, "spoilt"))
            except ModelError as error:
                said = str(error)
            assert "\n" not in said


boxes = st.lists(st.tuples(*[st.floats(0, 10)] * 4, st.floats(0, 1)), max_size=12)


@settings(max_examples=100)
@given(boxes, st.floats(0, 1))
def test_the_surest_boxes_stay(drawn: list[tuple[float, ...]], overlap: float) -> None:
    """Suppression is what the definition says, box by box."""
    rows = np.array(drawn, float).reshape(-1, 5)
    corners = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
    wanted: list[int] = []
    for number in sorted(range(len(rows)), key=lambda one: -rows[one, 4]):
        if all(one_overlap(corners[number], corners[kept]) <= overlap for kept in wanted):
            wanted.append(number)
    assert surest(corners, rows[:, 4], overlap, 100).tolist() == wanted


def one_overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes, in plain Python."""
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    union = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - width * height
    return width * height / union if union > 0 else 0.0


def test_overlaps_of_known_boxes() -> None:
    """Half a box apart is a third; apart is nothing; without an area is nothing."""
    made = overlaps(np.array([[0, 0, 2, 2], [5, 5, 5, 5]]), np.array([[1, 0, 3, 2], [9, 9, 10, 10], [0, 0, 2, 2]]))
    np.testing.assert_allclose(made, [[1 / 3, 0, 1], [0, 0, 0]])


def test_the_tiny_models_are_as_made() -> None:
    """The tiny models in the checkout are those that their generator makes."""
    pytest.importorskip("ai_edge_litert.schema_py_generated", reason="LiteRT knows the layout of files")
    from tiny_ssd import make

    for kind in KINDS:
        assert make(kind) == (DATA / f"tiny_ssd_{kind}.tflite").read_bytes()
