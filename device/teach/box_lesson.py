"""Examples with boxes, kept as they are drawn: each a take of its own, on disk when it counts."""

from __future__ import annotations

from collections.abc import Collection
from time import perf_counter

import numpy as np

from device.teach.boxed import FEW, learn, read_boxed, save
from edge_tl.core.examples import Box, Count
from edge_tl.core.kept import as_stored
from edge_tl.detection.few import FewDetector
from edge_tl.embedders.embedder import Embedder, embed_kept
from edge_tl.errors import counted
from edge_tl.labels import check_label
from edge_tl.store.profile import Profile

NOTHING = "nothing"
"""The class of pictures in which there is nothing to find."""


class BoxLesson:
    """What `teach --boxes` does with pictures and boxes; knows no keys and no screen.

    labels: classes shown from the beginning. detector: what was trained before, None where nothing was.
    """

    def __init__(
        self, profile: Profile, embedder: Embedder, labels: Collection[str] = (), detector: FewDetector | None = None
    ) -> None:
        self.profile, self.store, self.embedder, self.detector = profile, profile.store, embedder, detector
        profile.standard = frozenset(labels)
        for label in labels:
            self.store.add_label(check_label(label))

    @property
    def labels(self) -> list[str]:
        """The classes of things, in the order in which they came."""
        return [label for label in self.store.labels() if label != NOTHING]

    def counts(self) -> dict[str, Count]:
        """What is on disk, by label."""
        return self.store.counts()

    def keep(self, picture: np.ndarray, label: str, box: Box | None, source: str) -> None:
        """Keep a picture uint8 (height_px, width_px, 3) with its box; on disk when this returns."""
        take = self.store.new_take(label, source)
        self.store.add(take, picture, as_stored(embed_kept(self.embedder, picture)), self.embedder.fingerprint, box=box)
        self.store.flush()

    def last(self) -> str | None:
        """The label of what `undo` would forget, or None where there is none."""
        examples = self.store.list()
        return examples[-1].label if examples else None

    def undo(self) -> str:
        """Forget the last example; a line that says so."""
        undone = self.store.undo_last_take()
        return f"deleted the last example of {undone[0]}" if undone else "there is nothing to undo"

    def train(self) -> str:
        """Train on all that was kept and save it; a line that says how well it may work."""
        began_s = perf_counter()
        boxed = read_boxed(self.store)
        self.detector, _ = learn(self.embedder, boxed)
        took_s = perf_counter() - began_s
        save(self.profile, self.detector, boxed.boxes, 1000 * took_s, None)
        more = f"; {FEW} to 50 make usable boxes" if boxed.boxes < FEW else ""
        return (
            f"trained on {counted(boxed.boxes, 'box', 'boxes')} in {took_s:.1f} s{more}; `edge-tl evaluate` says how "
            "well"
        )
