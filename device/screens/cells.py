"""Text and pictures as terminal cells: how wide a text is, how it looks in ASCII, which of 256 colours is nearest.

Pure functions; nothing here touches a terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import takewhile

import numpy as np

BLACK, WHITE = 16, 255
"""Indices in the 256-colour palette; 0..15 are never used because each user's theme paints them differently."""

COLOURS: dict[str, tuple[int, int, int]] = {
    "black": (0, 0, 0),
    "white": (238, 238, 238),
    "grey": (138, 138, 138),
    "dim": (88, 88, 88),
    "red": (255, 95, 95),
    "orange": (255, 135, 0),
    "yellow": (255, 215, 0),
    "green": (95, 215, 95),
    "cyan": (95, 215, 255),
    "blue": (95, 135, 255),
    "violet": (175, 135, 255),
    "pink": (255, 175, 215),
}
"""The names that `put` knows, as RGB 0..255."""

_LEVELS = np.array([0, 95, 135, 175, 215, 255])  # xterm's 6×6×6 colour cube
_MIDDLES = (_LEVELS[1:] + _LEVELS[:-1]) / 2
_GREYS = 8 + 10 * np.arange(24)  # xterm's grey ramp, colours 232..255

PALETTE = np.zeros((256, 3), np.int32)
"""RGB of the 256 colours, int32 (256, 3); rows 0..15 are left black."""
PALETTE[16:232] = np.stack(np.meshgrid(_LEVELS, _LEVELS, _LEVELS, indexing="ij"), axis=-1).reshape(216, 3)
PALETTE[232:] = _GREYS[:, None]

_ASCII = str.maketrans(
    {
        **dict.fromkeys("─━═╌┄", "-"),
        **dict.fromkeys("│┃║", "|"),
        **dict.fromkeys("┌┐└┘╭╮╰╯├┤┬┴┼╔╗╚╝", "+"),
        **dict.fromkeys("█▓", "#"),
        **dict.fromkeys("▌▐▒", "="),
        **dict.fromkeys("▀▄░", "-"),
        **dict.fromkeys("•●○", "o"),
        **dict.fromkeys("◀◂←", "<"),
        **dict.fromkeys("▶▸→", ">"),
        **dict.fromkeys("▲▴↑", "^"),
        **dict.fromkeys("▼▾↓", "v"),
        "·": ".",
        "…": "~",
        "×": "x",
        "–": "-",
        "—": "-",
        "✓": "+",
        "°": "o",
    }
)


_CONSOLE = str.maketrans({"▓": "▒", "▌": "▒", "▐": "▒", "▀": "█", "▄": "█", "✓": "+"})


def console_text(text: str) -> str:
    """The text for the Linux console, whose fonts lack half blocks and the third shade."""
    return text.translate(_CONSOLE)


def ascii_text(text: str) -> str:
    """The text for a terminal that knows ASCII only: lines and blocks as their look-alikes, the rest as `?`."""
    plain = text.translate(_ASCII)
    if plain.isascii():
        return plain
    return "".join(c if c.isascii() else "?" * character_columns(c) for c in plain)


def character_columns(character: str) -> int:
    """The columns that one character takes: 0 (combining), 1 or 2 (East Asian wide, emoji)."""
    if character < "\u0300":
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def text_columns(text: str) -> int:
    """The columns that a text takes in a terminal."""
    return len(text) if text.isascii() else sum(map(character_columns, text))


def printable(text: str) -> str:
    """The text with every control character and line end replaced by `?`: safe to send to a terminal.

    The joiner inside emoji stays; the controls that turn the direction of writing do not.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\u200d\u3000" else "?" for c in text)


def cut(text: str, columns: int) -> str:
    """The beginning of the text that fits in so many columns."""
    if text.isascii():
        return text[: max(columns, 0)]
    kept, used = [], 0
    for character in text:
        used += character_columns(character)
        if used > columns:
            break
        kept.append(character)
    return "".join(kept)


def fit(text: str, columns: int) -> str:
    """The text in exactly so many columns: padded with spaces, or cut with `…` at the end.

    It is cut between two words, as long as that leaves half of it: half a word reads as another, half a number too.
    """
    if columns <= 0:
        return ""
    if text_columns(text) > columns:
        kept = cut(text, columns - 1)
        whole = kept if text[len(kept)] == " " else kept.rpartition(" ")[0]
        text = (whole.rstrip() if 2 * text_columns(whole) >= columns else kept) + "…"
    return text + " " * (columns - text_columns(text))


def fit_apart(texts: Sequence[str], columns: int) -> list[str]:
    """Each text as `fit` gives it, and different ones different: where they would look alike, each is shown to begin as
    all of them do and to go on with what it differs in. In fewer than four columns that may not be possible."""
    shown = [fit(text, columns) for text in texts]
    for _ in range(max(map(len, texts), default=0)):
        groups: dict[str, set[str]] = {}
        for text, short in zip(texts, shown, strict=True):
            groups.setdefault(short, set()).add(text)
        apart = {
            text: _told_by(text, others, columns)
            for others in groups.values()
            for text in others
            if len(others) > 1 and text_columns(text) > columns
        }
        before, shown = shown, [apart.get(text, short) for text, short in zip(texts, shown, strict=True)]
        if shown == before:
            break
    return shown


def _told_by(text: str, others: set[str], columns: int) -> str:
    """A text in so many columns: its beginning, and what follows the beginning that it shares with the others."""
    same = sum(1 for _ in takewhile(lambda letters: len(set(letters)) == 1, zip(*others, strict=False)))
    rest = cut(text[same:], columns - 1 - max(1, columns // 3))
    return fit(f"{cut(text, columns - 1 - text_columns(rest))}…{rest}", columns)


def wrap(text: str, columns: int, lines: int) -> list[str]:
    """The text broken at spaces into at most so many lines; the last one may be longer than `columns`."""
    out = [""]
    for word in text.split(" "):
        longer = f"{out[-1]} {word}" if out[-1] else word
        if out[-1] and len(out) < lines and text_columns(longer) > columns:
            out.append(word)
        else:
            out[-1] = longer
    return out


def nearest_256(rgb: np.ndarray) -> np.ndarray:
    """The nearest of the 240 colours of xterm's cube and grey ramp.

    rgb: (…, 3), 0..255. Result: int (…), 16..255.
    """
    rgb = np.asarray(rgb, np.int32)
    cube = np.searchsorted(_MIDDLES, rgb)
    grey = np.clip((rgb.sum(-1) // 3 - 3) // 10, 0, 23)
    cube_error = ((_LEVELS[cube] - rgb) ** 2).sum(-1)
    grey_error = ((_GREYS[grey][..., None] - rgb) ** 2).sum(-1)
    index = 16 + cube @ np.array([36, 6, 1])
    return np.where(grey_error < cube_error, 232 + grey, index)


def nearest_8(rgb: tuple[int, int, int]) -> int:
    """The nearest of the eight ANSI colours 0..7: a bit for each channel that is bright beside the brightest."""
    brightest = max(rgb)
    if brightest < 64:
        return 0
    return sum(1 << bit for bit, value in enumerate(rgb) if value > 0.6 * brightest)


def shrink(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The centre of the picture, in the shape asked for, as means over areas.

    picture: uint8 (h, w, 3), any size from 1×1. Result: uint8 (height, width, 3). Large pictures are sampled first
    (at most 4 samples a result pixel and axis): a preview of 640×480 must not cost more than the recognition.
    """
    h, w = picture.shape[:2]
    crop_h, crop_w = min(h, max(1, w * height // width)), min(w, max(1, h * width // height))
    top, left = (h - crop_h) // 2, (w - crop_w) // 2
    step_h, step_w = max(1, crop_h // (4 * height)), max(1, crop_w // (4 * width))
    part = picture[top : top + crop_h : step_h, left : left + crop_w : step_w]
    for axis, size in ((0, height), (1, width)):
        edges = np.arange(size + 1) * part.shape[axis] // size
        counts = np.maximum(np.diff(edges), 1).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        part = np.add.reduceat(part, edges[:-1], axis=axis, dtype=np.uint32) // counts
    return part.astype(np.uint8)
