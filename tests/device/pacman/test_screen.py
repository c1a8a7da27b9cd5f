"""The game's picture, in a real pseudo-terminal."""

from __future__ import annotations

import sys
import textwrap

import pytest
from terminal_pty import Pty

from device.pacman.maze import COMPACT, LARGE, Maze
from device.pacman.screen import wall_lines

PLAYER, BLACK, FRIGHTENED = "ffd700", "000000", "0000d7"
GHOSTS = {"ff5f5f", "d75fff", "00d7d7", "5fd75f"}

SHOW = """
    from device.pacman.game import Game, State
    from device.pacman.ghosts import GhostPlace
    from device.pacman.maze import pick_maze
    from device.pacman.screen import BoardScreen
    from device.screens.terminal import Terminal
    with Terminal() as term:
        game = Game(pick_maze(*term.size), seed=1)
        while game.state is State.READY:
            game.step("left")
        {change}
        board, marker = BoardScreen(best=12340), ""
        while "q" not in term.keys(wait_s=0.05):
            term.clear()
            board.draw(term, game, 0, 0)
            rows, columns = board.size(game)
            term.put(rows - 1, columns + 1, marker, "grey")
            term.show()
            marker = "here begins the panel"  # from the second time on: the whole board has been sent before it
"""


def shown(change: str = "", rows: int = 24, columns: int = 80, env: dict[str, str | None] | None = None) -> Pty:
    """A terminal that shows a game after a change to it."""
    pty = Pty.spawn([sys.executable, "-c", textwrap.dedent(SHOW).format(change=change or "pass")], rows, columns, env)
    try:
        pty.wait_for("here begins the panel")
    except BaseException:
        pty.close()
        raise
    return pty


def backgrounds(pty: Pty, rows: int, columns: int) -> dict[str, int]:
    """How many cells of the board have each background."""
    counts: dict[str, int] = {}
    for row in range(1, rows - 1):
        for column in range(columns):
            colour = pty.colour_at(row, column)[1]
            counts[colour] = counts.get(colour, 0) + 1
    return counts


def test_the_compact_board_fits_beside_a_panel() -> None:
    """On 80×24 the board takes 45 columns and 21 rows, with score, best, level, lives and all four ghosts."""
    with shown() as pty:
        lines = pty.screen()
        assert lines[0].split() == ["SCORE", "0", "BEST", "12340", "LEVEL", "1"]
        assert lines[1].startswith("╭───")
        assert lines[19].startswith("╰───")
        assert lines[20].endswith("180 left  here begins the panel")
        assert all(len(line) <= 45 for line in lines[:20])
        assert sum(line.count("·") for line in lines[1:20]) >= 176
        counts = backgrounds(pty, 21, 45)
        assert {colour: counts.get(colour) for colour in (PLAYER, *GHOSTS)} == dict.fromkeys((PLAYER, *GHOSTS), 3)
        assert sum(pty.colour_at(20, column)[1] == PLAYER for column in range(45)) == 3 * 3


def test_the_large_board_needs_a_large_window() -> None:
    """From 34 rows and 86 columns on the classic size is played, 28×31 cells."""
    with shown(rows=34, columns=86) as pty:
        assert "322 left" in pty.screen()[32]
        assert pty.screen()[31].startswith("╰" + "─" * 53 + "╯")


def test_the_player_shows_where_it_goes() -> None:
    """The player is three yellow columns centred on its cell, its mouth towards its direction."""
    with shown("game.player.put((4, 2)); game.player.direction = 'right'") as pty:
        assert pty.screen()[5][3:6] == " ·<"
        assert [pty.colour_at(5, column)[1] for column in range(2, 7)] == [BLACK, *[PLAYER] * 3, BLACK]


def test_frightened_ghosts_and_eyes_look_different() -> None:
    """Frightened ghosts are blue with wide eyes, near the end they flash white; eaten ones are a pair of eyes."""
    fright = (
        "[ghost.frighten() for ghost in game.ghosts[:3]]; game.ghosts[3].place = GhostPlace.EYES; game.fright_left = {}"
    )
    with shown(fright.format(100)) as pty:
        counts = backgrounds(pty, 21, 45)
        assert counts.get(FRIGHTENED) == 9
        assert not GHOSTS & set(counts)
        assert sum(line.count("o~o") for line in pty.screen()) == 3
    with shown(fright.format(16)) as pty:
        assert backgrounds(pty, 21, 45).get("d7d7ff") == 9


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("game.hold(True)", "CAMERA LOST"),
        ("game.pause()", "PAUSED"),
        ("game.state = State.LOST", "GAME OVER · r restarts"),
        ("game.state = State.WON", "LEVEL 1 WON"),
        ("game.reset(); game.ticks = 5", "READY!"),
    ],
)
def test_the_state_is_written_on_the_board(change: str, text: str) -> None:
    """Ready, paused (with the reason), won and lost stand in the middle of the board."""
    with shown(change) as pty:
        row, column = pty.find(text)
        assert 8 < row < 14
        assert abs(column + len(text) / 2 - 45 / 2) <= 1


def test_in_the_tunnel_the_player_is_cut_at_the_board() -> None:
    """Half in the tunnel, the player never reaches over into the panel."""
    with shown("game.player.put((8, 22)); game.player.column += 40; game.player.direction = 'right'") as pty:
        assert {pty.colour_at(9, column)[1] for column in range(45, 80)} == {BLACK}
        assert pty.colour_at(9, 44)[1] == PLAYER


def test_a_caught_player_shrinks_away() -> None:
    """A caught player stands alone on the board and shrinks to a point."""
    dying = "game.ghosts[0].put(game.player.cell); game.step(None); [game.step(None) for _ in range({})]"
    with shown(dying.format(0)) as pty:
        counts = backgrounds(pty, 21, 45)
        assert counts.get(PLAYER) == 3
        assert not GHOSTS & set(counts)
    with shown(dying.format(25)) as pty:
        assert PLAYER not in backgrounds(pty, 21, 45)


def test_without_unicode_the_board_is_ascii() -> None:
    """In a terminal without UTF-8 and with eight colours the same board is drawn in ASCII."""
    with shown(env={"LC_ALL": "C", "TERM": "linux"}) as pty:
        lines = pty.screen()
        assert lines[1].startswith("+---")
        assert "".join(lines).isascii()
        assert "?" not in "".join(lines)
        assert pty.colour_at(1, 0)[0] == "blue"


@pytest.mark.parametrize("maze", [COMPACT, LARGE], ids=lambda maze: maze.name)
def test_walls_are_closed_lines(maze: Maze) -> None:
    """A line never stops between two cells, a corner is met by a line at both of its arms, and no line is on a way."""
    lines = wall_lines(maze)
    assert {len(line) for line in lines} == {2 * maze.columns - 1}

    def sign(row: int, column: int) -> str:
        return lines[row][column] if 0 <= row < maze.rows and 0 <= column < 2 * maze.columns - 1 else " "

    arms = {"right": "╭╰├┬┴┼", "left": "╮╯┤┬┴┼", "down": "╭╮├┤┬┼", "up": "╰╯├┤┴┼"}
    for row in range(maze.rows):
        for column in range(2 * maze.columns - 1):
            here = sign(row, column)
            if column % 2:
                assert here in " ─"
                if here == "─":
                    assert sign(row, column - 1) in "─" + arms["right"]
                    assert sign(row, column + 1) in "─" + arms["left"]
                continue
            assert maze.art[row][column // 2] == "#" or here == " "
            assert here not in arms["right"] or sign(row, column + 1) == "─"
            assert here not in arms["left"] or sign(row, column - 1) == "─"
            assert here not in arms["down"] or sign(row + 1, column) in "│" + arms["up"]
            assert here not in arms["up"] or sign(row - 1, column) in "│" + arms["down"]
