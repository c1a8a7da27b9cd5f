"""Why an answer was wrong: a few copies of its picture are looked at between two frames, and the loop goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from device.serve.pipeline import Pipeline
from device.teach.explaining import Explainer
from edge_tl.core.answers import Observation
from edge_tl.embedders.embedder import Finder
from edge_tl.embedders.look.marks import Mark, marks
from edge_tl.errors import ConfigError, ExampleError, NotFittedError
from edge_tl.judge.why import TriedRepair
from edge_tl.listener import Listener, ListeningConfig
from edge_tl.media.image import decode, encode_jpeg, marked, thumbnail
from edge_tl.media.repairs import repairs
from edge_tl.media.sound import Sound
from edge_tl.media.spectrum import spectrum
from edge_tl.words.recording import hear

SHOWN_PX = 240
"""The longer side of a picture beside others."""
SPECTRUM_PX = (60, 120)
"""The height and width of a word's picture."""
AT_ONCE = 3
"""So many copies of a picture are looked at between two frames."""


@dataclass
class WhyQuestion:
    """One question, while it is being answered."""

    explainer: Explainer
    was: str | None
    number: int | None
    """Of the moment; None for what is seen now."""
    asked: np.ndarray | Sound
    heard: Observation | None = None
    """Of a sound what it was taken for."""
    waiting: list[Any] = field(default_factory=repairs)
    tried: list[TriedRepair] = field(default_factory=list)


def explained(of: Callable[[Callable[[Pipeline], Any]], Any], number: int, was: str | None) -> dict[str, Any]:
    """Why a moment was answered so, JSON-able; number: 0 for what is seen now, or of words for the last one reported.

    of: has the loop call a function with the pipeline. was: what it was, where a person says so. NotFittedError where
    nothing was trained, ExampleError where the moment is gone, ConfigError of movements.
    """
    question: WhyQuestion = of(lambda one: _begun(one, number, was))
    while of(lambda one: _stepped(question)):
        pass
    made: dict[str, Any] = of(lambda one: _answered(one, question))
    return made


def told_picture(one: Pipeline, number: int) -> bytes:
    """The picture of what is reported under a number, JPEG, of words the spectrogram; ExampleError if gone."""
    if one.kind == "sound":
        sound = one.mistakes.sound(number)
        return encode_jpeg(spectrum(sound.samples, sound.rate_hz, *SPECTRUM_PX), 80)
    moment, picture = one.moments.moment(number), one.moments.picture(number)
    return encode_jpeg(with_marks(picture, moment.found), 80)


def with_marks(picture: np.ndarray, found: Sequence[Mark]) -> np.ndarray:
    """A picture uint8 (height_px, width_px, 3) made small, with what was looked at in it."""
    small = thumbnail(picture, SHOWN_PX)
    scale = np.array((small.shape[1] / picture.shape[1], small.shape[0] / picture.shape[0]))
    return marked(small, [mark.outline * scale for mark in found], [mark.points * scale for mark in found])


def example_picture(one: Pipeline, example: int) -> bytes:
    """The picture of a taught example with what is found in it, JPEG; ExampleError where none was kept."""
    picture = decode(one.profile.store.picture(example))
    embedder = one.line.recognizer.embedder
    if isinstance(embedder, Finder):
        embedder.following = False  # it follows nothing
        embedder.embed(picture)
    return encode_jpeg(with_marks(picture, marks(embedder, picture.shape)), 80)


def _begun(one: Pipeline, number: int, was: str | None) -> WhyQuestion:
    recognizer = one.line.recognizer
    if one.kind == "movement":
        raise ConfigError(f"{one.name} tells movements, which are not explained")
    if not recognizer.fitted:
        raise NotFittedError("nothing was trained yet: `edge-tl train`")
    explainer = Explainer(one.profile.store, recognizer)
    explainer.check(was)
    if one.kind == "sound":
        told = one.mistakes.sound(number or one.mistakes.last.number)
        known = one.line.controller
        heard = hear(recognizer, told, known.config if isinstance(known, Listener) else ListeningConfig())
        return WhyQuestion(explainer, was, number or None, told, heard.observation, [])
    if number:
        return WhyQuestion(explainer, was, number, one.moments.picture(number))
    if one.moments.newest is None:
        raise ExampleError("nothing was seen yet")
    return WhyQuestion(explainer, was, None, one.moments.newest.frame.data)


def _stepped(question: WhyQuestion) -> bool:
    """Look at a few more copies; whether there are more."""
    if not isinstance(question.asked, np.ndarray):
        return False
    some, question.waiting = question.waiting[:AT_ONCE], question.waiting[AT_ONCE:]
    question.tried += [question.explainer.repaired(question.asked, repair) for repair in some]
    return bool(question.waiting)


def _answered(one: Pipeline, question: WhyQuestion) -> dict[str, Any]:
    of = question.explainer
    if isinstance(question.asked, Sound):
        why = of.sound(question.asked, question.heard, question.was)
    else:
        why = of.picture(question.asked, question.was, question.tried)
    return {"number": question.number, **why.as_dict(), "worth": _worth(one, of)}


def _worth(one: Pipeline, of: Explainer) -> list[dict[str, Any]]:
    """Of the pictures reported or refused lately that have no name yet: those most worth one, the best first."""
    unnamed = [moment for moment in one.moments.moments if not moment.marked and moment.jpeg is not None]
    found = of.worth([of.row(moment.embedding) for moment in unnamed], 3)
    return [{"number": unnamed[it.index].number, "gain": round(it.gain, 3)} for it in found if it.gain > 0]
