"""Exercise 5: detection without label scaling, the shape told at a threshold of 0.5.

The text multiplies the shape's label, 0 or 1, by 224, so that it is as loud in the squared error as the box' pixels.
The same head is trained with and without it, on the same scenes, for as many epochs.
"""

from __future__ import annotations

import numpy as np
from given import features_at, mobilenet_weights, quick

from edge_tl.core.metrics import iou
from edge_tl.detection.answers import ScaledShape, new_head
from edge_tl.detection.scenes import SHAPES, SIDE_PX, scenes
from edge_tl.nn import Adam, Network, fit

CUT = "conv_pw_11_relu"
BATCH, RATE = 32, 1e-3


def main() -> None:
    """Both, asked on new scenes."""
    taught, asked, epochs = (200, 150, 15) if quick() else (600, 300, 40)
    weights = mobilenet_weights()
    train, test = scenes(taught, seed=1), scenes(asked, seed=2)
    X, fresh = (features_at(CUT, weights, one.pictures) for one in (train, test))
    print(f"{taught} training scenes, {asked} new test scenes, {epochs} epochs, {np.prod(X.shape[1:])} values a scene.")
    right = {}
    for scaled in (True, False):
        answers = ScaledShape(SHAPES, SIDE_PX, scaled=scaled)
        network = Network(new_head(X.shape[1:], answers.outputs, np.random.default_rng(0)))
        Y = answers.targets(train.shapes, train.boxes)
        rng = np.random.default_rng(0)
        curve = fit(network, X, Y, loss=answers.loss, optimizer=Adam(RATE), epochs=epochs, batch=BATCH, rng=rng)
        outputs = network(fresh)
        proba, boxes = answers.read(outputs)
        right[scaled] = float(np.mean((proba[:, 1] > 0.5) == (test.shapes == 1)))
        label, threshold = ("0 or 224", 112) if scaled else ("0 or 1", 0.5)
        column = outputs[:, 0]
        print(
            f"Label {label}: loss {curve[-1].loss:.0f}; the shape, at threshold {threshold}, is right in "
            f"{right[scaled]:.1%}; mean intersection over union of the boxes {iou(boxes, test.boxes).mean():.2f}; "
            f"the shape's column lies {column.std():.2f} around {column.mean():.2f}."
        )
    lost = 100 * (right[True] - right[False])
    if lost > 0:
        print(
            f"Leaving the scaling out costs {lost:.1f} points: an error of 1 in the label weighs as little as a pixel."
        )
    else:
        print(f"Leaving the scaling out cost nothing here ({-lost:.1f} points better): so short a run decides nothing.")


if __name__ == "__main__":
    main()
