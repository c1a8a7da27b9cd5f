"""Another way to look, chosen with keys at the foot of a screen."""

from __future__ import annotations

from edge_tl.embedders.look.choices import WAYS

ABOUT = {
    "frame": "the whole picture",
    "box": "a part that you select",
    "hand": "the shape of a hand",
    "hand-crop": "the cropped hand",
    "hand-and-crop": "the shape of a hand, and the cropped hand",
    "face": "the direction of a face",
    "face-crop": "the cropped face and its direction",
}


class WayChoice:
    """The way at hand; `enter` and `escape` are its screen's."""

    def __init__(self, way: str) -> None:
        self.way = way

    def press(self, key: str) -> None:
        """The next way, or the one before."""
        step = {"up": -1, "left": -1, "l": 1, "tab": 1, "down": 1, "right": 1}.get(key, 0)
        self.way = WAYS[(WAYS.index(self.way) + step) % len(WAYS)]

    @property
    def prompt(self) -> str:
        """The way with what it is, and the keys."""
        return f"look: {self.way} ({ABOUT[self.way]})  ← l or arrows: another; enter confirms, escape cancels"
