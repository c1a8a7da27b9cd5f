"""The simulated hand that performs movements and holds signs: its tracks, their rows, and a taught recognizer."""

from __future__ import annotations

from functools import cache

import numpy as np

from edge_tl.embedders.look.movement import MovementEmbedder
from edge_tl.labels import ORDINARY
from edge_tl.movements.demonstration import movement_in, ordinary_pieces
from edge_tl.movements.track import Track
from edge_tl.recognizer import Recognizer
from edge_tl.sources.moving_hand import HELD, MovingHand

SIGNS = tuple(sorted(HELD))
MOVED = ("circle", "left")
TAKES, ABOUT_S = 3, 40


def shown(label: str, seed: int) -> Track:
    """A demonstration of the hand with a seed: a sign from where it is held, a movement as a whole."""
    hand = MovingHand(seed, lambda: 0.0, drawn=False)
    hand.open()
    hand.perform(label)
    frames = []
    while not frames or hand.busy:
        frame = hand.read()
        frames.append((hand.joints.copy(), frame.time_s, frame.truth))
    landmarks = np.array([at for at, _, _ in frames], np.float32)
    times = np.array([at for _, at, _ in frames])
    if label not in HELD:
        return movement_in(Track(landmarks, times))
    held = np.flatnonzero([truth == label for _, _, truth in frames])[4:-2]
    return Track(landmarks[held], times[held])


def about(seed: int, seconds: float) -> Track:
    """The same hand that moves about."""
    hand = MovingHand(seed, lambda: 0.0, drawn=False)
    hand.open()
    hand.about()
    frames = [(hand.read().time_s, hand.joints.copy()) for _ in range(round(30 * seconds))]
    return Track(np.array([at for _, at in frames], np.float32), np.array([at for at, _ in frames]))


def shown_rows(label: str, seed: int) -> np.ndarray:
    """The nine rows of a demonstration."""
    return MovementEmbedder().taught(shown(label, seed), label).reshape(9, -1)


@cache
def both_taught() -> Recognizer:
    """Three signs and two movements, three demonstrations each, and moving about."""
    embedder = MovementEmbedder()
    recognizer, take = Recognizer(embedder, "movement"), 0
    for label in (*SIGNS, *MOVED):
        for seed in range(TAKES):
            recognizer.add(embedder.taught(shown(label, seed), label), label, take, 0)
            take += 1
    for piece in ordinary_pieces(about(9, ABOUT_S)):
        recognizer.add(embedder.taught(piece, ORDINARY), ORDINARY, take)
    recognizer.learn()
    return recognizer
