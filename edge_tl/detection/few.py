"""A detector of your own thing, taught with a few boxes: the whole picture says where it may be, a closer look says
where it is, what it is, and whether it is there at all.

The maps of the embedder are kept whole, cell by cell, so that a ridge regression reads the place from them; each
example is looked at from several places (moved, nearer, farther) and beside the thing. Nothing is mirrored: a sign that
points left would become one that points right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from edge_tl.core.answers import SavedHead
from edge_tl.core.features import FeatureMap
from edge_tl.detection.found import DetectedThing
from edge_tl.detection.windows import anywhere, apart, around, coded, near, placed
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, NotFittedError, ProfileMismatch, ShapeError, counted, other_model
from edge_tl.heads import OF_MOVEMENTS
from edge_tl.heads.ridge import RidgeHead
from edge_tl.labels import label_texts
from edge_tl.media.image import check_picture, cut_out, decode

NAME = "boxes"
"""What a generation calls this head."""
NOTHING = ""
"""The class of a window without the thing."""
LOOKS = 3
"""Closer looks at what the whole picture says: each is one run of the embedder."""
PENALTY = 0.1
"""Of the regressions, in units of the mean eigenvalue; from 0.03 to 0.3 boxes are the same within a point."""
LAMBDAS = np.logspace(-3, 0, 7)
"""Penalties among which the classifier chooses, leaving each example out with all its windows."""
WHOLE, NEAR, APART = 5, 10, 3
"""How often an example is looked at to learn: as a whole, around the thing, beside it."""
MAX_VIEWS = 1000
"""With many examples each is looked at fewer times: memory and time stay those of about 55."""
MIN_EXAMPLES = 5
"""Boxed examples; with fewer nothing can be said of how well it works."""
SURE = 0.5
NOWHERE = np.full(4, np.nan)
"""The code of a window without the thing."""
View = tuple[np.ndarray, np.ndarray, int]
"""A map, the box in it as `coded`, and of which example it is."""
_FLAT = FeatureMap("flatten")


@dataclass(frozen=True)
class BoxedPicture:
    """What is taught: a picture, and where in it the thing is."""

    kept: np.ndarray | bytes
    """A picture uint8 (height_px, width_px, 3) RGB, or the bytes of its file, which take a fiftieth of the memory."""
    label: str
    """Of a picture without the thing it counts for nothing."""
    box: np.ndarray | None
    """float64 (4,), left, top, right, bottom in pixels; None where the thing is not in the picture."""

    @property
    def picture(self) -> np.ndarray:
        """The picture, decoded each time where its file was kept; ExampleError where that is damaged."""
        return decode(self.kept) if isinstance(self.kept, bytes) else self.kept


@dataclass(frozen=True)
class Views:
    """What an embedder makes of the examples: all that is trained on, N examples and F values a map."""

    whole: np.ndarray
    """float32 (A, F): whole pictures, the first of each example as it is."""
    whole_codes: np.ndarray
    """(A, 4): the box in each, as `coded`."""
    whole_of: np.ndarray
    """int64 (A,): which example."""
    close: np.ndarray
    """float32 (B, F): windows around the thing and beside it."""
    close_codes: np.ndarray
    """(B, 4); NaN beside it."""
    close_of: np.ndarray
    """int64 (B,)."""


def map_of(embedder: Embedder) -> TFLiteEmbedder:
    """The embedder, whose output is a map; ConfigError for any other."""
    shape = embedder.embedding_shape
    if not isinstance(embedder, TFLiteEmbedder) or len(shape) != 3 or max(shape[:2]) < 2:
        raise ConfigError(
            f"{embedder.name} says what is in a picture and not where: boxes want an image model whose output is a "
            "map, and the way to look `frame`"
        )
    return embedder


def look(embedder: Embedder, picture: np.ndarray, window: np.ndarray) -> np.ndarray:
    """The map of a part of a picture, as the regressions read it: float32 (F,)."""
    network = map_of(embedder)
    height, width, _ = network.manifest.input_shape
    return _FLAT(network.embed(cut_out(picture, window.tolist(), (height, width))), network.embedding_shape)


def views_of(
    embedder: Embedder,
    examples: Sequence[BoxedPicture],
    progress: Callable[[int, int], object] | None = None,
    seed: int = 0,
) -> Views:
    """Look at all examples from several places; progress(done, total) is called after each example."""
    share = min(1.0, MAX_VIEWS / max(1, len(examples) * (WHOLE + NEAR + APART)))
    whole, close, beside = (max(least, round(share * most)) for least, most in ((1, WHOLE), (2, NEAR), (1, APART)))
    of_wholes: list[View] = []
    of_windows: list[View] = []
    for number, one in enumerate(examples):
        # Of an example alone, so that what was learned of it does not change when others come.
        rng = np.random.default_rng((seed, number))
        picture, box = one.picture, one.box
        shape = picture.shape
        if box is not None:
            for window in [all_of(shape), *(anywhere(shape, box, rng) for _ in range(whole - 1))]:
                of_wholes.append((look(embedder, picture, window), coded(box[None], window[None])[0], number))
            for window in [near(box, rng) for _ in range(close)]:
                of_windows.append((look(embedder, picture, window), coded(box[None], window[None])[0], number))
        for window in [apart(shape, box, rng) for _ in range(beside if box is not None else close)]:
            of_windows.append((look(embedder, picture, window), NOWHERE, number))
        if progress:
            progress(number + 1, len(examples))
    return Views(*_arrays(of_wholes), *_arrays(of_windows))


def _arrays(views: Sequence[View]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows, codes, numbers = zip(*views, strict=True) if views else ((), (), ())
    return np.array(rows, np.float32), np.array(codes).reshape(-1, 4), np.array(numbers, np.int64)


def all_of(shape: tuple[int, ...]) -> np.ndarray:
    """The window that is the whole of a picture of this shape."""
    return np.array((0.0, 0.0, shape[1], shape[0]))


class BoxHead:
    """What was learned from boxes: two regressions and a classifier, on the maps of one embedder."""

    def __init__(self) -> None:
        self.labels: tuple[str, ...] = ()
        self._arrays: dict[str, np.ndarray] = {}
        self._kinds: RidgeHead | None = None

    def fit(self, views: Views, labels: Sequence[str], taught: np.ndarray | None = None) -> Self:
        """Learn from the views of examples with labels (N,); taught: bool (N,), those to learn from, all by default.

        NotFittedError where fewer than MIN_EXAMPLES have a box.
        """
        names = label_texts(labels)
        chosen = np.ones(len(names), bool) if taught is None else taught
        first, second = chosen[views.whole_of], chosen[views.close_of]
        boxed = np.unique(views.whole_of[first])
        if len(boxed) < MIN_EXAMPLES:
            raise NotFittedError(
                f"{counted(len(boxed), 'example')} with a box came; {MIN_EXAMPLES} or more are wanted, 20 to 50 for "
                "usable boxes"
            )
        there = second & np.isfinite(views.close_codes[:, 0])
        find, find_base = regression(views.whole[first], views.whole_codes[first])
        place, place_base = regression(views.close[there], views.close_codes[there])
        self._arrays = {"find": find, "find_base": find_base, "place": place, "place_base": place_base}
        kinds = np.where(np.isfinite(views.close_codes[:, 0]), names[views.close_of], NOTHING)
        self._kinds = RidgeHead(LAMBDAS).fit(views.close[second], kinds[second], views.close_of[second])
        self.labels = tuple(str(label) for label in self._kinds.classes_ if label != NOTHING)
        return self

    def find(self, row: np.ndarray, window: np.ndarray) -> np.ndarray:
        """Where the thing may be: the box (4,) that the map (F,) of the whole picture says."""
        code = row @ self._arrays["find"] + self._arrays["find_base"]
        return np.asarray(placed(code[None], window[None])[0])

    def place(self, row: np.ndarray, window: np.ndarray) -> np.ndarray:
        """Where it is: the box (4,) that the map (F,) of a window around it says."""
        code = row @ self._arrays["place"] + self._arrays["place_base"]
        return np.asarray(placed(code[None], window[None])[0])

    def kinds(self, row: np.ndarray) -> tuple[np.ndarray, float]:
        """Of the map (F,) of a window: the probability of each of `labels` (C,), and that of nothing."""
        if self._kinds is None:
            raise NotFittedError("no box was learned yet: fit the head first")
        proba = self._kinds.predict_proba(row[None])[0]
        (nothing,) = np.flatnonzero(self._kinds.classes_ == NOTHING)
        return np.delete(proba, nothing), float(proba[nothing])

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All that finding needs: a JSON-able dict and arrays."""
        assert self._kinds is not None
        meta, arrays = self._kinds.state()
        return {"name": NAME, "kinds": meta}, self._arrays | {f"kinds.{name}": one for name, one in arrays.items()}

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """The head that `state` was taken of."""
        head = cls()
        own = {name.removeprefix("kinds."): one for name, one in arrays.items() if name.startswith("kinds.")}
        head._kinds = RidgeHead.from_state(meta["kinds"], own)
        head._arrays = {name: one for name, one in arrays.items() if not name.startswith("kinds.")}
        head.labels = tuple(str(label) for label in head._kinds.classes_ if label != NOTHING)
        return head


class FewDetector:
    """A trained box head with its embedder, an ObjectDetector of one thing a picture; not for two threads at once."""

    def __init__(self, embedder: Embedder, head: BoxHead, name: str = NAME) -> None:
        """ShapeError where the head was learned from other maps."""
        map_of(embedder)
        self.embedder, self.head, self.name = embedder, head, name
        self.following = False
        """Whether pictures follow each other: a thing is looked for where it was, with one look instead of four."""
        self._last: np.ndarray | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """All that it was taught."""
        return self.head.labels

    def detect(self, picture: np.ndarray, least: float = SURE) -> tuple[DetectedThing, ...]:
        """The thing in a picture uint8 (height_px, width_px, 3) RGB, where something is there with this probability.

        Its confidence is that of its label; `locate` says more. ShapeError for an array that is no picture.
        """
        if self.following and self._last is not None:
            found, there = self._look(picture, self._last, 1)
            if there >= least:
                self._last = np.array(found.box)
                return (found,)
        found, there = self.locate(picture)
        self._last = np.array(found.box) if there >= least else None
        return (found,) if there >= least else ()

    def locate(self, picture: np.ndarray, row: np.ndarray | None = None) -> tuple[DetectedThing, float]:
        """The likeliest place and label, and the probability that something is there at all.

        row: the map of the whole picture, where it is known.
        """
        check_picture(picture)
        whole = all_of(picture.shape)
        row = look(self.embedder, picture, whole) if row is None else row
        return self._look(picture, self.head.find(row, whole), LOOKS)

    def _look(self, picture: np.ndarray, box: np.ndarray, looks: int) -> tuple[DetectedThing, float]:
        """As `locate`, from a box that is near."""
        for _ in range(looks):
            window = around(box)
            row = look(self.embedder, picture, window)
            box = self.head.place(row, window)
        proba, nothing = self.head.kinds(row)
        best = int(proba.argmax())
        left, top, right, bottom = np.clip(box, 0, np.tile(all_of(picture.shape)[2:], 2)).tolist()
        return DetectedThing(self.labels[best], float(proba[best]), (left, top, right, bottom)), 1 - nothing

    def saved(self, **more: Any) -> SavedHead:
        """All that `restored` needs, plus JSON-able `more`, for Profile.save."""
        meta, arrays = self.head.state()
        about = {"name": self.embedder.name, "fingerprint": self.embedder.fingerprint}
        return SavedHead({"embedder": about, "head": meta, **more}, arrays)

    @classmethod
    def restored(cls, saved: SavedHead, embedder: Embedder) -> Self:
        """The detector that was saved; ProfileMismatch for another embedder, ConfigError for another head."""
        if saved.meta["head"]["name"] in OF_MOVEMENTS:
            raise ConfigError(
                "this profile was taught movements, and nothing is found by them: give the --profile that was taught "
                "boxes (`edge-tl teach --boxes --profile boxes`)"
            )
        if saved.meta["head"]["name"] != NAME:
            raise ConfigError(
                f"this profile was trained to name whole pictures ({saved.meta['head']['name']}): teach it boxes "
                "(`edge-tl teach --boxes`), then `edge-tl train`"
            )
        if saved.meta["embedder"]["fingerprint"] != embedder.fingerprint:
            raise ProfileMismatch(
                f"this profile was trained with {saved.meta['embedder']['name']}, not with {embedder.name}: "
                + other_model(", then `edge-tl train`")
            )
        head = BoxHead.from_state(saved.meta["head"], saved.arrays)
        if len(saved.arrays["find"]) != embedder.embedding_dim:
            raise ShapeError(
                f"the head was learned from maps of {counted(len(saved.arrays['find']), 'value')}; train again"
            )
        return cls(embedder, head)


def regression(X: np.ndarray, Y: np.ndarray, penalty: float = PENALTY) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression of Y (N, 4) on rows X (N, F): weights float32 (F, 4) and base (4,), in the span of the rows."""
    mean, target = X.mean(axis=0), Y.mean(axis=0)
    centred = X - mean
    gram = (centred @ centred.T).astype(np.float64)
    gram[np.diag_indices(len(gram))] += penalty * np.trace(gram) / len(gram)
    weights = centred.T @ np.linalg.solve(gram, Y - target).astype(np.float32)
    return weights, (target - mean @ weights).astype(np.float32)
