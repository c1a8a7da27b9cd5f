"""The few settings that the console may change: thresholds, kept beside the profile. Nothing else comes from there."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from edge_tl.controller import ControllerConfig
from edge_tl.errors import ConfigError, ProfileError
from edge_tl.files import sync_folder, write_synced
from edge_tl.listener import ListeningConfig

FILE = "tuning.json"


@dataclass(frozen=True)
class Tuning:
    """Thresholds of one pipeline; what is None is as configured. ConfigError for what makes no sense."""

    smoothing_s: float | None = None
    """Of signs, 0 to 60."""
    on: float | None = None
    """Of signs: begins at this probability."""
    off: float | None = None
    """Of signs: ends below it."""
    threshold: float | None = None
    """Of words, above 0 and at most 1."""

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if value is not None and not (number and math.isfinite(value) and 0 <= value <= 60):
                raise ConfigError(f"{one.name} = {str(value)[:40]}: a number is wanted, or null for as configured")
        ListeningConfig(0.5 if self.threshold is None else self.threshold)

    def over(self, configured: ControllerConfig) -> ControllerConfig:
        """The controller's settings with these in their place; ConfigError where the two contradict each other."""
        given: dict[str, Any] = {"smoothing_s": self.smoothing_s, "on": self.on, "off": self.off}
        return replace(configured, **{name: value for name, value in given.items() if value is not None})

    @classmethod
    def of(cls, values: Any) -> Tuning:
        """From a JSON object; ConfigError for a name that is none of these."""
        known = {one.name for one in fields(cls)}
        if not isinstance(values, dict) or not set(values) <= known:
            raise ConfigError(f"an object with {', '.join(sorted(known))} is wanted")
        return cls(**values)


def read_tuning(folder: Path) -> Tuning:
    """That of a profile's folder, else nothing set; ConfigError where the file is damaged."""
    try:
        return Tuning.of(json.loads((folder / FILE).read_bytes()))
    except FileNotFoundError:
        return Tuning()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder / FILE} is damaged ({error}): the configured thresholds are used") from error


def write_tuning(folder: Path, tuning: Tuning) -> None:
    """Keep it; on disk, whole, when this returns. ProfileError where the disk does not take it."""
    new = folder / f".{FILE}"
    try:
        new.unlink(missing_ok=True)
        write_synced(new, json.dumps(asdict(tuning)).encode())
        os.replace(new, folder / FILE)
        sync_folder(folder)
    except OSError as error:
        raise ProfileError(f"{folder / FILE} cannot be written ({error.strerror}): free some space") from error
