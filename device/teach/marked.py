"""What was reported wrongly or missed becomes an example: of no word, or of the word or the class that it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from device.teach.picture_moments import PictureMoment, PictureMoments
from edge_tl.core.examples import MARKED
from edge_tl.core.kept import as_kept
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.stream import embed_views
from edge_tl.errors import EdgeTLError, ExampleError
from edge_tl.labels import NOISE, check_label
from edge_tl.line import Sight, SoundLine
from edge_tl.listener import SILENT
from edge_tl.media.sound import Sound
from edge_tl.recognizer import Recognizer
from edge_tl.store.examples import ExampleStore
from edge_tl.store.profile import Profile
from edge_tl.words.mistakes import MISSED_S, Mistakes, ReportedMoment

SESSION = "marked"
"""The name of the session that all marked takes of a profile are in."""


def mark(
    mistakes: Mistakes, store: ExampleStore, embedder: SoundEmbedder, was: str | None, number: int | None, keep: bool
) -> str:
    """Keep what was told under a number, None for the last one, as what it was; what to say of it, in a line.

    was: a class of words, or None for nothing, which teaches what is no word. keep: the sound too, not its embedding
    alone. It is on disk when this returns, and counts from the next training on. ExampleError in one line where it
    cannot be marked.
    """
    one = mistakes.moment(number)
    if was == one.label:
        raise ExampleError(f"{one.label} is the word that was reported: there is nothing to correct")
    label, sound = wanted(store, was), mistakes.sound(one.number)
    take(store, embedder, sound, label, f"told as {one.label}", keep=keep)  # as profiles store it
    one.marked = was or "nothing"
    return f"kept as {label}: it was reported as {one.label}; the next training uses it"


def miss(mistakes: Mistakes, store: ExampleStore, embedder: SoundEmbedder, was: str, keep: bool) -> str:
    """Keep the word of the last seconds, which was not told; what to say of it. As of `mark`."""
    label = wanted(store, was)
    if label == NOISE:
        raise ExampleError("what was missed is a word: say which")
    take(store, embedder, mistakes.missed(), label, "missed", keep=keep)
    return f"kept as {label}: it was missed; the next training uses it"


def wanted(store: ExampleStore, was: str | None, kind: str = "word") -> str:
    """The class that a mark means; ExampleError for one that the profile has not. kind: what it is of."""
    if was is None:
        return NOISE
    label = check_label(was)
    if label not in store.labels():
        known = ", ".join(one for one in store.labels() if one != NOISE) or "none"
        raise ExampleError(f"there is no {kind} {label!r}; those there are: {known}")
    return label


def take(store: ExampleStore, embedder: SoundEmbedder, sound: Sound, label: str, why: str, *, keep: bool) -> None:
    """One take of its own, as of `keep_one`."""
    keep_one(store, label, why, sound if keep else None, embed_views(embedder, sound), embedder.fingerprint)


def mark_picture(
    moments: PictureMoments, store: ExampleStore, recognizer: Recognizer, was: str, number: int | None, keep: bool
) -> str:
    """Keep the picture that was answered under a number, None for the last one, as what it was; as of `mark`."""
    one = moments.moment(number)
    if one.marked:
        raise ExampleError(f"that was corrected already, to {one.marked}")
    if was == one.label:
        raise ExampleError(f"{one.label} is the class that was reported: there is nothing to correct")
    as_what, shown = one.label or "none of these", moments.picture(one.number)
    label = _keep_picture(store, recognizer, shown, was, f"told as {as_what}", keep=keep)  # as profiles store it
    one.marked = was
    return f"kept as {label}: it was reported as {as_what}; the next training uses it"


def miss_picture(moments: PictureMoments, store: ExampleStore, recognizer: Recognizer, was: str, keep: bool) -> str:
    """Keep what is seen now, which is not reported, as what it is; as of `mark`."""
    if moments.newest is None:
        raise ExampleError("nothing was seen yet")
    label = _keep_picture(store, recognizer, moments.newest.frame.data, was, "missed", keep=keep)
    return f"kept as {label}: it was missed; the next training uses it"


def _keep_picture(
    store: ExampleStore, recognizer: Recognizer, picture: np.ndarray, was: str, why: str, *, keep: bool
) -> str:
    label = wanted(store, was, "class")
    if recognizer.finder is not None:
        recognizer.finder.following = False  # it follows nothing
    embedding = recognizer.embed(picture)
    if embedding is None and label != recognizer.nobody:
        raise ExampleError(f"no {recognizer.looks_for} is found in it: it would teach nothing of {label}")
    kept = as_kept(embedding, recognizer.embedder.embedding_dim)
    keep_one(store, label, why, picture if keep else None, kept, recognizer.embedder.fingerprint)
    return label


def keep_one(
    store: ExampleStore, label: str, why: str, media: np.ndarray | Sound | None, kept: np.ndarray, fingerprint: str
) -> None:
    """One take of its own, in the session of what was marked: closed, for it was no lesson. On disk when it returns."""
    session = next((one.session for one in store.list() if one.source.startswith(MARKED)), None)
    with store.all_or_none():  # who is told that it failed marks it once more
        session = session or store.new_session(SESSION, closed=True)
        number = store.new_take(label, f"{MARKED}{why}", session)
        store.add(number, media, kept, fingerprint)
        store.flush()


def keeps_sound(store: ExampleStore) -> bool:
    """Whether a profile keeps sounds: one that was taught so that only embeddings stay goes on so."""
    examples = store.list()
    return not examples or any(one.media_bytes_len for one in examples)


def moment_json(one: ReportedMoment | PictureMoment) -> dict[str, object]:
    """What of a moment goes out; never its sound or picture."""
    there = one.jpeg if isinstance(one, PictureMoment) else one.heard
    return {
        "number": one.number,
        "label": one.label,
        "nearest": one.nearest if isinstance(one, PictureMoment) else one.label,
        "confidence": round(one.confidence, 4),
        "can_be_marked": there is not None and not one.marked,
        "can_be_explained": there is not None,
        "marked": one.marked or None,
    }


class WordMarker:
    """What a person says of words as they are told; the profile is open for writing only while a mark is kept."""

    def __init__(self, folder: Path, ear: SoundLine) -> None:
        """folder: the profile's; ear: what listens, trained."""
        self.folder, self.ear, self.mistakes = folder, ear, Mistakes()
        self.labels = [label for label in ear.recognizer.classes if label not in SILENT]
        self._now_s = 0.0

    def heed(self, sight: Sight) -> ReportedMoment | None:
        """Take in what became of a block of sound; the moment in which a word was told, None for most blocks."""
        self._now_s = sight.frame.time_s
        return self.mistakes.take(sight.frame, self.ear.words[-1] if sight.steady is not None else None)

    @property
    def keys(self) -> str:
        """The keys, for the last line of a screen."""
        some = "  ".join(f"{number} {label}" for number, label in enumerate(self.labels[:9], 1))
        return f"n false alarm  wrong, it was: {some}"

    def key(self, key: str) -> str:
        """What a key did, in a line; empty for one that marks nothing."""
        if key == "n":
            return self.say(None)
        if len(key) != 1 or not key.isdecimal() or not 1 <= int(key) <= min(9, len(self.labels)):
            return ""
        last = self.mistakes.moments[-1] if self.mistakes.moments else None
        lately = last is not None and not last.marked and self._now_s - last.time_s <= MISSED_S
        return self.say(self.labels[int(key) - 1], missed=not lately)

    def say(self, was: str | None, number: int | None = None, *, missed: bool = False) -> str:
        """Mark, and say what came of it: also why it could not be kept."""
        try:
            return self.keep(was, number, missed=missed)
        except EdgeTLError as error:
            return str(error)

    def keep(self, was: str | None, number: int | None = None, *, missed: bool = False) -> str:
        """As of `mark`, and where it was missed of `miss`; ProfileLocked where another process teaches it."""
        with Profile(self.folder, writable=True) as profile:
            store, embedder = profile.store, self.ear.embedder
            keep = keeps_sound(store)
            if missed and was is not None:
                return miss(self.mistakes, store, embedder, was, keep)
            return mark(self.mistakes, store, embedder, was, number, keep)
