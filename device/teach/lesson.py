"""A lesson: takes recorded into the store and into the recognizer at once, and undone in both."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from device.teach.candidates import Candidate
from device.teach.fleet_lessons import with_lessons
from device.teach.rows_in_memory import still_stored
from edge_tl.core.answers import TrainingResult
from edge_tl.core.examples import Count, Example, Examples, recorded_in
from edge_tl.core.kept import as_kept, as_stored
from edge_tl.embedders.embedder import TrackEmbedder
from edge_tl.embedders.look.marks import spot
from edge_tl.errors import ExampleError, ProfileError, ShapeError
from edge_tl.fleet.lesson import FleetLesson
from edge_tl.fleet.pooling import no_devices, sessions_of_devices
from edge_tl.judge.evidence import RecordedEvidence
from edge_tl.labels import NOISE, ORDINARY, check_label
from edge_tl.line import Sight
from edge_tl.media.image import decode
from edge_tl.media.sound import Sound
from edge_tl.media.spectrum import spectrum
from edge_tl.movements.drawing import path_picture
from edge_tl.movements.track import Track
from edge_tl.recognizer import Recognizer
from edge_tl.store.copies import StoredCopies
from edge_tl.store.examples import ExampleStore
from edge_tl.store.lessons import has_lessons
from edge_tl.store.media import TFJSSCDS, TRACK, WAV, stored_track

ENOUGH = {"picture": 20, "sound": 8, "movement": 1}
"""Examples of each class before training is offered; of words as the published transfer asks for (spec S4)."""
ENOUGH_NOISE = 5
"""Parts of a recording of the background: ten seconds are cut into so many."""
SOUNDS = (WAV, TFJSSCDS)
SPECTRUM_PX = (48, 64)
"""The height and width of a word's picture, or of a movement's."""


class FileOutcome(NamedTuple):
    """What became of a file that was brought along."""

    take: int
    """The take that its examples are in; of a copy the one that was asked for, 0 for none."""
    added: int
    copies: int


class Lesson:
    """What `teach` and `play` do with recorded frames; knows no keys and no screen.

    labels: classes shown from the beginning, also while empty. minimum: examples a class needs before training is
    offered. keep_media: False where no raw picture or sound may reach the disk. A take is what lies between `begin` and
    `end`.
    """

    def __init__(
        self,
        store: ExampleStore,
        recognizer: Recognizer,
        clock: Callable[[], float],
        labels: Iterable[str] = (),
        minimum: int = 20,
        *,
        keep_media: bool = True,
    ) -> None:
        self.store, self.recognizer, self.clock, self.minimum = store, recognizer, clock, minimum
        self.keep_media = keep_media
        for label in labels:
            store.add_label(check_label(label))
        self.last_picture: dict[str, np.ndarray] = {}
        """Label → its last picture, uint8 RGB, of any size; of a word its spectrogram, of a movement its path."""
        self.recording: str | None = None
        self._take = self._last_take = self._session = 0
        self._together: list[int] = []
        self._source = ""
        self._devices: np.ndarray | None = None
        self._known: dict[str, FleetLesson] = {}
        self.others: dict[int, str] = {}
        """The sessions that are other devices', and what these are called."""
        self.without_lessons = ""
        """As in `Examples`, when the examples were read."""
        self._ids: list[int] = []
        self._spots: dict[int, np.ndarray] = {}
        self._brought: dict[int, tuple[str, int]] = {}
        self._copies: StoredCopies | None = None
        self._reload()

    @property
    def devices(self) -> np.ndarray | None:
        """(N,) str: which other device taught each of the recognizer's examples, empty for the own; None where none
        did."""
        if self._devices is None:
            return None
        return np.append(self._devices, no_devices(len(self._ids) - len(self._devices)))  # what came since is the own

    @property
    def labels(self) -> list[str]:
        """All classes, in the order in which they came."""
        return self.store.labels()

    def counts(self) -> dict[str, Count]:
        """What is on disk, by label."""
        return self.store.counts()

    def missing(self) -> dict[str, int]:
        """How many examples each class still needs before training is offered."""
        counts = self.counts()
        have = {label: counts[label].examples if label in counts else 0 for label in self.labels}
        wanted = {label: self._fewer.get(label, self.minimum) for label in have}
        return {label: wanted[label] - number for label, number in have.items() if number < wanted[label]}

    @property
    def _fewer(self) -> dict[str, int]:
        if isinstance(self.recognizer.embedder, TrackEmbedder):
            return {ORDINARY: 0}  # it matters most, and may be missing
        return {NOISE: min(ENOUGH_NOISE, self.minimum)}

    def use(self, recognizer: Recognizer) -> None:
        """Go on with another recognizer, which takes all stored examples; ProfileMismatch where it cannot."""
        self.end()
        self.recognizer = recognizer
        self._reload()

    def read_lessons(self, beat: Callable[[], object]) -> None:
        """Take all stored examples again, with the lessons of others that are there now; beat: as of `hold`."""
        self.end()
        self._teach(self.store.held(self._stored(), beat))

    def add_label(self, label: str) -> str:
        """A new class; ExampleError where the text cannot be a label."""
        label = check_label(label)
        self.store.add_label(label)
        return label

    @property
    def session(self) -> str:
        """The number and the name of the session that a take begun now belongs to."""
        number = self.store.session()
        return f"session {number} {self.store.session_name(number)}".strip()

    def new_session(self, name: str = "") -> str:
        """Another place or day begins; one that holds nothing yet only gets the name. What `session` is then."""
        self.end()
        number = self.store.session()
        if any(one.id == number for one in self.store.sessions()):
            self.store.new_session(name)
        else:
            self.store.rename_session(number, name)
        return self.session

    def begin(self, label: str, source: str) -> None:
        """A new take of `label` begins; ShapeError where tracks are taught, which `keep` takes."""
        self.end()
        if isinstance(self.recognizer.embedder, TrackEmbedder):
            raise ShapeError(f"got pictures; {self.recognizer.embedder.name} learns from the track of a hand")
        self.recording, self._source = label, source
        self._take = 0

    def frame(self, sight: Sight) -> None:
        """Add a frame to the take, if one is being recorded; it counts once it is on disk.

        One that was but glanced at teaches nothing: what was seen of it is partly of the frame before.
        """
        self.store.tick(self.clock())
        if self.recording is None or sight.glanced:
            return
        if not self._take:
            # The take is made with its first frame, so that a key pressed without a camera leaves none.
            self._session = self.store.session()
            self._take = self.store.new_take(self.recording, self._source, self._session)
        fingerprint = self.recognizer.embedder.fingerprint
        media = sight.frame.data if self.keep_media else None
        kept = as_kept(sight.embedding, self.recognizer.embedder.embedding_dim)
        number = self.store.add(self._take, media, kept, fingerprint)
        self._ids.append(number)
        self._copies = None
        self._spots[number] = spot(self.recognizer.embedder, sight.frame.data.shape)
        self.recognizer.add(sight.embedding, self.recording, self._take, self._session)
        self.last_picture[self.recording] = sight.frame.data

    def record(self, label: str, sounds: Sequence[Sound], source: str) -> None:
        """Keep recordings of a word or of the noise, each a take of its own; they are on disk when this returns."""
        self.end()
        self._copies = None
        session, fingerprint = self.store.session(), self.recognizer.embedder.fingerprint
        made = [(sound, self.recognizer.embed_taught(sound)) for sound in sounds]
        self._together = []
        for sound, embedding in made:
            take = self._last_take = self.store.new_take(label, source, session)
            self._together.append(take)
            self._ids.append(self.store.add(take, sound if self.keep_media else None, embedding, fingerprint))
            self.recognizer.add(embedding, label, take, session)
            self.last_picture[label] = spectrum(sound.samples, sound.rate_hz, *SPECTRUM_PX)
        self.store.flush()

    def keep(self, label: str, tracks: Sequence[Track], source: str, take: int = 0) -> int:
        """Keep stretches of a hand's track as examples of a class, on disk when this returns; the take they are in.

        take: one that was begun so, to go on with; 0 begins one. Landmarks are kept also where no picture may be.
        ShapeError where the recognizer takes no tracks.
        """
        embedder = self.recognizer.embedder
        if not isinstance(embedder, TrackEmbedder):
            raise ShapeError(f"got the track of a hand; {embedder.name} learns from pictures or sounds")
        self._copies, self._together = None, []
        if not take:
            self._session = self.store.session()
            take = self._last_take = self.store.new_take(label, source, self._session)
        for track in tracks:
            embedding = as_stored(embedder.taught(track, label))
            self._ids.append(self.store.add(take, track, embedding, embedder.fingerprint))
            self.recognizer.add(embedding, label, take, self._session)
            self.last_picture[label] = path_picture(track, *SPECTRUM_PX)
        self.store.flush()
        return take

    def bring(self, name: str, label: str, offered: Sequence[Candidate], take: int = 0) -> FileOutcome:
        """Keep what a file holds, on disk when this returns; what is there already is skipped and counted.

        take: one that `bring` began, to go on with; 0 begins one. Of sounds each is a take of its own, as when it is
        recorded. Nothing that is being recorded ends. ExampleError where the take is gone or another class's, or where
        the same file is there under another label.
        """
        if take and self._brought.get(take, ("", 0))[0] != label:
            raise ExampleError(f"take {take} of {label} is gone, or was not begun so: begin another one")
        self.store.flush()
        known = self._copies or StoredCopies(self.store)
        for one in offered:
            known.check(name, label, one.kept)
        fresh = [one for one in offered if known.find(one.kept) is None]
        made = [(one, *self._taught(one.data)) for one in fresh]
        session, fingerprint = (
            self._brought.get(take, ("", self.store.session()))[1],
            self.recognizer.embedder.fingerprint,
        )
        for one, kept, embedding in made:
            if not take or isinstance(one.data, Sound):
                take = self.store.new_take(label, name, session)
                self._brought[take] = label, session
            number = self.store.add(take, one.kept if self.keep_media else None, kept, fingerprint)
            known.add(number, label, one.kept)
            self._ids.append(number)
            self.recognizer.add(embedding, label, take, session)
            if isinstance(one.data, np.ndarray):
                self._spots[number] = spot(self.recognizer.embedder, one.data.shape)
            self._last_take = take
        self.store.flush()
        self._copies = known
        return FileOutcome(take, len(made), len(offered) - len(made))

    def _taught(self, data: np.ndarray | Sound) -> tuple[np.ndarray, np.ndarray | None]:
        """What the store keeps of a picture or a sound, and what the recognizer is taught of it."""
        if isinstance(data, Sound):
            kept = self.recognizer.embed_taught(data)
            return kept, kept
        if self.recognizer.finder is not None:
            self.recognizer.finder.following = False  # it follows nothing
        embedding = self.recognizer.embed(data)
        return as_kept(embedding, self.recognizer.embedder.embedding_dim), embedding

    def last_sound(self, label: str) -> Sound:
        """The last recording of a class; ExampleError where it has none."""
        numbers = [one.id for one in self.store.list() if one.label == label and one.media_type in SOUNDS]
        if not numbers:
            raise ExampleError(f"{label} has no recording yet")
        return self.store.sound(numbers[-1])

    def end(self) -> bool:
        """End the take; True where it holds an example."""
        recorded = bool(self._take)
        self._last_take = self._take or self._last_take
        # First of all: where the disk is full, the flush raises, and the next frame must not go on recording.
        self.recording, self._take = None, 0
        self.store.flush()
        return recorded

    def recorded(self) -> RecordedEvidence:
        """All of it, as the guide looks at it: with the last take first in mind."""
        one_each = self.recognizer.one_each
        X, y, takes = (part[one_each] for part in self.recognizer.rows)
        gram, looks_for = self.recognizer.gram, self.recognizer.looks_for
        nowhere = np.full(2, np.nan)  # of what was recorded before this lesson
        spots = np.array([self._spots.get(number, nowhere) for number in self._ids]).reshape(-1, 2)
        return RecordedEvidence(
            X,
            y,
            takes,
            self._sessions(takes),
            gram=None if gram is None else gram[one_each, one_each],
            labels=tuple(dict.fromkeys((*self.labels, *map(str, y)))),
            minimum=self.minimum,
            fewer=self._fewer,
            take=self._last_take,
            looks_for=looks_for,
            finds=self.recognizer.found[one_each],
            spots=spots if looks_for else None,
        )

    def _sessions(self, takes: np.ndarray) -> np.ndarray:
        """Of each example; what was marked is no place and no day of its own."""
        sessions = self.recognizer.sessions[self.recognizer.one_each]
        return recorded_in(sessions, self.recognizer.aside.rows(takes)) if len(takes) else sessions

    def last_take(self) -> tuple[str, int] | None:
        """What `undo` would forget: its label and how many examples, or None where there is none."""
        _, y, takes = (part[self.recognizer.one_each] for part in self.recognizer.rows)
        if not len(takes) or takes.max() < 0:  # below 0 are those of other devices
            return None
        last = takes == takes.max()
        return str(y[last][0]), int(np.isin(takes, [takes.max(), *self._together]).sum())

    def undo(self) -> tuple[str, int] | None:
        """Forget the last take, of the noise all that was recorded with it.

        Its label and how many examples went, or None where there is none.
        """
        self.end()
        undone = self.store.undo_last_take()
        if undone is not None and len(self._together) > 1:
            others = self._together[:-1]
            undone = undone[0], undone[1] + sum(self.store.remove_take(take) for take in others)
        self._together = []
        self._reload(removed=True)
        return undone

    def remove_take(self, take: int) -> int:
        """Forget a take; how many examples went. ExampleError where there is no such take."""
        self.end()
        removed = self.store.remove_take(take)
        self._reload(removed=True)
        return removed

    def remove(self, ids: list[int]) -> int:
        """Forget single examples; how many. ExampleError, and none is removed, where one is not there."""
        self.end()
        removed = self.store.remove(ids)
        self._reload(removed=True)
        return removed

    def remove_label(self, label: str) -> None:
        """Forget a class with all its examples."""
        self.end()
        self.store.remove_label(label)
        self._reload(removed=True)

    def learn(self, progress: Callable[[int, float, float], bool | None] | None = None) -> TrainingResult:
        """Train on all that was recorded."""
        self.end()
        return self.recognizer.learn(progress)

    def hold(self, beat: Callable[[], object]) -> None:
        """Before an accuracy is told: near-copies count with what they copy; beat: called now and then."""
        self.end()
        examples = self._stored()
        held = self.store.held(examples, beat)
        if held is not examples:
            self._teach(held)

    def _stored(self) -> Examples:
        return self.store.matrix(self.recognizer.embedder.fingerprint, self.recognizer.as_rows)

    def _teach(self, examples: Examples) -> None:
        every, folder = examples, self.store.path.parent
        if has_lessons(folder):
            every = with_lessons(examples, folder, self.recognizer, self._known)
        self.recognizer.replace(every)
        self._ids, self._devices, self.others = every.ids.tolist(), every.devices, sessions_of_devices(every)
        self.without_lessons = every.without_lessons

    def _reload(self, *, removed: bool = False) -> None:
        """Take what is stored; removed: nothing but removals came since the last time."""
        listed = self.store.list()
        rows = still_stored(self.recognizer, self._ids, listed) if removed and self._devices is None else None
        self._teach(self._stored() if rows is None else rows)
        self._copies = None
        newest = {example.label: example for example in listed if example.media_bytes_len}
        self.last_picture = {}
        for label, example in newest.items():
            with contextlib.suppress(ExampleError, ProfileError):  # it is only shown: a damaged one stays away
                self.last_picture[label] = self._picture(example)

    def _picture(self, example: Example) -> np.ndarray:
        if example.media_type == TRACK:
            return path_picture(stored_track(self.store.media(example.id)[1]), *SPECTRUM_PX)
        if example.media_type not in SOUNDS:
            return decode(self.store.picture(example.id))
        sound = self.store.sound(example.id)
        return spectrum(sound.samples, sound.rate_hz, *SPECTRUM_PX)
