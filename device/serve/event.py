"""What the service tells: an event a label, and who wants to hear it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """A label began, or the one before ended."""

    label: str | None
    """None: a sign ended and no other began; words and movements have no end."""
    confidence: float
    """0 to 1."""
    source: str
    """The name of the pipeline."""
    time: float
    """Seconds since 1970."""
    generation: int
    """Of the profile: which training said so."""
    start: float | None = None
    end: float | None = None
    """Of a movement: when it began and ended, seconds since 1970; signs have neither."""

    def as_dict(self) -> dict[str, Any]:
        """As it is published."""
        told = asdict(self) | {"confidence": round(self.confidence, 4), "time": round(self.time, 3)}
        for name in ("start", "end"):
            if told[name] is None:
                del told[name]
            else:
                told[name] = round(told[name], 3)
        return told

    def as_json(self) -> str:
        """One line of JSON, without its end."""
        return json.dumps(self.as_dict(), ensure_ascii=False)


class Output(Protocol):
    """A way out; called by the loop's thread, so that none may wait for the world."""

    name: str

    def start(self) -> None:
        """Begin; raises EdgeTLError where the configuration asks for what is not there."""

    def publish(self, event: LabelEvent) -> None:
        """Tell an event; never raises, never waits."""

    def health(self) -> dict[str, Any]:
        """What there is to know of it: `state` is ok, waiting or failed, `error` one line."""

    def stop(self) -> None:
        """End; may be called twice."""
