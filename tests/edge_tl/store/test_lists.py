"""Lists of pictures with boxes: what COCO and CSV say is read, what cannot be used is named, and nothing is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.errors import ExampleError
from edge_tl.store.box_files import write_csv
from edge_tl.store.coco import write_coco
from edge_tl.store.layouts.lists import read_list
from edge_tl.store.listed import ListedPicture, at_odds

IMAGES = [{"id": 7, "file_name": "a.jpg", "width": 100, "height": 50}, {"id": 8, "file_name": "b.jpg"}]
CATEGORIES = [{"id": 1, "name": "cup"}, {"id": 2, "name": "ball"}]


def coco(tmp_path: Path, *annotations: dict[str, Any], images: Any = IMAGES) -> tuple[list[ListedPicture], list[str]]:
    """What is read of a file with these annotations."""
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": CATEGORIES}))
    told = read_list(path)
    return list(told.listed or ()), list(told.left_out)


def test_several_boxes_in_coco(tmp_path: Path) -> None:
    """Of several boxes the largest is taught, the others are named; a picture without one shows nothing."""
    listed, left_out = coco(
        tmp_path,
        {"image_id": 7, "category_id": 2, "bbox": [10, 10, 20, 20]},
        {"image_id": 7, "category_id": 1, "bbox": [0, 0, 50, 50]},
    )
    assert [(one.label, one.pixels) for one in listed] == [("cup", (0, 0, 50, 50)), ("nothing", None)]
    assert listed[0].box((200, 400, 3)) == (0, 0, 0.5, 1)
    assert left_out == ["a.jpg: 1 smaller box is left out: only one object per picture is used"]


@pytest.mark.parametrize(
    "ids",
    [
        {"image_id": "7", "category_id": "2"},
        {"image_id": 7.0, "category_id": 2.0},
        {"image_id": " 7 ", "category_id": 2},
    ],
)
def test_ids_as_text_are_ids(tmp_path: Path, ids: dict[str, Any]) -> None:
    """ "7" and 7 are one picture: it is not taken for one that shows nothing."""
    listed, left_out = coco(tmp_path, {**ids, "bbox": [10, 10, 20, 20]})
    assert [(one.label, one.pixels) for one in listed] == [("ball", (10, 10, 30, 30)), ("nothing", None)]
    assert left_out == []


def test_polygons_have_a_box(tmp_path: Path) -> None:
    """Without a bbox the box around the polygons counts."""
    polygons = [[10, 10, 30, 12, 20, 40], [5, 20, 6, 21, 7, 20]]
    listed, left_out = coco(tmp_path, {"image_id": 7, "category_id": 1, "segmentation": polygons})
    assert (listed[0].pixels, left_out) == ((5, 10, 30, 40), [])


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ({"category_id": 1, "bbox": [0, 0, 0, 50]}, "left < right"),
        ({"category_id": 1, "bbox": [9, 0, -4, 50]}, "left < right"),
        ({"category_id": 1}, "neither a bbox nor polygons"),
        ({"category_id": 1, "segmentation": {"counts": "RLE", "size": [9, 9]}}, "neither a bbox nor polygons"),
        ({"category_id": 3, "bbox": [0, 0, 5, 5]}, "category_id '3' is that of no category"),
        ({"category_id": None, "bbox": [0, 0, 5, 5]}, "'None' is no id"),
        ({"bbox": [0, 0, 5, 5]}, "it has no category_id"),
        ({"category_id": 1, "bbox": [0, 0, 5]}, "it is not written as such lists are"),
        ({"category_id": 1, "bbox": [0, 0, 5, 5], "iscrowd": 1}, "only a crowd is marked in it"),
        ({"category_id": 1, "bbox": [0, 0, "wide", 5]}, "'wide' is no number"),
    ],
)
def test_what_cannot_be_used_makes_its_picture_unknown(tmp_path: Path, annotation: dict[str, Any], said: str) -> None:
    """It is left out and named with the reason, and never taught as one that shows nothing; the other stays."""
    whole = {"image_id": 8, "category_id": 1, "bbox": [1, 1, 5, 5]}
    listed, left_out = coco(tmp_path, {"image_id": 7, **annotation}, whole)
    assert [str(one.file) for one in listed] == ["b.jpg"]
    assert len(left_out) == 1
    assert left_out[0].startswith("a.jpg: left out")
    assert said in left_out[0]


def test_an_annotation_of_no_picture_is_of_any(tmp_path: Path) -> None:
    """It is named with its place in the file, and no picture without another one shows nothing."""
    whole = {"image_id": 8, "category_id": 1, "bbox": [1, 1, 5, 5]}
    listed, left_out = coco(tmp_path, {"image_id": 99, "category_id": 1, "bbox": [0, 0, 5, 5]}, whole)
    assert [str(one.file) for one in listed] == ["b.jpg"]
    assert "annotation 1 is left out (image_id '99' is that of no image)" in left_out[0]
    assert left_out[1] == "a.jpg: left out (1 annotation is of no image, and may be of this one)"


def test_pictures_that_nobody_annotated_show_no_nothing(tmp_path: Path) -> None:
    """A file without annotations, as of a test set, is refused with what to do where they do show nothing."""
    with pytest.raises(ExampleError, match="import their folder with --label nothing"):
        coco(tmp_path)


def test_an_id_of_two_pictures_is_of_neither(tmp_path: Path) -> None:
    """Which of them its annotations mean cannot be known."""
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": "1", "file_name": "b.jpg"}]
    listed, left_out = coco(tmp_path, {"image_id": 1, "category_id": 1, "bbox": [0, 0, 5, 5]}, images=images)
    assert listed == []
    assert "id '1' is also that of b.jpg" in left_out[0]


def test_a_box_of_a_larger_picture_is_refused() -> None:
    """Far beyond the border it would be cut to another box; a little beyond it is drawn by hand."""
    one = ListedPicture(PurePosixPath("a.jpg"), "cup", (300, 100, 410, 200), None, "", "")
    assert one.box((200, 400, 3)) == (0.75, 0.5, 1.025, 1.0)
    with pytest.raises(ExampleError, match=r"a\.jpg: its box reaches from 300, 100 to 410, 200, and the picture has"):
        one.box((200, 200, 3))
    with pytest.raises(ExampleError, match="is the list of a larger one"):
        ListedPicture(PurePosixPath("a.jpg"), "cup", (200, 0, 204, 50), None, "", "").box((200, 200, 3))


def test_a_picture_with_something_and_with_nothing_is_at_odds_with_itself() -> None:
    """Both entries are left out; one that is listed twice with boxes is not."""
    boxed = ListedPicture(PurePosixPath("a.jpg"), "cup", (1, 1, 9, 9), None, "", "")
    empty = replace(boxed, label="nothing", pixels=None)
    other = replace(boxed, file=PurePosixPath("b.jpg"))
    assert set(at_odds([boxed, other, empty])) == {0, 2}
    assert at_odds([boxed, replace(boxed, label="ball"), other]) == {}


def test_sides_in_shares_are_no_pixels() -> None:
    """Sides of 1 and less are shares of the picture: no box is less than a pixel."""
    one = ListedPicture(PurePosixPath("a.jpg"), "cup", (0.25, 0.5, 0.75, 1.0), None, "", "")
    assert one.box((200, 400, 3)) == (0.25, 0.5, 0.75, 1.0)


def test_a_list_of_the_picture_before_it_was_turned_is_refused() -> None:
    """A size across the decoded picture's, which EXIF turned: the boxes would lie elsewhere."""
    one = ListedPicture(PurePosixPath("a.jpg"), "cup", (10, 10, 50, 30), (400, 300), "", "")
    assert one.box((600, 800, 3)) == (10 / 400, 10 / 300, 50 / 400, 30 / 300)
    with pytest.raises(ExampleError, match="the list says 400×300 pixels and the picture, upright, has 300×400"):
        one.box((400, 300, 3))


TEXT = st.text("abcÄ日 '\"-_", min_size=1, max_size=8).map(str.strip).filter(lambda text: text not in ("", "nothing"))
SIDE = st.integers(2, 6000).map(lambda number: number / 4)


@st.composite
def some_listed(draw: st.DrawFn) -> list[ListedPicture]:
    """Pictures with and without boxes, of several takes and sessions."""
    made = []
    for number in range(draw(st.integers(1, 6))):
        left, top, width, height = draw(SIDE), draw(SIDE), draw(SIDE), draw(SIDE)
        pixels = draw(st.sampled_from([None, (left, top, left + width, top + height)]))
        label = draw(st.one_of(st.just("nothing"), TEXT)) if pixels is None else draw(TEXT)
        file = PurePosixPath("sign") / f"{number}.jpg"
        made.append(
            ListedPicture(file, label, pixels, (4000.0, 3000.0), draw(TEXT), draw(st.one_of(st.just(""), TEXT)))
        )
    return made


@settings(max_examples=80)
@given(listed=some_listed())
@pytest.mark.parametrize(("ending", "write"), [(".csv", write_csv), (".json", write_coco)])
def test_nothing_is_lost_on_the_way(
    listed: list[ListedPicture], ending: str, write: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """File, label, box, size, take and session of every picture come back as they were, by either format."""
    path = tmp_path_factory.getbasetemp() / f"list{ending}"
    path.write_text(write(listed), "utf-8")
    told = read_list(path)
    assert (told.listed, told.left_out) == (listed, [])
