"""Puts the tables of benchmarks/results/*.json into benchmarks/README.md: `python -m benchmarks.tables`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from benchmarks import (
    bench_embed,
    bench_knn,
    bench_latency,
    bench_start,
    bench_training,
    proof_digits,
    proof_faces,
    proof_look,
    proof_look_strangers,
    proof_sessions,
    proof_strangers,
)
from benchmarks.record import RESULTS

README = RESULTS.parent / "README.md"
REPORTS: dict[str, Any] = {
    "prove_faces": proof_faces,
    "prove_digits": proof_digits,
    "prove_sessions": proof_sessions,
    "prove_strangers": proof_strangers,
    "prove_look": proof_look,
    "prove_look_strangers": proof_look_strangers,
    "bench_start": bench_start,
    "bench_embed": bench_embed,
    "bench_latency": bench_latency,
    "bench_training": bench_training,
    "bench_knn": bench_knn,
}
PLACE = re.compile(r"<!-- results/(\w+)\.json -->\n.*?<!-- end -->", re.DOTALL)


def filled(text: str, folder: Path = RESULTS) -> str:
    """The text with every place between `<!-- results/NAME.json -->` and `<!-- end -->` filled from that file."""

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        measured = json.loads((folder / f"{name}.json").read_text())
        commit = measured["commit"][:7] + ("-dirty" if measured["commit"].endswith("-dirty") else "")
        origin = f"Measured {measured['date'][:10]} at {commit}."
        text = REPORTS[name].report(measured["result"])
        # Drawings keep their columns only in a block of code.
        text = re.sub(r"\n\n(?=[^|\n]*: digits taught)(.*)", r"\n\n```\n\1\n```", text, flags=re.DOTALL)
        return f"<!-- results/{name}.json -->\n{text}\n\n{origin}\n<!-- end -->"

    return PLACE.sub(fill, text)


def main() -> int:
    """Rewrite the README's tables."""
    README.write_text(filled(README.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
