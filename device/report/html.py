"""The parts of a page: the document, tiles, sections, tables, pictures. What a user typed is escaped on its way in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from device.report.pictures import Thumbnail
from device.report.style import STYLE
from device.report.svg import DASHES, area, circle


def document(title: str, date: str, parts: Sequence[str]) -> str:
    """A whole page; empty parts are left out."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        # Even if something were to slip in: the page may load and run nothing.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        f"<title>{escape(title)} – edge-tl report</title><style>{STYLE}</style></head>\n"
        f'<body><main>\n<p class="soft">edge-tl report · {escape(date)}</p><h1>{escape(title)}</h1>\n'
        f"{chr(10).join(part for part in parts if part)}\n</main></body></html>\n"
    )


def tile(accuracy: float, interval: tuple[float, float] | None, what: str, how: str) -> str:
    """One figure."""
    number = "–" if math.isnan(accuracy) else f"{accuracy:.1%}"
    said = f"{escape(what)}" + (f"<br>95 % interval {interval[0]:.0%} to {interval[1]:.0%}" if interval else "")
    return f'<div class="tile"><b>{number}</b>{said}<p class="soft">{escape(how)}</p></div>'


def figure(shot: Thumbnail | None, words: str) -> str:
    """A picture with what was found in it, and a line below."""
    if shot is None:
        return f"<figure><figcaption>{escape(words)} (no file was kept)</figcaption></figure>"
    drawn = []
    for outline in shot.outlines:
        drawn.append(area(outline.tolist(), 'fill="none" stroke="#F0E442" stroke-width="1.2"'))
    for points in shot.points:
        drawn += [circle(x, y, 1.7, 'fill="#D55E00" stroke="#fff" stroke-width=".5"') for x, y in points]
    for guess in shot.guesses:
        drawn.append(
            area(guess.tolist(), f'fill="none" stroke="#56B4E9" stroke-width="1.6" stroke-dasharray="{DASHES}"')
        )
    size = f'width="{shot.width_px}" height="{shot.height_px}"'
    return (
        f'<figure><svg viewBox="0 0 {shot.width_px} {shot.height_px}" role="img" aria-label="example {shot.example}">'
        f'<image href="{shot.data}" {size}/>{"".join(drawn)}</svg><figcaption>{escape(words)}</figcaption></figure>'
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A plain table; a long one may be scrolled sideways."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = []
    for first, *rest in rows:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        lines.append(f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>')
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def section(title: str, body: str) -> str:
    """A part of the page."""
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def note(text: str) -> str:
    """A sentence in small print."""
    return f'<p class="soft">{escape(text)}</p>'


def share(value: float) -> str:
    """A share in percent."""
    return "–" if math.isnan(value) else f"{value:.1%}"
