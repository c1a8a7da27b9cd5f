"""The other devices of a fleet as a person is shown them, and what is decided about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from edge_tl.errors import ConfigError
from edge_tl.store.lessons import DeviceLessons, LessonStore

_LIVE = ("there", "seen_s", "generation", "set", "right", "asked", "fps", "temperature_c", "acting_s")


def described(
    devices: Iterable[DeviceLessons], peers: Iterable[Mapping[str, Any]], own: str = ""
) -> list[dict[str, Any]]:
    """What each other device gave and what was decided about it, with what it says of itself; JSON-able.

    peers: as in the health of the running service; empty where it does not run. own: the id of this device, whose
    lessons of a copied card or a deleted profile are no other device's.
    """
    said = {peer["id"]: peer for peer in peers}
    return [
        {
            "device": one.shown,
            "id": one.id,
            "trusted": bool(one.name),
            "decision": one.decision,
            "lessons": one.lessons,
            "used": one.used,
            "waiting": one.waiting,
            "labels": list(one.labels),
            **{name: value for name, value in said.get(one.id, {}).items() if name in _LIVE},
        }
        for one in devices
        if one.id != own
    ]


def decide(store: LessonStore, device: str, decision: str) -> tuple[DeviceLessons, DeviceLessons]:
    """Set a device aside, accept it, or forget that anything was decided: it before, and after.

    device: its name or id. ConfigError where there is none, or it is not trusted any more.
    """
    one = store.device(device)
    if not one.name:
        raise ConfigError(f"{one.shown} is no longer in [fleet.trusted], so its lessons are not used")
    store.decide(one.key, decision)
    return one, store.device(one.id)
