"""Numbers that say how well labels and boxes were found: accuracy, confusion, recall, intervals, ROC, suspects, IoU."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, pi, sin, sqrt

import numpy as np

from edge_tl.errors import ShapeError, counted
from edge_tl.labels import label_texts


@dataclass(frozen=True)
class Suspect:
    """An example whose label is probably a mistake."""

    index: int
    """Its position among the examples that were judged."""
    label: str
    """What it is labelled."""
    likely: str
    """What it looks like."""
    margin: float
    """Probability of `likely` less that of `label`, in (0, 1]."""


def accuracy(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """The share of equal labels of two arrays (N,), of any kind; NaN for none; ShapeError where the lengths differ."""
    y_true, y_pred = same_length(y_true, y_pred)
    return float(np.mean(y_true == y_pred)) if len(y_true) else float("nan")


def confusion(y_true: np.ndarray, y_pred: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Counts int64 (C, C): row = true class, column = predicted class, in the order of `classes`.

    Labels of any kind; one that is not among `classes` raises ShapeError.
    """
    y_true, y_pred = same_length(y_true, y_pred)
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (places(y_true, classes), places(y_pred, classes)), 1)
    return counts


def places(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """int64 (N,): where each label stands among `classes` (C,), both of any kind; ShapeError for one that is none."""
    names = label_texts(classes).tolist()
    place = {name: i for i, name in enumerate(names)}
    try:
        return np.array([place[label] for label in label_texts(labels).tolist()], np.int64)
    except KeyError as error:
        raise ShapeError(f"label {error} is not among the classes {', '.join(names)}") from None


def recall(counts: np.ndarray) -> np.ndarray:
    """The share found of each true class, float64 (C,), of a confusion matrix (C, C); NaN for a class never shown."""
    shown = counts.sum(axis=1)
    return np.divide(np.diag(counts), shown, out=np.full(len(counts), np.nan), where=shown > 0)


def wilson_interval(right: float, n: float, z: float = 1.959963984540054) -> tuple[float, float]:
    """The interval that holds a proportion with 95 % confidence (z = 1.96), after `right` of n independent trials.

    Wilson, JASA 22 (1927) 209. n may be a fraction: an effective number of trials. (0, 1) for n = 0.
    """
    if n <= 0:
        return 0.0, 1.0
    p = right / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


SPREAD, SPREAD_COUNTS = 0.3, 6
"""How far groups lie apart before any is known, as an angle (`grouped_interval`), and as many groups this counts for.
Chosen on every other person of cmu_faces and sign_digits, 2 to 8 of them taught and the others asked: of .15 to .35
and 1 to 6 the narrowest whose intervals hold what the others get in 95 of 100 draws and more at every count. In
`prove intervals` they hold it in 96 of 100, on the other half in 94 (83 with eight people, 96 with fewer). An effective
size by Korn and Graubard in Wilson's interval, which came before, held it in 82 (69) and was wider."""


def grouped_interval(right: np.ndarray, groups: np.ndarray) -> tuple[tuple[float, float], float]:
    """Where a share lies with 95 % confidence on other groups like these, and how many independent trials tell as much.

    right: bool (N,); groups: int (N,), the session or the take of each trial. Student's interval of the angles
    arcsin √share, whose spread hardly depends on the share (Anscombe, Biometrika 35 (1948) 246), between the groups;
    to what they show of that spread comes what is expected of it, `SPREAD`. Never narrower than that of N independent
    trials. (0, 1) and 0 for N = 0.
    """
    right = np.asarray(right, np.float64)
    n = len(right)
    if not n:
        return (0.0, 1.0), 0.0
    place = np.unique(groups, return_inverse=True)[1].reshape(-1)
    sizes = np.bincount(place)
    shares = (np.bincount(place, right) + 0.5) / (sizes + 1)
    weights, degrees = sizes / n, len(sizes) - 1
    middle = asin(sqrt((right.sum() + 0.5) / (n + 1)))
    apart = len(sizes) * float(weights @ (np.arcsin(np.sqrt(shares)) - middle) ** 2)
    spread = (SPREAD_COUNTS * SPREAD**2 + apart) / (SPREAD_COUNTS + degrees)
    variance = max(spread * float(weights @ weights), 1 / (4 * (n + 1)))
    half = t_quantile(SPREAD_COUNTS + degrees) * sqrt(variance)
    low, high = sin(max(0.0, middle - half)) ** 2, sin(min(pi / 2, middle + half)) ** 2
    share = float(right.mean())
    return (min(low, share), max(high, share)), min(float(n), 1 / (4 * variance))


def t_quantile(degrees: int) -> float:
    """The 97.5 % point of Student's t, within 0.1 % (exact for 1 and 2; then the Cornish-Fisher series)."""
    if degrees < 3:
        return {1: 12.706204736174698, 2: 4.302652729749462}[degrees]
    z = 1.959963984540054
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / degrees ** (i + 1) for i, term in enumerate(terms))


@dataclass(frozen=True)
class Roc:
    """What a detector gains and costs at each threshold; `positive` are the strangers it should find."""

    false_rate: np.ndarray
    """Share of the known taken for strangers, ascending from 0 to 1."""
    true_rate: np.ndarray
    """Share of the strangers found, ascending from 0 to 1."""
    threshold: np.ndarray
    """A stranger is what scores at or above this; descending from infinity."""
    area: float
    """Under the curve: 1 is perfect, 0.5 is chance."""

    def true_rate_at(self, false_rate: float) -> float:
        """The largest share of strangers found while at most `false_rate` of the known are lost."""
        return float(self.true_rate[self.false_rate <= false_rate + 1e-12].max())


def roc(known: np.ndarray, strange: np.ndarray) -> Roc:
    """The curve of a score that is larger for strangers; scores of the known (N,) and of the strangers (M,)."""
    known, strange = np.asarray(known, np.float64).ravel(), np.asarray(strange, np.float64).ravel()
    if not len(known) or not len(strange):
        raise ShapeError(f"{len(known)} known and {counted(len(strange), 'strange score')} came; wanted some of each")
    scores = np.concatenate([known, strange])
    is_strange = np.arange(len(scores)) >= len(known)
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    true_rate = np.append(0, np.cumsum(is_strange[order])[last]) / len(strange)
    false_rate = np.append(0, np.cumsum(~is_strange[order])[last]) / len(known)
    area = float(np.sum(np.diff(false_rate) * (true_rate[1:] + true_rate[:-1]) / 2))
    return Roc(false_rate, true_rate, np.append(np.inf, scores[order][last]), area)


def suspects(y_true: np.ndarray, proba: np.ndarray, classes: np.ndarray, limit: int = 10) -> list[Suspect]:
    """The examples most likely mislabelled, the largest margin first, at most `limit`.

    proba: (N, C) probabilities of each example by a head that did not see it; a row of NaN was not judged. ShapeError
    for a label that is not among `classes`.
    """
    place = places(y_true, classes)
    rows = np.arange(len(place))
    judged = np.isfinite(proba).all(axis=1)
    likely = np.where(judged, np.nan_to_num(proba).argmax(axis=1), place)
    margin = np.where(likely != place, proba[rows, likely] - proba[rows, place], 0.0)
    order = np.argsort(-margin, kind="stable")[:limit]
    return [
        Suspect(int(i), str(classes[place[i]]), str(classes[likely[i]]), float(margin[i]))
        for i in order
        if margin[i] > 0
    ]


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of the boxes of each row, float64 (N,), 0 (apart) to 1 (the same).

    a, b: float (N, 4), left, top, right, bottom in the same unit. A box whose right is not beyond its left, or whose
    bottom is not below its top, holds nothing: its IoU is 0, as is that of a box that is not finite.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 2 or a.shape[1] != 4 or a.shape != b.shape:
        raise ShapeError(f"boxes of shapes {a.shape} and {b.shape} came; as many (N, 4) of each are wanted")
    with np.errstate(invalid="ignore", over="ignore"):
        shared = area(np.concatenate([np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])], axis=1))
        both = area(a) + area(b) - shared
        found = np.divide(shared, both, out=np.zeros(len(a)), where=both > 0)
    return np.where(np.isfinite(found), found, 0.0)


def area(boxes: np.ndarray) -> np.ndarray:
    """Float64 (N,) of boxes (N, 4), left, top, right, bottom; 0 for one that is turned inside out."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    product: np.ndarray = sides[:, 0] * sides[:, 1]  # of two columns ten times as fast as `prod`
    return product


def same_length(y_true: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as text (N,), or ShapeError."""
    y_true, y_pred = label_texts(y_true), label_texts(y_pred)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape:
        raise ShapeError(f"{y_true.shape} true and {y_pred.shape} predicted labels came; wanted as many of each")
    return y_true, y_pred
