"""A profile in one file and back; archives that somebody made by hand are refused and leave nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import ROOT

from device.commands.main import main
from edge_tl.core.answers import SavedHead
from edge_tl.core.features import PLAIN
from edge_tl.embedders.look.choices import Look
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ProfileError
from edge_tl.models import default_model
from edge_tl.store.backup import INDEX, restore_backup, write_backup
from edge_tl.store.near_copies import SEEN
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_look, write_settings

PRINT = "a" * 64


def fill(folder: Path, examples: int = 5) -> Path:
    """A profile with pictures, two generations, and a way to look."""
    with Profile(folder, writable=True) as profile:
        for label in ("up", "down"):
            take = profile.store.new_take(label)
            for number in range(examples):
                picture = np.full((20, 30, 3), 40 * number, np.uint8)
                profile.store.add(take, picture, np.full(8, number + 1, np.float32), PRINT)
        profile.store.flush()
        for number in (1, 2):
            profile.save(SavedHead({"head": {"name": "ridge"}, "number": number}, {"w": np.arange(4.0)}))
        profile.roll_back()
        write_settings(folder, look=Look("box", (0.1, 0.2, 0.8, 0.9)))
    return folder


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good backup."""
    folder = tmp_path_factory.mktemp("good")
    fill(folder / "profile")
    with Profile(folder / "profile") as profile:
        write_backup(profile, "hands", folder / "good.zip", 1000.0)
    return folder / "good.zip"


def test_all_of_a_profile_comes_back(archive: Path, tmp_path: Path) -> None:
    """Examples to the bit, pictures, generations with what was rolled back, and the way to look."""
    index = restore_backup(archive, tmp_path / "again")
    assert (index["profile"], index["time_s"]) == ("hands", 1000.0)
    with Profile(archive.parent / "profile") as one, Profile(tmp_path / "again") as two:
        a, b = one.store.matrix(PRINT), two.store.matrix(PRINT)
        np.testing.assert_array_equal(a.X, b.X)
        assert one.store.list() == two.store.list()
        assert one.store.picture(3) == two.store.picture(3)
        assert one.generations() == two.generations()
        loaded = two.load()
        assert loaded is not None
        assert loaded.meta["number"] == 1
        assert two.warnings == []
    assert read_look(tmp_path / "again") == Look("box", (0.1, 0.2, 0.8, 0.9))
    with Profile(tmp_path / "again", writable=True) as two:  # and it can be taught further
        take = two.store.new_take("up")
        two.store.add(take, None, np.ones(8, np.float32), PRINT)
        two.store.flush()
        assert two.store.counts()["up"].examples == 6


def test_a_backup_is_made_while_somebody_teaches(tmp_path: Path) -> None:
    """What was committed is in it, what still waits is not, and the writer is not held up."""
    with Profile(fill(tmp_path / "p"), writable=True) as writer, Profile(tmp_path / "p") as reader:
        take = writer.store.new_take("up")
        writer.store.add(take, None, np.ones(8, np.float32), PRINT)
        write_backup(reader, "p", tmp_path / "b.zip", 0.0)
        assert writer.store.flush() == 1
    restore_backup(tmp_path / "b.zip", tmp_path / "again")
    with Profile(tmp_path / "again") as again:
        assert again.store.counts()["up"].examples == 5


def made(archive: Path, out: Path, change: Callable[[dict[str, bytes]], None], *, honest: bool = True) -> Path:
    """The archive with its files changed; honest: the index tells of what is in it now."""
    with zipfile.ZipFile(archive) as good:
        files = {name: good.read(name) for name in good.namelist()}
    before = files.pop(INDEX)
    change(files)
    index = json.loads(before)
    if honest:
        index["files"] = {name: [len(data), hashlib.sha256(data).hexdigest()] for name, data in files.items()}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bad:
        bad.writestr(INDEX, json.dumps(index))
        for name, data in files.items():
            bad.writestr(name, data)
    return out


def with_trigger(files: dict[str, bytes], tmp_path: Path) -> None:
    """A trigger in the database, which would run with our own writes."""
    path = tmp_path / "evil.sqlite"
    path.write_bytes(files["examples.sqlite"])
    db = sqlite3.connect(path)
    db.execute("CREATE TRIGGER evil AFTER INSERT ON takes BEGIN DELETE FROM labels; END")
    db.commit()
    db.close()
    files["examples.sqlite"] = path.read_bytes()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda files, _: files.update({"../../escape": b"x"}), "which no profile has"),
        (lambda files, _: files.update({"/etc/passwd": b"x"}), "which no profile has"),
        (lambda files, _: files.update({"generations/000001/../../x": b"x"}), "which no profile has"),
        (lambda files, _: files.update({"settings.json": b" " * 200_000}), "makes no sense"),
        (lambda files, _: files.update({"examples.sqlite": b"nothing like it"}), "damaged"),
        (lambda files, _: files.update({"examples.sqlite": files["examples.sqlite"][:5000]}), "examples.sqlite"),
        (with_trigger, "other tables"),
        (lambda files, _: files.update({f"generations/{n:06d}/SHA256SUMS": b"" for n in range(1, 200)}), "files"),
    ],
)
def test_hostile_archives_are_refused_and_leave_nothing(
    archive: Path, tmp_path: Path, change: Callable[[dict[str, bytes], Path], None], says: str
) -> None:
    """Names that lead elsewhere, foreign tables, triggers, too much of anything: one line, and no folder."""
    bad = made(archive, tmp_path / "bad.zip", lambda files: change(files, tmp_path))
    place = tmp_path / "place" / "profile"
    with pytest.raises(ProfileError, match=says) as caught:
        restore_backup(bad, place)
    assert "\n" not in str(caught.value)
    assert list(place.parent.iterdir()) == []
    assert not (tmp_path / "escape").exists()


def test_links_and_names_given_twice_are_no_way_out(archive: Path, tmp_path: Path) -> None:
    """A member that says it is a link is written as a file; a name that is given twice is refused."""
    target = b"/etc/passwd"
    bad = made(archive, tmp_path / "bad.zip", lambda files: files.update({"settings.json": target}))
    with zipfile.ZipFile(bad) as good:
        files = {name: good.read(name) for name in good.namelist()}
    with zipfile.ZipFile(bad, "w") as linked:
        for name, data in files.items():
            about = zipfile.ZipInfo(name)
            if name == "settings.json":
                about.external_attr = (stat.S_IFLNK | 0o777) << 16
            linked.writestr(about, data)
    restore_backup(bad, tmp_path / "linked")
    assert not (tmp_path / "linked" / "settings.json").is_symlink()
    assert (tmp_path / "linked" / "settings.json").read_bytes() == target
    with zipfile.ZipFile(bad, "a") as twice, pytest.warns(UserWarning, match="Duplicate"):
        twice.writestr("settings.json", b"something else")
    with pytest.raises(ProfileError, match="twice"):
        restore_backup(bad, tmp_path / "twice")
    assert not (tmp_path / "twice").exists()


def test_a_bomb_is_cut_at_the_size_it_claims(archive: Path, tmp_path: Path) -> None:
    """Much that unpacks out of little: no more is written than the index said, and more than the disk holds never."""

    def bomb(files: dict[str, bytes]) -> None:
        files["settings.json"] = b" " * 50_000_000

    bad = made(archive, tmp_path / "bomb.zip", bomb, honest=False)
    assert bad.stat().st_size < 1_000_000
    with pytest.raises(ProfileError, match="not what its index says"):
        restore_backup(bad, tmp_path / "place")
    claims = made(archive, tmp_path / "claims.zip", lambda files: None)
    with zipfile.ZipFile(claims) as good:
        files = {name: good.read(name) for name in good.namelist()}
    index: dict[str, Any] = json.loads(files[INDEX])
    index["files"]["examples.sqlite"][0] = 10**18
    with zipfile.ZipFile(claims, "w") as bad_one:
        bad_one.writestr(INDEX, json.dumps(index))
    with pytest.raises(ProfileError, match="free some space"):
        restore_backup(claims, tmp_path / "place")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_gets_through(archive: Path, tmp_path: Path, data: st.DataObject) -> None:
    """Flipped and cut bytes anywhere in the file: restored as it was, or refused in one line."""
    whole = bytearray(archive.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.integers(0, 40))
    bad, place = tmp_path / "bad.zip", tmp_path / "place"
    bad.write_bytes(whole[: len(whole) - cut])
    shutil.rmtree(place, ignore_errors=True)
    refusal = ""
    try:
        restore_backup(bad, place)
    except ProfileError as error:
        refusal = str(error)
    assert "\n" not in refusal
    assert place.exists() != bool(refusal)
    if not refusal:
        with Profile(place) as profile, Profile(archive.parent / "profile") as original:
            np.testing.assert_array_equal(profile.store.matrix(PRINT).X, original.store.matrix(PRINT).X)


def test_the_commands_back_up_and_restore(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`backup` and `restore` on the command line; neither overwrites anything."""
    fill(tmp_path / "profiles" / "default")
    data = ["--data-dir", str(tmp_path)]
    out = str(tmp_path / "b.zip")
    assert main(["backup", out, *data]) == 0
    assert main(["backup", out, *data]) == 1
    assert "exists already" in capsys.readouterr().err
    assert main(["restore", out, *data]) == 1
    assert "another --profile" in capsys.readouterr().err
    assert main(["restore", out, "--profile", "again", *data]) == 0
    assert "10 examples, 2 generations" in capsys.readouterr().out
    assert main(["restore", str(tmp_path / "none.zip"), "--profile", "x", *data]) == 1
    assert main(["restore", __file__, "--profile", "x", *data]) == 1
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 2
    assert sorted(path.name for path in (tmp_path / "profiles").iterdir()) == ["again", "default"]


def test_nobody_else_reads_what_was_taught(tmp_path: Path) -> None:
    """Folders are 0700 and files 0600, whatever the umask: examples and their log, small pictures that were compared,
    generations, settings, backups."""
    before = os.umask(0)
    try:
        fill(tmp_path / "profiles" / "p")
        with Profile(tmp_path / "profiles" / "p", writable=True) as profile:
            profile.store.held(profile.store.matrix(PRINT))
            profile.store.new_take("up")
            write_backup(profile, "p", tmp_path / "b.zip", 0.0)
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "profiles").rglob("*")}
        restore_backup(tmp_path / "b.zip", tmp_path / "again")
    finally:
        os.umask(before)
    again = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "again").rglob("*")}
    assert {"examples.sqlite-wal", SEEN} <= set(modes)
    folders = {"p", "generations", "000001", "000002.rolled-back"}
    for made in (modes, again):
        assert {mode for name, mode in made.items() if name in folders} == {0o700}
        assert {mode for name, mode in made.items() if name not in folders} == {0o600}
    assert stat.S_IMODE((tmp_path / "again").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "b.zip").stat().st_mode) == 0o600


def test_a_profile_of_before_is_closed_when_it_is_written(tmp_path: Path) -> None:
    """One that was open to all is its owner's alone as soon as somebody teaches it."""
    folder = fill(tmp_path / "p")
    folder.chmod(0o755)
    (folder / "examples.sqlite").chmod(0o644)
    with Profile(folder, writable=True) as profile:
        assert profile.store.counts()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "examples.sqlite").stat().st_mode) == 0o600


@pytest.mark.parametrize("when_s", [0, 6e9])
def test_files_of_any_date_are_backed_up(tmp_path: Path, when_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a Pi whose clock is not set, or runs ahead: before 1980 and after 2107 ZIP knows no date."""
    folder = fill(tmp_path / "p")
    for path in folder.rglob("*"):
        os.utime(path, (when_s, when_s))
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(when_s))
    with Profile(folder) as profile:
        assert write_backup(profile, "p", tmp_path / "b.zip", when_s) > 1000
    restore_backup(tmp_path / "b.zip", tmp_path / "again")


def test_damaged_text_in_the_schema_is_one_line(tmp_path: Path) -> None:
    """SQLite quotes damaged text in its message, which is no Unicode then."""
    folder = fill(tmp_path / "p")
    path = folder / "examples.sqlite"
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE labels", b"CREATE TABLE lab\xffls"))
    with Profile(folder) as profile, pytest.raises(ProfileError, match="damaged"):
        write_backup(profile, "p", tmp_path / "b.zip", 0.0)
    assert not [one for one in tmp_path.iterdir() if one.name != "p"]


def test_a_killed_backup_leaves_nothing(tmp_path: Path) -> None:
    """kill -9 in the middle of it: neither a half file nor a copy of the examples stays."""
    fill(tmp_path / "p")
    code = (
        "import os, sys, zipfile; from pathlib import Path; from edge_tl.store import backup\n"
        "backup.zipfile.ZipFile.writestr = lambda *_: os.kill(os.getpid(), 9)\n"
        "profile = backup.Profile(Path(sys.argv[1])); backup.write_backup(profile, 'p', Path(sys.argv[2]), 0.0)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "p"), str(tmp_path / "b.zip")]
    killed = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    assert killed.returncode == -9
    assert [one.name for one in tmp_path.iterdir()] == ["p"]


def test_zeros_without_end_are_refused_at_once(archive: Path, tmp_path: Path) -> None:
    """A gigabyte and a half in as many megabytes is refused by what it says, before anything is unfolded."""
    zeros = 1_500_000_000
    with zipfile.ZipFile(tmp_path / "bad.zip", "w", zipfile.ZIP_DEFLATED) as bad:
        about = {"generations/000001/arrays.npz": [zeros, "0" * 64]}
        bad.writestr(INDEX, json.dumps({"format": 2, "profile": "x", "time_s": 0, "files": about}))
        bad.writestr("generations/000001/arrays.npz", bytes(1_500_000))
    with pytest.raises(ProfileError, match="1500 MB are said to be in"):
        restore_backup(tmp_path / "bad.zip", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_labels_that_nobody_could_type_are_refused(archive: Path, tmp_path: Path) -> None:
    """A label with control characters, or one that is no text at all, in an otherwise good database."""
    for label in ("a\x1b[2Jb", " a", "", b"\x00\xff"):

        def change(files: dict[str, bytes], label: str | bytes = label) -> None:
            path = tmp_path / "evil.sqlite"
            path.write_bytes(files["examples.sqlite"])
            db = sqlite3.connect(path)
            db.execute("UPDATE labels SET name = ? WHERE id = 1", (label,))
            db.commit()
            db.close()
            files["examples.sqlite"] = path.read_bytes()

        made(archive, tmp_path / "bad.zip", change)
        with pytest.raises(ProfileError, match=r"label|damaged"):
            restore_backup(tmp_path / "bad.zip", tmp_path / "again")
        assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("what", ["memory", "garbage"])
def test_a_generation_is_asked_before_it_is_believed(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """`restore` of a head that would take terabytes, or makes no sense: one line, and no profile."""
    meta = {"head": {"name": "ridge"}, "embedder": {"name": "x", "fingerprint": shipped()}, "features": PLAIN.saved()}
    if what == "memory":
        pool = {"kind": "flatten"}
        meta["head"] = {"name": "tuned", "epochs": [1, 1], "seed": 0, "shape": [10**13], "classes": ["a", "b"]}
        meta["head"]["lower"] = {"layers": [pool]}
    with Profile(tmp_path / "p", writable=True) as profile:
        profile.save(SavedHead(meta | {"rejector": {}}, {"head.dense": np.zeros((2, 2))}))
        write_backup(profile, "p", tmp_path / "b.zip", 0.0)
    assert main(["restore", str(tmp_path / "b.zip"), "--profile", "q", "--data-dir", str(tmp_path / "d")]) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "no whole backup" in said
    assert not (tmp_path / "d" / "profiles" / "q").exists()


def shipped() -> str:
    return TFLiteEmbedder.load(default_model()).fingerprint
