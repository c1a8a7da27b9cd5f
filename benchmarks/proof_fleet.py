"""A fleet: is the merged head the pooled one, what does a new device know at first, what does a lesson take?

exactness    people's signs on three devices with unequal classes; each head beside that of a hub with all lessons
first day    each person a device: how rightly what 1, 3, 10 and all others taught names what a new one shows
sizes        bytes of a lesson: 20 frames of a hand, of a face, of the whole picture, and a word
projection   whole pictures as rows, and as seeded projections of them: accuracy by persons and by rooms left out
merging      seconds for reading, merging and fitting ridge, by the number of lessons of 20 frames of a hand
training     processor time and memory of a whole training by the number of lessons, in processes of their own
scale        twenty services and five hundred simulated devices at one broker (`fleet_scale`)
kills        devices in processes of their own and a mosquitto without a disk, killed at random while they teach
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import fleet_scale
from benchmarks.look_ways import models_folder, open_ways, see
from benchmarks.pictures import ROOT, digits, faces, sessions
from benchmarks.proof_hands import signers
from benchmarks.proof_words import Spoken, arabic
from benchmarks.record import anew, table
from edge_tl.core.examples import Examples
from edge_tl.core.features import unit_rows
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.speech import SpeechEmbedder
from edge_tl.fleet.keys import DeviceKey
from edge_tl.fleet.lesson import FleetLesson, LessonHeader, new_lessons
from edge_tl.fleet.pooling import pooled
from edge_tl.heads import make_head
from edge_tl.recognizer import Recognizer
from edge_tl.store.lessons import TAKEN, LessonStore

NEW, OTHERS = 24, (1, 3, 10)
LESSONS = (100, 300, 1_000, 3_000, 10_000)
PROJECTED = (64, 256, 1_024)
DEVICES, KILLS = 3, 200
END_S, PATIENT_S, ROUND_S = 900.0, 20.0, 0.5
"""The killing ends after so long, and so does the waiting for the same set; a device is given so long to teach
something before it is killed; and between two kills."""


def measure() -> dict[str, Any]:
    """All of it; what its data or programs are missing for is left out, and said."""
    made: dict[str, Any] = {"kills": kills(), "merging": merging()}
    folder = models_folder()
    if folder is None or not digits().paths:
        return made
    ways = open_ways(folder)
    hands = see(digits(), {"hand": ways["hand"]})["hand"]
    seen = see(faces(), {"face": ways["face"], "frame": ways["frame"]})
    rooms = see(sessions(), {"frame": ways["frame"]})["frame"]
    who = signers(hands.pictures)
    speech = SpeechEmbedder.load(1)
    spoken = Spoken(arabic(), speech)
    made["exactness"] = exactness(ways["hand"], hands.X, hands.y, who)
    made["first day"] = {
        "signs of hands, by people": first_day(ways["hand"], hands.X, hands.y, who),
        "where faces look, by person": first_day(ways["face"], seen["face"].X, seen["face"].y, seen["face"].groups),
        "Arabic words, by speaker": first_day(speech, spoken.X.reshape(len(spoken.y), -1), spoken.y, spoken.speakers),
    }
    made["sizes"] = {
        "hand, 20 frames": size(hands.X[:20]),
        "face, 20 frames": size(seen["face"].X[:20]),
        "whole picture, 20 frames": size(rooms.X[:20]),
        "a word": size(spoken.X[:1].reshape(1, -1)),
    }
    made |= of_many(ways["hand"], folder, hands.X, hands.y)
    made["projection"] = {
        "where faces look, by person": projection(seen["frame"].rows(), seen["frame"].y, seen["frame"].groups),
        "fingers, by room": projection(rooms.rows(), rooms.y, rooms.groups),
    }
    return made


def many(models: Path) -> dict[str, Any]:
    """The parts of many lessons and many devices alone."""
    hand = open_ways(models)["hand"]
    seen = see(digits(), {"hand": hand})["hand"]
    return of_many(hand, models, seen.X, seen.y)


def of_many(hand: Embedder, models: Path, X: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Whole trainings on many lessons, and many devices at one broker where there is one."""
    made = {"training": training(models, X, y)}
    if shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin"):
        made["scale"] = fleet_scale.scale(hand, models)
        made["scale with a hub"] = fleet_scale.scale(hand, models, hub=True)
    return made


def size(X: np.ndarray) -> int:
    """Bytes of the lessons of a take."""
    header = LessonHeader("kitchen", "ab" * 32, "hand", "fist", 12, 3)
    return sum(len(one.wire()) for one in new_lessons(DeviceKey(bytes(32)), header, X))


def examples_of(X: np.ndarray, y: np.ndarray, fingerprint: str) -> Examples:
    """As a store gives them, each a take of its own."""
    count = np.arange(len(y)) + 1
    return Examples(count, np.asarray(X, np.float32), np.asarray(y, np.str_), count, np.ones_like(count), fingerprint)


def exactness(embedder: Embedder, X: np.ndarray, y: np.ndarray, who: np.ndarray) -> dict[str, dict[str, float]]:
    """The largest difference of any probability: of devices and the hub, and of what is taught in its own order."""
    people, keys = np.unique(who)[:60], [DeviceKey(bytes([number]) * 32) for number in range(3)]
    rows = [
        np.flatnonzero(np.isin(who, people[number::3]) & ~np.isin(y, np.unique(y)[number : number + 2]))
        for number in range(3)
    ]
    lessons: list[list[FleetLesson]] = [[], [], []]
    for number, some in enumerate(rows):
        for at, row in enumerate(some):
            header = LessonHeader(str(number), embedder.fingerprint, "", str(y[row]), at + 1, 1)
            lessons[number] += new_lessons(keys[number], header, X[row : row + 1])
    asked = X[~np.isin(who, people)][:500]
    made = {}
    for head in ("ridge", "prototype", "knn"):
        every = Recognizer(embedder, head, reject=False)
        plain = np.concatenate(rows)
        every.replace(examples_of(X[plain], y[plain], embedder.fingerprint))
        every.learn()
        row = every.as_rows(asked)[0]
        heads = []
        for number in (None, 0, 1, 2):
            one = Recognizer(embedder, head, reject=False)
            own = rows[number] if number is not None else np.zeros(0, np.int64)
            known = examples_of(X[own], y[own], embedder.fingerprint)
            others = [lesson for other in range(3) if other != number for lesson in lessons[other]]
            if len(own):
                known_rows, found = one.as_rows(known.X)
                known = Examples(
                    known.ids, known_rows, known.y, known.takes, known.sessions, known.fingerprint, found=found
                )
            one.replace(pooled(known, others, one.as_rows))
            one.learn()
            heads.append(one.head.predict_proba(row))
        made[head] = {
            "devices and hub": max(float(np.abs(one - heads[0]).max()) for one in heads[1:]),
            "hub and own order": float(np.abs(heads[0] - every.head.predict_proba(row)).max()),
        }
    return made


def first_day(embedder: Embedder, X: np.ndarray, y: np.ndarray, devices: np.ndarray) -> dict[str, Any]:
    """Taught others → the mean over new devices of the share of their examples that is named rightly."""
    names, chance = np.unique(devices), np.random.default_rng(0)
    new = chance.permutation(names)[:NEW]
    right: dict[str, list[float]] = {}
    for count in (*(one for one in OTHERS if one < len(names) - 1), len(names) - 1):
        scores = []
        for device in new:
            drawn = chance.permutation(names[names != device])[:count]
            some = np.flatnonzero(np.isin(devices, drawn))
            recognizer = Recognizer(embedder, reject=False)
            for row in some:
                recognizer.add(X[row], str(y[row]), int(row) + 1)
            ask = np.flatnonzero(devices == device)
            asked, found = recognizer.as_rows(X[ask])
            asked = asked.reshape(len(ask) * recognizer.views, -1)[recognizer.one_each]
            taught, labels, takes = recognizer.rows
            chosen = recognizer.found
            head = recognizer.new_head().fit(taught[chosen], labels[chosen], takes[chosen])
            scores.append(float(((head.predict(asked) == y[ask]) & found).mean()))
        right[str(count)] = [float(np.mean(scores)), float(np.std(scores) / np.sqrt(len(scores)))]
    return {"devices": len(names), "new": len(new), "by others": right}


def projection(rows: np.ndarray, y: np.ndarray, groups: np.ndarray) -> dict[str, float]:
    """Accuracy of ridge on groups left out, of rows (N, F) and of seeded projections to fewer values."""
    made = {f"rows ({rows.shape[1]})": left_out(rows, y, groups)}
    for wide in PROJECTED:
        scores = []
        for seed in range(3):
            P = np.random.default_rng(seed).normal(size=(rows.shape[1], wide)).astype(np.float32)
            scores.append(left_out(unit_rows((rows @ P).astype(np.float16).astype(np.float32)), y, groups))
        made[str(wide)] = float(np.mean(scores))
    return made


def left_out(rows: np.ndarray, y: np.ndarray, groups: np.ndarray) -> float:
    """The share named rightly by what the other groups taught."""
    right = np.zeros(len(y), bool)
    for one in np.unique(groups):
        there = groups == one
        head = make_head("ridge").fit(rows[~there], y[~there], np.flatnonzero(~there))
        right[there] = head.predict(rows[there]) == y[there]
    return float(right.mean())


def merging() -> dict[str, Any]:
    """Lessons → seconds of processor time for reading and checking, merging, and fitting ridge; and the exponent."""
    chance, key, fingerprint = np.random.default_rng(0), DeviceKey(bytes(32)), "ab" * 32
    centres = chance.normal(size=(6, 60))
    none = np.zeros(0, np.int64)
    own = Examples(none, np.empty((0, 0), np.float32), np.array([], np.str_), none, none, fingerprint)
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, LessonStore(Path(folder), writable=True) as store:
        done = 0
        for count in LESSONS:
            with store.together():
                for take in range(done, count):
                    header = LessonHeader("x", fingerprint, "hand", f"class {take % 6}", take, take // 50)
                    rows = (centres[take % 6] + chance.normal(size=(20, 60))).astype(np.float16).astype(np.float32)
                    for one in new_lessons(key, header, rows):
                        store.add(one, TAKEN)
            done = count
            times = [time.process_time()]
            lessons = store.taken(fingerprint)
            times.append(time.process_time())
            every = pooled(own, lessons)
            times.append(time.process_time())
            make_head("ridge").fit(every.X, every.y, every.takes)
            times.append(time.process_time())
            seconds[str(count)] = np.diff(times).tolist()
    whole = [sum(seconds[str(count)]) for count in LESSONS]
    return {"seconds": seconds, "exponent": float(np.polyfit(np.log(LESSONS), np.log(whole), 1)[0])}


def training(models: Path, X: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Lessons → what a whole training on them takes, the first one and the next; and the exponent of the first."""
    there = np.abs(X).sum(axis=1) > 0  # a hand was found
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "hands.npz", X=X[there], y=y[there])
        for count in LESSONS:
            words = [sys.executable, "-m", "benchmarks.fleet_merge", str(models), f"{folder}/hands.npz", str(count)]
            done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            made[str(count)] = json.loads(done.stdout)
    seconds = [made[str(count)]["first_s"] for count in LESSONS]
    return {"lessons": made, "exponent": float(np.polyfit(np.log(LESSONS), np.log(seconds), 1)[0])}


def kills() -> dict[str, Any] | None:
    """Whether anything that was taught was lost, and whether all hold the same lessons in the end."""
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if mosquitto is None:
        print("kills are left out: mosquitto is not installed (apt install mosquitto)", file=sys.stderr)
        return None
    chance, killed = random.Random(0), {"devices": 0, "broker": 0}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        (folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        broker = [str(mosquitto), "-c", str(folder / "mosquitto.conf")]
        running = {-1: subprocess.Popen(broker, stderr=subprocess.DEVNULL)}
        stack.callback(lambda: [(one.kill(), one.wait()) for one in running.values()])
        taught, before, holds = [0] * DEVICES, [0] * DEVICES, [""] * DEVICES
        readers: dict[int, threading.Thread] = {}

        def read(number: int, lines: Any) -> None:
            for line in lines:
                match line.split():
                    case ["taught", count]:
                        taught[number] = int(count)
                    case ["holds", *rest]:
                        holds[number] = " ".join(rest)

        def begin(number: int) -> None:
            words = [sys.executable, "-m", "benchmarks.fleet_child", str(folder), *map(str, (port, number, DEVICES))]
            process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            readers[number] = threading.Thread(target=read, args=(number, process.stdout), daemon=True)
            readers[number].start()
            running[number] = process

        for number in range(DEVICES):
            begin(number)
        begun_s = time.monotonic()
        while sum(killed.values()) < KILLS and time.monotonic() - begun_s < END_S:
            number = chance.randrange(-1, DEVICES)
            until_s = time.monotonic() + PATIENT_S
            while number >= 0 and taught[number] <= before[number] and time.monotonic() < until_s:
                time.sleep(0.02)  # until it taught something since it began
            time.sleep(ROUND_S * chance.random())
            running[number].send_signal(signal.SIGKILL)
            running[number].wait()
            killed["broker" if number < 0 else "devices"] += 1
            if number < 0:
                running[-1] = subprocess.Popen(broker, stderr=subprocess.DEVNULL)
            else:
                readers[number].join()
                before[number] = taught[number]
                begin(number)
        (folder / "stop").touch()
        stopped_s = time.monotonic()
        while time.monotonic() - stopped_s < END_S:
            time.sleep(ROUND_S)
            if len(set(holds)) == 1 and holds[0].split()[:1] == [str(sum(taught))]:
                break
        took_s = time.monotonic() - stopped_s
        (folder / "end").touch()
        for number in range(DEVICES):
            running[number].wait(60)
        same = len(set(holds)) == 1
        held = int(holds[0].split()[0]) if holds[0] else 0
        return {"killed": killed, "taught": sum(taught), "held": held, "same set": same, "seconds": took_s}


def report(result: dict[str, Any]) -> str:
    """The tables."""
    parts = []
    if result.get("kills"):
        of = result["kills"]
        parts.append(
            f"Killed {of['killed']['devices']} times a device and {of['killed']['broker']} times the broker while "
            f"{DEVICES} devices taught: {of['taught']} takes were on disk, {of['held']} lessons are held by each, "
            f"{'the same set' if of['same set'] else 'sets differ'}, {of['seconds']:.0f} s after the last kill."
        )
    rows: list[list[object]] = [[count, *of, sum(of)] for count, of in result["merging"]["seconds"].items()]
    parts.append(
        table(["lessons of 20 hands", "read, s", "merge, s", "fit ridge, s", "in all, s"], rows)
        + f"\n\nGrows with the power {result['merging']['exponent']:.2f} of the lessons."
    )
    if "training" in result:
        rows = [
            [
                count,
                of["first_s"],
                of["next_s"],
                f"{of['mib'] - of['before_mib']:.0f}",
                of.get("head_s", "–"),
                f"{of['head_bytes']:,}" if "head_bytes" in of else "–",
            ]
            for count, of in result["training"]["lessons"].items()
        ]
        parts.append(
            table(
                [
                    "lessons of 20 hands",
                    "training, s",
                    "the next one, s",
                    "memory, MiB more",
                    "using the hub's head, s",
                    "its bytes",
                ],
                rows,
            )
            + f"\n\nA whole training grows with the power {result['training']['exponent']:.2f}."
        )
    if "scale" in result:
        parts.append(fleet_scale.report(result["scale"]))
    if "scale with a hub" in result:
        parts.append("One of the services trains for all:\n\n" + fleet_scale.report(result["scale with a hub"]))
    if "exactness" in result:
        rows = [
            [head, f"{of['devices and hub']:.1e}", f"{of['hub and own order']:.1e}"]
            for head, of in result["exactness"].items()
        ]
        parts.append(table(["head", "device − hub", "hub − in another order"], rows))
        rows = [
            [name, of["devices"], count, f"{100 * mean:.1f} ± {100 * error:.1f} %"]
            for name, of in result["first day"].items()
            for count, (mean, error) in of["by others"].items()
        ]
        parts.append(table(["first day of a new device", "devices", "taught by", "right"], rows))
        parts.append(table(["lesson", "bytes"], [[name, count] for name, count in result["sizes"].items()]))
        rows = [
            [name, wide, f"{100 * of:.1f} %"] for name, one in result["projection"].items() for wide, of in one.items()
        ]
        parts.append(table(["whole pictures", "values", "right"], rows))
    return "\n\n".join([*parts, *anew(result)])
