"""A number stands with its noun as it is said: no "1 takes", no "example(s)", wherever a message counts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from places import ROOT

ROOMS = ("edge_tl", "device", "host_tools")
BETWEEN = r"(?:other|new|more|simulated|smaller|fresh|test|input|predicted|damaged|drawn|different) "
NO_COUNT = {
    ("edge_tl/core/metrics.py", "{y_pred.shape} predicted labels"),  # a shape
    ("edge_tl/detection/detector.py", "{outputs[1:]} numbers"),  # a shape
    ("edge_tl/finetune/adaptation.py", "{layer.kind} layers"),  # a kind of layer
    ("edge_tl/line/__init__.py", "{recognizer.embedder.name} takes"),  # the verb
    ("edge_tl/recognizer.py", "{self.embedder.name} takes"),
    ("edge_tl/words/alarms.py", "{recognizer.embedder.name} takes"),
    ("host_tools/speech.py", "{repr(wide)[:20]} outputs"),  # whatever a damaged file says
}
"""(file, text): what stands before the noun is no number of it."""


def spoken(*packages: str) -> Iterator[tuple[str, ast.JoinedStr]]:
    """Every f-string of the packages, with its file below the root."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.JoinedStr):
                    yield path.relative_to(ROOT).as_posix(), node


def plurals() -> set[str]:
    """The plural of every noun that `counted` is given anywhere, without what stands before and behind it."""
    found = set()
    for package in ROOMS:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(ast.Name("counted"), [_, ast.Constant(one), *more]):
                        said = more[0].value if more and isinstance(more[0], ast.Constant) else f"{one}s"
                        found |= {word for word in str(said).split() if word.endswith("s")}
    return found


def is_given(value: ast.expr) -> bool:
    """Whether a value is a constant of ours, by its name: everybody can read how many it is."""
    names = [node.id for node in ast.walk(value) if isinstance(node, ast.Name)]
    return bool(names) and all(name.isupper() for name in names)


def test_a_count_is_said_by_counted() -> None:
    """No f-string puts a plural behind a whole number by itself: exactly those of `NO_COUNT`, which count nothing."""
    noun = re.compile(rf" ({BETWEEN})?({'|'.join(sorted(plurals()))})\b(?!/)")
    found = set()
    for file, text in spoken(*ROOMS):
        for at, (value, after) in enumerate(zip(text.values, text.values[1:], strict=False)):
            if not (isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant)):
                continue
            said = noun.match(str(after.value))
            before = text.values[at - 1] if at else None
            sized = isinstance(before, ast.Constant) and str(before.value).endswith("×")  # 640×480 pixels
            rounded = value.format_spec is not None and "f" in ast.unparse(value.format_spec)[2:]  # 1.0 pictures
            if said and not sized and not rounded and not is_given(value.value):
                found.add((file, f"{{{ast.unparse(value.value)}}}{said[0]}"))
    assert found == NO_COUNT


def test_nothing_is_plural_in_brackets() -> None:
    """No message leaves the choice to its reader: no "example(s)"."""
    bracketed = re.compile(rf"\b({'|'.join(word.removesuffix('s') for word in plurals())})\(e?s\)")
    found = {path for room in ROOMS for path in (ROOT / room).rglob("*.py") if bracketed.search(path.read_text())}
    assert not found
