"""The benchmarks: `make bench`, or `python -m benchmarks.run [PART ...]`; beside the peers: `make bench-peers`.

Each part prints its table and writes benchmarks/results/bench_<part>.json with date, commit and machine. Contenders
take turns within one run, and ratios are taken round by round: median (least–most).
"""

from __future__ import annotations

import argparse
import sys
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
)
from benchmarks.bases import source_text_model, speech_bases
from benchmarks.look_ways import models_folder
from benchmarks.pictures import DATA, ROOT, digits, embed, faces, sessions
from benchmarks.record import write
from benchmarks.ssh_link import lacking
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.models import default_model

PARTS = ("start", "latency", "look", "transfer", "many", "words", "build", "screens", "ssh")


def main() -> int:
    """Run the parts named on the command line, or all."""
    parser = argparse.ArgumentParser(description="Measure this machine, beside the peers.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    chosen = parser.parse_args().parts or PARTS
    if unknown := [name for name in chosen if name not in PARTS]:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if not (DATA / "cmu_faces").is_dir():
        print(f"no pictures in {DATA}: set EDGE_TL_DATA to the folder of the shared data", file=sys.stderr)
        return 1
    for name in chosen:
        if name == "look" and models_folder() is None:
            continue  # said aloud
        if name == "transfer" and source_text_model() is None:
            continue  # said aloud
        if name == "ssh" and (reason := lacking()) is not None:
            print(f"ssh skipped: {reason}")
            continue
        module, result = part(name)
        path = write(f"bench_{name}", result)
        print(f"\n{name}: {path.relative_to(ROOT)}\n\n{module.report(result)}", flush=True)
    return 0


def part(name: str) -> tuple[Any, dict[str, Any]]:
    """A part's module, and what it measured."""
    if name == "build":
        return bench_build, bench_build.measure()
    if name == "screens":
        return bench_screens, bench_screens.measure()
    if name == "ssh":
        return bench_ssh, bench_ssh.measure()
    if name == "look":
        models = models_folder()
        assert models is not None
        return bench_look, bench_look.measure(sessions(), faces(), models)
    if name == "words":
        return bench_words, bench_words.measure(speech_bases())
    if name == "transfer":
        v1 = source_text_model()
        assert v1 is not None
        embedder = TFLiteEmbedder.load(v1)
        return bench_transfer, bench_transfer.measure(embedder, v1 / embedder.manifest.model)
    embedder = TFLiteEmbedder.load(default_model())
    poses = embed(faces(), embedder)
    if name == "many":
        return bench_many, bench_many.measure(embed(digits(), embedder), poses)
    if name == "latency":
        return bench_latency, bench_latency.measure(poses, embedder)
    return bench_start, bench_start.measure(poses)


if __name__ == "__main__":
    sys.exit(main())
