"""One camera or microphone with its profile: frames become events, and held buttons become examples."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from device.serve.advising import advice, said_of_training
from device.serve.config import PipelineConfig, StoreConfig
from device.serve.recognizing import LineMaker, RecognitionLoop
from device.serve.source_thread import Feed
from device.serve.storage_limits import make_room
from device.teach.candidates import Candidate
from device.teach.fleet_account import RunningAccount
from device.teach.lesson import ENOUGH, FileOutcome, Lesson
from device.teach.looking import LookChooser
from device.teach.players import let_go
from device.teach.recorder import RECORDERS, Recorder
from device.teach.training import train_and_judge, train_on_lessons
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.look.choices import Look
from edge_tl.embedders.look.ways import way_of
from edge_tl.errors import ConfigError, EdgeTLError, ExampleError, ProfileError
from edge_tl.labels import check_label
from edge_tl.line import Sight, line_of
from edge_tl.recognizer import Recognizer
from edge_tl.store.lessons import has_lessons
from edge_tl.store.profile import Generation, Profile

LEASE_S = 2.0
"""A button counts as held for so long after it was last heard of: a phone may leave the network while it is held."""
IDLE_S = 600.0
"""The examples leave the memory when nothing was taught for so long."""
ROOM_S = 2.0
"""While something is recorded, room is made this often."""
RETRY_S = 5.0
"""What a full disk did not take is tried again after so long."""


class Pipeline(RecognitionLoop):
    """Reads its feed, tells events, and teaches. Every method is called by the service's one loop.

    As `RecognitionLoop`. limits: on what is stored. profile: open for writing; closed by whoever opened it. beat:
    called now and then during long work, so that the watchdog knows it is no hang. looking: which way to look, chosen
    by the first take and changed by `look`; None where nothing of the kind can be chosen.
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
        looking: LookChooser | None = None,
        make_line: LineMaker = line_of,
    ) -> None:
        super().__init__(name, config, profile, embedder, feed, clock=clock, wall=wall, make_line=make_line)
        self.limits, self.beat, self.looking = limits, beat, looking
        self.said = ""
        """What became of the last recording, for whoever holds the button."""
        self.trained: dict[str, Any] | None = None
        """What the last training said."""
        self.account = RunningAccount(clock)
        """How the lessons of others did at the last training."""
        self.told_trained: Callable[[], object] = lambda: None
        """Called after each training that somebody asked for."""
        self._lesson: Lesson | None = None
        self._recorder: Recorder | None = None
        self._added = 0
        self._lease_s = self._taught_s = self._retry_s = self._room_s = float("-inf")
        self._look_at_examples()

    def health(self) -> dict[str, Any]:
        """What there is to know, JSON-able."""
        return super().health() | {"look": self.way, "looking": "" if self.looking is None else self.looking.said}

    @property
    def way(self) -> str:
        """How it looks: a way of `--look`, or `auto` where the first take decides; empty of sound."""
        if self.kind == "sound":
            return ""
        if self.looking is not None and self.looking.open:
            return "auto"
        return way_of(self.line.recognizer.embedder)

    def _go_on(self) -> None:
        if self.recording is not None and self.kind == "picture" and self.clock() > self._lease_s:
            self.release()
        self._change_look()
        self._mend()
        if self.account.working:
            self.account.step()

    def _look_at_examples(self) -> None:
        """Say at once what would only be found by teaching: examples that cannot be read, or that are gone."""
        if not self.profile.writable:
            why = f"{self.profile.folder} can only be read: nothing can be taught until its disk can be written again"
            self.teaching_fault = self.error = why
            self._retry_s = math.inf
            return
        try:
            own = any(count.examples for count in self.profile.store.counts().values())
        except EdgeTLError as error:
            self.teaching_fault = self.error = str(error)
            self._retry_s = math.inf  # until somebody mends the file
            return
        if self.generation and not own and not has_lessons(self.profile.folder):
            self.error = f"{self.profile.folder} holds none of the examples it was trained on: restore a backup"

    @property
    def lesson(self) -> Lesson:
        """The examples in memory, brought there when something is taught; ProfileError while that is impossible."""
        self._taught_s = self.clock()
        if self._lesson is None:
            self._lesson = Lesson(
                self.profile.store,
                self.line.recognizer,
                self.clock,
                minimum=ENOUGH[self.kind],
                keep_media=self.limits.keep == "all",
            )
            self._recorder = RECORDERS[self.line.kind](self.line, self._lesson, self.clock)
        return self._lesson

    @property
    def prompt(self) -> str:
        """What the person should do now, in a line."""
        return self._recorder.prompt if self._recorder is not None else ""

    def record(self, label: str) -> None:
        """Hold the button of a class, or go on holding it; of words and movements, press it.

        ProfileError where nothing can be taught now, or there is no room for more; ExampleError for a bad label.
        """
        self.check_teaching()
        if self.feed.state == "ended":
            raise ExampleError(f"{self.feed.name} gives nothing more: bring pictures or sounds as files")
        if self.feed.state != "open":
            raise ExampleError(f"{self.feed.name} is not there: {self.feed.fault or 'the service is searching for it'}")
        lesson = self.lesson
        label = check_label(label)
        self._lease_s = self.clock() + LEASE_S
        if self.recording == label:
            if self._recorder is not None and self.kind == "movement":
                self._recorder.toggle(label)  # pressed again it is over, and a hand that was held is a sign
            return
        self.release()
        if self.looking is not None and self.looking.busy:
            return  # what is recorded now would be embedded the old way; whoever holds the button says so again
        if label not in lesson.labels:
            lesson.add_label(label)
        self._make_room(lesson)
        assert self._recorder is not None
        self._recorder.toggle(label)
        self.recording, self.said = label, ""

    @property
    def without_lessons(self) -> str:
        """Why others' lessons were left out when the examples were last read; from any thread."""
        lesson = self._lesson
        return "" if lesson is None else lesson.without_lessons

    def check_teaching(self) -> None:
        """ProfileError while nothing can be taught."""
        if self.teaching_fault:
            raise ProfileError(self.teaching_fault)

    def bring(self, name: str, label: str, offered: Sequence[Candidate], take: int) -> FileOutcome:
        """Keep what a file holds as examples of a class, on disk when this returns; whether a camera is there or not.

        take: one that was begun so, to go on with; 0 begins one. `end_take` says that no more comes. ProfileError where
        nothing can be taught now; ExampleError as of `Lesson.bring`, for a bad label, and where there is no room.
        """
        self.check_teaching()
        if self.looking is not None and self.looking.busy:
            raise ExampleError(
                "the pictures are being embedded again for another way to look: try again when that is done"
            )
        lesson, label = self.lesson, check_label(label)
        if label not in lesson.labels:
            lesson.add_label(label)
        self._make_room(lesson)
        if self.looking is not None and self.limits.keep != "all":
            pictures = [one.data for one in offered if isinstance(one.data, np.ndarray)]
            if any(self.looking.seen(picture) for picture in pictures):
                return FileOutcome(take, 0, 0)  # the first ones tell what to look at
        with self.saving():
            brought = lesson.bring(name, label, offered, take)
            self._added += brought.added
            return brought
        raise ProfileError(self.teaching_fault)

    def end_take(self) -> None:
        """No more comes of what `bring` began: say what helps next, where anything came."""
        if self._lesson is None or not self._added:
            return
        self._added = 0
        self.said = "; ".join(["added", *advice(self.lesson, self.kind, 1)])
        if self.looking is not None:
            self.looking.take_ended()

    def release(self) -> None:
        """Let the button go; what was recorded is on disk when this returns."""
        if self._recorder is None or self._lesson is None or self.recording is None:
            return
        self._recorder.release()
        self.recording = None
        let_go(self.feed)
        with self.saving():
            if self._lesson.end():
                self.said = "; ".join(["recorded", *advice(self.lesson, self.kind, 1)])
                if self.looking is not None:
                    self.looking.take_ended()
            elif self.looking is not None and self.looking.open and self.limits.keep != "all":
                self.said = "nothing was recorded: hold it longer, the first moments tell what to look at"

    def _make_room(self, lesson: Lesson) -> None:
        self._room_s = self.clock() + ROOM_S
        make_room(lesson, self.limits)

    def _record(self, sight: Sight) -> None:
        """Give a frame to the recorder; whatever is wrong with it ends the recording and is said."""
        if self._recorder is None or self._lesson is None or self.recording is None:
            return
        self._taught_s = self.clock()
        if self.looking is not None and self.limits.keep != "all" and self.looking.seen(sight.frame.data):
            return
        try:
            with self.saving():
                if self.clock() > self._room_s:
                    self._make_room(self._lesson)
                if self._recorder.step(sight):
                    self.said = "; ".join(["recorded", *advice(self.lesson, self.kind, 1)])
            if self._recorder.ends_itself and not self._recorder.prompt:
                self.recording = None
                let_go(self.feed)
        except ExampleError as error:
            self._recorder.release()
            self.recording, self.said = None, str(error)

    @contextlib.contextmanager
    def saving(self) -> Any:
        """Where the disk does not take it, nothing more is recorded until it does."""
        try:
            yield
        except ProfileError as error:
            self.teaching_fault = self.error = self.said = self.profile.why_not(error)
            self._retry_s, self.recording = self.clock() + RETRY_S, None
            if self._recorder is not None:
                self._recorder.release()

    def check_disk(self) -> None:
        """See whether the disk takes what waits, and anything; where it does not, nothing is taught until it does."""
        with self.saving():
            self.profile.store.flush()
            self.profile.check_disk()

    def _mend(self) -> None:
        """Try again what the disk did not take, and forget the lesson when nothing was taught for long."""
        now_s = self.clock()
        if self.teaching_fault and now_s > self._retry_s:
            self.teaching_fault = ""
            self.check_disk()
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
            learned, evaluation, self.generation = train_and_judge(self.profile, lesson, recognizer, self.beat)
        except BaseException:
            old.head, old.nobody, old.rejector, old.confidence = before
            if recognizer is not old:
                lesson.use(old)
            raise
        self.line.recognizer = recognizer
        self._tell_again()
        if self.looking is not None:
            self.looking.settle()
        self.account.begin(recognizer, lesson.devices)
        self.trained = said_of_training(self.generation, learned, evaluation, lesson, self.kind)
        self.told_trained()
        return self.trained

    def learn_lessons(self) -> None:
        """Learn from other devices' lessons too, as a new generation; all as before where that fails.

        ExampleError while something is recorded: ask again. NotFittedError where all of it is too little.
        """
        if self.recording is not None:
            raise ExampleError("recording is in progress: the lessons of other devices wait")
        self.generation = train_on_lessons(self.profile, self.lesson, self.beat)
        self._tell_again()
        self.account.begin(self.line.recognizer, self.lesson.devices)

    def look(self, look: Look) -> None:
        """Look another way from now on, once all pictures are embedded again; ConfigError where this cannot be.

        As `LookChooser.ask`: ModelError, ExampleError. ProfileError while nothing can be taught.
        """
        if self.looking is None:
            raise ConfigError(f"{self.name} hears words, or its examples cannot be read: there is no way to look")
        self.check_teaching()
        self.release()
        self.looking.ask(look)

    def stop_look(self) -> None:
        """Give up what `look` began: all is as it was before."""
        if self.looking is not None:
            self.looking.stop()

    def _change_look(self) -> None:
        """Go on for a moment with a change of the way to look."""
        if self.looking is None or not self.looking.busy:
            return
        try:
            embedder = self.looking.step(self.clock)
        except EdgeTLError as error:
            self.said = str(error)
            return
        if embedder is not None:
            self.line.recognizer = self._restore(embedder)
            if self._lesson is not None:
                self._lesson.use(self.line.recognizer)
            self._tell_again()
            self.said = self.looking.said

    def roll_back(self) -> int:
        """Go back to the newest generation before that fits what it looks with; its number."""
        return self.take_up(self.profile.roll_back)

    def roll_forward(self) -> int:
        """Undo a roll-back; its number."""
        return self.take_up(self.profile.roll_forward)

    def fits(self, generation: Generation) -> bool:
        """Whether a generation can be asked with what this looks or listens with."""
        return generation.embedder == self.line.recognizer.embedder.fingerprint and not generation.boxes

    def take_up(self, choose: Callable[[Callable[[Generation], bool]], int]) -> int:
        """Go on with what is the newest generation once `choose` was called with `fits`; its number."""
        self.release()
        choose(self.fits)
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
        return self.lesson.remove(ids)

    def remove_take(self, take: int) -> int:
        """Forget a take; how many examples went. ExampleError where there is no such take."""
        self.release()
        return self.lesson.remove_take(take)

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
