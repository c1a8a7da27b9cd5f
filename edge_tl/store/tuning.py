"""The few settings that the console may change: thresholds, kept in the profile. Nothing else comes from there."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

from edge_tl.controller import ControllerConfig
from edge_tl.errors import ConfigError
from edge_tl.listener import ListeningConfig


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
