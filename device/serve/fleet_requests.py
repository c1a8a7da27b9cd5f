"""What may be asked of the fleet from outside: how the other devices do, and whose lessons are used here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from device.serve.fleet import Fleet
from device.serve.fleet_devices import decide, described
from device.serve.requests import NotHere
from device.serve.service import Service
from edge_tl.errors import ConfigError, ProfileError, counted
from edge_tl.store.lessons import ACCEPTED, ASIDE, LessonStore

DECISIONS = {"accept": ACCEPTED, "aside": ASIDE, "undo": ""}
"""What may be decided about a device; the last one: nothing, so that the configuration's rules hold again."""


class FleetRequests:
    """Turns requests, from any thread, into reads and writes of the lessons, as another process does them.

    Every method raises EdgeTLError (one line) for what cannot be done, NotHere for a name that is not there.
    """

    def __init__(self, fleet: Fleet, service: Service) -> None:
        self._fleet, self._service = fleet, service

    @property
    def pipeline(self) -> str:
        """The one that learns from the others."""
        return self._fleet.pipeline

    def state(self) -> dict[str, Any]:
        """The fleet and each other device: what it says, what it gave, how well that does, what was decided."""
        health, devices, error = self._fleet.health(), list[dict[str, Any]](), ""
        try:
            with LessonStore(self._folder(), writable=False) as store:
                devices = described(store.devices(), health.get("peers", ()), health.get("id", ""))
        except ProfileError as wrong:
            error = str(wrong)
        account = health.get("account") or {}
        alone, harmful = (
            {one["device"]: {name: value for name, value in one.items() if name != "device"} for one in found}
            for found in (account.get("alone", ()), account.get("harmful", ()))
        )
        told = ("generation", "lessons", "right", "asked", "set", "given")
        return {
            "fleet": self._fleet.config.name,
            "pipeline": self.pipeline,
            "accept": self._fleet.config.accept,
            "state": health["state"],
            "error": health["error"] or error,
            **{name: health[name] for name in told if name in health},
            "devices": [
                one | {"alone": alone.get(one["device"]), "harmful": harmful.get(one["device"])} for one in devices
            ],
        }

    def act(self, action: str, given: dict[str, Any]) -> dict[str, Any]:
        """Decide about a device, one of `DECISIONS`, on disk when this returns; what follows, and the new `state`."""
        if action not in DECISIONS:
            raise NotHere(f"there is no {action[:40]!r}; there are {', '.join(DECISIONS)}")
        unknown = [word for word in given if word != "device"]
        if unknown:
            raise ConfigError(f"{action} knows no {unknown[0][:40]!a}: device may be there")
        device = given.get("device")
        if not isinstance(device, str):
            raise ConfigError("device: a text is wanted")
        with LessonStore(self._folder(), writable=True) as store:
            before, after = decide(store, device, DECISIONS[action])
        lessons = counted(after.lessons, "lesson")
        said = {
            "accept": f"{after.shown} is accepted: {after.used} of its {lessons} are used",
            "aside": f"{after.shown} is set aside: none of its {lessons} is used",
            "undo": f"nothing is decided about {after.shown} now: {after.used} of its {lessons} are used",
        }[action]
        trains = "" if before.used == after.used else "; training starts by itself"
        return self.state() | {"said": said + trains}

    def _folder(self) -> Path:
        """Of the profile that learns; ProfileError while it cannot be opened or written."""
        pipeline = self._service.pipelines.get(self.pipeline)
        if pipeline is None or not pipeline.profile.writable:
            raise ProfileError(f"the pipeline {self.pipeline} cannot be trained, so no lessons are exchanged")
        return pipeline.profile.folder
