"""One whole training on own examples and so many lessons of others, in a process of its own (`proof_fleet`).

Prints JSON: seconds of processor time of the first training, which reads all lessons, and of the next one, the memory
that the process needed at most, in MiB, beside what it had before; and, for a fleet with a hub, the bytes of the head
and the seconds in which another device reads it, judges it on as many own examples, and saves it.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from device.teach.hub_head import save_hub_head
from device.teach.lesson import Lesson
from device.teach.training import train_on_lessons
from edge_tl.embedders.look.embedders import HandEmbedder
from edge_tl.fleet.head import HeadHeader, new_head, parse_head
from edge_tl.fleet.keys import DeviceKey
from edge_tl.fleet.lesson import LessonHeader, new_lessons
from edge_tl.recognizer import Recognizer
from edge_tl.store.lessons import TAKEN, LessonStore
from edge_tl.store.profile import Profile

CLASSES, ROWS, EACH = 6, 20, 20
"""Classes, frames a lesson, and lessons a device."""


def peak_mib() -> float:
    """The most memory that was resident so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(models: Path, data: Path, lessons: int) -> None:
    """Measure it. data: X (N, 60), embeddings of hands, and y (N,), in an .npz."""
    with np.load(data) as found:
        X, y = found["X"], found["y"]
    embedder, chance, labels = HandEmbedder.load(models, 1), np.random.default_rng(0), np.unique(y)[:CLASSES]

    def take(label: str) -> np.ndarray:
        one = X[chance.choice(np.flatnonzero(y == label))]
        return np.asarray((one + chance.normal(0, 0.03, (ROWS, X.shape[1]))).astype(np.float16).astype(np.float32))

    with tempfile.TemporaryDirectory() as folder, Profile(Path(folder) / "profile", writable=True) as profile:
        for label in np.repeat(labels[:3], 2):
            number = profile.store.new_take(str(label))
            for row in take(label):
                profile.store.add(number, None, row, embedder.fingerprint)
        profile.store.flush()
        with LessonStore(profile.folder, writable=True) as store, store.together():
            for at in range(lessons):
                device, label = at // EACH, labels[(at + at // EACH) % CLASSES]
                header = LessonHeader(f"device {device}", embedder.fingerprint, "hand", str(label), at + 1, 1)
                for one in new_lessons(DeviceKey((device + 1).to_bytes(4, "big") * 8), header, take(label)):
                    store.add(one, TAKEN)
        seconds, before, begun_s = [], peak_mib(), time.process_time()
        lesson = Lesson(profile.store, Recognizer(embedder), time.monotonic)
        for _ in range(2):
            train_on_lessons(profile, lesson, lambda: None)
            seconds.append(time.process_time() - begun_s)
            begun_s = time.process_time()
        told = {"first_s": seconds[0], "next_s": seconds[1], "mib": peak_mib(), "before_mib": before}
        saved = profile.load()
        assert saved is not None
        header = HeadHeader("hub", embedder.fingerprint, 1, "", lessons)
        wire = new_head(DeviceKey(bytes(32)), header, saved).wire()
        before_s = time.process_time()
        head = parse_head(wire)
        head.check_signature()
        save_hub_head(profile, lesson.recognizer, head, "hub")
        print(json.dumps({**told, "head_s": time.process_time() - before_s, "head_bytes": len(wire)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
