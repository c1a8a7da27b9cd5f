"""The figures of health as Prometheus reads them: text, a sample a line, format 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from edge_tl import __version__

TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATUSES = ("starting", "ok", "degraded", "hangs", "stalled")
SOURCES = ("open", "waiting", "ended", "closed", "failed")
OUTPUTS = ("ok", "waiting", "failed")
Sample = tuple[dict[str, str], float]


def metrics(health: dict[str, Any]) -> str:
    """All figures of a snapshot of health; what is not known is left out."""
    pipelines, outputs = health.get("pipelines", {}), health.get("outputs", {})
    machine = health.get("machine", {})
    families = [
        ("info", "gauge", "Which version runs.", [({"version": __version__}, 1.0)]),
        ("status", "gauge", "1 for how the service is.", _one_of("status", STATUSES, health["status"])),
        ("uptime_seconds", "gauge", "Since its start.", _figure(health, "uptime_s")),
        ("events_total", "counter", "Events that were reported.", _figure(health, "events")),
        *_of_pipelines(pipelines),
        *_of_outputs(outputs),
        *_of_fleet(outputs.get("fleet", {})),
        ("temperature_celsius", "gauge", "Temperature of the processor.", _figure(machine, "temperature_c")),
        ("memory_bytes", "gauge", "Resident memory of the service.", _figure(machine, "memory_mib", 2**20)),
        ("limited", "gauge", "What limits the processor now.", _limits(machine.get("limited_now"))),
        ("limited_since_start", "gauge", "What did since the start.", _limits(machine.get("limited_since_start"))),
    ]
    return "".join(line for family in families for line in _lines(*family))


def _of_pipelines(pipelines: dict[str, Any]) -> Iterable[tuple[str, str, str, list[Sample]]]:
    """The families with a sample for each pipeline."""

    def each(key: str, scale: float = 1.0, **more: str) -> list[Sample]:
        return [
            ({"pipeline": name} | more, value)
            for name, one in pipelines.items()
            for _, value in _figure(one, key, scale)
        ]

    states = [
        ({"pipeline": name} | labels, value)
        for name, one in pipelines.items()
        for labels, value in _one_of("state", SOURCES, one["state"])
    ]
    latency = [*each("latency_p50_ms", 1e-3, within="0.5"), *each("latency_p95_ms", 1e-3, within="0.95")]
    fault = [({"pipeline": name}, float(bool(one["fault"] or one["last_error"]))) for name, one in pipelines.items()]
    ready = [({"pipeline": name}, float(one["teaching"] == "ready")) for name, one in pipelines.items()]
    yield "pipeline_state", "gauge", "1 for how its camera or microphone is.", states
    yield "pipeline_frames_total", "counter", "Frames that were looked at or heard.", each("frames")
    yield "pipeline_dropped_total", "counter", "Frames that were lost.", each("dropped")
    yield "pipeline_frames_per_second", "gauge", "Now.", each("frames_per_s")
    yield "pipeline_latency_seconds", "gauge", "From capture to answer, lately.", latency
    yield "pipeline_generation", "gauge", "Which training is in use.", each("generation")
    yield "pipeline_fault", "gauge", "1 while something is wrong with it.", fault
    yield "pipeline_teachable", "gauge", "1 while it can be taught.", ready
    yield "pipeline_failed_starts_total", "counter", "How often it could not be opened.", each("tries")
    yield "pipeline_next_start_seconds", "gauge", "Until it is tried again.", each("retry_s")


def _of_outputs(outputs: dict[str, Any]) -> Iterable[tuple[str, str, str, list[Sample]]]:
    """The families with a sample for each way out."""
    states = [
        ({"output": name} | labels, value)
        for name, one in outputs.items()
        for labels, value in _one_of("state", OUTPUTS, one["state"])
    ]
    counts = [
        ({"output": name, "what": key}, value)
        for name, one in outputs.items()
        for key in ("published", "ran", "failed", "dropped")
        for _, value in _figure(one, key)
    ]
    listening = [
        ({"output": name}, value)
        for name, one in outputs.items()
        for key in ("clients", "subscribers")
        for _, value in _figure(one, key)
    ]
    yield "output_state", "gauge", "1 for how it is.", states
    yield "output_total", "counter", "What became of events there.", counts
    yield "output_listeners", "gauge", "Who listens there.", listening


def _of_fleet(fleet: dict[str, Any]) -> Iterable[tuple[str, str, str, list[Sample]]]:
    """The families of a device that learns from others; none of one that does not."""
    dropped = [({"reason": reason}, float(count)) for reason, count in sorted(fleet.get("dropped_lessons", {}).items())]
    peers = fleet.get("peers", [])

    def each(key: str) -> list[Sample]:
        return [({"device": str(one["device"])}, value) for one in peers for _, value in _figure(one, key)]

    yield "fleet_lessons", "gauge", "Stored lessons, own and others'.", _figure(fleet, "lessons")
    yield (
        "fleet_waiting",
        "gauge",
        "Lessons that wait for approval.",
        _figure(fleet, "waiting_lessons"),
    )
    yield "fleet_dropped_total", "counter", "Messages that were ignored.", dropped
    yield "fleet_right_ratio", "gauge", "Own examples that others' lessons classify correctly.", _figure(fleet, "right")
    yield "fleet_acting_seconds", "gauge", "From receiving a lesson to using it.", _figure(fleet, "acting_s")
    yield "fleet_device_there", "gauge", "1 for each device that is online.", each("there")
    yield "fleet_device_lessons_used", "gauge", "Lessons of each device that are used here.", each("used")
    yield "fleet_device_right_ratio", "gauge", "As reported by each device.", each("right")


def _figure(about: dict[str, Any], key: str, scale: float = 1.0) -> list[Sample]:
    """A figure, where it is known."""
    value = about.get(key)
    return [] if value is None else [({}, round(scale * float(value), 6))]


def _one_of(label: str, states: Iterable[str], now: str) -> list[Sample]:
    """1 for the state of now, 0 for the others."""
    return [({label: state}, float(state == now)) for state in dict.fromkeys((*states, now))]


def _limits(reasons: list[str] | None) -> list[Sample]:
    return [({"reason": reason}, 1.0) for reason in reasons or ()]


def _lines(name: str, kind: str, help: str, samples: list[Sample]) -> Iterable[str]:
    """A family of samples; nothing where there is none."""
    if not samples:
        return
    yield f"# HELP edge_tl_{name} {help}\n# TYPE edge_tl_{name} {kind}\n"
    for labels, value in samples:
        said = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"edge_tl_{name}{f'{{{said}}}' if said else ''} {float(value)!r}\n"


def _escaped(text: str) -> str:
    """A label's value as the format wants it."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
