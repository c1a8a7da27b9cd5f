"""`examples import` of folders as other programs lay them out: read, asked for or refused, never taken for classes."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from command_run import Run, run_on
from places import ROOT
from striped import picture
from terminal_pty import Pty

from edge_tl.store.layouts.registry import LAYOUTS


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command on a data folder of its own: (exit code, stdout as JSON or text, stderr)."""
    return run_on(tmp_path / "data", capsys)


def show(root: Path, *files: str) -> Path:
    """A folder of pictures, no two alike; what they show is told by their names' beginnings."""
    for number, file in enumerate(files):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(picture("across" if "cat" in file else "down", number))
    return root


def classes(run: Run) -> set[str]:
    """The classes of the profile."""
    return {one["label"] for one in run("examples", "list", "--json")[1]}


def test_splits_are_read(run: Run, tmp_path: Path) -> None:
    """train/CLASS and valid/CLASS are those classes, as one session, or each split a session, which is said."""
    root = show(tmp_path / "in", "train/cat/1.jpg", "train/dog/1.jpg", "valid/cat/2.jpg", "train/@eaDir/1.jpg")
    code, said, err = run("examples", "import", root)
    assert (code, err) == (0, "")
    assert said.startswith("imported 3 pictures in 3 takes")
    assert said.endswith("; read as classes in splits, its splits merged (`--split sessions` keeps them apart)\n")
    assert classes(run) == {"cat", "dog"}
    code, said, _ = run("examples", "import", root, "--split", "sessions", "--profile", "apart")
    assert code == 0
    listed = run("examples", "list", "--json", "--profile", "apart")[1]
    assert {(one["session_name"], one["label"]) for one in listed} == {
        ("train", "cat"),
        ("train", "dog"),
        ("valid", "cat"),
    }


def test_what_shows_no_class_is_refused(run: Run, tmp_path: Path) -> None:
    """Pascal VOC's pictures without their annotations: one line, the option that says otherwise, and no profile."""
    root = show(tmp_path / "in", "JPEGImages/1.jpg")
    code, _, err = run("examples", "import", root)
    assert code == 1
    assert err.count("\n") == 1
    assert "JPEGImages are not names of classes" in err
    assert "`--layout classes`" in err
    assert not (tmp_path / "data").exists()
    assert run("examples", "import", root, "--layout", "classes")[0] == 0
    assert classes(run) == {"JPEGImages"}


def test_what_is_ambiguous_is_refused_where_nobody_can_be_asked(run: Run, tmp_path: Path) -> None:
    """One line names both options; each of them is then taken at its word."""
    root = show(tmp_path / "in", "things/cat/1.jpg", "things/dog/1.jpg")
    code, _, err = run("examples", "import", root, "--json")
    assert code == 1
    assert err.count("\n") == 1
    assert "--layout nested (" in err
    assert "--layout classes (" in err
    assert run("examples", "import", root, "--layout", "nested")[0] == 0
    assert classes(run) == {"cat", "dog"}
    assert run("examples", "import", root, "--layout", "classes", "--profile", "one")[0] == 0
    assert {one["label"] for one in run("examples", "list", "--json", "--profile", "one")[1]} == {"things"}


def test_what_is_ambiguous_is_asked_on_a_terminal(run: Run, tmp_path: Path) -> None:
    """One question, with what each answer means; the answer is what is read."""
    root = show(tmp_path / "in", "hall/cat/1.jpg", "hall/dog/1.jpg", "yard/cat/2.jpg", "yard/dog/2.jpg")
    code = "import sys; from device.commands.main import main; sys.exit(main(sys.argv[1:]))"
    command = ["examples", "import", str(root), "--data-dir", str(tmp_path / "data")]
    with Pty.spawn([sys.executable, "-c", code, *command], 24, 100) as pty:
        pty.wait_for("Which is it? 1 to 2:")
        assert "1  classes in sessions (places or days)" in pty.plain()
        pty.send("1", "enter")
        assert pty.wait_exit() == 0
        assert "of 2 sessions" in pty.plain()
    assert classes(run) == {"cat", "dog"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--split", "merged"), "there are no splits: leave --split out"),
        (("--sessions", "--layout", "classes"), "leave --layout and --split out"),
    ],
)
def test_options_that_contradict(run: Run, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    """An option that has nothing to do here is refused, not skipped."""
    code, _, err = run("examples", "import", show(tmp_path / "in", "cat/1.jpg", "dog/1.jpg"), *options)
    assert code != 0
    assert said in err


def test_yolo_becomes_boxes(run: Run, tmp_path: Path) -> None:
    """Pictures, boxes and classes of a YOLO folder are kept, what is not annotated is named, exit code 1."""
    root = show(tmp_path / "in", *(f"train/images/{number}.jpg" for number in range(4)))
    (root / "data.yaml").write_text("names: [cup]\n")
    (root / "train" / "labels").mkdir()
    for number in range(3):
        (root / "train" / "labels" / f"{number}.txt").write_text("0 0.5 0.5 0.5 0.25\n" if number else "")
    code, said, err = run("examples", "import", root)
    assert code == 1
    assert "imported 3 pictures, 2 with a box; 1 left out; read as YOLO" in said
    assert err.count("\n") == 1
    assert "train/images/3.jpg: left out" in err
    boxes = {one["label"]: one["box"] for one in run("examples", "list", "--json")[1]}
    assert set(boxes) == {"cup", "nothing"}
    assert boxes["cup"] == pytest.approx([0.25, 0.375, 0.75, 0.625])
    code, _, err = run("examples", "import", root, "--rotate", "90")
    assert "leave out --look and --rotate" in err


@pytest.mark.parametrize("kind", ["zip", "gztar", "tar"])
def test_archives_are_read_as_what_is_in_them(run: Run, tmp_path: Path, kind: str) -> None:
    """A packed folder is imported as the folder is, the session named like the archive, and nothing stays behind."""
    root = show(tmp_path / "in", "train/cat/1.jpg", "train/dog/1.jpg", "valid/cat/2.jpg", "__MACOSX/train/cat/._1.jpg")
    packed = shutil.make_archive(str(tmp_path / "pets.v2"), kind, root)
    code, said, err = run("examples", "import", packed)
    assert (code, err) == (0, "")
    assert said.startswith("imported 3 pictures")
    assert classes(run) == {"cat", "dog"}
    assert {one["session_name"] for one in run("examples", "list", "--json")[1]} == {"pets.v2"}
    assert not list(Path(tempfile.gettempdir()).glob("edge-tl-import-*/pets.v2"))


def test_a_packed_list(run: Run, tmp_path: Path) -> None:
    """A list and its pictures in one archive are pictures with boxes."""
    root = show(tmp_path / "in", "images/a.jpg")
    (root / "boxes.csv").write_text("filename,class,xmin,ymin,xmax,ymax\na.jpg,cup,24,24,120,240\n")
    code, said, _ = run("examples", "import", shutil.make_archive(str(tmp_path / "a"), "zip", root))
    assert code == 0
    assert "imported 1 picture, 1 with a box; read as files with a list" in said


def test_archives_that_are_refused(run: Run, tmp_path: Path) -> None:
    """Damaged ones, and ones without pictures, are one line, and no profile is made."""
    (tmp_path / "a.zip").write_bytes(b"PK\3\4 and nothing more")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "x.bin").write_bytes(b"x")
    for path in (tmp_path / "a.zip", shutil.make_archive(str(tmp_path / "b"), "zip", tmp_path / "notes")):
        code, _, err = run("examples", "import", path)
        assert code == 1
        assert err.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_all_of_one_class(run: Run, tmp_path: Path) -> None:
    """Pictures without a folder need --label; an archive of samples says it by its name."""
    root = show(tmp_path / "in", "0.jpg", "1.jpg")
    code, _, err = run("examples", "import", root)
    assert code == 1
    assert "say what all of them show with --label NAME" in err
    assert run("examples", "import", root, "--label", "cat")[0] == 0
    assert classes(run) == {"cat"}
    packed = shutil.make_archive(str(tmp_path / "My Dog-samples"), "zip", root)
    assert run("examples", "import", packed, "--profile", "tm")[0] == 0
    assert {one["label"] for one in run("examples", "list", "--json", "--profile", "tm")[1]} == {"My Dog"}


def test_classes_that_differ_only_in_capitals_are_named(run: Run, tmp_path: Path) -> None:
    """`Cat` and `cat` stay two classes, and one line says how to make them one."""
    code, _, err = run("examples", "import", show(tmp_path / "in", "Cat/1.jpg", "cat/2.jpg", "dog/3.jpg"))
    assert code == 0
    assert "'Cat' and 'cat' are two classes; if they are one, `edge-tl examples rename cat Cat`" in err
    assert classes(run) == {"Cat", "cat", "dog"}


def test_the_documents_name_every_layout() -> None:
    """docs/datasets.md has a line for each layout, with the words that are printed, and no other."""
    page = (ROOT / "docs" / "datasets.md").read_text()
    table = page.partition("| `--layout` |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([\w-]+)` \| (.*) \| (.*) \|$", table, re.MULTILINE) == [
        (layout.name, layout.what, layout.seen_by) for layout in LAYOUTS
    ]
