"""What may be asked of the service from outside: looked at, taught, tuned. Nothing here names a path or a command."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np

from device.serve.pipeline import Pipeline
from device.serve.service import Service
from device.teach.lesson import ENOUGH
from edge_tl.embedders.look.choices import WAYS
from edge_tl.embedders.look.ways import Look
from edge_tl.errors import ConfigError, EdgeTLError, ExampleError
from edge_tl.heads import HEADS
from edge_tl.line import Sight
from edge_tl.media.image import decode, encode_jpeg, thumbnail
from edge_tl.media.spectrum import spectrum
from edge_tl.media.wav import encode_wav
from edge_tl.store.media import JPEG
from edge_tl.store.tuning import Tuning

T = TypeVar("T")
SHOWN_PX = 480
THUMBNAIL_PX = 120
SHOWN_EXAMPLES = 200
"""The newest ones are listed; those before them are counted."""
STALE_S = 5.0
"""A snapshot this old says that the loop does not go round."""

_SERIAL = itertools.count(1)


class NotHere(EdgeTLError):
    """Something was asked for by a name that nothing has."""


class Requests:
    """Turns requests, from any thread, into calls by the service's loop.

    Every method raises EdgeTLError (one line) for what cannot be done, NotHere for a name that is not there.
    """

    def __init__(self, service: Service, clock: Callable[[], float]) -> None:
        self._service, self._clock = service, clock

    def health(self) -> dict[str, Any]:
        """The newest snapshot; `stalled` where the loop has not made one for some time."""
        health = self._service.health
        stalled = self._clock() - self._service.health_s > STALE_S
        return health | {"status": "stalled"} if stalled else health

    def state(self) -> dict[str, Any]:
        """All that the console shows at its start."""
        return self._service.ask(
            lambda: {
                "pipelines": {
                    name: one.health()
                    | _live(one)
                    | {"tuning": asdict(one.tuning), "keep": one.limits.keep, "enough": ENOUGH[one.config.kind]}
                    | {"ways": list(WAYS) if one.looking is not None else [], "heads": list(HEADS)}
                    for name, one in self._service.pipelines.items()
                }
            }
        )

    def live(self) -> dict[str, Any]:
        """What changes from moment to moment, by pipeline."""
        return self._service.ask(lambda: {name: _live(one) for name, one in self._service.pipelines.items()})

    def picture(self, name: str) -> bytes:
        """What a pipeline sees now, JPEG; of words the spectrogram."""
        return encode_jpeg(thumbnail(self._of(name, Pipeline.picture), SHOWN_PX), 80)

    def generations(self, name: str) -> list[dict[str, Any]]:
        """The trained generations, the newest first."""
        return self._of(name, lambda one: [asdict(found) for found in one.profile.generations()])

    def examples(self, name: str, label: str) -> dict[str, Any]:
        """The newest examples, of one label or of all where it is empty."""
        found = self._of(name, lambda one: [row for row in one.profile.store.list() if label in ("", row.label)])
        shown = [
            {"id": row.id, "label": row.label, "take": row.take, "time": row.time_s, "media": row.media_type}
            for row in reversed(found[-SHOWN_EXAMPLES:])
        ]
        return {"total": len(found), "examples": shown}

    def thumbnail(self, name: str, example: int) -> bytes:
        """The picture of an example, or its spectrogram, small, JPEG."""
        kind, media = self._media(name, example)
        if kind == JPEG:
            return encode_jpeg(thumbnail(decode(media), THUMBNAIL_PX), 80)
        sound = self._of(name, lambda one: one.profile.store.sound(example))
        return encode_jpeg(spectrum(sound.samples, sound.rate_hz, 60, THUMBNAIL_PX), 80)

    def wav(self, name: str, example: int) -> bytes:
        """The sound of an example, a WAV file."""
        sound = self._of(name, lambda one: one.profile.store.sound(example))
        return encode_wav(sound.samples, sound.rate_hz)

    def act(self, name: str, action: str, given: dict[str, Any]) -> dict[str, Any]:
        """Teach: record, release, undo, label, forget-label, rename, forget, train, roll-back, roll-forward, tune,
        session, look."""
        if action not in ACTIONS:
            raise NotHere(f"there is no {action[:40]!r}; there are {', '.join(ACTIONS)}")
        made = self._of(name, lambda one: (ACTIONS[action](one, given) or {}) | _live(one))
        return made | {"action": action}

    def _media(self, name: str, example: int) -> tuple[str, bytes]:
        try:
            return self._of(name, lambda one: one.profile.store.media(example))
        except ExampleError as error:
            raise NotHere(str(error)) from error

    def _of(self, name: str, function: Callable[[Pipeline], T]) -> T:
        """Have the loop call a function with a pipeline."""
        pipeline = self._service.pipelines.get(name)
        if pipeline is None:
            raise NotHere(f"there is no pipeline {name[:40]!r}; there are {', '.join(self._service.pipelines)}")
        return self._service.ask(lambda: function(pipeline))


def _live(one: Pipeline) -> dict[str, Any]:
    """What changes from moment to moment; of two answers the one with the larger `serial` is the newer one."""
    sight, teaching = one.line.sight, one.teaching_fault or "ready"
    counts = {}
    try:
        counts = one.profile.store.counts()
    except EdgeTLError as error:
        teaching = str(error)
    return {
        "serial": next(_SERIAL),
        "state": one.feed.state,
        "fault": one.feed.fault,
        "probabilities": {} if sight is None else sight.chances,
        "label": one.held,
        "silent": one.silence.why,
        "level_db": _level_db(sight),
        "known": sight is None or sight.observation is None or sight.observation.known,
        "recording": one.recording,
        "prompt": one.prompt,
        "said": one.said,
        "notice": one.notice if one.feed.state == "open" else "",
        "look": one.way,
        "looking": "" if one.looking is None else one.looking.said,
        "embedding": None if one.looking is None else one.looking.progress,
        "teaching": teaching,
        "generation": one.generation,
        "counts": {label: [count.examples, count.takes] for label, count in counts.items()},
    }


def _level_db(sight: Sight | None) -> float | None:
    """How loud the newest block of sound is, in dB below the loudest there can be; None for pictures."""
    if sight is None or sight.frame.rate_hz is None:
        return None
    power = float(np.mean(np.square(sight.frame.data, dtype=np.float64)))
    return round(10 * math.log10(max(power, 1e-10)), 1)


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise ConfigError(f"{name}: a text is wanted")
    return value


def _forget(one: Pipeline, given: dict[str, Any]) -> dict[str, Any]:
    ids = given.get("ids")
    if not isinstance(ids, list) or not all(type(number) is int and 0 < number < 2**63 for number in ids):
        raise ConfigError("ids: a list of numbers is wanted")
    return {"removed": one.remove(ids)}


def _undo(one: Pipeline, _: dict[str, Any]) -> dict[str, Any]:
    undone = one.undo()
    return {"undone": None if undone is None else list(undone)}


def _look(one: Pipeline, given: dict[str, Any]) -> None:
    box = given.get("box")
    if box is not None and not (
        isinstance(box, list) and len(box) == 4 and all(type(share) in (int, float) for share in box)
    ):
        raise ConfigError("box: a list of left, top, right, bottom is wanted, shares of 0 to 1")
    hands = "largest" if given.get("hands") is None else _text(given, "hands")
    one.look(Look(_text(given, "way"), None if box is None else (box[0], box[1], box[2], box[3]), hands))


ACTIONS: dict[str, Callable[[Pipeline, dict[str, Any]], dict[str, Any] | None]] = {
    "record": lambda one, given: one.record(_text(given, "label")),
    "release": lambda one, _: one.release(),
    "undo": _undo,
    "label": lambda one, given: one.add_label(_text(given, "label")),
    "forget-label": lambda one, given: one.remove_label(_text(given, "label")),
    "rename": lambda one, given: one.rename(_text(given, "label"), _text(given, "to")),
    "forget": _forget,
    "session": lambda one, given: one.new_session(_text(given, "name")),
    "train": lambda one, given: one.train(None if given.get("head") is None else _text(given, "head")),
    "roll-back": lambda one, _: {"generation": one.roll_back()},
    "roll-forward": lambda one, _: {"generation": one.roll_forward()},
    "look": _look,
    "stop-look": lambda one, _: one.stop_look(),
    "tune": lambda one, given: one.tune(Tuning.of(given)),
}
"""What a POST may ask for: the name in the address → what the loop does with the pipeline and the JSON object."""
