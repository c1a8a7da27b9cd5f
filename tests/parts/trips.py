"""Three trips through the program, traced: which of our files run code on the way, in the order in which they first do.

Run as a program it prints them as JSON; the profiler must not see the tests around it.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import numpy as np
from places import ROOT

LONG_S = 60.0


class Trace:
    """The files of edge_tl and device in which a function was called while `on`, in any thread that began after it."""

    def __init__(self) -> None:
        self.files: dict[str, bool] = {}
        """File → whether it called on into another one of them."""
        self.on = False
        threading.setprofile(self._seen)
        sys.setprofile(self._seen)

    def _seen(self, frame: FrameType, event: str, _: Any) -> None:
        if not self.on or event != "call" or frame.f_code.co_name == "<module>" or (name := ours(frame)) is None:
            return
        self.files.setdefault(name, False)
        caller = frame.f_back
        while caller is not None and (before := ours(caller)) is None:
            caller = caller.f_back
        if caller is not None and before is not None and before != name:
            self.files[before] = True

    def of(self, trip: Callable[[], None]) -> dict[str, bool]:
        """The files that a trip runs through, and whether each calls on into another."""
        self.files = {}
        self.on = True
        trip()
        self.on = False
        return self.files


@cache
def place_of(file: str) -> str | None:
    """A file of edge_tl or device, from the root; None for any other."""
    name = os.path.relpath(file, ROOT)
    return name if name.startswith(("edge_tl/", "device/")) else None


def ours(frame: FrameType) -> str | None:
    """The file of a frame where it is one of ours."""
    return place_of(frame.f_code.co_filename)


def until(done: Callable[[], bool], step: Callable[[], object]) -> None:
    """Step until it is done; AssertionError where it never is."""
    end_s = time.monotonic() + LONG_S
    while not done():
        assert time.monotonic() < end_s, "it never came"
        step()


def frame_to_ghost(trace: Trace) -> dict[str, bool]:
    """One frame of the simulated player: recognized by the shipped model, until a ghost moves."""
    from device.assembly import make_controller
    from device.pacman.game import Game
    from device.pacman.maze import pick_maze
    from device.pacman.round import Round
    from edge_tl import Recognizer, SimulatedPlayer, TFLiteEmbedder, default_model
    from edge_tl.line import PictureLine

    clock = time.monotonic
    player = SimulatedPlayer(1, clock)
    player.open()
    recognizer = Recognizer(TFLiteEmbedder.load(default_model(), threads=1))
    for take in range(2 * len(player.labels)):
        player.pose = player.labels[take % len(player.labels)]
        player.new_session()
        for _ in range(3):
            recognizer.teach(player.read(), player.pose, take)
    recognizer.learn()
    line = PictureLine(player, recognizer, clock, make_controller(recognizer))
    directions = {label: label for label in player.labels if label in ("up", "down", "left", "right")}
    round_ = Round(Game(pick_maze(24, 80), seed=1), line, directions, clock, time.sleep)
    until(lambda: round_.game.state.name == "PLAYING", round_.step)
    cells = [ghost.cell for ghost in round_.game.ghosts]

    def trip() -> None:
        until(lambda: [ghost.cell for ghost in round_.game.ghosts] != cells, round_.step)

    return trace.of(trip)


def sound_to_message(trace: Trace, folder: Path) -> dict[str, bool]:
    """A word out of a recording, as it is heard by the service, until a message is handed to the MQTT client."""
    from made_words import room, spoken, teach_words, write, write_clips
    from paho.mqtt import client as paho

    teach_words(write_clips(folder / "sounds"), folder / "state")
    write(folder / "mic.wav", np.concatenate([room(1.5), spoken("hum", 20), room(60.0)]))  # not begun anew in time
    sent: list[str] = []

    class Client:
        """A broker's client that only notes what it is given."""

        def __init__(self, *_: object, **__: object) -> None: ...

        def __getattr__(self, name: str) -> Any:
            return lambda *_, **__: None

        def publish(self, topic: str, *_: object, **__: object) -> Any:
            sent.append(topic)
            return self

    real, paho.Client = paho.Client, Client  # type: ignore[misc, assignment]
    more = f'[pipelines.words]\nmic = "{folder / "mic.wav"}"\nprofile = "words"\nthreshold = 0.5\n[mqtt]\nhost = "-"\n'
    with service_of(folder, more) as service:
        until(lambda: service.pipelines["words"].feed.state == "open", service.step)  # its thread opens the file
        mqtt = next(output for output in service.outputs if output.name == "mqtt")
        service.outputs[:] = [mqtt]
        mqtt._on_connect(mqtt._client, None, None, SimpleNamespace(is_failure=False), None)
        announced = len(sent)
        files = trace.of(lambda: until(lambda: len(sent) > announced, service.step))
    paho.Client = real  # type: ignore[misc]
    return files


def request_to_database(trace: Trace, folder: Path) -> dict[str, bool]:
    """The console's button of a class, held until an example is on disk."""
    with service_of(folder, '[pipelines.signs]\ncamera = "sim"\nlook = "frame"\n[web]\nport = 0\n') as service:
        web = next(output for output in service.outputs if output.name == "web")
        until(lambda: service.pipelines["signs"].line.frames > 0, service.step)
        counted = threading.Event()

        def press() -> None:
            while not counted.is_set():
                console = http.client.HTTPConnection(web.health()["address"].split("/")[2])
                body, headers = json.dumps({"label": "up"}), {"Content-Type": "application/json"}
                console.request("POST", "/api/pipelines/signs/record", body, headers)
                if json.loads(console.getresponse().read())["counts"].get("up", [0])[0]:
                    counted.set()
                console.close()

        def trip() -> None:
            threading.Thread(target=press, daemon=True).start()
            until(counted.is_set, service.step)

        return trace.of(trip)


@contextmanager
def service_of(folder: Path, config: str) -> Iterator[Any]:
    """A service with this configuration, stepped by the caller, that never stops to look after its own health."""
    from device.serve.build import build
    from device.serve.config import read_config
    from device.serve.systemd import Notify

    file = folder / "service.toml"
    file.write_text(config)
    with ExitStack() as stack:
        service = build(read_config(file), folder / "state", stack, Notify())
        service._health_s = service._alive_s = service._summary_s = float("inf")
        yield service


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        traced = Trace()
        trips = {
            "frame": frame_to_ghost(traced),
            "sound": sound_to_message(traced, Path(made)),
            "request": request_to_database(traced, Path(made)),
        }
    sys.setprofile(None)
    print(json.dumps(trips), flush=True)
    os._exit(0)  # a broker's or a server's thread must not keep it
