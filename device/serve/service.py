"""The service's one loop: pipelines step, events go out, requests of other threads are answered, systemd is told."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from device.cli.output import warn
from device.serve.event import LabelEvent, Output
from device.serve.journal import Journal
from device.serve.long_work import LongWork
from device.serve.machine import machine_health
from device.serve.memory import give_back
from device.serve.pipeline import Pipeline
from device.serve.starting import FailedStart
from device.serve.systemd import Notify
from edge_tl.errors import EdgeTLError, SourceTimeout, counted

T = TypeVar("T")
ROUND_S = 0.2
"""The loop goes round at least this often, also where no frame comes."""
HEALTH_S = 1.0
BEGIN_S, BUSY_S, ANSWER_S = 20.0, 1.0, 120.0
"""A request waits so long until the loop begins with it, so long where it is known to be at something long and whoever
asks can come again, and so long for what it began."""


class GoesOn(SourceTimeout):
    """What was asked for takes longer than a request may, and goes on."""


class Service:
    """Runs pipelines until `stop`; the thread of `run` infers and teaches, all others only ask.

    outputs: the ways out. clock: seconds, monotonic; wall: seconds since 1970. summary_s: one line in the log each.
    """

    def __init__(
        self,
        outputs: Sequence[Output],
        notify: Notify,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        summary_s: float = 60.0,
        log: Callable[[str], None] = warn,
    ) -> None:
        self.pipelines: dict[str, Pipeline] = {}
        """Name → pipeline; filled before `run`, and by the loop where one is opened later."""
        self.outputs, self.notify = list(outputs), notify
        self.clock, self.wall, self.summary_s, self.log = clock, wall, summary_s, log
        self.journal = Journal(log, clock)
        """Where what goes wrong is said, as often as it may be."""
        self.failed: dict[str, FailedStart] = {}
        """Name → why a pipeline could not be opened yet; the others run without it."""
        self.health: dict[str, Any] = {"status": "starting"}
        """A snapshot, replaced as a whole every HEALTH_S: any thread may read it."""
        self.health_s = clock()
        """When it was taken, on `clock`."""
        self.reported = 0
        """How many events went out."""
        self.each_second: list[Callable[[], None]] = []
        """Called by the loop after each snapshot; none may wait for the world."""
        self.doing = ""
        """What the loop is at that takes long, e.g. "training signs": any thread may read it."""
        self._news = threading.Event()
        self._asked: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        self._stopping = False
        self._sign_s = clock()
        self._long_work = LongWork(self._feed, lambda: self._sign_s, clock)
        self._started_s = clock()
        self._alive_s = self._health_s = float("-inf")
        self._summary_s = clock() + summary_s
        self._looks: dict[str, str] = {}

    def wake(self) -> None:
        """There is something to do; called by any thread."""
        self._news.set()

    def stop(self) -> None:
        """End `run` within a round; may be called from a signal handler.

        Which interrupts the loop anywhere, also where it holds the lock of what it waits for: so nothing is woken here.
        """
        self._stopping = True

    def labels(self) -> dict[str, list[str]]:
        """Pipeline → what it can tell; from any thread."""
        return {
            name: [label for label in one.line.recognizer.classes if label not in one.silent] if one.fitted else []
            for name, one in list(self.pipelines.items())
        }

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """Have the loop call a function, between two frames; whoever asks waits for nothing. From any thread."""
        future: Future[T] = Future()
        self._asked.put((function, future))
        self.wake()
        return future

    def ask(self, function: Callable[[], T], *, patient: bool = True) -> T:
        """Have the loop call a function, between two frames; what it returns or raises. From any other thread.

        patient: wait for longer than BUSY_S while the loop is at something long. SourceTimeout where the loop does not
        begin in time: then nothing is done; GoesOn where it began and takes longer than ANSWER_S.
        """
        future = self.submit(function)
        wait([future], BUSY_S)
        if patient or not self.doing:
            wait([future], BEGIN_S - BUSY_S)
        if future.cancel():
            what = f"is busy ({self.doing})" if self.doing else "is too busy"
            raise SourceTimeout(f"the device {what} and did nothing: try again a little later")
        wait([future], ANSWER_S)
        if not future.done():
            raise GoesOn(f"{self.doing or 'this'} needs more time than a request may take: it goes on")
        return future.result()

    @contextlib.contextmanager
    def at_work(self, doing: str) -> Iterator[None]:
        """While it lasts, the loop, in whose thread this is, is at something long."""
        self.doing = doing
        try:
            with self._long_work.going_on():
                yield
        finally:
            self.doing = ""
            give_back()

    def run(self) -> None:
        """Go round until `stop`."""
        self.health, self.health_s = self._describe(), self.clock()  # who asks right after "ready" gets an answer
        self.notify.ready()
        while not self._stopping:
            self.step()
            # Cleared before the next round: what arrives while it runs is seen in the one after.
            self._news.wait(ROUND_S)
            self._news.clear()
        self.notify.stopping()

    def step(self) -> None:
        """One round."""
        for pipeline in self.pipelines.values():
            for event in pipeline.step():
                self._publish(event)
        self._answer()
        self.beat()
        now_s = self.clock()
        if now_s - self._health_s >= HEALTH_S:
            self._health_s = now_s
            self.health, self.health_s = self._describe(), now_s
            self._tell_errors()
            self._tell_looks()
            self.notify.status(self.line())
            for call in self.each_second:
                call()
        if now_s >= self._summary_s:
            self._summary_s = now_s + self.summary_s
            self.log(self.line())

    def beat(self) -> None:
        """The loop goes round, or is in the middle of long work that calls this."""
        self._sign_s = self.clock()
        self._feed()

    def _feed(self) -> None:
        """Feed the watchdog, unless a driver hangs that only a new process gets free; from any thread."""
        now_s = self.clock()
        self.health_s = now_s  # whoever is in the middle of long work does not stand still
        if now_s - self._alive_s < min(1.0, (self.notify.watchdog_s or 3.0) / 3):
            return
        if not any(pipeline.feed.hangs for pipeline in self.pipelines.values()):
            self._alive_s = now_s
            self.notify.alive()

    def _publish(self, event: LabelEvent) -> None:
        self.reported += 1
        for output in self.outputs:
            output.publish(event)

    def _answer(self) -> None:
        """Call what other threads asked for."""
        while True:
            try:
                function, future = self._asked.get_nowait()
            except queue.Empty:
                return
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function())
            # Whoever asked gets to know, whatever it was; the loop goes on.
            except Exception as error:
                future.set_exception(error)
                if not isinstance(error, EdgeTLError):
                    self.journal.happened("requests", f"a request failed: {type(error).__name__}: {error}")

    def _describe(self) -> dict[str, Any]:
        """All health, JSON-able."""
        pipelines = {name: pipeline.health() for name, pipeline in self.pipelines.items()}
        pipelines |= {name: failed.health(self.clock()) for name, failed in self.failed.items()}
        outputs = {output.name: output.health() for output in self.outputs}
        well = all(one["state"] in ("open", "ended") and one["teaching"] == "ready" for one in pipelines.values())
        well = well and all(one["state"] == "ok" for one in outputs.values())
        hangs = any(pipeline.feed.hangs for pipeline in self.pipelines.values())
        give_back()  # so that what is told of the memory is what stays
        return {
            "status": "hangs" if hangs else "ok" if well else "degraded",
            "time": round(self.wall(), 3),
            "uptime_s": round(self.clock() - self._started_s, 1),
            "events": self.reported,
            "pipelines": pipelines,
            "outputs": outputs,
            "machine": machine_health(),
        }

    def _tell_errors(self) -> None:
        """Log what goes wrong, and what is well again."""
        now = {name: one["last_error"] or one["fault"] for name, one in self.health["pipelines"].items()}
        now |= {name: one.get("error", "") for name, one in self.health["outputs"].items()}
        for name, error in now.items():
            self.journal.state(name, error)
        self.journal.turn()

    def _tell_looks(self) -> None:
        """Log which way to look was chosen and why, or what is missing for it, once each."""
        for name, one in self.health["pipelines"].items():
            if one["looking"] and self._looks.get(name) != one["looking"]:
                # By the way too: what was chosen is said at once, though what was open had just been said.
                self.journal.happened(f"look {one['look']} of {name}", f"{name}: {one['looking']}")
            self._looks[name] = one["looking"]

    def line(self) -> str:
        """How it goes, in a line."""
        parts = []
        for name, one in self.health.get("pipelines", {}).items():
            if one["state"] == "open":
                p50, p95 = one["latency_p50_ms"], one["latency_p95_ms"]
                took = "" if p50 is None else f", {p50:.0f}/{p95:.0f} ms"
                parts.append(f"{name} {one['frames_per_s']:.1f}/s{took}, generation {one['generation']}")
            else:
                parts.append(f"{name} {one['state']}")
        temperature = self.health.get("machine", {}).get("temperature_c")
        parts += [f"{temperature:.0f} °C"] if temperature is not None else []
        return f"{self.health['status']}: {'; '.join(parts)}; {counted(self.reported, 'event')}"
