"""`edge-tl fleet`: keys, who gave what, whose lessons are left out, what is taken back."""

from __future__ import annotations

import os
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from device.assembly import Context
from device.cli.grammar import data_dir
from device.cli.output import print_json, say
from device.health import ask_health
from device.serve.build import socket_path
from device.serve.config import PLACES, ServiceConfig, read_config
from device.serve.fleet_config import KEY_FILE, FleetConfig
from device.serve.fleet_devices import decide, described
from edge_tl.errors import ConfigError, ProfileError, counted
from edge_tl.fleet.keys import DeviceKey, key_of, key_text
from edge_tl.store.lessons import ACCEPTED, ASIDE, FILE, LessonStore


def run(arguments: Namespace) -> int:
    """What the action asks for."""
    actions = {"keys": keys, "status": status, "aside": aside, "accept": accept, "undo": undo, "forget": forget}
    return actions[arguments.action](arguments)


def keys(arguments: Namespace) -> int:
    """Print the key, made where there is none; it works before there is a configuration."""
    key, name = _key(arguments)
    text = key_text(key.public)
    if arguments.json:
        print_json({"id": key.id, "key": text, "device": name or key.id})
        return 0
    say("the public key of this device; add these lines to the configuration of the others:", "", "[fleet.trusted]")
    print(f'{name or "NAME"} = "{text}"')
    return 0


def status(arguments: Namespace) -> int:
    """Tell of the fleet: from the files, and where the service runs from it too."""
    config, fleet, state = _configured(arguments)
    with ExitStack() as stack:
        store = _store(stack, config, state, writable=False)
        devices = store.devices() if store is not None else []
        given = store.given() if store is not None else []
    live = _live(config, state)
    own = _own_id(fleet, state)
    made = described(devices, live.get("peers", []), own)
    before = sum(one.lessons for one in devices if one.id == own)
    shared = [{"lesson": hash, "label": label, "take": take, "examples": count} for hash, label, take, count in given]
    if arguments.json:
        live_keys = ("set", "generation", "right", "asked", "dropped_lessons", "error", "state", "account", "acting_s")
        here = {name: live.get(name) for name in live_keys} if live else None
        print_json({"fleet": fleet.name, "running": here, "devices": made, "given": shared})
        return 0
    say(*_lines(fleet, made, shared, live))
    if before:
        say(
            f"{counted(before, 'lesson')} with this device's key, of a deleted profile or a copied card, which the "
            "others go on using: withdraw them where their examples are"
        )
    return 0


def aside(arguments: Namespace) -> int:
    """Leave a device's lessons out."""
    return _decide(arguments, ASIDE)


def accept(arguments: Namespace) -> int:
    """Let a device's lessons teach."""
    return _decide(arguments, ACCEPTED)


def undo(arguments: Namespace) -> int:
    """Forget what was decided about a device."""
    return _decide(arguments, "")


def forget(arguments: Namespace) -> int:
    """Take an own lesson back from everybody."""
    config, _, state = _configured(arguments)
    key, _ = _key(arguments)
    with ExitStack() as stack:
        store = _opened(_store(stack, config, state, writable=True))
        hash = store.own(arguments.lesson)
        with store.together():
            store.withdraw(hash, key, forget=False)
    if arguments.json:
        print_json({"forgotten": hash})
        return 0
    say(
        f"lesson {hash[:12]} is withdrawn: the other devices delete it as soon as the service has told them; its "
        "examples are kept here"
    )
    return 0


def _decide(arguments: Namespace, decision: str) -> int:
    config, _, state = _configured(arguments)
    with ExitStack() as stack:
        store = _opened(_store(stack, config, state, writable=True))
        one, after = decide(store, arguments.device, decision)
    lessons = one.lessons if decision == ASIDE else after.used
    if arguments.json:
        print_json({"device": one.shown, "id": one.id, "decision": decision, "lessons": lessons})
        return 0
    every = counted(after.lessons, "lesson")
    said = {
        ASIDE: f"{counted(lessons, 'lesson')} of {one.shown} are no longer used",
        ACCEPTED: f"{counted(lessons, 'lesson')} of {one.shown} are used from now on",
        "": f"nothing is decided about {one.shown} now: {after.used} of its {every} are used",
    }[decision]
    if one.used == after.used:
        say(said)
        return 0
    next_ = "the running service trains automatically" if _live(config, state) else "run `edge-tl train`"
    say(f"{said}: {next_}")
    return 0


def _configured(arguments: Namespace) -> tuple[ServiceConfig, FleetConfig, Path]:
    """The configuration, its fleet, and the state folder; ConfigError where it has no fleet."""
    config = read_config(arguments.config)
    if config.fleet is None:
        raise ConfigError("the configuration has no [fleet] table: add one (see docs/fleet.md)")
    return config, config.fleet, arguments.data_dir or config.data_dir or data_dir()


def _key(arguments: Namespace) -> tuple[DeviceKey, str | None]:
    """This device's key, and what it calls itself."""
    if arguments.config is None and not any(place.is_file() for place in PLACES):
        state = arguments.data_dir or data_dir()
        try:
            state.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProfileError(f"{state} cannot be made ({error.strerror}): give --data-dir") from error
        return key_of(state / KEY_FILE), None
    config = read_config(arguments.config)
    state = arguments.data_dir or config.data_dir or data_dir()
    if config.fleet is None:
        return FleetConfig("none").key(state), None
    return config.fleet.key(state), config.fleet.device


def _own_id(fleet: FleetConfig, state: Path) -> str:
    """The id of this device; empty where it has no key yet, or none that may be read here: none is made."""
    if not (fleet.key_file or state / KEY_FILE).is_file():
        return ""
    try:
        return fleet.key(state).id
    except ConfigError:
        return ""


def _store(stack: ExitStack, config: ServiceConfig, state: Path, *, writable: bool) -> LessonStore | None:
    """The lessons of the fleet's profile; None where none ever came or went."""
    folder = Context(state, config.pipelines[config.fleet_pipeline].profile).profile_folder
    if not os.path.isfile(folder / FILE):
        return None
    return stack.enter_context(LessonStore(folder, writable=writable))


def _opened(store: LessonStore | None) -> LessonStore:
    if store is None:
        raise ConfigError("no lesson was sent or received yet: lessons are exchanged by the service, `edge-tl serve`")
    return store


def _live(config: ServiceConfig, state: Path) -> dict[str, Any]:
    """What the running service says of the fleet; nothing where it does not run."""
    try:
        outputs: dict[str, Any] = ask_health(socket_path(config, state)).get("outputs", {})
    except ConfigError:
        return {}
    fleet: dict[str, Any] = outputs.get("fleet", {})
    if fleet and not fleet.get("error"):  # it waits for what waits for the broker
        fleet["error"] = outputs.get("mqtt", {}).get("error")
    return fleet


def _lines(
    fleet: FleetConfig, devices: list[dict[str, Any]], given: list[dict[str, Any]], live: dict[str, Any]
) -> list[str]:
    """What a person reads."""
    lines = [f"fleet {fleet.name}, {counted(len(devices), 'other device')}"]
    if not live:
        lines.append("the service is not running with this fleet; this is what it has stored")
    else:
        dropped = ", ".join(f"{count} {reason}" for reason, count in sorted(live.get("dropped_lessons", {}).items()))
        lines.append(f"the service: {live['state']}" + (f", {live['error']}" if live.get("error") else ""))
        if live.get("hub"):
            which = f"its newest head is number {live['head']}" if live.get("head") else "it published no head yet"
            lines.append(f"{live['hub']} trains for all: {which}")
        if live.get("asked"):
            lines.append(
                f"the others' lessons classify {100 * live['right']:.0f} % of {live['asked']} own examples correctly"
            )
        lines += [f"ignored: {dropped}"] if dropped else []
    for one in devices:
        lines += ["", f"{one['device']} ({one['id']})" + ("" if one["trusted"] else ", no longer trusted")]
        if live and one["trusted"]:
            lines.append(f"  {_seen(one)}" + ("" if one.get("set") in (None, live.get("set")) else ", other lessons"))
        state = {ASIDE: ", set aside", ACCEPTED: ", accepted"}.get(one["decision"], "")
        waits = f", {one['waiting']} waiting: `edge-tl fleet accept {one['id']}`" if one["waiting"] else ""
        labels = f" of {', '.join(one['labels'])}" if one["labels"] else ""
        lines.append(f"  shared {counted(one['lessons'], 'lesson')}{labels}, {one['used']} used here{state}{waits}")
    lines += ["", f"shared with the others: {counted(len(given), 'lesson')}"]
    lines += [f"  {one['lesson'][:12]}  {one['label']}, {counted(one['examples'], 'example')}" for one in given]
    return lines


SILENT = (
    "no message since the service started: is it switched on, at this broker and with this fleet's name, and does its "
    "[fleet.trusted] hold this device's key (`edge-tl fleet keys`)?"
)


def _seen(one: dict[str, Any]) -> str:
    """Whether a device is there, and how it does."""
    if one.get("seen_s") is None:
        return SILENT
    words = ["online" if one["there"] else f"silent for {one['seen_s'] / 60:.0f} min"]
    words += [f"generation {one['generation']:.0f}"] if "generation" in one else []
    words += [f"others' lessons {100 * one['right']:.0f} % correct on its examples"] if "right" in one else []
    words += [f"{one['fps']:.1f} frames/s"] if "fps" in one else []
    words += [f"{one['temperature_c']:.0f} °C"] if "temperature_c" in one else []
    words += [f"new lessons in use after {one['acting_s']:.1f} s"] if "acting_s" in one else []
    return ", ".join(words)
