"""Pictures of two kinds that anything tells apart, no two of them alike."""

from __future__ import annotations

import numpy as np

from edge_tl.media.image import encode_jpeg


def picture(label: str, seed: int) -> bytes:
    """A JPEG of broad stripes: of "across" from side to side, of any other label from top to bottom."""
    rng = np.random.default_rng([seed, len(label)])
    stripes = (np.arange(240) // int(rng.integers(18, 30)) % 2)[:, None, None] * rng.integers(120, 220, 3)
    drawn = np.broadcast_to(stripes, (240, 240, 3)) + rng.integers(0, 30, (240, 240, 3))
    return encode_jpeg((drawn if label == "across" else drawn.swapaxes(0, 1)).astype(np.uint8))
