"""Boxes from the camera to the detector: drawn and imported, kept, exported, trained, evaluated, found."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_things import drawn_things
from hypothesis import given, settings
from hypothesis import strategies as st
from old_store import old_store
from terminal_pty import Pty

from device.commands.main import main
from device.teach.boxed import read_boxed
from edge_tl.core.metrics import iou
from edge_tl.errors import ExampleError
from edge_tl.media.image import save_png
from edge_tl.store.examples import ExampleStore
from edge_tl.store.layouts.lists import ENDINGS, read_list
from edge_tl.store.schema import UPGRADES, VERSION

PRINT = "a" * 64
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of drawn things with a list of their boxes, of two sessions, and two pictures of nothing."""
    folder = tmp_path_factory.mktemp("drawn")
    lines = ["file,label,left,top,right,bottom,session"]
    for number, one in enumerate(drawn_things(16, 0, empty=2)):
        name = f"{number:02d}.png"
        save_png(folder / name, one.picture)
        sides = ",,," if one.box is None else ",".join(f"{side:g}" for side in one.box)
        lines.append(f"{name},{'' if one.box is None else one.label},{sides},{'desk' if number % 2 else 'floor'}")
    (folder / "boxes.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def taught(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a profile that was taught and trained with them."""
    data = tmp_path_factory.mktemp("data")
    assert main(["examples", "import", str(pictures / "boxes.csv"), "--data-dir", str(data)]) == 0
    assert main(["train", "--data-dir", str(data), "--threads", "1"]) == 0
    return data


@pytest.fixture
def run(taught: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command on that folder: its exit code, what it printed (parsed, of JSON), and its stderr."""

    def call(*words: object, data: Path = taught) -> tuple[int, Any, str]:
        capsys.readouterr()
        code = main([*map(str, words), "--data-dir", str(data)])
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in words and out else out, err

    return call


def test_boxes_are_kept(run: Run, pictures: Path) -> None:
    """Imported boxes are stored as shares, listed, and come back from CSV and COCO as they were."""
    code, listed, _ = run("examples", "list", "--json")
    assert code == 0
    assert len(listed) == 18
    truth = drawn_things(16, 0, empty=2)
    for one, example in zip(truth, sorted(listed, key=lambda example: int(example["id"])), strict=True):
        if one.box is None:
            assert (example["label"], example["box"]) == ("nothing", None)
        else:
            np.testing.assert_allclose(example["box"], one.box / (240, 180, 240, 180), atol=1e-6)
    assert {example["session_name"] for example in listed} == {"desk", "floor"}


@pytest.mark.parametrize("form", ["csv", "coco"])
def test_export_and_import_again(run: Run, tmp_path: Path, form: str) -> None:
    """What is exported with its boxes is imported again, the same within a hundredth of a pixel."""
    code, told, _ = run("examples", "export", tmp_path / "out", "--format", form, "--json")
    assert (code, told["boxes"]) == (0, 16)
    code, told, _ = run("examples", "import", told["list"], "--json", data=tmp_path / "again")
    assert (code, told["imported"], told["boxes"], told["bad"]) == (0, 18, 16, 0)
    before, after = (run("examples", "list", "--json", data=data)[1] for data in (run_data(run), tmp_path / "again"))

    def plain(listed: list[dict[str, Any]]) -> list[tuple[str, list[float]]]:
        return sorted((one["label"], np.round(one["box"] or [0] * 4, 3).tolist()) for one in listed)

    for one, other in zip(plain(before), plain(after), strict=True):
        assert one[0] == other[0]
        np.testing.assert_allclose(one[1], other[1], atol=2e-3)


def run_data(run: Run) -> Path:
    """The data folder that `run` works on by default."""
    defaults = run.__kwdefaults__  # type: ignore[attr-defined]
    return Path(defaults["data"])


def test_evaluate_and_detect(run: Run, pictures: Path) -> None:
    """Each session is judged by the other; the trained detector finds what it was taught; a person reads both."""
    code, out, _ = run("evaluate")
    assert code == 0
    said = re.search(r"mean IoU (0\.\d+) on held-out sessions", out)
    assert said is not None
    assert float(said[1]) > 0.2
    assert "16 boxes are few" in out
    assert "a false alarm in 0.0% of 2 pictures that show nothing" in out
    files = [pictures / f"{number:02d}.png" for number in range(4)]
    code, out, _ = run("detect", *files)
    assert sum("disc" in line or "cross" in line for line in out.splitlines()) >= 3


def test_a_page_about_boxes(run: Run, tmp_path: Path) -> None:
    """Its figures are those of `evaluate`; each picture where it goes wrong stands there with both boxes."""
    told = run("evaluate", "--json")[1]
    code, said, _ = run("report", "--out", tmp_path / "page.html", "--json")
    page = (tmp_path / "page.html").read_text()
    assert (code, said["advice"]["text"]) == (
        0,
        "16 boxes are few: 20 to 50, at several places and distances, make usable boxes",
    )
    for words in (
        f"<b>{told['found']:.1%}</b>of 16 boxes found on held-out sessions",
        f"mean IoU {told['mean_iou']:.2f}",
        f"<b>{told['label_accuracy']:.1%}</b>have the right label",
        f"<b>{told['false_alarms']:.1%}</b>false alarms in 2 pictures that show nothing",
        "head: boxes",
        "Model card",
        "nothing to find",
    ):
        assert words in page, words
    part = page.partition(">Mistakes<")[2].partition("</section>")[0]
    shown = re.findall(r"<figcaption>(\d+): (cross|disc)[^<]*</figcaption>", part)
    listed = {str(one["id"]): one["label"] for one in run("examples", "list", "--json")[1]}
    assert shown
    assert all(listed[number] == label for number, label in shown)
    assert part.count("stroke-dasharray") == len(shown)
    missed = 16 - round(16 * told["found"])
    assert sum(float(overlap) < 0.5 for overlap in re.findall(r"IoU (\d\.\d+)", part)) == missed


def test_json_of_found_boxes(run: Run, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The boxes of pictures that were taught lie where they were drawn."""
    capsys.readouterr()
    files = [str(pictures / f"{number:02d}.png") for number in range(6)]
    assert main(["detect", *files, "--json", "--data-dir", str(run_data(run))]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [
        (line["found"][0]["box"], one.box) for line, one in zip(lines, drawn_things(6, 0), strict=True) if line["found"]
    ]
    assert len(found) >= 5
    assert iou(np.array([box for box, _ in found]), np.array([box for _, box in found])).mean() > 0.6


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["predict", "x.png"], "trained to find boxes"),
        (["train", "--threshold", "0.5"], "goes with words"),
        (["train", "--max-false-alarms-per-hour", "0"], "--max-false-alarms-per-hour goes with words"),
        (["evaluate", "--curve", "x.svg"], "--curve goes with words"),
        (["detect", "x.png", "--anchors", "a.csv"], "goes with --ssd"),
        (["detect", "x.png", "--profile", "none"], "there is no profile"),
    ],
)
def test_what_does_not_go_with_boxes(run: Run, words: list[str], told: str) -> None:
    """Commands for other profiles, and options of other detectors, are one line."""
    code, _, err = run(*words)
    assert code == 1
    assert told in err
    assert len(err.splitlines()) == 1


def test_too_few(run: Run, tmp_path: Path) -> None:
    """Four boxes train nothing, and it is said how many are wanted; pictures without boxes are no detector."""
    for number, one in enumerate(drawn_things(4, 50)):
        save_png(tmp_path / f"{number}.png", one.picture)
    lines = ["file,label,left,top,right,bottom", *(f"{number}.png,a,10,10,90,90" for number in range(4))]
    (tmp_path / "four.csv").write_text("\n".join(lines))
    assert run("examples", "import", tmp_path / "four.csv", data=tmp_path / "few")[0] == 0
    for command in ("train", "evaluate"):
        code, _, err = run(command, data=tmp_path / "few")
        assert code == 1
        assert "4 examples with a box" in err
    code, _, err = run("detect", tmp_path / "0.png", data=tmp_path / "few")
    assert code == 1
    assert "was not trained yet" in err


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "name,x\n1,2\n", "has no column"),
        ("a.csv", "", "has no column"),
        ("a.json", "[]", "is no list of pictures"),
        ("a.json", "{", "is no list of pictures"),
        ("a.json", '{"images": 1, "annotations": [], "categories": []}', "is no list of pictures"),
        ("a.csv", "\0\xff", "is no list"),
        ("a.csv", "file,label,left,top,right,bottom\n", "names no picture"),
    ],
)
def test_lists_that_are_none(run: Run, tmp_path: Path, name: str, content: str, told: str) -> None:
    """A file that is no list is one line, and makes no profile worth keeping."""
    (tmp_path / name).write_text(content, encoding="latin-1")
    code, _, err = run("examples", "import", tmp_path / name, data=tmp_path / "data")
    assert code == 1
    assert told in err
    assert len(err.splitlines()) == 1


def test_lines_that_are_left_out(run: Run, tmp_path: Path) -> None:
    """Files elsewhere, boxes turned inside out, and pictures that are none are named one by one; the rest is kept."""
    save_png(tmp_path / "a.png", drawn_things(1, 0)[0].picture)
    (tmp_path / "b.png").write_bytes(b"no")
    rows = [
        "a.png,x,1,1,50,50",
        "../a.png,x,1,1,9,9",
        "/etc/hosts,x,1,1,9,9",
        "a.png,x,9,9,1,1",
        "a.png,x,n,1,2,3",
        "b.png,x,1,1,9,9",
    ]
    (tmp_path / "l.csv").write_text("\n".join(["file,label,left,top,right,bottom", *rows]))
    code, out, err = run("examples", "import", tmp_path / "l.csv", data=tmp_path / "data")
    assert code == 1
    assert "imported 1 picture, 1 with a box; 5 left out" in out
    assert len(err.splitlines()) == 5


def test_sessions_are_the_first_folder(run: Run, tmp_path: Path) -> None:
    """With --sessions the folder at the top of each file says where it was; pixels of another size are scaled."""
    rows = ["file,width,height,label,left,top,right,bottom"]
    for number, place in enumerate(("kitchen", "garden")):
        (tmp_path / place / "cup").mkdir(parents=True)
        save_png(tmp_path / place / "cup" / "a.png", drawn_things(1, number)[0].picture)
        rows.append(f"{place}/cup/a.png,480,360,cup,48,36,240,180")
    (tmp_path / "boxes.csv").write_text("\n".join(rows))
    told = run("examples", "import", tmp_path / "boxes.csv", "--sessions", "--json", data=tmp_path / "data")
    assert told[:2] == (0, {"imported": 2, "boxes": 2, "copies": 0, "bad": 0, "sessions": [1, 2]})
    listed = run("examples", "list", "--json", data=tmp_path / "data")[1]
    assert [one["session_name"] for one in listed] == ["kitchen", "garden"]
    assert [one["box"] for one in listed] == [pytest.approx([0.1, 0.1, 0.5, 0.5])] * 2


@settings(max_examples=60)
@given(
    ending=st.sampled_from(ENDINGS), content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode))
)
def test_any_bytes_as_a_list(ending: str, content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever is in a list, it is read or refused in one line."""
    path = tmp_path_factory.getbasetemp() / f"any{ending}"
    path.write_bytes(content)
    told = ""
    try:
        read_list(path)
    except ExampleError as error:
        told = str(error)
    assert len(told.splitlines()) <= 1


def test_boxes_in_the_store(tmp_path: Path) -> None:
    """A box is on disk with its example, cut at the border, and goes with it; what is no box is refused."""
    picture, row = np.full((8, 8, 3), 90, np.uint8), np.ones(4, np.float32)
    path = tmp_path / "examples.sqlite"
    with ExampleStore(path, writable=True) as store:
        take = store.new_take("cup")
        first = store.add(take, picture, row, PRINT, box=(0.1, 0.2, 0.5, 1.5))
        store.add(take, picture, row, PRINT)
        for wrong in ((0.5, 0, 0.5, 1), (2, 2, 3, 3), (float("nan"), 0, 1, 1)):
            with pytest.raises(ExampleError, match="wanted"):
                store.add(take, picture, row, PRINT, box=wrong)
    with ExampleStore(path, writable=True) as store:
        assert [one.box for one in store.list()] == [(0.1, 0.2, 0.5, 1.0), None]
        store.remove([first])
        assert [one.box for one in store.list()] == [None]
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM boxes").fetchone() == (0,)


def test_pictures_without_a_box(tmp_path: Path) -> None:
    """Of a class with boxes they are left out; of a class that never has one they show that nothing is there."""
    picture, row = np.full((8, 8, 3), 90, np.uint8), np.ones(4, np.float32)
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        for label, box in (("cup", (0, 0, 1, 0.5)), ("cup", None), ("nothing", None)):
            store.add(store.new_take(label), picture, row, PRINT, box=box)
        store.flush()
        boxed = read_boxed(store)
    assert [one.label for one in boxed.examples] == ["cup", "nothing"]
    assert boxed.boxes == 1
    assert boxed.examples[0].box is not None
    assert boxed.examples[0].box.tolist() == [0, 0, 8, 4]


@pytest.mark.parametrize("version", [1, 3])
def test_stores_from_before_boxes(tmp_path: Path, version: int) -> None:
    """An older file is read as it is, and takes boxes once it is opened for writing."""
    path = old_store(tmp_path / "old.sqlite", [0, 5])
    if version == 3:
        db = sqlite3.connect(path)
        db.executescript(f"{UPGRADES[1].change} {UPGRADES[2].change} PRAGMA user_version = 3;")
        db.close()
    with ExampleStore(path, writable=False) as store:
        assert [one.box for one in store.list()] == [None, None]
    with ExampleStore(path, writable=True) as store:
        store.add(store.new_take("up"), None, np.ones(5, np.float32), PRINT, box=(0, 0, 1, 1))
    with ExampleStore(path, writable=False) as store:
        assert [one.box for one in store.list()] == [None, None, (0, 0, 1, 1)]
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)


def spawn(data: Path, *words: object) -> Pty:
    """A command in a real terminal."""
    code = "import sys; from device.commands.main import main; sys.exit(main())"
    return Pty.spawn([sys.executable, "-c", code, *map(str, words), "--data-dir", str(data), "--threads", "1"], 24, 96)


def test_draw_boxes_train_and_find(pictures: Path, tmp_path: Path) -> None:
    """In a terminal: a number freezes the picture, keys draw, enter keeps; t trains, and it is found live."""
    camera, data = tmp_path / "camera", tmp_path / "data"
    camera.mkdir()
    (camera / "a.png").write_bytes((pictures / "00.png").read_bytes())
    with spawn(data, "teach", "--boxes", "--camera", camera, "--labels", "disc") as pty:
        pty.wait_for("1 disc")
        pty.wait_for("pictures/s")
        pty.send("t")
        pty.wait_for("0 examples with a box")
        for number in range(1, 7):
            pty.send("1")
            pty.wait_for("enter saves")
            pty.send("left", "+", "f", "down", "f", "enter")
            pty.wait_for(f"disc: {number} saved")
        pty.send("1")
        pty.wait_for("enter saves")
        pty.send("escape")
        pty.wait_for("no example was saved")
        pty.send("u", "u")
        pty.wait_for("deleted the last example of disc")
        pty.send("x")
        pty.wait_for("saved as a picture without an object")
        pty.send("n", "c", "u", "p", "enter")
        pty.wait_for("new class cup")
        pty.send("t")
        pty.wait_for("trained on 5 boxes")
        pty.wait_for("→ disc")
        pty.send("s")
        pty.wait_for("a new session begins")
        pty.send("1")  # draws, and is no name
        pty.wait_for("enter saves")
        pty.send("enter")
        pty.wait_for("disc: 6 saved")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert pty.restored()
    with ExampleStore(data / "profiles" / "default" / "examples.sqlite", writable=False) as store:
        listed = store.list()
        boxes = [one.box for one in listed if one.box is not None]
        assert store.labels() == ["disc", "nothing", "cup"]
    assert boxes[0] == pytest.approx((0.175, 0.085, 0.725, 0.935))
    assert len(boxes) == 6
    assert len({one.take for one in listed}) == 7
    assert len({one.session for one in listed}) == 2
    with spawn(data, "detect", "--camera", camera) as pty:
        pty.wait_for("% disc")
        pty.send("q")
        assert pty.wait_exit() == 0


def test_teach_boxes_wants_the_whole_picture(run: Run, tmp_path: Path) -> None:
    """Another way to look, or no camera, is refused in one line."""
    for words in (("--no-camera",), ("--look", "hand")):
        code, _, err = run("teach", "--boxes", *words, data=tmp_path)
        assert code == 1
        assert "--boxes wants a camera" in err
