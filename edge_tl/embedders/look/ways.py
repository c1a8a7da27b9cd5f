"""From the way to look that was chosen to the embedder that looks so, and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge_tl.embedders.embedder import Embedder, Finder, WholePictureEmbedder
from edge_tl.embedders.look.both import BothHandsEmbedder, BothTracker
from edge_tl.embedders.look.choices import MOVEMENT, NEEDS, Look
from edge_tl.embedders.look.embedders import (
    BoxEmbedder,
    FaceCropEmbedder,
    FaceEmbedder,
    HandAndCropEmbedder,
    HandCropEmbedder,
    HandEmbedder,
    load_face_tracker,
    load_tracker,
)
from edge_tl.embedders.look.models import parts_of
from edge_tl.embedders.look.movement import MovementEmbedder
from edge_tl.errors import ModelError


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
