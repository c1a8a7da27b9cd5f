"""Which way to look: what of a picture is embedded, chosen once for a profile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_tl.embedders.embedder import Embedder, Finder, WholePictureEmbedder
from edge_tl.embedders.look.both import BothHandsEmbedder, BothTracker
from edge_tl.embedders.look.choices import HANDS, MOVEMENT, NEEDS, WAYS
from edge_tl.embedders.look.embedders import (
    BoxEmbedder,
    FaceCropEmbedder,
    FaceEmbedder,
    HandAndCropEmbedder,
    HandCropEmbedder,
    HandEmbedder,
    check_box,
    load_face_tracker,
    load_tracker,
)
from edge_tl.embedders.look.models import parts_of
from edge_tl.embedders.look.movement import MovementEmbedder
from edge_tl.errors import ConfigError, ModelError


@dataclass(frozen=True)
class Look:
    """A way to look; ConfigError, one line, for one that makes no sense."""

    way: str = "frame"
    """One of `WAYS`."""
    box: tuple[float, float, float, float] | None = None
    """Of the way `box`: left, top, right, bottom as shares of the width and height, 0 to 1."""
    hands: str = "largest"
    """Of the way `hand`: `largest`, or `both` for two hands' shapes side by side."""

    def __post_init__(self) -> None:
        if self.way not in (*WAYS, MOVEMENT):
            raise ConfigError(f"there is no way to look called {self.way!r}; one of {', '.join(WAYS)} is wanted")
        if self.hands not in HANDS:
            raise ConfigError(f"hands is {self.hands!r}; one of {', '.join(HANDS)} is wanted")
        if self.hands == "both" and self.way != "hand":
            raise ConfigError(f"both hands were asked for and the way to look is {self.way}: that goes with hand only")
        if self.box is None and self.way == "box":
            raise ConfigError("the way to look is box and no box came: give --box LEFT,TOP,RIGHT,BOTTOM, shares 0 to 1")
        if self.box is not None and self.way != "box":
            raise ConfigError(f"a box came and the way to look is {self.way}: a box goes with the way box only")
        if self.box is not None:
            check_box(self.box)

    def __str__(self) -> str:
        if self.box is not None:
            return "box " + ",".join(f"{share:g}" for share in self.box)
        return "hand, both hands" if self.hands == "both" else self.way


def open_look(
    look: Look, folder: Path, load_inner: Callable[[], WholePictureEmbedder], threads: int | None = None
) -> Embedder:
    """The embedder that looks so, opened.

    `folder`: where the models of hands and faces are installed. `load_inner`: loads the image embedder of the ways
    frame, box, hand-crop, hand-and-crop and face-crop; not called by the others. ModelError, one line with the command
    that helps, where the models are missing or damaged.
    """
    if look.way == MOVEMENT:
        return MovementEmbedder()
    if look.way in NEEDS:
        _check_installed(look.way, folder)
    if look.way == "hand" and look.hands == "both":
        return BothHandsEmbedder(BothTracker(load_tracker(folder, threads)))
    if look.way == "hand":
        return HandEmbedder.load(folder, threads)
    if look.way == "hand-crop":
        return HandCropEmbedder(load_tracker(folder, threads), load_inner())
    if look.way == "hand-and-crop":
        return HandAndCropEmbedder(load_tracker(folder, threads), load_inner())
    if look.way == "face":
        return FaceEmbedder.load(folder, threads)
    if look.way == "face-crop":
        return FaceCropEmbedder(load_face_tracker(folder, threads), load_inner())
    inner = load_inner()
    return inner if look.box is None else BoxEmbedder(inner, look.box)


def way_of(embedder: Embedder) -> str:
    """The way in which an embedder looks at pictures, one of `WAYS`; of one that listens its name."""
    if embedder.kind in ("sound", "movement"):
        return embedder.name
    return embedder.way if isinstance(embedder, Finder | BoxEmbedder) else "frame"


def box_of(embedder: Embedder) -> tuple[float, float, float, float] | None:
    """The rectangle that an embedder looks at, as shares of the width and height; None where it has none."""
    return embedder.box if isinstance(embedder, BoxEmbedder) else None


def inner_of(embedder: Embedder) -> Embedder:
    """The image embedder behind a way to look; where there is none, the embedder itself."""
    crops = HandCropEmbedder | HandAndCropEmbedder | FaceCropEmbedder | BoxEmbedder
    return embedder.inner if isinstance(embedder, crops) else embedder


def _check_installed(way: str, folder: Path) -> None:
    """ModelError where a model that the way needs was never installed."""
    which = NEEDS[way]
    missing = [part.name for part in parts_of(which) if not (folder / part.name).is_dir()]
    if missing:
        raise ModelError(
            f"to look at {way} the model {missing[0]} is needed, and it is not in {folder}: "
            f"run `edge-tl model get {which}`"
        )
