"""What the report says, gathered from a profile: numbers and pictures, no HTML."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from device.assembly import trained_head
from device.cli.output import warn
from device.report.mistakes import ShownMistake, shown, worst
from device.report.pictures import Thumbnail, make_thumbnail, spread_over
from device.teach.lesson import ENOUGH, ENOUGH_NOISE
from device.teach.movement_guide import advised
from device.teach.score import rejection_off
from device.teach.training import teach_all
from edge_tl.core.answers import SavedHead
from edge_tl.embedders.embedder import Embedder
from edge_tl.errors import NotFittedError, ShapeError
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.ridge import RidgeHead, many
from edge_tl.judge.calibration import Reliability, reliability
from edge_tl.judge.evaluation import Evaluation
from edge_tl.judge.evidence import RecordedEvidence
from edge_tl.judge.guide import Advice, every_advice
from edge_tl.judge.learning_curve import Point, learning_curve
from edge_tl.judge.projection import Plane, principal_plane
from edge_tl.judge.validation import leave_one_session_out, leave_one_take_out
from edge_tl.labels import NOISE
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile

PICTURES_OF_A_CLASS = 6
MAX_PICTURES = 120
CURVE_ROWS = 800
"""Of so many examples, of all takes, the learning curve is of a large set: 48 heads are fitted for it."""
MAX_POINTS = 1500
"""With these a page has at most about 2 MB."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Which profile, and what it was made with."""

    profile: str
    data_dir: Path
    """Where its profiles lie."""
    date: str
    embedder: Embedder
    head: str
    saved: SavedHead | None
    generation: tuple[int, float | None] | None
    """Number and time (seconds since 1970) of what was trained last."""
    versions: Mapping[str, str]


def provenance(profile: Profile, name: str, embedder: Embedder, head: str | None, date: str) -> Provenance:
    """What is known of a profile without asking it; head: the one that is judged, None for the one that was saved."""
    saved = profile.load()
    newest = next((one for one in profile.generations() if one.ok and not one.rolled_back), None)
    return Provenance(
        profile=name,
        data_dir=profile.folder.absolute().parents[1],
        date=date,
        embedder=embedder,
        head=head or trained_head(saved, embedder),
        saved=saved,
        generation=None if newest is None else (newest.number, newest.time_s),
        versions={"Python": platform.python_version(), "NumPy": np.__version__},
    )


@dataclass(frozen=True, kw_only=True)
class Contents(Provenance):
    """Everything that the page shows."""

    ids: np.ndarray
    """(N,) numbers of the examples."""
    recorded: RecordedEvidence
    counts: Mapping[str, tuple[int, int]]
    """Label → examples and takes, empty classes included."""
    sessions: tuple[tuple[int, str], ...]
    """Number and title of each session."""
    advice: tuple[Advice, ...]
    missing: str
    """Why nothing could be judged; empty where it was."""
    evaluation: Evaluation | None = None
    calibration: Reliability | None = None
    curve: tuple[Point, ...] = ()
    curve_thinned: bool = False
    """Whether not all examples of the takes were taught for it."""
    plane: Plane | None = None
    mapped: np.ndarray = field(default_factory=lambda: np.empty(0, int))
    """Positions of the examples on the plane."""
    rejection_off: str = ""
    """For what "none of these" is off, as in `Rejector.off`."""
    pictures: Mapping[str, tuple[Thumbnail, ...]] = field(default_factory=dict)
    suspects: tuple[Thumbnail | None, ...] = ()
    """One for each of the evaluation's suspects."""
    mistakes: tuple[ShownMistake, ...] = ()
    """The worst on what was left out."""


def gather(profile: Profile, made: Provenance, progress: Callable[[int, int], object]) -> Contents:
    """Look at everything; NotFittedError where nothing was recorded."""
    embedder, store = made.embedder, profile.store
    recognizer = Recognizer(embedder, made.head)
    with store.snapshot():
        examples = teach_all(profile, recognizer)
        counts = {label: (count.examples, count.takes) for label, count in store.counts().items()}
        sessions = store.sessions()
    if examples.without_lessons:
        warn(examples.without_lessons)
    if not len(examples.y):
        raise NotFittedError("nothing was recorded yet: run `edge-tl teach`, or `edge-tl examples import FOLDER`")
    recognizer.adopt(made.saved)
    one_each = recognizer.one_each
    X, y, takes = (part[one_each] for part in recognizer.rows)
    gram = recognizer.gram
    recorded = RecordedEvidence(
        X,
        y,
        takes,
        examples.sessions,
        gram=None if gram is None else gram[one_each, one_each],
        labels=tuple(dict.fromkeys((*counts, *map(str, y)))),
        minimum=ENOUGH[embedder.kind],
        fewer={NOISE: ENOUGH_NOISE},
        looks_for=recognizer.looks_for,
        finds=recognizer.found[one_each],
    )
    judged = judge(recognizer, recorded, {one.id: one.name for one in sessions}, progress)
    wrong, groups = judged.pop("wrong", []), judged.pop("groups", recorded.takes)
    evaluation = judged.get("evaluation")
    return Contents(
        **vars(made),
        ids=examples.ids,
        recorded=recorded,
        counts=counts,
        sessions=tuple((one.id, one.title) for one in sessions),
        advice=tuple(every_advice(recorded)) if embedder.kind != "movement" else (advised(store.counts(), evaluation),),
        pictures=example_pictures(profile, examples.ids, recorded, embedder),
        suspects=tuple(
            make_thumbnail(store, int(examples.ids[suspect.index]), embedder)
            for suspect in (evaluation.suspects if evaluation else ())
        ),
        mistakes=() if embedder.kind == "movement" else shown(profile, recognizer, wrong, groups, examples.ids),
        **judged,
    )


def judge(
    recognizer: Recognizer, recorded: RecordedEvidence, names: Mapping[int, str], progress: Callable[[int, int], object]
) -> dict[str, Any]:
    """What can be said of the head on examples that it had not seen, and why not where it cannot."""
    some = recorded.able if len(recorded.able) else np.arange(len(recorded.y))
    mapped = some
    if len(some) > MAX_POINTS:
        mapped = some[np.linspace(0, len(some) - 1, MAX_POINTS).astype(int)]
    plane = {"plane": principal_plane(recorded.X[mapped]), "mapped": mapped}
    try:
        recognizer.learn()
        evaluation = recognizer.evaluate(progress, names)
    except (ShapeError, NotFittedError) as error:
        return {"missing": str(error), **plane}

    def new_head() -> Any:
        return recognizer.new_head()

    head, fitted = recognizer.head, None
    if isinstance(head, RidgeHead) and head.knows(recorded.X, recorded.y, recorded.takes):
        fitted = head  # of very many examples, and all of them: nothing is trained again
    elif many(recorded.X) and len(recorded.judged):
        some = recorded.judged
    X, y, takes = recorded.X[some], recorded.y[some], recorded.takes[some]
    if len(np.unique(y)) < 2:
        return {"missing": "only one class has examples that can be judged", "evaluation": evaluation, **plane}
    if evaluation.headline.kind == "session":
        assert recorded.sessions is not None
        groups, sessions = recorded.sessions, recorded.sessions[some]
        held_out = leave_one_session_out(new_head, X, y, sessions, takes, progress=progress, fitted=fitted)
    else:
        groups = recorded.takes
        held_out = leave_one_take_out(new_head, X, y, takes, progress=progress, fitted=fitted)
    head.release()
    few = TaughtRows(X[:0], y, takes).part(CURVE_ROWS if many(X) else len(y))
    rows = held_out.judged
    return {
        "missing": "",
        "evaluation": evaluation,
        "calibration": reliability(held_out.proba[rows].max(axis=1), (held_out.y_true == held_out.y_pred)[rows]),
        "curve": learning_curve(new_head, X[few], y[few], takes[few]),
        "curve_thinned": len(few) < len(y),
        # Takes below 0 are of other devices: there is neither a picture nor a number of them here.
        "wrong": worst(
            held_out, some, (recognizer.aside.rows(recorded.takes) | (recorded.takes < 0))[some], groups[some]
        ),
        "groups": groups,
        "rejection_off": rejection_off(recognizer),
        **plane,
    }


def example_pictures(
    profile: Profile, ids: np.ndarray, recorded: RecordedEvidence, embedder: Embedder
) -> dict[str, tuple[Thumbnail, ...]]:
    """A few pictures of each class, from as many takes as possible."""
    labels = [str(label) for label in np.unique(recorded.y)]
    each = max(1, min(PICTURES_OF_A_CLASS, MAX_PICTURES // len(labels)))
    out = {}
    for label in labels[:MAX_PICTURES]:
        rows = spread_over(np.flatnonzero(recorded.y == label), recorded.takes, each)
        made = (make_thumbnail(profile.store, int(ids[row]), embedder) for row in rows)
        out[label] = tuple(one for one in made if one is not None)
    return out
