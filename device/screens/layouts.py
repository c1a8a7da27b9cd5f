"""Keys as the commands name them, from a keyboard of any country: by where a key lies, not by what it writes.

Commands are the letters and digits of a Latin keyboard. With Caps Lock, in a Cyrillic, Greek or Hebrew layout, or on
the digits of a French keyboard the same keys send other characters; while a name is typed they are what they are.
"""

from __future__ import annotations

import unicodedata

SWITCH = "this key writes {key} here: switch the keyboard to a Latin layout"

_LATIN = "qwertyuiop[]asdfghjkl;'zxcvbnm,."
_LAYOUTS = (
    "йцукенгшщзхъфывапролджэячсмитьбю",  # Russian
    "йцукенгшщзхїфівапролджєячсмитьбю",  # Ukrainian
    ";ςερτυθιοπ[]ασδφγηξκλ΄'ζχψωβνμ,.",  # Greek
    "/'קראטוןםפ[]שדגכעיחלךף,זסבהנמצתץ",  # Hebrew
)
_FRENCH_DIGITS = dict(zip("&é\"'(-è_çà", "1234567890", strict=True)) | {"§": "6"}


def _table() -> dict[str, str]:
    found: dict[str, str] = {}
    for layout in _LAYOUTS:
        for theirs, latin in zip(layout, _LATIN, strict=True):
            # What is ASCII, or a mark that keys of others write too, stays what it is.
            if not theirs.isascii() and theirs.isalpha() and latin.isalpha():
                found.setdefault(theirs, latin)
    return found


_BY_PLACE = _table()


def command(key: str, commands: str = "") -> str:
    """The key as commands name it; what is no character stays.

    commands: characters that are commands themselves, as + and - are where a box is drawn; these stay too.
    """
    if len(key) != 1 or key in commands:
        return key
    lower = key.lower()
    if len(lower) == 1 and lower.isascii() and lower.isalpha():
        return lower
    if lower in _BY_PLACE:
        return _BY_PLACE[lower]
    digit = unicodedata.digit(key, None)  # Arabic, Devanagari, full width…
    if digit is not None and not key.isascii():
        return str(digit)
    return _FRENCH_DIGITS.get(lower, key)


def foreign(key: str) -> str:
    """The sentence for a letter that is no command in any layout known here; empty for every other key."""
    lower = key.lower()
    is_letter = len(key) == 1 and not key.isascii() and key.isalpha()
    return SWITCH.format(key=key) if is_letter and lower not in _BY_PLACE and lower not in _FRENCH_DIGITS else ""
