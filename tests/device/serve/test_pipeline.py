"""The service's pipelines: frames in, events out, and nothing that the world does stops the loop."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pipeline_bench import Bench

from device.serve.config import StoreConfig
from device.serve.pipeline import IDLE_S, LEASE_S, RETRY_S
from device.serve.recognizing import LOST_S
from device.serve.requests import Requests
from device.serve.service import Service
from device.serve.systemd import Notify
from edge_tl.controller import ControllerConfig
from edge_tl.errors import ConfigError, ExampleError, ProfileError
from edge_tl.frames import BaseSource
from edge_tl.sources.simulated import SimulatedPlayer
from edge_tl.store.settings import write_settings
from edge_tl.store.tuning import Tuning
from edge_tl.testing import FakeClock

LONG_S = 30.0


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A pipeline with an empty profile."""
    made = Bench(tmp_path / "profile")
    yield made
    made.profile.close()


def taught(bench: Bench) -> Bench:
    """Two classes in two takes each, trained."""
    for _ in range(2):
        bench.teach("dark", 40)
        bench.teach("light", 210)
    bench.pipeline.train()
    return bench


def test_teaching_makes_events(bench: Bench) -> None:
    """Taught and trained by held buttons, what is shown is told once, and its end when another comes."""
    taught(bench)
    events = bench.show(40, 9) + bench.show(210, 9)
    assert [event.label for event in events if event.label is not None] == ["dark", "light"]
    assert all((event.source, event.time, event.generation) == ("signs", 1000.0, 1) for event in events)
    assert bench.pipeline.health()["generation"] == 1
    assert bench.pipeline.held == "light"


def test_why_nothing_is_told_is_known(bench: Bench) -> None:
    """After five seconds of what was not taught that is said, in health too; not while a sign is told or taught."""
    taught(bench)
    bench.show(125, 120)
    assert bench.pipeline.silence.why == ""
    bench.show(125, 60)
    assert bench.pipeline.health()["silent"] == bench.pipeline.silence.why != ""
    bench.show(40, 9)
    assert bench.pipeline.held == "dark"
    assert bench.pipeline.health()["silent"] == ""
    bench.pipeline.record("dark")
    bench.show(125, 200)
    assert bench.pipeline.silence.why == ""


def test_a_sign_ends_when_the_camera_is_lost(bench: Bench) -> None:
    """A pin must not stay on because a cable came loose: without frames the label ends."""
    taught(bench)
    bench.show(210, 9)
    assert bench.pipeline.held == "light"
    bench.clock.advance(LOST_S + 0.1)
    (event,) = bench.pipeline.step()
    assert event.label is None
    assert bench.pipeline.held is None


def test_the_simulated_player_goes_on_when_the_button_is_let_go(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """He shows what is taught while that is held, and afterwards what he showed before, not what was taught last."""
    orders: list[Callable[[BaseSource], None]] = []
    monkeypatch.setattr(bench.pipeline.feed, "tell", orders.append)
    bench.pipeline.record("down")
    bench.show(40, 5)
    bench.pipeline.release()
    with SimulatedPlayer(1, FakeClock(), fps=10.0, script=[("up", 0.5), ("left", 0.5), ("right", 9.0)]) as player:
        player.read()
        orders[0](player)
        assert {player.read().truth for _ in range(20)} == {"down"}
        for order in orders[1:]:
            order(player)
        shown = [player.read().truth for _ in range(9)]
        assert [label for label, _ in itertools.groupby(shown)] == ["left", "right"]


def test_a_button_that_is_not_heard_of_again_is_let_go(bench: Bench) -> None:
    """A phone that leaves the network while its button is held records nothing more after a moment."""
    bench.pipeline.record("dark")
    bench.show(40, 5)
    bench.clock.advance(LEASE_S + 0.1)
    bench.show(210, 10)
    assert bench.pipeline.recording is None
    assert bench.profile.store.counts()["dark"].examples <= 6


def test_another_button_begins_another_take(bench: Bench) -> None:
    """Pressing a second class ends the first one's take."""
    for label, value in (("dark", 40), ("light", 210), ("dark", 40)):
        bench.pipeline.record(label)
        bench.show(value, 3)
    bench.pipeline.release()
    counts = bench.profile.store.counts()
    assert (counts["dark"].takes, counts["light"].takes) == (2, 1)


def test_a_full_disk_stops_teaching_and_nothing_else(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk is full it says so and goes on recognizing; when there is room again, all that waited is kept."""
    taught(bench)
    before = bench.profile.store.counts()["dark"].examples
    store = bench.profile.store
    flush, full = store.flush, True

    def refused() -> int:
        if full and len(store._batch):
            raise ProfileError("the disk is full: free some space")
        return flush()

    monkeypatch.setattr(store, "flush", refused)
    bench.pipeline.record("dark")
    bench.show(40, 20)
    assert "full" in bench.pipeline.health()["teaching"]
    with pytest.raises(ProfileError, match="full"):
        bench.pipeline.record("dark")
    assert bench.show(210, 9)[-1].label == "light"
    assert store.counts()["dark"].examples == before
    full = False
    bench.clock.advance(RETRY_S + 0.1)
    bench.show(210)
    assert bench.pipeline.health()["teaching"] == "ready"
    assert store.counts()["dark"].examples > before


def test_training_that_cannot_be_saved_changes_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the new generation does not fit on the disk, the one before goes on answering."""
    taught(bench)
    head = bench.pipeline.line.recognizer.head
    bench.teach("grey", 120)
    bench.teach("grey", 120)

    def refused(*_: object) -> int:
        raise ProfileError("the disk is full")

    monkeypatch.setattr(bench.profile, "save", refused)
    with pytest.raises(ProfileError):
        bench.pipeline.train()
    assert bench.pipeline.line.recognizer.head is head
    assert bench.pipeline.generation == 1
    assert bench.show(40, 9)[-1].label == "dark"


def test_roll_back_goes_on_with_the_generation_before(bench: Bench) -> None:
    """What was trained last is set aside, and the classes of before are told again."""
    taught(bench)
    bench.teach("grey", 120)
    bench.teach("grey", 120)
    bench.pipeline.train()
    assert "grey" in bench.pipeline.health()["classes"]
    assert bench.pipeline.roll_back() == 1
    assert bench.pipeline.health()["classes"] == ["dark", "light"]
    bench.show(40, 9)
    assert bench.pipeline.held == "dark"


def test_limits_refuse_or_forget_the_oldest(tmp_path: Path) -> None:
    """At the limit recording stops with the reason; with drop-oldest the oldest take of the largest class goes."""
    refusing = Bench(tmp_path / "a", StoreConfig(max_examples=10))
    refusing.teach("dark", 40, 40)
    with pytest.raises(ExampleError, match="full"):
        refusing.pipeline.record("dark")
    forgetting = Bench(tmp_path / "b", StoreConfig(max_examples=20, when_full="drop-oldest"))
    for _ in range(4):
        forgetting.teach("dark", 40, 8)
    forgetting.teach("light", 210, 8)
    counts = forgetting.profile.store.counts()
    assert counts["light"].examples > 0
    assert sum(count.examples for count in counts.values()) < 40
    newest = max(one.take for one in forgetting.profile.store.list())
    assert newest == 5
    for one in (refusing, forgetting):
        one.profile.close()


def test_only_embeddings_are_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    """With keep = "embeddings" no picture reaches the disk, and training works all the same."""
    bench = taught(Bench(tmp_path / "p", StoreConfig(keep="embeddings")))
    rows = bench.profile.store.list()
    assert rows
    assert all(one.media_bytes_len == 0 for one in rows)
    assert bench.show(40, 9)[-1].label == "dark"
    bench.profile.close()
    files = b"".join(path.read_bytes() for path in (tmp_path / "p").glob("examples*"))
    assert b"\xff\xd8\xff" not in files


def test_thresholds_from_the_console_survive_a_restart(tmp_path: Path) -> None:
    """What was tuned is used at once and again later; damage to its file is told, and the configuration holds."""
    bench = taught(Bench(tmp_path / "p"))
    bench.pipeline.tune(Tuning(on=0.99, off=0.98))
    assert bench.pipeline.line.controller.config.on == 0.99  # type: ignore[union-attr]
    bench.profile.close()
    again = Bench(tmp_path / "p")
    assert again.pipeline.line.controller.config.on == 0.99  # type: ignore[union-attr]
    again.profile.close()
    (tmp_path / "p" / "settings.json").write_text('{"format": 1, "tuning": {"on": "7"}}')
    damaged = Bench(tmp_path / "p")
    assert "damaged" in damaged.pipeline.health()["last_error"]
    assert damaged.pipeline.health()["classes"] == ["dark", "light"]
    damaged.profile.close()
    for wrong in ({"on": "x"}, {"threshold": 0}, {"run": ["/bin/sh"]}, [], {"on": True}):
        with pytest.raises(ConfigError):
            Tuning.of(wrong)


@pytest.mark.parametrize("wrong", [Tuning(on=0.3), Tuning(on=0.2, off=0.5), Tuning(on=2.0), Tuning(off=0.9)])
def test_thresholds_that_contradict_each_other_are_refused(tmp_path: Path, wrong: Tuning) -> None:
    """Taught or not, what makes no sense with the configured thresholds is not kept; such a file is told."""
    bench = Bench(tmp_path / "p")
    with pytest.raises(ConfigError, match="off ≤ on"):
        bench.pipeline.tune(wrong)
    assert not (tmp_path / "p" / "settings.json").exists()
    taught(bench).profile.close()
    write_settings(tmp_path / "p", tuning=wrong)
    again = Bench(tmp_path / "p")
    assert "off ≤ on" in again.pipeline.health()["last_error"]
    assert again.pipeline.line.controller.config.on == ControllerConfig().on  # type: ignore[union-attr]
    again.profile.close()


def test_a_damaged_database_leaves_recognition_alone(tmp_path: Path) -> None:
    """The trained head answers, and teaching says what is the matter."""
    taught(Bench(tmp_path / "p")).profile.close()
    path = tmp_path / "p" / "examples.sqlite"
    path.write_bytes(b"not a database " * 1000)
    bench = Bench(tmp_path / "p")
    assert bench.show(40, 9)[-1].label == "dark"
    with pytest.raises(ProfileError, match="examples"):
        bench.pipeline.record("dark")
    health = bench.pipeline.health()
    assert "examples" in health["teaching"]  # also before anybody teaches, and for as long as it is so
    assert health["last_error"] == health["teaching"]
    bench.profile._store = None
    bench.profile.close()


def test_a_database_that_lost_everything_is_told(tmp_path: Path) -> None:
    """SQLite takes an empty file for a new database: health says that the examples are gone, and it is taught anew."""
    taught(Bench(tmp_path / "p")).profile.close()
    (tmp_path / "p" / "examples.sqlite").write_bytes(b"")
    bench = Bench(tmp_path / "p")
    assert "holds none of the examples" in bench.pipeline.health()["last_error"]
    assert bench.show(40, 9)[-1].label == "dark"
    bench.pipeline.record("dark")
    bench.pipeline.release()
    bench.profile.close()


def test_a_damaged_generation_is_passed_over_and_told(tmp_path: Path) -> None:
    """A flipped bit in the newest model: the one before answers, and health says why."""
    bench = taught(Bench(tmp_path / "p"))
    bench.pipeline.train()
    bench.profile.close()
    arrays = tmp_path / "p" / "generations" / "000002" / "arrays.npz"
    data = bytearray(arrays.read_bytes())
    data[len(data) // 2] ^= 1
    arrays.write_bytes(data)
    again = Bench(tmp_path / "p")
    assert again.pipeline.generation == 1
    assert "damaged" in again.pipeline.health()["last_error"]
    assert again.show(40, 9)[-1].label == "dark"
    again.profile.close()


def test_the_examples_leave_the_memory_when_nothing_is_taught(bench: Bench) -> None:
    """After some minutes without teaching only the head stays, and teaching again brings the examples back."""
    taught(bench)
    assert len(bench.pipeline.line.recognizer.rows[1]) > 0
    bench.clock.advance(IDLE_S + 1)
    bench.show(40, 2)
    assert len(bench.pipeline.line.recognizer.rows[1]) == 0
    assert bench.show(210, 9)[-1].label == "light"
    examples = sum(count.examples for count in bench.profile.store.counts().values())
    assert bench.pipeline.train()["examples"] == examples


class Told:
    """Notify that remembers."""

    watchdog_s: float | None = 3.0

    def __init__(self) -> None:
        self.words: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: self.words.append(name)


def service_of(clock: FakeClock, told: Any, log: list[str]) -> Service:
    """A service without pipelines."""
    return Service([], told, clock=clock, wall=lambda: 5.0, summary_s=60.0, log=log.append)


def test_the_watchdog_is_fed_while_a_camera_is_sought_and_not_while_a_driver_hangs(bench: Bench) -> None:
    """Each round feeds it, in state `waiting` too; a call that does not come back starves it."""
    told, log = Told(), list[str]()
    service = service_of(bench.clock, told, log)
    service.pipelines["signs"] = bench.pipeline
    bench.feed.state = "waiting"
    for _ in range(30):
        bench.clock.advance(1.0)
        service.step()
    assert told.words.count("alive") == 30
    bench.feed.hangs = True
    for _ in range(30):
        bench.clock.advance(1.0)
        service.step()
    assert told.words.count("alive") == 30
    assert service.health["status"] == "hangs"


def test_a_clock_that_jumps_changes_nothing(bench: Bench) -> None:
    """A Pi without a battery learns the time late: signs go on being told, and health stays what it is."""
    taught(bench)
    told, log = Told(), list[str]()
    times = iter([1000.0, 4e9, 5.0, 1e9] * 1000)
    service = Service([], told, clock=bench.clock, wall=lambda: next(times), log=log.append)  # type: ignore[arg-type]
    service.pipelines["signs"] = bench.pipeline
    bench.pipeline.wall = lambda: next(times)
    labels = []
    for value in (40, 210, 40):
        labels += [event.label for event in bench.show(value, 30) if event.label is not None]
        service.step()
    assert labels == ["dark", "light", "dark"]
    assert Requests(service, bench.clock).health()["status"] == "ok"


def test_one_line_a_minute_and_each_trouble_once(bench: Bench) -> None:
    """The log has a summary a minute and a line when something goes wrong or is well again; none a frame."""
    told, log = Told(), list[str]()
    service = service_of(bench.clock, told, log)
    service.pipelines["signs"] = bench.pipeline
    for second in range(181):
        bench.feed.fault = "unplugged" if 30 <= second < 60 else ""
        bench.clock.advance(1.0)
        service.step()
    assert [line for line in log if not line.startswith("ok:")] == ["signs: unplugged", "signs: works again"]
    assert len(log) == 5


def test_a_signal_that_comes_at_any_moment_ends_the_service() -> None:
    """SIGTERM's handler runs in the loop's thread, also while that holds the lock of what it waits for."""
    service, stopped = service_of(FakeClock(), Notify({}), []), threading.Event()

    def interrupted() -> None:
        with service._news._cond:  # type: ignore[attr-defined]
            service.stop()
        stopped.set()

    threading.Thread(target=interrupted, daemon=True).start()
    assert stopped.wait(LONG_S)
    service.run()  # and it has ended


def test_requests_are_answered_by_the_loop_and_their_errors_go_to_who_asked() -> None:
    """Another thread gets what the loop's call returned or raised; the loop goes on either way."""
    log: list[str] = []
    service = service_of(FakeClock(), Notify({}), log)
    loop = threading.Thread(target=service.run)
    loop.start()
    try:
        assert service.ask(threading.get_ident) == loop.ident
        with pytest.raises(ConfigError):
            service.ask(lambda: Tuning.of([]))
        with pytest.raises(ZeroDivisionError):
            service.ask(lambda: 1 / 0)
        assert service.ask(lambda: "on") == "on"
    finally:
        service.stop()
        loop.join(LONG_S)
    assert log == ["a request failed: ZeroDivisionError: division by zero"]
