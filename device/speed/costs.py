"""What a frame takes in each way to look: which networks it asks, how often, and what is not a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device.speed.boards import BOARDS, Board
from device.speed.reference import NETWORKS_MS, REST_MS
from edge_tl.embedders.look.choices import NEEDS
from edge_tl.embedders.look.models import FACE, LANDMARKS, PALM, parts_of
from edge_tl.errors import ModelError
from edge_tl.models import default_model
from edge_tl.tflite.counting import Work, work_of
from edge_tl.tflite.interpreter import read_model
from edge_tl.tflite.manifest import read_manifest

EMBEDDER, PALMS, HAND, FACES = "embedder", "palm detector", "hand landmarks", "face detector"
"""What the networks are called."""
PLAYABLE_FPS = 10.0
"""Below so many answers a second nobody steers well: the controller wants several that agree."""


@dataclass(frozen=True)
class FrameCost:
    """One frame of a way to look while what is looked for is followed."""

    networks: tuple[tuple[str, int], ...]
    """The networks that it asks, and how often each."""
    other_ms: float
    """What is not a network, on the machine of `reference`: Pillow's transforms, decoding, rows for the head."""


FULL = {
    way: FrameCost(networks, REST_MS[way][0])
    for way, networks in {
        "frame": ((EMBEDDER, 1),),
        "hand": ((HAND, 1),),
        "hand-crop": ((HAND, 1), (EMBEDDER, 1)),
        "face": ((FACES, 3),),
        "face-crop": ((FACES, 3), (EMBEDDER, 1)),
    }.items()
}
"""Followed in full."""
GLANCED = {"frame": FULL["frame"]} | {
    way: FrameCost(networks, REST_MS[way][1])
    for way, networks in {
        "hand": (),
        "hand-crop": (),
        "face": ((FACES, 1),),
        "face-crop": ((FACES, 1),),
    }.items()
}
"""Glanced at. The whole picture has no glance."""
AFTER_MS = {"head": 0.11, "game": 0.02}
"""What comes after the embedding there: the head with "none of these", and a tick of the game."""
LISTENING = Work(41_955_840, 0, 10_413_100)
"""The network of the embedded speech base, which runs every 80 ms; its spectrum is computed beside it."""


def works(models: Path | None) -> dict[str, Work]:
    """What each network computes, from the files themselves; those that are not installed are as they were published.

    `models`: the folder of the models that find hands and faces, None for no folder.
    """
    shipped = default_model()
    found = {EMBEDDER: work_of(read_model(shipped / read_manifest(shipped).model), str(shipped))}
    for name, part in ((HAND, LANDMARKS), (PALMS, PALM), (FACES, FACE)):
        file = None if models is None else models / part.name / f"{part.name}.tflite"
        try:
            found[name] = PUBLISHED[name] if file is None else work_of(read_model(file), str(file))
        except ModelError:
            found[name] = PUBLISHED[name]
    return found


PUBLISHED = {
    HAND: Work(298_243_072, 32_725_728, 61_664_408),
    PALMS: Work(272_130_048, 65_203_200, 117_145_040),
    FACES: Work(27_000_832, 3_760_128, 22_240_152),
}
"""What `work_of` counts in the files of mediapipe's wheel; a test counts again."""


def slowdown(board: Board, counted: dict[str, Work]) -> float:
    """How much slower than on the reference machine all else is taken to be: as much as the networks on one thread.

    An upper bound, most likely: that machine's wide vectors help its networks more than Pillow and Python.
    """
    return sum(board.network_ms(work, 1) for work in counted.values()) / sum(NETWORKS_MS[name] for name in counted)


def frame_ms(board: Board, frame: FrameCost, counted: dict[str, Work], threads: int) -> float:
    """What one frame takes on a board, predicted."""
    networks = sum(count * board.network_ms(counted[name], threads) for name, count in frame.networks)
    return networks + slowdown(board, counted) * frame.other_ms


def stages_ms(board: Board, counted: dict[str, Work]) -> dict[str, float]:
    """What each stage takes once, predicted: networks on four threads, listening on one, all else as slow as that."""
    networks = {name: board.network_ms(work, 4) for name, work in counted.items()}
    rest = {name: slowdown(board, counted) * ms for name, ms in AFTER_MS.items()}
    return networks | {"listening, of 80": board.network_ms(LISTENING, 1)} | rest


def mean_ms(full_ms: float, glance_ms: float, every: int) -> float:
    """A frame's mean where each `every`-th one is looked at in full."""
    return (full_ms + (every - 1) * glance_ms) / every


def predicted(counted: dict[str, Work], threads: int = 4) -> dict[str, dict[str, dict[str, float]]]:
    """Board → way → milliseconds a frame: `full`, and where each second one is looked at in full, `sparing`."""
    made: dict[str, dict[str, dict[str, float]]] = {}
    for board in BOARDS:
        made[board.name] = {}
        for way, frame in FULL.items():
            full = frame_ms(board, frame, counted, threads)
            sparing = mean_ms(full, frame_ms(board, GLANCED[way], counted, threads), 2)
            made[board.name][way] = {"full": full, "sparing": sparing}
    return made


def missing(way: str, models: Path) -> bool:
    """Whether models that a way needs are not installed in a folder."""
    return way in NEEDS and any(not (models / part.name).is_dir() for part in parts_of(NEEDS[way]))
