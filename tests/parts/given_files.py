"""Files that a phone gives to a real service, as the console sends them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from striped import picture

from benchmarks.serving import Serving

HERE = "/api/pipelines/signs"
CAMERA_AWAY = '[pipelines.signs]\ncamera = "usb:97"\nlook = "frame"\n'


def upload(serving: Serving, label: str, data: bytes, file: str = "a.jpg", take: int = 0) -> tuple[int, Any]:
    """Give a file of a class: status and answer."""
    return serving.give(f"{HERE}/upload", data, label=label, file=file, take=take)


def give_take(serving: Serving, label: str, seeds: range) -> int:
    """Upload pictures of a class as one take; its number."""
    take = 0
    for seed in seeds:
        status, done = upload(serving, label, picture(label, seed), f"{label}{seed}.jpg", take)
        assert (status, done["added"]) == (200, 1), done
        assert not take or done["take"] == take
        take = int(done["take"])
    serving.act("end-take")
    return take


@contextmanager
def served_by_files(folder: Path) -> Iterator[Serving]:
    """A service whose camera is not there, trained on two classes of two takes each by files alone."""
    with Serving(folder, CAMERA_AWAY) as serving:
        serving.start()
        for number in range(2):
            for label in ("across", "upright"):
                give_take(serving, label, range(12 * number, 12 * number + 12))
        assert serving.act("train")["generation"] == 1
        yield serving
