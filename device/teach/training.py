"""Whether there is enough to train on, and what a training leaves on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from device.assembly import load_saved
from device.teach.fleet_lessons import with_lessons
from device.teach.lesson import Lesson
from edge_tl.core.absent import nobody_class
from edge_tl.core.answers import TrainingResult
from edge_tl.core.examples import Examples
from edge_tl.embedders.embedder import TrackEmbedder
from edge_tl.errors import ConfigError, NotFittedError, ProfileError, counted
from edge_tl.heads.movement import MovementHead
from edge_tl.judge.evaluation import Evaluation
from edge_tl.labels import ORDINARY, few_of
from edge_tl.movements.demonstration import STEP_S
from edge_tl.movements.held import are_signs
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile

ASKED_FOR = 3
"""Demonstrations of a movement; one is possible, five are better."""


def teach_all(profile: Profile, recognizer: Recognizer, beat: Callable[[], object] | None = None) -> Examples:
    """Teach a recognizer all examples of a profile, near-copies with what they copy, and what other devices gave it,
    and return them.

    beat: called after each picture that was looked at for the first time.
    """
    store = profile.store
    with store.snapshot():
        examples = store.held(store.matrix(recognizer.embedder.fingerprint, recognizer.as_rows), beat)
    examples = with_lessons(examples, profile.folder, recognizer)
    recognizer.replace(examples)
    return examples


def check_enough(recognizer: Recognizer, *, force: bool, minimum: int = 2) -> None:
    """Raise NotFittedError, saying what is missing, where there is too little to train on."""
    _, labels, _ = recognizer.rows
    labels = labels[recognizer.one_each]
    counts = {str(label): int((labels == label).sum()) for label in sorted(set(labels))}
    if not counts:
        raise NotFittedError("nothing was recorded yet: run `edge-tl teach`, or `edge-tl examples import FOLDER`")
    check_found(recognizer, force=force)
    few = [f"{label} has {number}" for label, number in counts.items() if number < minimum]
    if few and not force:
        raise NotFittedError(f"{few_of(few)}; wanted {minimum} or more a class: record more, or train with --force")


def false_triggers(recognizer: Recognizer, per_minute: float) -> int:
    """How often the taught `nothing` may be told as a movement for so many a minute, in whole times.

    ConfigError where there is none, or the head is another.
    """
    if recognizer.head.name != MovementHead.name:
        raise ConfigError("--max-false-triggers-per-minute goes with movements and their head: leave --head out")
    labels = recognizer.rows[1][recognizer.one_each]
    seconds = STEP_S * float((labels == ORDINARY).sum())
    if not seconds:
        raise ConfigError(
            f"--max-false-triggers-per-minute needs the class {ORDINARY}: record a minute of ordinary hand motion as "
            f"{ORDINARY}"
        )
    return int(per_minute * seconds / 60)


def movement_cautions(recognizer: Recognizer) -> list[str]:
    """What must be said of movements, a sentence each; nothing of pictures and sounds."""
    if not isinstance(recognizer.embedder, TrackEmbedder):
        return []
    labels = recognizer.rows[1][recognizer.one_each]
    said = []
    few = sorted({str(label) for label in labels if label != ORDINARY and (labels == label).sum() < ASKED_FOR})
    if few:
        said.append(
            f"fewer than {ASKED_FOR} demonstrations of {few_of(few)}: for this person only, and {ASKED_FOR} to "
            "5 are recognized better"
        )
    rows = recognizer.rows[0][recognizer.one_each]
    signs = sorted(set(map(str, labels[are_signs(rows)]))) if recognizer.head.name == MovementHead.name else []
    if len(signs) == 1:
        said.append(f"{signs[0]} is the only sign: it is not reported before there is a second one, e.g. the open hand")
    if ORDINARY not in labels:
        said.append(
            f"no {ORDINARY!r} was recorded: in a stream ordinary motion will cause false alarms; a minute of it as "
            f"class {ORDINARY} matters most"
        )
    return said


def check_found(recognizer: Recognizer, *, force: bool) -> None:
    """Raise NotFittedError where a class shows nothing of what is looked for, and is not the answer to that."""
    _, labels, _ = recognizer.rows
    found, looks_for = recognizer.found, recognizer.looks_for
    if not found.any():
        raise NotFittedError(
            f"there is no {looks_for} in any of the {counted(len(labels), 'example')}: record some that show one"
        )
    nobody = nobody_class(labels, found)
    empty = sorted(str(label) for label in set(labels) - set(labels[found]) if label != nobody)
    if empty and not force:
        raise NotFittedError(
            f"there is no {looks_for} in any example of {few_of(empty)}, and {nobody} means that already: "
            "record others, or train without them by --force"
        )


def train_and_judge(
    profile: Profile, lesson: Lesson, recognizer: Recognizer, beat: Callable[[], None]
) -> tuple[TrainingResult, Evaluation, int]:
    """Learn from all examples, find how well that works, save a new generation: what was learned, how well, its number.

    beat: called now and then. NotFittedError for too little.
    """
    check_enough(recognizer, force=False, minimum=1 if isinstance(recognizer.embedder, TrackEmbedder) else 2)
    lesson.hold(beat)
    learned = lesson.learn(lambda *_: beat())
    names = {session.id: session.name for session in profile.store.sessions()} | lesson.others
    evaluation = recognizer.evaluate(lambda *_: beat(), names)
    recognizer.head.release()
    saved = load_saved(profile)
    listening = saved.meta.get("listening") if saved is not None else None
    return learned, evaluation, save(profile, recognizer, learned, evaluation, listening)


def train_on_lessons(profile: Profile, lesson: Lesson, beat: Callable[[], None]) -> int:
    """Learn from all examples and what other devices gave meanwhile, and save a new generation; its number.

    How well it works is left to `train_and_judge`: this comes with each lesson. NotFittedError for too little,
    ProfileError where the lessons cannot be read; whatever is raised, the recognizer answers as before.
    """
    one = lesson.recognizer
    before = one.head, one.nobody, one.rejector, one.confidence
    try:
        lesson.read_lessons(beat)
        if lesson.without_lessons:  # nobody asked for a training: what was learned of others is not given up for it
            raise ProfileError(f"not {lesson.without_lessons}")
        check_enough(one, force=False, minimum=1)
        learned = lesson.learn(lambda *_: beat())
        one.head.release()
        saved = load_saved(profile)
        return save(profile, one, learned, None, saved.meta.get("listening") if saved is not None else None)
    except BaseException:
        one.head, one.nobody, one.rejector, one.confidence = before
        raise


def save(
    profile: Profile,
    recognizer: Recognizer,
    learned: TrainingResult,
    evaluation: Evaluation | None,
    listening: dict[str, Any] | None = None,
) -> int:
    """Write a new generation with what is known about its accuracy; listening: of words, the threshold."""
    summary = None
    if evaluation is not None:
        headline = evaluation.as_dict()["headline"]
        summary = {"accuracy": headline["accuracy"], "method": headline["method"]}
    more = {} if listening is None else {"listening": listening}
    return profile.save(
        recognizer.save(examples=learned.examples, train_ms=learned.train_ms, evaluation=summary, **more)
    )
