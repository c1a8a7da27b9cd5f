"""Movements from one to five demonstrations: named, and found in streams (the sets: benchmarks/movement_sets.py).

People: fourteen gestures in two ways each. "a k": k demonstrations of each gesture by the same person, in either way,
all others of that person asked; "one way": both in the same. "b n×k": n people with k of each, all others asked. One
half of the people chose the head's constants, the other half is reported here; demonstrations drawn anew each time, by
a fixed seed.
Words: fourteen signed words, k of each from one recording; asked: the others of it, and those of the other two.
Streams: five demonstrations of each movement by other people than the streams', and a minute of other streams outside
of what they show, as `nothing`; streams are left out in three groups. A movement is found where what is told of it
overlaps by three tenths of the longer one; all else that is told is false. Streams 1, 3, 5 … chose, 2, 4, 6 … are
reported.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.movement_sets import (
    DICTIONARY,
    MADE,
    PEOPLE,
    STREAMS,
    WORDS,
    Clips,
    Stream,
    dictionary,
    people,
    streams,
    taught,
    words,
)
from benchmarks.record import anew, table
from edge_tl.heads.movement import MovementHead
from edge_tl.labels import ORDINARY
from edge_tl.movements.demonstration import VIEWS, movement_in, ordinary_windows
from edge_tl.movements.spotter import WAIT_S, Spotter
from edge_tl.movements.track import Track
from edge_tl.movements.warping import warped_distances
from edge_tl.movements.windows import rows_of
from edge_tl.words.alarms import most_per_hour

CHOSE, REPORTED = (1, 5, 9, 13, 17, 21, 25), (3, 7, 11, 15, 19, 23, 27)
DRAWS, STREAM_DRAWS = 5, 2
FOUR = ("swipe_left", "swipe_right", "swipe_v", "swipe_o")
EIGHT = (*FOUR, "pinch", "grab", "expand", "tap")
GROUPS = 3
ORDINARY_S = 60.0
OVERLAP = 0.3
GOALS = {"a1": 0.84, "a3": 0.93, "a5": 0.94, "b3×3": 0.80, "b6×3": 0.86}

Names = Callable[[Clips, np.ndarray, np.ndarray], np.ndarray]
"""(clips, taught positions, asked positions) → the labels of the asked."""


def by_head(clips: Clips, shown: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Named by the movement head."""
    return MovementHead().fit(*clips.rows(shown)).predict(clips.windows[asked, VIEWS // 2])


def by_nearest(clips: Clips, shown: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Named by the demonstration that is nearest when warped."""
    those, these = (rows_of(clips.windows[at, VIEWS // 2]).moments for at in (shown, asked))
    return np.asarray(clips.labels[shown][warped_distances(these, those).argmin(axis=1)])


def drawn(rng: np.random.Generator, clips: Clips, among: np.ndarray, count: int) -> np.ndarray:
    """Positions of so many of each class among some, in ascending order."""
    labels = clips.labels[among]
    return np.sort(np.concatenate([rng.permutation(among[labels == one])[:count] for one in np.unique(labels)]))


def same_person(
    clips: Clips, who: tuple[int, ...], count: int, names: Names, draws: int = DRAWS, *, one_way: bool = False
) -> float:
    """The share named rightly of each person's own others ("a k"); one_way: taught and asked in one of two ways."""
    rng, right, asked_in_all = np.random.default_rng(0), 0, 0
    every = [clips.groups == person for person in who]
    if one_way:
        every = [own & (clips.ways == way) for own in every for way in np.unique(clips.ways)]
    for own in map(np.flatnonzero, every):
        for _ in range(draws):
            shown = drawn(rng, clips, own, count)
            asked = np.setdiff1d(own, shown)
            right += int((names(clips, shown, asked) == clips.labels[asked]).sum())
            asked_in_all += len(asked)
    return right / asked_in_all


def other_people(
    clips: Clips, who: tuple[int, ...], teachers: int, count: int, names: Names, draws: int = 2 * DRAWS
) -> float:
    """The share named rightly of all whom nobody taught ("b n×k")."""
    rng, right, asked_in_all = np.random.default_rng(0), 0, 0
    for _ in range(draws):
        teaching = rng.permutation(who)[:teachers]
        each = [drawn(rng, clips, np.flatnonzero(clips.groups == one), count) for one in teaching]
        asked = np.flatnonzero(np.isin(clips.groups, np.setdiff1d(who, teaching)))
        right += int((names(clips, np.sort(np.concatenate(each)), asked) == clips.labels[asked]).sum())
        asked_in_all += len(asked)
    return right / asked_in_all


def persons(clips: Clips, who: tuple[int, ...], names: Names) -> dict[str, float]:
    """Every row of the table of people."""
    found = {f"a{count}": same_person(clips, who, count, names) for count in (1, 3, 5)}
    found |= {f"a{count}, one way": same_person(clips, who, count, names, one_way=True) for count in (1, 3)}
    return found | {f"b{n}×{k}": other_people(clips, who, n, k, names) for n, k in ((1, 1), (1, 3), (3, 3), (6, 3))}


def signed_words(clips: Clips, counts: tuple[int, ...] = (1, 3, 5), draws: int = DRAWS) -> dict[str, dict[str, float]]:
    """The share of words named rightly in the taught recording and in the others, by the number of demonstrations."""
    rng, result = np.random.default_rng(0), {}
    for count in counts:
        right: dict[str, list[float]] = {"same": [], "other": []}
        for recording in np.unique(clips.groups):
            for _ in range(draws):
                shown = drawn(rng, clips, np.flatnonzero(clips.groups == recording), count)
                rest = np.setdiff1d(np.arange(len(clips.labels)), shown)
                here = clips.groups[rest] == recording
                told = by_head(clips, shown, rest) == clips.labels[rest]
                right["same"].append(float(told[here].mean()))
                right["other"].append(float(told[~here].mean()))
        result[str(count)] = {where: float(np.mean(shares)) for where, shares in right.items()}
    return result


def changed(track: Track, how: str, rng: np.random.Generator) -> Track:
    """A track as another camera, or another hand, would show it."""
    landmarks, times = track.landmarks, track.times_s
    if how.endswith("frames/s"):
        step = round(30 / int(how.split()[0]))
        return Track(landmarks[::step], times[::step]) if len(times) > step else track
    if how == "a third of the frames lost":
        kept = np.sort(rng.choice(len(times), max(2, 2 * len(times) // 3), replace=False))
        return Track(landmarks[kept], times[kept])
    if how == "time stamps off by 20 ms":
        return Track(landmarks, np.sort(times + rng.uniform(-0.02, 0.02, len(times))) + 1e-6 * np.arange(len(times)))
    if how == "turned by 30°":
        c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
        return Track((landmarks @ np.array(((c, s), (-s, c)))).astype(np.float32), times)
    if how == "mirrored camera":
        return track.mirrored()
    if how == "mirrored camera, undone":
        return track.mirrored().mirrored()
    return track.other_hand() if how == "left hand" else track.other_hand().other_hand()


CHANGES = (
    *("15 frames/s", "10 frames/s", "5 frames/s", "a third of the frames lost", "time stamps off by 20 ms"),
    *("turned by 30°", "mirrored camera", "mirrored camera, undone", "left hand", "left hand, shape mirrored"),
)


def robustness(clips: Clips, who: tuple[int, ...], draws: int = 1) -> dict[str, float]:
    """a5 where the asked were changed and the taught were not."""
    rng, right, asked_in_all = np.random.default_rng(0), dict.fromkeys(("as taught", *CHANGES), 0), 0
    own = {how: [changed(one, how, rng) for one in clips.tracks] for how in CHANGES}
    windows = {how: np.stack([taught(one)[VIEWS // 2] for one in tracks]) for how, tracks in own.items()}
    windows["as taught"] = clips.windows[:, VIEWS // 2]
    for person in who:
        mine = np.flatnonzero(clips.groups == person)
        for _ in range(draws):
            shown = drawn(rng, clips, mine, 5)
            asked = np.setdiff1d(mine, shown)
            head = MovementHead().fit(*clips.rows(shown))
            for how, values in windows.items():
                right[how] += int((head.predict(values[asked]) == clips.labels[asked]).sum())
            asked_in_all += len(asked)
    return {how: count / asked_in_all for how, count in right.items()}


def between(streams_: list[Stream], classes: tuple[str, ...]) -> list[Track]:
    """What streams show outside of these movements, in pieces of 1.5 s or more."""
    found = []
    for one in streams_:
        times = one.track.times_s
        free = np.ones(len(times), bool)
        for label, start_s, end_s in one.shown:
            if label in classes:
                free &= (times < start_s - 0.2) | (times > end_s + 0.2)
        edges = np.flatnonzero(np.diff(np.concatenate(([0], free.astype(np.int64), [0]))))
        pieces = [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
        tracks = [Track(one.track.landmarks[piece], times[piece]) for piece in pieces if piece.stop - piece.start > 1]
        found += [track for track in tracks if track.duration_s >= 1.5]
    return found


def learned(classes: tuple[str, ...], ordinary: list[Track], rng: np.random.Generator) -> MovementHead:
    """Five demonstrations of each by people of the dictionary, and a minute of what is ordinary."""
    tracks, labels = dictionary()
    X, y = [], []
    for label in classes:
        for at in rng.permutation(np.flatnonzero(labels == label))[:5]:
            X.append(taught(movement_in(tracks[at])))
            y.append(label)
    seconds = 0.0
    for at in rng.permutation(len(ordinary)):
        X.append(ordinary_windows(ordinary[at]).astype(np.float16).astype(np.float32))
        y.append(ORDINARY)
        seconds += ordinary[at].duration_s
        if seconds >= ORDINARY_S:
            break
    sizes = [len(one) for one in X]
    return MovementHead().fit(np.concatenate(X), np.repeat(y, sizes), np.repeat(np.arange(len(X)), sizes))


def told_in(head: MovementHead, stream: Stream, wait_s: float) -> list[tuple[str, float, float, float]]:
    """What a spotter tells of a stream and the second after it: label, begin, end, when it was told."""
    spotter, track, found = Spotter(head, wait_s=wait_s), stream.track, []
    after = track.times_s[-1] + np.arange(1, 21) / 20
    frames = [*zip(track.landmarks, track.times_s, strict=True), *((track.landmarks[-1], at) for at in after)]
    for landmarks, time_s in frames:
        moved = spotter.push(landmarks, float(time_s))
        if moved is not None:
            found.append((moved.label, moved.start_s, moved.end_s, float(time_s)))
    return found


def spotted(
    chosen: list[Stream], classes: tuple[str, ...], draws: int = STREAM_DRAWS, wait_s: float = WAIT_S
) -> dict[str, float]:
    """How many movements of the streams are found, and how much else is told."""
    found = shown = false = 0
    seconds, cpu_s, frames = 0.0, 0.0, 0
    late: list[float] = []
    thresholds: list[float] = []
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        for group in range(GROUPS):
            asked = chosen[group::GROUPS]
            others = [one for at, one in enumerate(chosen) if at % GROUPS != group]
            head = learned(classes, between(others, classes), rng)
            thresholds.append(head.threshold_)
            for stream in asked:
                start_s = time.process_time()
                told = told_in(head, stream, wait_s)
                cpu_s += time.process_time() - start_s
                frames += len(stream.track.times_s) + 20
                seconds += stream.track.duration_s
                truth = [one for one in stream.shown if one[0] in classes]
                shown += len(truth)
                for label, begin_s, end_s, told_s in told:
                    late.append(told_s - end_s)
                    same = [one for one in truth if one[0] == label and overlap(one, begin_s, end_s) >= OVERLAP]
                    found += bool(same)
                    false += not same
                    truth = [one for one in truth if one not in same[:1]]
    minutes = seconds / 60
    return {
        "found": found / shown,
        "shown": shown,
        "false a minute": false / minutes,
        "at most": most_per_hour(false, minutes),
        "minutes": minutes,
        "threshold": float(np.mean(thresholds)),
        "late p95, ms": 1000 * float(np.percentile(late, 95)) if late else float("nan"),
        "cpu ms a frame": 1000 * cpu_s / frames,
    }


def overlap(one: tuple[str, float, float], begin_s: float, end_s: float) -> float:
    """The common time as a share of the longer one's."""
    common = min(one[2], end_s) - max(one[1], begin_s)
    return common / max(one[2] - one[1], end_s - begin_s)


def cost() -> dict[str, float]:
    """Milliseconds an evaluation of four windows takes, the least of 50, by the number of demonstrations."""
    clips = people()
    result = {}
    for count in (14, 42, 200):
        head = MovementHead().fit(*clips.rows(np.sort(np.random.default_rng(0).permutation(len(clips.labels))[:count])))
        asked, times = clips.windows[:4, VIEWS // 2], []
        for _ in range(50):
            start_s = time.perf_counter()
            head.judged(asked)
            times.append(1000 * (time.perf_counter() - start_s))
        result[str(count)] = float(min(times))
    return result


def measure() -> dict[str, Any]:
    """All of it, as far as the sets are there; what is not is said aloud."""
    result: dict[str, Any] = {}
    if WORDS.is_file():
        result["words"] = signed_words(words())
    if (MADE / PEOPLE).is_file():
        clips = people()
        result["people"] = {
            "head": persons(clips, REPORTED, by_head),
            "head, people who chose": persons(clips, CHOSE, by_head),
            "nearest": persons(clips, REPORTED, by_nearest),
        }
        result["robustness"] = robustness(clips, REPORTED)
        result["cost_ms"] = cost()
    if (MADE / STREAMS).is_file() and (MADE / DICTIONARY).is_file():
        every = streams()
        cells = {"4": (every[1::2], FOUR), "8": (every[1::2], EIGHT)}
        chose = {"4, streams that chose": (every[::2], FOUR), "8, streams that chose": (every[::2], EIGHT)}
        result["streams"] = {name: spotted(*cell) for name, cell in (cells | chose).items()}
        result["no waiting"] = {name: spotted(*cell, wait_s=0.0, draws=1) for name, cell in cells.items()}
    if {"words", "people", "streams"} - set(result):
        print(f"some movements are left out: their sets are not in {MADE} or {WORDS.parent}", file=sys.stderr)
    return result


def report(result: dict[str, Any]) -> str:
    """The tables, one a set."""
    parts = []
    if "people" in result:
        names = list(result["people"])
        rows = [[row, *(float(result["people"][name][row]) for name in names)] for row in result["people"]["head"]]
        parts.append(table(["people", *names, "goal"], [[*row, GOALS.get(str(row[0]), "")] for row in rows]))
    if "words" in result:
        rows = [[f"{k} each", float(one["same"]), float(one["other"])] for k, one in result["words"].items()]
        parts.append(table(["signed words", "same recording", "other recordings"], rows))
    if "robustness" in result:
        parts.append(table(["five demonstrations, same person, asked", "right"], list(result["robustness"].items())))
    if "streams" in result:
        cells = result["streams"] | {f"{name}, told at once": one for name, one in result["no waiting"].items()}
        heads = [
            "found",
            "shown",
            "false a minute",
            "at most",
            "minutes",
            "threshold",
            "late p95, ms",
            "cpu ms a frame",
        ]
        rows = [[name, *(one[head] for head in heads)] for name, one in cells.items()]
        parts.append(table(["movements in streams", *heads], rows))
    if "cost_ms" in result:
        rows = [[count, ms, ms / 3] for count, ms in result["cost_ms"].items()]
        parts.append(table(["demonstrations", "ms an evaluation", "ms a frame, every third"], rows))
    return "\n\n".join([*parts, *anew(result)])
