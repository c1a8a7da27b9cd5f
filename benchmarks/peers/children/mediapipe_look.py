"""MediaPipe's hands on a stream of pictures: milliseconds a frame, and where the landmarks are."""

from __future__ import annotations

from typing import Any

import mediapipe
import numpy as np
from PIL import Image

from benchmarks.peers.child import serve, timed

pictures: list[np.ndarray] = []
hands: Any = None


def load(paths: list[str]) -> dict[str, Any]:
    """Decode the pictures."""
    pictures[:] = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    return {"pictures": len(pictures)}


def begin() -> dict[str, Any]:
    """A stream begins: one hand, the full model, followed from picture to picture."""
    global hands
    hands = mediapipe.solutions.hands.Hands(static_image_mode=False, max_num_hands=1, model_complexity=1)
    return {}


def frame(at: int) -> dict[str, Any]:
    """The landmarks in pixels, or none."""
    picture = pictures[at]
    found, took = timed(lambda: hands.process(picture).multi_hand_landmarks)
    if not found:
        return {**took, "points": None}
    size = np.array([picture.shape[1], picture.shape[0]])
    return {**took, "points": (np.array([(one.x, one.y) for one in found[0].landmark]) * size).tolist()}


if __name__ == "__main__":
    serve({"load": load, "begin": begin, "frame": frame})
