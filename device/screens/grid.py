"""A terminal's cells, as they should be and as they were sent, and the bytes that make the one the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from device.screens.cells import character_columns
from device.screens.codes import Codes, Style

TAIL = -1
"""The second cell of a character that takes two."""
HALF = ord("▀")
"""Two pixels in a cell: the text colour above, the background below. It is sent as `▄` where that costs less."""
SPACE = ord(" ")
BRIDGE = 4
"""So many cells are rather sent again than skipped by a sequence."""

# `pictured`: part of a picture, which may come later than the texts.
_CELL = np.dtype([("glyph", "i4"), ("text", "i2"), ("back", "i2"), ("attributes", "i1"), ("pictured", "?")])
_FIRST_CLUSTER = 0x110000
_CLUSTERS: list[str] = []
_NUMBERS: dict[str, int] = {}


def _number_of(cluster: str) -> int:
    """The number of what stands in one cell: a character's own, or one for a character with its accents."""
    if len(cluster) == 1:
        return ord(cluster)
    if cluster not in _NUMBERS:
        _NUMBERS[cluster] = _FIRST_CLUSTER + len(_CLUSTERS)
        _CLUSTERS.append(cluster)
    return _NUMBERS[cluster]


def _text_of(number: int) -> str:
    return chr(number) if number < _FIRST_CLUSTER else _CLUSTERS[number - _FIRST_CLUSTER]


class Cells:
    """Rows × columns of cells; colours are numbers of the terminal's palette, −1 where they do not matter."""

    def __init__(self, rows: int, columns: int, background: int) -> None:
        self.rows, self.columns = rows, columns
        self.all = np.zeros((rows, columns), _CELL)
        self.glyph, self.text, self.back = self.all["glyph"], self.all["text"], self.all["back"]
        self.attributes, self.pictured = self.all["attributes"], self.all["pictured"]
        self.glyph[:], self.text[:], self.back[:] = SPACE, -1, background

    def put(self, row: int, column: int, text: str, style: Style) -> None:
        """Write a text that fits into the row; a character of no width joins the one before it."""
        colour, background, attributes = style
        if text.isascii():
            numbers = list(text.encode())
        else:
            numbers = []
            for character in text:
                width = character_columns(character)
                if width:
                    numbers += [ord(character)] + [TAIL] * (width - 1)
                elif numbers:
                    at = len(numbers) - (2 if numbers[-1] == TAIL else 1)
                    numbers[at] = _number_of(_text_of(numbers[at]) + character)
        end = min(column + len(numbers), self.columns)
        if end <= column:
            return
        if self.glyph[row, column] == TAIL:
            self.glyph[row, column - 1] = SPACE
        if end < self.columns and self.glyph[row, end] == TAIL:
            self.glyph[row, end] = SPACE
        glyphs = np.array(numbers[: end - column], np.int32)
        self.glyph[row, column:end] = glyphs
        # Of a space only the background is seen, unless it is reversed.
        plain = (glyphs == SPACE) & (attributes & 2 == 0)
        self.text[row, column:end] = np.where(plain, -1, colour)
        self.attributes[row, column:end] = np.where(plain, 0, attributes)
        self.back[row, column:end] = background
        self.pictured[row, column:end] = False

    def half_blocks(self, row: int, column: int, tops: np.ndarray, bottoms: np.ndarray) -> None:
        """Draw pixels of the palette, int (rows, columns) each; what lies outside is cut off."""
        plain = tops == bottoms
        self._pictured(row, column, np.where(plain, SPACE, HALF), np.where(plain, -1, tops), bottoms)

    def shades(self, row: int, column: int, glyphs: np.ndarray, text: int, background: int) -> None:
        """Draw characters, int (rows, columns), all in one colour; what lies outside is cut off."""
        self._pictured(
            row, column, glyphs, np.where(glyphs == SPACE, -1, text), np.full(glyphs.shape, background, np.int16)
        )

    def _pictured(self, row: int, column: int, glyph: np.ndarray, text: np.ndarray, back: np.ndarray) -> None:
        top, left = max(0, -row), max(0, -column)
        height, width = min(glyph.shape[0], self.rows - row), min(glyph.shape[1], self.columns - column)
        if height <= top or width <= left:
            return
        inside = slice(row + top, row + height), slice(column + left, column + width)
        part = slice(top, height), slice(left, width)
        self.glyph[inside], self.text[inside], self.back[inside] = glyph[part], text[part], back[part]
        self.attributes[inside] = 0
        self.pictured[inside] = True


class Painter:
    """Knows what a terminal shows, and sends what is different; codes: the terminal's."""

    def __init__(self, codes: Codes) -> None:
        self.codes = codes
        self._sent: Cells | None = None
        self._at: tuple[int, int] | None = None
        self._style: Style | None = None
        self._next_row = 0
        self.behind = False
        """Whether some of the picture that was to be shown last was not sent."""

    def forget(self) -> None:
        """Nobody knows what the terminal shows: the next screen is sent whole."""
        self._sent = None

    def paint(self, cells: Cells, most: int) -> bytes:
        """What makes the terminal show these cells: all of the texts, and of a picture the rows that `most` allows.

        most: bytes. A picture's other rows are sent by the next calls, which begin where this one ended.
        """
        out: list[bytes] = []
        if self._sent is None or (self._sent.rows, self._sent.columns) != (cells.rows, cells.columns):
            out.append(self._begin(cells))
        sent = self._sent
        assert sent is not None
        different = (sent.glyph != cells.glyph) | (sent.text != cells.text) | (sent.back != cells.back)
        different |= sent.attributes != cells.attributes
        # The second half of a character comes with the first.
        different[:, :-1] |= different[:, 1:] & (cells.glyph[:, 1:] == TAIL)
        different &= cells.glyph != TAIL
        if self.codes.scrolls:
            different[-1, -1] = False
        texts = different & ~cells.pictured
        for row in np.flatnonzero(texts.any(1)).tolist():
            out += self._row(cells, row, np.flatnonzero(texts[row]).tolist())
        size = sum(map(len, out))
        pictures = different & cells.pictured
        rows = np.flatnonzero(pictures.any(1))
        rows = np.roll(rows, -int(np.searchsorted(rows, self._next_row)))
        self.behind = False
        for position, row in enumerate(rows.tolist()):
            if size >= most and position:
                self._next_row, self.behind = row, True
                break
            line = list(self._row(cells, row, np.flatnonzero(pictures[row]).tolist()))
            out += line
            size += sum(map(len, line))
        return b"".join(out)

    def _begin(self, cells: Cells) -> bytes:
        """Clear the terminal; what it shows then."""
        codes, background = self.codes, int(cells.back[0, 0]) if cells.back.size else -1
        self._sent = Cells(cells.rows, cells.columns, background if codes.fills or background < 0 else -2)
        self._at, self._style, self._next_row = None, None, 0
        style = (-1, background, 0)
        return codes.style(None, style) + codes.clear

    def _row(self, cells: Cells, row: int, columns: list[int]) -> Iterator[bytes]:
        """The bytes for some cells of a row, ascending."""
        sent = self._sent
        assert sent is not None
        glyphs, texts, backs = cells.glyph[row].tolist(), cells.text[row].tolist(), cells.back[row].tolist()
        attributes = cells.attributes[row].tolist()
        for column in columns:
            yield self._move(row, column, (glyphs, texts, backs, attributes))
            number = glyphs[column]
            character = _text_of(number)
            wanted = texts[column], backs[column], attributes[column]
            code = self._to(wanted)
            if number == HALF and not wanted[2]:
                turned = wanted[1], wanted[0], 0
                other = self._to(turned)
                if len(other) < len(code):
                    character, wanted, code = "▄", turned, other
            yield code
            # A colour that does not matter stays as it is.
            self._style = (
                wanted[0] if wanted[0] >= 0 or not self._style or self._style[2] != wanted[2] else self._style[0],
                wanted[1],
                wanted[2],
            )
            yield character.encode()
            wide = column + 1 < cells.columns and glyphs[column + 1] == TAIL
            # Terminals do not agree about how wide what is not Latin is, nor where they are after the last column.
            sure = number < 0x300 or 0x2000 <= number < 0x2600
            end = column + (2 if wide else 1)
            self._at = (row, end) if sure and not wide and end < cells.columns else None
        kept = np.array(columns)
        kept = np.union1d(kept, kept[kept + 1 < cells.columns] + 1)
        kept = kept[(cells.glyph[row, kept] == TAIL) | np.isin(kept, columns)]
        sent.all[row, kept] = cells.all[row, kept]

    def _to(self, style: Style) -> bytes:
        return b"" if style == self._style else self.codes.style(self._style, style)

    def _move(self, row: int, column: int, cells: tuple[list[int], ...]) -> bytes:
        """From where the cursor is to a cell."""
        if self._at == (row, column):
            return b""
        move = self.codes.move(row, column)
        if self._at is None or self._at[0] != row or self._at[1] > column:
            return move
        begin = self._at[1]
        if column - begin <= BRIDGE and self._style is not None:
            glyphs, texts, backs, attributes = cells
            between = range(begin, column)
            if all(
                0 <= glyphs[c] < 0x300
                and texts[c] in (-1, self._style[0])
                and (backs[c], attributes[c]) == self._style[1:]
                for c in between
            ):
                return "".join(chr(glyphs[c]) for c in between).encode()
        right = self.codes.right(column - begin)
        return right if right and len(right) < len(move) else move
