"""Why was it wrong? For one wrong or refused answer: the nearest taught examples, and the likely causes, each measured.

A cause is said only where its own test holds; the likeliest comes first. Of `CAUSES`

nobody    what is looked for was not found
light     darker, lighter, flatter or harsher than the nearest taught pictures
grain     noisier than these, as cameras are in the dark
unsharp   less sharp than these
turn, distance, spot, mirrored
          undone, the picture is much nearer to its class, and nothing else that is undone does that
chance    a near miss: copies that are a little moved, turned or enlarged are named rightly
label     what it was taken for was taught by an example that itself looks like another class
thin      its class has fewer examples, or takes, than is enough
sessions  it is far from all that was taught, and its class was taught in one place and on one day
place     it is far from all that was taught, another place or person; or other classes were taught like it, and its own
          was not
between   two classes are nearly as likely as each other
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edge_tl.core.features import unit_rows
from edge_tl.errors import counted
from edge_tl.judge.evidence import RecordedEvidence
from edge_tl.labels import OTHER

CAUSES = (
    "nobody",
    "light",
    "grain",
    "unsharp",
    "turn",
    "distance",
    "spot",
    "mirrored",
    "chance",
    "label",
    "thin",
    "sessions",
    "place",
    "between",
)
"""All that there are."""
SAME = 1 - 1e-6
"""An example that is so like the picture is the picture itself, which says nothing: what was marked is asked again."""
NEAREST = 3
"""So many taught examples are shown."""
MEASURES = ("light", "contrast", "grain", "sharp")
"""What is measured of a picture, as logarithms (`media/picture_measures.py`)."""
MAX_DISTANCE, MIN_DISTANCE = 1.0, 0.02
"""Distances of unit rows count as no more and no less than this."""
BEYOND = np.array((0.25, 0.3, 0.7, 0.3))
"""How far from the nearest taught pictures each must lie to be a cause: logarithms, so that .25 is a quarter more."""
SPREADS = 1.5
"""And at least so many standard deviations of theirs."""
BACK = 0.2
"""What is undone must bring a picture nearer to its class by this, in logarithms of the distance, to be a cause."""
MAX_STRENGTH = 3.0
"""More than this no repair proves: a hand that is found again is as near as any."""
FOUND_BY_ITSELF = 0.7
"""What a repair proves where a hand or a face is looked for, which is found wherever it is and however it is turned:
so much of what it proves of a whole picture."""
OTHERS = 0.25
"""Where so large a share of the other repairs does half as much, none of them says what happened."""
WOBBLES = 0.25
"""Where so large a share of all repairs is named rightly, it was chance."""
FAR = 0.95
"""A picture is far from all that was taught where it is further than this share of the taught examples are from those
of other takes."""
MUCH_FURTHER = 1.3
"""A class was not taught like this where its nearest example is so many times as far as that of another class."""
DOUBTFUL = 0.5
"""How much likelier another class must be for a taught example, of which its take knows nothing, to have a doubtful
label."""
ALMOST = 0.25
"""Two classes are nearly as likely as each other where the second is at most this much less likely."""


@dataclass(frozen=True)
class Neighbour:
    """A taught example that is near."""

    index: int
    """Its position among the taught."""
    label: str
    likeness: float
    """The cosine of both rows, 1 for the same."""


@dataclass(frozen=True)
class Cause:
    """A likely cause, with what was measured."""

    kind: str
    """One of `CAUSES`."""
    text: str
    """One line, without a full stop at its end; names no keys and no commands."""
    strength: float
    """How far its test is passed; 1 is just so."""


@dataclass(frozen=True)
class TriedRepair:
    """What became of the picture with one thing undone."""

    kind: str
    """As in `media/repairs.py`, as is the amount."""
    amount: float
    row: np.ndarray | None
    """(F,) as the head sees it then; None where nothing was found."""
    label: str | None
    """What is answered then; None for none of these."""


@dataclass(frozen=True)
class AskedExample:
    """What was asked and what came of it."""

    row: np.ndarray | None
    """(F,) as the head sees it; None where nothing was found."""
    chances: dict[str, float]
    """Label → probability."""
    answer: str | None
    """What was answered; None for none of these."""
    was: str | None = None
    """What a person says that it was; None where nobody said so."""
    measures: np.ndarray | None = None
    """(4,) `MEASURES`; None of sounds."""
    usual: np.ndarray | None = None
    """(M, 4) those of the nearest taught pictures; None where none was kept."""
    tried: Sequence[TriedRepair] = ()
    """With one thing undone each."""

    @property
    def wanted(self) -> str | None:
        """The class that it should be: as a person says, or what was answered, or the likeliest."""
        return self.was or self.answer or max(self.chances, key=lambda label: self.chances[label], default=None)


@dataclass(frozen=True)
class Explanation:
    """Why an answer was wrong or refused."""

    nearest: tuple[Neighbour, ...]
    """The taught examples that it is most like, the nearest first; none where nothing was found."""
    right: Neighbour | None
    """The nearest one of the class that it was, where a person said so and it has any."""
    causes: tuple[Cause, ...]
    """The likeliest first; may be empty: then nothing that is measured says why."""


class TaughtExamples:
    """What was taught, as it is held against what is asked; what is found out of it is found out once.

    recorded: one row an example.
    """

    def __init__(self, recorded: RecordedEvidence) -> None:
        self.recorded = recorded

    @cached_property
    def unit(self) -> np.ndarray:
        """(N, F) rows of unit length; zeros where nothing was found."""
        return unit_rows(self.recorded.X.astype(np.float32, copy=False))

    @cached_property
    def distances(self) -> np.ndarray:
        """(N,) how far each taught example is from the nearest of another take; NaN where nothing was found, or there
        is none."""
        of, out = self.recorded, np.full(len(self.recorded.y), np.nan)
        rows = np.flatnonzero(~of.nothing)
        for take in np.unique(of.takes[rows]):
            mine, others = rows[of.takes[rows] == take], rows[of.takes[rows] != take]
            if len(others):
                out[mine] = apart((self.unit[mine] @ self.unit[others].T).max(axis=1))
        return out

    @cached_property
    def far(self) -> float:
        """The distance from which on a picture is far from all that was taught; infinite where nobody can tell."""
        known = self.distances[np.isfinite(self.distances)]
        return float(np.quantile(known, FAR)) if len(known) else float("inf")

    @cached_property
    def margins(self) -> np.ndarray:
        """(N,) how much likelier another class is for each example, by a head without its take; 0 where none is."""
        of, out = self.recorded, np.zeros(len(self.recorded.y))
        classes, proba = of.held_out
        if len(classes):
            own = proba[np.arange(len(proba)), np.searchsorted(classes, of.y[of.judged])]
            out[of.judged] = np.maximum(proba.max(axis=1) - own, 0)
        return out

    def nearest(self, row: np.ndarray, label: str | None = None, count: int = NEAREST) -> list[Neighbour]:
        """The taught examples, of one class or of all, that a row (F,) is most like, the nearest first."""
        of = self.recorded
        rows = np.flatnonzero(~of.nothing if label is None else ~of.nothing & (of.y == label))
        alike = self.unit[rows] @ unit_rows(row[np.newaxis].astype(np.float32))[0]
        rows, alike = rows[alike <= SAME], alike[alike <= SAME]
        some = np.argsort(-alike, kind="stable")[:count]
        return [Neighbour(int(rows[i]), str(of.y[rows[i]]), float(alike[i])) for i in some]

    def away(self, row: np.ndarray, label: str | None = None) -> float:
        """How far a row (F,) is from the nearest taught one, of one class or of all; infinite where there is none."""
        near = self.nearest(row, label, 1)
        return float(apart(np.array(near[0].likeness))) if near else float("inf")


def explain(of: TaughtExamples, asked: AskedExample) -> Explanation:
    """Why an answer was wrong or refused; of a right one only what it is near to."""
    if asked.was is not None and asked.answer == asked.was:
        return Explanation(tuple([] if asked.row is None else of.nearest(asked.row)), None, ())
    near = [] if asked.row is None else of.nearest(asked.row)
    right = [] if asked.row is None or asked.was is None else of.nearest(asked.row, asked.was, 1)
    seen = sorted([*of_light(asked), *undone(of, asked)], key=lambda one: -one.strength)
    told = [*seen, *nobody(of, asked), *wobbles(asked), *label(of, asked, near), *thin(of, asked)]
    told += (taught_as_others(of, asked, near) or far_away(of, asked)) + between(asked)
    return Explanation(tuple(near), right[0] if right else None, tuple(told))


def of_light(asked: AskedExample) -> list[Cause]:
    """What of light, grain and sharpness lies far from the nearest taught pictures."""
    if asked.measures is None or asked.usual is None or not len(asked.usual):
        return []
    middle, spread = asked.usual.mean(axis=0), asked.usual.std(axis=0)
    away = (asked.measures - middle) / np.maximum(BEYOND, SPREADS * spread)
    now, then, found = np.exp(asked.measures), np.exp(middle), []
    if abs(away[0]) >= max(1.0, abs(away[1])):
        how = "darker" if away[0] < 0 else "lighter"
        text = f"{how} than what was taught: mean grey {now[0]:.0f}, taught {then[0]:.0f}"
        found.append(Cause("light", text, float(abs(away[0]))))
    elif abs(away[1]) >= 1:
        how = "flatter" if away[1] < 0 else "harsher"
        text = f"{how} light than in what was taught: contrast {now[1]:.0f}, taught {then[1]:.0f}"
        found.append(Cause("light", text, float(abs(away[1]))))
    if away[2] >= 1:
        text = f"noisier than what was taught, as in the dark: grain {now[2]:.1f}, taught {then[2]:.1f}"
        found.append(Cause("grain", text, float(away[2])))
    elif away[3] <= -1:
        text = f"less sharp than what was taught: {now[3]:.0f}, taught {then[3]:.0f}"
        found.append(Cause("unsharp", text, float(-away[3])))
    return found


def undone(of: TaughtExamples, asked: AskedExample) -> list[Cause]:
    """What, undone, brings the picture nearer to its class: of each kind the amount that does so best."""
    wanted = asked.wanted
    tried = [one.row for one in asked.tried]
    # A picture that is taught already is no distance away, and of a class that nobody else taught everything is far.
    now, *then = (
        MAX_DISTANCE if row is None else float(np.clip(of.away(row, wanted), MIN_DISTANCE, MAX_DISTANCE))
        for row in (asked.row, *tried)
    )
    gains = np.array([-np.inf if row is None else np.log(now / to) for row, to in zip(tried, then, strict=True)])
    proves = FOUND_BY_ITSELF if of.recorded.looks_for else 1.0
    kinds = np.array([one.kind for one in asked.tried])
    found = []
    for kind in dict.fromkeys(kinds.tolist()):
        mine, others = np.flatnonzero(kinds == kind), gains[kinds != kind]
        best = mine[gains[mine].argmax()]
        if gains[best] < BACK:
            continue
        share = float(np.mean(others >= gains[best] / 2)) if len(others) else 0.0
        strength = min(gains[best] / BACK, MAX_STRENGTH) * (1 - share / OTHERS) * proves
        if strength >= 1:
            found.append(Cause(kind, undone_text(asked.tried[best]), float(strength)))
    return found


def undone_text(one: TriedRepair) -> str:
    """What a repair says of the picture."""
    if one.kind == "turn":
        return f"turned: turned by {one.amount:+.0f}° it is like what was taught"
    if one.kind == "distance":
        how = "further away" if one.amount > 1 else "nearer"
        times = one.amount if one.amount > 1 else 1 / one.amount
        return (
            f"{how} than what was taught: {times:.1f} times as {'large' if one.amount > 1 else 'small'} it is like it"
        )
    if one.kind == "spot":
        return f"elsewhere in the picture: moved by {one.amount:.0%} of it, it is like what was taught"
    return "the other way round: as in a mirror it is like what was taught"


def wobbles(asked: AskedExample) -> list[Cause]:
    """It is not named so, and looked at a little differently it is."""
    if asked.answer == asked.wanted:
        return []
    right = sum(1 for one in asked.tried if one.label is not None and one.label == asked.wanted)
    if not asked.tried or right / len(asked.tried) < WOBBLES:
        return []
    how = f"{right} of {len(asked.tried)} copies of it, moved, turned or enlarged, are"
    text = f"a near miss: {how} {asked.wanted}"
    return [Cause("chance", text, right / len(asked.tried) / WOBBLES)]


def nobody(of: TaughtExamples, asked: AskedExample) -> list[Cause]:
    """Nothing was found."""
    if asked.row is not None:
        return []
    return [Cause("nobody", f"no {of.recorded.looks_for or 'thing that is looked for'} was found in it", 1.0)]


def label(of: TaughtExamples, asked: AskedExample, near: Sequence[Neighbour]) -> list[Cause]:
    """An example that it was taken for has a doubtful label."""
    taken = max(asked.chances, key=lambda name: asked.chances[name], default=None)
    if asked.was is None or taken == asked.was:
        return []
    doubted = [one for one in near if one.label == taken and of.margins[one.index] >= DOUBTFUL]
    if not doubted:
        return []
    worst = max(doubted, key=lambda one: of.margins[one.index])
    strength = float(of.margins[worst.index]) / DOUBTFUL
    return [Cause("label", f"the label of a near example is doubtful: it was taught as {taken}", strength)]


def thin(of: TaughtExamples, asked: AskedExample) -> list[Cause]:
    """Its class has too few examples, or one take."""
    wanted = asked.wanted
    if wanted is None or wanted == OTHER:  # what is made of the world's sound is no class that anybody records
        return []
    recorded = of.recorded
    count, takes = int((recorded.y == wanted).sum()), recorded.number_of_takes(wanted)
    enough = recorded.fewer.get(wanted, recorded.minimum)
    if count < enough:
        text = f"{wanted} has {counted(count, 'example')} where {enough} are enough"
        return [Cause("thin", text, enough / max(count, 1))]
    if takes == 1:
        return [Cause("thin", f"all examples of {wanted} are of one take", 1.0)]
    return []


def far_away(of: TaughtExamples, asked: AskedExample) -> list[Cause]:
    """It is unlike everything that was taught."""
    if asked.row is None or np.isinf(of.far):
        return []
    now, far = of.away(asked.row), max(MIN_DISTANCE, of.far)
    if now <= far:
        return []
    wanted, sessions = asked.wanted, of.recorded.sessions
    how = f"{now / far:.1f} times as far from all that was taught as its takes lie apart"
    known = 0 if sessions is None or wanted is None else len(np.unique(sessions[of.recorded.y == wanted]))
    if known == 1:
        return [Cause("sessions", f"{wanted} was taught in one place, and this is another: {how}", now / far)]
    return [Cause("place", f"another place, or another person: {how}", now / far)]


def taught_as_others(of: TaughtExamples, asked: AskedExample, near: Sequence[Neighbour]) -> list[Cause]:
    """Other classes were taught like this, and its own was not."""
    if asked.row is None or asked.was is None or not near or near[0].label == asked.was:
        return []
    own, other = of.away(asked.row, asked.was), max(MIN_DISTANCE, of.away(asked.row))
    if np.isinf(own) or own / other < MUCH_FURTHER:
        return []
    how = f"the nearest {asked.was} is {own / other:.1f} times as far as the nearest {near[0].label}"
    return [Cause("place", f"{asked.was} was not taught like this, and {near[0].label} was: {how}", own / other)]


def between(asked: AskedExample) -> list[Cause]:
    """Two classes are nearly as likely."""
    order = sorted(asked.chances, key=lambda name: -asked.chances[name])
    if asked.row is None or len(order) < 2:
        return []
    first, second = order[:2]
    less = 1 - asked.chances[second] / max(asked.chances[first], 1e-9)
    if less > ALMOST:
        return []
    text = f"between {first} ({asked.chances[first]:.0%}) and {second} ({asked.chances[second]:.0%})"
    return [Cause("between", text, 1 + ALMOST - less)]


def apart(likeness: np.ndarray) -> np.ndarray:
    """Distances of unit rows with these cosines."""
    return np.sqrt(np.maximum(2 - 2 * np.asarray(likeness, np.float64), 0))
