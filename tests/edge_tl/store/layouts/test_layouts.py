"""Folders as other programs lay them out: each is recognized, read as what it is, and never as classes it has not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from edge_tl.errors import ExampleError
from edge_tl.store.layouts.choices import LAYOUTS as CHOICES
from edge_tl.store.layouts.names_yaml import read_keys
from edge_tl.store.layouts.registry import LAYOUTS, layout_named, layouts_of
from edge_tl.store.layouts.tree import LayoutContents, Tree


def laid(root: Path, *files: str) -> Tree:
    """A folder with these empty files."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"")
    return Tree.of(root)


def put(root: Path, contents: dict[str, str]) -> None:
    """Write these files."""
    for name, text in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")


def names(tree: Tree) -> list[str]:
    """The layouts that it may have."""
    return [layout.name for layout in layouts_of(tree)]


def read(tree: Tree, name: str, split: bool = False) -> LayoutContents:
    """What a layout reads of it."""
    return layout_named(name).read(tree, "picture", split, lambda path, reason: pytest.fail(f"{path}: {reason}"))


def pictures_of(*classes: str, each: int = 3) -> Iterable[str]:
    """Pictures of classes."""
    return [f"{label}/{number}.jpg" for label in classes for number in range(each)]


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (["cat/1.jpg", "dog/1.jpg"], ["classes"]),
        (["cat/00000001/1.jpg", "cat/00000002/1.jpg"], ["classes"]),
        (["cat/take1/1.jpg", "cat/take2/1.jpg", "dog/take3/1.jpg"], ["classes"]),
        (["cat/1.jpg", "@eaDir/1.jpg", "__MACOSX/cat/._1.jpg", "dog/@eaDir/1.jpg"], ["classes"]),
        (["train/cat/1.jpg", "train/dog/1.jpg", "test/cat/2.jpg"], ["splits"]),
        (["train/cat/1.jpg", "valid/cat/2.jpg"], ["splits"]),
        (["data/train/cat/1.jpg", "data/val/cat/2.jpg"], ["splits"]),
        (["data/train/cat/1.jpg", "data/train/dog/1.jpg"], ["splits"]),
        (["training_set/training_set/cat/1.jpg", "test_set/test_set/cat/1.jpg"], ["splits"]),
        (["seg_train/seg_train/sea/1.jpg", "seg_test/seg_test/sea/1.jpg"], ["splits"]),
        (["train/0/1.png", "train/1/1.png", "test/0/1.png"], ["splits"]),
        (["train/cat/1.jpg", "test/1.jpg"], ["splits"]),
        (["train/cat/1.jpg", "cat/1.jpg"], ["splits", "classes"]),
        (["train/take1/1.jpg", "bus/take1/1.jpg"], ["classes"]),
        (["train/1.jpg", "bus/1.jpg"], ["classes"]),
        (["train/1.jpg", "test/1.jpg"], []),
        (["images/1.jpg", "masks/1.png"], []),
        (["JPEGImages/1.jpg"], []),
        (["training/red.1.jpg", "training/red.2.jpg", "testing/blue.1.jpg", "testing/blue.2.jpg"], ["names"]),
        (["train/cat.0.jpg", "train/dog.0.jpg", "train/dog.1.jpg", "train/cat.1.jpg"], ["names"]),
        (["train/IMG_1_jpg.rf.1ab.jpg", "train/IMG_1_jpg.rf.2ab.jpg"], []),
        (["things/cat/1.jpg", "things/dog/1.jpg"], ["nested", "classes"]),
        (["dataset/cat/1.jpg", "dataset/dog/1.jpg"], ["nested"]),
        (["a/b/cat/1.jpg", "a/b/dog/1.jpg"], ["nested"]),
        (["kitchen/cat/1.jpg", "kitchen/dog/1.jpg", "hall/cat/1.jpg", "hall/dog/1.jpg"], ["sessions", "classes"]),
        (["labels.json", "only/rare name/1.jpg"], ["classes"]),
        (["1.jpg"], []),
        ([], ["classes"]),
    ],
)
def test_a_folder_is_recognized_by_its_folders(tmp_path: Path, files: list[str], wanted: list[str]) -> None:
    """What is clear is one layout, what is not is several or none, and system's clutter is no class."""
    assert names(laid(tmp_path, *files)) == wanted


def test_splits_merged_and_apart(tmp_path: Path) -> None:
    """The classes are those in the splits, all one session or each split one; unlabelled pictures are counted."""
    tree = laid(tmp_path, "train/cat/1.jpg", "train/dog/t/1.jpg", "valid/cat/1.jpg", "test/1.jpg", "test/2.jpg")
    told = read(tree, "splits")
    assert {(one.label, one.session, one.take_name) for one in told.found} == {("cat", 0, ""), ("dog", 0, "train t")}
    assert len(told.found) == 3
    assert list(told.left_out) == [f"{tmp_path / 'test'}: 2 files lie in no class's folder: left out"]
    told = read(tree, "splits", split=True)
    assert {(one.label, one.session_name) for one in told.found} == {
        ("cat", "train"),
        ("dog", "train"),
        ("cat", "valid"),
    }
    assert len({one.session for one in told.found}) == 2


def test_classes_below_folders_that_hold_nothing_else(tmp_path: Path) -> None:
    """One folder too many, or two, is passed through."""
    for depth in ("x", "x/y/z"):
        tree = laid(tmp_path / depth.replace("/", ""), *(f"{depth}/{name}" for name in pictures_of("cat", "dog")))
        assert sorted({one.label for one in read(tree, "nested").found}) == ["cat", "dog"]


def test_edge_impulse_by_its_list_and_by_names(tmp_path: Path) -> None:
    """The list says what each file is, whatever its name; without one the names do."""
    tree = laid(tmp_path, "training/red.0.jpg", "training/red.1.jpg", "testing/blue.0.jpg", "testing/blue.1.jpg")
    told = read(tree, "names", split=True)
    assert [(one.label, one.session_name) for one in told.found] == 2 * [("blue", "testing")] + 2 * [
        ("red", "training")
    ]
    files = [
        {"path": "training/red.0.jpg", "label": {"type": "label", "label": "crimson"}},
        {"path": "training/red.1.jpg", "label": "crimson"},
        {"path": "testing/blue.0.jpg", "label": {"type": "unlabeled"}},
        {"path": "testing/gone.jpg", "label": "crimson"},
    ]
    put(tmp_path, {"info.labels": json.dumps({"version": 1, "files": files})})
    tree = Tree.of(tmp_path)
    assert names(tree) == ["edge-impulse"]
    told = read(tree, "edge-impulse")
    assert [one.label for one in told.found] == ["crimson", "crimson"]
    assert len(told.left_out) == 3
    assert "testing/gone.jpg: is in the list and not in the folder" in told.left_out


def test_edge_impulse_with_boxes(tmp_path: Path) -> None:
    """Boxes are read of its list of boxes; one without a size makes its picture unknown."""
    laid(tmp_path, "training/a.jpg", "training/b.jpg", "training/c.jpg")
    boxes: dict[str, Any] = {
        "a.jpg": [{"label": "cube", "x": 5, "y": 6, "width": 10, "height": 20}],
        "b.jpg": [],
        "c.jpg": [{"label": "cube", "x": 5, "y": 6, "width": 0, "height": 20}],
    }
    text = json.dumps({"version": 1, "type": "bounding-box-labels", "boundingBoxes": boxes})
    put(tmp_path, {"training/bounding_boxes.labels": text})
    told = read(Tree.of(tmp_path), "edge-impulse", split=True)
    assert told.listed is not None
    assert [(str(one.file), one.label, one.pixels, one.session) for one in told.listed] == [
        ("training/a.jpg", "cube", (5, 6, 15, 26), "training"),
        ("training/b.jpg", "nothing", None, "training"),
    ]
    assert len(told.left_out) == 1
    assert told.left_out[0].startswith("training/c.jpg: left out (5, 6, 5, 26")


def yolo(root: Path, names_file: str, names_text: str, **lines: str) -> Tree:
    """A folder of YOLO with a picture and its text for each name, in `train`."""
    put(root, {names_file: names_text})
    for name, text in lines.items():
        laid(root, f"train/images/{name}.jpg")
        put(root, {f"train/labels/{name}.txt": text})
    return Tree.of(root)


def test_yolo_with_boxes_polygons_and_nothing(tmp_path: Path) -> None:
    """Boxes become sides, polygons the box around them, an empty file nothing to find; shares stay shares."""
    tree = yolo(
        tmp_path,
        "data.yaml",
        "train: ../train/images\nnc: 2\nnames: ['cup', 'ball']\n",
        a="1 0.5 0.5 0.5 0.25\n",
        b="0 0.1 0.2 0.3 0.2 0.2 0.6\n1 0.5 0.5 0.1 0.1 0.9\n",
        c="",
    )
    laid(tmp_path, "train/images/d.jpg")
    tree = Tree.of(tmp_path)
    assert names(tree) == ["yolo"]
    told = read(tree, "yolo", split=True)
    assert told.listed is not None
    assert [(one.label, one.pixels, one.session) for one in told.listed] == [
        ("ball", (0.25, 0.375, 0.75, 0.625), "train"),
        ("cup", (0.1, 0.2, 0.3, 0.6), "train"),
        ("nothing", None, "train"),
    ]
    assert told.left_out[0] == "train/images/b.jpg: 1 smaller box is left out: only one object per picture is used"
    assert told.left_out[1].startswith("train/images/d.jpg: left out (no text file is there for it")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2 0.5 0.5 0.1 0.1", "class 2 has no name"),
        ("0 5 5 10 10", "sides from 0 to 1"),
        ("0 0.5 0.5 0 0.1", "left < right"),
        ("0 0.5 0.5", "2 numbers came"),
        ("cup 0.5 0.5 0.1 0.1", "'cup' is no number of a class"),
    ],
)
def test_yolo_that_cannot_be_used_makes_its_picture_unknown(tmp_path: Path, line: str, said: str) -> None:
    """It is named with the reason, and never taught as one that shows nothing."""
    told = read(yolo(tmp_path, "classes.txt", "cup\nball\n", a=line, b="0 0.5 0.5 0.1 0.1"), "yolo")
    assert told.listed is not None
    assert [str(one.file) for one in told.listed] == ["train/images/b.jpg"]
    assert said in told.left_out[0]


def test_yolo_counted_from_one(tmp_path: Path) -> None:
    """Where no class is 0 and the last has the number of how many there are, counting began at 1, which is said."""
    told = read(yolo(tmp_path, "classes.txt", "cup\nball\n", a="1 .5 .5 .1 .1", b="2 .5 .5 .1 .1"), "yolo")
    assert [one.label for one in told.listed or ()] == ["cup", "ball"]
    assert told.notes == ["the classes are numbered from 1 on here"]


def test_yolo_beside_the_pictures(tmp_path: Path) -> None:
    """Darknet's and CVAT's way: text files beside the pictures, names in obj.names."""
    laid(tmp_path, "obj_train_data/a.jpg")
    put(tmp_path, {"obj.names": "cup\n", "obj_train_data/a.txt": "0 .5 .5 .2 .2\n"})
    tree = Tree.of(tmp_path)
    assert names(tree) == ["yolo"]
    assert [one.label for one in read(tree, "yolo").listed or ()] == ["cup"]


def test_yolo_without_names_is_refused(tmp_path: Path) -> None:
    """Numbers are no classes: it is said where the names belong."""
    with pytest.raises(ExampleError, match="nothing tells the names of YOLO's classes"):
        read(yolo(tmp_path, "data.yaml", "nc: 2\n", a="0 .5 .5 .1 .1"), "yolo")


@pytest.mark.parametrize(
    "text",
    [
        "names: [cup, 'red ball', \"x, y\"]",
        "names: ['cup', # the first\n  'red ball',\n  \"x, y\"]\nnc: 3",
        "names:\n- cup\n- red ball\n- 'x, y'\nnc: 3",
        '# a comment\nnames:\n  0: cup\n  1: red ball # red\n\n  2: "x, y"\nroboflow:\n  license: none',
        "names: {0: cup, 1: red ball, 2: 'x, y'}",
        "\ufeffnames: [cup, red ball, 'x, y']".lstrip("\ufeff"),
    ],
)
def test_names_in_all_forms(text: str) -> None:
    """Lists and mappings, in a line or in several, with and without quotes and comments."""
    assert read_keys(text, ["names"])["names"] == {"0": "cup", "1": "red ball", "2": "x, y"}


@pytest.mark.parametrize(
    "text", ["names: !!python/name:os.system [a]", "names: [*a, b]", "names:\n- &x a", "names: [a"]
)
def test_names_that_would_run_or_refer_are_refused(text: str) -> None:
    """No tag, anchor or reference of YAML is followed."""
    with pytest.raises(ValueError, match=r"plain name|does not end|a list is wanted"):
        read_keys(text, ["names"])


def voc_xml(*things: tuple[str, int, int, int, int]) -> str:
    """An annotation as Pascal VOC has it."""
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
        for name, a, b, c, d in things
    )
    size = "<size><width>100</width><height>50</height><depth>3</depth></size>"
    return f"<annotation><filename>x.jpg</filename>{size}{objects}</annotation>"


def test_voc(tmp_path: Path) -> None:
    """XML in Annotations beside JPEGImages: boxes in pixels of its size, splits by ImageSets; gaps are named."""
    laid(tmp_path, *(f"V/JPEGImages/{name}.jpg" for name in "abcd"))
    put(
        tmp_path / "V",
        {
            "Annotations/a.xml": voc_xml(("cup", 10, 10, 50, 40), ("ball", 1, 1, 4, 4)),
            "Annotations/b.xml": voc_xml(),
            "Annotations/c.xml": voc_xml(("cup", 10, 10, 10, 40)),
            "Annotations/e.xml": voc_xml(),
            "ImageSets/Main/val.txt": "b\n",
        },
    )
    tree = Tree.of(tmp_path)
    assert names(tree) == ["voc"]
    told = read(tree, "voc", split=True)
    assert [(one.label, one.pixels, one.size_px, one.session) for one in told.listed or ()] == [
        ("cup", (10, 10, 50, 40), (100, 50), ""),
        ("nothing", None, (100, 50), "val"),
    ]
    said = "\n".join(told.left_out)
    assert "a.jpg: 1 smaller box is left out" in said
    assert "c.jpg: left out (c.xml: 10, 10, 10, 40" in said
    assert "d.jpg: left out (no XML file is there for it)" in said
    assert "V/Annotations/e.xml: no picture is there for it" in said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_xml_that_unfolds_is_refused(tmp_path: Path, encoding: str) -> None:
    """No entity is ever expanded, in whichever encoding it comes: the picture is unknown."""
    text = '<!DOCTYPE a [<!ENTITY x "yyyy">]>' + voc_xml(("&x;", 10, 10, 50, 40))
    laid(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "a.xml").write_bytes(text.encode(encoding))
    (tmp_path / "b.xml").write_text(voc_xml())
    told = read(Tree.of(tmp_path), "voc")
    assert [str(one.file) for one in told.listed or ()] == ["b.jpg"]
    assert "DOCTYPE" in told.left_out[0]


def test_pictures_with_lists_in_folders_of_classes_are_ambiguous(tmp_path: Path) -> None:
    """Classes by folders and boxes beside the pictures: a person decides which counts."""
    laid(tmp_path, *pictures_of("cat", "dog"))
    put(tmp_path, {"cat/0.xml": voc_xml()})
    assert names(Tree.of(tmp_path)) == ["voc", "classes"]


def test_the_choices_are_the_registry() -> None:
    """What `--layout` takes is what is read, each once."""
    assert sorted(CHOICES) == sorted(layout.name for layout in LAYOUTS)
