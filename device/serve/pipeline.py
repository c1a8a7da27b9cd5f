"""One camera or microphone with its profile: frames become events, and held buttons become examples."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from device.assembly import load_saved, make_controller
from device.serve.config import PipelineConfig, StoreConfig
from device.serve.event import Event
from device.serve.source_thread import Feed
from device.serve.storage_limits import make_room
from device.serve.tuning import Tuning, read_tuning, write_tuning
from device.teach.lesson import ENOUGH, Lesson
from device.teach.picture_line import Line, Sight
from device.teach.recorder import HoldRecorder, Recorder, WordRecorder
from device.teach.silence import Silence
from device.teach.sound_line import Ear
from device.teach.thresholds import listening_config
from device.teach.training import check_enough, save
from edge_tl.embedders.tflite import Embedder
from edge_tl.errors import ConfigError, EdgeTLError, ExampleError, NotFittedError, ProfileError, SourceClosed
from edge_tl.judge.guide import every_advice
from edge_tl.labels import check_label
from edge_tl.listener import Listener
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile

MOST_FRAMES = 25
"""Taken in one step: of sound a second, so that the other pipelines have their turn while one catches up."""
LEASE_S = 2.0
"""A button counts as held for so long after it was last heard of: a phone may leave the network while it is held."""
IDLE_S = 600.0
"""The examples leave the memory when nothing was taught for so long."""
LOST_S = 2.0
"""A sign is over when no frame came for so long."""
ROOM_S = 2.0
"""While something is recorded, room is made this often."""
ADVICES, ADVISED = 3, 600
"""Sentences of advice after a training, and the most examples with which any is given: what is looked into takes 0.5 s
with 600 of them and twenty times that with 3 000, while nothing is recognised."""
RETRY_S = 5.0
"""What a full disk did not take is tried again after so long."""


class Pipeline:
    """Reads its feed, tells events, and teaches. Every method is called by the service's one loop.

    embedder: what looks or listens. profile: open for writing; closed by whoever opened it. clock: seconds, monotonic;
    wall: seconds since 1970. beat: called now and then during long work, so that the watchdog knows it is no hang.
    """

    def __init__(
        self,
        name: str,
        config: PipelineConfig,
        limits: StoreConfig,
        profile: Profile,
        embedder: Embedder,
        feed: Feed,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        beat: Callable[[], None],
    ) -> None:
        self.name, self.config, self.limits, self.profile, self.feed = name, config, limits, profile, feed
        self.clock, self.wall, self.beat = clock, wall, beat
        self.error = ""
        """The last thing that went wrong, in a line."""
        self.teaching_fault = ""
        """Why nothing can be taught now, in a line: a full disk, a damaged database."""
        self.said = ""
        """What became of the last recording, for whoever holds the button."""
        self.sight: Sight | None = None
        self.held: str | None = None
        """The label that was told last and has not ended."""
        self._lesson: Lesson | None = None
        self._recorder: Recorder | None = None
        self.recording: str | None = None
        """The label whose button is held; of words, that is waited for."""
        self._lease_s = self._taught_s = self._retry_s = self._frame_s = self._room_s = float("-inf")
        try:
            self.tuning = read_tuning(profile.folder)
            self.tuning.over(config.controller())
        except ConfigError as error:
            self.tuning, self.error = Tuning(), str(error)
        recognizer = self._restore(embedder)
        made = Ear if config.kind == "sound" else Line
        self.line: Line | Ear = made(feed, recognizer, clock)
        self.silence = Silence(self.line, clock)
        self._tell_again()
        self._look_at_examples()

    # -- recognising -------------------------------------------------------------------------------------------------

    def step(self) -> list[Event]:
        """Take the frames that wait; the events in them."""
        events: list[Event] = []
        for _ in range(MOST_FRAMES):
            try:
                if (sight := self.line.read(0.0)) is None:
                    break
            except SourceClosed:
                break
            self._frame_s = self.clock()
            self._look(sight, events)
            self._record(sight)
        if self.recording is not None and self.config.kind == "picture" and self.clock() > self._lease_s:
            self.release()
        if self.held is not None and self.clock() - self._frame_s > LOST_S:
            self._end(events)
        self._mend()
        return events

    def _look(self, sight: Sight, events: list[Event]) -> None:
        frame, self.sight = sight.frame, sight
        length_s = 0.0 if frame.rate_hz is None else len(frame.data) / frame.rate_hz
        self.line.stopwatch.record("latency", max(0.0, self.clock() - frame.time_s - length_s))
        steady = sight.steady
        self.silence.take(sight, busy=(self.held or self.recording) is not None)
        if steady is None or not steady.changed:
            return
        if steady.label is None:
            self._end(events)
        else:
            self.held = steady.label if self.config.kind == "picture" else None
            events.append(self._event(steady.label, steady.confidence))

    def _end(self, events: list[Event]) -> None:
        """The sign that was held is over."""
        if self.held is not None:
            self.held = None
            events.append(self._event(None, 0.0))

    def _event(self, label: str | None, confidence: float) -> Event:
        return Event(label, float(confidence), self.name, self.wall(), self.generation)

    def _restore(self, embedder: Embedder) -> Recognizer:
        """What was trained last; something untrained where no generation is whole."""
        saved = None
        try:
            # Of this embedder: where the one that was pushed last is damaged, that is an earlier generation.
            saved = self.profile.load(embedder.fingerprint)
        except EdgeTLError as error:
            self.error = str(error)
        for line in self.profile.warnings:
            self.error = line
        usable = [one for one in self.profile.generations() if one.ok and not one.rolled_back]
        own = [one.number for one in usable if one.embedder == embedder.fingerprint]
        self.generation = own[0] if saved is not None and own else 0
        return Recognizer(embedder) if saved is None else Recognizer.restore(saved, embedder)

    def _look_at_examples(self) -> None:
        """Say at once what would only be found by teaching: examples that cannot be read, or that are gone."""
        try:
            counts = self.profile.store.counts()
        except EdgeTLError as error:
            self.teaching_fault = self.error = str(error)
            self._retry_s = math.inf  # until somebody mends the file
            return
        if self.generation and not any(count.examples for count in counts.values()):
            self.error = f"{self.profile.folder} holds none of the examples it was trained on: restore a backup"

    def _tell_again(self) -> None:
        """A controller or listener for the classes of now, with the thresholds of now."""
        recognizer, tuning = self.line.recognizer, self.tuning
        if not recognizer.fitted:
            return
        if isinstance(self.line, Ear):
            wanted = tuning.threshold if tuning.threshold is not None else self.config.threshold
            self.line.listener = Listener(recognizer.classes, listening_config(load_saved(self.profile), wanted))
            return
        neutral = make_controller(recognizer).config.neutral
        self.line.controller = make_controller(recognizer, tuning.over(self.config.controller(neutral)))

    # -- teaching ----------------------------------------------------------------------------------------------------

    @property
    def lesson(self) -> Lesson:
        """The examples in memory, brought there when something is taught; ProfileError while that is impossible."""
        self._taught_s = self.clock()
        if self._lesson is None:
            self._lesson = Lesson(
                self.profile.store,
                self.line.recognizer,
                self.clock,
                minimum=ENOUGH[self.config.kind],
                keep_media=self.limits.keep == "all",
            )
            recorder = WordRecorder(self.line, self._lesson) if isinstance(self.line, Ear) else None
            self._recorder = recorder or HoldRecorder(self.line, self._lesson, self.clock)  # type: ignore[arg-type]
        return self._lesson

    @property
    def prompt(self) -> str:
        """What the person should do now, in a line."""
        return self._recorder.prompt if self._recorder is not None else ""

    def record(self, label: str) -> None:
        """Hold the button of a class, or go on holding it; of words, press it.

        ProfileError where nothing can be taught now, or there is no room for more; ExampleError for a bad label.
        """
        if self.teaching_fault:
            raise ProfileError(self.teaching_fault)
        if self.feed.state != "open":
            raise ExampleError(f"{self.feed.name} is not there: {self.feed.fault or 'it is being sought'}")
        lesson = self.lesson
        label = check_label(label)
        self._lease_s = self.clock() + LEASE_S
        if self.recording == label:
            return
        self.release()
        if label not in lesson.labels:
            lesson.add_label(label)
        self._make_room(lesson)
        assert self._recorder is not None
        self._recorder.toggle(label)
        self.recording, self.said = label, ""

    def release(self) -> None:
        """Let the button go; what was recorded is on disk when this returns."""
        if self._recorder is None or self._lesson is None or self.recording is None:
            return
        self._recorder.release()
        self.recording = None
        with self._saving():
            if self._lesson.end():
                self.said = "; ".join(["recorded", *self._advice(1)])

    def _advice(self, sentences: int) -> list[str]:
        """What helps most next, the most helpful first."""
        lesson = self.lesson
        if len(self.line.recognizer.rows[1]) > ADVISED * self.line.recognizer.views:
            return []
        return [one.text for one in itertools.islice(every_advice(lesson.recorded()), sentences)]

    def _make_room(self, lesson: Lesson) -> None:
        self._room_s = self.clock() + ROOM_S
        make_room(lesson, self.limits)

    def _record(self, sight: Sight) -> None:
        """Give a frame to the recorder; whatever is wrong with it ends the recording and is said."""
        if self._recorder is None or self._lesson is None or self.recording is None:
            return
        self._taught_s = self.clock()
        try:
            with self._saving():
                if self.clock() > self._room_s:
                    self._make_room(self._lesson)
                if self._recorder.step(sight):
                    self.said = "; ".join(["recorded", *self._advice(1)])
            if isinstance(self.line, Ear) and not self._recorder.prompt:  # a word ends by itself
                self.recording = None
        except ExampleError as error:
            self._recorder.release()
            self.recording, self.said = None, str(error)

    @contextlib.contextmanager
    def _saving(self) -> Any:
        """Where the disk does not take it, nothing more is recorded until it does."""
        try:
            yield
        except ProfileError as error:
            self.teaching_fault = self.error = str(error)
            self._retry_s = self.clock() + RETRY_S
            self.recording, self.said = None, str(error)
            if self._recorder is not None:
                self._recorder.release()

    def _mend(self) -> None:
        """Try again what the disk did not take, and forget the lesson when nothing was taught for long."""
        now_s = self.clock()
        if self.teaching_fault and now_s > self._retry_s:
            self.teaching_fault = ""
            with self._saving():
                self.profile.store.flush()
        if self._lesson is not None and now_s - self._taught_s > IDLE_S and self.recording is None:
            self._lesson = self._recorder = None
            self.line.recognizer.forget()

    def train(self, head: str | None = None) -> dict[str, Any]:
        """Learn from all examples, save a new generation, and say how well it works; all as before where that fails.

        head: another one from now on. ConfigError where there is none of this name, NotFittedError for too little.
        """
        lesson, old = self.lesson, self.line.recognizer
        recognizer = old if head is None or head == old.head.name else Recognizer(old.embedder, head)
        before = old.head, old.nobody, old.rejector, old.confidence
        try:
            if recognizer is not old:
                lesson.use(recognizer)
            check_enough(recognizer, force=False)
            learned = lesson.learn(lambda *_: self.beat())
            names = {session.id: session.name for session in self.profile.store.sessions()}
            evaluation = recognizer.evaluate(lambda *_: self.beat(), names)
            saved = load_saved(self.profile)
            listening = saved.meta.get("listening") if saved is not None else None
            self.generation = save(self.profile, recognizer, learned, evaluation, listening)
        except BaseException:
            old.head, old.nobody, old.rejector, old.confidence = before
            if recognizer is not old:
                lesson.use(old)
            raise
        self.line.recognizer = recognizer
        self._tell_again()
        return {
            "generation": self.generation,
            "examples": learned.examples,
            "head": learned.head,
            "train_ms": round(learned.train_ms, 1),
            "cautions": list(learned.cautions),
            "evaluation": evaluation.as_dict(),
            "advice": self._advice(ADVICES),
            "curve": [[float(value) for value in point] for point in getattr(recognizer.head, "curve_", [])],
        }

    def roll_back(self) -> int:
        """Go back to the generation before; its number."""
        self.release()
        self.profile.roll_back()
        self._lesson = self._recorder = None
        self.line.recognizer = self._restore(self.line.recognizer.embedder)
        self._tell_again()
        return self.generation

    def undo(self) -> tuple[str, int] | None:
        """Forget the last take: its label and how many examples went."""
        return self.lesson.undo()

    def remove(self, ids: list[int]) -> int:
        """Forget single examples; how many. ExampleError, and none is removed, where one is not there."""
        self.release()
        removed = self.profile.store.remove(ids)
        self.lesson.use(self.line.recognizer)
        return removed

    def add_label(self, label: str) -> None:
        """A new class, with nothing in it yet."""
        self.lesson.add_label(label)

    def remove_label(self, label: str) -> None:
        """Forget a class with all its examples."""
        self.release()
        self.lesson.remove_label(label)

    def rename(self, label: str, to: str) -> None:
        """Give a class another name, or merge it into one that exists."""
        self.release()
        self.profile.store.rename(label, to)
        self.lesson.use(self.line.recognizer)

    def new_session(self, name: str) -> None:
        """Another place or day begins."""
        self.release()
        self.lesson.new_session(name)

    def tune(self, tuning: Tuning) -> None:
        """Other thresholds from now on, also after a restart; ConfigError where they make no sense."""
        tuning.over(self.config.controller())
        write_tuning(self.profile.folder, tuning)
        self.tuning = tuning
        self._tell_again()

    # -- telling about itself ----------------------------------------------------------------------------------------

    def health(self) -> dict[str, Any]:
        """What there is to know, JSON-able."""
        line, timing = self.line, self.line.stopwatch.timing("latency")
        return {
            "kind": self.config.kind,
            "profile": self.config.profile,
            "source": self.feed.name,
            "state": self.feed.state,
            "fault": self.feed.fault,
            "frames": line.frames,
            "dropped": line.dropped,
            "frames_per_s": round(line.fps, 1) if self.feed.state == "open" else 0.0,
            "latency_p50_ms": None if timing is None else round(timing.p50_ms, 2),
            "latency_p95_ms": None if timing is None else round(timing.p95_ms, 2),
            "generation": self.generation,
            "classes": list(line.recognizer.classes) if line.recognizer.fitted else [],
            "label": self.held,
            "silent": self.silence.why,
            "teaching": self.teaching_fault or "ready",
            "last_error": self.error,
        }

    def picture(self, rows: int = 160, columns: int = 480) -> np.ndarray:
        """What it sees, or a spectrogram of what it hears, uint8 RGB; NotFittedError before the first frame."""
        if isinstance(self.line, Ear):
            return self.line.spectrum(rows, columns)
        if self.sight is None:
            raise NotFittedError(f"{self.feed.name} has given no picture yet")
        return self.sight.frame.data
