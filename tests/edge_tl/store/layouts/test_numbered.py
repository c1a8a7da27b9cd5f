"""Classes that are numbers: named by the files of Hugging Face and WebDataset beside them, else said to be numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_tl.store.layouts.lists import read_list
from edge_tl.store.layouts.registry import layout_named, layouts_of
from edge_tl.store.layouts.tree import LayoutContents, Tree

CARD = """---
dataset_info:
  features:
  - name: image
    dtype: image
  - name: mood
    dtype:
      class_label:
        names:
          '0': glad
          '1': sad
  - name: label
    dtype:
      class_label:
        names:
          '0': cat
          '1': "dog"  # and wolves
  splits:
  - name: train
---
names: of nothing
"""
INFOS = {"default": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}, "id": {"dtype": "int64"}}}}
BOXES = {"objects": {"_type": "Sequence", "feature": {"categories": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}


def lay(root: Path, *files: str) -> Path:
    """Empty files."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return root


def classes(told: LayoutContents) -> set[tuple[str, str]]:
    """File name and label of each picture."""
    return {(one.path.name, one.label) for one in told.found} | {
        (one.file.name, one.label) for one in told.listed or ()
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", CARD),
        ("README.md", CARD.replace("name: mood", "name: label_2").replace("\n", "\r\n")),
        ("dataset_infos.json", json.dumps(INFOS)),
        ("classnames.txt", "cat\ndog\n"),
    ],
)
def test_files_beside_a_list_name_its_numbers(tmp_path: Path, name: str, text: str) -> None:
    """The list of a split is named by what lies above it."""
    lay(tmp_path, "train/a.jpg", "train/b.jpg")
    (tmp_path / name).write_text(text)
    path = tmp_path / "train" / "metadata.jsonl"
    path.write_text('{"file_name": "a.jpg", "label": 1}\n{"file_name": "b.jpg", "label": 0}\n')
    told = read_list(path)
    assert (classes(told), told.notes) == ({("a.jpg", "dog"), ("b.jpg", "cat")}, ())


def test_boxes_are_named_and_nothing_stays_nothing(tmp_path: Path) -> None:
    """Of a picture without an object too."""
    lay(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "dataset_infos.json").write_text(json.dumps({"default": {"features": BOXES}}))
    path = tmp_path / "metadata.jsonl"
    path.write_text(
        '{"file_name": "a.jpg", "objects": {"bbox": [[3, 4, 20, 10]], "categories": [1]}}\n'
        '{"file_name": "b.jpg", "objects": {"bbox": [], "categories": []}}\n'
    )
    assert classes(read_list(path)) == {("a.jpg", "dog"), ("b.jpg", "nothing")}


@pytest.mark.parametrize("text", ["cat\n", "", "---\ndataset_info: [\n", "[1, 2"])
def test_numbers_that_nothing_names_are_said(tmp_path: Path, text: str) -> None:
    """Also where the names are too few, or the file is damaged: a wrong name would look right."""
    lay(tmp_path, "a.jpg", "b.jpg")
    for name in ("README.md", "dataset_infos.json", "classes.txt"):
        (tmp_path / name).write_text(text)
    (tmp_path / "labels.csv").write_text("id,label\na,0\nb,7\n")
    told = read_list(tmp_path / "labels.csv")
    assert classes(told) == {("a.jpg", "0"), ("b.jpg", "7")}
    assert told.notes == [
        "its 2 classes are numbers (0 …) that no file beside it names: `edge-tl examples rename 0 NAME` does"
    ]


def test_webdataset(tmp_path: Path) -> None:
    """`.cls` holds a number or a name, `.json` a label; a sample without either is left out, and is no class."""
    lay(tmp_path, "000.jpg", "001.jpg", "002.jpg", "003.jpg")
    (tmp_path / "000.cls").write_text("1\n")
    (tmp_path / "001.json").write_text('{"label": 0, "caption": "a cat"}')
    (tmp_path / "002.json").write_text('{"caption": "a cat"}')
    (tmp_path / "classnames.txt").write_text("cat\ndog\n")
    tree = Tree.of(tmp_path)
    assert [layout.name for layout in layouts_of(tree)] == ["webdataset"]
    told = layout_named("webdataset").read(tree, "picture", False, lambda path, reason: None)
    assert classes(told) == {("000.jpg", "dog"), ("001.jpg", "cat")}
    assert told.left_out == [
        "002.jpg: left out (002.json: it has no label)",
        "003.jpg: left out (neither a .cls nor a .json file is there for it)",
    ]
