"""Puts the tables of benchmarks/results/*.json into the pages that show them: `python -m benchmarks.tables`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import (
    bench_build,
    bench_latency,
    bench_look,
    bench_many,
    bench_screens,
    bench_ssh,
    bench_start,
    bench_transfer,
    bench_words,
    proof_alarms,
    proof_boards,
    proof_budget,
    proof_confidence,
    proof_defaults,
    proof_detection,
    proof_digits,
    proof_exercises,
    proof_faces,
    proof_few,
    proof_fleet,
    proof_fleet_flower,
    proof_hands,
    proof_hard_words,
    proof_intervals,
    proof_look,
    proof_look_changed,
    proof_look_strangers,
    proof_mnist,
    proof_movements,
    proof_objects,
    proof_others,
    proof_service,
    proof_sessions,
    proof_strangers,
    proof_why,
    proof_word_heads,
    proof_words,
    proof_words_open,
    proof_words_typed,
)
from benchmarks.peers import parts
from benchmarks.record import RESULTS

README = RESULTS.parent / "README.md"
DOCS = RESULTS.parents[1] / "docs"
REFERENCE = RESULTS.parents[1] / "device" / "speed" / "reference.py"
PAGES = (README, DOCS / "tomorrow.md", DOCS / "transfer.md", DOCS / "fine_tuning.md", DOCS / "speed.md")
"""A place `<!-- results/NAME.json -->` takes the whole report, `<!-- short results/NAME.json -->` the short one, and
`<!-- results/bench_peers.json PART -->` that of one part."""
REPORTS: dict[str, Any] = {
    "prove_faces": proof_faces,
    "prove_digits": proof_digits,
    "prove_sessions": proof_sessions,
    "prove_strangers": proof_strangers,
    "prove_look": proof_look,
    "prove_look_changed": proof_look_changed,
    "prove_look_strangers": proof_look_strangers,
    "prove_boards": proof_boards,
    "prove_budget": proof_budget,
    "prove_confidence": proof_confidence,
    "prove_defaults": proof_defaults,
    "prove_few": proof_few,
    "prove_why": proof_why,
    "prove_intervals": proof_intervals,
    "prove_hands": proof_hands,
    "prove_words": proof_words,
    "prove_words_open": proof_words_open,
    "prove_words_typed": proof_words_typed,
    "prove_mnist": proof_mnist,
    "prove_movements": proof_movements,
    "prove_fleet": proof_fleet,
    "prove_fleet_flower": proof_fleet_flower,
    "prove_word_heads": proof_word_heads,
    "prove_service": proof_service,
    "prove_hard_words": proof_hard_words,
    "prove_alarms": proof_alarms,
    "prove_objects": proof_objects,
    "prove_others": proof_others,
    "prove_detection": proof_detection,
    "prove_exercises": proof_exercises,
    "bench_screens": bench_screens,
    "bench_ssh": bench_ssh,
    "bench_start": bench_start,
    "bench_latency": bench_latency,
    "bench_look": bench_look,
    "bench_transfer": bench_transfer,
    "bench_peers": parts,
    "bench_many": bench_many,
    "bench_words": bench_words,
    "bench_build": bench_build,
}
PLACE = re.compile(r"<!-- results/(\w+)\.json(?: \w+)? -->\n.*?<!-- end -->", re.DOTALL)
PART = re.compile(r"\.json (\w+) -->")
SHORT = re.compile(r"<!-- short results/(\w+)\.json -->\n.*?<!-- end -->", re.DOTALL)


def filled(text: str, folder: Path = RESULTS) -> str:
    """The text with every place between `<!-- results/NAME.json -->` and `<!-- end -->` filled from that file."""
    for place, way in ((PLACE, "report"), (SHORT, "short")):
        text = _filled(text, folder, place, way)
    return text


def origin(at: dict[str, Any]) -> str:
    """When and on which commit, and how busy the machine was."""
    commit = at["commit"][:7] + ("-dirty" if at["commit"].endswith("-dirty") else "")
    busy = f", on a busy machine (load {at['busy']:.1f})" if "busy" in at else ""
    return f"Measured {at['date'][:10]} at {commit}{busy}."


def _filled(text: str, folder: Path, place: re.Pattern[str], way: str) -> str:

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        measured = json.loads((folder / f"{name}.json").read_text())
        start = found[0].splitlines()[0]
        if part := PART.search(start):
            one = measured["result"].get(part[1])
            if one is None:
                return f"{start}\nNot measured yet: `python -m benchmarks.peers {part[1]}`.\n<!-- end -->"
            return f"{start}\n{parts.page(part[1], one)}\n\n{origin(one['at'])}\n<!-- end -->"
        text = getattr(REPORTS[name], way)(measured["result"])
        # Drawings keep their columns only in a block of code.
        text = re.sub(r"\n\n(?=[^|\n]*: digits taught)(.*)", r"\n\n```\n\1\n```", text, flags=re.DOTALL)
        return f"{start}\n{text}\n\n{origin(measured)}\n<!-- end -->"

    return place.sub(fill, text)


def referring(text: str, folder: Path = RESULTS) -> str:
    """The text of `device/speed/reference.py` with the values of the record in the place of its own."""
    measured = json.loads((folder / "prove_budget.json").read_text())["result"]
    for name, values in proof_budget.reference(measured).items():
        before, _, after = text.partition(f"{name} = {{\n")
        lines = "".join(f"    {json.dumps(key)}: {value!r},\n" for key, value in values.items())
        text = before + f"{name} = {{\n" + lines + after[after.index("}\n") :]
    return text


def main() -> int:
    """Rewrite the tables of all pages, and what predicts the boards' speed from them."""
    text = REFERENCE.read_text()
    if (read := referring(text)) != text:
        REFERENCE.write_text(read)
        return subprocess.run([sys.executable, "-m", "benchmarks.tables"], check=False).returncode  # which imports it
    for page in PAGES:
        page.write_text(filled(page.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
