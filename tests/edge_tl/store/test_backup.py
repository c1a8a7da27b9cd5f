"""A profile in one file and back; archives that somebody made by hand are refused and leave nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.commands.main import main
from edge_tl.core.answers import Saved
from edge_tl.embedders.look.ways import Look
from edge_tl.errors import ProfileError
from edge_tl.store.backup import INDEX, restore_backup, write_backup
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
            profile.save(Saved({"head": {"name": "ridge"}, "number": number}, {"w": np.arange(4.0)}))
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
