"""The table [fleet] of the configuration: who is in it, and whose lessons teach here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from device.serve.toml_tables import limits
from edge_tl.errors import ConfigError, ExampleError, ProfileError, counted
from edge_tl.fleet.keys import DeviceKey, key_of, parse_key
from edge_tl.labels import check_label
from edge_tl.store.lessons import LEFT, TAKEN, WAITING

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
KEY_FILE = "fleet-key"
"""In the state folder."""
MAX_TRUSTED = 1_000


@dataclass(frozen=True)
class FleetConfig:
    """Lessons are given to other devices, and taken from them, over the broker of [mqtt]; extra `fleet`."""

    name: str
    """Devices that name the same fleet, and trust each other, learn from each other."""
    trusted: dict[str, str] = field(default_factory=dict)
    """What the others are called, and their keys, as `edge-tl fleet keys` prints them there."""
    pipeline: str | None = None
    """Which pipeline learns; left out, the only one."""
    device: str | None = None
    """What this device calls itself; left out, its id."""
    key_file: Path | None = None
    """Left out, `fleet-key` in data_dir; made at the first start."""
    accept: str = limits("all", one_of=("all", "ask"))
    """"all": lessons of trusted devices teach at once; "ask": they wait until somebody accepts the device."""
    labels: tuple[str, ...] = ()
    """Only lessons whose label begins with one of these teach here; left out, all do."""
    share: bool = True
    """Whether what is taught here is given to the others."""
    hub: str | None = None
    """Which device, of `trusted` or this one, trains for all; left out, each one trains itself."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(f"name = {self.name[:40]!r}: use up to 32 letters, digits, - and _")
        if len(self.trusted) > MAX_TRUSTED:
            raise ConfigError(f"trusted: {counted(len(self.trusted), 'device')}; at most {MAX_TRUSTED} are allowed")
        try:
            for name in [*self.trusted, *([] if self.device is None else [self.device])]:
                if check_label(name) != name:
                    raise ConfigError(f"{name[:40]!a} is not a valid device name: remove the spaces around it")
        except ExampleError as error:
            raise ConfigError(f"device name: {error}") from error
        if self.hub is not None and self.hub not in (*self.trusted, self.device):
            raise ConfigError(f"hub: {self.hub[:40]!a} is neither in trusted nor what this device is called")
        keys = list(self.keys)
        if len(keys) < len(self.trusted):
            raise ConfigError("trusted: two devices have the same key: each device needs its own")

    @property
    def keys(self) -> dict[bytes, str]:
        """Public key → what the device is called; ConfigError for what is no key."""
        made = {}
        for name, text in self.trusted.items():
            try:
                made[parse_key(text)] = name
            except ConfigError as error:
                raise ConfigError(f"trusted.{name}: {error}") from None
        return made

    def key(self, data_dir: Path) -> DeviceKey:
        """The key of this device, made where there is none; ConfigError where it cannot be kept."""
        place = self.key_file or data_dir / KEY_FILE
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProfileError(f"{place.parent} cannot be created ({error.strerror}): check key_file") from error
        return key_of(place)

    def hub_key(self, own: bytes) -> bytes | None:
        """The public key of the hub; own: that of this device. None where there is no hub."""
        if self.hub is None:
            return None
        return own if self.hub == self.device else parse_key(self.trusted[self.hub])

    def state_of(self, key: bytes, label: str) -> str:
        """What becomes of a lesson of this device and label by these rules."""
        if key not in self.keys:
            return LEFT
        if self.labels and not label.startswith(self.labels):
            return LEFT
        return TAKEN if self.accept == "all" else WAITING
