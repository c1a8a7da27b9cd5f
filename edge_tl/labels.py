"""Labels: any short text a person would choose, made safe to store, to show and to use in a folder's name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import unquote

import numpy as np

from edge_tl.errors import ExampleError, counted

MAX_CHARACTERS = 64
MAX_CLASSES = 1000
"""Of a profile: as many as ImageNet has. Each costs rows of arithmetic with every frame."""
NOISE = "background noise"
"""The class of everything that is no word; it is recorded in one piece and cut up, and it never steers."""
OTHER = "other sounds"
"""The hidden class of sounds that hold none of the words (words/others.py): it is nobody's label, and never told."""
ORDINARY = "nothing"
"""The class of movements of whoever does nothing in particular; recorded in one piece and cut up, never told."""

# Format characters that belong inside visible text: the joiners of emoji and of Persian or Hindi words, and the
# tag letters of flags such as Scotland's. Every other one (e.g. right-to-left overrides) garbles a terminal.
_JOINERS = {"\u200c", "\u200d", *map(chr, range(0xE0020, 0xE0080))}
# Emoji younger than this Python's Unicode table look unassigned to it.
_EMOJI = range(0x1F000, 0x1FC00)
# What Linux, FAT (USB sticks) or Windows refuse in a name or read as a path, and our own escape character.
_UNSAFE = re.compile(r'[%/\\<>:"|?*]|^\.|\.$')


def check_label(text: str) -> str:
    """The label as it is kept: NFC-normalised and stripped.

    text: 1 to 64 characters after stripping, each printable (spaces inside, emoji and slashes are welcome).
    Returns the label; raises ExampleError otherwise.
    """
    if not isinstance(text, str):
        raise ExampleError(f"a label must be text, not {type(text).__name__}")
    label = unicodedata.normalize("NFC", text).strip()
    if not label:
        raise ExampleError(f"a label is empty: choose one of 1 to {MAX_CHARACTERS} characters")
    if len(label) > MAX_CHARACTERS:
        raise ExampleError(
            f"label {label[:20]!a}… has {counted(len(label), 'character')}, at most {MAX_CHARACTERS} fit: shorten it"
        )
    for character in label:
        if not (character.isprintable() or character in _JOINERS or ord(character) in _EMOJI):
            raise ExampleError(f"label {label!a} holds the unprintable character {character!a}: leave it out")
    if all(character in _JOINERS for character in label):
        raise ExampleError(f"label {label!a} is invisible: choose one that can be read")
    return label


def alike(labels: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of labels that differ only in capitals or spaces, as `Cat` and `cat`: two classes, perhaps meant as one."""
    first: dict[str, str] = {}
    pairs = []
    for label in dict.fromkeys(labels):
        other = first.setdefault("".join(label.casefold().split()), label)
        if other != label:
            pairs.append((other, label))
    return pairs


def escape(label: str) -> str:
    """The label as the name of one folder or file: `a/b` becomes `a%2Fb`, `..` becomes `%2E%2E`.

    label: from check_label. Returns text that `unescape` turns back exactly; it is never `.` or `..`, is not hidden
    and holds no separator, but can be longer than the 255 bytes a file system takes.
    """

    def percent(match: re.Match[str]) -> str:
        return f"%{ord(match[0]):02X}"

    return _UNSAFE.sub(percent, label)


def unescape(name: str) -> str:
    """The label that `escape` turned into this name; a name that nobody escaped comes back as it is."""
    try:
        return unquote(name, errors="strict")
    except UnicodeDecodeError:
        return name


def few_of(parts: Sequence[str], most: int = 6) -> str:
    """Names, or what is said of each, with commas; of more than `most` the first, and how many more there are."""
    more = len(parts) - most
    return ", ".join(parts) if more <= 0 else f"{', '.join(parts[:most])} and {more} more"


def label_texts(labels: Any) -> np.ndarray:
    """Labels of any kind as the text by which they are known everywhere, (N,) str: 1 is "1", True is "True".

    labels: an array or sequence of text, whole numbers or truth values; other things are known by what `str` says of
    them, alone: what stands beside them does not matter. Wherever two labels are compared, both went through here.
    """
    given = np.asarray(labels)
    if given.dtype.kind == "U":
        return given
    # NumPy would make one kind of a list of several: 1.0 of the 1 in [1, 2.5].
    return (given if isinstance(labels, np.ndarray) else np.array(labels, object)).astype(str)
