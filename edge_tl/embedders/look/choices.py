"""Which way to look: what of a picture is embedded, chosen once for a profile. Light: nothing here opens a model."""

from __future__ import annotations

from dataclasses import dataclass

from edge_tl.errors import ConfigError

WAYS = ("frame", "box", "hand", "hand-crop", "hand-and-crop", "face", "face-crop")
"""The whole picture, a part of it that was drawn once, a hand's shape, a hand's upright crop,
the shape with the crop beside it, where a face looks, and the face itself beside it."""
MOVEMENT = "movement"
"""How a profile of movements looks: at the track of a hand. Nobody chooses it; whoever imports tracks has it."""
HANDS = ("largest", "both")
"""Of the way `hand`."""
NEEDS = {"hand": "hands", "hand-crop": "hands", "hand-and-crop": "hands", "face": "face", "face-crop": "face"}
"""Which models (`look.models.PARTS`) a way needs."""
ALL = "all"
"""The word for all models that ways need."""
MODELS = (*dict.fromkeys(NEEDS.values()), ALL)


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


def check_box(box: tuple[float, float, float, float]) -> None:
    """ConfigError unless left < right and top < bottom, all from 0 to 1."""
    left, top, right, bottom = box
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ConfigError(f"box is {box}; left < right and top < bottom, all from 0 to 1, are wanted")
