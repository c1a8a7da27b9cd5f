"""Another embedder for a profile that was taught: its examples embedded again; the old one stays where it is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from device.assembly import trained_head
from device.teach.boxed import finds_boxes, learn, read_boxed
from device.teach.boxed import save as save_boxes
from device.teach.training import save, teach_all
from edge_tl.core.answers import SavedHead, TrainingResult
from edge_tl.core.examples import Example
from edge_tl.core.kept import as_stored
from edge_tl.detection.few import map_of
from edge_tl.embedders.embedder import Embedder, embed_kept
from edge_tl.errors import ExampleError, counted
from edge_tl.judge.evaluation import Evaluation
from edge_tl.media.image import decode
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile

Progress = Callable[[int, int], object]
ACCURACY, MEAN_IOU = "accuracy", "mean IoU"
"""What a profile is judged by: one that names whole pictures, one that finds boxes."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the two embedders are worth on what was taught, by the same honest evaluation."""

    before: float
    """Accuracy with the embedder of now, of a profile of boxes the mean IoU; 0 to 1, NaN where nothing can be said."""
    after: float
    """And with the other one."""
    figure: str
    """ACCURACY or MEAN_IOU."""
    method: str
    """How that was found, in words."""
    save: Callable[[], int]
    """Writes what was trained with the other one as a new generation; its number."""

    @property
    def worse(self) -> bool:
        """Whether the other one is worse; where nothing can be said it is not."""
        return self.after < self.before


def compare(
    profile: Profile, old: Embedder, new: Embedder, saved: SavedHead | None, progress: Progress
) -> Exchange | None:
    """Embed all examples of a profile with another embedder and compare; nothing is written. None without examples.

    saved: the newest generation, whose kind, head and settings both are trained with. ExampleError where an example
    kept no picture: it could not be embedded again. ConfigError for a model whose output is no map, where boxes are
    wanted.
    """
    listed = profile.store.list()
    if not listed:
        return None
    check_media(listed)
    if finds_boxes(profile, saved):
        return _compare_boxes(profile, old, new, progress)
    return _compare_heads(profile, listed, old, new, saved, progress)


def check_media(listed: Sequence[Example]) -> None:
    """ExampleError where an example kept neither picture nor sound: it cannot be embedded again."""
    without = [str(one.id) for one in listed if not one.media_type]
    if without:
        raise ExampleError(
            f"{counted(len(without), 'example')} kept no picture to be embedded again ({', '.join(without[:5])}): "
            "remove them"
        )


def _compare_heads(
    profile: Profile,
    listed: Sequence[Example],
    old: Embedder,
    new: Embedder,
    saved: SavedHead | None,
    progress: Progress,
) -> Exchange:
    """Of a profile that names whole pictures."""
    store = profile.store
    two = [Recognizer(embedder, trained_head(saved, embedder)) for embedder in (old, new)]
    known = teach_all(profile, two[0])
    two[0].forget()
    # The old one too sees the pictures as they are stored: otherwise it alone would be judged without JPEG's losses.
    anew: list[list[tuple[np.ndarray, np.ndarray]]] = [[], []]
    for row, example in enumerate(listed):
        picture = decode(store.picture(example.id))
        for recognizer, rows in zip(two, anew, strict=True):
            rows.append(recognizer.as_rows(as_stored(embed_kept(recognizer.embedder, picture))[np.newaxis]))
        progress(row + 1, len(listed))
    names = {session.id: session.name for session in store.sessions()}
    made: list[tuple[Recognizer, TrainingResult, Evaluation]] = []
    for recognizer, rows in zip(two, anew, strict=True):
        recognizer.adopt(saved)
        X, found = (np.concatenate(part) for part in zip(*rows, strict=True))
        rows.clear()
        recognizer.replace(replace(known, X=X, found=found, fingerprint=recognizer.embedder.fingerprint))
        learned = recognizer.learn()
        made.append((recognizer, learned, recognizer.evaluate(names=names)))
        recognizer.head.release()
    before = made[0][2].headline.accuracy
    after = math.nan if math.isnan(before) else made[1][2].headline.accuracy
    return Exchange(before, after, ACCURACY, made[1][2].headline.method, lambda: save(profile, *made[1]))


def _compare_boxes(profile: Profile, old: Embedder, new: Embedder, progress: Progress) -> Exchange:
    """Of a profile that finds boxes."""
    boxed = read_boxed(profile.store)
    (_, was), (detector, judged) = (learn(map_of(one), boxed, progress, progress) for one in (old, new))
    assert was is not None  # it was asked for, by `progress`
    assert judged is not None
    before, after = (math.nan if (iou := one.as_dict()["mean_iou"]) is None else iou for one in (was, judged))
    after = math.nan if math.isnan(before) else after
    return Exchange(
        before, after, MEAN_IOU, judged.method, lambda: save_boxes(profile, detector, boxed.boxes, None, judged)
    )
