"""Names explain themselves: no class name twice, none that is a participle alone, and bounds are MAX and MIN."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

import pytest
from places import ROOT

ROOMS = ("edge_tl", "device", "host_tools")
NOUNS = {"Drawing", "Feed", "Hearing", "Recording", "Scaling", "Timing", "Tuning", "Wyoming"}
"""They end like participles and are none."""
IRREGULAR = {
    "Begun",
    "Bound",
    "Built",
    "Cut",
    "Drawn",
    "Fit",
    "Found",
    "Given",
    "Heard",
    "Held",
    "Kept",
    "Said",
    "Seen",
}
IRREGULAR |= {"Shaken", "Shown", "Spoken", "Taught", "Told"}
NOUNS |= {"Bound", "Fit"}


def classes() -> dict[str, list[str]]:
    """Every class of the product, those inside functions too: its name → the files that have one."""
    found: dict[str, list[str]] = defaultdict(list)
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    found[node.name].append(str(path.relative_to(ROOT)))
    return found


def test_no_class_name_is_used_twice() -> None:
    """Whoever reads a class's name knows which one is meant; private ones of two files may be alike."""
    assert {name: files for name, files in classes().items() if len(files) > 1 and not name.startswith("_")} == {}


def test_no_class_is_called_by_a_participle_alone() -> None:
    """`Found` says nothing of what was found."""
    bare = [name for name in classes() if re.fullmatch(r"[A-Z][a-z]+(ed|ing)", name) or name in IRREGULAR]
    assert sorted(set(bare) - NOUNS) == []


@pytest.mark.parametrize("room", [*ROOMS, "benchmarks", "tests", "exercises", "examples", "tools"])
def test_bounds_are_called_max_and_min(room: str) -> None:
    """The field says MAX_BYTES and MIN_BYTES."""
    other = re.compile(r"\b_?(MO" + r"ST|LEA" + r"ST)(_[A-Z]|\b)")
    assert [str(path) for path in sorted((ROOT / room).rglob("*.py")) if other.search(path.read_text())] == []
