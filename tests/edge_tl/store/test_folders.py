"""Folders of pictures in and out, and labels as folder names."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_tl.errors import ExampleError
from edge_tl.labels import MAX_CHARACTERS, check_label, escape, unescape
from edge_tl.media import image
from edge_tl.sources.folder import find_pictures
from edge_tl.store.examples import ExampleStore
from edge_tl.store.folders import FolderPicture, export_folder, folder_names, import_folder, labels_in
from edge_tl.store.pictures import read_pictures

PRINT = "a" * 64
TRICKY = [
    "up", "Up", "a/b", "..", ".", ".hidden", "100%", "a%2Fb", "what?", 'C:\\"x"', "😀" * 64, "/" * 64, "é",
    "labels.json", "ends.", "👨‍👩‍👧", "a b  c", "-rf", "~", "~/x", "名前", "%", "%ZZ", "%FF", "nul\u2009",
    "\u0627\u0644\u0639",
]  # fmt: skip


def picture(seed: int) -> np.ndarray:
    """A picture that no other seed gives."""
    return np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)


def fill(store: ExampleStore, labels: list[str]) -> None:
    """Two takes of two pictures for each label, the takes of the labels mixed."""
    for round_ in range(2):
        for number, label in enumerate(labels):
            take = store.new_take(label, source="test")
            for one in range(2):
                seed = 4 * number + 2 * round_ + one
                store.add(take, picture(seed), np.ones(4, np.float32), PRINT)
    store.flush()


def content(store: ExampleStore) -> dict[str, list[list[bytes]]]:
    """The pictures of a store, take by take, for each label."""
    takes: dict[str, dict[int, list[bytes]]] = {label: {} for label in store.labels()}
    for one in store.list():
        takes[one.label].setdefault(one.take, []).append(store.picture(one.id))
    return {label: list(by_take.values()) for label, by_take in takes.items()}


def bring(store: ExampleStore, root: Path) -> None:
    """Import a folder as the command does."""
    takes: dict[tuple[str, str], int] = {}
    for label in labels_in(root):
        store.add_label(label)
    for found in import_folder(root):
        key = found.label, found.take_name
        if key not in takes:
            takes[key] = store.new_take(found.label)
        store.add(takes[key], found.path.read_bytes(), np.ones(4, np.float32), PRINT)
    store.flush()


def write(path: Path, data: bytes = b"") -> Path:
    """A file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


labels = st.text(
    st.sampled_from("aAé/\\.%:~ 2Ff😀\u200d") | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=70
)


@given(labels)
def test_labels_are_text_that_can_be_shown(text: str) -> None:
    """A label is refused in one line, or kept as 1 to 64 characters that stay the same when it is checked again."""
    refused = kept = ""
    try:
        kept = check_label(text)
    except ExampleError as error:
        refused = str(error)
    assert len(refused.splitlines()) <= 1
    assert bool(refused) != bool(kept)
    if kept:
        assert len(kept) <= MAX_CHARACTERS
        assert kept == kept.strip() == check_label(kept)
        assert len(kept.splitlines()) == 1


@pytest.mark.parametrize(
    "bad",
    ["", "  \t ", "x" * 65, "x" * 300, "a\nb", "a\0b", "\x1b[2J", "\u202eevil", "\udcff", "\u200d", b"up", None, 5],
)
def test_labels_that_would_break_a_screen_or_a_file_are_refused(bad: object) -> None:
    """Empty, long, unprintable or no text: one line, which can itself be printed."""
    with pytest.raises(ExampleError, match="label") as caught:
        check_label(bad)  # type: ignore[arg-type]
    assert str(caught.value).isprintable()
    str(caught.value).encode()


def test_labels_are_normalised() -> None:
    """The same word typed on two systems is one label, and emoji of today and tomorrow are welcome."""
    assert check_label(" Cafe\u0301 ") == "Café"
    for label in ("👨‍👩‍👧", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "\U0001fadc", "a/b", "می‌خواهم"):
        assert check_label(label) == label


@given(labels)
def test_escaped_labels_are_harmless_names_and_turn_back(text: str) -> None:
    """Any label makes a name without separators that is neither hidden nor a way up, and comes back exactly."""
    try:
        label = check_label(text)
    except ExampleError:
        return
    name = escape(label)
    assert unescape(name) == label
    assert not set(name) & set('/\\<>:"|?*')
    assert not name.startswith(".")
    assert os.path.basename(name) == name


@given(st.lists(labels, max_size=8))
@example(TRICKY)
def test_folder_names_fit_and_differ(texts: list[str]) -> None:
    """Each label gets a name of its own of at most 255 bytes, also where the file system ignores case."""
    names = folder_names(list(dict.fromkeys(texts)))
    assert len({name.casefold() for name in names.values()}) == len(set(texts))
    assert all(1 <= len(name.encode("utf-8", "replace")) <= 255 for name in names.values())
    assert "labels.json" not in {name.casefold() for name in names.values()}


def test_an_export_imports_as_it_was(tmp_path: Path) -> None:
    """Labels of every kind, takes and pictures come back byte for byte and in order."""
    wanted = list(dict.fromkeys(check_label(label) for label in TRICKY))
    with (
        ExampleStore(tmp_path / "one", writable=True) as first,
        ExampleStore(tmp_path / "two", writable=True) as second,
    ):
        fill(first, wanted)
        first.add_label("no picture yet")
        assert export_folder(first, tmp_path / "out") == 4 * len(wanted)
        bring(second, tmp_path / "out")
        assert content(second) == content(first)
        export_folder(second, tmp_path / "again")
        assert set(labels_in(tmp_path / "again")) == set(second.labels())
    beside = ("wal", "shm", "reserve")
    outside = {path.name for path in tmp_path.iterdir()}
    assert outside <= {"one", "two", "out", "again"} | {f"{n}-{e}" for n in ("one", "two") for e in beside}


@settings(max_examples=12)
@given(st.lists(labels, min_size=1, max_size=4))
def test_any_labels_survive_the_round_trip(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    """Whatever the labels are, importing an export gives the same."""
    wanted = []
    for text in texts:
        try:
            wanted.append(check_label(text))
        except ExampleError:
            continue
    root = tmp_path_factory.mktemp("trip")
    with ExampleStore(root / "one", writable=True) as first, ExampleStore(root / "two", writable=True) as second:
        fill(first, list(dict.fromkeys(wanted)))
        export_folder(first, root / "out")
        bring(second, root / "out")
        assert content(second) == content(first)


def test_plain_labels_need_no_index(tmp_path: Path) -> None:
    """An export of usual labels holds folders named like them and nothing else; odd ones are listed in labels.json."""
    with ExampleStore(tmp_path / "s", writable=True) as store:
        fill(store, ["up", "a/b"])
        export_folder(store, tmp_path / "plain")
        assert sorted(path.name for path in (tmp_path / "plain").iterdir()) == ["a%2Fb", "up"]
        assert [path.name for path in sorted((tmp_path / "plain" / "up").rglob("*.jpg"))] == [
            "00000001.jpg", "00000002.jpg", "00000005.jpg", "00000006.jpg",
        ]  # fmt: skip
        store.add_label("😀" * 64)
        export_folder(store, tmp_path / "odd")
    index = json.loads((tmp_path / "odd" / "labels.json").read_text())
    assert list(index["labels"].values()) == ["😀" * 64]


def test_foreign_folders_are_read_and_the_rest_is_named(tmp_path: Path) -> None:
    """Both layouts are found in order; hidden files are skipped, everything else that is left out is named."""
    root = tmp_path / "root"
    for name in ("up/b.JPG", "up/a.png", "up/take 2/c.jpeg", "up/take 1/d.webp", "down/e.jpg"):
        write(root / name)
    for name in ("up/.hidden.jpg", ".git/x.jpg", "up/.DS_Store"):
        write(root / name)
    for name in ("top.jpg", "up/notes.txt", "up/README", "down/t/deep/f.jpg", "x" * 70 + "/g.jpg"):
        write(root / name)
    (root / "empty").mkdir()
    os.mkfifo(root / "up" / "pipe.jpg")
    (root / "up" / "broken.jpg").symlink_to("nowhere")
    skipped: list[tuple[str, str]] = []
    found = list(import_folder(root, lambda path, reason: skipped.append((str(path.relative_to(root)), reason))))
    assert found == [
        FolderPicture("down", "", root / "down/e.jpg"),
        FolderPicture("up", "", root / "up/a.png"),
        FolderPicture("up", "", root / "up/b.JPG"),
        FolderPicture("up", "take 1", root / "up/take 1/d.webp"),
        FolderPicture("up", "take 2", root / "up/take 2/c.jpeg"),
    ]
    assert {name for name, _ in skipped} == {
        "top.jpg", "up/notes.txt", "up/README", "down/t/deep", "x" * 70, "up/pipe.jpg", "up/broken.jpg",
    }  # fmt: skip
    assert all(reason and reason.isprintable() for _, reason in skipped)
    assert labels_in(root) == ["down", "empty", "up"]


def test_links_are_followed_but_never_in_circles(tmp_path: Path) -> None:
    """A linked class or picture is read; a link back, or to what is read already, is named and not entered."""
    root = tmp_path / "root"
    write(tmp_path / "elsewhere" / "a.jpg")
    write(root / "up" / "b.jpg")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "up" / "c.jpg").symlink_to(tmp_path / "elsewhere" / "a.jpg")
    (root / "up" / "home").symlink_to(root)
    (root / "up" / "self").symlink_to(".")
    (root / "zz").symlink_to("up")
    (root / "loop").symlink_to("loop")
    skipped: list[str] = []
    found = list(import_folder(root, lambda path, reason: skipped.append(path.name)))
    assert [(one.label, one.take_name, one.path.name) for one in found] == [
        ("linked", "", "a.jpg"),
        ("up", "", "b.jpg"),
        ("up", "", "c.jpg"),
    ]
    assert sorted(skipped) == ["home", "loop", "self", "zz"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 2, "labels": {}}', '{"format": 1, "labels": {"a": 5}}', "[" * 100_000, "\udcff"]
)
def test_a_damaged_index_is_one_line(tmp_path: Path, text: str) -> None:
    """A labels.json that cannot be read ends the import with what to do."""
    write(tmp_path / "up" / "a.jpg")
    write(tmp_path / "labels.json", text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ExampleError, match=r"labels\.json.* remove it"):
        list(import_folder(tmp_path))


def test_an_index_cannot_name_what_is_no_label(tmp_path: Path) -> None:
    """A label from labels.json is checked like any other."""
    write(tmp_path / "a" / "a.jpg")
    write(tmp_path / "labels.json", json.dumps({"format": 1, "labels": {"a": "x\ny"}}).encode())
    skipped: list[str] = []
    assert list(import_folder(tmp_path, lambda path, reason: skipped.append(path.name))) == []
    assert skipped == ["a"]


def test_a_folder_that_is_none_is_one_line(tmp_path: Path) -> None:
    """Importing what does not exist or is a file says which folder was wanted."""
    for path in (tmp_path / "none", write(tmp_path / "file")):
        with pytest.raises(ExampleError, match="is no folder"):
            list(import_folder(path))


def test_an_export_never_mixes_with_what_is_there(tmp_path: Path) -> None:
    """A folder that is not empty, or a file, is left as it is."""
    with ExampleStore(tmp_path / "s", writable=True) as store:
        fill(store, ["up"])
        write(tmp_path / "out" / "mine.txt", b"mine")
        with pytest.raises(ExampleError, match="not empty"):
            export_folder(store, tmp_path / "out")
        with pytest.raises(ExampleError, match="cannot export"):
            export_folder(store, write(tmp_path / "file"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_an_export_can_be_cancelled(tmp_path: Path) -> None:
    """Progress tells how far it is; True ends it, and what was written stays good."""
    calls = []

    def progress(done: int, total: int) -> bool:
        calls.append((done, total))
        return done == 2

    with ExampleStore(tmp_path / "s", writable=True) as store:
        fill(store, ["up", "down"])
        take = store.new_take("up")
        store.add(take, None, np.ones(4, np.float32), PRINT)
        assert export_folder(store, tmp_path / "out", progress) == 2
        assert export_folder(store, tmp_path / "all") == 8
    assert calls == [(1, 8), (2, 8)]
    for found in import_folder(tmp_path / "out"):
        assert image.decode(found.path).shape == (12, 16, 3)


def test_real_folders_are_found_whole(data: Callable[[str], Path]) -> None:
    """The sign digits, which lie as class/picture, are found with their labels, all of them."""
    root = data("sign_digits")
    found = list(import_folder(root))
    assert sorted(labels_in(root)) == list("012345")
    assert len(found) == len(list(root.glob("*/*.*")))
    assert {one.take_name for one in found} == {""}


def test_sessions_round_trip(tmp_path: Path) -> None:
    """Exported and imported again, every take is in the session that it was in, of the same name, equal names too."""
    with ExampleStore(tmp_path / "a.sqlite", writable=True) as store:
        for name in ("kitchen ☕", "", "kitchen ☕"):
            store.new_session(name)
            fill(store, ["up", "a/b"])
        export_folder(store, tmp_path / "out")
        found = list(import_folder(tmp_path / "out"))
        numbers = {f"{one.take:08d}": (one.session, store.session_name(one.session)) for one in store.list()}
    assert {one.take_name: (one.session, one.session_name) for one in found} == numbers
    assert labels_in(tmp_path / "out") == ["a/b", "up"]
    (tmp_path / "out" / "up" / "mine").mkdir()
    write(tmp_path / "out" / "up" / "mine" / "x.jpg")
    assert [one.session for one in import_folder(tmp_path / "out") if one.take_name == "mine"] == [0]


def test_folders_of_sessions(tmp_path: Path) -> None:
    """With sessions on top the folders below them are labels, with takes or without; other things are named."""
    for name in ("home/up/a.png", "home/up/take 1/b.png", "work%2F2/up/c.png", "work%2F2/down/d.png", "top.png"):
        write(tmp_path / name)
    skipped: list[str] = []
    found = import_folder(tmp_path, lambda path, reason: skipped.append(f"{path.name} {reason}"), sessions=True)
    assert [(one.session, one.session_name, one.label, one.take_name) for one in found] == [
        (1, "home", "up", ""),
        (1, "home", "up", "take 1"),
        (2, "work/2", "down", ""),
        (2, "work/2", "up", ""),
    ]
    assert skipped == ["top.png lies in no session's folder"]
    with pytest.raises(ExampleError, match="is no folder: one with a folder of pictures for each session"):
        list(import_folder(tmp_path / "top.png", sessions=True))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": 2, "sessions": []}',
        '{"format": 1, "sessions": [{"name": "a\\u0007b", "takes": ["1"]}]}',
        "\xff",
    ],
)
def test_a_damaged_list_of_sessions_is_one_line(tmp_path: Path, text: str) -> None:
    """A sessions.json that is none is refused in one line that says what to do."""
    write(tmp_path / "up" / "a.png")
    (tmp_path / "sessions.json").write_text(text, encoding="latin-1")
    with pytest.raises(ExampleError, match="mend or remove it") as caught:
        list(import_folder(tmp_path))
    assert "\n" not in str(caught.value)


def test_the_hands_lie_in_folders_of_sessions(data: Callable[[str], Path]) -> None:
    """The four sessions of hands_sessions are found by their names, each with the six classes."""
    found = list(import_folder(data("hands_sessions"), sessions=True))
    assert len({(one.session_name, one.label) for one in found}) == 24
    assert {one.session_name for one in found} == {"session_15", "session_2", "session_3", "session_5"}


@pytest.mark.parametrize("ending", [".JPG", ".jfif", ".pjpeg", ".mpo", ".avif", ".tif", ".jpe", ".pnm"])
def test_a_picture_is_known_by_one_list_of_endings(tmp_path: Path, ending: str) -> None:
    """What cameras and browsers call a picture is one for imports, sources and measuring, and clutter is none."""
    file = tmp_path / "cat" / f"1{ending}"
    for path in (file, tmp_path / "cat" / f"._1{ending}", tmp_path / "@eaDir" / file.name):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(image.encode_jpeg(np.full((8, 8, 3), 90, np.uint8)))
    assert [one.path for one in import_folder(tmp_path)] == [file]
    assert find_pictures(tmp_path) == [(file, "cat")]
    assert len(list(read_pictures(tmp_path, 8, 5))) == 1
