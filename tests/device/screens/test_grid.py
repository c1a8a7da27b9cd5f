"""What is sent makes a terminal show the cells: held against pyte's screen, after any drawing upon any other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyte
import pytest

from device.screens.cells import PALETTE
from device.screens.codes import BOLD, Codes, codes_of
from device.screens.grid import HALF, SPACE, TAIL, Cells, Painter

ROWS, COLUMNS, BLACK = 7, 23, 16
TEXTS = ["ab", "a b  c", "│ ─ ▀", "日本", "x日", "e\u0301a", "  ", "▶ 12 in 3", "ñ…"]


@pytest.fixture(scope="module")
def codes() -> Codes:
    """A terminal of 256 colours."""
    found = codes_of("xterm-256color")
    assert found is not None
    return replace(found, fills=False)  # pyte clears only cells in which something stands


def drawn(rng: np.random.Generator) -> Cells:
    """Some texts and a picture, over and beside each other."""
    cells = Cells(ROWS, COLUMNS, BLACK)
    high, wide = rng.integers(1, 6, 2)
    pixels = rng.choice([16, 20, 196, 231], (2, high, wide))
    if rng.random() < 0.7:
        cells.half_blocks(*rng.integers(-2, 8, 2), *pixels)
    for _ in range(rng.integers(0, 9)):
        text, column = str(rng.choice(TEXTS)), int(rng.integers(0, COLUMNS - 9))
        cells.put(
            int(rng.integers(ROWS)),
            column,
            text,
            (int(rng.choice([231, 46])), int(rng.choice([16, 21])), rng.choice([0, BOLD])),
        )
    return cells


def seen(screen: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """What a person sees in each cell of pyte's screen: two pixels, or a character on its background."""
    rows = []
    for row in range(ROWS):
        line: list[tuple[object, ...]] = []
        for column in range(COLUMNS):
            cell = screen.buffer[row][column]
            if cell.data in ("▀", "▄"):
                line.append((cell.fg, cell.bg) if cell.data == "▀" else (cell.bg, cell.fg))
            elif cell.data == " ":
                line.append((cell.bg, cell.bg))
            else:
                line.append((cell.data, cell.fg, cell.bg, cell.bold))
        rows.append(line)
    return rows


def wanted(cells: Cells) -> list[list[tuple[object, ...]]]:
    """The same of our cells."""

    def colour(number: int) -> str:
        return bytes(PALETTE[number].tolist()).hex()

    rows = []
    for row in range(ROWS):
        line: list[tuple[object, ...]] = []
        for column in range(COLUMNS):
            glyph, text, back = (int(part[row, column]) for part in (cells.glyph, cells.text, cells.back))
            if glyph == HALF:
                line.append((colour(text), colour(back)))
            elif glyph == SPACE:
                line.append((colour(back), colour(back)))
            elif glyph == TAIL:
                line.append(("", *line[-1][1:]))
            else:
                character = chr(glyph) if glyph < 0x110000 else "\u00e1"  # pyte composes e and its accent
                line.append((character, colour(text), colour(back), bool(cells.attributes[row, column] & BOLD)))
        rows.append(line)
    return rows


@pytest.mark.parametrize("seed", range(25))
def test_a_terminal_shows_the_cells(codes: Codes, seed: int) -> None:
    """Six screens one after the other, each sent in as many parts as few bytes make: the last part completes it."""
    rng = np.random.default_rng(seed)
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    painter = Painter(codes)
    for _ in range(6):
        cells = drawn(rng)
        stream.feed(painter.paint(cells, int(rng.choice([0, 60, 10_000]))))
        while painter.behind:
            stream.feed(painter.paint(cells, 0))
        ours = [[("é" if c[0] == "á" else c[0], *c[1:]) for c in line] for line in wanted(cells)]
        assert seen(screen) == ours
        assert painter.paint(cells, 0) == b""


def test_texts_come_first_and_a_picture_goes_on_where_it_ended(codes: Codes) -> None:
    """With room for one row of the picture, all of the text is sent and each call sends the next row, none twice."""
    cells = Cells(ROWS, COLUMNS, BLACK)
    painter = Painter(codes)
    painter.paint(cells, 0)
    cells.half_blocks(0, 0, np.full((6, 10), 196), np.full((6, 10), 21))
    cells.put(6, 0, "text", (231, BLACK, 0))
    first = painter.paint(cells, 0)
    assert b"text" in first
    sent = [first]
    while painter.behind:
        sent.append(painter.paint(cells, 0))
    assert len(sent) == 6
    assert all(one.count("▀".encode()) + one.count("▄".encode()) == 10 for one in sent)
