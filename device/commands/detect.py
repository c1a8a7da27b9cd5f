"""`edge-tl detect`: find things in pictures or before the camera, each with its box."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from device.assembly import Context, clock
from device.cli.output import warn
from device.commands.options import context_of, first_given
from device.screens.detect import DetectScreen
from device.screens.terminal import Terminal
from device.sources.rotated import turned
from device.teach.boxed import load_detector
from device.teach.detect_line import DetectionWatch, WatchedPicture, colour_of
from edge_tl.detection.base import read_detector
from edge_tl.detection.found import DetectedThing, ObjectDetector
from edge_tl.detection.one_file import read_one_file
from edge_tl.detection.ssd import MAX_THINGS, SURE, SSDDetector
from edge_tl.detection.yolo import YOLODetector
from edge_tl.embedders.look.choices import Look
from edge_tl.errors import ConfigError, ExampleError, SourceClosed, escaped
from edge_tl.media.image import boxed, decode, save_png

Detect = Callable[[np.ndarray], tuple[DetectedThing, ...]]


def run(arguments: Namespace) -> int:
    """Pictures by their names, else the camera; exit 1 where a file was no picture."""
    with ExitStack() as stack:
        context = context_of(arguments)
        detector, detect = open_detector(arguments, context)
        keep = keeper(arguments.out, detector) if arguments.out is not None else None
        if arguments.files:
            show, as_json = arguments.show, arguments.json
            return pictures(
                arguments.files, arguments.rotate, detector, detect, keep, stack, show=show, as_json=as_json
            )
        if arguments.show or arguments.no_camera:
            raise ConfigError("name some pictures: --show and --no-camera are for these, the camera has its own screen")
        screen = sys.stdout.isatty() and not arguments.json
        term = Terminal(min_rows=16, min_columns=60)
        if screen:
            term.check()
        source = context.open_camera(arguments.camera, arguments.rotate, stack)
        watch = DetectionWatch(source, detect, clock)
        if screen:
            stack.enter_context(term)
            DetectScreen(term, detector, clock, keep).watch(watch, arguments.seconds)
        else:
            lines(watch, arguments.seconds, keep)
    return 0


def open_detector(arguments: Namespace, context: Context) -> tuple[ObjectDetector, Detect]:
    """What finds things, and how it is asked."""
    if arguments.detector is not None:
        if arguments.ssd is not None:
            raise ConfigError("--ssd FILE.tflite and --detector DIR: one of them finds things; leave the other out")
        read = read_one_file if arguments.detector.is_file() else read_detector
        trained = read(arguments.detector, arguments.threads)
        trained.least = arguments.threshold or trained.least
        return trained, trained.detect
    if arguments.ssd is None:
        foreign = first_given(arguments, "labels_file", "anchors", "pixels", "most")
        if foreign is not None:
            raise ConfigError(f"{foreign} goes with --ssd FILE.tflite, a detector of another maker")
        return open_taught(context, arguments.threshold or SURE, following=not arguments.files)
    single = single_shot(arguments.ssd, arguments.labels_file, arguments.anchors, arguments.pixels, arguments.threads)
    least, most = arguments.threshold or SURE, arguments.most or MAX_THINGS
    return single, lambda picture: single.detect(picture, least, most)


def single_shot(
    path: Path, labels: Path | None, anchors: Path | None, pixels: tuple[float, float] | None, threads: int | None
) -> SSDDetector | YOLODetector:
    """A detector of another maker, whose outputs say which kind it is."""
    yolo = YOLODetector.load(path, labels=labels, pixels=pixels, threads=threads)
    if yolo is None:
        return SSDDetector.load(path, labels=labels, anchors=anchors, pixels=pixels, threads=threads)
    if anchors is not None:
        raise ConfigError("--anchors are an SSD's; this file is a YOLO, which needs none: leave it out")
    return yolo


def open_taught(context: Context, least: float, *, following: bool) -> tuple[ObjectDetector, Detect]:
    """What the profile was taught with boxes; following: through the pictures of a camera."""
    with ExitStack() as stack:
        profile = context.open_profile(stack, writable=False)
        taught = load_detector(profile, context.load_embedder(Look()))
    taught.following = following
    return taught, lambda picture: taught.detect(picture, least)


def pictures(
    files: Sequence[Path],
    degrees: int,
    detector: ObjectDetector,
    detect: Detect,
    keep: Callable[..., str] | None,
    stack: ExitStack,
    *,
    show: bool,
    as_json: bool,
) -> int:
    """A line, or a line of JSON, for each picture; drawn by `keep`, and on the screen with `show`.

    degrees: clockwise, which every picture is turned by first.
    """
    term = Terminal(min_rows=16, min_columns=60)
    if show:
        term.check()
    seen: list[tuple[str, WatchedPicture]] = []
    bad = 0
    for file in files:
        try:
            picture = turned(decode(file), degrees)
        except ExampleError as error:
            warn(error)
            bad += 1
            continue
        began_s = clock()
        one = WatchedPicture(picture, detect(picture), 0.0, 1000 * (clock() - began_s))
        if keep is not None:
            keep(picture, one.found, file.stem)
        if show:
            seen.append((str(file), one))
        elif as_json:
            print(json.dumps({"file": str(file), **described(one)}), flush=True)
        else:
            print("\n".join(map(escaped, text(str(file), one))), flush=True)
    if seen:
        stack.enter_context(term)
        DetectScreen(term, detector, clock).show(seen)
    return 1 if bad else 0


def lines(watch: DetectionWatch, seconds: float, keep: Callable[..., str] | None) -> None:
    """A line of JSON for each picture of the camera, until it ends or the time is over."""
    first_s: float | None = None
    while True:
        try:
            one = watch.read(timeout_s=1.0)
        except SourceClosed:
            return
        if one is None:
            continue
        first_s = one.time_s if first_s is None else first_s
        print(json.dumps({"at_s": round(one.time_s - first_s, 3), **described(one)}), flush=True)
        if keep is not None and one.found:
            keep(one.picture, one.found)
        if one.time_s - first_s >= seconds:
            return


def described(one: WatchedPicture) -> dict[str, Any]:
    """A picture and what was found in it, as JSON."""
    height, width = one.picture.shape[:2]
    found = [
        {"label": thing.label, "confidence": round(thing.confidence, 4), "box": [round(x, 1) for x in thing.box]}
        for thing in one.found
    ]
    return {"width": width, "height": height, "ms": round(one.took_ms, 1), "found": found}


def text(name: str, one: WatchedPicture) -> Iterator[str]:
    """What a person reads of a picture."""
    if not one.found:
        yield f"{name}: nothing was found"
    for thing in one.found:
        left, top, right, bottom = (round(x) for x in thing.box)
        yield f"{name}: {thing.label}  {thing.confidence:.1%}  from {left},{top} to {right},{bottom}"


def keeper(folder: Path, detector: ObjectDetector) -> Callable[..., str]:
    """What writes a picture with its boxes into a folder, under a new name, and says where."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made ({error.strerror}); choose another --out") from error

    def keep(picture: np.ndarray, found: tuple[DetectedThing, ...], stem: str = "picture") -> str:
        things = [(one.box, f"{one.label} {one.confidence:.0%}", colour_of(one.label, detector)) for one in found]
        number, path = 1, folder / f"{stem}.png"
        while path.exists():
            number += 1
            path = folder / f"{stem}-{number}.png"
        save_png(path, boxed(picture, things))
        return f"kept as {path}"

    return keep
