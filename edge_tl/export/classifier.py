"""A classifier of another maker, as a .tflite file: it names pictures by what it was trained on elsewhere."""

from __future__ import annotations

from typing import Self

import numpy as np

from edge_tl.core.answers import Observation
from edge_tl.embedders.foreign import ModelHints, labels_for
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ModelError
from edge_tl.nn.losses import softmax
from edge_tl.tflite.file_metadata import ending
from edge_tl.tflite.interpreter import read_model


class Classifier:
    """Names pictures as its file does; made by `load`, not for two threads at once."""

    kind = "picture"

    def __init__(self, network: TFLiteEmbedder, labels: tuple[str, ...], end: str) -> None:
        """Take what runs it, the names of its outputs, and how these are made: `softmax`, `logistic` or neither.

        Of two labels and one output the output is the second one's probability.
        """
        self.name = network.name
        self.classes = labels
        self._network, self._end = network, end

    @classmethod
    def of(cls, network: TFLiteEmbedder, given: ModelHints) -> Self | None:
        """The classifier that a loaded model is; None where it gives no score for each of some classes.

        It does where its labels are known, or where it ends as classifiers do. ModelError (one line) where the labels
        that came are others than its outputs'.
        """
        assert network.file is not None
        data, outputs = read_model(network.file), network.embedding_dim
        flat = all(side == 1 for side in network.embedding_shape[:-1])
        end, _ = ending(data)
        if not flat or (outputs == 1 and end != "logistic"):
            if given.labels is not None:
                shape = "×".join(map(str, network.embedding_shape))
                raise ModelError(
                    f"{network.file}: gives a picture's numbers as {shape}, no score for each of some labels"
                )
            return None
        labels = labels_for(data, network.file, given, outputs, classifier=bool(end))
        if not labels and not end:
            return None
        return cls(network, labels or tuple(f"class {number}" for number in range(max(2, outputs))), end)

    def observe(self, picture: np.ndarray) -> Observation:
        """Name a picture uint8 (height_px, width_px, 3) RGB; ShapeError for an array that is none.

        It always names a class, and `known` is True: what it never saw, a foreign classifier does not tell.
        """
        scores = self._network.embed(picture).astype(np.float64)
        if len(scores) == 1:
            scores = np.array((1 - scores[0], scores[0]))
        chances = np.clip(scores, 0, 1) if self._end else softmax(scores[np.newaxis])[0]
        best = self.classes[int(chances.argmax())]
        return Observation(best, best, chances, known=True)
