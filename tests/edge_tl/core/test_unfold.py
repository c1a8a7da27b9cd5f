"""Archives from anywhere: what is wanted is unfolded, and nothing leaves the folder, links, or grows without end."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.core.archive import DamagedArchive
from edge_tl.core.unfold import packed_as, unfold

FILES = {"train/cat/1.jpg": b"one", "train/dog/2.jpg": b"two" * 1000, "notes.txt": b"no"}


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    """A ZIP file of these."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    """A tar file of these."""
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def taken(path: Path, folder: Path, most: int = 10**9) -> dict[str, bytes]:
    """What is unfolded of its pictures."""
    folder.mkdir()
    count = unfold(path, folder, lambda file: file.suffix == ".jpg", most)
    found = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert count == len(found)
    return found


@pytest.mark.parametrize(
    ("kind", "pack"),
    [
        ("zip", zipped),
        ("gzip", tarred),
        ("tar", lambda path, files: tarred(path, files, "w")),
    ],
)
def test_what_is_wanted_is_unfolded(tmp_path: Path, kind: str, pack: Callable[[Path, dict[str, bytes]], Path]) -> None:
    """ZIP, tar and tar.gz are told by their content; files of other kinds are left out."""
    path = pack(tmp_path / "data.bin", FILES)
    assert packed_as(path) == kind
    assert taken(path, tmp_path / "out") == {name: data for name, data in FILES.items() if name.endswith(".jpg")}


@pytest.mark.parametrize("name", ["../x.jpg", "/x.jpg", "a/../../x.jpg", "..\\x.jpg", "C:\\x.jpg"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_names_that_lead_elsewhere_are_refused(
    tmp_path: Path, name: str, pack: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    """Nothing is written above the folder."""
    path = pack(tmp_path / "a", {name: b"x"})
    with pytest.raises(DamagedArchive, match="leads out of the folder"):
        taken(path, tmp_path / "out")
    assert not list(tmp_path.rglob("x.jpg"))


def test_links_are_refused(tmp_path: Path) -> None:
    """A link in an archive could name any file of this machine."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        member = zipfile.ZipInfo("x.jpg")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(DamagedArchive, match="is a link"):
        taken(tmp_path / "a.zip", tmp_path / "out")
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
        with tarfile.open(tmp_path / "a.tar", "w") as archive:
            member = tarfile.TarInfo("x.jpg")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        with pytest.raises(DamagedArchive, match=r"is a link|no plain file"):
            taken(tmp_path / "a.tar", tmp_path / f"out{kind!r}")


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_bombs_are_refused(tmp_path: Path, pack: Callable[[Path, dict[str, bytes]], Path]) -> None:
    """What unfolds to more than may be, or to hundreds of times its size, is refused before it is written."""
    path = pack(tmp_path / "a", {"x.jpg": bytes(60_000_000)})
    for most in (1000, 10**9):
        with pytest.raises(DamagedArchive, match=r"unfolds to more|larger than it may"):
            taken(path, tmp_path / f"out{most}", most)
        assert not list((tmp_path / f"out{most}").rglob("*.jpg"))


def test_a_header_that_is_a_bomb_is_refused(tmp_path: Path) -> None:
    """A tar's own notes on a member are no way around the limit."""
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("x.jpg")
        member.pax_headers = {"comment": "x" * 3_000_000}
        archive.addfile(member)
    with pytest.raises(DamagedArchive, match="headers is too large"):
        taken(tmp_path / "a.tar.gz", tmp_path / "out")


def test_what_is_not_read_is_named(tmp_path: Path) -> None:
    """bzip2 and xz, which unfold without a limit, are refused by name."""
    tarred(tmp_path / "a", FILES, "w:bz2")
    with pytest.raises(DamagedArchive, match="packed as bzip2, which is not read"):
        taken(tmp_path / "a", tmp_path / "out")


@settings(max_examples=80, deadline=None)
@given(
    at=st.integers(0, 10**6), byte=st.integers(0, 255), kind=st.sampled_from(["zip", "gz", "tar"]), cut=st.booleans()
)
def test_damage_is_one_error(
    at: int, byte: int, kind: str, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Any byte changed, or the end missing: it is read or refused, never anything else."""
    folder = tmp_path_factory.mktemp("damaged")
    path = folder / "a"
    zipped(path, FILES) if kind == "zip" else tarred(path, FILES, "w:gz" if kind == "gz" else "w")
    data = bytearray(path.read_bytes())
    at %= len(data)
    path.write_bytes(data[:at] if cut else data[:at] + bytes([byte]) + data[at + 1 :])
    (folder / "out").mkdir()
    said = ""
    try:
        unfold(path, folder / "out", lambda file: isinstance(file, PurePosixPath), 10**6)
    except DamagedArchive as error:
        said = str(error)
    assert len(said.splitlines()) <= 1
