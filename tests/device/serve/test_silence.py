"""What the console shows when the device is silent, busy or refuses, and what requests get meanwhile."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, cast

import browser
import pytest
from service_parts import taught

import benchmarks.serving
from benchmarks.serving import CODE, LONG_S, Serving
from device.serve import service as services
from device.serve.requests import Requests
from device.serve.service import GoesOn, Service
from device.serve.systemd import Notify
from edge_tl.errors import SourceTimeout
from edge_tl.testing import FakeClock

pytest.importorskip("starlette", reason="Starlette is not installed (extra web)")
pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")

HELD = """import os, select
import device.serve.pipeline as pipelines, device.serve.service as services
services.BEGIN_S, services.ANSWER_S = 3.0, 1.0
train = pipelines.train_and_judge
def held(profile, lesson, recognizer, beat):
    if os.path.exists({fifo!r}):
        with open(os.open({fifo!r}, os.O_RDONLY | os.O_NONBLOCK)) as free:
            while not select.select([free], [], [], 0.2)[0]:
                beat()
    return train(profile, lesson, recognizer, beat)
pipelines.train_and_judge = held
"""
"""A service whose training is over when somebody writes to a pipe, and whose requests last four seconds at most."""
STATUS = "document.querySelector('#status').textContent"
NEEDS_CHROMIUM = pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed (apt install chromium)")


class Loop:
    """The loop of a service, in a thread, held until it is let go."""

    def __init__(self) -> None:
        self.service = Service([], Notify({}), clock=FakeClock(), wall=lambda: 0.0, log=lambda _: None)
        self.free, self.begun = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.service.run)
        self.thread.start()

    def hold(self) -> str:
        """What the loop is asked to do: it takes long."""
        with self.service.at_work("training signs"):
            self.begun.set()
            assert self.free.wait(LONG_S)
        return "held"


@pytest.fixture
def loop() -> Iterator[Loop]:
    """One that is ended in any case."""
    made = Loop()
    try:
        yield made
    finally:
        made.free.set()
        made.service.stop()
        made.thread.join(LONG_S)


def test_what_cannot_begin_is_not_done_and_what_began_goes_on(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that the loop does not come to is taken back, one that it began is told of as that, both in a line."""
    monkeypatch.setattr(services, "BUSY_S", 0.01)
    monkeypatch.setattr(services, "BEGIN_S", 0.02)
    monkeypatch.setattr(services, "ANSWER_S", 0.01)
    done: list[int] = []
    with ThreadPoolExecutor() as pool:
        first: Future[str] = pool.submit(loop.service.ask, loop.hold)
        assert loop.begun.wait(LONG_S)
        for patient in (True, False):
            with pytest.raises(SourceTimeout, match=r"busy \(training signs\) and did nothing"):
                loop.service.ask(lambda: done.append(1), patient=patient)
        with pytest.raises(GoesOn, match="training signs needs more time than a request may take: it goes on"):
            first.result(LONG_S)
        loop.free.set()
        monkeypatch.setattr(services, "BUSY_S", LONG_S)
        loop.service.ask(lambda: done.append(2))
    assert done == [2]
    assert loop.service.doing == ""


@pytest.mark.parametrize(
    ("look", "patient"),
    [
        (lambda ask: ask.takes("signs", "up"), False),
        (lambda ask: ask.examples("signs", "up"), False),
        (lambda ask: ask.generations("signs"), False),
        (lambda ask: ask.act("signs", "label", {"label": "up"}), True),
    ],
    ids=["takes", "examples", "generations", "label"],
)
def test_who_only_looks_does_not_wait_for_a_training_to_end(look: Callable[[Requests], object], patient: bool) -> None:
    """What fills a page is refused at once while the loop is at something long; what is to be done waits its turn."""
    asked: list[bool] = []

    class Busy:
        pipelines: ClassVar[dict[str, object]] = {"signs": object()}
        failed: ClassVar[dict[str, object]] = {}

        def ask(self, _: object, *, patient: bool) -> object:
            asked.append(patient)
            raise SourceTimeout("busy")

    with pytest.raises(SourceTimeout):
        look(Requests(cast(Service, Busy()), FakeClock()))
    assert asked == [patient]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service that was taught and whose trainings from now on last until `let_go`."""
    folder = tmp_path_factory.mktemp("held")
    fifo = folder / "fifo"
    with Serving(folder / "s") as serving:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(benchmarks.serving, "CODE", HELD.format(fifo=str(fifo)) + CODE)
            serving.start()
        taught(serving)
        os.mkfifo(fifo)
        yield serving


def let_go(serving: Serving) -> None:
    """Have the training that is held go on."""
    with (serving.folder.parent / "fifo").open("w") as free:
        free.write("now")


def test_a_training_longer_than_a_request_goes_on_and_is_told_of(held: Serving) -> None:
    """503 in JSON for who waits and for who comes meanwhile; health says all is well; then `trained` has it all."""
    with ThreadPoolExecutor() as pool:
        asked: Future[tuple[int, Any]] = pool.submit(held.ask, "/api/pipelines/signs/train", {})
        status, answer = asked.result(LONG_S)
        assert (status, answer) == (
            503,
            {"error": "training signs needs more time than a request may take: it goes on"},
        )
        for path in ("/api/state", "/api/pipelines/signs/picture.jpg", "/api/pipelines/signs/takes"):
            status, answer = held.ask(path)
            assert status == 503
            assert "busy (training signs)" in answer["error"]
        assert held.ask("/health")[1]["status"] == "ok"
        let_go(held)
    while held.ask("/api/state")[0] == 503:
        pass
    trained = held.ask("/api/pipelines/signs/trained")[1]
    assert trained["generation"] == held.state()["signs"]["generation"] > 1
    assert trained["evaluation"]["headline"]


@NEEDS_CHROMIUM
def test_the_console_shows_a_long_training(held: Serving, tmp_path: Path) -> None:
    """In Chromium: what is done stands above a faded picture for as long as it lasts, then comes the result."""
    generation = held.state()["signs"]["generation"]
    with browser.Browser(tmp_path / "profile") as page:
        page.open(held.address)
        page.until(f"{STATUS} === 'live' && document.querySelector('.live').naturalWidth > 0")
        page.do("document.querySelector('.train').click()")
        page.until(f"{STATUS} === 'training signs …'")
        page.until("document.querySelector('.said').textContent.includes('goes on')")
        assert page.do("document.body.classList.contains('lost') && document.querySelector('.train').disabled")
        page.until("getComputedStyle(document.querySelector('.now img')).opacity === '0.3'")
        page.do("document.querySelector('.gallery').open = true")
        page.until("document.querySelector('.group')")
        page.do("document.querySelector('.group').open = true")
        page.until("document.querySelector('.said').textContent.includes('shown when it is done')")
        page.screenshot(tmp_path / "busy.png")
        browser.kept(tmp_path / "busy.png")
        let_go(held)
        page.until(f"{STATUS} === 'live'")
        page.until("document.querySelectorAll('.group .takes li').length > 0")
        page.until(f"document.querySelector('.said').textContent.includes('generation {generation + 1}')")
        page.until("document.querySelector('.result').textContent.includes('%')")
        assert not page.do("document.body.classList.contains('lost') || document.querySelector('.train').disabled")
        assert [one for one in page.problems if "503" not in one] == []


@NEEDS_CHROMIUM
def test_the_console_notices_silence_and_a_restart(tmp_path: Path) -> None:
    """In Chromium: a device that says nothing is lost and its picture faded, one that comes back is live, with all that
    was typed; after a restart too, though it counts anew, also at a name that is refused.
    """
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    with Serving(tmp_path / "s", f"[web]\nport = {port}\n") as serving, browser.Browser(tmp_path / "profile") as page:
        serving.start()
        assert serving.process is not None
        page.open(serving.address)
        page.until(f"{STATUS} === 'live' && document.querySelector('.live').naturalWidth > 0")
        page.do("document.querySelector('.new input').value = 'half a wo'")
        serving.process.send_signal(signal.SIGSTOP)
        page.until(f"{STATUS}.startsWith('connection lost')")
        page.until("getComputedStyle(document.querySelector('.now img')).opacity === '0.3'")
        page.screenshot(tmp_path / "lost.png")
        browser.kept(tmp_path / "lost.png")
        serving.process.send_signal(signal.SIGCONT)
        page.until(f"{STATUS} === 'live' && getComputedStyle(document.querySelector('.now img')).opacity === '1'")
        assert page.do("document.querySelector('.new input').value") == "half a wo"
        serving.kill()
        page.until(f"{STATUS}.includes('trying again')")
        serving.start().act("label", label="wave")
        page.until(f"{STATUS} === 'live'")
        page.until("[...document.querySelectorAll('.hold b')].some((one) => one.textContent === 'wave')")
        assert page.do("document.querySelector('.new input').value") == "half a wo"
