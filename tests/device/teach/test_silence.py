"""Why nothing was told or steered: said after five seconds, of what was seen then, and gone with the next answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from device.teach.silence import AFTER_S, SignSilence, Silence, WordSilence, unheard
from edge_tl.controller import Controller, Steady
from edge_tl.core.answers import Observation
from edge_tl.embedders.embedder import Embedder
from edge_tl.frames import Frame
from edge_tl.labels import NOISE, OTHER
from edge_tl.line import Sight, SoundLine
from edge_tl.listener import Listener, Near
from edge_tl.testing import FakeClock

STEP_S = 0.1
CLASSES = ("left", "neutral")


def watching(clock: FakeClock) -> Silence:
    """A silence of a camera whose embedder looks for a hand."""
    controller = Controller(CLASSES)
    line: Any = SimpleNamespace(recognizer=SimpleNamespace(looks_for="hand"), controller=controller)
    return SignSilence(line, clock, "steers")


def seen(
    confidence: float = 0.43, label: str | None = None, *, known: bool = True, found: bool = True, bright: int = 120
) -> Sight:
    """A frame and what became of it."""
    frame = Frame(np.full((24, 32, 3), bright, np.uint8), 0.0)
    observation = Observation("left" if known else None, "left", np.array([confidence, 1 - confidence]), known)
    steady = Steady(label, confidence, changed=False, steers=label == "left")
    return Sight(frame, np.ones(4, np.float32) if found else None, observation, CLASSES, steady)


def watch(silence: Silence, clock: FakeClock, sight: Sight, seconds: float) -> None:
    """So many seconds of frames alike."""
    for _ in range(round(seconds / STEP_S)):
        clock.advance(STEP_S)
        silence.take(sight, busy=False)


@pytest.mark.parametrize(
    ("sight", "says"),
    [
        (seen(), "not confident enough: left 43%, steers from 60% on"),
        (seen(known=False), "unlike all training examples"),
        (seen(known=False, found=False), "no hand found"),
        (seen(found=False, bright=5), "too dark to see anything"),
        (seen(0.9, "neutral"), "sees neutral, which steers in no direction"),
    ],
)
def test_what_was_wrong_is_said_after_five_seconds(sight: Sight, says: str) -> None:
    """Not before, and no longer once something came of it."""
    clock = FakeClock()
    silence = watching(clock)
    watch(silence, clock, sight, AFTER_S - 2 * STEP_S)
    assert silence.why == ""
    watch(silence, clock, sight, 3 * STEP_S)
    assert silence.why == says
    silence.broken()
    assert silence.why == ""
    watch(silence, clock, sight, 1.0)
    assert silence.why == ""


def test_what_was_seen_most_and_lately_counts() -> None:
    """What holds in most of the last five seconds is said; the surest of the unsure frames is named."""
    clock = FakeClock()
    silence = watching(clock)
    watch(silence, clock, seen(known=False, found=False), 6.0)
    assert silence.why == "no hand found"
    watch(silence, clock, seen(0.3), 2.0)
    assert silence.why == "no hand found"
    watch(silence, clock, seen(0.55), 1.0)
    watch(silence, clock, seen(0.3), 1.0)
    assert silence.why == "not confident enough: left 55%, steers from 60% on"


def test_nothing_is_said_without_frames_or_while_busy() -> None:
    """A camera that gives nothing has its own line; teaching, and a label that begins or is held, is no silence."""
    clock = FakeClock()
    silence = watching(clock)
    clock.advance(60.0)
    assert silence.why == ""
    for busy, changed in ((True, False), (False, True)):
        for _ in range(80):
            clock.advance(STEP_S)
            silence.take(seen() if busy else sight_that_changes(changed), busy)
        assert silence.why == ""


def sight_that_changes(changed: bool) -> Sight:
    """A frame with which a label begins."""
    frame = Frame(np.full((24, 32, 3), 120, np.uint8), 0.0)
    return Sight(frame, np.ones(4, np.float32), None, CLASSES, Steady("left", 0.9, changed, steers=True))


def near(counted: float, likeliest: str = "left", familiar: float = 0.9) -> Near:
    """A window that came so near to `left`."""
    return Near("left", counted, min(1.0, counted / familiar), familiar, likeliest, 1.7)


@pytest.mark.parametrize(
    ("window", "at_s", "says"),
    [
        (near(0.73), 1.7, "heard nothing above 0.85; nearest: left .73 at 1.7 s"),
        (
            near(0.21, familiar=0.22),
            1.7,
            "heard nothing above 0.85; nearest: left .21 at 1.7 s, unlike all training examples",
        ),
        (near(0.03, NOISE), None, f"heard nothing above 0.85; nearest: left .03, rather {NOISE}"),
        (near(0.4, OTHER), None, f"heard nothing above 0.85; nearest: left .40, rather {OTHER}"),
        (None, 0.0, "heard nothing: less than one window of sound"),
    ],
)
def test_the_nearest_word_is_named(window: Near | None, at_s: float | None, says: str) -> None:
    """What came nearest to being told, when, and whether it was noise or unlike what was taught."""
    assert unheard(0.85, window, at_s) == says


class SilentSound:
    """An embedder of sounds in name only: nothing is embedded with it."""

    kind = "sound"
    rate_hz, window_samples, hop_samples, views, word_at = 16_000, 16_000, 1_280, 1, 0.5
    name, fingerprint, embedding_dim, embedding_shape, features = "silent", "0", 4, (4,), None

    def fit(self, data: np.ndarray) -> np.ndarray:
        return data

    embed = taught = fit

    def stream(self) -> Any:
        return None


def test_a_microphone_says_what_was_nearest() -> None:
    """The nearest of the last five seconds; a word that steers nowhere is said as such."""
    embedder: Embedder = SilentSound()
    recognizer: Any = SimpleNamespace(embedder=embedder, sound=embedder)
    clock = FakeClock()
    ear = SoundLine(SimpleNamespace(name="fake"), recognizer, clock, Listener(CLASSES))  # type: ignore[arg-type]
    silence = WordSilence(ear, clock, "steers")
    quiet = Sight(Frame(np.zeros(640, np.float32), 0.0, rate_hz=16_000), np.zeros(4, np.float32))
    for counted in (0.1, 0.4, 0.2, *[0.05] * 56):
        clock.advance(STEP_S)
        ear.near = near(counted)
        silence.take(quiet, busy=False)
    assert silence.why == "heard nothing above 0.85; nearest: left .05"
    ear.near = near(0.4)
    silence.take(quiet, busy=False)
    assert silence.why == "heard nothing above 0.85; nearest: left .40"
    told = Sight(quiet.frame, quiet.embedding, steady=Steady("neutral", 0.9, changed=True, steers=True))
    silence.saw(told)
    assert silence.why == "heard neutral, which steers in no direction"
