"""The clock on the wall tells when something was; how long something took or lasts, only clocks that run on tell."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from places import ROOT

FILES = sorted(path for room in ("edge_tl", "device", "host_tools") for path in (ROOT / room).rglob("*.py"))
READS = {
    *("time", "time_ns", "localtime", "gmtime", "ctime"),  # of the module time
    *("now", "today", "utcnow"),  # of datetime
    *("st_mtime", "st_ctime", "st_atime", "st_mtime_ns", "getmtime", "getctime", "getatime"),
    *("wall", "wall_s"),  # ours
}
MAY_READ = {
    "edge_tl/media/kinds.py": "a file that was written anew is another one; no two times are compared",
    "edge_tl/store/moments.py": "a moment has both clocks",
    "edge_tl/store/batch.py": "writes down when an example was taken",
    "edge_tl/store/boots.py": "tells when something was, and whether the clock was set",
    "edge_tl/store/generations.py": "writes down when a generation was saved",
    "edge_tl/store/profile.py": "says when a generation was saved",
    "edge_tl/store/sessions.py": "the pause between two boots",
    "edge_tl/store/folder_takes.py": "files of others: when each was written is told by nothing else",
    "device/serve/build.py": "gives the service its clock",
    "device/serve/service.py": "health says when it was taken",
    "device/serve/recognizing.py": "an event says when it was",
    "device/screens/listen.py": "a word is listed with its time of day",
    "device/commands/bench.py": "the date of what was measured",
    "device/commands/report.py": "the date of a report",
    "device/commands/backup.py": "the date of a backup",
}
"""Who asks what the clock on the wall shows, and for what; all others count from clocks that nobody sets."""
MAY_RECKON = {
    ("edge_tl/store/sessions.py", "now.wall_s - before_s"): "no clock runs on from one boot to the next",
    ("edge_tl/store/moments.py", "self.wall_s - self.boot_s"): "when the boot began, to be shown",
    ("edge_tl/store/boots.py", "moment.wall_s >= max(BEGUN_S, self._before(moment.boot))"): "whether it is set",
    ("edge_tl/store/boots.py", "moment.wall_s >= BEGUN_S"): "whether it is set",
    ("edge_tl/store/profile.py", "moment.wall_s >= BEGUN_S"): "whether it is set",
}
"""Every difference and comparison with what that clock shows, and why it is no measure of time that passed."""


def _reads(node: ast.AST) -> bool:
    """Whether a node itself reads a clock that somebody may set."""
    if not isinstance(node, ast.Attribute) or node.attr not in READS:
        return False
    if node.attr == "wall":  # the picture of a wall has this name too
        return isinstance(node.value, ast.Name) and node.value.id == "self"
    if node.attr in ("time", "now", "today", "utcnow"):
        return isinstance(node.value, ast.Name) and node.value.id in ("time", "datetime", "date")
    return True


def test_who_reads_the_clock_on_the_wall() -> None:
    """Exactly the files that are named do, each for the reason that is said."""
    found = set()
    for path in FILES:
        if any(map(_reads, ast.walk(ast.parse(path.read_text())))):
            found.add(path.relative_to(ROOT).as_posix())
    assert found == set(MAY_READ)


def test_nothing_is_decided_by_what_lies_between_two_times_of_the_wall() -> None:
    """What that clock shows is subtracted from or compared with nothing, but for the places that are named."""
    found = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            reckons = isinstance(node, ast.Compare) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub))
            if reckons and any(map(_reads, ast.walk(node))):
                found.add((path.relative_to(ROOT).as_posix(), ast.unparse(node)))
    assert found == set(MAY_RECKON)


def test_the_console_counts_by_a_clock_that_runs_on() -> None:
    """A phone's clock is set too: the page asks it for nothing, and shows only times that the device told."""
    asks = re.compile(r"Date\.now|new Date\(\s*\)|(?<!new )\bDate\(")
    scripts = sorted(Path(ROOT / "device" / "serve" / "console").glob("*.js"))
    assert len(scripts) >= 7
    assert [path.name for path in scripts if asks.search(path.read_text())] == []
