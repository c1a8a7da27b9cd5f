"""Lists of other programs: each tells the same boxes and classes, finds its files, and never makes up a negative."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from edge_tl.errors import ExampleError
from edge_tl.store.layouts.finder import FileFinder
from edge_tl.store.layouts.lists import read_list
from edge_tl.store.layouts.registry import layout_named, layouts_of
from edge_tl.store.layouts.tree import LayoutContents, Tree

BOX = {"x": 10.0, "y": 20.0, "width": 30.0, "height": 40.0}


def lay(root: Path, *files: str) -> None:
    """Empty files."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


def told_by(root: Path, name: str, text: str) -> LayoutContents:
    """What a list with this text tells."""
    (root / name).write_text(text, "utf-8")
    return read_list(root / name)


def boxes(told: LayoutContents) -> list[tuple[str, str, Any]]:
    """File, label and box of each picture."""
    return [
        (str(one.file), one.label, one.pixels and tuple(round(side, 6) for side in one.pixels))
        for one in told.listed or ()
    ]


def classes(told: LayoutContents) -> list[tuple[str, str]]:
    """File name and label of each whole picture."""
    return [(one.path.name, one.label) for one in told.found]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.jpg", "a.jpg"),
        ("sub/b c.jpg", "sub/b c.jpg"),
        ("sub\\b c.jpg", "sub/b c.jpg"),
        ("C:\\Users\\x\\b c.jpg", "sub/b c.jpg"),
        ("/home/x/b c.jpg", "sub/b c.jpg"),
        ("../sub/b c.jpg", "sub/b c.jpg"),
        ("b%20c.jpg", "sub/b c.jpg"),
        ("/data/local-files/?d=some%5Csub%5Cb%20c.jpg", "sub/b c.jpg"),
        ("/data/upload/3/0a1b2c3d-a.jpg", "a.jpg"),
        ("https://a.example/x/a.jpg?size=3", "a.jpg"),
        ("s3://bucket/sub/b%20c.jpg", "sub/b c.jpg"),
        ("a", "a.jpg"),
        ("50%25.jpg", "50%25.jpg"),
        ("old/a.jpg", "a.jpg"),
    ],
)
def test_files_are_found_by_their_last_name(tmp_path: Path, name: str, found: str) -> None:
    """Whatever another machine called the place, the file below the list counts."""
    lay(tmp_path, "a.jpg", "sub/b c.jpg", "50%25.jpg")
    assert FileFinder(tmp_path).find(name) == PurePosixPath(found)


def test_another_folders_file_is_not_taken_for_it(tmp_path: Path) -> None:
    """Where a list names folders, a file of that name in another one may be another picture; nor are two names one."""
    lay(tmp_path, "val/0.jpg", "1.jpg")
    finder = FileFinder(tmp_path)
    assert finder.find("train/0.jpg") == PurePosixPath("train/0.jpg")
    assert finder.find("train/1.jpg") == PurePosixPath("1.jpg")
    with pytest.raises(ValueError, match=r"'val/1.jpg' is not there, unless it is 'train/1.jpg'"):
        finder.find("val/1.jpg")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "", None, 3, "twice.jpg", "x/y\0.jpg"])
def test_what_is_nowhere_or_twice_is_refused(tmp_path: Path, name: Any) -> None:
    """Nothing outside the folder is ever named, and of two files with one name neither is guessed."""
    lay(tmp_path, "x/twice.jpg", "y/twice.jpg")
    with pytest.raises(ValueError, match=r"below the list|no file's name|may be x/twice.jpg and y/twice.jpg"):
        FileFinder(tmp_path).find(name)


@pytest.mark.parametrize(
    "text",
    [
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,100,50,cup,10,20,40,45\na.jpg,100,50,ball,1,1,3,3\n",
        "\ufefffilename;width;height;class;xmin;ymin;xmax;ymax\na.jpg;100;50;cup;10,0;20;40;45\n",
        "Filename\tLabel\tX1\tY1\tX2\tY2\na.jpg\tcup\t10\t20\t40\t45\n",
    ],
)
def test_tables_with_a_line_a_box(tmp_path: Path, text: str) -> None:
    """TensorFlow's and Roboflow's columns, and what a spreadsheet makes of them: the largest box counts."""
    lay(tmp_path, "a.jpg")
    assert boxes(told_by(tmp_path, "l.csv", text)) == [("a.jpg", "cup", (10, 20, 40, 45))]


def test_a_table_in_utf_16(tmp_path: Path) -> None:
    """A spreadsheet's "Unicode text" is read."""
    lay(tmp_path, "ä.jpg")
    (tmp_path / "l.csv").write_bytes("file\tlabel\r\nä.jpg\tTür\r\n".encode("utf-16"))
    assert classes(read_list(tmp_path / "l.csv")) == [("ä.jpg", "Tür")]


def test_a_line_that_cannot_be_used_makes_its_picture_unknown(tmp_path: Path) -> None:
    """Of a picture with two lines, one of them damaged, nothing is taught."""
    lay(tmp_path, "a.jpg", "b.jpg")
    text = "filename,class,xmin,ymin,xmax,ymax\na.jpg,cup,1,1,5,5\na.jpg,cup,9,9,1,1\nb.jpg,,1,1,5,5\n"
    told = told_by(tmp_path, "l.csv", text)
    assert boxes(told) == []
    assert told.left_out[0].startswith("a.jpg: left out (line 3: 9, 9, 1, 1")
    assert told.left_out[1].startswith("b.jpg: left out (line 4: a label is empty")


def test_tables_of_classes(tmp_path: Path) -> None:
    """`id,label` and columns of 0 and 1 tell classes of whole pictures; what is not there or not clear is named."""
    lay(tmp_path, "train/a.jpg", "train/b.jpg")
    told = told_by(tmp_path, "labels.csv", "id,breed\na,cat\nb,dog\nc,dog\n")
    assert classes(told) == [("a.jpg", "cat"), ("b.jpg", "dog")]
    assert "line 4: no file 'c' is there" in told.left_out[0]
    told = told_by(tmp_path, "_classes.csv", "filename, cat, dog\na.jpg, 1, 0\nb.jpg, 1, 1\n")
    assert classes(told) == [("a.jpg", "cat")]
    assert "2 classes are given for it" in told.left_out[0]


@pytest.mark.parametrize(
    "header", ["id,xmin,ymin,xmax,ymax", "file,label,left,top,right", "filename,class,xmin,ymin", "a,b,c"]
)
def test_tables_without_what_is_wanted(tmp_path: Path, header: str) -> None:
    """A table with half a box is no table of classes: one line says what is missing."""
    with pytest.raises(ExampleError, match="has no column"):
        told_by(tmp_path, "l.csv", f"{header}\n" + ",".join(["1"] * 5) + "\n")


def task(image: str, *results: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A task of Label Studio with these results."""
    return {"data": {"image": image}, "annotations": [{"result": list(results), **more}]}


def result(kind: str, **value: Any) -> dict[str, Any]:
    """One result of it."""
    return {"type": kind, "value": value, "original_width": 200, "original_height": 100}


def test_label_studio(tmp_path: Path) -> None:
    """Boxes, turned boxes and polygons in percent; empty is nothing, unannotated and unknown shapes are unknown."""
    lay(tmp_path, *(f"{name}.jpg" for name in "abcdefg"))
    tasks = [
        task("/data/upload/1/0a1b2c3d-a.jpg", result("rectanglelabels", rectanglelabels=["cup"], **BOX)),
        task("b.jpg", result("polygonlabels", polygonlabels=["cup"], points=[[10, 10], [30, 20], [20, 60]])),
        task("c.jpg"),
        {"data": {"image": "d.jpg"}, "annotations": []},
        task("e.jpg", result("brushlabels", brushlabels=["cup"], rle=[1])),
        task("f.jpg", result("rectanglelabels", rectanglelabels=["cup"], x=50, y=20, width=10, height=10, rotation=90)),
        task("g.jpg", result("rectanglelabels", **BOX)),
    ]
    told = told_by(tmp_path, "l.json", json.dumps(tasks))
    assert boxes(told) == [
        ("a.jpg", "cup", (0.1, 0.2, 0.4, 0.6)),
        ("b.jpg", "cup", (0.1, 0.1, 0.3, 0.6)),
        ("c.jpg", "nothing", None),
        ("f.jpg", "cup", (0.45, 0.2, 0.5, 0.4)),
    ]
    assert [line.partition(": ")[2] for line in told.left_out] == [
        "left out (it has no annotation)",
        "left out ('brushlabels' is neither box, polygon nor choice)",
        "left out (a thing has no label)",
    ]


def test_label_studio_min(tmp_path: Path) -> None:
    """JSON-MIN says the same with fewer words."""
    lay(tmp_path, "a b.jpg", "c.jpg")
    label = {**BOX, "rectanglelabels": ["cup"], "original_width": 200, "original_height": 100}
    tasks = [{"image": "/data/local-files/?d=x%5Ca%20b.jpg", "id": 1, "label": [label]}, {"image": "c.jpg", "id": 2}]
    told = told_by(tmp_path, "l.json", json.dumps(tasks))
    assert boxes(told) == [("a b.jpg", "cup", (0.1, 0.2, 0.4, 0.6))]
    assert list(told.left_out) == ["c.jpg: left out (it has no annotation)"]
    tasks = [{"image": "c.jpg", "choice": "cat"}, {"image": "a b.jpg", "choice": "dog"}]
    assert classes(told_by(tmp_path, "m.json", json.dumps(tasks))) == [("c.jpg", "cat"), ("a b.jpg", "dog")]


def test_label_studio_with_choices(tmp_path: Path) -> None:
    """Choices are classes of whole pictures."""
    lay(tmp_path, "a.jpg", "b.jpg")
    tasks = [task("a.jpg", {"type": "choices", "value": {"choices": ["cat"]}}), task("b.jpg")]
    told = told_by(tmp_path, "l.json", json.dumps(tasks))
    assert classes(told) == [("a.jpg", "cat")]
    assert list(told.left_out) == ["b.jpg: left out (nothing was chosen for it)"]


def test_cvat(tmp_path: Path) -> None:
    """Boxes and polygons in pixels, no shape is nothing, another shape makes unknown; tags alone are classes."""
    lay(tmp_path, *(f"{name}.jpg" for name in "abcd"))
    text = """<annotations><version>1.1</version>
    <image id="0" name="a.jpg" width="100" height="50"><box label="cup" xtl="1" ytl="2" xbr="30" ybr="40"/></image>
    <image id="1" name="b.jpg" width="100" height="50"><polygon label="cup" points="1,2;9,3;4,8"/></image>
    <image id="2" name="c.jpg" width="100" height="50"/>
    <image id="3" name="d.jpg" width="100" height="50"><mask label="cup" rle="1"/></image></annotations>"""
    told = told_by(tmp_path, "annotations.xml", text)
    assert boxes(told) == [
        ("a.jpg", "cup", (1, 2, 30, 40)),
        ("b.jpg", "cup", (1, 2, 9, 8)),
        ("c.jpg", "nothing", None),
    ]
    assert list(told.left_out) == ["d.jpg: left out ('mask' is neither box, polygon nor tag)"]
    text = '<annotations><image name="a.jpg"><tag label="cat"/></image><image name="b.jpg"/></annotations>'
    told = told_by(tmp_path, "tags.xml", text)
    assert classes(told) == [("a.jpg", "cat")]
    assert list(told.left_out) == ["b.jpg: left out (it has no tag)"]


def test_lists_in_folders(tmp_path: Path) -> None:
    """A folder with lists in it is read by them, split by split, wherever they lie."""
    coco = {"categories": [{"id": 1, "name": "cup"}], "images": [{"id": 1, "file_name": "a.jpg"}]}
    annotations = {"annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}]}
    for split, name in (("train", "a"), ("valid", "b")):
        lay(tmp_path, f"{split}/{name}.jpg")
        content = {**coco, **annotations, "images": [{"id": 1, "file_name": f"{name}.jpg"}]}
        (tmp_path / split / "_annotations.coco.json").write_text(json.dumps(content))
    tree = Tree.of(tmp_path)
    assert [layout.name for layout in layouts_of(tree)] == ["lists"]
    told = layout_named("lists").read(tree, "picture", True, lambda path, reason: None)
    assert [(str(one.file), one.session) for one in told.listed or ()] == [
        ("train/a.jpg", "train"),
        ("valid/b.jpg", "valid"),
    ]
