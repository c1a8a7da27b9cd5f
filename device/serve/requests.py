"""What may be asked of the service from outside: looked at, taught, tuned. Nothing here names a path or a command."""

from __future__ import annotations

import contextlib
import itertools
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from device.assembly import Context
from device.serve.actions import ACTIONS
from device.serve.pipeline import Pipeline
from device.serve.service import Service
from device.serve.why import example_picture, explained, told_picture
from device.teach.candidates import Candidate, candidates_of
from device.teach.fusing import fusible
from device.teach.lesson import ENOUGH, FileOutcome
from device.teach.marked import moment_json
from device.teach.picture_moments import PictureMoment
from edge_tl.core.examples import Count, Example
from edge_tl.embedders.look.choices import WAYS
from edge_tl.errors import ConfigError, EdgeTLError, ExampleError, ProfileError, SourceTimeout
from edge_tl.export.fuse import fuse
from edge_tl.heads import HEADS
from edge_tl.labels import unescape
from edge_tl.line import Sight
from edge_tl.media.image import decode, encode_jpeg, thumbnail
from edge_tl.media.sound import read_sound
from edge_tl.media.spectrum import spectrum
from edge_tl.media.wav import encode_wav
from edge_tl.movements.drawing import path_picture
from edge_tl.recognizer import Recognizer
from edge_tl.store.folders import Export, plan_export
from edge_tl.store.media import JPEG, TRACK, stored_track
from edge_tl.tflite.interpreter import read_model
from edge_tl.words.mistakes import ReportedMoment

T = TypeVar("T")
SHOWN_PX = 480
THUMBNAIL_PX = 120
SHOWN_EXAMPLES = 200
SHOWN_TAKES, SHOWN_OF_TAKE = 10, 24
"""The newest ones are on a page; those before them are counted."""
SHOWN_HEARD = 10
"""Words that were reported last, each of which can be marked."""
AT_ONCE = 8
"""So many examples of one file are embedded between two frames."""
LONGEST_ASKED_S = 30.0
"""Of a sound that is asked about: it is heard between two frames, and the camera waits meanwhile."""
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
        self._decoding = threading.Lock()
        """One file at a time: a picture of fifty million pixels takes 150 MB while it is read."""

    def health(self) -> dict[str, Any]:
        """The newest snapshot; `stalled` where the loop has not made one for some time."""
        health = self._service.health
        stalled = self._clock() - self._service.health_s > STALE_S
        return health | {"status": "stalled"} if stalled else health

    def state(self) -> dict[str, Any]:
        """All that the console shows at its start."""
        pipelines = self._service.ask(
            lambda: {
                name: one.health()
                | _live(one)
                | {"tuning": asdict(one.tuning), "keep": one.limits.keep, "enough": ENOUGH[one.kind]}
                | {
                    "ways": list(WAYS) if one.looking is not None else [],
                    "heads": list(HEADS) if one.kind != "movement" else [],
                }
                for name, one in self._service.pipelines.items()
            },
            patient=False,
        )
        failed = {name: one.health(self._clock()) for name, one in list(self._service.failed.items())}
        return {"pipelines": pipelines, "failed": failed}

    @property
    def doing(self) -> str:
        """What takes long just now; empty where nothing does."""
        return self._service.doing

    def live(self) -> dict[str, Any] | None:
        """What changes from moment to moment, by pipeline; None while the loop is busy."""
        try:
            return self._service.ask(
                lambda: {name: _live(one) for name, one in self._service.pipelines.items()}, patient=False
            )
        except SourceTimeout:
            return None

    def picture(self, name: str) -> bytes:
        """What a pipeline sees now, JPEG; of words the spectrogram."""
        return encode_jpeg(thumbnail(self._of(name, Pipeline.picture, patient=False), SHOWN_PX), 80)

    def trained(self, name: str) -> dict[str, Any]:
        """What the last training said, for whoever's request ended before it did; NotHere where none was yet."""
        last = self._of(name, lambda one: one.trained)
        if last is None:
            raise NotHere(f"{name} was not trained since the service started")
        return last

    def generations(self, name: str) -> list[dict[str, Any]]:
        """The trained generations, the newest first, and whether each fits what the pipeline looks with now."""
        return self._of(
            name, lambda one: [asdict(it) | {"fits": one.fits(it)} for it in one.profile.generations()], patient=False
        )

    def examples(self, name: str, label: str, take: int = 0, before: int = 0) -> dict[str, Any]:
        """The newest examples: of one label, or of all where it is empty, and of one take, or of all for 0.

        before: only those older than this one, for the page after the one that ends with it; 0 for the first page.
        """
        total, older, shown = self._of(
            name, lambda one: one.profile.store.pages.examples(label, take, before, SHOWN_EXAMPLES), patient=False
        )
        return {"total": total, "examples": [_row(row) for row in shown], "older": older}

    def takes(self, name: str, label: str, before: int = 0) -> dict[str, Any]:
        """The newest takes, of one label or of all where it is empty, each with its number of examples and the newest.

        before: only takes older than this one, for the page after the one that ends with it; 0 for the first page.
        """
        total, older, page = self._of(
            name, lambda one: one.profile.store.pages.takes(label, before, SHOWN_TAKES, SHOWN_OF_TAKE), patient=False
        )
        shown = [
            {
                "take": one.take,
                "label": one.first.label,
                "source": one.first.source,
                "session": one.first.session,
                "time": one.first.time_s,
                "total": one.total,
                "examples": [_row(row) for row in one.newest],
            }
            for one in page
        ]
        return {"total": total, "takes": shown, "older": older}

    def upload(self, name: str, label: str, file: str, data: bytes, take: int) -> dict[str, Any]:
        """Keep a picture or sound file as an example of a class, read as an import reads it.

        file: what it is called, for errors. take: one that an upload began, to go on with; 0 begins one.
        """
        kind = self._no_movements(name)
        with self._decoding:
            offered = candidates_of(data, label, kind, name=file)
            added = copies = 0
            live: dict[str, Any] = {}
            # A clip, or a recording of many words, is many examples: the loop goes on between some and some.
            for at in range(0, len(offered), AT_ONCE):
                some = partial(_bring, file, label, offered[at : at + AT_ONCE], take)
                done, live = self._of(name, some)
                take, added, copies = done.take, added + done.added, copies + done.copies
        return {"take": take, "added": added, "copies": copies} | live

    def question(self, name: str, file: str, data: bytes) -> dict[str, Any]:
        """What a picture or sound file shows; nothing of it is kept."""
        kind = self._no_movements(name)
        with self._decoding:
            if kind == "picture":
                asked: Any = decode(data, file)
            else:
                asked = read_sound(data, file)
                if asked.duration_s > LONGEST_ASKED_S:
                    long = f"{file}: is {asked.duration_s:.0f} s long"
                    raise ExampleError(f"{long}; {LONGEST_ASKED_S:g} s at most are heard: cut it")
            return self._of(name, lambda one: one.answer(asked))

    def model(self, name: str) -> bytes:
        """What was taught, as one .tflite file."""

        def taught(one: Pipeline) -> tuple[Recognizer, Path]:
            folder = one.profile.folder
            context = Context(folder.parent.parent, unescape(folder.name))
            return fusible(context, one.profile, one.line.recognizer.embedder)

        recognizer, file = self._of(name, taught)
        return fuse(recognizer, read_model(file), file.name)

    def export(self, name: str) -> Export:
        """What an export of the examples consists of; ExampleError where none kept its picture or sound."""
        plan = self._of(name, lambda one: plan_export(one.profile.store))
        if not plan.examples:
            listed = self._of(name, lambda one: one.profile.store.counts())
            some = any(count.examples for count in listed.values())
            why = "no example kept its picture or sound" if some else "nothing was recorded yet"
            raise ExampleError(f"{why}: there is nothing to download")
        return plan

    def media(self, name: str, examples: Sequence[int]) -> list[bytes | None]:
        """The stored files of several examples; None for one that is gone meanwhile or damaged."""

        def stored(one: Pipeline, example: int) -> bytes | None:
            try:
                return one.profile.store.media(example)[1]
            except (ExampleError, ProfileError):
                return None

        return self._of(name, lambda one: [stored(one, example) for example in examples])

    def thumbnail(self, name: str, example: int) -> bytes:
        """The picture of an example, or its spectrogram, small, JPEG."""
        kind, media = self._media(name, example)
        if kind == JPEG:
            return encode_jpeg(thumbnail(decode(media), THUMBNAIL_PX), 80)
        if kind == TRACK:
            return encode_jpeg(path_picture(stored_track(media), 3 * THUMBNAIL_PX // 4, THUMBNAIL_PX), 80)
        sound = self._of(name, lambda one: one.profile.store.sound(example))
        return encode_jpeg(spectrum(sound.samples, sound.rate_hz, 60, THUMBNAIL_PX), 80)

    def wav(self, name: str, example: int) -> bytes:
        """The sound of an example, a WAV file."""
        sound = self._of(name, lambda one: one.profile.store.sound(example))
        return encode_wav(sound.samples, sound.rate_hz)

    def heard(self, name: str, number: int) -> bytes:
        """The sound of a word that was reported, a WAV file; NotHere where it is gone."""
        try:
            sound = self._of(name, lambda one: one.mistakes.sound(number))
        except ExampleError as error:
            raise NotHere(str(error)) from error
        return encode_wav(sound.samples, sound.rate_hz)

    def found(self, name: str, example: int) -> bytes:
        """The picture of an example with what is found in it, JPEG; of words as `thumbnail`."""
        try:
            if self._of(name, lambda one: one.kind) != "picture":
                return self.thumbnail(name, example)
            return self._of(name, lambda one: example_picture(one, example))
        except ExampleError as error:
            raise NotHere(str(error)) from error

    def told(self, name: str, number: int) -> bytes:
        """What was reported or refused under a number, JPEG, of a word its spectrogram; NotHere where it is gone."""
        try:
            return self._of(name, lambda one: told_picture(one, number))
        except ExampleError as error:
            raise NotHere(str(error)) from error

    def why(self, name: str, number: int, was: str) -> dict[str, Any]:
        """Why it was answered so: what was reported or refused under a number, 0 for now; was: what it was, or ""."""
        return explained(partial(self._of, name), number, was or None)

    def act(self, name: str, action: str, given: dict[str, Any]) -> dict[str, Any]:
        """Teach: one of `ACTIONS`, with what the caller gave for it."""
        if action not in ACTIONS:
            raise NotHere(f"there is no {action[:40]!r}; there are {', '.join(ACTIONS)}")
        asked = ACTIONS[action]
        unknown = [word for word in given if word not in asked.takes]
        if unknown:  # a name that is mistyped must not be what nobody said
            wanted = f"{', '.join(asked.takes)} may be there" if asked.takes else "{} is wanted"
            raise ConfigError(f"{action} knows no {unknown[0][:40]!a}: {wanted}")

        def done(one: Pipeline) -> dict[str, Any]:
            if not one.profile.writable:
                raise ProfileError(one.teaching_fault)
            long = self._service.at_work(f"{asked.long} {name}") if asked.long else contextlib.nullcontext()
            with long, _writing(one):
                done = asked.do(one, given) or {}
            return done | _live(one)

        made = self._of(name, done)
        return made | {"action": action}

    def _media(self, name: str, example: int) -> tuple[str, bytes]:
        try:
            return self._of(name, lambda one: one.profile.store.media(example))
        except ExampleError as error:
            raise NotHere(str(error)) from error

    def _no_movements(self, name: str) -> str:
        """The kind of a pipeline that takes files; ExampleError of one of movements, which are found in its camera."""
        kind = self._of(name, lambda one: one.kind)
        if kind == "movement":
            raise ExampleError(
                f"{name} tells movements, which are shown to its camera; of films `edge-tl examples import` takes "
                "examples, and `edge-tl predict` says what they show"
            )
        return kind

    def _of(self, name: str, function: Callable[[Pipeline], T], *, patient: bool = True) -> T:
        """Have the loop call a function with a pipeline; patient: as of `Service.ask`; what fills a page is not."""
        pipeline, failed = self._service.pipelines.get(name), self._service.failed.get(name)
        if failed is not None and pipeline is None:
            raise NotHere(f"{name} could not be opened: {failed.why}")
        if pipeline is None:
            raise NotHere(f"there is no pipeline {name[:40]!r}; there are {', '.join(self._service.pipelines)}")
        return self._service.ask(lambda: function(pipeline), patient=patient)


@contextlib.contextmanager
def _writing(one: Pipeline) -> Iterator[None]:
    """What is written in it; where the disk is why it fails, the pipeline's health and whoever asked are told so."""
    fault = one.teaching_fault
    try:
        yield
    except ProfileError as error:
        one.check_disk()
        raise ProfileError(one.profile.why_not(error)) from error
    if one.teaching_fault and one.teaching_fault != fault:
        raise ProfileError(one.teaching_fault)


def _bring(
    file: str, label: str, offered: Sequence[Candidate], take: int, one: Pipeline
) -> tuple[FileOutcome, dict[str, Any]]:
    """Have a pipeline keep some examples of a file; what became of them, and what changed."""
    with _writing(one):
        return one.bring(file, label, offered, take), _live(one)


def _row(one: Example) -> dict[str, Any]:
    """What is told of an example."""
    return {"id": one.id, "label": one.label, "take": one.take, "time": one.time_s, "media": one.media_type}


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
        "label": one.shown,
        "silent": one.silence.why,
        "level_db": _level_db(sight),
        "known": sight is None or sight.observation is None or sight.observation.known,
        "recording": one.recording,
        "prompt": one.prompt,
        "said": one.said,
        "notice": one.notice if one.feed.state == "open" else "",
        "look": one.way,
        "looking": "" if one.looking is None else one.looking.said,
        "embedding": _embedding(one, counts),
        "teaching": teaching,
        "generation": one.generation,
        "heard": [moment_json(moment) for moment in _moments(one)[-SHOWN_HEARD:]],
        "counts": {label: [count.examples, count.takes] for label, count in counts.items()},
    }


def _moments(one: Pipeline) -> Sequence[ReportedMoment | PictureMoment]:
    """What was reported lately, of pictures also what was refused."""
    return list(one.moments.moments) if one.kind == "picture" else list(one.mistakes.moments)


def _embedding(one: Pipeline, counts: dict[str, Count]) -> tuple[int, int] | None:
    """How many pictures of how many are embedded again for another way to look; None while none is changed to."""
    if one.looking is None or not one.looking.busy:
        return None
    return one.looking.progress or (0, sum(count.examples for count in counts.values()))


def _level_db(sight: Sight | None) -> float | None:
    """How loud the newest block of sound is, in dB below the loudest there can be; None for pictures."""
    if sight is None or sight.frame.rate_hz is None:
        return None
    power = float(np.mean(np.square(sight.frame.data, dtype=np.float64)))
    return round(10 * math.log10(max(power, 1e-10)), 1)
