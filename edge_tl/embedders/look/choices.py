"""The words for ways to look, where a person chooses among them: light, for whoever only lists them."""

from __future__ import annotations

WAYS = ("frame", "box", "hand", "hand-crop", "hand-and-crop", "face", "face-crop")
"""The whole picture, a part of it that was drawn once, a hand's shape, a hand's upright crop,
the shape with the crop beside it, where a face looks, and the face itself beside it."""
MOVEMENT = "movement"
"""How a profile of movements looks: at the track of a hand. Nobody chooses it; whoever imports tracks has it."""
HANDS = ("largest", "both")
"""Of the way `hand`."""
NEEDS = {"hand": "hands", "hand-crop": "hands", "hand-and-crop": "hands", "face": "face", "face-crop": "face"}
"""Which models (`look.models.PARTS`) a way needs."""
ALL = "all"
"""The word for all models that ways need."""
MODELS = (*dict.fromkeys(NEEDS.values()), ALL)
