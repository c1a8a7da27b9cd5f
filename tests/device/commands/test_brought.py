"""`examples import` of archives and of what is not read: named as whoever brought it knows it, with what to do."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from command_run import Run, run_on
from striped import picture


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command on a data folder of its own: (exit code, stdout as JSON or text, stderr)."""
    return run_on(tmp_path / "data", capsys)


def pack(path: Path, *names: str, **texts: bytes) -> Path:
    """A ZIP file of pictures, no two alike, and of other files."""
    with zipfile.ZipFile(path, "w") as packed:
        for number, name in enumerate(names):
            packed.writestr(name, texts.get(name.rpartition(".")[2]) or picture("across", number))
    return path


def classes(run: Run) -> set[str]:
    """The classes of the profile."""
    return {one["label"] for one in run("examples", "list", "--json")[1]}


def test_what_lies_in_an_archive_is_named_by_it(run: Run, tmp_path: Path) -> None:
    """`PETS.zip: train/cat/x.jpg`, never the folder it was unpacked into, in warnings, errors and JSON."""
    path = pack(tmp_path / "PETS.zip", "train/cat/1.jpg", "train/dog/2.jpg", "train/cat/x.png", png=b"nope")
    code, _, err = run("examples", "import", path)
    assert code == 1
    assert f"edge-tl: {path}: train/cat/x.png: is no picture" in err
    path = pack(tmp_path / "FLAT.zip", "1.jpg", "2.jpg")
    code, _, err = run("examples", "import", path, "--json")
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith(f"edge-tl: {path}: its files lie in no class's folder")
    assert "edge-tl-import-" not in err


def test_a_list_in_an_archive_is_named_by_it(run: Run, tmp_path: Path) -> None:
    """Its lines too."""
    path = pack(tmp_path / "LIST.zip", "a.jpg", "labels.csv", csv=b"filename,class\na.jpg,cat\nb.jpg,cat\n")
    code, _, err = run("examples", "import", path)
    assert code == 1
    assert f"edge-tl: {path}: labels.csv, line 3: no file 'b.jpg' is there" in err


def test_archives_in_archives_are_named(run: Run, tmp_path: Path) -> None:
    """What is in them does not come, which is said, and the exit code is 1; alone they are one refusal."""
    path = pack(tmp_path / "OUTER.zip", "cat/1.jpg", "dog/2.jpg", "more/birds.zip", zip=b"PK")
    code, said, err = run("examples", "import", path)
    assert code == 1
    assert said.startswith("imported 2 pictures")
    assert err == f"edge-tl: {path}: more/birds.zip: is an archive itself and was left out: import it, or unpack it\n"
    path = pack(tmp_path / "ONLY.zip", "cat.zip", "dog.zip", zip=b"PK")
    code, _, err = run("examples", "import", path, "--profile", "none")
    assert (code, err.count("\n")) == (1, 1)
    assert "holds no picture and no sound, but archives (cat.zip, dog.zip): import each, or unpack them" in err
    assert not (tmp_path / "data" / "profiles" / "none").exists()


def test_names_of_other_systems(run: Run, tmp_path: Path) -> None:
    """Unmarked UTF-8 of macOS, cp437 of DOS, and backslashes of Windows are the classes that somebody typed."""
    for bytes_of_name, system in (("Müll".encode(), "mac"), ("Müll".encode("cp437"), "dos")):
        path = pack(tmp_path / f"{system}.zip", f"{'M' * len(bytes_of_name)}/1.jpg", "dog\\2.jpg")
        path.write_bytes(path.read_bytes().replace(b"M" * len(bytes_of_name), bytes_of_name))
        assert run("examples", "import", path, "--profile", system)[0] == 0
        listed = run("examples", "list", "--json", "--profile", system)[1]
        assert {one["label"] for one in listed} == {"Müll", "dog"}, system


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("train.parquet", "save each picture as CLASS/NUMBER.png"),
        ("train.tfrecord", "holds TensorFlow's records"),
        ("train.npz", "holds arrays"),
        ("train.pkl", "may run anything and is never read"),
        ("list.xlsx", "save the list in it as CSV"),
        ("list.txt", "a CSV with a first line `file,label` is wanted"),
        ("model.json", "is a model of TensorFlow.js, and no examples"),
        ("model.tflite", "is a model, and no examples"),
        ("t10k-images-idx3-ubyte", "holds arrays"),
        ("notes.pdf", "is none of the files that are read"),
    ],
)
def test_what_is_not_read_says_what_to_do(run: Run, tmp_path: Path, name: str, said: str) -> None:
    """Alone, in a folder or in an archive it is one line, and no profile is made."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(b"PK\3\4" if name.endswith(("npz", "xlsx")) else b"{}")
    code, _, err = run("examples", "import", tmp_path / "in" / name)
    assert (code, err.count("\n")) == (1, 1)
    assert said in err
    code, _, err = run("examples", "import", tmp_path / "in")
    assert code == 1
    assert name == "notes.pdf" or said in err
    assert not (tmp_path / "data" / "profiles" / "default").exists()
