"""Disks that are full or can only be read, under a service with every part: what cannot be kept is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from every_part import EVERY_PART, sums_socket
from loop_disk import ext4
from service_parts import taught
from tiny_tmpfs import fill, placed, read_only

from benchmarks.serving import Serving

HERE = "/api/pipelines/signs"
KEEPS = [
    ("signs/missed", {"was": "up"}),
    ("signs/label", {"label": "new"}),
    ("signs/rename", {"label": "up", "to": "other"}),
    ("signs/look", {"way": "hand"}),
    ("signs/train", {}),
    ("words/label", {"label": "new"}),
]
"""What keeps something."""


def correction(serving: Serving) -> dict[str, Any]:
    """The class that the last answer was not, once there is one that may be corrected."""
    while True:
        last = [one for one in serving.state()["signs"]["heard"] if one["can_be_marked"]]
        if last:
            return {"number": last[-1]["number"], "was": "down" if last[-1]["label"] == "up" else "up"}


def test_every_part_goes_on_from_a_disk_that_is_read_only(tmp_path: Path) -> None:
    """The service starts without the sockets that it cannot make, recognizes, and says once what cannot be."""
    with read_only(tmp_path, 60_000_000, EVERY_PART) as serving:
        assert serving.state()["signs"]["state"] == "open"
        assert not sums_socket(serving).exists()
        assert "sums.sock cannot be made" in serving.log
        status, answer = serving.ask("/api/fleet/aside", {"device": "desk"})
        assert (status, "cannot be trained" in answer["error"]) == (400, True)
        for action, given in KEEPS[:-1]:
            status, answer = serving.ask(f"/api/pipelines/{action}", given)
            assert (status, "can only be read" in answer["error"]) == (400, True), (action, answer)
        assert serving.stop() == 0
        assert "Traceback" not in serving.log


def test_what_the_disk_did_not_take_is_no_success_and_comes_not_later(tmp_path: Path) -> None:
    """Full: a correction is refused, and kept once where it is made again; read-only: all is refused, and it ends."""
    with ext4(tmp_path / "disk", tmp_path / "image") as disk, Serving(tmp_path / "s", EVERY_PART) as serving:
        placed(serving, disk.folder / "state")
        serving.start()
        taught(serving)
        corrected = correction(serving)
        before = serving.state()["signs"]["counts"]
        fill(disk.folder)
        status, answer = serving.ask(f"{HERE}/mark", corrected)
        assert (status, "No space left" in answer["error"]) == (400, True)
        (disk.folder / "ballast").unlink()
        while serving.state()["signs"]["teaching"] != "ready":
            serving.wait_for("STATUS=")
        assert serving.state()["signs"]["counts"] == before
        marked = serving.act("mark", **corrected)
        assert sum(count[0] for count in marked["counts"].values()) == 1 + sum(count[0] for count in before.values())
        disk.fail()
        for action, given in KEEPS:
            status, answer = serving.ask(f"/api/pipelines/{action}", given)
            assert status == 400, (action, answer)
            assert "turned read-only" in answer["error"] or "settings.json" in answer["error"], (action, answer)
        assert serving.stop() == 0
        assert "Traceback" not in serving.log
