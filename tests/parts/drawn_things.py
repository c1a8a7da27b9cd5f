"""Pictures of drawn things in front of clutter, with their boxes: a red disc, a blue cross, or nothing."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from edge_tl.detection.few import BoxedPicture

LABELS = ("disc", "cross")
SIZE = (240, 180)


def drawn_thing(seed: int, label: str | None) -> BoxedPicture:
    """A picture 240×180 px; label: None for one in which there is clutter only."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", SIZE, tuple(rng.integers(90, 220, 3).tolist()))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, w, h = *rng.integers(0, SIZE[0], 2).tolist(), *rng.integers(8, 60, 2).tolist()
        colour = (int(rng.integers(90, 190)), int(rng.integers(90, 190)), int(rng.integers(90, 190)))
        draw.rectangle((x, y, x + w, y + h), fill=colour)
    if label is None:
        return BoxedPicture(np.array(image), "nothing", None)
    w = int(rng.integers(40, 90))
    h = int(w * rng.uniform(0.8, 1.25))
    x, y = int(rng.integers(0, SIZE[0] - w)), int(rng.integers(0, SIZE[1] - h))
    if label == "disc":
        draw.ellipse((x, y, x + w - 1, y + h - 1), fill=(220, 20, 30), outline=(90, 0, 0), width=3)
    else:
        third = (w // 3, h // 3)
        draw.rectangle((x + third[0], y, x + 2 * third[0], y + h - 1), fill=(20, 40, 210))
        draw.rectangle((x, y + third[1], x + w - 1, y + 2 * third[1]), fill=(20, 40, 210))
    return BoxedPicture(np.array(image), label, np.array((x, y, x + w, y + h), float))


def drawn_things(count: int, seed: int, empty: int = 0) -> list[BoxedPicture]:
    """So many pictures with each label in turn, and some with nothing."""
    shown = [drawn_thing(seed + number, LABELS[number % len(LABELS)]) for number in range(count)]
    return shown + [drawn_thing(seed + 5000 + number, None) for number in range(empty)]
