"""Who sits before the camera in the demo: the simulated player, or a folder of labelled pictures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from device.sources.rotated import turned
from device.teach.steering import DIRECTIONS
from edge_tl.controller import neutral_label
from edge_tl.errors import ExampleError, counted
from edge_tl.frames import BaseSource, Frame
from edge_tl.labels import ORDINARY
from edge_tl.media.image import decode
from edge_tl.sources.drawn_room import Place
from edge_tl.sources.moving_hand import MovingHand
from edge_tl.sources.simulated import SimulatedPlayer
from edge_tl.store.folders import import_folder
from edge_tl.store.layouts.registry import check_classes

TEACHING_TAKES, TESTING_TAKES, TAKE_FRAMES = 12, 4, 4
"""Takes a label, and frames a take. Many short takes teach more than few long ones: over eight players, 4 takes of 8
frames reach 83 % on takes they have not seen, 12 of 4 reach 96 %."""


Take = tuple[str, list[Frame]]
Takes = dict[str, list[list[Path]]]
"""Label → the files of each take."""


class Player(BaseSource):
    """A source that can be told what to show, and knows takes to teach, takes to test, and those of another day."""

    pose: str
    labels: tuple[str, ...]
    tomorrow_name = ""
    """What the session of another day is called, where it has a name."""

    @abstractmethod
    def takes(self, testing: bool) -> Iterator[Take]:
        """(label, frames) of every take of one side, all of today; no frame is on both sides."""

    @abstractmethod
    def pictures(self, testing: bool) -> int:
        """How many pictures one side has, tomorrow's among those that test; where some cannot be read, fewer."""

    @abstractmethod
    def tomorrow(self) -> Iterator[Take]:
        """(label, frames) of every take of another day; `read` then shows that day. Empty where none is known."""

    @abstractmethod
    def today(self) -> None:
        """`read` shows today again."""


def show(source: BaseSource, label: str) -> None:
    """Ask the simulated player for a new take of a pose, or its hand for a movement, for which "" is none.

    Any other source shows what it shows.
    """

    def pose(one: BaseSource) -> None:
        if isinstance(one, SimulatedPlayer) and label in one.labels:
            one.pose = label
            one.new_session()
        elif isinstance(one, MovingHand) and label == ORDINARY:
            one.about()
        elif isinstance(one, MovingHand) and label in one.labels:
            one.perform(label)
        elif isinstance(one, MovingHand):
            one.rest()

    source.tell(pose)


def let_go(source: BaseSource) -> None:
    """Nothing is taught just now: the simulated player, or the hand, does what it did before."""

    def alone(one: BaseSource) -> None:
        if isinstance(one, SimulatedPlayer | MovingHand):
            one.go_on()

    source.tell(alone)


class SimulatedDemo(SimulatedPlayer, Player):
    """The simulated player with its lessons: every take has other light, another day another person."""

    def __init__(self, seed: int, clock: Callable[[], float], subject: str = "head") -> None:
        super().__init__(seed, clock, paced=True, subject=subject)
        self._teacher = SimulatedPlayer(seed, clock, subject=subject)
        self._teacher.open()

    def takes(self, testing: bool) -> Iterator[Take]:
        """Takes in turns of all labels, of `TAKE_FRAMES` frames each; drawn as fast as the machine can."""
        yield from self._drawn(self._teacher, TESTING_TAKES if testing else TEACHING_TAKES)

    def pictures(self, testing: bool) -> int:
        """Of all labels; tomorrow is as many as today."""
        return (2 * TESTING_TAKES if testing else TEACHING_TAKES) * len(self.labels) * TAKE_FRAMES

    def tomorrow(self) -> Iterator[Take]:
        """As many takes as are tested today, of somebody else who is elsewhere in the picture."""
        teacher = SimulatedPlayer(self._seed, self._clock, subject=self.subject)
        teacher.open()
        teacher.new_day()
        yield from self._drawn(teacher, TESTING_TAKES)
        self.new_day()

    def today(self) -> None:
        """The person and the place that were taught, in a session of their own."""
        self._day = 0
        self._place = Place()
        self.new_session()

    def _drawn(self, teacher: SimulatedPlayer, takes: int) -> Iterator[Take]:
        for _ in range(takes):
            for label in self.labels:
                # In this order the new take begins with the head turned already.
                teacher.pose = label
                teacher.new_session()
                # What is played comes from a session of its own too, which nobody taught.
                self.new_session()
                yield label, [teacher.read() for _ in range(TAKE_FRAMES)]
        self.new_session()


class FolderPlayer(Player):
    """A folder CLASS/picture or CLASS/TAKE/picture that plays: it shows a held-out picture of the pose asked for.

    Where classes have two takes or more, the last quarter of the takes (at least one) is held out whole;
    where they have none, the last quarter of the pictures in the order of their names. A picture that cannot be read
    is left out and told by `warn`. Of a folder with two sessions or more (`sessions`: the folders at the top are
    sessions; or a `sessions.json` says so) the last is tomorrow, and nothing of it is taught.
    degrees: clockwise, which every picture is turned by first.
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
        sessions: bool = False,
        degrees: int = 0,
    ) -> None:
        self.name = f"folder {root}"
        self.clock, self._sleep, self._warn, self._step_s = clock, sleep, warn, 1 / fps
        self._degrees = degrees
        found: dict[int, dict[str, dict[str, list[Path]]]] = {}
        if not sessions:
            check_classes(root)
        names: dict[int, str] = {}
        for item in import_folder(root, sessions=sessions):
            names[item.session] = item.session_name
            found.setdefault(item.session, {}).setdefault(item.label, {}).setdefault(item.take_name, []).append(
                item.path
            )
        if len(found) > 1:
            self.tomorrow_name = names[max(found)] or f"number {max(found)}"
        last = found.pop(max(found)) if len(found) > 1 else {}
        self.labels = tuple(sorted({label for session in found.values() for label in session}))
        if len(self.labels) < 2:
            raise ExampleError(
                f"{root} has {counted(len(self.labels), 'class', 'classes')} of pictures; wanted 2 or more: "
                "CLASS/picture"
            )
        self._tomorrow = {label: list(takes.values()) for label, takes in last.items() if label in self.labels}
        self._teach: Takes = {label: [] for label in self.labels}
        self._test: Takes = {label: [] for label in self.labels}
        for label in self.labels:
            for session in found.values():
                groups = list(session.get(label, {}).values())
                if len(groups) == 1:
                    groups = [[path] for path in groups[0]]
                held = max(1, len(groups) // 4) if len(groups) > 1 else 0
                self._teach[label] += groups[: len(groups) - held]
                self._test[label] += groups[len(groups) - held :]
            if not self._test[label]:
                raise ExampleError(f"class {label!r} in {root} has one picture; wanted 2 or more, to teach and to test")
        self._shown = self._test
        self.pose = self.labels[0]
        self._rng = np.random.default_rng(seed)
        self._index = 0
        self._next_s = clock()

    def takes(self, testing: bool) -> Iterator[Take]:
        """The takes of one side; ExampleError where a class has no readable picture on it."""
        side = self._test if testing else self._teach
        yield from self._readable_takes(side)
        for label, takes in side.items():
            if not takes:
                raise ExampleError(f"class {label!r} has too few pictures that can be read; wanted 2 or more")

    def pictures(self, testing: bool) -> int:
        """Those that are files; whether they can be read is seen later."""
        sides = [self._test, self._tomorrow] if testing else [self._teach]
        return sum(len(paths) for side in sides for takes in side.values() for paths in takes)

    def tomorrow(self) -> Iterator[Take]:
        """The takes of the last session, if there are several."""
        yield from self._readable_takes(self._tomorrow)
        self._shown = {label: self._tomorrow.get(label) or takes for label, takes in self._test.items()}

    def today(self) -> None:
        """The held-out takes of the taught sessions are shown."""
        self._shown = self._test

    def _readable_takes(self, side: Takes) -> Iterator[Take]:
        for label, takes in side.items():
            for paths in takes:
                frames = [frame for path in list(paths) if (frame := self._readable(path, label, paths))]
                if frames:
                    yield label, frames
            takes[:] = [paths for paths in takes if paths]

    def read(self, timeout_s: float = 1.0) -> Frame:
        """A held-out picture of the pose, at 30 a second."""
        self._sleep(max(0.0, self._next_s - self.clock()))
        self._next_s = max(self._next_s + self._step_s, self.clock())
        takes = self._shown[self.pose]
        paths = takes[self._rng.integers(len(takes))]
        return self._frame(paths[self._rng.integers(len(paths))], self.pose)

    def open(self) -> None:
        """The next picture is due now."""
        self._next_s = self.clock()

    def close(self) -> None:
        """Nothing is held."""

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
        picture = turned(decode(path), self._degrees)
        return Frame(picture, self.clock(), self._index, truth=label)


def directions(labels: tuple[str, ...]) -> dict[str, str]:
    """Label → direction for the demo: by name, or else the first four labels in order."""
    named = {label: label.casefold() for label in labels if label.casefold() in DIRECTIONS}
    steering = [label for label in labels if label != neutral_label(labels)]
    return named if len(named) == 4 else dict(zip(steering, DIRECTIONS, strict=False))
