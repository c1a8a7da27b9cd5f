"""Sums on Flower: is the head the pooled one, what does SecAgg+ cost, what if nodes die, how much does a node need?

exactness    people's hands on ten devices with unequal classes; and whole pictures, which are projected to 256 values
ten nodes    a real SuperLink and ten SuperNodes on loopback, two of them of real services, the others of the service's
             code without a camera; in clear and by SecAgg+, with all alive and with three that are killed in the round
simulation   500 clients by Flower's simulation, in clear, and fewer by SecAgg+, whose messages grow with their square
bytes        what a node sends and gets in a round, 8 classes, by the length of the rows

The middle two are left out where Flower is not there (`benchmarks/flower_run.py`).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.flower_run import Flower, ends, flower_folder, resident_mib
from benchmarks.look_ways import models_folder, open_ways, see
from benchmarks.pictures import ROOT, digits, faces
from benchmarks.proof_few import signers
from benchmarks.record import table
from benchmarks.serving import Serving
from benchmarks.sums_standin import RowEmbedder, write_profile
from device.assembly import adopt_look
from edge_tl.core.features import unit_rows
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.look.choices import Look
from edge_tl.fleet.sums import SumsRound
from edge_tl.heads.ridge import RidgeHead
from edge_tl.heads.ridge_sums import BETAS, LAMBDAS, SummedRidge, Totals, chosen, projection, shape_of
from edge_tl.recognizer import Recognizer

NODES, REAL, CLIENTS, SECURE_CLIENTS = 10, 2, 500, 50
TIMEOUT_S = 90
EARLY, LATE = (7, 8), 9
"""Nodes that are killed as soon as they are asked for sums, and one that is once it has given them."""

RIGHT = ("named alike", "right", "all rows")

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def measure() -> dict[str, Any]:
    """All of it; what its data or programs are missing for is left out, and said."""
    made: dict[str, Any] = {"bytes": sizes()}
    folder, programs = models_folder(), flower_folder()
    if folder is not None and digits().paths:
        ways = open_ways(folder)
        hands = see(digits(), {"hand": ways["hand"]})["hand"]
        devices = by_people(hands.X, hands.y, signers(hands.pictures))
        made["exactness"] = {"hands": exactness(ways["hand"], devices)}
        shown = see(faces(), {"frame": ways["frame"]})["frame"]
        made["exactness"]["whole pictures"] = exactness(ways["frame"], each_group(shown.X, shown.y, shown.groups))
        if programs is not None:
            made["ten nodes"] = ten_nodes(programs, folder, ways["hand"], devices)
    if programs is None:
        print("Flower's programs are not there: EDGE_TL_FLOWER names no environment with them", file=sys.stderr)
    else:
        made["simulation"] = {"in clear": simulation(programs)}
        made["fewer"] = {f"{SECURE_CLIENTS} simulated, SecAgg+": simulation(programs, SECURE_CLIENTS, secure=True)}
    return made


def sizes() -> dict[str, dict[str, int]]:
    """Bytes of each message of a node, by the length of its rows."""
    made = {}
    for columns in (60, 256):
        totals = Totals(np.ones(8), np.ones(8), np.ones((8, columns)), np.eye(columns))
        made[str(columns)] = {
            "sums, sent": 8 * int(np.prod(shape_of(8, columns))),
            "totals, got": totals.packed().nbytes,
            "verdicts, sent": 8 * len(LAMBDAS) * (3 + len(BETAS)),
            "head, got": 8 * 8 * (columns + 1),
        }
    return made


def by_people(X: np.ndarray, y: np.ndarray, who: np.ndarray) -> list[Rows]:
    """The people on ten devices, each of which lacks two classes; each picture is a take."""
    labels = np.unique(y)
    made = []
    for number in range(NODES):
        lacks = labels[[number % len(labels), (number + 1) % len(labels)]]
        some = np.isin(who, np.unique(who)[number::NODES]) & ~np.isin(y, lacks)
        made.append((X[some], y[some], np.arange(some.sum()) + 1))
    return made


def each_group(X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> list[Rows]:
    """Each group on a device of its own; each picture is a take."""
    return [(X[some], y[some], np.arange(some.sum()) + 1) for some in (groups == group for group in np.unique(groups))]


def learned(embedder: Embedder, devices: list[Rows]) -> Recognizer:
    """What was taught all of it in one place."""
    made = Recognizer(embedder, reject=False)
    take = 0
    for X, y, _ in devices:
        for row, label in zip(X, y, strict=True):
            take += 1
            made.add(row, str(label), take)
    made.learn()
    return made


def exactness(embedder: Embedder, devices: list[Rows]) -> dict[str, Any]:
    """The head of sums beside that of all rows in one place, and how rightly each names what is left out."""
    hub = learned(embedder, devices)
    head = hub.head
    assert isinstance(head, RidgeHead)
    X, found = [], []
    for one, _, _ in devices:
        rows, some = hub.as_rows(one)
        X.append(rows[some])
        found.append(some)
    labels = list(hub.head.classes_)
    of = [SumsRound(X[at], y[found[at]], takes[found[at]], labels) for at, (_, y, takes) in enumerate(devices)]
    totals = Totals.of(np.sum([one.sums() for one in of], axis=0), of[0].columns)
    said = np.sum([one.verdicts(totals.packed()) for one in of], axis=0)
    at, temperature = chosen(said, totals, head.prior)
    ridge = SummedRidge(totals)
    coef, intercept = ridge.coef(float(LAMBDAS[at] * ridge.scale))
    scores = [one.scores(at) for one in of]
    asked = np.array([one.asked for one in scores])
    without = np.array([0.0 if one.without is None else one.without for one in scores])
    signs = projection(X[0].shape[1])
    beside = head
    if signs is not None:  # what the same rows, projected, give in one place
        y = np.concatenate([y[some] for (_, y, _), some in zip(devices, found, strict=True)])
        takes = np.arange(len(y)) + 1
        beside = RidgeHead(prior=head.prior).fit((np.concatenate(X) @ signs).astype(np.float32), y, takes)
    made = of[0].head(at, temperature, coef, intercept)
    rows = np.concatenate(X)
    pooled_rows = rows if signs is None else (rows @ signs).astype(np.float32)
    return {
        "columns": int(X[0].shape[1]),
        "summed": of[0].columns,
        "examples": len(rows),
        "weights": float(np.abs(coef - beside.coef_).max()),
        "largest weight": float(np.abs(beside.coef_).max()),
        "probability": float(np.abs(made.predict_proba(rows) - beside.predict_proba(pooled_rows)).max()),
        "same lambda": bool(np.isclose(LAMBDAS[at] * ridge.scale, beside.lambda_, rtol=1e-4)),
        "accuracy": float(said[at, 1] / said[at, 0]),
        "accuracy of all rows": float(head.loo_accuracy_),
        "without the device": float((asked * without).sum() / asked.sum()),
        "without the device, all rows": without_device(hub, devices),
    }


def without_device(hub: Recognizer, devices: list[Rows]) -> float:
    """How rightly the head of all rows names those of each device, which are left out together."""
    head = hub.head
    assert isinstance(head, RidgeHead)
    taught = head._examples
    assert taught.takes is not None
    at = np.repeat(np.arange(len(devices)), [len(y) for _, y, _ in devices])[taught.takes - 1]  # each row is a take
    said = head.held_out_proba([np.flatnonzero(at == number) for number in np.unique(at)])
    return float(np.mean(said.argmax(axis=1) == taught.codes()))


def weights_beside(report: dict[str, Any], head: RidgeHead, X: np.ndarray) -> dict[str, Any]:
    """How far a run's head is from another one, and how many of the rows X (N, F) both name alike."""
    scores = X @ np.array(report["coef"]).T + np.array(report["intercept"])
    same = bool(np.isclose(report["lambda"], head.lambda_, rtol=1e-3))
    return {
        "gave": report["gave"],
        "same lambda": same,
        "weights": float(np.abs(np.array(report["coef"]) - head.coef_).max()) if same else None,
        "largest weight": float(np.abs(head.coef_).max()),
        "left out": sorted(set(report["failed"].values())),
        "heads": len(report["scores"]),
        "named alike": float(np.mean(scores.argmax(axis=1) == head.scores(X).argmax(axis=1))),
        "accuracy": report["accuracy"],
        "accuracy of all rows": float(head.loo_accuracy_),
    }


class Standin:
    """The profiles of a folder behind sockets, and what was asked of them, as it comes; `with` ends it."""

    def __init__(self, folder: Path, what: str, heard: Callable[[str], None]) -> None:
        command = [sys.executable, "-m", "benchmarks.sums_standin", str(folder), what]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._heard, self._ready = heard, threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line == "ready\n":
                self._ready.set()
            else:
                self._heard(line.strip())

    def __enter__(self) -> Standin:
        if not self._ready.wait(TIMEOUT_S):
            raise RuntimeError("the stand-in did not start")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def real_service(folder: Path, models: Path, rows: Rows, fingerprint: str) -> Serving:
    """A service whose profile holds these embeddings of hands, with the camera of the simulated player."""
    data = folder / "state"
    shutil.copytree(models, data / "models")
    write_profile(data / "profiles" / "default", *rows, fingerprint, lambda one: adopt_look(one, Look("hand")))
    return Serving(folder, '[sums]\n[pipelines.signs]\ncamera = "sim:hand"\nlook = "hand"\n').start()


def ten_nodes(programs: Path, models: Path, embedder: Embedder, devices: list[Rows]) -> dict[str, Any]:
    """Rounds over ten real nodes; and what one of them takes."""
    made: dict[str, Any] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for number in range(REAL, NODES):
            write_profile(folder / "profiles" / str(number), *devices[number], embedder.fingerprint)
        kills: dict[str, subprocess.Popen[bytes]] = {}

        def heard(line: str) -> None:
            if line in kills:
                ends(kills.pop(line))

        stack.enter_context(Standin(folder / "profiles", "hand", heard))
        services = [
            stack.enter_context(real_service(folder / f"real {number}", models, devices[number], embedder.fingerprint))
            for number in range(REAL)
        ]
        places = [one.data / "sums.sock" for one in services]
        places += [folder / "profiles" / f"{number}.sock" for number in range(REAL, NODES)]
        for way, secure in (("in clear", False), ("SecAgg+", True)):
            with Flower(folder / way, programs) as flower:
                started = [flower.node(place) for place in places]
                if not secure:
                    held = [resident_mib(one) for one in flower.nodes]
                    made["node"] = {
                        "start, s": float(np.median(started)),
                        "resident, MiB": [float(np.median(one)) for one in zip(*held, strict=False)],
                    }
                for case in ("all alive", "three die"):
                    if case == "three die":
                        kills |= {f"{number} sums": flower.nodes[number] for number in EARLY}
                        kills[f"{LATE} verdicts"] = flower.nodes[LATE]
                    begun_s = time.monotonic()
                    config = f"nodes={NODES} secure={str(secure).lower()} timeout={TIMEOUT_S}"
                    run = flower.begin(case, config)
                    report = flower.report(case, run)
                    gave = [rows for number, rows in enumerate(devices) if case == "all alive" or number not in EARLY]
                    took_s, hub = time.monotonic() - begun_s, learned(embedder, gave)
                    assert isinstance(hub.head, RidgeHead)
                    beside = weights_beside(report, hub.head, hub.rows[0])
                    made[f"{way}, {case}"] = {"took, s": took_s, **beside}
        last = services[0].ask("/health")[1]["outputs"]["sums"]
        made["generations of a real service"] = last["last"].get("generation")
    return made


def simulation(programs: Path, clients: int = CLIENTS, *, secure: bool = False) -> dict[str, Any]:
    """So many devices of made-up rows of 60 values, five of eight classes each, by Flower's own simulation."""
    random, columns = np.random.default_rng(0), 60
    centres, devices = random.normal(size=(8, columns)), []
    for _ in range(clients):
        codes = np.repeat(random.choice(8, 5, replace=False), 2)  # two takes of each
        X = [centres[code] + 1.5 * random.normal(size=columns) + random.normal(size=(4, columns)) for code in codes]
        rows = unit_rows(np.concatenate(X)).astype(np.float16).astype(np.float32)
        devices.append((rows, np.repeat([f"class {code}" for code in codes], 4), np.repeat(np.arange(10) + 1, 4)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        embedder = RowEmbedder(columns)
        for number, rows_ in enumerate(devices):
            write_profile(folder / "profiles" / str(number), *rows_, embedder.fingerprint)
        with (
            Standin(folder / "profiles", str(columns), lambda line: None),
            Flower(folder / "flower", programs, simulation=True) as flower,
        ):
            begun_s = time.monotonic()
            place = folder / "profiles" / "{partition-id}.sock"
            config = f'nodes={clients} timeout=600 secure={str(secure).lower()} socket="{place}"'
            federation = f"num-supernodes={clients} client-resources-num-cpus=1 init-args-num-cpus=2"
            report = flower.report("run", flower.begin("run", config, federation))
            took_s = time.monotonic() - begun_s
    X, y = (np.concatenate([one[at] for one in devices]) for at in range(2))
    takes = np.concatenate([one[2] + 100 * number for number, one in enumerate(devices)])
    head = RidgeHead().fit(X, y, takes)
    asked = sum(one["asked"] for one in report["scores"].values())
    without = sum(one["asked"] * one["without"] for one in report["scores"].values()) / asked
    return {
        "took, s": took_s,
        **weights_beside(report, head, X),
        "without the device": without,
    }


def report(result: dict[str, Any]) -> str:
    """As tables."""
    parts = []
    if "exactness" in result:
        rows = [
            [
                name,
                one["examples"],
                f"{one['columns']} → {one['summed']}",
                f"{one['weights']:.1e} of {one['largest weight']:.2f}",
                f"{one['probability']:.1e}",
                f"{100 * one['accuracy']:.1f} %",
                f"{100 * one['accuracy of all rows']:.1f} %",
                f"{100 * one['without the device']:.1f} %",
                f"{100 * one['without the device, all rows']:.1f} %",
            ]
            for name, one in result["exactness"].items()
        ]
        head = [
            "sums of",
            "examples",
            "values",
            "weights differ",
            "probability",
            "right",
            "all rows",
            "without the device",
            "all rows",
        ]
        parts.append(table(head, rows))
    runs = {name: one for name, one in result.get("ten nodes", {}).items() if isinstance(one, dict) and "gave" in one}
    runs = {f"ten nodes, {name}": one for name, one in runs.items()}
    runs |= {f"500 simulated, {name}": one for name, one in result.get("simulation", {}).items()}
    runs |= result.get("fewer", {})
    if runs:
        rows = [
            [
                name,
                one["gave"],
                one["heads"],
                f"{one['took, s']:.0f}",
                "yes" if one["same lambda"] else "no",
                "-" if one["weights"] is None else f"{one['weights']:.1e} of {one['largest weight']:.2f}",
                *(f"{100 * one[share]:.1f} %" for share in ("named alike", "accuracy", "accuracy of all rows")),
            ]
            for name, one in runs.items()
        ]
        parts.append(table(["a round", "gave sums", "use the head", "s", "same λ", "weights differ", *RIGHT], rows))
    if "ten nodes" in result:
        node = result["ten nodes"]["node"]
        each = " and ".join(f"{mib:.0f}" for mib in node["resident, MiB"])
        parts.append(f"A node starts in {node['start, s']:.1f} s; its processes hold {each} MiB while it waits.")
    rows = [
        [f"{columns} values", *(f"{value:,}" for value in one.values())] for columns, one in result["bytes"].items()
    ]
    parts.append(table(["bytes, 8 classes", *next(iter(result["bytes"].values()))], rows))
    return "\n\n".join(parts)
