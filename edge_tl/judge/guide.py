"""The teacher's guide: after a take, the one sentence that helps most.

`advise` asks the questions of `QUESTIONS` in their order, which is that of what spoils most and is mended easiest:

1. nothing-found  the way to look found no hand or face in a quarter of the last take
2. wrong-take     the last take looks like another class, while the other takes of its class do not
3. few            classes with too few examples, or with none
4. mislabelled    single examples that look like another class by far
5. overlap        two classes that are taken for each other
6. one-take       classes shown once only, of which nothing can be judged honestly
7. one-spot       takes that hardly differ from each other
8. one-session    everything was taught in one place, on one day
9. elsewhere      classes that only one of several sessions has
10. next          the class that is found least
11. ready         nothing of all this

What is said of accuracy is found by leaving whole takes out, in milliseconds: a ridge head with λ chosen on a part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edge_tl.errors import counted
from edge_tl.judge.evidence import RecordedEvidence
from edge_tl.labels import few_of

MISSED = 0.25
"""The share of a take's frames without a hand or face from which on it is worth a word."""
MIXED = 0.1
"""The share of two classes' frames that are taken for the other class from which on they overlap."""
MOSTLY = 0.7
"""The share of a class that must be found before single examples of it are suspected and not the whole class."""
SURE = 0.8
"""How much likelier another class must be. On sign_digits and cmu_faces (about 360 pictures each) with 3 and 8 labels
swapped, all of the 3 and 6 or more of the 8 are above 0.7, beside 3 to 7 pictures whose labels nobody swapped; above
0.9 are 2 or 3 of the 3 and 4 to 7 of the 8. This is between the two."""
ALIKE = 0.6
"""Takes of a class whose squared distance is less than this share of that between classes come from one spot. Measured
with the shipped model: one simulated player who stays where he is 0.4 to 0.58, other people's hands (sign_digits) 0.77
to 0.97, takes in another place (hands_sessions) 7 to 9."""
NEAR = 0.1
"""Found hands or faces whose centres lie within this share of the picture are in one spot."""
NAMED = 5
"""How many examples, and three fewer classes, a sentence names at most."""


@dataclass(frozen=True)
class Advice:
    """One sentence for the teacher, and what it is about."""

    kind: str
    """As in the list above."""
    text: str
    """One line, without a full stop at its end; names no keys and no commands."""
    labels: tuple[str, ...] = ()
    """The classes it is about."""
    examples: tuple[int, ...] = ()
    """The positions of the examples it is about, the surest first."""


def advise(recorded: RecordedEvidence) -> Advice:
    """The one sentence that helps most."""
    return next(every_advice(recorded))


def every_advice(recorded: RecordedEvidence) -> Iterator[Advice]:
    """All sentences that hold, in the order of the list above; `ready` only where nothing else was said."""
    silent = True
    for question in QUESTIONS:
        advice = question(recorded)
        if advice is not None:
            silent = False
            yield advice
    if silent:
        yield Advice("ready", "enough of every class, and each is recognized in held-out takes")


def nothing_found(of: RecordedEvidence) -> Advice | None:
    """Frames without a hand or face, in the last take (where that is not told, the worst one of a real class)."""
    if not of.looks_for:
        return None
    takes = np.unique(of.takes[np.isin(of.y, of.real)]) if of.take is None else np.array([of.take])
    shares = [of.nothing[of.takes == take].mean() if (of.takes == take).any() else 0.0 for take in takes]
    if not len(shares) or max(shares) < MISSED:
        return None
    rows = np.flatnonzero(of.takes == takes[int(np.argmax(shares))])
    missed, label = rows[of.nothing[rows]], str(of.y[rows[0]])
    said = f"no {of.looks_for} in {len(missed)} of {counted(len(rows), 'frame')} of {label}: "
    if label in of.real:
        return Advice("nothing-found", said + "more light, or come nearer", (label,), positions(missed))
    # Most of this class is empty: perhaps that is what it is for, and then there is nothing to mend.
    if of.number_of_takes(label) > 1:
        return None
    return Advice("nothing-found", said + "it now stands for pictures without one", (label,), positions(missed))


def wrong_take(of: RecordedEvidence) -> Advice | None:
    """A take that looks like another class, while its class is known well from the other takes."""
    if not len(of.answers):
        return None
    y, takes = of.y[of.judged], of.takes[of.judged]
    for take in np.unique(takes)[::-1] if of.take is None else [of.take]:
        rows = np.flatnonzero(takes == take)
        if len(rows) < 3:
            continue
        label = y[rows[0]]
        others = np.flatnonzero((y == label) & (takes != take))
        names, counts = np.unique(of.answers[rows], return_counts=True)
        likely, share = names[counts.argmax()], counts.max() / len(rows)
        if likely == label or share < SURE or not len(others):
            continue
        if (of.answers[others] == label).mean() >= MOSTLY and of.found[str(likely)] >= MOSTLY:
            which = "this take" if of.take is not None else f"take {take}"
            asked = counted(len(rows), "frame") + ("" if of.take is not None else of.looked_at)
            text = f"{counts.max()} of {asked} of {which} of {label} look like {likely}"
            return Advice("wrong-take", text, (str(label), str(likely)), positions(of.judged[rows]))
    return None


def few(of: RecordedEvidence) -> Advice | None:
    """Classes with too few examples, and the second class where there is none."""
    names = dict.fromkeys([*of.labels, *map(str, np.unique(of.y))])
    missing = {name: of.fewer.get(name, of.minimum) - int((of.y == name).sum()) for name in names}
    missing = {name: number for name, number in missing.items() if number > 0}
    if missing:
        wanted = few_of([f"{number} more of {name}" for name, number in missing.items()])
        return Advice("few", f"still needed: {wanted}", tuple(missing))
    if len(names) < 2:
        return Advice("few", "record a second class: with one there is nothing to distinguish", tuple(names))
    return None


def mislabelled(of: RecordedEvidence) -> Advice | None:
    """Examples of a class that is known well which look like another, also known well, by far."""
    classes, proba = of.held_out
    if not len(classes):
        return None
    y = of.y[of.judged]
    own = proba[np.arange(len(y)), np.searchsorted(classes, y)]
    best = proba.argmax(axis=1)
    known = np.array([of.found[str(name)] >= MOSTLY for name in classes])
    margin = np.where(known[np.searchsorted(classes, y)] & known[best], proba.max(axis=1) - own, 0.0)
    order = np.argsort(-margin, kind="stable")
    order = order[margin[order] >= SURE]
    if not len(order):
        return None
    pairs = [(str(y[i]), str(classes[best[i]])) for i in order]
    label, likely = max(dict.fromkeys(pairs), key=pairs.count)
    number = pairs.count((label, likely))
    text = f"{counted(number, 'example')} of {label} {'look' if number > 1 else 'looks'} like {likely}"
    if len(order) > number:
        text += f", and {len(order) - number} of other classes are unusual too"
    rows = sorted(order, key=lambda i: (y[i], classes[best[i]]) != (label, likely))  # stable: the surest first
    return Advice("mislabelled", text, (label, likely), positions(of.judged[rows]))


def overlap(of: RecordedEvidence) -> Advice | None:
    """The two classes that are taken for each other most."""
    counts = of.counts
    mixed = counts + counts.T
    total = counts.sum(axis=1)[:, None] + counts.sum(axis=1)[None, :]
    share = np.triu(mixed / np.maximum(total, 1), 1)
    share[mixed < 3] = 0
    if not share.size or share.max() < MIXED:
        return None
    a, b = np.unravel_index(int(share.argmax()), share.shape)
    pair = str(of.held_out[0][a]), str(of.held_out[0][b])
    y = of.y[of.judged]
    wrong = ((y == pair[0]) & (of.answers == pair[1])) | ((y == pair[1]) & (of.answers == pair[0]))
    text = (
        f"{pair[0]} and {pair[1]} are confused in {mixed[a, b]} of {total[a, b]}{of.looked_at}: "
        "show them more differently, or from a smaller distance"
    )
    return Advice("overlap", text, pair, positions(of.judged[wrong]))


def one_take(of: RecordedEvidence) -> Advice | None:
    """Classes that were shown once."""
    once = [str(name) for name in np.unique(of.y) if of.number_of_takes(name) == 1]
    if not once:
        return None
    return Advice("one-take", f"a second take of {named(once)} from another place makes it more reliable", tuple(once))


def one_spot(of: RecordedEvidence) -> Advice | None:
    """Classes whose takes hardly differ: by where something was found, or, of whole pictures, by their embeddings."""
    if of.looks_for:
        same = [name for name in of.real if of.spots is not None and stays(of, name)]
    else:
        # Of a kind of example that fewer are wanted of, background noise, one place is what there is.
        same = [name for name, ratio in of.likeness.items() if ratio < ALIKE and name not in of.fewer]
    if not same:
        return None
    text = f"the takes of {named(same)} are from the same place: move, turn and come nearer for the next"
    return Advice("one-spot", text, tuple(map(str, same)))


def one_session(of: RecordedEvidence) -> Advice | None:
    """Everything in one place and on one day."""
    if of.sessions is None or len(np.unique(of.sessions)) != 1:
        return None
    return Advice(
        "one-session",
        "everything was recorded in one place: a second short take of each class in another place helps most",
    )


def elsewhere(of: RecordedEvidence) -> Advice | None:
    """Classes that one of several sessions has: how they do on another day cannot be told, and the place may decide."""
    if of.sessions is None or len(np.unique(of.sessions)) < 2:
        return None
    once = tuple(str(name) for name in of.real if len(np.unique(of.sessions[of.y == name])) == 1)
    if not once:
        return None
    text = (
        f"{named(once)}: recorded in only one session; record a short take elsewhere too, or the head learns the place"
    )
    return Advice("elsewhere", text, once)


def weakest(of: RecordedEvidence) -> Advice | None:
    """The class that is found least, where that is worth another take."""
    if not of.found:
        return None
    label = min(of.found, key=lambda name: of.found[name])
    if of.found[label] >= 1 - MIXED / 2:
        return None
    text = f"record {label} next: {of.found[label]:.0%} of it is recognized in held-out takes"
    return Advice("next", text, (label,))


QUESTIONS: tuple[Callable[[RecordedEvidence], Advice | None], ...] = (
    nothing_found,
    wrong_take,
    few,
    mislabelled,
    overlap,
    one_take,
    one_spot,
    one_session,
    elsewhere,
    weakest,
)
"""In the order in which they are asked."""


def stays(of: RecordedEvidence, label: str) -> bool:
    """Whether the centres of what was found in the takes of a class, two or more, are near each other."""
    assert of.spots is not None
    known = np.isfinite(of.spots).all(axis=1) & (of.y == label)
    takes = np.unique(of.takes[known])
    middles = np.array([of.spots[known & (of.takes == take)].mean(axis=0) for take in takes])
    return len(takes) > 1 and bool((np.ptp(middles, axis=0) < NEAR).all())


def named(labels: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    return few_of(labels, NAMED - 2)


def positions(rows: np.ndarray) -> tuple[int, ...]:
    """Plain whole numbers."""
    return tuple(int(row) for row in rows)
