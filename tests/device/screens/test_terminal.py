"""The terminal: tested in a real pseudo-terminal, its screen read through pyte."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import textwrap
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT
from terminal_pty import Pty

from device.screens.cells import (
    PALETTE,
    ascii_text,
    cut,
    fit,
    nearest_256,
    printable,
    shrink,
    text_columns,
)
from device.screens.panel import preview
from edge_tl.embedders.look.marks import Mark

ECHO = """
    import sys
    from device.screens.terminal import Terminal
    seen = []
    with Terminal(min_rows=5, min_columns=20) as term:
        while "q" not in seen:
            seen += term.keys(wait_s=1.0)
            term.clear()
            term.put(0, 0, "size %d %d" % term.size)
            term.put(1, 0, "keys " + ",".join(seen))
            term.put(2, 0, "end")
            term.show()
    print("good bye")
"""


def program(code: str) -> list[str]:
    """The command that runs a piece of Python."""
    return [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]


def once(drawing: str) -> list[str]:
    """The command that draws one screen, shows it, then writes `drawn` (so all else has come), and waits."""
    return program(
        "import numpy as np\nfrom device.screens.terminal import Terminal\nwith Terminal() as term:\n"
        + textwrap.indent(textwrap.dedent(drawing), "    ")
        + "\n    term.show()\n    term.settle(60)\n    term.put(term.size[0] - 2, 0, 'drawn')\n    term.show()\n"
        + "    term.keys(wait_s=60)\n"
    )


def test_keys_have_names() -> None:
    """Arrows, enter, escape, backspace, tab and ordinary characters (UTF-8 too) arrive under their names."""
    with Pty.spawn(program(ECHO)) as pty:
        pty.wait_for("end")
        pty.send("up", "down", "left", "right", "enter", "backspace", "tab", "a", "é", "\x01")
        pty.wait_for("keys up,down,left,right,enter,backspace,tab,a,é,ctrl-a")
        pty.send("escape")
        pty.wait_for("ctrl-a,escape")
        pty.send("q")
        assert pty.wait_exit() == 0
        assert pty.restored()
        assert pty.plain().rstrip().endswith("good bye")


def test_resizing_is_seen() -> None:
    """A window that changes its size is a key called `resize`, and the next screen has the new size."""
    with Pty.spawn(program(ECHO)) as pty:
        pty.wait_for("size 24 80")
        pty.resize(30, 100)
        pty.wait_for("size 30 100")
        pty.wait_for("keys resize")
        pty.send("q")
        assert pty.wait_exit() == 0


def test_a_window_that_shrinks_asks_to_be_made_larger() -> None:
    """A window too small says so while it is too small, and shows the screen again afterwards."""
    with Pty.spawn(program(ECHO)) as pty:
        pty.wait_for("end")
        pty.resize(4, 70)
        pty.wait_for("make the window larger: 70×4, needs 20×5")
        pty.wait_gone("end")
        pty.resize(24, 80)
        pty.wait_for("end")
        pty.send("q")
        assert pty.wait_exit() == 0


@pytest.mark.parametrize(
    ("rows", "columns", "env", "words"),
    [
        (4, 20, {}, "20×4 characters, this needs 20×5; make it larger"),
        (24, 80, {"TERM": "dumb"}, "TERM='dumb' cannot move the cursor"),
        (24, 80, {"TERM": None}, "TERM=''"),
    ],
)
def test_an_unusable_terminal_is_one_clear_error(
    rows: int, columns: int, env: dict[str, str | None], words: str
) -> None:
    """A terminal too small or unable to move its cursor is a ConfigError of one line, before it was touched."""
    code = ECHO.replace("with Terminal(", "from edge_tl.errors import ConfigError\n    with Terminal(")
    with Pty.spawn(program(code), rows, columns, env) as pty:
        assert pty.wait_exit() == 1
        assert words in pty.plain().replace("\r\n", "\n").splitlines()[-1]
        assert pty.restored()
        assert b"\x1b[?1049h" not in pty.raw


def test_no_terminal_is_one_clear_error() -> None:
    """With its output in a pipe the program says that it needs a terminal."""
    result = subprocess.run(program(ECHO), capture_output=True, text=True, cwd=ROOT, stdin=subprocess.DEVNULL)
    assert result.stderr.splitlines()[-1].startswith("edge_tl.errors.ConfigError: this needs a terminal")


def test_an_exception_gives_the_terminal_back() -> None:
    """After an exception the terminal is as it was, and the traceback can be read on it."""
    with Pty.spawn(once("term.show(); raise RuntimeError('it broke')")) as pty:
        assert pty.wait_exit() == 1
        assert pty.restored()
        after = pty.raw.rsplit(b"\x1b[?1049l", 1)[1].decode()
        assert "RuntimeError: it broke" in after


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_give_the_terminal_back(number: signal.Signals, status: int) -> None:
    """SIGTERM and SIGHUP end the program through its `with` blocks, with the shell's status, the terminal restored."""
    with Pty.spawn(once("import atexit; atexit.register(print, 'unwound')")) as pty:
        pty.wait_for("drawn")
        pty.signal(number)
        assert pty.wait_exit() == status
        assert pty.restored()
        assert "unwound" in pty.plain()


def test_ctrl_c_gives_the_terminal_back() -> None:
    """Ctrl-C is a KeyboardInterrupt, as everywhere in Python, with the terminal restored."""
    with Pty.spawn(once("")) as pty:
        pty.wait_for("drawn")
        pty.send("ctrl-c")
        pty.wait_exit()
        assert pty.restored()
        assert "KeyboardInterrupt" in pty.plain()


def test_handlers_are_put_back_and_a_second_screen_can_open() -> None:
    """After the screen the signal handlers are those from before, and another screen can be opened."""
    code = """
        import signal
        from device.screens.terminal import Terminal
        mine = lambda *_: None
        signal.signal(signal.SIGTERM, mine)
        hangup = signal.getsignal(signal.SIGHUP)
        for name in ("first", "second"):
            with Terminal() as term:
                term.put(0, 0, name)
                term.show()
                term.keys(wait_s=60)
            assert signal.getsignal(signal.SIGTERM) is mine
            assert signal.getsignal(signal.SIGHUP) is hangup
    """
    with Pty.spawn(program(code)) as pty:
        pty.wait_for("first")
        pty.send("x")
        pty.wait_for("second")
        pty.send("x")
        assert pty.wait_exit() == 0
        assert pty.restored()


def test_libraries_do_not_scribble_over_the_screen() -> None:
    """What C libraries print on standard error while the screen is open appears after it has closed."""
    with Pty.spawn(once("import os; os.write(2, b'INFO: Created delegate')")) as pty:
        pty.wait_for("drawn")
        assert "INFO" not in pty.plain()
        pty.send("x")
        assert pty.wait_exit() == 0
        assert pty.plain().rstrip().endswith("INFO: Created delegate")


def test_everything_is_cut_at_the_edges() -> None:
    """Texts and pictures that reach over any edge are cut there; the lower right cell can be written."""
    drawing = """
        rows, columns = term.size
        term.put(0, -2, "abcd")
        term.put(0, columns - 2, "wxyz")
        term.put(rows - 1, columns - 3, "123456")
        term.put(-1, 0, "no"); term.put(rows, 0, "no"); term.put(3, 10**6, "no"); term.put(4, -99, "no")
        term.put(5, columns - 1, "日本")
        grey = np.full((50, 50, 3), 128, np.uint8)
        for r, c in ((-3, -3), (rows - 2, columns - 2), (-99, 0), (0, 999)):
            term.picture(r, c, grey, 5, 5)
        term.picture(0, 0, grey, 0, 5)
    """
    with Pty.spawn(once(drawing), rows=12, columns=40) as pty:
        pty.wait_for("drawn")
        lines = pty.screen()
        assert {pty.colour_at(11, column)[1] for column in (38, 39)} == {"808080"}
        assert lines[0][38:] == "wx"
        assert "no" not in "".join(lines)
        pty.send("x")
        assert pty.wait_exit() == 0


def test_a_label_cannot_take_the_terminal_over() -> None:
    """Control characters in a text are drawn as question marks; wide characters keep what follows in its column."""
    with Pty.spawn(once(r"term.put(0, 0, 'a\x1b[2Jb\nc\u202ed'); term.put(1, 0, '日本'); term.put(1, 4, '|')")) as pty:
        pty.wait_for("drawn")
        assert pty.screen()[0] == "a?[2Jb?c?d"
        assert pty.colour_at(1, 4) is not None
        assert pty.screen()[1].replace(" ", "").startswith("日本|")
        pty.send("x")
        pty.wait_exit()


def test_colours_are_the_same_in_every_theme() -> None:
    """With 256 colours the named colours and RGB arrive as xterm's cube, on black, not as the theme's own."""
    with Pty.spawn(once("term.put(0, 0, 'a', 'yellow'); term.put(0, 1, 'b', (0, 0, 250), background='red')")) as pty:
        pty.wait_for("drawn")
        assert pty.colour_at(0, 0) == ("ffd700", "000000")
        assert pty.colour_at(0, 1) == ("0000ff", "ff5f5f")
        assert pty.colour_at(9, 30)[1] == "000000"
        pty.send("x")
        pty.wait_exit()


def test_a_picture_is_drawn_in_half_blocks() -> None:
    """A picture appears in its colours, two pixels a cell: red above blue, green to the right."""
    drawing = """
        rgb = np.zeros((40, 40, 3), np.uint8)
        rgb[:20] = (255, 0, 0); rgb[20:] = (0, 0, 255); rgb[:, 20:] = (0, 255, 0)
        term.picture(2, 3, rgb, 1, 2)
    """
    with Pty.spawn(once(drawing)) as pty:
        pty.wait_for("drawn")
        block = pty.screen()[2][3]
        expected = ("ff0000", "0000ff") if block == "▀" else ("0000ff", "ff0000")
        assert pty.colour_at(2, 3) == expected
        assert (pty.screen()[2][4:], pty.colour_at(2, 4)[1]) == ("", "00ff00")
        pty.send("x")
        pty.wait_exit()


def test_a_picture_has_the_nearest_colours_there_are() -> None:
    """Each of a smooth picture's 2 400 pixels is drawn in the palette's colour that is nearest."""
    drawing = """
        y, x = np.mgrid[0:60, 0:40]
        rgb = np.stack([y * 4, x * 6, (x + y) * 2], -1).astype(np.uint8)
        term.picture(0, 0, rgb, 30, 40)
        term.put(32, 0, "text", "pink")
    """
    with Pty.spawn(once(drawing), rows=36, columns=60) as pty:
        pty.wait_for("drawn")
        seen = np.zeros((60, 40, 3))
        for row in range(30):
            for column in range(40):
                colours = pty.colour_at(row, column)
                block = (pty.screen()[row] + " " * 40)[column]
                top, bottom = {"▀": colours, "▄": colours[::-1], " ": colours[1:] * 2}[block]
                seen[2 * row, column] = list(bytes.fromhex(top))
                seen[2 * row + 1, column] = list(bytes.fromhex(bottom))
        y, x = np.mgrid[0:60, 0:40]
        wanted = np.stack([y * 4, x * 6, (x + y) * 2], -1)
        best = PALETTE[nearest_256(wanted)]
        assert (seen == best).all()
        assert pty.colour_at(32, 0)[0] == "ffafd7"
        pty.send("x")
        pty.wait_exit()


@pytest.mark.parametrize(
    ("env", "line", "shades"),
    [
        ({"TERM": "linux"}, "│▒ok …", "[░▒█ ]+"),
        ({"TERM": "vt100"}, "│▌ok …", "[░▒▓█ ]+"),
        ({"LC_ALL": "C"}, "|=ok ~", "[ .:=+*#%@-]+"),
    ],
)
def test_poor_terminals_get_shades_and_ascii(env: dict[str, str | None], line: str, shades: str) -> None:
    """Without 256 colours a picture is shades of grey; without UTF-8 lines and pictures are ASCII."""
    drawing = """
        term.put(0, 0, "│▌ok …", "red", background="blue")
        term.picture(1, 0, np.linspace(0, 255, 2400).reshape(20, 40, 3).astype(np.uint8), 3, 8)
    """
    with Pty.spawn(once(drawing), env=env) as pty:
        pty.wait_for("drawn")
        lines = pty.screen()
        assert lines[0] == line
        assert re.fullmatch(shades, lines[2])
        assert len(set(lines[2] + lines[3])) > 1
        pty.send("x")
        pty.wait_exit()


@given(st.text(max_size=30), st.integers(0, 40))
def test_fitted_texts_have_exactly_their_columns(text: str, columns: int) -> None:
    """A fitted text takes exactly the columns asked for, whatever characters it has."""
    text = printable(text)
    assert text_columns(fit(text, columns)) == columns
    assert text.startswith(cut(text, columns))
    assert ascii_text(text).isascii()
    assert not any(unicodedata.category(c) == "Cc" for c in text)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 20), st.integers(1, 20), st.integers(0, 255))
def test_a_plain_picture_shrinks_to_its_colour(h: int, w: int, height: int, width: int, value: int) -> None:
    """Shrinking works from any size to any size, and leaves a plain colour as it is."""
    small = shrink(np.full((h, w, 3), value, np.uint8), height, width)
    assert Counter(small.ravel().tolist()) == {value: height * width * 3}


def test_shrinking_keeps_the_middle_and_the_proportions() -> None:
    """A wide picture loses its sides and is not squeezed; each pixel is the mean of its area."""
    wide = np.zeros((10, 40, 3), np.uint8)
    wide[:, 15:25] = 200
    assert (shrink(wide, 2, 2) == 200).all()
    checks = np.indices((4, 4)).sum(0) % 2 * 200
    assert (shrink(np.repeat(checks[..., None], 3, -1).astype(np.uint8), 2, 2) == 100).all()


@pytest.mark.parametrize(("rows", "columns"), [(90, 160), (160, 90), (120, 160), (3, 400)])
def test_a_preview_shows_the_whole_picture(rows: int, columns: int) -> None:
    """Of a wide or an upright picture every corner is seen, a point lies on its spot, and the rest is black."""
    picture = np.full((rows, columns, 3), 100, np.uint8)
    spots = np.array([(0.0, 0.0), (columns - 1, 0), (0, rows - 1), (columns - 1, rows - 1)])
    outline = np.array([(0.0, 0.0), (columns, 0), (columns, rows), (0, rows)]) / 2
    plain = preview(picture, [], 24, 32)
    drawn = preview(picture, [Mark(outline, spots)], 24, 32)
    inside = plain[..., 0] == 100
    assert (plain[~inside] == 0).all()
    high, wide = inside.any(axis=1).sum(), inside.any(axis=0).sum()
    assert high == 24 or wide == 32
    assert wide / high == pytest.approx(min(32, columns / rows), rel=0.05)
    top, left = np.argwhere(inside)[0]
    marked = (drawn != plain).any(axis=2)
    for y, x in ((top, left), (top, left + wide - 1), (top + high - 1, left), (top + high - 1, left + wide - 1)):
        assert marked[y, x]
    assert not marked[~inside].any()


@pytest.mark.parametrize("name", ["xterm-kitty", "xterm-ghostty-of-tomorrow", "foot-of-tomorrow"])
def test_a_terminal_of_an_unknown_name_is_drawn_as_xterm(name: str) -> None:
    """A name that this computer does not know is said in one line, and the screen has its 256 colours."""
    with Pty.spawn(once("term.put(0, 0, 'a', 'yellow')"), env={"TERM": name, "TERMINFO": "/nowhere"}) as pty:
        pty.wait_for("drawn")
        said = f"edge-tl: the terminal type TERM='{name}' is unknown here: taken for xterm-256color"
        assert said in " ".join(pty.plain().split())
        assert pty.colour_at(0, 0)[0] == "ffd700"
        pty.send("x")
        assert pty.wait_exit() == 0


def test_no_color_is_heeded() -> None:
    """With NO_COLOR pictures are shades of grey, no colour is sent, and what had a background is reversed."""
    drawing = """
        term.put(0, 0, "plain", "red")
        term.put(1, 0, "ghost", "black", background="cyan")
        term.picture(2, 0, np.linspace(0, 255, 2400).reshape(20, 40, 3).astype(np.uint8), 3, 8)
    """
    with Pty.spawn(once(drawing), env={"NO_COLOR": "1"}) as pty:
        pty.wait_for("drawn")
        assert re.fullmatch("[░▒▓█ ]+", pty.screen()[3])
        assert not re.search(rb"\x1b\[[0-9;]*[34]8;5", pty.raw)
        assert pty.reversed_at(1, 0)
        assert not pty.reversed_at(0, 0)
        pty.send("x")
        assert pty.wait_exit() == 0
