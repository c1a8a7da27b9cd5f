"""The detect screen: a picture with a frame around each thing that was found in it, live or one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from device.screens.cells import fit, shrink, text_columns
from device.screens.layouts import command
from device.screens.terminal import Terminal
from device.teach.detect_line import DetectionWatch, WatchedPicture, colour_of
from edge_tl.detection.found import DetectedThing, ObjectDetector
from edge_tl.errors import SourceClosed
from edge_tl.media.image import boxed


class DetectScreen:
    """Runs until `q`, over a camera (`watch`) or over pictures (`show`).

    keep: called with a picture when `s` is pressed; returns the line to show.
    """

    def __init__(
        self,
        term: Terminal,
        detector: ObjectDetector,
        clock: Callable[[], float],
        keep: Callable[[np.ndarray, tuple[DetectedThing, ...]], str] | None = None,
    ) -> None:
        self.term, self.detector, self.clock, self.keep = term, detector, clock, keep
        self.message = ""

    def watch(self, watch: DetectionWatch, seconds: float = float("inf")) -> None:
        """The camera: one picture, the keys, the drawing."""
        until_s = self.clock() + seconds
        seen: WatchedPicture | None = None
        while self.clock() < until_s:
            for key in map(command, self.term.keys()):
                if key in ("q", "escape"):
                    return
                if key == "s" and seen is not None and self.keep is not None:
                    self.message = self.keep(seen.picture, seen.found)
            try:
                seen = watch.read(timeout_s=0.05) or seen
            except SourceClosed:
                return
            if self.term.ready:
                title = watch.source.name
                if seen is not None:
                    title += f"  {watch.fps:.1f} pictures/s  {seen.took_ms:.0f} ms"
                title = self.term.slow or title
                if watch.state != "open":
                    self.message = "camera lost, searching for it …"
                elif self.message.startswith("camera lost"):
                    self.message = ""
                self.draw(title, seen, "s keeps this picture  q quit" if self.keep else "q quit")

    def show(self, seen: Sequence[tuple[str, WatchedPicture]]) -> None:
        """Pictures with their names: the arrows and space go through them."""
        at = 0
        while True:
            name, one = seen[at]
            self.draw(f"{at + 1} of {len(seen)}  {name}", one, "← → one before, next  q quit")
            for key in map(command, self.term.keys(1.0)):
                if key in ("q", "escape"):
                    return
                if key in ("right", "down", " ", "enter"):
                    at = min(at + 1, len(seen) - 1)
                elif key in ("left", "up"):
                    at = max(at - 1, 0)

    def draw(self, title: str, seen: WatchedPicture | None, keys: str) -> None:
        """Everything, anew."""
        term = self.term
        rows, columns = term.size
        term.clear()
        term.put(0, 0, "edge-tl detect", "yellow", bold=True)
        term.put(0, 16, fit(title, columns - 17), "grey")
        if seen is None:
            term.put(rows // 2, 0, "waiting for the camera …", "grey")
        else:
            self._draw_seen(seen, rows - 3, columns)
        term.put(rows - 2, 0, fit(self.message, columns - 1), "red" if "lost" in self.message else "cyan")
        term.put(rows - 1, 0, fit(keys, columns - 1), "grey")
        term.show()

    def _draw_seen(self, seen: WatchedPicture, rows: int, columns: int) -> None:
        """The picture, as large as it fits with its aspect kept, its things named in it and listed beside it."""
        height, width = seen.picture.shape[:2]
        wide = min(columns - 26, round(2 * rows * width / height))
        high, wide = self.term.fitting(max(1, min(rows, round(wide * height / width / 2))), wide)
        scale = np.array((wide / width, 2 * high / height))
        things = [
            (
                (*(np.array(one.box[:2]) * scale), *(np.array(one.box[2:]) * scale - 1)),
                "",
                colour_of(one.label, self.detector),
            )
            for one in seen.found
        ]
        self.term.picture(1, 0, boxed(shrink(seen.picture, 2 * high, wide), things), high, wide)
        for row, one in enumerate(seen.found[: rows - 1], 1):
            colour = colour_of(one.label, self.detector)
            self.term.put(row, wide + 2, fit(f"{one.confidence:4.0%} {one.label}", columns - wide - 3), colour)
        if not seen.found:
            self.term.put(1, wide + 2, fit("nothing was found", columns - wide - 3), "grey")
        for one in reversed(seen.found):
            left, top = np.clip(np.array(one.box[:2]) * scale, 0, (wide - 1, 2 * high - 1)).astype(int)
            room = wide - int(left)
            if text_columns(one.label) <= room:
                self.term.put(1 + int(top) // 2, int(left), one.label, colour_of(one.label, self.detector), bold=True)
