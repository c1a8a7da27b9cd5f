"""XML from anywhere: what could be unfolded or fetched is refused before it is parsed."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from edge_tl.files import read_limited
from edge_tl.store.listed import UnusableEntry


def read_xml(path: Path, most_bytes: int) -> ElementTree.Element:
    """The root of a file; OSError where it cannot be read, ValueError for anything that is no plain XML.

    A DOCTYPE or an ENTITY, in whichever encoding, is refused: annotations need none, and a few lines of them unfold to
    gigabytes.
    """
    data = read_limited(path, most_bytes)
    # UTF-16 puts a zero beside each letter, so that without zeros the words are seen in every encoding that is read.
    if re.search(rb"<!\s*(DOCTYPE|ENTITY)", data.replace(b"\0", b""), re.IGNORECASE):
        raise UnusableEntry("it holds a DOCTYPE, which is not read: take it out")
    head = data.replace(b"\0", b"")[:200].lower()
    if b"encoding" in head.partition(b"?>")[0] and not re.search(
        rb"encoding\s*=\s*['\"](utf-?(8|16)|us-ascii|iso-8859-1)", head
    ):
        raise UnusableEntry("its encoding is not read: save it as UTF-8")
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, LookupError) as error:
        raise UnusableEntry(f"it is no XML ({error})") from None


def text_of(element: ElementTree.Element, name: str) -> str:
    """The text of a child; ValueError where there is none."""
    text = (element.findtext(name) or "").strip()
    if not text:
        raise UnusableEntry(f"it has no {name}")
    return text
