"""A word that is typed in the console: spoken by the voices that are installed on the device."""

from __future__ import annotations

from typing import Any

from device.serve.pipeline import Pipeline
from device.serve.storage_limits import make_room
from device.teach.typed import type_word
from device.teach.voices import asked_language, speaking
from edge_tl.errors import ConfigError
from edge_tl.words.typing import typed_text


def type_in(one: Pipeline, given: dict[str, Any]) -> None:
    """`{"word": "computer", "language": "en"}`: its takes are kept, and the pipeline says how many.

    Without a language English, of Latin letters. ProfileError while nothing can be taught, ConfigError where nobody
    speaks it, ExampleError for what cannot be spoken.
    """
    word, language = given.get("word"), given.get("language")
    if not isinstance(word, str) or not (language is None or isinstance(language, str)):
        raise ConfigError("word: a text is wanted, and of language one like en, ar, or null")
    one.check_teaching()
    embedder = one.line.recognizer.sound
    if embedder is None:
        raise ConfigError(f"{one.name} is a camera: words are typed")
    speakers = speaking(asked_language(language, [typed_text(word)]))
    lesson = one.lesson
    make_room(lesson, one.limits)

    def beat(done: int, total: int) -> None:
        one.beat()

    with one.saving():
        made = type_word(
            one.profile.store, embedder, word, None, speakers, one.profile.folder.parents[1] / "typed", beat
        )
        lesson.use(one.line.recognizer)
        assert made is not None, "nobody stops it"
        one.said = f"{made.line()}{made.advice}"
