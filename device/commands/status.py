"""`edge-tl status`: how a running service does."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from device.cli.grammar import data_dir
from device.cli.output import print_json, say
from device.health import ask_health
from device.serve.build import socket_path
from device.serve.config import PLACES, read_config
from edge_tl.errors import counted


def run(arguments: Namespace) -> int:
    """Ask at the socket; 0 where all is well, 1 where something is not."""
    health = ask_health(arguments.socket or configured_socket(arguments.config, arguments.data_dir))
    if arguments.json:
        print_json(health)
    else:
        say(*lines(health))
    return 0 if health["status"] == "ok" else 1


def configured_socket(file: Path | None, state: Path | None) -> Path:
    """The socket of the configuration `file`, else that of the folder `state`; None for the usual ones."""
    if file is None and (state or not any(place.is_file() for place in PLACES)):
        return (state or data_dir()) / "events.sock"
    config = read_config(file)
    return socket_path(config, state or config.data_dir or data_dir())


def lines(health: dict[str, Any]) -> list[str]:
    """What a person reads of it."""
    made = [f"{health['status']}, up {health['uptime_s'] / 3600:.1f} h, {counted(health['events'], 'event')} reported"]
    for name, one in health["pipelines"].items():
        p50, p95 = one["latency_p50_ms"], one["latency_p95_ms"]
        took = "" if p50 is None else f", latency {p50:.0f} ms (95 % within {p95:.0f})"
        # Of pictures the newest wins, by design; a sound that has gaps is a fault.
        lost = f", {counted(one['dropped'], 'block')} lost" if one["kind"] == "sound" and one["dropped"] else ""
        made.append(
            f"{name}: {one['source']} {one['state']}, {one['frames_per_s']:.1f}/s{took}{lost}, "
            f"generation {one['generation']}"
        )
        if one["look"]:
            made.append(f"  look: {one['look']}" + (f"; {one['looking']}" if one["looking"] else ""))
        for trouble in dict.fromkeys((one["fault"], one["last_error"])):
            made += [f"  {trouble}"] if trouble else []
        if "tries" in one:
            made.append(f"  tried {counted(one['tries'], 'time')}, again in {counted(round(one['retry_s']), 'second')}")
        made += [f"  {one['silent']}"] if one.get("silent") else []
        if one["teaching"] != "ready":
            made.append(f"  teaching is not possible: {one['teaching']}")
    for name, one in health["outputs"].items():
        place = f" as {one['topic']}" if one.get("topic") else ""
        if "words" in one:  # the wake-word service
            waits = f"{counted(one['clients'], 'satellite')} connected, {counted(one['published'], 'word')} detected"
            place = f" at {one['address']}, {waits} ({', '.join(one['words']) or 'nothing is trained yet'})"
        if "fleet" in one:
            there = sum(peer["there"] for peer in one.get("peers", []))
            lessons = counted(one.get("lessons", 0), "lesson")
            others = counted(there, "other device")
            place = f" {one['fleet']}, {others} online, {lessons} (`edge-tl fleet status`)"
        if one.get("error") or place:
            made.append(f"{name}: {one['state']}{place}" + (f": {one['error']}" if one.get("error") else ""))
    machine = health["machine"]
    if machine["temperature_c"] is not None:
        limited = ", ".join(machine["limited_now"] or []) or "not limited"
        made.append(f"processor {machine['temperature_c']:.0f} °C, {limited}")
    if machine["memory_mib"] is not None:
        made.append(f"memory {machine['memory_mib']:.0f} MiB")
    return made
