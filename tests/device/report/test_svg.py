"""Drawings: the same lines and words as SVG and as pixels."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from device.report.modes import modes_drawing
from device.report.svg import SHARP, Drawing
from edge_tl.errors import ConfigError
from edge_tl.media.image import decode
from edge_tl.nn import Epoch

RED = "#ff0000"


def red(drawing: Drawing) -> np.ndarray:
    """bool (height, width): where a unit of the drawing holds a red pixel."""
    picture = drawing.picture()
    found = (picture == (255, 0, 0)).all(axis=2)
    return found.reshape(drawing.height, SHARP, drawing.width, SHARP).any(axis=(1, 3))


def test_words_are_no_markup() -> None:
    """Whatever is said stays what it is, in the title too, and the file is XML."""
    said = """<b> & "both" 'ways'"""
    drawing = Drawing(100, 50, said)
    drawing.words(5, 20, said, bold=True)
    drawing.line([(0, 0), (100, 50)], RED, "4 3")
    root = ElementTree.fromstring(drawing.svg())
    assert root.attrib["aria-label"] == said
    assert [one.text for one in root if one.tag.endswith("text")] == [said]


def test_a_scale_goes_from_its_corners() -> None:
    """The values at the ends of a scale lie at the corners of its box, and each tick has a line and its words."""
    drawing = Drawing(200, 100)
    place = drawing.axes((20, 10), (150, 80), (-1, 3), [(-1, "low"), (1, ""), (3, "high")])
    assert place(0, 3) == (20, 10)
    assert place(1, -1) == (170, 90)
    assert place(0.5, 1) == (95, 50)
    text = drawing.svg()
    assert text.count("<polyline") == 3
    assert ">low</text>" in text
    assert text.count("<text") == 2


def test_one_point_is_seen() -> None:
    """A line of one point is a dot there, as SVG and as pixels; one of none is nothing."""
    drawing = Drawing(40, 40)
    drawing.line([], RED)
    assert not red(drawing).any()
    drawing.line([(30, 10)], RED)
    rows, columns = np.nonzero(red(drawing))
    assert abs(rows - 10).max() <= 4
    assert abs(columns - 30).max() <= 4
    assert drawing.svg().count("<polyline") == 1


def test_dashes_follow_the_line() -> None:
    """Dashed, a line with a corner goes around it in pixels too, with gaps, and not straight to its end."""
    full, dashed = Drawing(100, 60), Drawing(100, 60)
    points = [(10.0, 10.0), (50.0, 50.0), (90.0, 10.0)]
    full.line(points, RED)
    dashed.line(points, RED, "4 3")
    there, broken = red(full), red(dashed)
    assert broken[44:53, 45:56].any()  # about the corner
    assert not broken[:20, 30:70].any()  # straight across
    assert 0.25 * there.sum() < broken.sum() < 0.9 * there.sum()


def test_modes_are_drawn_into_a_picture_too(tmp_path: Path) -> None:
    """`model adapt --curve` writes the PNG that its name says; a folder that is not there is told."""
    curves = {mode: [Epoch(n, 1 / n, 0.5, 2 / n, 0.4) for n in (1, 2, 3)] for mode in ("freeze", "all")}
    drawing = modes_drawing(curves, "modes")
    drawing.write(tmp_path / "modes.png")
    assert decode(tmp_path / "modes.png").shape == (SHARP * drawing.height, SHARP * drawing.width, 3)
    assert drawing.svg().count("stroke-dasharray") == 4
    assert drawing.svg().count("full: held out") == 1
    with pytest.raises(ConfigError, match="cannot be written"):
        drawing.write(tmp_path / "none" / "modes.svg")
