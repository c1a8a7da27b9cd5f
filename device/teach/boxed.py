"""The boxed examples of a profile, and what is trained on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_tl.core.answers import SavedHead, head_name
from edge_tl.core.examples import Box
from edge_tl.core.near_copies import SIDE, hold_together
from edge_tl.detection.few import NAME, BoxedPicture, BoxHead, FewDetector, views_of
from edge_tl.detection.judging import LeftOutDetections, judge
from edge_tl.embedders.embedder import Embedder
from edge_tl.errors import ConfigError, EdgeTLError, NotFittedError, ProfileError, counted
from edge_tl.media.image import decode, grey_square
from edge_tl.store.examples import ExampleStore
from edge_tl.store.media import JPEG
from edge_tl.store.profile import Profile

Progress = Callable[[int, int], object]
FEW = 20
"""With fewer boxed examples it is said that more are wanted."""


@dataclass(frozen=True)
class BoxedExamples:
    """All pictures of a store as they are taught, in the order in which they were added."""

    examples: list[BoxedPicture]
    ids: np.ndarray
    """int64 (N,): their numbers, as `examples list` shows them."""
    takes: np.ndarray
    """int64 (N,), near-copies in that of what they copy."""
    sessions: np.ndarray
    """int64 (N,), likewise."""
    near_copies: int = 0
    """How many are near-copies of pictures of another take."""

    @property
    def boxes(self) -> int:
        """How many have a box."""
        return sum(one.box is not None for one in self.examples)


def has_boxes(store: ExampleStore) -> bool:
    """Whether anything was taught with a box."""
    return any(one.box is not None for one in store.list())


def finds_boxes(profile: Profile, saved: SavedHead | None) -> bool:
    """Whether what a profile was trained to do last, or would be trained to do first, is to find boxes."""
    return has_boxes(profile.store) if saved is None else head_name(saved) == NAME


def check_no_boxes(profile: Profile) -> None:
    """ConfigError where a profile finds boxes: what names whole pictures must not be trained in its place unasked."""
    try:
        name = profile.load_as(head_name)
    except ProfileError:  # none is whole, which whoever asks one says; what was taught tells as well
        name = None
    if has_boxes(profile.store) if name is None else name == NAME:
        raise ConfigError(
            f"profile {profile.folder.name!r} was taught boxes: `edge-tl teach --boxes` and `edge-tl detect` go on; "
            "give another --profile to name whole pictures, or `edge-tl train --head ridge` to name these"
        )


def in_pixels(box: Box, shape: tuple[int, ...]) -> np.ndarray:
    """A box of shares in the pixels of a picture of this shape (height_px, width_px, …): float64 (4,)."""
    return np.array(box) * (shape[1], shape[0], shape[1], shape[0])


def read_boxed(store: ExampleStore, progress: Progress | None = None) -> BoxedExamples:
    """Read every picture; ProfileError where one is damaged.

    A picture without a box shows nothing to find where its class never has one (`nothing`). Of a class that has boxes
    it was taught as a whole, and the thing is somewhere in it: it teaches nothing here.
    """
    every = [one for one in store.list() if one.media_type == JPEG]
    boxed = {one.label for one in every if one.box is not None}
    listed = [one for one in every if one.box is not None or one.label not in boxed]
    examples: list[BoxedPicture] = []
    small = np.zeros((len(listed), SIDE * SIDE), np.uint8)
    files: dict[bytes, int] = {}
    same: list[int] = []
    for done, one in enumerate(listed, 1):
        media = store.picture(one.id)
        shape = decode(media).shape
        small[done - 1] = grey_square(media, SIDE).reshape(-1)
        same.append(files.setdefault(media, len(files)))
        examples.append(BoxedPicture(media, one.label, None if one.box is None else in_pixels(one.box, shape)))
        if progress:
            progress(done, len(listed))
    ids = np.array([one.id for one in listed], np.int64)
    numbers = np.array([(one.take, one.session) for one in listed], np.int64).reshape(-1, 2)
    # The same picture may show several things: each is an example, and all are on one side of a split.
    labels = np.array([one.label for one in examples], np.str_)
    held = hold_together(small, np.array(same, np.int64), labels, numbers[:, 0], numbers[:, 1])
    if held is None:
        return BoxedExamples(examples, ids, numbers[:, 0], numbers[:, 1])
    moved = int((held.takes != numbers[:, 0]).sum())
    return BoxedExamples(examples, ids, held.takes, held.sessions, moved)


def learn(
    embedder: Embedder, boxed: BoxedExamples, looking: Progress | None = None, judging: Progress | None = None
) -> tuple[FewDetector, LeftOutDetections | None]:
    """Train on all of it; judging: None where how well it works is not asked."""
    views = views_of(embedder, boxed.examples, looking)
    detector = FewDetector(embedder, BoxHead().fit(views, [one.label for one in boxed.examples]))
    if judging is None:
        return detector, None
    return detector, judge(embedder, boxed.examples, views, boxed.takes, boxed.sessions, judging)


def save(
    profile: Profile, detector: FewDetector, boxes: int, train_ms: float | None, judged: LeftOutDetections | None
) -> int:
    """Write a new generation with what is known of it; its number. train_ms: None where nobody took the time."""
    told = judged.as_dict() if judged is not None else None
    evaluation = None if told is None else {"accuracy": told["label_accuracy"], **told}
    took = {} if train_ms is None else {"train_ms": train_ms}
    return profile.save(detector.saved(examples=boxes, **took, evaluation=evaluation))


def load_detector(profile: Profile, embedder: Embedder) -> FewDetector:
    """The newest trained detector of a profile; NotFittedError where nothing was trained yet."""
    saved = profile.load()
    if saved is None:
        boxes = sum(one.box is not None for one in profile.store.list())
        raise NotFittedError(
            f"profile {profile.folder.name!r} has {counted(boxes, 'example')} with a box and was not trained yet: "
            + ("run `edge-tl train`" if boxes else "run `edge-tl teach --boxes` first, or `edge-tl examples import`")
        )
    try:
        return FewDetector.restored(saved, embedder)
    except EdgeTLError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise ProfileError(f"the newest generation of {profile.folder} makes no sense: run `edge-tl train`") from error
