"""Disks that are full, and disks that can only be read, under the real service and the real commands."""

from __future__ import annotations

from pathlib import Path

from loop_disk import ext4
from service_parts import command, taught
from tiny_tmpfs import fill, placed, read_only, tmpfs

from benchmarks.serving import Serving


def test_examples_go_from_a_full_disk(tmp_path: Path) -> None:
    """With not a block left the console's delete and `examples remove` work, and there is room to teach again."""
    with tmpfs(tmp_path / "disk", 24_000_000) as disk, Serving(tmp_path / "s") as serving:
        placed(serving, disk / "state")
        serving.start()
        taught(serving)
        fill(disk)
        listed = serving.ask("/api/pipelines/signs/examples?label=up")[1]
        ids = [one["id"] for one in listed["examples"]]
        assert serving.act("forget", ids=ids[:3])["removed"] == 3
        assert serving.ask("/api/pipelines/signs/examples?label=up")[1]["total"] == listed["total"] - 3
        assert serving.stop() == 0
        fill(disk)
        data = ["--data-dir", str(serving.data)]
        done = command("examples", "remove", "--id", str(ids[4]), *data, folder=serving.folder)
        assert done.returncode == 0, done.stderr
        (disk / "ballast").unlink()
        assert command("train", *data, folder=serving.folder).returncode == 0


def test_a_first_start_on_a_full_disk_names_the_file(tmp_path: Path) -> None:
    """One line says what cannot be written; no half token is left behind."""
    with tmpfs(tmp_path / "disk", 1_000_000) as disk:
        more = f'[web]\nport = 0\ntoken_file = "{disk}/token"\n'
        with Serving(tmp_path / "s", more) as serving:
            placed(serving, disk / "state")
            fill(disk)
            done = command("serve", "--config", str(serving.config), folder=serving.folder)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        assert str(disk) in done.stderr
        assert [one.name for one in disk.iterdir() if "token" in one.name] == []


def test_what_was_taught_goes_on_from_a_disk_that_is_read_only(tmp_path: Path) -> None:
    """Recognition runs with the generation there is; teaching is refused in one line that says why."""
    with read_only(tmp_path, 24_000_000) as serving:
        state = serving.state()["signs"]
        assert (state["state"], state["generation"], state["classes"]) == ("open", 1, ["down", "up"])
        assert state["probabilities"]
        for action, given in (("record", {"label": "up"}), ("train", {}), ("tune", {"on": 0.9}), ("undo", {})):
            status, answer = serving.ask(f"/api/pipelines/signs/{action}", given)
            assert status == 400
            assert "can only be read" in answer["error"]
        assert serving.stop() == 0
        assert "Traceback" not in serving.log


def test_a_disk_that_turns_read_only_stops_teaching_alone(tmp_path: Path) -> None:
    """While it runs, as a worn card does: recognition goes on, teaching is refused with the reason, health says it."""
    with ext4(tmp_path / "disk", tmp_path / "image") as disk, Serving(tmp_path / "s") as serving:
        placed(serving, disk.folder / "state")
        serving.start()
        taught(serving)
        examples = serving.state()["signs"]["counts"]
        disk.fail()
        for action, given in (("label", {"label": "new"}), ("train", {}), ("tune", {"on": 0.9}), ("undo", {})):
            status, answer = serving.ask(f"/api/pipelines/signs/{action}", given)
            assert status == 400, (action, answer)
            assert "\n" not in answer["error"]
        for action, given in (("record", {"label": "up"}), ("release", {})):
            status, answer = serving.ask(f"/api/pipelines/signs/{action}", given)
            assert (status, "turned read-only" in answer["error"]) == (400, True), action
        serving.wait_for("STATUS=degraded: signs")
        serving.drain()
        for _ in range(8):  # it is tried again, and stays so
            serving.wait_for("STATUS=degraded: signs")
        state = serving.state()["signs"]
        assert (state["state"], state["generation"], state["counts"]) == ("open", 1, examples)
        assert "turned read-only" in state["teaching"]
        assert state["probabilities"]
        assert serving.log.count("turned read-only") == 1
        assert serving.stop() == 0
        assert "Traceback" not in serving.log
