"""Who sits before the camera in the demo: the simulated player, or a folder of labelled pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from device.steering import DIRECTIONS, neutral_label
from edge_tl.errors import ExampleError
from edge_tl.folders import import_folder
from edge_tl.frames import Frame, Source
from edge_tl.image import decode
from edge_tl.simulated import SimulatedPlayer

TEACHING_TAKES, TESTING_TAKES, TAKE_FRAMES = 12, 4, 4
"""Takes a label, and frames a take. Many short takes teach more than few long ones: over eight players, 4 takes of 8
frames reach 83 % on takes they have not seen, 12 of 4 reach 96 %."""


class Player(Source, Protocol):
    """A source that can be told what to show, and knows some takes for teaching and others for testing."""

    pose: str
    labels: tuple[str, ...]

    def takes(self, testing: bool) -> Iterator[tuple[str, list[Frame]]]:
        """(label, frames) of every take of one side; no frame is on both sides."""
        ...


def show(source: Source, label: str) -> None:
    """Ask the simulated player for a new take of a pose; any other source shows what it shows."""
    if isinstance(source, SimulatedPlayer) and label in source.labels:
        source.pose = label
        source.new_session()


class SimulatedDemo(SimulatedPlayer):
    """The simulated player with its lessons: every take is another session, with other light, place and clothes."""

    def __init__(self, seed: int, clock: Callable[[], float]) -> None:
        super().__init__(seed, clock, paced=True)
        self._teacher = SimulatedPlayer(seed, clock)
        self._teacher.open()

    def takes(self, testing: bool) -> Iterator[tuple[str, list[Frame]]]:
        """Takes in turns of all labels, of `TAKE_FRAMES` frames each; drawn as fast as the machine can."""
        teacher = self._teacher
        for _ in range(TESTING_TAKES if testing else TEACHING_TAKES):
            for label in self.labels:
                # In this order the new take begins with the head turned already.
                teacher.pose = label
                teacher.new_session()
                # What is played comes from a session of its own too, which nobody taught.
                self.new_session()
                yield label, [teacher.read() for _ in range(TAKE_FRAMES)]
        self.new_session()


class FolderPlayer:
    """A folder CLASS/picture or CLASS/TAKE/picture that plays: it shows a held-out picture of the pose asked for.

    Where classes have two takes or more, the last quarter of the takes (at least one) is held out whole;
    where they have none, the last quarter of the pictures in the order of their names. A picture that cannot be read
    is left out and told by `warn`.
    """

    simulated = True

    def __init__(
        self,
        root: Path,
        seed: int,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        warn: Callable[[object], None],
        fps: float = 30.0,
    ) -> None:
        self.name = f"folder {root}"
        self.clock, self._sleep, self._warn, self._step_s = clock, sleep, warn, 1 / fps
        found: dict[str, dict[str, list[Path]]] = {}
        for item in import_folder(root):
            found.setdefault(item.label, {}).setdefault(item.take_name, []).append(item.path)
        self.labels = tuple(sorted(found))
        if len(self.labels) < 2:
            raise ExampleError(f"{root} has {len(self.labels)} classes of pictures; wanted 2 or more: CLASS/picture")
        self._teach, self._test = {}, {}
        for label, takes in found.items():
            groups = list(takes.values())
            if len(groups) < 2:
                groups = [[path] for path in groups[0]]
            if len(groups) < 2:
                raise ExampleError(f"class {label!r} in {root} has one picture; wanted 2 or more, to teach and to test")
            held = max(1, len(groups) // 4)
            self._teach[label], self._test[label] = groups[:-held], groups[-held:]
        self.pose = self.labels[0]
        self._rng = np.random.default_rng(seed)
        self._index = 0
        self._next_s = clock()

    def takes(self, testing: bool) -> Iterator[tuple[str, list[Frame]]]:
        """The takes of one side; ExampleError where a class has no readable picture on it."""
        for label, takes in (self._test if testing else self._teach).items():
            for paths in takes:
                frames = [frame for path in list(paths) if (frame := self._readable(path, label, paths))]
                if frames:
                    yield label, frames
            takes[:] = [paths for paths in takes if paths]
            if not takes:
                raise ExampleError(f"class {label!r} has too few pictures that can be read; wanted 2 or more")

    def read(self, timeout_s: float = 1.0) -> Frame:
        """A held-out picture of the pose, at 30 a second."""
        self._sleep(max(0.0, self._next_s - self.clock()))
        self._next_s = max(self._next_s + self._step_s, self.clock())
        takes = self._test[self.pose]
        paths = takes[self._rng.integers(len(takes))]
        return self._frame(paths[self._rng.integers(len(paths))], self.pose)

    def open(self) -> None:
        """The next picture is due now."""
        self._next_s = self.clock()

    def close(self) -> None:
        """Nothing is held."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _readable(self, path: Path, label: str, paths: list[Path]) -> Frame | None:
        """The frame of a picture; None, and it is taken from its take, where it cannot be read."""
        try:
            return self._frame(path, label)
        except ExampleError as error:
            self._warn(error)
            paths.remove(path)
            return None

    def _frame(self, path: Path, label: str) -> Frame:
        self._index += 1
        picture = decode(path)
        return Frame(picture, self.clock(), self._index, truth=label)


def directions(labels: tuple[str, ...]) -> dict[str, str]:
    """Label → direction for the demo: by name, or else the first four labels in order."""
    named = {label: label.casefold() for label in labels if label.casefold() in DIRECTIONS}
    steering = [label for label in labels if label != neutral_label(labels)]
    return named if len(named) == 4 else dict(zip(steering, DIRECTIONS, strict=False))
