"""The names of classes out of a data.yaml: the few forms that such files have, and nothing else of YAML.

No tags, anchors or references are followed: a file that has them where a name is wanted is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from edge_tl.store.listed import UnusableEntry

_KEY = re.compile(r"^(['\"]?)([\w.-]+)\1\s*:\s*(.*)$")
_ITEM = re.compile(r"^\s*-\s+(.*)$")
_PAIR = re.compile(r"^\s+(['\"]?)(\d+)\1\s*:\s*(.*)$")


def read_keys(text: str, keys: Iterable[str]) -> dict[str, dict[str, str]]:
    """Of each key at the top: its list or its mapping of numbers as {number: text}; empty where it is not there.

    ValueError for what is no plain text where one is wanted.
    """
    found: dict[str, dict[str, str]] = {key: {} for key in keys}
    lines = text.splitlines()
    for at, line in enumerate(lines):
        key = _KEY.match(line)
        if not key or key[2] not in found:
            continue
        value = _uncommented(key[3])
        if value[:1] in ("[", "{"):
            for more in lines[at + 1 :]:
                if value.endswith(("]", "}")):
                    break
                value += " " + _uncommented(more).strip()
            found[key[2]] = _flow(value)
        elif not value:
            found[key[2]] = _block(lines[at + 1 :])
        else:
            raise UnusableEntry(f"{key[2]} is {value[:20]!a}; a list is wanted")
    return found


def _block(lines: list[str]) -> dict[str, str]:
    """The items of the lines that follow a key, up to the next key."""
    items: dict[str, str] = {}
    for line in lines:
        if not _uncommented(line).strip():
            continue
        item = item_of(line, len(items))
        if item is None:
            break
        items[item[0]] = item[1]
    return items


def item_of(line: str, at: int) -> tuple[str, str] | None:
    """(number, text) of `- text`, which is number `at`, or of `number: text`; None for any other line."""
    item, pair = _ITEM.match(line), _PAIR.match(line)
    if item:
        return str(at), _plain(_uncommented(item[1]))
    return (pair[2], _plain(_uncommented(pair[3]))) if pair else None


def _flow(text: str) -> dict[str, str]:
    """`[a, 'b']` or `{0: a, 1: b}`."""
    if text[-1:] != {"[": "]", "{": "}"}[text[0]]:
        raise UnusableEntry("a list does not end")
    parts = re.findall(r"""\s*((?:'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^,'"])+)""", text[1:-1])
    if text[0] == "[":
        return {str(at): _plain(part.strip()) for at, part in enumerate(parts) if part.strip()}
    pairs = (part.partition(":") for part in parts if part.strip())
    return {key.strip().strip("'\""): _plain(value.strip()) for key, _, value in pairs}


def _uncommented(text: str) -> str:
    """Without a comment, which begins with # after a space, outside quotes."""
    match = re.match(r"""((?:'[^']*'|"[^"]*"|(?<!\s)#|[^#])*)""", text)
    return (match[1] if match else text).strip()


def _plain(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == "'":
        text = text[1:-1].replace("''", "'")
    elif len(text) > 1 and text[0] == text[-1] == '"':
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    elif text[:1] in ("!", "&", "*", "|", ">", "[", "{", "'", '"'):
        raise UnusableEntry(f"{text[:20]!a} is no plain name")
    if not text:
        raise UnusableEntry("a name is empty")
    return text
