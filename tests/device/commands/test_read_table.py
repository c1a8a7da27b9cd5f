"""The last tables of docs/datasets.md and docs/models.md: what each row says is what is printed."""

from __future__ import annotations

import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_run import Run, run_on
from made_words import room, write
from places import ROOT
from striped import picture
from tiny_foreign import classifier, needs_schema, of_sounds, put, said

Made = Callable[[Path, pytest.MonkeyPatch], tuple[object, ...]]
"""Makes what a row speaks of in a folder; what to import, with its options."""


def rows(page: str, header: str) -> dict[str, str]:
    """First → last column of the table of a page with this header."""
    text = (ROOT / "docs" / page).read_text()
    table = text[text.index(header) :].partition("\n\n")[0]
    cells = [re.split(r" ?(?<!\\)\| ?", line) for line in table.splitlines()[2:]]
    return {row[1]: row[-2] for row in cells}


def is_said(message: str, err: str) -> bool:
    """Whether all parts of a message, between its …, are in one line, in their order."""
    parts = [re.escape(part.strip()) for part in message.partition("`, ")[0].strip("`").split("…")]
    return re.search(".*".join(parts), err) is not None


def lay(root: Path, files: dict[str, bytes | str]) -> Path:
    """A folder of files: bytes, text, or "picture" for one that no other is like."""
    for number, (name, content) in enumerate(files.items()):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        data = picture("across", number) if content == "picture" else content
        (root / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return root


def pictures(*names: str) -> Made:
    """A folder of pictures alone."""
    return lambda root, _: (lay(root / "in", dict.fromkeys(names, "picture")),)


def one_file(name: str, content: bytes | str, *more: object) -> Made:
    """A file alone."""
    return lambda root, _: (lay(root, {name: content}) / name, *more)


def packed(root: Path, _: object) -> tuple[object, ...]:
    """A tar archive of another packing."""
    lay(root / "in", {"cat/1.jpg": "picture"})
    with tarfile.open(root / "in.tar.xz", "w:xz") as made:
        made.add(root / "in", "in")
    return (root / "in.tar.xz",)


def nested(root: Path, _: object) -> tuple[object, ...]:
    """An archive in an archive."""
    lay(root, {"1.jpg": "picture", "2.jpg": "picture"})
    with zipfile.ZipFile(root / "DATA.zip", "w") as made:
        made.write(root / "1.jpg", "cat/1.jpg")
        made.write(root / "2.jpg", "dog/1.jpg")
        made.writestr("more/birds.zip", b"PK")
    return (root / "DATA.zip",)


def without_heic(root: Path, patch: pytest.MonkeyPatch) -> tuple[object, ...]:
    """An iPhone's picture where pi-heif is missing."""
    patch.setattr("edge_tl.media.heic.register_heic", lambda: False)
    return (lay(root / "in", {"cat/1.heic": b"\0\0\0\x18ftypheic" + bytes(64)}),)


def without_pyav(root: Path, patch: pytest.MonkeyPatch) -> tuple[object, ...]:
    """A telephone's recording where PyAV is missing."""
    patch.setitem(sys.modules, "av", None)
    return (lay(root / "in", {"hum/1.m4a": b"\0\0\0\x18ftypM4A " + bytes(64)}),)


def truncated(root: Path, _: object) -> tuple[object, ...]:
    """A telephone's recording that was copied by half."""
    whole = pytest.importorskip("phone_files").sound_file("webm", room(9.0), 48_000)
    return lay(root, {"a.webm": whole[: len(whole) // 2]}) / "a.webm", "--label", "hum"


def project(kind: str) -> Made:
    """A Teachable Machine project of this kind, unpacked."""
    manifest = json.dumps({"appdata": {}, "type": kind})
    return lambda root, _: (lay(root / "in", {"manifest.json": manifest, "up-!-0.jpg": "picture"}),)


BOX = {"category_id": 1, "bbox": [2, 2, 9, 9]}
COCO = {"images": [{"id": 1, "file_name": "1.jpg"}], "categories": [{"id": 1, "name": "cup"}]}


def coco(*annotations: dict[str, Any]) -> Made:
    """A list with these annotations of one picture."""
    content = json.dumps(COCO | {"annotations": annotations})
    return lambda root, _: (lay(root / "in", {"1.jpg": "picture", "list.json": content}) / "list.json",)


DATA_SETS: dict[str, Made] = {
    "only folders such as `images`, `masks`, `train`": pictures("images/1.jpg", "masks/1.jpg"),
    "`FOLDER/CLASS/picture` that may be takes": pictures("things/cat/1.jpg", "things/dog/1.jpg"),
    "pictures without a class": pictures("1.jpg", "2.jpg"),
    "an archive packed as 7-Zip, RAR, bzip2 or xz": packed,
    "an archive in an archive or in a folder": nested,
    "Parquet, TFRecord, NumPy arrays, a pickle, a spreadsheet, a model": one_file("list.xlsx", b"PK\3\4"),
    "HEIC without the extra `phone`": without_heic,
    "m4a, 3gp or a clip without the extra `phone`": without_pyav,
    "a picture, clip or sound alone": one_file("cat.jpg", "picture"),
    "a long recording of a silent room": lambda root, _: (write(root / "a.wav", room(8.0)), "--label", "hum"),
    "a truncated recording": truncated,
    "a damaged recording": lambda root, _: (lay(root, {"a.mp3": b"\xff\xfb" + bytes(999)}) / "a.mp3", "--label", "hum"),
    "a `.tm` of poses": project("pose"),
    "a `.tm` of sounds that was unpacked": project("audio"),
    "YOLO without names": lambda root, _: (
        lay(root / "in", {"images/1.jpg": "picture", "labels/1.txt": "0 .5 .5 .5 .5", "data.yaml": "nc: 1\n"}),
    ),
    "COCO's annotation of no picture": coco({"image_id": 9} | BOX),
    "COCO's JSON without annotations": coco(),
    "a list of larger pictures": coco({"image_id": 1} | BOX | {"bbox": [900, 900, 50, 50]}),
    "an annotation of another form": coco({"image_id": 1} | BOX | {"bbox": ["a", 2, 9, 9]}),
    "Audacity's labels without their recording": one_file("day.txt", "0.5\t1.0\thum\n"),
}


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command on a data folder of its own: (exit code, stdout as JSON or text, stderr)."""
    return run_on(tmp_path / "data", capsys)


def test_all_rows_are_made_here() -> None:
    """A row that nobody made could say anything."""
    assert set(rows("datasets.md", "| input | message |")) == set(DATA_SETS)
    assert set(rows("models.md", "| file | message |")) == {*MODELS, *ELSEWHERE}


@pytest.mark.parametrize("row", DATA_SETS)
def test_what_is_printed_of_data_sets(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str) -> None:
    """Exit code 1, and the message of the page."""
    message = rows("datasets.md", "| input | message |")[row]
    code, _, err = run("examples", "import", *DATA_SETS[row](tmp_path, monkeypatch))
    assert code == 1
    assert is_said(message, err), (message, err)


NUMBERED = "0 red\n1 green\n"
MODELS: dict[str, Callable[[Path], tuple[object, ...]]] = {
    "float, and nothing says its scaling": lambda at: ("--model", put(at, classifier())),
    "any size (−1×−1)": lambda at: ("--model", put(at, classifier(open_size=True))),
    "other number of labels": lambda at: ("--model", put(at, classifier("uint8"), labels=NUMBERED)),
    "SSD, YOLO": lambda at: ("--model", ROOT / "tests" / "data" / "tiny_ssd_new.tflite"),
    "sound, where pictures are wanted": lambda at: ("--model", put(at, of_sounds(said(kind="sound")))),
    "compiled for Coral (`_edgetpu`)": lambda at: ("--model", put(at, classifier(operator="edgetpu-custom-op"))),
    "compiled by Vela (`_vela`)": lambda at: ("--model", put(at, classifier(operator="ethos-u"))),
    "with TensorFlow's own operators (Flex)": lambda at: ("--model", put(at, classifier(operator="FlexErf"))),
}
ELSEWHERE = {
    "YOLO for masks, poses or turned boxes": "tests/edge_tl/detection/test_yolo_shapes.py",
    "sound without metadata": "tests/device/commands/test_foreign.py",
    "ONNX, PyTorch, Keras, SavedModel, TensorFlow.js, Core ML, `.eim`, compiled for Hailo, IMX500 or TensorRT": (
        "tests/edge_tl/tflite/test_other_formats.py"
    ),
    "a map that is channels first, in `model fuse`": "tests/device/commands/test_channels_first.py",
}
"""Rows that other tests make."""


@needs_schema
@pytest.mark.parametrize("row", MODELS)
def test_what_is_printed_of_models(run: Run, tmp_path: Path, row: str) -> None:
    """Exit code 1, and the message of the page."""
    (tmp_path / "1.jpg").write_bytes(picture("across", 0))
    message = rows("models.md", "| file | message |")[row]
    taught = ("examples", "import", lay(tmp_path / "in", {"cat/1.jpg": "picture", "dog/1.jpg": "picture"}))
    command = taught if "pictures are wanted" in row else ("predict", tmp_path / "1.jpg")
    code, _, err = run(*command, *MODELS[row](tmp_path / "model"))
    assert code == 1
    assert is_said(message, err), (message, err)


@needs_schema
def test_a_sound_without_metadata(run: Run, tmp_path: Path) -> None:
    """The message of the page, where it is asked of a recording."""
    model = put(tmp_path / "model", of_sounds({}), labels="low\nhigh\nnoise\n")
    code, _, err = run("predict", "--model", model, write(tmp_path / "a.wav", room(1.0)))
    assert code == 1
    assert is_said(rows("models.md", "| file | message |")["sound without metadata"], err), err
