"""The name of a new class or session, while it is typed at the foot of a screen."""

from __future__ import annotations

from device.screens.keyboard import PASTE


class NameField:
    """What was typed so far; `enter` and `escape` are its screen's."""

    def __init__(self, *, session: bool) -> None:
        self.session = session
        """Whether it is a session's name, which may be empty, and not a class's."""
        self.text = ""

    def press(self, key: str) -> None:
        """One more character, or one less."""
        if key == "backspace":
            self.text = self.text[:-1]
        elif len(key) == 1:
            self.text += key
        elif key.startswith(PASTE):  # its first line, and no tabs or the like
            lines = key.removeprefix(PASTE).strip().splitlines()
            self.text += "".join(character for character in lines[0] if character.isprintable()) if lines else ""

    @property
    def prompt(self) -> str:
        """The text with what it is wanted for."""
        what = "new session, may be empty" if self.session else "new class"
        return f"{self.text}_  ← name of the {what}; enter, or escape"
