"""What Home Assistant is told: entities by MQTT discovery, and states that cannot be taken for "nothing".

PREFIX/COMPONENT/edge-tl_ID/PIPELINE/config      a sensor for each camera, an event entity for each microphone
                                                  and for each camera that tells movements
PREFIX/sensor/edge-tl_ID/_fleet_FIGURE/config    how the device does in its fleet
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from edge_tl import __version__

NOTHING = "none"
_TAKEN = {NOTHING, "unknown", "unavailable"}
"""What means nothing, to us or to Home Assistant, in any capitals."""
COMPONENTS = {"picture": "sensor", "sound": "event", "movement": "event"}
ICONS = {"picture": "mdi:hand-back-right", "sound": "mdi:microphone", "movement": "mdi:gesture-swipe"}

NOT_HEARD_S = 150
"""A figure of which nothing came for so long is not known any more: each device says something once a minute."""
_FIGURES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "generation": ("fleet generation", "value_json.generation", {"icon": "mdi:counter"}),
    "lessons": ("fleet lessons", "value_json.lessons", {"icon": "mdi:school"}),
    "right": (
        "fleet lessons right on own examples",
        "(100 * value_json.right) | round(1)",
        {"unit_of_measurement": "%", "state_class": "measurement", "icon": "mdi:check-decagram"},
    ),
    "acting_s": (
        "fleet lesson to use",
        "value_json.acting_s",
        {"unit_of_measurement": "s", "device_class": "duration", "state_class": "measurement"},
    ),
    "fps": (
        "fleet frames per second",
        "value_json.fps",
        {"unit_of_measurement": "1/s", "state_class": "measurement", "icon": "mdi:camera-timer"},
    ),
    "temperature_c": (
        "fleet temperature",
        "value_json.temperature_c",
        {"unit_of_measurement": "°C", "device_class": "temperature", "state_class": "measurement"},
    ),
    "set": ("fleet lessons used", "value_json.set", {"icon": "mdi:fingerprint"}),
}
"""Of what a device says of itself: the entity's name, a template, and what Home Assistant makes of it."""
_SEEN = {"icon": "mdi:clock-check", "device_class": "timestamp"}


@dataclass(frozen=True)
class Entity:
    """A pipeline, as it is announced."""

    kind: str
    """`picture`, `sound` or `movement`."""
    labels: tuple[str, ...] = ()
    """What it can tell."""
    present: bool = True
    """Whether its camera or microphone is there."""


def state_text(label: str | None) -> str:
    """What a state topic says: a label as it is, or `none`; a label that would mean nothing stands in quotes.

    Two labels never have one text: who begins with a quote is put into quotes too.
    """
    if label is None:
        return NOTHING
    return f'"{label}"' if label.casefold() in _TAKEN or label.startswith('"') else label


def discovery(prefix: str, topic: str, id: str, name: str, host: str, entities: dict[str, Entity]) -> dict[str, str]:
    """Topic → message of each entity; nothing for an empty prefix.

    topic: all states are below it. id, name: of the device. host: what its machine is called, to tell devices apart.
    """
    if not prefix:
        return {}
    node, made = f"edge-tl_{id}", {}
    for pipeline, entity in entities.items():
        about: dict[str, Any] = {
            "name": pipeline,
            "unique_id": f"{node}_{pipeline}",
            "state_topic": f"{topic}/{pipeline}/{'state' if entity.kind == 'picture' else 'event'}",
            "availability": [{"topic": f"{topic}/status"}, {"topic": f"{topic}/{pipeline}/status"}],
            "availability_mode": "all",
            "icon": ICONS[entity.kind],
            **_device(id, name, host),
        }
        if entity.kind == "picture":
            about["json_attributes_topic"] = f"{topic}/{pipeline}/event"
        else:
            about["event_types"] = list(entity.labels)
        if entity.kind == "movement":  # where signs are held beside movements, a sign's end is no event of theirs
            about["value_template"] = "{{ value if value_json.event_type is defined else '' }}"
        where = f"{prefix}/{COMPONENTS[entity.kind]}/{node}/{pipeline}/config"
        made[where] = json.dumps(about, ensure_ascii=False)
    return made


def fleet_discovery(prefix: str, topic: str, id: str, name: str, host: str, at: str) -> dict[str, str]:
    """Topic → message of each figure of this device in its fleet; nothing for an empty prefix, or no fleet.

    at: the topic of its status, which all of the fleet read. Others as of `discovery`.
    """
    if not prefix or not at:
        return {}
    node, made = f"edge-tl_{id}", {}
    figures = {
        # Left out of the status where nothing is known of it; 'None' is how Home Assistant says that.
        key: (shown, f"{{{{ {value} if '{key}' in value_json else 'None' }}}}", more)
        for key, (shown, value, more) in _FIGURES.items()
    }
    figures["seen"] = "fleet last seen", "{{ now().isoformat() }}", _SEEN
    for key, (shown, template, more) in figures.items():
        about = {
            "name": shown,
            "unique_id": f"{node}_fleet_{key}",
            "state_topic": at,
            "value_template": template,
            "availability": [{"topic": f"{topic}/status"}],
            "entity_category": "diagnostic",
            **more,
            **_device(id, name, host),
        }
        if key != "seen":
            about["expire_after"] = NOT_HEARD_S
        # No pipeline's name begins so.
        made[f"{prefix}/sensor/{node}/_fleet_{key}/config"] = json.dumps(about, ensure_ascii=False)
    return made


def _device(id: str, name: str, host: str) -> dict[str, Any]:
    """Under which device Home Assistant shows an entity, and who says so."""
    device = {
        "identifiers": [f"edge-tl_{id}"],
        "name": f"edge-tl {name}",
        "manufacturer": "edge-tl",
        "model": f"service on {host}",
        "sw_version": __version__,
    }
    return {"device": device, "origin": {"name": "edge-tl", "sw_version": __version__}}


def before_ids(prefix: str, topic: str, host: str, pipelines: list[str]) -> list[str]:
    """What versions without ids left at the broker under a prefix, a topic and the machine's name."""
    node = f"{_word(topic)}_{_word(host)}"
    left = [f"{topic}/status"]
    for pipeline in pipelines:
        left.append(f"{topic}/{pipeline}/state")
        left += [f"{prefix}/{one}/{node}/{pipeline}/config" for one in sorted(set(COMPONENTS.values()))]
    return left


def _word(text: str) -> str:
    """What Home Assistant takes as an id: letters, digits, - and _."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)
