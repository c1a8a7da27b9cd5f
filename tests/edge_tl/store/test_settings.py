"""One file remembers what a profile was taught with; the four of before are read, and a damaged part stays alone."""

from __future__ import annotations

import json
import os
import zipfile
from itertools import compress, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.embedders.hearing import Hearing
from edge_tl.embedders.look.choices import Look
from edge_tl.errors import ProfileError
from edge_tl.store import settings as room
from edge_tl.store.backup import INDEX, restore_backup, write_backup
from edge_tl.store.profile import Profile
from edge_tl.store.settings import (
    FILES,
    Settings,
    read_look,
    read_mirrored,
    read_settings,
    remembered_look,
    write_settings,
)
from edge_tl.store.tuning import Tuning

PARTS = ("look", "hearing", "embedder", "tuning")
TAUGHT = Settings(
    Look("box", (0.2, 0.1, 0.8, 0.9)), Hearing("/bases/mine", 2), "mobilenet_v2-1.0-160-2f9c1d3a4b5c", Tuning(on=0.9)
)
OLD = {
    "look": ("look.json", '{"format": 1, "way": "box", "box": [0.2, 0.1, 0.8, 0.9], "hands": "largest"}'),
    "hearing": ("hearing.json", '{"format": 1, "base": "/bases/mine", "unfrozen": 2}'),
    "embedder": ("embedder.json", '{"format": 1, "embedder": "mobilenet_v2-1.0-160-2f9c1d3a4b5c"}'),
    "tuning": ("tuning.json", '{"smoothing_s": null, "on": 0.9, "off": null, "threshold": null}'),
}
"""As the four files stood there, to the byte."""


def old(folder: Path, *names: str) -> None:
    """A profile of before."""
    for name in names:
        (folder / OLD[name][0]).write_text(OLD[name][1])


def expected(names: tuple[str, ...]) -> Settings:
    """What such a profile remembers."""
    return Settings(**{name: getattr(TAUGHT, name) for name in names})


def files(folder: Path) -> set[str]:
    """The names of what lies there."""
    return {path.name for path in folder.iterdir()}


COMBINATIONS = [tuple(compress(PARTS, there)) for there in product((0, 1), repeat=4)]


@pytest.mark.parametrize("names", COMBINATIONS, ids=lambda names: "+".join(names) or "none")
def test_profiles_of_before_are_read_and_moved_with_the_first_write(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Any of the four old files: read as they were, then all in the new file, with the change, and gone."""
    old(tmp_path, *names)
    assert read_settings(tmp_path, *PARTS) == expected(names)
    assert files(tmp_path) == {OLD[name][0] for name in names}  # reading writes nothing
    write_settings(tmp_path, embedder="other-000000000000")
    assert files(tmp_path) == {"settings.json"}
    changed = {name: getattr(expected(names), name) for name in PARTS} | {"embedder": "other-000000000000"}
    assert read_settings(tmp_path, *PARTS) == Settings(**changed)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """All at once or one by one; None takes a part back; what nobody chose is told from what was chosen."""
    assert read_settings(tmp_path / "nowhere", *PARTS) == Settings()
    assert remembered_look(tmp_path) is None
    write_settings(tmp_path, look=Look())
    assert remembered_look(tmp_path) == Look()
    write_settings(tmp_path, **{name: getattr(TAUGHT, name) for name in PARTS})
    assert read_settings(tmp_path, *PARTS) == TAUGHT
    assert json.loads((tmp_path / "settings.json").read_text())["format"] == 1
    write_settings(tmp_path, look=None, embedder=None)
    assert read_settings(tmp_path, *PARTS) == Settings(hearing=TAUGHT.hearing, tuning=TAUGHT.tuning)
    assert files(tmp_path) == {"settings.json"}
    with pytest.raises(TypeError):
        write_settings(tmp_path, colour="red")


@pytest.mark.parametrize("where", ["replace", "unlink"])
def test_killed_while_the_files_move_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Before the new file has its name all is as it was; after it the new one counts, whatever is left of the old."""

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    old(tmp_path, *PARTS)
    with monkeypatch.context() as patched:
        if where == "replace":
            patched.setattr(os, "replace", killed)
        else:
            patched.setattr(room, "sync_folder", killed)  # on disk, and not yet removed
        with pytest.raises(KeyboardInterrupt):
            write_settings(tmp_path, look=Look("hand"))
    assert {name for name, _ in OLD.values()} <= files(tmp_path)
    look = TAUGHT.look if where == "replace" else Look("hand")
    left = Settings(look, TAUGHT.hearing, TAUGHT.embedder, TAUGHT.tuning)
    assert read_settings(tmp_path, *PARTS) == left
    write_settings(tmp_path, tuning=Tuning())
    assert read_settings(tmp_path, *PARTS) == Settings(look, TAUGHT.hearing, TAUGHT.embedder)
    assert {name for name in files(tmp_path) if not name.startswith(".")} == {"settings.json"}


@pytest.mark.parametrize("own", [True, False], ids=["four files", "one file"])
@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("look", "re-embed --look WAY"),
        ("hearing", "write|null for pictures"),
        ("embedder", "edge-tl model use FOLDER"),
        ("tuning", "configured thresholds are used"),
    ],
)
def test_a_damaged_part_takes_no_other_with_it(tmp_path: Path, name: str, advice: str, own: bool) -> None:
    """It is named with what mends it; all others are read, written and kept; writing it anew mends it."""
    old(tmp_path, *PARTS)
    path = tmp_path / OLD[name][0]
    if own:
        path.write_text('{"format"')
    else:
        write_settings(tmp_path)
        path = tmp_path / "settings.json"
        content = json.loads(path.read_text())
        path.write_text(json.dumps(content | {name: {"x": 1}}))
    others = [one for one in PARTS if one != name]
    for _ in range(2):
        assert read_settings(tmp_path, *others) == expected(tuple(others))
        with pytest.raises(ProfileError, match=advice) as caught:
            read_settings(tmp_path, name)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
        assert "is damaged" in str(caught.value)
        write_settings(tmp_path, **{others[0]: getattr(TAUGHT, others[0])})
    write_settings(tmp_path, **{name: getattr(TAUGHT, name)})
    assert read_settings(tmp_path, *PARTS) == TAUGHT
    assert files(tmp_path) == {"settings.json"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"format": 2, "look": {"way": "far"}}', "format '2', this edge-tl reads 1: upgrade edge-tl"),
        ("{}", "is damaged: take it from a backup, or remove it"),
        ("null", "is damaged: take it from a backup, or remove it"),
        ('{"format": 1, "look"', "is damaged: take it from a backup, or remove it"),
        (" " * 60_000, "is damaged: take it from a backup, or remove it"),
    ],
)
def test_a_file_that_is_none_is_never_written_over(tmp_path: Path, text: str, says: str) -> None:
    """Of a newer edge-tl, or damaged as a whole: one line that says what to do, for readers and for writers."""
    (tmp_path / "settings.json").write_text(text)
    for attempt in (lambda: read_look(tmp_path), lambda: write_settings(tmp_path, look=Look())):
        with pytest.raises(ProfileError, match=says) as caught:
            attempt()
        assert "\n" not in str(caught.value)
    assert (tmp_path / "settings.json").read_text() == text


def test_what_a_newer_edge_tl_added_is_kept(tmp_path: Path) -> None:
    """A part that is not known here survives a write."""
    (tmp_path / "settings.json").write_text('{"format": 1, "look": null, "lamp": {"on": true}}')
    write_settings(tmp_path, look=Look("hand"))
    content = json.loads((tmp_path / "settings.json").read_text())
    assert (content["lamp"], content["look"]["way"]) == ({"on": True}, "hand")


def test_a_disk_that_takes_nothing_leaves_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, and the old files stay."""
    old(tmp_path, *PARTS)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room, "write_synced", full)
    with pytest.raises(ProfileError, match="No space left on device"):
        write_settings(tmp_path, look=Look("hand"))
    assert read_settings(tmp_path, *PARTS) == TAUGHT


@pytest.mark.parametrize("moved", [False, True])
def test_a_backup_holds_the_settings_of_both_kinds(tmp_path: Path, moved: bool) -> None:
    """Before and after the move all four come back; a backup of before (format 1) is restored."""
    with Profile(tmp_path / "p", writable=True):
        old(tmp_path / "p", *PARTS)
        if moved:
            write_settings(tmp_path / "p")
    with Profile(tmp_path / "p") as profile:
        write_backup(profile, "p", tmp_path / "b.zip", 1.0)
    restore_backup(tmp_path / "b.zip", tmp_path / "again")
    assert read_settings(tmp_path / "again", *PARTS) == TAUGHT
    assert files(tmp_path / "again") & set(FILES) == files(tmp_path / "p") & set(FILES)
    with zipfile.ZipFile(tmp_path / "b.zip") as now:
        index = json.loads(now.read(INDEX))
        with zipfile.ZipFile(tmp_path / "old.zip", "w") as before:
            before.writestr(INDEX, json.dumps(index | {"format": 1}))
            for name in index["files"]:
                before.writestr(name, now.read(name))
    restore_backup(tmp_path / "old.zip", tmp_path / "older")
    assert read_settings(tmp_path / "older", *PARTS) == TAUGHT


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150)
@given(st.data())
def test_any_bytes_are_settings_or_one_line(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever lies in the five files, each part is read or refused in one line, and so is writing."""
    folder = tmp_path_factory.mktemp("any")
    for name, text in {**dict(OLD.values()), "settings.json": '{"format": 1, "look": null}'}.items():
        good = json.loads(text)
        keys = st.sampled_from([*good, *PARTS])
        more = st.dictionaries(keys, json_values, max_size=2)
        spoilt = more.map(lambda more, good=good: json.dumps(good | more).encode())
        content = data.draw(st.none() | st.just(text.encode()) | spoilt | st.binary(max_size=20), label=name)
        if content is not None:
            (folder / name).write_bytes(content)
    said = []
    for name in PARTS:
        try:
            read_settings(folder, name)
        except ProfileError as error:
            said.append(str(error))
    try:
        write_settings(folder, look=Look("hand"))
        assert read_look(folder) == Look("hand")
    except ProfileError as error:
        said.append(str(error))
    assert not any("\n" in line for line in said)


def test_a_mirroring_camera_is_remembered(tmp_path: Path) -> None:
    """It is off where nobody said so, it stays beside all else, and what it never was is named in a line."""
    assert not read_mirrored(tmp_path)
    write_settings(tmp_path, mirrored=True)
    write_settings(tmp_path, look=Look())
    assert read_mirrored(tmp_path)
    content = json.loads((tmp_path / "settings.json").read_text())
    (tmp_path / "settings.json").write_text(json.dumps(content | {"mirrored": "perhaps"}))
    with pytest.raises(ProfileError, match="mirrored is damaged: say again with"):
        read_mirrored(tmp_path)
    assert read_look(tmp_path) == Look()
