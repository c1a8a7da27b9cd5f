"""The service put together from its configuration: the one place where its real parts are chosen and opened."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from device.assembly import (
    Context,
    adopt_hearing,
    adopt_look,
    check_pictures,
    clock,
    holds_examples,
    open_turned,
    subject_of,
)
from device.cli.output import warn
from device.serve.config import PipelineConfig, ServiceConfig
from device.serve.event import Output
from device.serve.fleet import Fleet
from device.serve.fleet_requests import FleetRequests
from device.serve.home_assistant import Entity
from device.serve.hooks import Hooks
from device.serve.local import LocalSocket
from device.serve.mqtt import Mqtt
from device.serve.package_log import PackageLog
from device.serve.pins import Pins
from device.serve.pipeline import Pipeline
from device.serve.recognizing import LineMaker
from device.serve.requests import Requests
from device.serve.service import Service
from device.serve.sessions import FILE_NAME as SESSIONS_FILE
from device.serve.source_thread import Feed
from device.serve.starting import PipelineStarter
from device.serve.subscribers import Hub
from device.serve.sums_requests import PipelineSums, SumsRequests
from device.serve.sums_socket import SumsSocket
from device.serve.systemd import Notify
from device.sources.choose import open_mic
from device.sources.given import NO_MIC, NoMicrophone
from device.sources.reconnect import ReconnectingSource
from device.speed.chosen import read_speed
from device.teach.boxed import check_no_boxes
from device.teach.looking import LookChooser
from edge_tl.embedders.embedder import Embedder, TrackEmbedder
from edge_tl.embedders.look.choices import Look
from edge_tl.errors import ConfigError, ModelError, ProfileError, ProfileLocked
from edge_tl.files import open_lock
from edge_tl.frames import BaseSource
from edge_tl.line import line_of
from edge_tl.line.budget import Budget
from edge_tl.line.movement import MovementLine
from edge_tl.models import default_model
from edge_tl.store.lessons import damage_of_lessons
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_chosen, read_hearing, read_look, read_mirrored


def build(config: ServiceConfig, data_dir: Path, stack: ExitStack, notify: Notify) -> Service:
    """A service that is ready to `run`; everything it opened is closed by the stack, in the reverse order.

    Raises EdgeTLError (one line) for what the configuration asks for and is not there. A camera or microphone that is
    away is no error: it is sought.
    """
    stack.enter_context(alone(data_dir))
    hub = Hub()
    service = Service([], notify, clock=clock, wall=time.time, summary_s=config.summary_s)
    stack.enter_context(PackageLog(service.journal.happened))
    requests = Requests(service, clock)

    def open_one(name: str) -> Pipeline:
        with ExitStack() as own:  # what fails leaves nothing open: its profile can be restored meanwhile
            pipeline = open_pipeline(name, config.pipelines[name], config, data_dir, service, own)
            stack.push(own.pop_all())
            return pipeline

    starter = PipelineStarter(service.pipelines, service.failed, open_one, service.at_work, clock)
    starter.start(config.pipelines)
    service.each_second.append(starter.turn)
    for output in outputs(config, data_dir, service, requests, hub):
        try:
            output.start()
        except ConfigError as error:
            if not isinstance(output, LocalSocket | SumsSocket) or os.access(output.path.parent, os.W_OK):
                raise
            warn(f"{error}; the service goes on without it")
            continue
        stack.callback(output.stop)
        service.outputs.append(output)
    return service


def outputs(config: ServiceConfig, data_dir: Path, service: Service, requests: Requests, hub: Hub) -> list[Output]:
    """The ways out that the configuration asks for."""
    made: list[Output] = [hub, LocalSocket(socket_path(config, data_dir), requests.health)]
    if config.hooks:
        made.append(Hooks(config.hooks, service.journal.happened))
    if config.pins:
        made.append(Pins(config.pins, lambda name: kinds(config, service).get(name) == "sound"))
    fleet_requests = None
    if config.mqtt is not None:
        mqtt = Mqtt(config.mqtt, data_dir, lambda: entities(config, service), warn)
        service.each_second.append(mqtt.sync)
        made.append(mqtt)
        if config.fleet is not None:
            fleet = Fleet(config.fleet, data_dir, service, config.fleet_pipeline, mqtt, warn)
            mqtt.riders.append(fleet)
            made.append(fleet)
            fleet_requests = FleetRequests(fleet, service)
    if config.sums is not None:
        home = PipelineSums(service, config.sums.pipeline or next(iter(config.pipelines)))
        place = config.sums.socket or socket_path(config, data_dir).with_name("sums.sock")
        said = partial(service.journal.happened, "sums")
        made.append(SumsSocket(place, SumsRequests(home, config.sums.min_examples), said))
    if config.web is not None:
        from device.serve.web import Web  # its packages take memory and time, and not everybody wants a console

        made.append(Web(config.web, requests, hub, clock, warn, data_dir / SESSIONS_FILE, fleet_requests))
    if config.wyoming is not None:
        from device.serve.wyoming import Wyoming  # as the console

        def embedder(name: str) -> Embedder:
            say = partial(service.journal.happened, f"model of {name}")
            return load_or_shipped(Context(data_dir, config.pipelines[name].profile, threads=1), say)

        wyoming = Wyoming(config.wyoming, service.pipelines, embedder, service.journal.happened, warn, clock)
        service.each_second.append(wyoming.sync)
        made.append(wyoming)
    return made


def entities(config: ServiceConfig, service: Service) -> dict[str, Entity]:
    """The pipelines, also those that could not be opened, as they are announced; from any thread."""
    labels, health = service.labels(), service.health.get("pipelines", {})
    return {
        name: Entity(kind, tuple(labels.get(name, ())), health.get(name, {}).get("state") == "open")
        for name, kind in kinds(config, service).items()
    }


def kinds(config: ServiceConfig, service: Service) -> dict[str, str]:
    """What each pipeline tells: `picture` of signs, `sound` or `movement`; of one that could not be opened its camera's
    or microphone's kind."""
    opened = service.pipelines
    return {name: opened[name].kind if name in opened else one.kind for name, one in config.pipelines.items()}


def socket_path(config: ServiceConfig, data_dir: Path) -> Path:
    """Where the Unix socket is."""
    return config.socket or data_dir / "events.sock"


def open_pipeline(
    name: str, one: PipelineConfig, config: ServiceConfig, data_dir: Path, service: Service, stack: ExitStack
) -> Pipeline:
    """One pipeline with its profile, its embedder, and its camera or microphone, which is sought from now on."""
    chosen = read_speed(data_dir)
    threads = config.threads if config.threads is not None or chosen is None else chosen.threads
    context = Context(data_dir, one.profile, threads=threads)
    profile = _open_profile(context.profile_folder, stack)
    say = partial(service.journal.happened, f"model of {name}")
    embedder = adopt(one, profile, context, say)
    way = read_look(profile.folder).way
    source = ReconnectingSource(
        lambda: _acquire(one, way), clock=clock, patient=True, name=one.camera or one.mic or name
    )
    feed = Feed(source, service.wake, clock, one.kind)
    looking = None
    fps = config.fps if config.fps is not None or chosen is None else chosen.fps
    make_line: LineMaker = partial(line_of, budget=Budget(fps) if fps else None)
    if isinstance(embedder, TrackEmbedder):
        hands, mirrored = context.load_hands(), read_mirrored(profile.folder)
        make_line = partial(MovementLine, hands=hands, mirrored=mirrored)
    elif one.kind == "picture" and profile.writable and not _damaged(profile):
        looking = LookChooser(
            profile, lambda look: load_or_shipped(context, say, look), context.models_folder(), context.threads
        )
    pipeline = Pipeline(
        name,
        one,
        config.store,
        profile,
        embedder,
        feed,
        clock=clock,
        wall=time.time,
        beat=service.beat,
        looking=looking,
        make_line=make_line,
    )
    if config.fleet is None or config.fleet_pipeline != name:  # else the fleet says so
        pipeline.error = pipeline.error or damage_of_lessons(profile.folder)
    stack.enter_context(feed)
    return pipeline


def _open_profile(folder: Path, stack: ExitStack) -> Profile:
    """For writing; where it is there and its disk can only be read, for reading: what was taught goes on."""
    try:
        return stack.enter_context(Profile(folder, writable=True, keep_empty=False))
    except ProfileLocked:
        raise
    except ProfileError:
        if not folder.is_dir() or os.access(folder, os.W_OK):
            raise
        return stack.enter_context(Profile(folder))


def adopt(one: PipelineConfig, profile: Profile, context: Context, say: Callable[[str], None]) -> Embedder:
    """Make a new profile one of pictures or of words, and load what looks or listens as the profile was taught.

    say: takes what there is to know of the model, as `load_or_shipped`.
    """
    unchanged = _damaged(profile) or not profile.writable
    with contextlib.suppress(Exception) if unchanged else contextlib.nullcontext():
        if one.kind == "sound":
            adopt_hearing(profile)
        elif one.look is not None and not holds_examples(profile):
            adopt_look(profile, Look(one.look))
        else:
            check_pictures(profile)
            check_no_boxes(profile)
    return load_or_shipped(context, say)


def load_or_shipped(context: Context, say: Callable[[str], None], look: Look | None = None) -> Embedder:
    """What looks so, without a look as the profile was taught. Where a model that was put there later is damaged, the
    one that ships, with the generations that it made: ModelError where that is no help."""
    try:
        return context.load_embedder(look, movements=True)
    except ModelError as error:
        folder = context.profile_folder
        if read_hearing(folder) is not None or read_chosen(folder) is None:
            raise
        say(f"{error}; the model that ships is used instead")
        return replace(context, model=default_model()).load_embedder(look, movements=True)


def _damaged(profile: Profile) -> bool:
    """Whether its examples cannot be read: then it goes on recognizing, and says that it cannot be taught."""
    try:
        profile.store.labels()
    except Exception:
        return True
    return False


def _acquire(one: PipelineConfig, way: str) -> BaseSource:
    if one.mic == NO_MIC:
        return NoMicrophone()
    if one.mic is not None:
        return open_mic(one.mic, clock=clock, loop=True)
    assert one.camera is not None
    return open_turned(one.camera, one.rotate, subject_of(way))


@contextlib.contextmanager
def alone(data_dir: Path):  # type: ignore[no-untyped-def]
    """While it lasts no other service uses this state folder; ProfileLocked where one does."""
    place = data_dir / "service.lock"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = open_lock(place)
    except OSError as error:
        raise ProfileError(
            f"{place} cannot be made ({error.strerror}): free some space, or check the rights of data_dir"
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise ProfileLocked(
                f"another service (PID {pid}) runs on {data_dir}: end it, or use another data_dir"
            ) from None
        with contextlib.suppress(OSError):  # a full disk, or one that may only be read: it holds all the same
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)
