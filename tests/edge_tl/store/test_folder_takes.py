"""Pictures in the folder of their class itself: takes told by the files, in the order in which they were taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from edge_tl.store.folder_takes import in_takes
from edge_tl.store.folders import import_folder


def save(path: Path, seed: int, taken: str = "") -> None:
    """A picture of coloured blots, like that of no other seed, with a camera's date where there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blots = np.random.default_rng(seed).integers(0, 256, (12, 16, 3)).astype(np.uint8)
    exif = Image.Exif()
    if taken:
        exif[0x0132] = f"2026:11:30 {taken}"
    Image.fromarray(blots).resize((160, 120), Image.Resampling.BICUBIC).save(path, exif=exif)


def test_cameras_dates_tell_takes_and_their_order(tmp_path: Path) -> None:
    """By the dates in their files pictures change their order, and a pause ends a take though all show one place."""
    for name, taken in (("c", "10:00:00"), ("a", "10:00:02"), ("b", "10:05:00"), ("d", "10:05:01")):
        save(tmp_path / "mug" / f"{name}.jpg", 1, taken)
    save(tmp_path / "mug" / "c.jpg", 2, "10:00:00")
    save(tmp_path / "mug" / "a.jpg", 2, "10:00:02")
    told = [(one.path.stem, one.take) for one in in_takes(list(import_folder(tmp_path)))]
    assert told == [("c", 0), ("a", 0), ("b", 1), ("d", 1)]


def test_what_a_folder_says_stays_and_each_session_and_class_counts_anew(tmp_path: Path) -> None:
    """Takes with a folder keep their place; what cannot be read waits for whoever imports it, and is not lost."""
    for label, seed in (("a", 1), ("b", 3)):
        save(tmp_path / "home" / label / "1.jpg", seed)
        save(tmp_path / "home" / label / "2.jpg", seed + 1)
        save(tmp_path / "home" / label / "take" / "1.jpg", seed)
    (tmp_path / "home" / "b" / "3.jpg").write_bytes(b"no picture")
    found = list(import_folder(tmp_path, sessions=True))
    seen: list[tuple[int, int]] = []
    told = in_takes(found, lambda done, total: seen.append((done, total)))
    assert [one.path for one in told] == [one.path for one in found]
    assert [(one.take_name, one.take) for one in told if one.label == "a"] == [("", 0), ("", 1), ("take", 0)]
    assert [one.take for one in told if one.label == "b"] == [0, 1, 1, 0]
    assert seen[-1] == (5, 5)
