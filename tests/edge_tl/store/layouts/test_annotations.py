"""What programs for annotating write: VIA, LabelMe, Create ML, Open Images, Hugging Face and Common Voice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_tl.errors import ExampleError
from edge_tl.store.layouts.lists import read_list
from edge_tl.store.layouts.registry import layout_named, layouts_of
from edge_tl.store.layouts.tree import LayoutContents, Tree


def lay(root: Path, *files: str) -> None:
    """Empty files."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


def told_by(root: Path, name: str, content: Any) -> LayoutContents:
    """What a list tells: text, or what is written as JSON."""
    (root / name).write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return read_list(root / name)


def boxes(told: LayoutContents) -> list[tuple[str, str, Any]]:
    """File, label and box of each picture."""
    return [(str(one.file), one.label, one.pixels) for one in told.listed or ()]


def classes(told: LayoutContents) -> list[tuple[str, str]]:
    """File name and label of each whole picture or sound."""
    return [(one.path.name, one.label) for one in told.found]


def of_folder(root: Path, name: str) -> LayoutContents:
    """What is read of a folder, which has this layout and no other."""
    tree = Tree.of(root)
    assert [layout.name for layout in layouts_of(tree)] == [name]
    return layout_named(name).read(tree, "picture", False, lambda path, reason: pytest.fail(f"{path}: {reason}"))


def via_region(label: object, **shape: object) -> dict[str, Any]:
    """A region as VIA has it."""
    return {"shape_attributes": shape, "region_attributes": {"class": label}}


def test_via(tmp_path: Path) -> None:
    """Boxes, outlines and circles; regions as a list or by number; who drew nothing has said nothing."""
    lay(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg")
    rect = via_region("cup", name="rect", x=3, y=4, width=20, height=10)
    outline = via_region({"ball": True, "cup": False}, name="polygon", all_points_x=[3, 20], all_points_y=[3, 9])
    circle = via_region("cup", name="circle", cx=10, cy=10, r=4)
    pictures = {
        "a.jpg1": {"filename": "a.jpg", "regions": [rect], "file_attributes": {}},
        "b.jpg1": {"filename": "b.jpg", "regions": {"0": outline}},
        "c.jpg1": {"filename": "c.jpg", "regions": [circle]},
        "d.jpg1": {"filename": "d.jpg", "regions": [], "file_attributes": {}},
        "e.jpg1": {"filename": "e.jpg", "regions": [via_region("cup", name="point", cx=1, cy=1)]},
    }
    told = told_by(tmp_path, "via.json", pictures)
    wanted = [("a.jpg", "cup", (3, 4, 23, 14)), ("b.jpg", "ball", (3, 3, 20, 9)), ("c.jpg", "cup", (6, 6, 14, 14))]
    assert boxes(told) == wanted
    said = "\n".join(told.left_out)
    assert "d.jpg: left out (no region with a class is drawn in it)" in said
    assert "e.jpg: left out ('point' is neither box, polygon nor circle)" in said
    assert boxes(told_by(tmp_path, "project.json", {"_via_settings": {}, "_via_img_metadata": pictures})) == wanted


def test_via_classes_of_whole_pictures(tmp_path: Path) -> None:
    """Where no region is drawn anywhere, the attributes of the files are their classes."""
    lay(tmp_path, "a.jpg", "b.jpg")
    pictures = {
        "a": {"filename": "a.jpg", "regions": [], "file_attributes": {"what": "cat"}},
        "b": {"filename": "b.jpg", "regions": [], "file_attributes": {}},
    }
    told = told_by(tmp_path, "via.json", pictures)
    assert classes(told) == [("a.jpg", "cat")]
    assert "b.jpg: left out" in told.left_out[0]


def labelme(*shapes: dict[str, Any], **more: Any) -> str:
    """A picture's file as LabelMe writes it."""
    return json.dumps({"shapes": shapes, "imagePath": "x.jpg", "imageWidth": 64, "imageHeight": 48, "flags": {}} | more)


def test_labelme(tmp_path: Path) -> None:
    """A JSON file a picture: shapes in pixels, none is nothing; a point, or no file, makes a picture unknown."""
    lay(tmp_path, *(f"{name}.jpg" for name in "abcde"))
    square = {"label": "cup", "shape_type": "rectangle", "points": [[30, 40], [3, 4]]}
    circle = {"label": "ball", "shape_type": "circle", "points": [[20, 20], [23, 24]]}
    for name, shape in (("a", square), ("b", circle), ("d", {"label": "x", "shape_type": "point", "points": [[1, 1]]})):
        (tmp_path / f"{name}.json").write_text(labelme(shape))
    (tmp_path / "c.json").write_text(labelme())
    told = of_folder(tmp_path, "labelme")
    assert boxes(told) == [
        ("a.jpg", "cup", (3, 4, 30, 40)),
        ("b.jpg", "ball", (15, 15, 25, 25)),
        ("c.jpg", "nothing", None),
    ]
    assert {one.size_px for one in told.listed or ()} == {(64, 48)}
    said = "\n".join(told.left_out)
    assert "d.jpg: left out (d.json: 'point' is neither box, polygon nor circle)" in said
    assert "e.jpg: left out (no JSON file is there for it)" in said
    with pytest.raises(ExampleError, match="give the folder"):
        read_list(tmp_path / "a.json")


def test_labelme_flags_are_classes(tmp_path: Path) -> None:
    """Where nothing is drawn and flags are set, they name the class of each picture."""
    lay(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "a.json").write_text(labelme(flags={"cat": True, "dog": False}))
    (tmp_path / "b.json").write_text(labelme(flags={"cat": False, "dog": False}))
    told = of_folder(tmp_path, "labelme")
    assert classes(told) == [("a.jpg", "cat")]
    assert "b.jpg: left out (0 of its flags are set; one is wanted)" in told.left_out


def test_create_ml(tmp_path: Path) -> None:
    """Centre, width and height in pixels, in each split; without annotations a picture shows nothing."""
    lay(tmp_path, "train/a.jpg", "train/b.jpg", "train/c.jpg")
    thing = {"label": "cup", "coordinates": {"x": 30, "y": 20, "width": 20, "height": 10}}
    entries = [
        {"image": "a.jpg", "annotations": [thing]},
        {"image": "b.jpg", "annotations": []},
        {"image": "c.jpg", "annotations": [{"label": "cup"}]},
    ]
    (tmp_path / "train" / "_annotations.createml.json").write_text(json.dumps(entries))
    told = of_folder(tmp_path, "lists")
    assert boxes(told) == [("train/a.jpg", "cup", (20, 15, 40, 25)), ("train/b.jpg", "nothing", None)]
    assert told.left_out == ["train/c.jpg: left out (it has no coordinates)"]


def test_open_images(tmp_path: Path) -> None:
    """Codes have names beside the table, sides are shares, and confidence 0 says what is not there."""
    lay(tmp_path, "0a.jpg", "0b.jpg")
    table = "ImageID,LabelName,Confidence,XMin,XMax,YMin,YMax\n0a,/m/01,1,0.1,0.5,0.2,0.7\n0b,/m/02,0,0.1,0.5,0.2,0.7\n"
    with pytest.raises(ExampleError, match=r"codes such as '/m/01': put Open Images' class-descriptions"):
        told_by(tmp_path, "boxes.csv", table)
    (tmp_path / "class-descriptions-boxable.csv").write_text("/m/01,Cat\n/m/02,Dog\n")
    assert boxes(told_by(tmp_path, "boxes.csv", table)) == [("0a.jpg", "Cat", (0.1, 0.2, 0.5, 0.7))]
    labels = "ImageID,Source,LabelName,Confidence\n0a,verification,/m/01,0\n0b,verification,/m/02,1\n"
    assert classes(told_by(tmp_path, "labels.csv", labels)) == [("0b.jpg", "Dog")]


def test_hugging_face_lines(tmp_path: Path) -> None:
    """metadata.jsonl: classes as text or numbers, or objects with boxes as COCO has them; captions are no classes."""
    lay(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    lines = '{"file_name": "a.jpg", "label": "cat"}\n{"file_name": "b.jpg", "label": 3}\n\n'
    assert classes(told_by(tmp_path, "m.jsonl", lines)) == [("a.jpg", "cat"), ("b.jpg", "3")]
    lines = (
        '{"file_name": "a.jpg", "objects": {"bbox": [[3, 4, 20, 10]], "categories": ["cup"]}}\n'
        '{"file_name": "b.jpg", "objects": {"bbox": [], "categories": []}}\n'
        '{"file_name": "c.jpg", "objects": {"bbox": [[3, 4, 20, 10]]}}\n'
    )
    told = told_by(tmp_path, "m.jsonl", lines)
    assert boxes(told) == [("a.jpg", "cup", (3, 4, 23, 14)), ("b.jpg", "nothing", None)]
    assert told.left_out == ["c.jpg: left out (line 3: its objects have no category)"]
    with pytest.raises(ExampleError, match="has no column label"):
        told_by(tmp_path, "m.jsonl", '{"file_name": "a.jpg", "text": "a cat on a mat"}\n')
    with pytest.raises(ExampleError, match="is no list of pictures"):
        told_by(tmp_path, "m.jsonl", "[1]\n")


def test_common_voice(tmp_path: Path) -> None:
    """Words that are said often are classes, of what was validated alone; sentences are none; nor is `clips`."""
    lay(tmp_path, *(f"clips/{number}.mp3" for number in range(6)))
    head = "client_id\tpath\tsentence\n"
    (tmp_path / "validated.tsv").write_text(
        head + "".join(f"x\t{at}.mp3\t{['yes', 'no'][at % 2]}\n" for at in range(4))
    )
    (tmp_path / "invalidated.tsv").write_text(head + "x\t4.mp3\tyes\nx\t5.mp3\tyes\nx\t0.mp3\tyes\n")
    told = of_folder(tmp_path, "lists")
    assert sorted(classes(told)) == [("0.mp3", "yes"), ("1.mp3", "no"), ("2.mp3", "yes"), ("3.mp3", "no")]
    assert told.notes == ["invalidated.tsv was skipped: nobody confirmed its recordings"]
    with pytest.raises(ExampleError, match="hardly ever the same twice"):
        told_by(tmp_path, "validated.tsv", head + "x\t0.mp3\tHe went home.\nx\t1.mp3\tShe did not.\n")
    assert layouts_of(Tree.of(tmp_path)) == []


def test_polygons_of_pascal_voc(tmp_path: Path) -> None:
    """Without a bndbox the box is the one around the polygon, in both ways that such files write it."""
    lay(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    for name, corners in (
        ("a", "<polygon><x1>3</x1><y1>4</y1><x2>30</x2><y2>9</y2><x3>5</x3><y3>40</y3></polygon>"),
        ("b", "<polygon><pt><x>3</x><y>4</y></pt><pt><x>9</x><y>8</y></pt></polygon>"),
        ("c", "<robndbox><cx>3</cx></robndbox>"),
    ):
        text = f"<annotation><object><name>cup</name>{corners}</object></annotation>"
        (tmp_path / f"{name}.xml").write_text(text)
    told = of_folder(tmp_path, "voc")
    assert boxes(told) == [("a.jpg", "cup", (3, 4, 30, 40)), ("b.jpg", "cup", (3, 4, 9, 8))]
    assert told.left_out == ["c.jpg: left out (c.xml: an object has neither bndbox nor polygon)"]
