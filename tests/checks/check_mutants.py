"""Thousands of damaged models against what takes files apart: `make check-mutants`.

Bytes and words of real models are changed, by a seed, and each mutant is cut, made float16, or goes on behind its
output. Others are made int8, for which the interpreter runs them: that is native code, so they live in processes of
their own. Every mutant must end in a file that lies whole in its bytes, or in one line; else the exit code is 1.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_tl.embedders.look.models import PARTS, VERSION, read_parts
from edge_tl.errors import EdgeTLError
from edge_tl.export.fuse import append
from edge_tl.models import default_model
from edge_tl.tflite.flatbuffer import check_whole
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.quantizing import to_float16, to_int8
from edge_tl.tflite.schema import listed, opened, operator_name, text
from edge_tl.tflite.surgery import truncate

ROOT = Path(__file__).resolve().parents[2]
SURGERY, INT8, BATCH, OPERATORS, WAIT_S = 10_000, 3_000, 100, 12, 300
WORDS = (0, 1, 2, 3, 7, 255, 65_535, 2**20, 2**31 - 1, -1, -(2**31))


def models() -> list[tuple[bytes, str]]:
    """The first operators of real models, and the tensor at which each ends."""
    files = [*(ROOT / "tests" / "data").glob("tiny_*.tflite"), next(default_model().glob("*.tflite"))]
    whole = [file.read_bytes() for file in files]
    for wheel in (ROOT / "downloads").glob(f"mediapipe-{VERSION}-*.whl"):
        whole += [data for which in PARTS for data in read_parts(wheel, which).values()]
    found = []
    for data in whole:
        with opened(data, "model") as model:
            graph = model.subgraphs[0]
            made = [one for one in listed(graph.operators) if operator_name(model, one) != "DEQUANTIZE"]
            name = text(graph.tensors[made[:OPERATORS][-1].outputs[0]].name)
        found.append((truncate(data, name), name))
    return found


def mutant(data: bytes, rng: random.Random) -> bytes:
    """A damaged copy: bytes or words changed, most of them near the ends of the file, or the end cut off."""
    spoilt = bytearray(data[: rng.randrange(8, len(data))] if rng.random() < 0.1 else data)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        near = min(len(spoilt), 8_000)
        at = rng.choice((rng.randrange(len(spoilt)), rng.randrange(near), len(spoilt) - 1 - rng.randrange(near)))
        if rng.random() < 0.5:
            spoilt[at] = rng.randrange(256)
        elif at + 4 <= len(spoilt):
            struct.pack_into("<i", spoilt, at, rng.choice(WORDS))
    return bytes(spoilt)


def outcome(work: Callable[[], bytes]) -> str:
    """How it ended: `a file`, or `one line`; anything else is raised."""
    try:
        check_whole(work(), "made")
        return "a file"
    except EdgeTLError as error:
        if "\n" in str(error):
            raise AssertionError(f"more than a line: {error!r}") from error
        return "one line"


def operate(chosen: tuple[bytes, str], shape: tuple[int, ...], rng: random.Random) -> str:
    """Cut, make float16 or append to a mutant."""
    data, name = mutant(chosen[0], rng), chosen[1]
    works: list[Callable[[], bytes]] = [
        lambda: truncate(data, name),
        lambda: to_float16(data),
        lambda: append(data, [], shape, {"a": b"b"}),
    ]
    return outcome(rng.choice(works))


def batch(chosen: list[tuple[bytes, tuple[int, ...]]], seed: str) -> Counter[str]:
    """Mutants made int8 in a child; what it saw, or that it died or never ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(WAIT_S)
        rng, seen = random.Random(seed), Counter[str]()
        for _ in range(BATCH):
            data, shape = rng.choice(chosen)
            spoilt = mutant(data, rng)
            seen[outcome(lambda: to_int8(spoilt, [np.zeros(shape, np.float32)]))] += 1  # noqa: B023
        os.write(writing, f"{seen['a file']} {seen['one line']}".encode())
        os._exit(0)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        said = pipe.read().split()
    if not said:
        return Counter({f"batch {seed} died of signal {os.waitstatus_to_exitcode(status)}": 1})
    return Counter({"a file": int(said[0]), "one line": int(said[1])})


def main() -> int:
    """Run all; the exit code."""
    originals = models()
    ends = [Interpreter(data, threads=1) for data, _ in originals]
    rng, start_s, seen = random.Random(1), time.monotonic(), Counter[str]()
    for _ in range(SURGERY):
        at = rng.randrange(len(originals))
        seen[operate(originals[at], ends[at].outputs[0].shape[1:], rng)] += 1
    print(f"surgery: {dict(seen)}, {time.monotonic() - start_s:.0f} s", flush=True)
    floats = [
        (data, end.inputs[0].shape)
        for (data, _), end in zip(originals, ends, strict=True)
        if end.inputs[0].scale is None and len(end.inputs) == 1
    ]
    seen.clear()
    for number in range(INT8 // BATCH):
        seen += batch(floats, f"1-{number}")
    print(f"int8: {dict(seen)}, {time.monotonic() - start_s:.0f} s in all")
    return 0 if set(seen) <= {"a file", "one line"} else 1


if __name__ == "__main__":
    sys.exit(main())
