"""The taught words as a wake-word service of the Wyoming protocol, which Home Assistant and its satellites speak.

A satellite, or Home Assistant for one, sends its sound and is told when a word was said. It is heard in a thread of
its own with embedders of its own; what was trained is brought there by the service's loop.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from device.serve.announcing import Announcer
from device.serve.config import WyomingConfig
from device.serve.connections import ConnectionListener as Connections
from device.serve.connections import listening_at
from device.serve.event import LabelEvent
from device.serve.pipeline import Pipeline
from device.serve.satellite_events import MAX_HEAD_BYTES, SendingPace
from device.serve.satellite_words import Catalogue, PipelineWords
from edge_tl import __version__
from edge_tl.embedders.embedder import Embedder
from edge_tl.errors import EdgeTLError, MissingDependency, to_install
from edge_tl.files import DAMAGE
from edge_tl.listener import Listener
from edge_tl.recognizer import Recognizer

try:
    from wyoming.info import Attribution, Info, WakeModel, WakeProgram

    from device.serve.satellite import PATIENCE_S, Satellite, Station
except ImportError as error:
    raise MissingDependency(f"[wyoming] needs the package wyoming: {to_install('[wyoming]')}") from error

MAX_CONNECTIONS, MAX_EACH = 32, 24
"""Connections at once, in all and from one address: Home Assistant has one for each satellite that streams to it."""
KEPT_BYTES = 64 * 1024
"""The kernel keeps so much sound that was not heard yet, two seconds of it: what is late is told late."""
STOP_S = 3.0


class Wyoming:
    """An Output that waits for words in the sound of satellites; `address` is where, after `start`.

    pipelines: those of the service, by name, of which `config` chooses. embedder: opens another one of what a pipeline
    listens with. happened: takes a line for the log, as often as it comes; log: one that is said as it is. `sync` is
    the loop's, to be called each second; the service's own microphone tells no satellite anything.
    """

    name = "wyoming"

    def __init__(
        self,
        config: WyomingConfig,
        pipelines: Mapping[str, Pipeline],
        embedder: Callable[[str], Embedder],
        happened: Callable[[str, str], None],
        log: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self.config, self._pipelines, self._embedder, self._log = config, pipelines, embedder, log
        self.address = ""
        self._station = Station(
            lambda: self._catalogue, lambda: self._info, SendingPace(clock), lambda line: happened(self.name, line)
        )
        self._embedders: dict[str, Embedder] = {}
        self._faults: dict[str, str] = {}
        """Pipeline → why its words of now are not reported."""
        self._take(())
        self._announcing = Announcer(config, self._station.log, log)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None

    def start(self) -> None:
        """Listen; ConfigError where the address cannot be used."""
        config = self.config
        listening = listening_at(config.listen, config.port, "[wyoming]")
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KEPT_BYTES)  # each connection has it from here
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connections = Connections(listening, MAX_CONNECTIONS, MAX_EACH, PATIENCE_S, PATIENCE_S)
        port = connections.getsockname()[1]
        host = f"[{config.listen}]" if ":" in config.listen else config.listen
        self.address = f"tcp://{host}:{port}"
        self.sync()  # who asks at once is told all words
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(connections, port)), name="edge-tl wyoming", daemon=True
        )
        self._thread.start()
        self._log(f"wyoming: wake words at {self.address}")

    def publish(self, event: LabelEvent) -> None:
        """Nothing to do: satellites are told of their own sound."""

    def health(self) -> dict[str, Any]:
        """Where it is, who is there, and how many words were reported."""
        alive = self._thread is not None and self._thread.is_alive()
        return {
            "state": "ok" if alive and not self._faults else "failed",
            "address": self.address,
            "clients": self._station.connected,
            "published": self._station.published,
            "words": list(self._catalogue.models),
            "error": next(iter(self._faults.values()), ""),
        }

    def stop(self) -> None:
        """Let all go."""
        thread, self._thread = self._thread, None
        if thread is None or self._loop is None or self._over is None:
            return
        self._loop.call_soon_threadsafe(self._over.set)
        thread.join(STOP_S)

    def sync(self) -> None:
        """Bring what was trained or tuned since, or gone back to, to the satellites; never raises."""
        known = {one.pipeline: one for one in self._catalogue.taught}
        now: list[PipelineWords] = []
        for name in self.config.pipelines or self._pipelines:
            pipeline = self._pipelines.get(name)
            if pipeline is None or pipeline.line.kind != "sound" or not pipeline.generation:
                continue
            try:
                taught = self._taught(name, pipeline, known.get(name))
                self._faults.pop(name, None)
            except (EdgeTLError, *DAMAGE) as error:
                taught = known.get(name)
                self._faults[name] = f"{name}: {' '.join(str(error).split())}"
            now += [taught] if taught is not None else []
        if tuple(now) != self._catalogue.taught:
            self._take(tuple(now))

    def _taught(self, name: str, pipeline: Pipeline, known: PipelineWords | None) -> PipelineWords | None:
        """What a pipeline was taught last, as it listens; itself where that is known."""
        listener = pipeline.line.controller
        if not isinstance(listener, Listener):
            return known
        if known is not None and known.generation == pipeline.generation:
            same = known.config == listener.config
            return known if same else PipelineWords(name, known.recognizer, listener.config, known.generation)
        if name not in self._embedders:
            self._embedders[name] = self._embedder(name)
        embedder = self._embedders[name]
        recognizer = pipeline.profile.load_as(lambda saved: Recognizer.restore(saved, embedder), embedder.fingerprint)
        return None if recognizer is None else PipelineWords(name, recognizer, listener.config, pipeline.generation)

    def _take(self, taught: tuple[PipelineWords, ...]) -> None:
        """These are the words from now on."""
        self._catalogue = Catalogue(taught)
        self._info = described(self.config.shown, self._catalogue)

    async def _serve(self, connections: Connections, port: int) -> None:
        """Take connections until `stop`."""
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        tasks: set[asyncio.Task[Any]] = set()

        def gone(task: asyncio.Task[Any]) -> None:
            tasks.discard(task)
            self._station.connected = len(tasks)

        def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            where = writer.get_extra_info("peername")
            place = None if where is None else connections.accepted(where[:2])
            if place is None:  # gone already
                writer.close()
                return
            # A task of our own: one of the server's would write a traceback when it is cancelled.
            task = asyncio.create_task(Satellite(reader, writer, place, self._station).converse())
            tasks.add(task)
            task.add_done_callback(gone)
            self._station.connected = len(tasks)

        server = await asyncio.start_server(come, sock=connections, limit=MAX_HEAD_BYTES)
        announcing = asyncio.create_task(self._announcing.run(port))
        try:
            await self._over.wait()
        finally:
            server.close()
            for task in [announcing, *tasks]:
                task.cancel()
            await asyncio.gather(announcing, *tasks, return_exceptions=True)


def described(name: str, catalogue: Catalogue) -> Info:
    """What is answered who asks what there is: one program, whose models are the words."""
    who = Attribution("edge-tl", "")
    models = [
        WakeModel(
            name=model,
            attribution=who,
            installed=True,
            description=model,
            version=str(taught.generation),
            languages=[],  # of any: it is what somebody said
            phrase=label,
        )
        for model, (taught, label) in catalogue.models.items()
    ]
    program = WakeProgram(
        name=name,
        attribution=who,
        installed=True,
        description="words that were taught to edge-tl",
        version=__version__,
        models=models,
    )
    return Info(wake=[program])
