"""Draws docs/fine_tuning.svg: both phases of fine-tuning on words that the published 18-word base has never heard.

Run from the checkout: python tools/picture_fine_tuning.py
Six Arabic commands of two speakers, ten takes each (EDGE_TL_DATA, else ../shared/data); no TensorFlow.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "exercises")]

from given import DATA, speech_layers  # noqa: E402

from device.report.training import draw_training  # noqa: E402
from edge_tl.embedders.browser import SHIFTS  # noqa: E402
from edge_tl.embedders.windows import cut_word  # noqa: E402
from edge_tl.heads.tuned import TunedHead  # noqa: E402
from edge_tl.media.frontend import FRAMES, RATE_HZ, WINDOW_SAMPLES, model_input, spectrogram  # noqa: E402
from edge_tl.media.sound import read_sound  # noqa: E402
from edge_tl.nn import Network  # noqa: E402
from edge_tl.nn.network import Upper  # noqa: E402

SPEAKERS, EPOCHS = 2, (10, 40)
"""Fewer than `train` takes by itself: so early the first phase still has something to learn, and the kink is seen."""


def main() -> None:
    """Embed, train, draw, and say what came of it."""
    *convolutions, dense, _ = speech_layers()
    below = Network(convolutions)
    rows, labels, takes = [], [], []
    paths = sorted((DATA / "speech" / "arabic").glob("*/*.wav"))
    speakers = sorted({path.name.split("_")[0] for path in paths})[:SPEAKERS]
    for take, path in enumerate(one for one in paths if one.name.split("_")[0] in speakers):
        views = cut_word(read_sound(path).at(RATE_HZ), RATE_HZ, WINDOW_SAMPLES, 0.5, SHIFTS)
        rows += [below(model_input(spectrogram(view)[:FRAMES]))[0] for view in views]
        labels += [path.parent.name] * len(views)
        takes += [take] * len(views)
    units, bias = dense.parameters["W"], dense.parameters["b"]
    upper = Upper(units, bias, np.zeros((len(bias), 1), np.float32), np.zeros(1, np.float32))
    head = TunedHead(upper, epochs=EPOCHS).fit(np.stack(rows), np.array(labels), np.array(takes))
    draw_training(ROOT / "docs" / "fine_tuning.svg", head)
    for name, part in (("phase 1", head.epochs_[: head.kink_]), ("phase 2", head.epochs_[head.kink_ :])):
        best = min(part, key=lambda epoch: epoch.judged_by)
        print(
            f"{name}: {len(part)} epochs; the best, {best.number}: loss {best.loss:.3f} taught, "
            f"{best.validation_loss:.3f} held out; {best.validation_score:.1%} of the held out are right"
        )


if __name__ == "__main__":
    main()
