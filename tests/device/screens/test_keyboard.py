"""What a terminal sends and which keys that is: whole sequences, Alt, pasted text, keyboards of any country."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.screens.keyboard import PASTE, PASTE_S, SEQUENCE_S, Keyboard
from device.screens.layouts import command, foreign
from device.screens.naming import NameField
from edge_tl.testing import FakeClock

SENT = [
    ("q", ["q"]),
    ("é日", ["é", "日"]),
    ("\r\n\t\x7f\b", ["enter", "enter", "tab", "backspace", "backspace"]),
    ("\x01\x1a", ["ctrl-a", "ctrl-z"]),
    ("\x1b", ["escape"]),
    ("\x1b\x1b", ["escape"]),
    ("\x1b[A\x1bOB\x1b[C\x1bOD", ["up", "down", "right", "left"]),
    ("\x1b[1;2A\x1b[1;5B", ["up", "down"]),
    ("\x1b[H\x1b[4~\x1b[3~\x1b[5~\x1b[6~", ["home", "end", "delete", "page up", "page down"]),
    ("\x1bOP\x1b[15~\x1b[24~\x1b[[A", ["f1", "f5", "f12", "f1"]),
    # Alt with a key, and with one that is a sequence: nothing.
    ("\x1bq", []),
    ("\x1b1\x1b2", []),
    ("\x1b[", []),
    ("\x1bO", []),
    ("\x1bP", []),
    ("\x1b]", []),
    ("\x1bé", []),
    ("\x1b\x1b[A", []),
    ("\x1bqq", ["q"]),
    # The numpad in application mode.
    ("".join(f"\x1bO{letter}" for letter in "pqrstuvwxy"), list("0123456789")),
    ("\x1bOk\x1bOm\x1bOM", ["+", "-", "enter"]),
    # What nobody asked for: a mouse, focus, a title, the cursor's place, a key of another protocol.
    ("\x1b[<64;1;1Mx", ["x"]),
    ("\x1b[M !!x", ["x"]),
    ("\x1b[I\x1b[Ox", ["x"]),
    ("\x1b]0;title\x07x", ["x"]),
    ("\x1bPq#0\x1b\\x", ["x"]),
    ("\x1b[12;40Rx", ["x"]),
    ("\x1b[97;5ux", ["x"]),
    ("\x1b[3$x", ["x"]),
    # Sequences that broke off.
    ("\x1b[1\x1b[Ax", ["up", "x"]),
    ("\x1bPabc\x1b[Ax", ["up", "x"]),
    # A terminal that answers that it is well, also right after escape.
    ("\x1b[0nx", ["x"]),
    ("\x1b\x1b[0n", ["escape"]),
    # A paste is one key, and what is typed around it is not part of it.
    ("a\x1b[200~d y\nq\x1b[A\x1b[201~b", ["a", PASTE + "d y\nq\x1b[A", "b"]),
    ("\x1b[200~\x1b[201~", [PASTE]),
]


def typed(*pieces: bytes, later_s: float = PASTE_S) -> list[str]:
    """The keys of some bytes that come a hundredth of a second apart, and of the silence after them."""
    clock = FakeClock()
    keyboard = Keyboard(clock)
    names = []
    for piece in pieces:
        keyboard.feed(piece)
        names += keyboard.keys()
        clock.sleep(0.01)
    clock.sleep(later_s)
    return names + keyboard.keys()


@pytest.mark.parametrize(("text", "keys"), SENT)
def test_what_is_sent_is_these_keys(text: str, keys: list[str]) -> None:
    """Each row of the table, sent at once, and one byte after the other."""
    data = text.encode()
    assert typed(data) == keys
    assert typed(*(data[i : i + 1] for i in range(len(data)))) == keys


@given(st.lists(st.sampled_from([text for text, _ in SENT] + ["\x1b", "[", "O", "2", "~", "\xff"])), st.data())
def test_no_bytes_break_it(texts: list[str], data: st.DataObject) -> None:
    """Whatever comes, in whatever pieces, is taken: at the end nothing waits, and no key holds an escape."""
    sent = "".join(texts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=5)))
    pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    for key in typed(*pieces):
        assert key.startswith(PASTE) or "\x1b" not in key


def test_a_paste_whose_end_is_lost_ends() -> None:
    """After a while without more it is given as what it is, and the keys after it are keys again."""
    clock = FakeClock()
    keyboard = Keyboard(clock)
    keyboard.feed(b"\x1b[200~name")
    clock.sleep(SEQUENCE_S)
    assert keyboard.keys() == []
    clock.sleep(PASTE_S)
    keyboard.feed(b"")
    assert keyboard.keys() == [PASTE + "name"]
    keyboard.feed(b"q")
    assert keyboard.keys() == ["q"]


def test_answers_are_counted_and_do_not_hold_an_escape_up() -> None:
    """Answers between an escape and the time after which it counts do not start that time again."""
    clock = FakeClock()
    keyboard = Keyboard(clock)
    keyboard.feed(b"\x1b")
    for _ in range(4):
        assert keyboard.keys() == []
        clock.sleep(0.03)
        keyboard.feed(b"\x1b[0n")
    assert keyboard.keys() == ["escape"]
    assert keyboard.take_answers() == 4
    assert keyboard.take_answers() == 0


@pytest.mark.parametrize(
    ("typed_on", "there", "here"),
    [
        ("Caps Lock", "NSUDTPQ", "nsudtpq"),
        ("Russian", "тыгвезйЙн", "nsudtpqqy"),
        ("Ukrainian", "іт", "sn"),
        ("Greek", "νσθδτπΝυ", "nsudtpny"),
        ("Hebrew", "מדושאפ", "nsuatp"),
        ("French", "&é\"'(-è_çà", "1234567890"),
        ("Arabic digits", "١٢٣", "123"),
        ("full width", "３", "3"),
        ("Latin", "nsu123 +", "nsu123 +"),
    ],
)
def test_a_key_is_the_command_of_its_place(typed_on: str, there: str, here: str) -> None:
    """On a keyboard of another country the same keys are the same commands; no sentence asks to switch it."""
    assert "".join(map(command, there)) == here
    assert not any(map(foreign, there))


def test_what_is_a_command_itself_stays() -> None:
    """Where a box is drawn, - makes it smaller and is no French 6; names of keys are not touched."""
    assert command("-", "+-<>") == "-"
    assert [command(key) for key in ("up", "enter", PASTE + "Q")] == ["up", "enter", PASTE + "Q"]


def test_a_letter_that_no_layout_has_asks_for_a_latin_one() -> None:
    """What is typed with an input method of Chinese or Georgian is answered by one line."""
    assert foreign("日") == "this key writes 日 here: switch the keyboard to a Latin layout"
    assert [foreign(key) for key in ("q", "7", "~", "up", PASTE + "日")] == [""] * 5


def test_a_name_takes_a_paste_and_letters_as_they_are() -> None:
    """The first line of a paste joins the name, without tabs and the like; capitals and Cyrillic stay."""
    naming = NameField(session=False)
    for key in ("N", "ф", PASTE + "  thumb\x1b[2J up\t!\nq\ny", "up", PASTE, "backspace"):
        naming.press(key)
    assert naming.text == "Nфthumb[2J up"
