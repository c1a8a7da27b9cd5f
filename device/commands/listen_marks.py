"""Marks that come as lines of JSON while `edge-tl listen --json --marks` tells words."""

from __future__ import annotations

import json
import os
import select
import sys
from typing import Any

from device.teach.marked import WordMarker
from edge_tl.errors import ConfigError, EdgeTLError

WANTED = '{"nothing": NUMBER}, {"was": "WORD", "number": NUMBER} or {"missed": "WORD"} is wanted; null is the last'
LONGEST = 4096
"""Bytes of a line."""


class MarkLines:
    """Reads standard input without waiting for it."""

    def __init__(self, marking: WordMarker) -> None:
        self.marking = marking
        self.over = False
        self._fd, self._rest = sys.stdin.fileno(), b""

    def step(self, wait_s: float = 0.0) -> None:
        """Keep what came by now, each mark answered by a line of JSON; wait_s: for so long, where nothing came."""
        if self.over or not select.select([self._fd], [], [], wait_s)[0]:
            return
        data = os.read(self._fd, LONGEST)
        self.over = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        if self.over or len(self._rest) > LONGEST:
            lines, self._rest = [*lines, self._rest], b""
        for line in filter(None, map(bytes.strip, lines)):
            print(json.dumps(self._answer(line)), flush=True)

    def finish(self) -> None:
        """The recording is over: take marks until standard input ends."""
        while not self.over:
            self.step(1.0)

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            return {"kept": self.marking.keep(**asked(line))}
        except EdgeTLError as error:
            return {"error": str(error)}


def asked(line: bytes) -> dict[str, Any]:
    """A line as `WordMarker.keep` takes it; ConfigError for anything else."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        content = None
    keys = set(content) if isinstance(content, dict) else set()
    if keys == {"nothing"} and _is_number(content["nothing"]):
        return {"was": None, "number": content["nothing"]}
    if keys in ({"was"}, {"was", "number"}) and isinstance(content["was"], str) and _is_number(content.get("number")):
        return {"was": content["was"], "number": content.get("number")}
    if keys == {"missed"} and isinstance(content["missed"], str):
        return {"was": content["missed"], "missed": True}
    raise ConfigError(WANTED)


def _is_number(value: object) -> bool:
    return value is None or (type(value) is int and value > 0)
