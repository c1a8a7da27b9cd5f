"""Folders of pictures as a source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from source_contract import check_source

from edge_tl.errors import SourceClosed, SourceError, SourceTimeout
from edge_tl.media.image import decode, save_png
from edge_tl.sources.folder import FolderSource, find_pictures


class Clock:
    """A clock that only `sleep` moves on."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept_s: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds


def grey(path: Path, level: int) -> Path:
    """A small picture of one grey level."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_png(path, np.full((4, 6, 3), level, np.uint8))
    return path


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """A folder with pictures 1, 2, 10 whose grey levels are their numbers."""
    for level in (10, 1, 2):
        grey(tmp_path / "flat" / f"pic{level}.png", level)
    return tmp_path / "flat"


def levels(source: FolderSource, n: int) -> list[int]:
    """The grey levels of the next pictures."""
    return [int(source.read().data[0, 0, 0]) for _ in range(n)]


def test_a_folder_keeps_the_contract_of_a_source(flat: Path) -> None:
    """A folder of pictures behaves like any other source."""
    check_source(lambda: FolderSource(flat))
    check_source(lambda: FolderSource(next(flat.iterdir()), loop=True))


def test_pictures_come_in_natural_order_and_then_the_source_is_closed(flat: Path) -> None:
    """`pic2` comes before `pic10`, and after the last picture SourceClosed says so."""
    with FolderSource(flat) as source:
        assert levels(source, 3) == [1, 2, 10]
        with pytest.raises(SourceClosed, match="3 pictures delivered, which is all"):
            source.read()


def test_a_loop_begins_again(flat: Path) -> None:
    """A looped folder never ends, and its index goes on counting."""
    with FolderSource(flat, loop=True) as source:
        assert levels(source, 5) == [1, 2, 10, 1, 2]
        assert source.read().index == 5


def test_the_label_is_the_class_folder(tmp_path: Path) -> None:
    """`class/picture` and `class/take/picture` give the truth; a flat picture has none; hidden files are left out."""
    grey(tmp_path / "a thumb" / "1.png", 1)
    grey(tmp_path / "up" / "monday" / "1.PNG", 2)
    grey(tmp_path / "loose.png", 3)
    grey(tmp_path / ".thumbnails" / "1.png", 4)
    grey(tmp_path / "up" / "._1.png", 5)
    (tmp_path / "up" / "notes.txt").write_text("not a picture")
    with FolderSource(tmp_path) as source:
        seen = {frame.truth: int(frame.data[0, 0, 0]) for frame in (source.read() for _ in range(3))}
        with pytest.raises(SourceClosed):
            source.read()
    assert seen == {"a thumb": 1, "up": 2, None: 3}


def test_frames_are_paced_by_the_clock(flat: Path) -> None:
    """At 10 pictures a second each is waited for, and one that is due too late is a SourceTimeout, not a loss."""
    clock = Clock()
    with FolderSource(flat, fps=10.0, clock=clock, sleep=clock.sleep) as source:
        times = [source.read().time_s for _ in range(2)]
        np.testing.assert_allclose(times, [100.0, 100.1])
        with pytest.raises(SourceTimeout):
            source.read(timeout_s=0.04)
        assert clock.now_s == pytest.approx(100.14)
        frame = source.read()
    assert (frame.time_s, frame.index, frame.dropped) == (pytest.approx(100.2), 2, 0)


def test_a_late_reader_gets_no_burst(flat: Path) -> None:
    """After a pause the pictures go on at their pace instead of all at once, and none is lost."""
    clock = Clock()
    with FolderSource(flat, fps=10.0, loop=True, clock=clock, sleep=clock.sleep) as source:
        source.read()
        clock.now_s += 5.0
        times = [source.read().time_s for _ in range(3)]
    np.testing.assert_allclose(np.diff(times), 0.1)


def test_unpaced_frames_never_wait(flat: Path) -> None:
    """Without fps pictures come as fast as they are read."""
    clock = Clock()
    with FolderSource(flat, clock=clock, sleep=clock.sleep) as source:
        levels(source, 3)
    assert clock.slept_s == []


def test_a_damaged_picture_is_dropped_and_counted(flat: Path) -> None:
    """A picture that cannot be read is skipped, and the next frame says that one was lost."""
    (flat / "pic5.png").write_bytes(b"no picture")
    with FolderSource(flat) as source:
        assert levels(source, 2) == [1, 2]
        frame = source.read()
    assert (int(frame.data[0, 0, 0]), frame.index, frame.dropped) == (10, 3, 1)


@pytest.mark.parametrize("loop", [False, True])
def test_only_damaged_pictures_are_an_error(tmp_path: Path, loop: bool) -> None:
    """Where no picture can be read the source says so once, in one line, instead of looping for ever."""
    (tmp_path / "a.png").write_bytes(b"no picture")
    (tmp_path / "b.jpg").write_bytes(b"")
    with (
        FolderSource(tmp_path, loop=loop) as source,
        pytest.raises(SourceError, match="none of its 2 pictures") as error,
    ):
        source.read()
    assert "\n" not in str(error.value)


def test_a_missing_or_empty_folder_is_one_line(tmp_path: Path) -> None:
    """A path that is not there and a folder without pictures are SourceErrors at open."""
    with pytest.raises(SourceError, match="no such file or folder"):
        FolderSource(tmp_path / "absent").open()
    with pytest.raises(SourceError, match="no pictures in this folder"):
        FolderSource(tmp_path).open()


def test_real_pictures_are_read_with_their_labels(data: Callable[[str], Path]) -> None:
    """The shared sign pictures come out as the decoder reads them, labelled by their folders."""
    root = data("sign_digits")
    pictures = find_pictures(root)
    assert len(pictures) >= 300
    assert {label for _, label in pictures} == {path.name for path in root.iterdir() if path.is_dir()}
    with FolderSource(root) as source:
        frame = source.read()
    np.testing.assert_array_equal(frame.data, decode(pictures[0][0]))
    assert frame.truth == pictures[0][1]
