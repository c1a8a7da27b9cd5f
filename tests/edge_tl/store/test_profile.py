"""Profiles: whole generations, one writer, and damage that is found."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from fake_clocks import SET_S, FakeClocks
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_tl.core.answers import SavedHead
from edge_tl.embedders.look.choices import Look
from edge_tl.errors import ProfileError, ProfileLocked
from edge_tl.store.generations import KEPT
from edge_tl.store.profile import Profile
from edge_tl.store.settings import write_settings

META = {"head": {"name": "ridge", "λ": 0.1}, "evaluation": {"accuracy": 0.875}, "labels": ["up", "😀/.."], "none": None}


def saved(number: int) -> SavedHead:
    """What a generation of this number is to hold."""
    arrays = {
        "head.W": np.full((3, 4), number, np.float32),
        "classes/ü": np.array(["up", "down"]),
        "file": np.arange(number, dtype=np.int64),
        "": np.array(number > 1),
    }
    return SavedHead({**META, "number": number}, arrays)


def same(got: SavedHead | None, wanted: SavedHead) -> bool:
    """Whether two generations hold the same, dtypes and shapes included."""
    assert got is not None
    return (
        got.meta == wanted.meta
        and list(got.arrays) == list(wanted.arrays)
        and all(
            got.arrays[name].dtype == array.dtype
            and got.arrays[name].shape == array.shape
            and got.arrays[name].tobytes() == array.tobytes()
            for name, array in wanted.arrays.items()
        )
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A profile with three generations, saved a second apart."""
    clock = FakeClocks()
    with Profile(tmp_path / "profiles" / "me", writable=True, clock=clock) as profile:
        for number in (1, 2, 3):
            clock.advance(1.0)
            assert profile.save(saved(number)) == number
    return tmp_path / "profiles" / "me"


def test_what_was_saved_is_loaded(folder: Path) -> None:
    """The newest generation comes back exactly, in another process's eyes too, and the list tells about each."""
    profile = Profile(folder)
    assert same(profile.load(), saved(3))
    assert profile.warnings == []
    listed = profile.generations()
    assert [one.number for one in listed] == [3, 2, 1]
    assert [one.time_s for one in listed] == [SET_S + 3.0, SET_S + 2.0, SET_S + 1.0]
    assert {(one.ok, one.rolled_back, one.head, one.accuracy) for one in listed} == {(True, False, "ridge", 0.875)}
    subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], check=True, cwd=folder / "generations/000003"
    )


def test_an_empty_profile_has_nothing_to_load(tmp_path: Path) -> None:
    """Before the first save there is no generation, no error, and no metadata is needed for a later list."""
    with Profile(tmp_path / "new", writable=True) as profile:
        assert profile.load() is None
        assert profile.generations() == []
        with pytest.raises(ProfileError, match="before the current one"):
            profile.roll_back()
        profile.save(SavedHead({}))
        assert same(profile.load(), SavedHead({}))
        assert (profile.generations()[0].head, profile.generations()[0].accuracy) == (None, None)


@settings(max_examples=25)
@given(
    arrays=st.dictionaries(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
        hnp.arrays(
            hnp.floating_dtypes() | hnp.integer_dtypes() | hnp.unicode_string_dtypes() | hnp.boolean_dtypes(),
            hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        ),
        max_size=4,
    ),
    meta=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"])) | st.lists(st.integers()),
        max_size=4,
    ),
)  # fmt: skip
def test_any_arrays_and_json_survive(
    tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, np.ndarray], meta: dict[str, object]
) -> None:
    """Arrays of every dtype, shape and name, and any JSON, come back bit for bit."""
    with Profile(tmp_path_factory.mktemp("any"), writable=True) as profile:
        profile.save(SavedHead(meta, arrays))
        assert same(profile.load(), SavedHead(meta, arrays))


def test_the_same_model_is_the_same_bytes(folder: Path) -> None:
    """Saving the same arrays twice writes the same file, so that its check sum names the model."""
    with Profile(folder, writable=True) as profile:
        profile.save(saved(3))
    files = [folder / "generations" / name / "arrays.npz" for name in ("000003", "000004")]
    assert files[0].read_bytes() == files[1].read_bytes()
    with np.load(files[0], allow_pickle=False) as arrays:
        assert set(arrays) == {"head.W", "classes/ü", "file", ""}


@pytest.mark.parametrize(
    "bad",
    [
        SavedHead({"x": np.float32(1)}),
        SavedHead({"x": float("nan")}),
        SavedHead({"x": {1, 2}}),
        SavedHead({("a", 1): 1}),  # type: ignore[dict-item]
        SavedHead({"x": "\udcff"}),
        SavedHead({}, {"x": np.array([object()])}),
        SavedHead({}, {"x": np.array([None, "text"], dtype=object)}),
    ],
)
def test_what_cannot_be_saved_exactly_is_refused(folder: Path, bad: SavedHead) -> None:
    """No NaN in JSON, no pickled object: one line, and the generation before stays current with nothing left over."""
    with Profile(folder, writable=True) as profile:
        with pytest.raises(ProfileError, match="cannot save this") as caught:
            profile.save(bad)
        assert len(str(caught.value).splitlines()) == 1
        assert same(profile.load(), saved(3))
    assert len(list((folder / "generations").iterdir())) == 3


def test_a_pickle_is_never_opened(folder: Path, tmp_path: Path) -> None:
    """Even with matching check sums, an array file that holds a pickle runs nothing."""

    class Touch:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "touched"),)

    generation = folder / "generations" / "000003"
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    with zipfile.ZipFile(generation / "arrays.npz", "w") as file:
        file.writestr(
            "x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + pickle.dumps([Touch()])
        )
    sums = "".join(
        f"{hashlib.sha256((generation / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("profile.json", "arrays.npz")
    )
    (generation / "SHA256SUMS").write_text(sums)
    profile = Profile(folder)
    assert same(profile.load(), saved(2))
    assert not (tmp_path / "touched").exists()


def test_the_last_generations_are_kept(folder: Path) -> None:
    """Saving goes on for ever and keeps the newest five."""
    with Profile(folder, writable=True) as profile:
        for number in range(4, 12):
            assert profile.save(saved(number)) == number
        assert [one.number for one in profile.generations()] == [11, 10, 9, 8, 7]
    assert len(list((folder / "generations").iterdir())) == KEPT == 5


def test_rolling_back_and_forth(folder: Path) -> None:
    """Rolling back makes the one before current, again and again, destroys nothing, and no number comes twice."""
    with Profile(folder, writable=True) as profile:
        assert profile.roll_back() == 2
        assert same(profile.load(), saved(2))
        assert [(one.number, one.rolled_back) for one in profile.generations()] == [(3, True), (2, False), (1, False)]
        assert profile.roll_back() == 1
        assert same(profile.load(), saved(1))
        with pytest.raises(ProfileError, match="before the current one"):
            profile.roll_back()
        assert profile.save(saved(4)) == 4
        assert same(profile.load(), saved(4))
        assert profile.roll_back() == 1
        assert all(one.ok for one in profile.generations())
        assert profile.warnings == []
    assert same(Profile(folder).load(), saved(1))


def test_rolling_back_passes_over_the_damaged(folder: Path) -> None:
    """With a damaged newest generation, rolling back goes to the one before the one in use."""
    (folder / "generations/000003/arrays.npz").unlink()
    with Profile(folder, writable=True) as profile:
        assert same(profile.load(), saved(2))
        assert profile.roll_back() == 1
        assert same(profile.load(), saved(1))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile with two generations, to be copied."""
    folder = tmp_path_factory.mktemp("damage") / "pair"
    with Profile(folder, writable=True) as profile:
        profile.save(saved(1))
        profile.save(saved(2))
    return folder


@settings(max_examples=60)
@given(
    name=st.sampled_from(["profile.json", "arrays.npz", "SHA256SUMS"]),
    place=st.floats(0, 1, exclude_max=True),
    mask=st.integers(1, 255),
    how=st.sampled_from(["flip", "flip", "cut", "grow", "remove"]),
)
def test_damage_gives_the_generation_before(pair: Path, name: str, place: float, mask: int, how: str) -> None:
    """Any byte flipped, any file cut, grown or gone: the generation before is loaded, exactly, with one warning."""
    folder = pair.with_name("damaged")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(pair, folder)
    path = folder / "generations" / "000002" / name
    good = path.read_bytes()
    at = int(place * len(good))
    if how == "flip":
        path.write_bytes(good[:at] + bytes([good[at] ^ mask]) + good[at + 1 :])
    elif how == "cut":
        path.write_bytes(good[:at])
    elif how == "grow":
        path.write_bytes(good + bytes([mask]))
    else:
        path.unlink()
    reader = Profile(folder)
    assert same(reader.load(), saved(1))
    assert same(reader.load(), saved(1))
    assert len(reader.warnings) == 1
    assert "000002" in reader.warnings[0]
    assert [one.ok for one in reader.generations()] == [False, True]
    (folder / "generations" / "000001" / "profile.json").write_bytes(b"")
    with pytest.raises(ProfileError, match="edge-tl train") as caught:
        reader.load()
    assert len(str(caught.value).splitlines()) == 1
    with Profile(folder, writable=True) as writer:
        assert writer.save(saved(3)) == 3
        assert same(writer.load(), saved(3))


def test_a_generation_that_is_a_file_or_foreign_is_passed_over(folder: Path) -> None:
    """Things in the folder that no save made do not hide the good generations."""
    generations = folder / "generations"
    (generations / "000009").write_text("a file")
    (generations / "notes.txt").write_text("mine")
    (generations / "backup").mkdir()
    profile = Profile(folder)
    assert same(profile.load(), saved(3))
    assert len(profile.warnings) == 1


def test_a_newer_format_says_upgrade(folder: Path) -> None:
    """A generation written by a newer edge-tl is not taken for damage, nor silently skipped."""
    generation = folder / "generations" / "000003"
    text = (generation / "profile.json").read_bytes()
    newer = text.replace(b'"format": 1', b'"format": 9')
    (generation / "profile.json").write_bytes(newer)
    sums = (generation / "SHA256SUMS").read_text()
    old, new = hashlib.sha256(text).hexdigest(), hashlib.sha256(newer).hexdigest()
    (generation / "SHA256SUMS").write_text(sums.replace(old, new))
    with pytest.raises(ProfileError, match=r"format 9.* upgrade"):
        Profile(folder).load()


def test_one_writer_and_the_second_is_told_who(folder: Path) -> None:
    """A second writer, in this process or another, gets the PID of the first; readers work; then the lock is free."""
    with Profile(folder, writable=True) as writer:
        with pytest.raises(ProfileLocked, match=rf"PID {os.getpid()}\b.* end it"):
            Profile(folder, writable=True)
        code = "import sys; from edge_tl.store.profile import Profile; Profile(sys.argv[1], writable=True)"
        other = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False)
        assert f"ProfileLocked: another process (PID {os.getpid()})" in other.stderr
        writer.store.add_label("up")
        with Profile(folder) as reader:
            assert same(reader.load(), saved(3))
            assert reader.store.labels() == ["up"]
            with pytest.raises(ProfileError, match="reading only"):
                reader.save(saved(4))
            with pytest.raises(ProfileError, match="reading only"):
                reader.roll_back()
    with Profile(folder, writable=True):
        pass


def test_closing_commits_and_frees(folder: Path) -> None:
    """Closing, twice if need be, commits what waits; a closed profile neither writes nor keeps the lock."""
    profile = Profile(folder, writable=True)
    take = profile.store.new_take("up")
    profile.store.add(take, None, np.ones(3, np.float32), "a" * 64)
    profile.close()
    profile.close()
    with pytest.raises(ProfileError):
        profile.save(saved(4))
    with Profile(folder, writable=True) as again:
        assert again.store.counts()["up"].examples == 1


def test_a_profile_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """A reader makes no folder; a file in its place is told, also to a writer."""
    with pytest.raises(ProfileError, match=r"no profile at .*edge-tl teach"):
        Profile(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(ProfileError, match="no profile at"):
        Profile(tmp_path / "file")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ProfileError, match="cannot be written"):
            Profile(path, writable=True)


def test_the_examples_of_a_damaged_store_do_not_hide_the_model(folder: Path) -> None:
    """With garbage for examples, what was trained is still loaded, and the examples give one clear line."""
    (folder / "examples.sqlite").write_bytes(b"garbage" * 1000)
    with Profile(folder) as profile:
        assert same(profile.load(), saved(3))
        with pytest.raises(ProfileError, match="damaged"):
            _ = profile.store


def fail_in(folder: Path, *, teach: bool = False, letter: bool = False) -> None:
    """Open a profile for writing, show classes, perhaps teach one example or leave a file of one's own, and fail."""
    with Profile(folder, writable=True) as profile:
        profile.standard = frozenset({"up"})
        profile.store.add_label("up")
        write_settings(folder, look=Look("hand"))
        if teach:
            profile.store.add(profile.store.new_take("up"), None, np.ones(3, np.float32), "a" * 64)
        if letter:
            (folder / "letter.txt").write_text("mine")
        raise ZeroDivisionError


def test_a_start_that_fails_leaves_no_profile_behind(tmp_path: Path) -> None:
    """A profile that was made by it goes; one that was there, holds an example or a file of somebody's stays."""
    with Profile(tmp_path / "empty", writable=True):
        pass
    for name, more in (
        ("new", {}),
        ("taught", {"teach": True}),
        ("taught", {}),
        ("empty", {}),
        ("their", {"letter": True}),
    ):
        with pytest.raises(ZeroDivisionError):
            fail_in(tmp_path / name, **more)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "taught", "their"]
    with Profile(tmp_path / "taught") as profile:
        assert profile.store.counts()["up"].examples == 1
    assert (tmp_path / "their" / "letter.txt").read_text() == "mine"


def test_an_end_without_an_example_may_leave_no_profile(tmp_path: Path) -> None:
    """Without `keep_empty` what was made and not taught goes at a good end too; what was there before stays."""
    with Profile(tmp_path / "there", writable=True):
        pass
    for name, teach in (("there", False), ("new", False), ("taught", True), ("taught", False)):
        with Profile(tmp_path / name, writable=True, keep_empty=False) as profile:
            profile.standard = frozenset({"up"})
            profile.store.add_label("up")
            if teach:
                take = profile.store.new_take("up")
                profile.store.add(take, np.zeros((4, 4, 3), np.uint8), np.ones(3, np.float32), "f" * 64)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taught", "there"]
    with Profile(tmp_path / "named", writable=True, keep_empty=False) as profile:
        profile.store.add_label("mine")
    with Profile(tmp_path / "chosen", writable=True, keep_empty=False) as profile:
        profile.keep()
    assert {"named", "chosen"} <= {path.name for path in tmp_path.iterdir()}
