"""How the other devices of a fleet do, as they say themselves, signed."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable
from typing import Any

from edge_tl.fleet.keys import SIGNATURE_BYTES, DeviceKey, key_id, signed_by
from edge_tl.fleet.lesson import LessonError

MAX_BYTES = 4_000
SEEN_S = 150.0
"""Who said nothing for so long is not there: each says something once a minute."""
_DOMAIN = b"edge-tl fleet status "
NUMBERS = ("generation", "lessons", "right", "asked", "fps", "temperature_c", "acting_s", "run")
TEXTS = ("device", "set", "look")
MAX_TEXT = 80


class Peers:
    """What is known of them. names: public key → what each is called here; clock: seconds, monotonic."""

    def __init__(self, names: dict[bytes, str], clock: Callable[[], float]) -> None:
        self._names = {key_id(key): name for key, name in names.items()}
        self._keys = {key_id(key): key for key in names}
        self._clock = clock
        self._said: dict[str, tuple[dict[str, Any], float]] = {}

    @staticmethod
    def signed(key: DeviceKey, status: dict[str, Any]) -> bytes:
        """A status as it is sent: JSON that anybody may read, and its signature."""
        told = json.dumps(status, sort_keys=True)
        signature = base64.b64encode(key.sign(_DOMAIN + told.encode())).decode()
        return json.dumps({**status, "signature": signature}, sort_keys=True).encode()

    def heard(self, id: str, payload: bytes, kept: bool) -> None:
        """What a device says of itself, or said some time before where the broker kept it; LessonError where it is not
        its own word, or makes no sense."""
        if not payload:
            self._said.pop(id, None)
            return
        if id not in self._keys:
            raise LessonError("untrusted", "a device that is not trusted says how it does")
        if len(payload) > MAX_BYTES:
            raise LessonError("size", "a device says too much of itself")
        try:
            status = json.loads(payload)
            signature = base64.b64decode(status.pop("signature"), validate=True)
            told = json.dumps(status, sort_keys=True)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
            raise LessonError("broken", "what a device says of itself is no status") from error
        if len(signature) != SIGNATURE_BYTES or not signed_by(self._keys[id], signature, _DOMAIN + told.encode()):
            raise LessonError("unsigned", "a status is not that of its key")
        self._said[id] = _sensible(status), -math.inf if kept else self._clock()

    def is_there(self, key: bytes) -> bool:
        """Whether the device with this key said something lately."""
        _, said_s = self._said.get(key_id(key), ({}, -math.inf))
        return self._clock() - said_s <= SEEN_S

    def listed(self) -> list[dict[str, Any]]:
        """Every trusted device: its name, whether it said something lately, and what."""
        now_s = self._clock()
        made = []
        for id, name in sorted(self._names.items(), key=lambda one: one[1]):
            status, said_s = self._said.get(id, ({}, -math.inf))
            silent_s = now_s - said_s
            seen = None if math.isinf(silent_s) else round(silent_s, 1)
            made.append({**status, "device": name, "id": id, "there": silent_s <= SEEN_S, "seen_s": seen})
        return made


def _sensible(status: dict[str, Any]) -> dict[str, Any]:
    """Of a status what is known, and is a number or a short text: it is shown, and goes into figures."""
    numbers = {
        name: value
        for name in NUMBERS
        if type(value := status.get(name)) in (int, float) and -1e12 < value < 1e12  # type: ignore[operator]
    }
    texts = {
        name: value
        for name in TEXTS
        if isinstance(value := status.get(name), str) and len(value) <= MAX_TEXT and value.isprintable()
    }
    return {**numbers, **texts}
