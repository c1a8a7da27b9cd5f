"""The fleet in the service: a thread that takes and gives lessons, beside the loop that learns from them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from device.serve.event import LabelEvent
from device.serve.fleet_config import FleetConfig
from device.serve.fleet_hub import HubFollower, HubPublisher, sides
from device.serve.fleet_node import BASE, FleetLink, FleetNode, LessonTerms
from device.serve.mqtt import Mqtt
from device.serve.pipeline import Pipeline
from device.serve.service import Service
from device.teach.fleet_account import account_json
from device.teach.hub_head import save_hub_head
from edge_tl.embedders.look.ways import way_of
from edge_tl.errors import EdgeTLError, ExampleError, NotFittedError, ProfileError
from edge_tl.fleet.head import FleetHead
from edge_tl.fleet.keys import key_text
from edge_tl.store.lessons import DeviceLessons, LessonStore
from edge_tl.store.own_takes import OwnTakes

TICK_S, TELL_S, RETRY_S = 1.0, 60.0, 5.0
"""Between two looks at what is taught here; the longest that a device says nothing of itself; and after a fault."""
SETTLE_S, CATCH_UP_S = 1.0, 5.0
"""While more is on its way, what came waits so long before it is learned; and so long while all that the broker keeps
is on its way."""
RESTS, MAX_REST_S = 3, 10.0
"""Where lessons come faster than they are learned, learning rests so many times as long as it took, and no longer than
that: three quarters of the time are for frames, and for other devices on the same processor."""
MAX_QUEUED = 300
LOOK_S = 30.0
"""Where the other devices' way to look cannot be used, it is tried again after so long."""
FULL_S = 10.0
"""A message waits for its turn so long at most; then all is asked for again later."""


class Fleet:
    """An Output that tells no events: it gives lessons and takes them. mqtt: whose connection it uses.

    Where its pipeline could not be opened, or its disk is full, it says so and tries again.
    """

    name = "fleet"

    def __init__(
        self,
        config: FleetConfig,
        data_dir: Path,
        service: Service,
        pipeline: str,
        mqtt: Mqtt,
        log: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config, self._data_dir, self._service, self._mqtt = config, data_dir, service, mqtt
        self.pipeline, self._log, self._clock = pipeline, log, clock
        self.prefix = f"{BASE}/{config.name}/"
        self._queue: queue.Queue[tuple[str, bytes, bool] | bool | None] = queue.Queue(MAX_QUEUED)
        """A message, whether the broker is there now, or None: something was trained here."""
        self._overrun, self._stopping = False, threading.Event()
        self._thread = threading.Thread(target=self._run, name="edge-tl fleet", daemon=True)
        self._state: dict[str, Any] = {"state": "waiting", "error": "", "fleet": config.name}
        self._learning: Future[None] | None = None
        self._adopting: Future[None] | None = None
        self._look_s = float("-inf")
        self._news_s: float | None = None
        """Since when what teaches is something else than what was learned."""
        self._begun_s = self._asked_s = self._rest_s = 0.0
        """Since when what is learned now has been here, when that was asked for, and until when nothing more is."""
        self._told_s = float("-inf")
        self._acting_s: float | None = None
        """How long it took, the last time, from a lesson's coming to a head that knows it."""
        self._told: tuple[str, int, float | None] | None = None
        self._stored: tuple[int, dict[str, DeviceLessons], int] | None = None
        """What is in the store of each device, by its id, and how many own ones; and at which of the node's reads."""
        self._error = ""
        self._publisher: HubPublisher | None = None
        self._follower: HubFollower | None = None

    def start(self) -> None:
        """Begin; ConfigError where the key cannot be used, MissingDependency without cryptography."""
        self._key = self.config.key(self._data_dir)
        self._log(f"fleet {self.config.name}: the public key of this device is {key_text(self._key.public)}")
        self._mqtt.fleet_topic = f"{self.prefix}devices/{self._key.id}"
        self._thread.start()

    def publish(self, event: LabelEvent) -> None:
        """Events are not its business."""

    def health(self) -> dict[str, Any]:
        """How it does, and how the other devices do."""
        return self._state

    def stop(self) -> None:
        """End; may be called twice."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(3.0)

    # -- called by the client's thread -------------------------------------------------------------------------------

    def connected(self) -> None:
        """As of `Rider`."""
        self._put(True)

    def lost(self) -> None:
        """As of `Rider`."""
        self._put(False)

    def heard(self, topic: str, payload: bytes, kept: bool) -> None:
        """As of `Rider`; it waits a little where many come at once, and so the broker does."""
        self._put((topic, payload, kept))

    def _put(self, message: tuple[str, bytes, bool] | bool | None) -> None:
        try:
            self._queue.put(message, timeout=FULL_S)
        except queue.Full:
            self._overrun = True

    def _trained(self) -> None:
        """Somebody trained here: called by the loop's thread, which must not wait."""
        with suppress(queue.Full):
            self._queue.put_nowait(None)

    # -- the own thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._serve()
            except EdgeTLError as error:
                self._failed(str(error))
            # Whatever it is, the service goes on without a fleet, and the log says why.
            except Exception as error:
                self._failed(f"{type(error).__name__}: {error}")
            self._stopping.wait(RETRY_S)

    def _failed(self, error: str) -> None:
        self._state = {"state": "failed", "error": error, "fleet": self.config.name}

    def _serve(self) -> None:
        """Work until something is wrong, or the service ends."""
        pipeline = self._service.pipelines.get(self.pipeline)
        if pipeline is None or not pipeline.profile.writable:
            raise ProfileError(f"the pipeline {self.pipeline} cannot be trained, so no lessons are exchanged")
        folder = pipeline.profile.folder
        link = FleetLink(self._mqtt.send, self._mqtt.listen, self._clock)
        self._stored = None
        with ExitStack() as stack:
            store = stack.enter_context(LessonStore(folder, writable=True))
            node = FleetNode(self.config, self._key, store, lambda: wanted_of(pipeline), link)
            if self._mqtt.is_connected:
                node.connected()
            self._publisher, self._follower = sides(node, self._key, folder)
            if store.used() and (self._follower is None or self._follower.set != node.set):
                self._news_s = self._clock()  # taken before a kill, perhaps not learned
            own, seen, up_to = None, (-1, pipeline.trained), 0
            first, tick_s = bool(pipeline.generation), float("-inf")
            pipeline.told_trained = self._trained
            while not self._stopping.is_set():
                self._take(node)
                self._learn(node, pipeline)
                if self._clock() - tick_s < TICK_S and pipeline.trained is seen[1]:
                    continue
                tick_s = self._clock()
                if pipeline.without_lessons:
                    raise ProfileError(pipeline.without_lessons)
                if own is None and (folder / "examples.sqlite").is_file():
                    own = stack.enter_context(OwnTakes(folder))
                if own is not None and (own.version, pipeline.trained) != seen:
                    takes = own.listed()
                    if first or pipeline.trained is not seen[1]:  # what somebody trained is given, and not before
                        if self._publisher is not None and self._news_s is None:
                            self._news_s = self._clock()  # the hub trains on it once more, and publishes that
                        up_to, first = max((one.take for one in takes), default=0), False
                    seen = own.version, pipeline.trained
                    node.give(own, takes, up_to)
                node.tick()
                self._look(node, pipeline)
                if self._overrun:
                    self._overrun = False
                    node.connected()
                self._tell(node, pipeline)

    def _look(self, node: FleetNode, pipeline: Pipeline) -> None:
        """Have a pipeline for which nobody chose a way to look take that of the lessons, which then come again."""
        looking, now_s = pipeline.looking, self._clock()
        if self._adopting is not None and self._adopting.done() and (looking is None or not looking.busy):
            done, self._adopting = self._adopting, None
            try:
                done.result()
            except EdgeTLError as error:  # e.g. its models are missing: somebody may install them
                self._error, self._look_s = f"the other devices' way to look cannot be used here: {error}", now_s
            else:
                self._error, self._overrun = "", self._mqtt.is_connected  # all that is kept comes once more
        undecided = looking is not None and looking.open and not looking.busy and pipeline.recording is None
        if undecided and self._adopting is None and node.looks.total() and now_s - self._look_s >= LOOK_S:
            assert looking is not None
            way = node.looks.most_common(1)[0][0]
            self._adopting = self._service.submit(lambda: looking.adopt(way))

    def _take(self, node: FleetNode) -> None:
        """Take what came, and keep it."""
        busy = self._news_s is not None or self._learning is not None
        with suppress(queue.Empty):
            message = self._queue.get(timeout=0.05 if busy else TICK_S / 2)
            while True:
                if isinstance(message, tuple):
                    node.heard(*message)
                elif message:
                    node.connected()
                elif message is False:
                    node.lost()
                if node.full:
                    break
                message = self._queue.get_nowait()
        if node.flush() and self._news_s is None:
            self._news_s = self._clock()

    def _learn(self, node: FleetNode, pipeline: Pipeline) -> None:
        """Have the loop learn from what came: one training at a time, and of many lessons on their way not each."""
        if self._learning is not None:
            if not self._learning.done():
                return
            done, self._learning = self._learning, None
            now_s = self._clock()
            self._rest_s = now_s + min(MAX_REST_S, RESTS * (now_s - self._asked_s))
            try:
                done.result()
                self._error, self._acting_s = "", now_s - self._begun_s
                if self._publisher is not None:
                    self._publisher.done()
            except ExampleError:  # something is being recorded
                self._news_s = self._begun_s
                return
            except NotFittedError as error:
                self._error = (
                    f"there are too few lessons to train on, so the head trained before stays in use ({error})"
                )
            except EdgeTLError as error:
                self._error, self._rest_s = str(error), max(self._rest_s, now_s + RETRY_S)
        if self._follower is not None and self._left_to_hub(self._follower, node, pipeline):
            return
        waited_s = self._clock() - (self._news_s or 0.0)
        coming = waited_s < SETTLE_S and not self._queue.empty()
        coming = coming or (waited_s < CATCH_UP_S and not node.caught_up)
        if self._news_s is None or coming or self._clock() < self._rest_s:
            return
        self._begun_s, self._news_s, self._asked_s = self._news_s, None, self._clock()
        if self._publisher is not None:
            self._publisher.begin()
        self._learning = self._service.submit(lambda: self._learned(pipeline))

    def _left_to_hub(self, follower: HubFollower, node: FleetNode, pipeline: Pipeline) -> bool:
        """Have the loop use the hub's newest head, where there is one; whether nothing is to be trained here now."""
        head = follower.due if self._clock() >= self._rest_s else None
        if head is None:
            return self._news_s is None or follower.waits(self._clock() - self._news_s)
        self._asked_s = self._clock()
        self._begun_s = self._asked_s if self._news_s is None else self._news_s
        if head.header.set == node.set:  # else more is on its way, of which the hub does not know yet
            self._news_s = None
        self._learning = self._service.submit(lambda: self._used(pipeline, head))
        return True

    def _used(self, pipeline: Pipeline, head: FleetHead) -> None:
        """In the loop's thread; ExampleError while something is recorded: ask again."""
        if pipeline.recording is not None:
            raise ExampleError("recording is in progress: the head of the hub waits")
        assert self._follower is not None
        pipeline.check_teaching()
        with self._service.at_work(f"changing to the head of {self.config.hub} for {self.pipeline}"):
            try:
                one, hub = pipeline, self.config.hub or ""
                one.take_up(lambda _: save_hub_head(one.profile, one.line.recognizer, head, hub))
            finally:
                self._follower.looked_at(head)
            pipeline.account.begin(pipeline.line.recognizer, None)

    def _learned(self, pipeline: Pipeline) -> None:
        """In the loop's thread."""
        with self._service.at_work(f"training on lessons of the fleet for {self.pipeline}"):
            pipeline.learn_lessons()

    def _tell(self, node: FleetNode, pipeline: Pipeline) -> None:
        """Say how it is, here and to the others: at once where what teaches is another set, else once a minute."""
        account = pipeline.account.made
        own = account.own if account is not None else None
        health = self._service.health
        right = None if own is None or not own.examples else round(own.accuracy, 4)
        status = {
            "generation": pipeline.generation,
            "lessons": len(node.known),
            "right": right,
            "asked": 0 if own is None else own.examples,
            "fps": health.get("pipelines", {}).get(self.pipeline, {}).get("frames_per_s"),
            "temperature_c": health.get("machine", {}).get("temperature_c"),
            "acting_s": None if self._acting_s is None else round(self._acting_s, 2),
        }
        told = node.set, pipeline.generation, right
        if told != self._told or self._clock() - self._told_s >= TELL_S:
            self._told, self._told_s = told, self._clock()
            node.tell({key: value for key, value in status.items() if value is not None})
        if self._stored is None or self._stored[0] != node.reads:  # of thousands of lessons no list each second
            self._stored = node.reads, {one.id: one for one in node.store.devices()}, len(node.store.given())
        _, devices, given = self._stored
        self._state = {
            "state": "ok" if node.caught_up and not self._error else "waiting",
            "error": self._error or (self._publisher.error if self._publisher is not None else ""),
            "fleet": self.config.name,
            "hub": self.config.hub or "",
            "head": 0 if node.heads is None else node.heads.number,
            "device": node.name,
            "id": self._key.id,
            "key": key_text(self._key.public),
            "set": node.set,
            **status,
            "dropped_lessons": dict(node.dropped),
            "waiting_lessons": sum(one.waiting for one in devices.values()),
            "given": given,
            "peers": [peer | _of(devices.get(peer["id"])) for peer in node.peers.listed()],
            "account": account_json(account),
        }


def _of(one: DeviceLessons | None) -> dict[str, Any]:
    """What is here of a device's lessons."""
    if one is None:
        return {"given": 0, "used": 0, "waiting": 0, "decision": ""}
    return {"given": one.lessons, "used": one.used, "waiting": one.waiting, "decision": one.decision}


def wanted_of(pipeline: Pipeline) -> LessonTerms:
    """What a lesson must be to teach a pipeline."""
    recognizer = pipeline.line.recognizer
    embedder = recognizer.embedder
    look = "" if embedder.kind == "sound" else way_of(embedder)
    return LessonTerms(embedder.fingerprint, recognizer.views * embedder.embedding_dim, look)
