"""One camera or microphone with what its profile was taught: frames become events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from device.assembly import load_saved, make_controller, trained_head
from device.serve.config import PipelineConfig
from device.serve.event import LabelEvent
from device.serve.source_thread import Feed
from device.teach.notice import PictureNotice
from device.teach.picture_moments import PictureMoments
from device.teach.silence import SILENCES
from edge_tl.embedders.embedder import Embedder
from edge_tl.errors import ConfigError, EdgeTLError, NotFittedError, ProfileError, SourceClosed
from edge_tl.frames import BaseSource
from edge_tl.labels import ORDINARY
from edge_tl.line import Line, Sight, SoundLine, line_of
from edge_tl.line.movement import MovementLine
from edge_tl.listener import SILENT, Listener, ListeningConfig, listening_config
from edge_tl.media.image import marked
from edge_tl.media.sound import Sound
from edge_tl.movements.spotter import FoundMovement
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile
from edge_tl.store.settings import read_tuning, write_settings
from edge_tl.store.tuning import Tuning
from edge_tl.words.mistakes import Mistakes
from edge_tl.words.recording import hear

MAX_FRAMES = 25
"""Taken in one step: of sound a second, so that the other pipelines have their turn while one catches up."""
LineMaker = Callable[[BaseSource, Recognizer, Callable[[], float]], Line]
"""Feed, recognizer and clock → what reads and recognizes."""
LOST_S = 2.0
"""A sign is over when no frame came for so long."""


class RecognitionLoop:
    """Reads its feed and tells events; what teaches does so in `_record` and `_go_on`.

    embedder: what looks or listens. clock: seconds, monotonic; wall: seconds since 1970. make_line: the line of what
    needs more than an embedder.
    """

    def __init__(
        self,
        name: str,
        config: PipelineConfig,
        profile: Profile,
        embedder: Embedder,
        feed: Feed,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        make_line: LineMaker = line_of,
    ) -> None:
        self.name, self.config, self.profile, self.feed = name, config, profile, feed
        self.clock, self.wall = clock, wall
        self.error = ""
        """The last thing that went wrong, in a line."""
        self.teaching_fault = ""
        """Why nothing can be taught now, in a line: a full disk, a damaged database."""
        self.held: str | None = None
        """The label that was reported last and has not ended."""
        self.recording: str | None = None
        """The label whose button is held; of words, that is waited for."""
        self.notice = ""
        """What should be known of the picture now, in a line: nobody there, too dark."""
        self.mistakes = Mistakes()
        """Of words: what was reported lately, so that it can be marked."""
        self.moments = PictureMoments()
        """Of pictures: what was reported or refused lately, so that it can be looked into and marked."""
        self._noticing = PictureNotice()
        self._frame_s = float("-inf")
        try:
            self.tuning = read_tuning(profile.folder)
            self.tuning.over(config.controller())
        except (ConfigError, ProfileError) as error:
            self.tuning, self.error = Tuning(), str(error)
        recognizer = self._restore(embedder)
        self.line = make_line(feed, recognizer, clock)
        self.kind = self.line.kind
        """`picture`, `sound` or `movement`: what its profile was taught."""
        self.silence = SILENCES[self.line.kind](self.line, clock)
        self._tell_again()

    def step(self) -> list[LabelEvent]:
        """Take the frames that wait; the events in them."""
        events: list[LabelEvent] = []
        for _ in range(MAX_FRAMES):
            try:
                sight = self.line.read(0.0)
            except SourceClosed:
                sight = None
            if sight is None:
                break
            self._frame_s = self.clock()
            self._look(sight, events)
            self._record(sight)
        if self.held is not None and self.clock() - self._frame_s > LOST_S:
            self._end(events)
        self._go_on()
        return events

    def _record(self, sight: Sight) -> None:
        """A frame that was looked at."""

    def _go_on(self) -> None:
        """The end of a step."""

    def _look(self, sight: Sight, events: list[LabelEvent]) -> None:
        if self.kind != "sound":
            then = "recorded as a picture without one" if self.recording else "nothing is reported"
            recognizer = self.line.recognizer
            said = self._noticing(recognizer.embedder, sight.frame.data, nobody=recognizer.nobody, then=then)
            unseen = isinstance(self.line, MovementLine) and self.line.hand is None
            self.notice = f"no hand: {said or 'nothing is reported'}" if unseen else said
        if isinstance(self.line, SoundLine):
            self.mistakes.take(sight.frame, self.line.words[-1] if sight.steady is not None else None)
        if self.kind == "picture" and self.recording is None:
            self.moments.take(sight, self.line.recognizer.embedder)
        self.silence.take(sight, busy=(self.held or self.recording) is not None)
        steady = sight.steady
        if steady is None or not steady.changed:
            return
        if steady.label is None:
            self._end(events)
            return
        if sight.moved is None and self.kind != "sound":  # a movement ends no sign: it is over when it is told
            self.held = steady.label
        events.append(self._event(steady.label, steady.confidence, sight.moved))

    def _end(self, events: list[LabelEvent]) -> None:
        """The sign that was held is over."""
        if self.held is not None:
            self.held = None
            events.append(self._event(None, 0.0))

    def _event(self, label: str | None, confidence: float, moved: FoundMovement | None = None) -> LabelEvent:
        event = LabelEvent(label, float(confidence), self.name, self.wall(), self.generation)
        if moved is None:
            return event
        now_s = self.clock()
        return replace(event, start=event.time + (moved.start_s - now_s), end=event.time + (moved.end_s - now_s))

    def _restore(self, embedder: Embedder) -> Recognizer:
        """What was trained last; something untrained where no generation is whole."""
        recognizer = None
        try:
            # Of this embedder: where the one that was pushed last is damaged, that is an earlier generation.
            recognizer = self.profile.load_as(lambda saved: Recognizer.restore(saved, embedder), embedder.fingerprint)
        except EdgeTLError as error:
            self.error = str(error)
        for line in self.profile.warnings:
            self.error = line
        self.generation = self.profile.loaded if recognizer is not None else 0
        return Recognizer(embedder, trained_head(None, embedder)) if recognizer is None else recognizer

    def _tell_again(self) -> None:
        """A controller or listener for the classes of now, with the thresholds of now."""
        recognizer, tuning = self.line.recognizer, self.tuning
        if not recognizer.fitted or self.kind == "movement":
            return  # the line of movements asks the newest head by itself
        if self.kind == "sound":
            wanted = tuning.threshold if tuning.threshold is not None else self.config.threshold
            self.line.controller = Listener(recognizer.classes, listening_config(load_saved(self.profile), wanted))
            return
        neutral = make_controller(recognizer).config.neutral
        self.line.controller = make_controller(recognizer, tuning.over(self.config.controller(neutral)))

    def answer(self, data: np.ndarray | Sound) -> dict[str, Any]:
        """What a picture uint8 (height_px, width_px, 3) RGB or a sound is, JSON-able; no event comes of it.

        NotFittedError where nothing was trained yet.
        """
        recognizer = self.line.recognizer
        if not recognizer.fitted:
            raise NotFittedError("nothing was trained yet: `edge-tl train`")
        told: list[str] = []
        if isinstance(data, Sound):
            known = self.line.controller
            config = known.config if isinstance(known, Listener) else ListeningConfig()
            heard = hear(recognizer, data, config)
            observation, told = heard.observation, [one.label for one in heard.words]
            label = told[0] if told else None
            nearest, confidence = heard.observation.best, heard.confidence
        else:
            if recognizer.finder is not None:
                recognizer.finder.following = False  # it follows nothing
            observation = recognizer.observe(data)
            label, nearest, confidence = observation.label, observation.best, observation.confidence
        chances = zip(recognizer.classes, map(float, observation.probabilities), strict=True)
        return {
            "answer": label,
            "nearest": nearest,
            "confidence": float(confidence),
            "found": observation.found,
            "told": told,
            "probabilities": dict(chances),
        }

    def tune(self, tuning: Tuning) -> None:
        """Other thresholds from now on, also after a restart; ConfigError where they make no sense."""
        tuning.over(self.config.controller())
        write_settings(self.profile.folder, tuning=tuning)
        self.profile.keep()
        self.tuning = tuning
        self._tell_again()

    def health(self) -> dict[str, Any]:
        """What there is to know, JSON-able."""
        return {
            "kind": self.kind,
            "profile": self.config.profile,
            **self.line.health(),
            "generation": self.generation,
            "label": self.held,
            "silent": self.silence.why,
            "teaching": self.teaching_fault or "ready",
            "last_error": self.error,
        }

    @property
    def fitted(self) -> bool:
        """Whether anything was trained."""
        return self.line.recognizer.fitted

    @property
    def silent(self) -> frozenset[str]:
        """Labels that are never reported."""
        return SILENT | {ORDINARY} if self.kind == "movement" else SILENT

    @property
    def shown(self) -> str | None:
        """The label to show as the answer now: a sign that is held, or a movement for a moment after it was told."""
        return self.line.label if isinstance(self.line, MovementLine) else self.held

    def picture(self, rows: int = 160, columns: int = 480) -> np.ndarray:
        """What it sees, or a spectrogram of what it hears, uint8 RGB; NotFittedError before the first frame.

        Of movements with the hand, and the path of what was told last for a moment after it.
        """
        picture = self.line.picture(rows, columns)
        if not isinstance(self.line, MovementLine):
            return picture
        found = self.line.marks()
        return marked(picture, [mark.outline for mark in found], [mark.points for mark in found])
