"""A pipeline that could not be opened is tried again, ever more rarely, while the others run."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import browser
import pytest
from service_parts import command

from benchmarks.serving import Serving
from device.serve.starting import FIRST_PAUSE_S, LONGEST_PAUSE_S, FailedStart, PipelineStarter
from edge_tl.errors import ModelError, ProfileLocked
from edge_tl.store.profile import Profile
from edge_tl.testing import FakeClock

MORE = '[pipelines.good]\ncamera = "sim"\n[pipelines.bad]\ncamera = "sim"\nprofile = "bad"\n'


class Opening:
    """Opens what is not told to fail; what was tried, and when."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.errors = clock, dict[str, Exception]()
        self.tried: list[tuple[str, float]] = []
        self.doing: list[str] = []
        self.opened: dict[str, Any] = {}
        self.failed: dict[str, FailedStart] = {}
        self.starter = PipelineStarter(self.opened, self.failed, self.open_one, self.at_work, clock)

    def open_one(self, name: str) -> Any:
        """A pipeline, or the error of its name."""
        self.tried.append((name, self.clock()))
        if name in self.errors:
            raise self.errors[name]
        return name

    @contextlib.contextmanager
    def at_work(self, doing: str) -> Iterator[None]:
        """As of the service."""
        self.doing.append(doing)
        yield

    def turns(self, seconds: int) -> None:
        """The loop goes round for so long."""
        for _ in range(seconds):
            self.clock.advance(1.0)
            self.starter.turn()


def test_pauses_grow_up_to_five_minutes_and_end_with_success() -> None:
    """After 2, 4, 8 … s, at most 300; one at a time; what comes up is tried no more."""
    opening = Opening(FakeClock())
    began_s = opening.clock()
    opening.errors = {"bad": ModelError("no\nmodel"), "worse": TypeError("3 is no text")}
    opening.starter.start(["good", "bad", "worse"])
    assert opening.opened == {"good": "good"}
    assert (opening.failed["bad"].why, opening.failed["worse"].why) == ("no model", "TypeError: 3 is no text")
    opening.turns(2000)
    at = [when - began_s for name, when in opening.tried if name == "bad"]
    pauses = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert pauses[0] == pytest.approx(FIRST_PAUSE_S, abs=1.5)
    assert all(0 <= later - min(2 * earlier, LONGEST_PAUSE_S) <= 3 for earlier, later in itertools.pairwise(pauses))
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE_S, abs=3)
    health = opening.failed["bad"].health(opening.clock())
    assert (health["state"], health["tries"], health["last_error"]) == ("failed", len(at), "no model")
    assert 0 <= health["retry_s"] <= LONGEST_PAUSE_S
    assert "opening bad" in opening.doing
    opening.errors.clear()
    opening.turns(int(LONGEST_PAUSE_S) + 3)
    assert opening.opened == {"good": "good", "bad": "bad", "worse": "worse"}
    assert opening.failed == {}
    often = len(opening.tried)
    opening.turns(400)
    assert len(opening.tried) == often


def test_a_profile_that_another_program_teaches_is_waited_for_beside_others() -> None:
    """Where all are taught elsewhere the service says so and ends, as before; one of several comes up later."""
    opening = Opening(FakeClock())
    opening.errors = {"bad": ProfileLocked("another process writes")}
    opening.starter.start(["bad", "good"])
    assert list(opening.opened) == ["good"]
    del opening.errors["bad"]
    opening.turns(10)
    assert list(opening.opened) == ["good", "bad"]
    alone = Opening(FakeClock())
    alone.errors = {"bad": ProfileLocked("another process writes")}
    with pytest.raises(ProfileLocked, match="another process"):
        alone.starter.start(["bad"])


def until(serving: Serving, done: Callable[[], bool]) -> None:
    """Wait for what the service's health says a second later at the latest."""
    while not done():
        serving.wait_for("STATUS=")


def test_once_mended_it_runs_without_a_restart(tmp_path: Path) -> None:
    """The real process: two faults one after the other, the first said once, the other pipeline goes on; status, health
    and /metrics say when it is tried again, the console shows it when it is there, and it is taught like any other."""
    with Serving(tmp_path / "s", MORE) as serving, contextlib.ExitStack() as stack:
        bad = serving.data / "profiles" / "bad"
        bad.mkdir(parents=True)
        (bad / "settings.json").write_text("damaged")
        serving.start()

        def of_bad() -> dict[str, Any]:
            return dict(serving.ask("/health")[1]["pipelines"]["bad"])

        page = None
        if browser.CHROMIUM is not None:
            page = stack.enter_context(browser.Browser(tmp_path / "profile", 390, 600))
            page.open(serving.address)
            page.until("document.querySelector('.failed') !== null")
        until(serving, lambda: of_bad()["tries"] >= 2)
        assert 0 <= of_bad()["retry_s"] <= LONGEST_PAUSE_S
        metrics = serving.ask("/metrics")[1].decode()
        assert 'edge_tl_pipeline_failed_starts_total{pipeline="bad"} ' in metrics
        told = command("status", "--config", str(serving.config), folder=serving.folder).stdout
        assert re.search(r"tried \d+ times, again in \d+ second", told)
        assert serving.log.count("settings.json is damaged") == 1
        frames = serving.ask("/health")[1]["pipelines"]["good"]["frames"]
        (bad / "settings.json").unlink()
        with Profile(bad, writable=True):  # while another program teaches it, it is waited for
            until(serving, lambda: "another process" in of_bad()["fault"])
        until(serving, lambda: of_bad()["state"] == "open")
        assert "tries" not in of_bad()
        assert serving.state().keys() == {"good", "bad"}
        assert serving.ask("/health")[1]["pipelines"]["good"]["frames"] > frames
        serving.wait_for("STATUS=ok: ")
        if page is not None:
            page.until("document.querySelector('.failed') === null")
            page.until("document.querySelectorAll('.pipeline').length === 2")
            assert page.problems == []
        body: dict[str, Any] = {"label": "up"}
        until(serving, lambda: serving.act("record", "bad", **body)["counts"].get("up", [0])[0] > 0)
        serving.act("release", "bad")
        assert serving.stop() == 0
        assert serving.log.count("settings.json is damaged") == 1
        assert "Traceback" not in serving.log
