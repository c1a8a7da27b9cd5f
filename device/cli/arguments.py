"""Types of command-line arguments: what argparse refuses, in words."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from edge_tl.tflite.manifest import Scaling

Number = TypeVar("Number", int, float)

MAX_THREADS = 64
MIC_HELP = "auto, part of its name, its number, FILE, - (WAV or raw samples from standard input) or rtsp://ADDRESS"
CAMERA_HELP = (
    "auto, picamera2[:N], usb[:N], sim, sim:hand or sim:movements (the simulated player), rtsp://ADDRESS, or PATH of a "
    "folder, picture or video"
)


def positive(text: str) -> int:
    """A whole number from 1 up, for argparse."""
    return whole(text, 1, 2**63 - 1)


def port(text: str) -> int:
    """A port of TCP, for argparse; 0 for any free one."""
    return whole(text, 0, 65535)


def seed(text: str) -> int:
    """A whole number from 0 up, for argparse."""
    return whole(text, 0, 2**63 - 1)


def threads(text: str) -> int:
    """How many threads, for argparse; the interpreters crash where the system refuses them more."""
    return whole(text, 1, MAX_THREADS)


def whole(text: str, least: int, most: int) -> int:
    """A whole number in a range, both ends included, for argparse."""
    shown = text if len(text) <= 30 else f"{text[:30]}…"
    if not re.fullmatch(r"[+-]?\d{1,30}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{shown!r} is not an integer")
    if not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{shown} is not a number from {least} to {most}")
    return int(text)


def day(text: str) -> str:
    """A date, for argparse."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:30]!r} is not a date like 2025-06-30") from None


def box(text: str) -> tuple[float, float, float, float]:
    """Four shares 0 to 1 with commas between, the left before the right and the top before the bottom, for argparse."""
    try:
        left, top, right, bottom = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not LEFT,TOP,RIGHT,BOTTOM, e.g. 0.2,0.1,0.8,0.9") from None
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise argparse.ArgumentTypeError(
            f"{text[:40]} is not a valid box: left < right and top < bottom, all from 0 to 1"
        )
    return left, top, right, bottom


def pixels(text: str) -> tuple[float, float]:
    """Two finite numbers with a comma between, for argparse."""
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not LOW,HIGH, e.g. 0,1 or -1,1") from None
    if not (abs(low) < 1e6 and abs(high) < 1e6) or low == high:
        raise argparse.ArgumentTypeError(f"{text[:40]} is not a range: give two different numbers, e.g. 0,1")
    return low, high


def joined(words: Sequence[str]) -> list[str]:
    """The words of a command line with a range that begins below 0, `--scaling -1,1`, put to its option by `=`.

    argparse would take `-1,1` for an option.
    """
    made: list[str] = []
    for word in words:
        if made and made[-1] in ("--scaling", "--pixels") and re.match(r"-[\d.]", word):
            made[-1] += f"={word}"
        else:
            made.append(word)
    return made


def scaling(text: str) -> Scaling:
    """How pixels are scaled, for argparse: what 0 and 255 become, or `torch`."""
    if text == "torch":  # of ImageNet, in red, green and blue
        means, deviations = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        red, green, blue = (1 / (255 * one) for one in deviations)
        offsets = [-mean / one for mean, one in zip(means, deviations, strict=True)]
        return Scaling((red, green, blue), (offsets[0], offsets[1], offsets[2]))
    low, high = pixels(text)
    return Scaling(((high - low) / 255,) * 3, (low,) * 3)


def picture_size(text: str) -> tuple[int, int]:
    """(height_px, width_px) of PIXELS or WIDTHxHEIGHT, for argparse."""
    width, cross, height = text.partition("x")
    return (whole(height, 1, 4096), whole(width, 1, 4096)) if cross else (whole(text, 1, 4096),) * 2


def two_phases(text: str) -> tuple[int, int]:
    """Two whole numbers with a comma between, the first from 1 up, for argparse."""
    first, comma, second = text.partition(",")
    if not comma:
        raise argparse.ArgumentTypeError(f"{text[:30]!r} is not TOP,ALL, e.g. 40,60")
    return whole(first, 1, 100_000), whole(second, 0, 100_000)


def pair(one: Callable[[str], Number]) -> Callable[[str], tuple[Number, Number]]:
    """Two of what an argument takes, with a comma between."""

    def both(text: str) -> tuple[Number, Number]:
        first, _, second = text.partition(",")
        return one(first), one(second)

    return both


def share(text: str) -> float:
    """A number above 0 and at most 1, for argparse."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:30]!r} is not a number from 0 to 1") from None
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f"{text[:30]} is out of range: it must be above 0 and at most 1")
    return number


def positive_rate(text: str) -> float:
    """How many an hour, 0 and up and finite, for argparse."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:30]!r} is not a number") from None
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text[:30]} is not 0 or more")
    return number


def frames_a_second(text: str) -> float:
    """How many answers a second, 0 to 1000, for argparse."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:30]!r} is not a number of answers a second") from None
    if not 0 <= number <= 1000:
        raise argparse.ArgumentTypeError(f"{text[:30]} is not a number from 0 to 1000")
    return number


def positive_seconds(text: str) -> float:
    """Seconds above 0 and finite, for argparse."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:30]!r} is not a number of seconds") from None
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not more than 0 seconds")
    return number


def sentence(text: str) -> str:
    """The help line as a sentence of its own."""
    return text[0].upper() + text[1:] + "."
