"""What a Pi will do, from figures that others published, and how wrong such a prediction is.

**Sources.** ncnn: `benchmark/README.md` of Tencent/ncnn at a4d2ea1d4 (2026-07), the least time of each network on
Raspberry Pi 3B+, 4, 5 and Zero 2 W, with one thread and with four; what each network computes is counted from
`benchmark/models/*.param` there. XNNPACK: README of google/XNNPACK, `end2end-bench` of 2022-02-08 on a Pi 3+ (32-bit)
and a Pi 4 (64-bit), four threads.

**The model.** ms = a · dense multiplications + b · depthwise ones + c · bytes moved, none of them below 0, by least
squares of relative errors; for each board and number of threads. XNNPACK's time over that is one factor for all, the
geometric mean over its networks and boards.

**Its error.** Leave one network out: fitted to the others, asked for it. *Networks*: within ncnn. *Library*: ncnn
fitted without the network, the factor taken without it, XNNPACK's figure asked. Nobody measured ours on a Pi: whoever
has one runs `edge-tl bench`.
"""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import numpy as np

from benchmarks.pictures import ROOT
from benchmarks.record import table
from device.speed.boards import BOARDS
from device.speed.costs import FULL, predicted, stages_ms, works
from edge_tl.tflite.counting import Work

COUNTS = {
    "mobilenet": Work(551_354_368, 17_385_984, 57_784_064),
    "mobilenet_v2": Work(292_902_912, 20_716_416, 73_723_136),
    "mobilenet_v3": Work(225_055_328, 20_509_440, 88_856_992),
    "mnasnet": Work(286_078_976, 28_336_896, 65_137_696),
    "proxylessnasnet": Work(295_060_480, 41_423_424, 65_538_400),
    "efficientnet_b0": Work(351_282_688, 34_532_064, 154_988_256),
    "blazeface": Work(25_608_192, 3_760_128, 23_771_872),
    "shufflenet_v2": Work(140_748_480, 4_159_512, 45_073_024),
    "squeezenet": Work(418_467_520, 0, 44_164_620),
}
"""Those of ncnn's list that are built as ours are; wide networks of plain 3×3 convolutions are computed otherwise."""
NCNN_MS = {
    "Zero 2 W": {
        1: (393.79, 273.97, 233.77, 265.7, 329.78, 518.42, 42.24, 128.86, 240.53),
        4: (162.6, 145.71, 113.89, 126.07, 139.9, 201.88, 22.79, 63.64, 119.52),
    },
    "3B+": {
        1: (204.62, 158.69, 127.13, 148.12, 199.56, 240.94, 22.75, 74.28, 125.34),
        4: (107.84, 110.64, 85.78, 95.53, 102.24, 134.87, 15.42, 46.76, 84.74),
    },
    "4": {
        1: (123.76, 92.98, 72.48, 83.6, 98.48, 129.45, 12.54, 41.62, 73.35),
        4: (60.74, 61.63, 47.08, 51.8, 53.02, 73.92, 8.62, 24.37, 46.28),
    },
    "5": {
        1: (20.24, 16.21, 11.64, 12.93, 15.72, 24.12, 2.98, 7.07, 11.77),
        4: (9.0, 10.46, 7.3, 6.83, 7.85, 12.28, 1.45, 3.37, 6.74),
    },
}
"""Milliseconds in the order of COUNTS, by board and threads."""
XNNPACK_MS = {
    "3B+": {"mobilenet": 114.0, "mobilenet_v2": 79.0, "mobilenet_v3": 67.0},
    "4": {"mobilenet": 77.0, "mobilenet_v2": 46.0, "mobilenet_v3": 40.0},
}
"""MobileNet v1, v2 and v3 Large in float, four threads. Its v3 Small is not among ncnn's."""
XNNPACK_INT8_MS = {
    "3B+": {"mobilenet": 46.0, "mobilenet_v2": 30.0},
    "4": {"mobilenet": 24.0, "mobilenet_v2": 17.0},
}
NAMES = tuple(COUNTS)
SENT = ROOT / "docs" / "speed.jsonl"
"""A line of `edge-tl bench --json` from each machine that somebody had."""


def measure() -> dict[str, Any]:
    """The factors, and the errors."""
    rows = np.array([(one.dense_macs, one.depthwise_macs, one.moved_bytes) for one in COUNTS.values()]) / 1e6
    boards: dict[str, Any] = {}
    for board, runs in NCNN_MS.items():
        boards[board] = {}
        for threads, times in runs.items():
            ms = np.array(times)
            errors = [float(rows[i] @ fitted(rows, ms, i) / ms[i] - 1) for i in range(len(ms))]
            boards[board][str(threads)] = {
                "ms_a_million": fitted(rows, ms),
                "errors": dict(zip(NAMES, errors, strict=True)),
                "mean_error": float(np.mean(np.abs(errors))),
            }
    library = {board: over_fit(rows, board) for board in XNNPACK_MS}
    factor = geometric([value for one in library.values() for value in one.values()])
    errors = {board: {name: library_error(rows, board, name) for name in one} for board, one in XNNPACK_MS.items()}
    int8 = [
        XNNPACK_INT8_MS[board][name] / XNNPACK_MS[board][name]
        for board in XNNPACK_INT8_MS
        for name in XNNPACK_INT8_MS[board]
    ]
    return {
        "boards": boards,
        "library": {
            "factor": factor,
            "errors": errors,
            "mean_error": float(np.mean([abs(value) for one in errors.values() for value in one.values()])),
        },
        "int8_of_float": {"least": min(int8), "most": max(int8)},
    }


def fitted(rows: np.ndarray, ms: np.ndarray, without: int | None = None) -> np.ndarray:
    """The three factors, none below 0, float64 (3,): the best of all choices of which are above it."""
    kept = np.arange(len(ms)) != (-1 if without is None else without)
    A, best = rows[kept] / ms[kept, None], (np.inf, np.zeros(3))
    for count in (1, 2, 3):
        for columns in combinations(range(3), count):
            found, *_ = np.linalg.lstsq(A[:, columns], np.ones(len(A)), rcond=None)
            missed = float(((A[:, columns] @ found - 1) ** 2).sum())
            if (found >= 0).all() and missed < best[0]:
                factors = np.zeros(3)
                factors[list(columns)] = found
                best = missed, factors
    return best[1]


def over_fit(rows: np.ndarray, board: str, without: str | None = None) -> dict[str, float]:
    """XNNPACK's time over ncnn's fit, for each of its networks but one."""
    factors = fitted(rows, np.array(NCNN_MS[board][4]), None if without is None else NAMES.index(without))
    return {
        name: float(ms / (rows[NAMES.index(name)] @ factors))
        for name, ms in XNNPACK_MS[board].items()
        if name != without
    }


def library_error(rows: np.ndarray, board: str, name: str) -> float:
    """How far off XNNPACK's figure is predicted where nothing of that network was known, as a share of it."""
    factor = geometric([value for other in XNNPACK_MS for value in over_fit(rows, other, name).values()])
    at = NAMES.index(name)
    predicted = factor * float(rows[at] @ fitted(rows, np.array(NCNN_MS[board][4]), at))
    return predicted / XNNPACK_MS[board][name] - 1


def geometric(values: list[float]) -> float:
    """Their geometric mean."""
    return float(np.exp(np.mean(np.log(values))))


def report(result: dict[str, Any]) -> str:
    """The factors of each board, and how wrong they are."""
    rows: list[list[object]] = []
    for board, runs in result["boards"].items():
        for threads, one in runs.items():
            factors = [f"{value:.4f}" for value in one["ms_a_million"]]
            worst = max(one["errors"], key=lambda name, found=one["errors"]: abs(found[name]))
            rows.append(
                [board, threads, *factors, percent(one["mean_error"]), f"{worst} {percent(one['errors'][worst], '+')}"]
            )
    library, int8 = result["library"], result["int8_of_float"]
    asked = ", ".join(
        f"{name} on {board} {percent(error, '+')}"
        for board, one in library["errors"].items()
        for name, error in one.items()
    )
    head = ["Pi", "threads", "ms a million multiplications", "… depthwise", "… bytes", "error", "worst"]
    return "\n\n".join(
        [
            table(head, rows),
            f"XNNPACK takes {library['factor']:.2f} of that. Its own figures, the network left out of both: {asked}; "
            f"{percent(library['mean_error'])} on average.\n"
            f"Its int8 networks take {int8['least']:.2f} to {int8['most']:.2f} of that in float on a Pi 3+ and 4.",
        ]
    )


def short(result: dict[str, Any]) -> str:
    """Frames a second of each way on each board, and what whoever has a machine sent."""
    said = predicted(works(None))
    ways = list(FULL)
    rows: list[list[object]] = [
        [f"Pi {board}", *[f"{rate(times[way], 'full')} → {rate(times[way], 'sparing')}" for way in ways]]
        for board, times in said.items()
    ]
    sent: list[list[object]] = []
    for text in SENT.read_text().splitlines():
        one = json.loads(text)
        cells = [times_of(one, way) for way in ways]
        sent.append([one["machine"], one["date"], one["runtime"], one["threads"], f"{one['load']:.1f}", *cells])
    stages = {board.name: stages_ms(board, works(None)) for board in BOARDS}
    parts: list[list[object]] = [[f"Pi {name}", *[f"{ms:.1f}" for ms in one.values()]] for name, one in stages.items()]
    return "\n\n".join(
        [
            table(["*predicted*, a second", *ways], rows),
            table(["*predicted*, ms", *next(iter(stages.values()))], parts),
            table(["*measured*, ms", "date", "runtime", "threads", "load", *ways], sent),
        ]
    )


def rate(times: dict[str, float], which: str) -> str:
    """Frames a second of milliseconds."""
    return f"{1000 / times[which]:.0f}"


def times_of(one: dict[str, Any], way: str) -> str:
    """What a line says of a way: in full and glanced at, and what was predicted; empty where it was not measured."""
    if way not in one["ways_ms"]:
        return ""
    times = one["ways_ms"][way]
    said = one["predicted_ms"]
    before = "" if said is None else f" (predicted {said[way]['full']:.1f})"
    return f"{times['full']:.1f} → {times['glanced']:.1f}{before}"


def percent(share: float, sign: str = "") -> str:
    """A share in whole percent."""
    return f"{100 * share:{sign}.0f} %"
