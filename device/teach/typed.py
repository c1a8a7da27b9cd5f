"""A word that is typed becomes examples: spoken by a program's voices, each once, and kept for the next profile."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from device.teach.voices import ENGINES, Engine, Manner, spoken
from edge_tl.core.examples import TYPED
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.stream import embed_views
from edge_tl.errors import ConfigError, ExampleError, counted
from edge_tl.files import PRIVATE, PRIVATE_FOLDER, write_synced
from edge_tl.heads.against_world import AgainstWorld
from edge_tl.labels import NOISE, check_label
from edge_tl.media.sound import Sound, read_sound
from edge_tl.media.wav import encode_wav
from edge_tl.recognizer import Recognizer
from edge_tl.store.copies import StoredCopies, copies_text
from edge_tl.store.examples import ExampleStore
from edge_tl.store.media import stored_media
from edge_tl.words.typing import language_of, typed_text

SESSION = "typed"
"""The name of the session that all typed takes of a profile are in."""
RECORDED = 3
"""Recordings beside the typed takes, as many as were measured (`prove words_typed`)."""
MAX_KEPT = 2000
"""Sounds that are kept for the next time: about 80 MB."""


@dataclass(frozen=True, slots=True)
class TypedWord:
    """What came of one word."""

    word: str
    label: str
    voices: tuple[str, ...]
    """Who spoke it: `flite awb`."""
    takes: int
    copies: int
    """Takes that sound to the bit like one that is there."""
    failed: tuple[str, ...]
    """Why a voice did not speak it, one line each."""
    recorded: int
    """Takes of the class that people recorded."""

    @property
    def advice(self) -> str:
        """What would make it better, to end a sentence with; empty where that is done."""
        return "" if self.recorded >= RECORDED else "; better with three recordings of yours"

    def line(self) -> str:
        """What a person reads."""
        if not self.takes:
            return f"{self.word!r} was typed as {self.label} before: nothing is new"
        engines = list(dict.fromkeys(one.partition(" ")[0] for one in self.voices))
        return (
            f"typed {self.label}: {counted(self.takes, 'take')} of {self.word!r} by "
            f"{counted(len(self.voices), 'voice')} of {' and '.join(engines)}{copies_text(self.copies)}"
        )


def type_word(
    store: ExampleStore,
    embedder: SoundEmbedder,
    word: str,
    label: str | None,
    speakers: Sequence[tuple[Engine, list[Manner]]],
    kept: Path,
    progress: Callable[[int, int], bool | None] = lambda done, total: None,
) -> TypedWord | None:
    """Teach a profile a word by its spelling, all of its takes or none; None where `progress` says True, to stop.

    label: the class, the word itself by default. speakers: as of `voices.speaking`. kept: the folder in which sounds
    lie for the next time. ExampleError, one line, for what cannot be spoken or no voice spoke.
    """
    text = typed_text(word)
    label = check_label(label or word)
    if label == NOISE:
        raise ConfigError(f"{NOISE!r} is what a room sounds like: it is recorded, and not typed")
    known = StoredCopies(store)
    fresh, failed, copies = [], [], 0
    manners = [(engine, manner) for engine, several in speakers for manner in several]
    for done, (engine, manner) in enumerate(manners):
        if progress(done, len(manners)):
            return None
        try:
            sound = spoken_once(kept, engine, manner, text)
            file = stored_media(sound)
            known.check(f"{word!r} by {manner.engine} {manner.voice}", label, file)
            if known.find(file):
                copies += 1
                continue
            fresh.append((manner, file, embed_views(embedder, sound)))
            known.add(0, label, file)  # two ways of one voice may sound alike
        except ExampleError as error:
            failed.append(str(error))
    if not fresh and not copies:
        raise ExampleError(f"no voice spoke {word!r}: {failed[0] if failed else 'none was given'}")
    with store.all_or_none():
        session = session_of(store) if fresh else 0
        for manner, file, embedding in fresh:
            take = store.new_take(label, f"{TYPED}{manner}", session)
            store.add(take, file, embedding, embedder.fingerprint)
        store.flush()
    voices = dict.fromkeys(f"{manner.engine} {manner.voice}" for manner, _, _ in fresh)
    recorded = len({one.take for one in store.list() if one.label == label and not one.typed})
    return TypedWord(word, label, tuple(voices), len(fresh), copies, tuple(dict.fromkeys(failed)), recorded)


def session_of(store: ExampleStore) -> int:
    """The session of the typed takes, begun where there is none: closed, for nobody sat there."""
    return next((one.session for one in store.list() if one.typed), None) or store.new_session(SESSION, closed=True)


def spoken_once(kept: Path, engine: Engine, manner: Manner, text: str) -> Sound:
    """What a voice says, from the disk where it said it before; ExampleError as of `voices.spoken`."""
    said = json.dumps([*engine.command(manner), manner.shift, text])
    path = kept / f"{hashlib.sha256(said.encode()).hexdigest()[:32]}.wav"
    with contextlib.suppress(ExampleError, OSError):  # not there, or cut off by a full disk: it is spoken
        return read_sound(path)
    sound = spoken(engine, manner, text)
    with contextlib.suppress(OSError):  # a full disk takes no copy, which is only a matter of time
        keep(path, encode_wav(sound.samples, sound.rate_hz))
        return read_sound(path)  # rounded as it will be the next time
    return sound


def keep(path: Path, data: bytes) -> None:
    """Write one sound, whole or not at all; of more than `MAX_KEPT` others go: by their hashes, which is by chance."""
    path.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    try:
        write_synced(fresh, data, PRIVATE)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    for other in sorted(one for one in path.parent.glob("*.wav") if one != path)[MAX_KEPT - 1 :]:
        other.unlink(missing_ok=True)


def typed_cautions(recognizer: Recognizer) -> list[str]:
    """What must be said of classes that nobody recorded, and of words that are not typed; a sentence each, or none."""
    y, takes = (values[recognizer.one_each] for values in recognizer.rows[1:])
    typed = [take in recognizer.aside.typed for take in takes.tolist()]
    alone = sorted({*y[typed].tolist()} - {str(label) for label, one in zip(y, typed, strict=True) if not one})
    if not alone:
        return _advice(recognizer)
    return [
        f"{', '.join(alone)}: typed: better with three recordings of yours; the accuracy is that of the synthetic "
        "voices, not of people",
        *_advice(recognizer),
    ]


def _advice(recognizer: Recognizer) -> list[str]:
    """What would let more people be heard: that wake words are typed too, a sentence; none where all are, or cannot be.

    Worth it for words that are compared with everything that is ever said (`prove words_typed`): by one other voice 69
    of 100 are detected, with typed takes beside it 80.
    """
    rejector = recognizer.rejector
    if not isinstance(rejector, AgainstWorld) or not rejector.open:
        return []
    y, takes = (values[recognizer.one_each] for values in recognizer.rows[1:])
    typed = set(y[[take in recognizer.aside.typed for take in takes.tolist()]].tolist())
    words = [word for word in rejector.words if word not in typed and can_be_typed(word)]
    if not words:
        return []
    first = "" if any(one.installed for one in ENGINES) else f"`sudo apt install {ENGINES[0].name}`, "
    return [
        f"{', '.join(words)}: detected more often in other people's voices if it is also typed ({first}`edge-tl "
        f"examples type {' '.join(map(shlex.quote, words))}`, then `edge-tl train`)"
    ]


def can_be_typed(word: str) -> bool:
    """Whether a label is a word that voices speak: in Latin letters, for of others nobody knows the language."""
    try:
        return language_of(typed_text(word)) is not None
    except ExampleError:
        return False
