"""What Home Assistant is told: entities by MQTT discovery, and states that cannot be taken for "nothing".

PREFIX/COMPONENT/edge-tl_ID/PIPELINE/config      a sensor for each camera, an event entity for each microphone
                                                  and for each camera that tells movements
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
    node = f"edge-tl_{id}"
    device = {
        "identifiers": [node],
        "name": f"edge-tl {name}",
        "manufacturer": "edge-tl",
        "model": f"service on {host}",
        "sw_version": __version__,
    }
    made = {}
    for pipeline, entity in entities.items():
        about: dict[str, Any] = {
            "name": pipeline,
            "unique_id": f"{node}_{pipeline}",
            "state_topic": f"{topic}/{pipeline}/{'state' if entity.kind == 'picture' else 'event'}",
            "availability": [{"topic": f"{topic}/status"}, {"topic": f"{topic}/{pipeline}/status"}],
            "availability_mode": "all",
            "icon": ICONS[entity.kind],
            "device": device,
            "origin": {"name": "edge-tl", "sw_version": __version__},
        }
        if entity.kind == "picture":
            about["json_attributes_topic"] = f"{topic}/{pipeline}/event"
        else:
            about["event_types"] = list(entity.labels)
        where = f"{prefix}/{COMPONENTS[entity.kind]}/{node}/{pipeline}/config"
        made[where] = json.dumps(about, ensure_ascii=False)
    return made


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
