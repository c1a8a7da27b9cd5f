"""Another embedder for a taught profile: installed whole, judged, kept only where it is no worse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tiny_profile import Run, fill, model_folder

from device.commands.main import main
from edge_tl.errors import ModelError, ProfileError
from edge_tl.store.embedders import install_embedder
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_chosen, write_settings
from edge_tl.tflite.manifest import Scaling


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command on a state folder of its own, with two tiny models beside it: `model` and `other`."""
    model_folder(tmp_path / "model")
    model_folder(tmp_path / "other", name="other", more=bytes(16))
    fill(tmp_path / "pictures")

    def call(*arguments: object) -> tuple[int, Any, str]:
        capsys.readouterr()
        words = [*map(str, arguments)]
        code = main(words)
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in words and out else out, err

    return call


def taught(run: Run, tmp_path: Path) -> Path:
    """A profile that uses the tiny model and was taught and trained with it; its folder."""
    data = ("--data-dir", tmp_path / "data")
    assert run("model", "use", tmp_path / "model", *data)[0] == 0
    assert run("examples", "import", tmp_path / "pictures", *data)[0] == 0
    assert run("train", *data)[0] == 0
    return tmp_path / "data" / "profiles" / "default"


def test_the_model_is_used_without_being_named_again(run: Run, tmp_path: Path) -> None:
    """After `model use` all commands take that model; `info` of it and its hash are those that were installed."""
    folder = taught(run, tmp_path)
    name = read_chosen(folder)
    assert name is not None
    place = tmp_path / "data" / "embedders" / name
    assert (place / "tiny.tflite").read_bytes() == (tmp_path / "model" / "tiny.tflite").read_bytes()
    code, said, _ = run("predict", tmp_path / "pictures/dark/take0/0.png", "--data-dir", tmp_path / "data")
    assert code == 0
    assert "dark" in str(said)


def test_an_equal_model_takes_over_with_everything_embedded_anew(run: Run, tmp_path: Path) -> None:
    """The examples carry the new model's fingerprint, a new generation is current, and it recognizes."""
    folder = taught(run, tmp_path)
    with Profile(folder) as profile:
        before = {one.fingerprint for one in profile.store.list()}
    code, said, err = run("model", "use", tmp_path / "other", "--json", "--data-dir", tmp_path / "data")
    assert code == 0, err
    assert said["used"]
    assert said["accuracy_after"] >= said["accuracy_before"]
    assert said["generation"] == 2
    with Profile(folder) as profile:
        after = {one.fingerprint for one in profile.store.list()}
    assert len(after) == 1
    assert after != before
    assert run("evaluate", "--data-dir", tmp_path / "data")[0] == 0


def test_a_worse_model_is_not_used(run: Run, tmp_path: Path) -> None:
    """A model that sees nothing of the pictures: exit 1, everything as before; --force takes it."""
    folder = taught(run, tmp_path)
    model_folder(tmp_path / "blind", name="blind", more=bytes(32), scaling=Scaling((1e-6,) * 3, (0.5,) * 3))
    before = read_chosen(folder)
    code, said, _ = run("model", "use", tmp_path / "blind", "--json", "--data-dir", tmp_path / "data")
    assert (code, said["used"]) == (1, False)
    assert said["accuracy_after"] < said["accuracy_before"]
    assert read_chosen(folder) == before
    assert run("predict", tmp_path / "pictures/dark/take0/0.png", "--data-dir", tmp_path / "data")[0] == 0
    assert run("model", "use", tmp_path / "blind", "--force", "--data-dir", tmp_path / "data")[0] == 0
    assert read_chosen(folder) != before


def test_what_cannot_be_used_is_one_line(run: Run, tmp_path: Path) -> None:
    """A damaged model, a folder that is none, a model that is gone: one line, and the profile is as it was."""
    folder = taught(run, tmp_path)
    before = read_chosen(folder)
    (tmp_path / "other" / "tiny.tflite").write_bytes(b"not a model")
    for words in (("model", "use", tmp_path / "other"), ("model", "use", tmp_path / "nowhere")):
        code, _, err = run(*words, "--data-dir", tmp_path / "data")
        assert code == 1
        assert len(err.strip().splitlines()) == 1
        assert "Traceback" not in err
    assert read_chosen(folder) == before
    write_settings(folder, embedder="gone-000000000000")
    code, _, err = run("train", "--data-dir", tmp_path / "data")
    assert code == 1
    assert "not installed" in err
    (folder / "settings.json").write_text('{"format": 1, "embedder": "../../etc"}')
    with pytest.raises(ProfileError, match="damaged"):
        read_chosen(folder)


def test_the_same_file_with_other_scaling_is_not_mixed_in(run: Run, tmp_path: Path) -> None:
    """One .tflite under two manifests has one hash: embeddings of both would be taken for alike, so it is refused."""
    folder = taught(run, tmp_path)
    before = read_chosen(folder)
    other = Scaling((0.5,) * 3, (0.5,) * 3)
    for name, says in (("tiny", "installed already"), ("renamed", "new --profile")):
        path = model_folder(tmp_path / name, name=name, scaling=other)
        code, _, err = run("model", "use", path, "--force", "--data-dir", tmp_path / "data")
        assert (code, len(err.strip().splitlines())) == (1, 1)
        assert says in err
        assert read_chosen(folder) == before
    assert run("model", "use", tmp_path / "renamed", "--profile", "new", "--data-dir", tmp_path / "data")[0] == 0


def test_installing_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails half-way leaves no folder; what is there already is left alone."""
    source = model_folder(tmp_path / "model")
    with monkeypatch.context() as patched:
        patched.setattr(
            "edge_tl.store.embedders.sync_folder", lambda _: (_ for _ in ()).throw(OSError(28, "No space left"))
        )
        with pytest.raises(ProfileError, match="No space"):
            install_embedder(source, tmp_path / "embedders")
    assert list((tmp_path / "embedders").iterdir()) == []
    name = install_embedder(source, tmp_path / "embedders")
    assert install_embedder(source, tmp_path / "embedders") == name
    with pytest.raises(ModelError):
        install_embedder(tmp_path, tmp_path / "embedders")


def test_where_the_model_before_is_gone_its_own_advice_helps(run: Run, tmp_path: Path) -> None:
    """A profile whose model is not installed any more takes another one, or the same again, and goes on."""
    folder = taught(run, tmp_path)
    name = read_chosen(folder)
    assert name is not None
    data = ("--data-dir", tmp_path / "data")
    shutil.rmtree(tmp_path / "data" / "embedders")
    assert "`edge-tl model use FOLDER`" in run("train", *data)[2]
    assert run("model", "use", tmp_path / "model", "--json", *data)[1]["re_embed"] is False
    assert read_chosen(folder) == name
    assert run("evaluate", *data)[0] == 0
    shutil.rmtree(tmp_path / "data" / "embedders")
    code, said, _ = run("model", "use", tmp_path / "other", *data)
    assert code == 0
    assert "edge-tl examples re-embed" in said
    assert run("examples", "re-embed", *data)[0] == 0
    assert run("train", *data)[0] == 0
