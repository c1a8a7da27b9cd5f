"""What the exercises are given: the digits network, pictures, words, scenes and the weights of a MobileNet.

Real data is taken from the folder that EDGE_TL_DATA names (else ../shared/data beside the checkout); what is not there
is generated from a seed, and the exercise says so.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

import numpy as np

from edge_tl.finetune.handwriting import read_mnist
from edge_tl.nn import Conv2D, Dense, Dropout, Flatten, Layer, MaxPool, Network, ReLU
from edge_tl.tflite.building import Recipe, build
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.mobilenet import mobilenet_v1
from edge_tl.tflite.weights import Weights, read_weights

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("EDGE_TL_DATA", ROOT.parent / "shared" / "data"))
V1_WEIGHTS = DATA / "mobilenet_v1_0.25_224" / "mobilenet_2_5_224_tf_no_top.h5"
TRANSFERRED = ("5", "6", "7", "8", "9")
FEATURE_LAYERS = 7
"""Conv, relu, conv, relu, pool, dropout, flatten (spec S5)."""


ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
"""On several threads what is frozen may still be waited for: times are told of one, on any machine alike."""


def quick() -> bool:
    """Whether the exercise was called with --quick: fewer examples and epochs, as the tests do.

    Begins the program anew on one thread where it runs on several: NumPy is told how many before it is loaded.
    """
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ONE_THREAD)
    parser = argparse.ArgumentParser(description="An exercise; see exercises/README.md.")
    parser.add_argument("--quick", action="store_true", help="a few seconds: fewer examples, fewer epochs")
    return bool(parser.parse_args().quick)


def twin() -> bool:
    """Whether Keras is here to do the same; says so where it is not."""
    if importlib.util.find_spec("tensorflow") is None:
        print("The Keras twin is left out: TensorFlow is not installed (pip install -e .[host]).")
        return False
    return True


def digits_network(seed: int = 0) -> Network:
    """The network of spec S5, fresh: 600 165 parameters."""
    rng = np.random.default_rng(seed)
    features = [Conv2D.new((3, 3), 1, 32, rng), ReLU(), Conv2D.new((3, 3), 32, 32, rng), ReLU(), MaxPool()]
    top = [Dense.new(4608, 128, rng), ReLU(), Dropout(0.5), Dense.new(128, 5, rng)]
    return Network([*features, Dropout(0.25), Flatten(), *top])


def digits(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures float32 (count, 28, 28, 1) in 0..1 of the digits 5 to 9, and indicators (count, 5)."""
    rng = np.random.default_rng(seed)
    path = DATA / "mnist.npz"
    if path.exists():
        pictures, labels = read_mnist(path, "train")
        rows = rng.permutation(np.flatnonzero(np.isin(labels, TRANSFERRED)))[:count]
        codes = [TRANSFERRED.index(labels[row]) for row in rows]
        return pictures[rows][..., np.newaxis] / np.float32(255), np.eye(5, dtype=np.float32)[codes]
    print("No MNIST here: five generated patterns in noise take the place of the digits.")
    codes = np.arange(count) % 5
    pictures = rng.random((5, 28, 28, 1))[codes] + 0.5 * rng.random((count, 28, 28, 1))
    return pictures.astype(np.float32) / np.float32(1.5), np.eye(5, dtype=np.float32)[codes]


def speech_layers() -> list[Layer]:
    """The published 18-word network up to its 2000 units; random weights, said aloud, where it is not there."""
    folder, layers = DATA / "speech_commands_18w", []
    if not folder.is_dir():
        print("The published network is not here: one of the same shape with random weights takes its place.")
        rng = np.random.default_rng(0)
        shapes = (((2, 8), 1, 8), ((2, 4), 8, 32), ((2, 4), 32, 32), ((2, 4), 32, 32))
        for number, (size, channels, filters) in enumerate(shapes, 1):
            strides = (1, 2) if number == len(shapes) else (2, 2)
            layers += [Conv2D.new(size, channels, filters, rng), ReLU(), MaxPool((2, 2), strides)]
        return [*layers, Flatten(), Dense.new(704, 2000, rng), ReLU()]
    from host_tools.tfjs import read_layers_model  # reads JSON and floats; no TensorFlow

    model = read_layers_model(str(folder))
    for kind, config in model.layers:
        arrays = [model.weights.get(f"{config['name']}/{part}") for part in ("kernel", "bias")]
        if kind == "Conv2D":
            layers += [Conv2D(arrays[0], arrays[1]), ReLU()]
        elif kind == "MaxPooling2D":
            (high, wide), (down, right) = config["pool_size"], config["strides"]
            layers.append(MaxPool((high, wide), (down, right)))
        elif kind == "Flatten":
            layers.append(Flatten())
        elif kind == "Dense":
            layers += [Dense(arrays[0], arrays[1]), ReLU()]
    return layers[:-2]  # without its own words


def mobilenet_weights() -> Weights:
    """Those of MobileNet v1 .25 as Keras publishes them; random ones, said aloud, where they are not there."""
    if V1_WEIGHTS.exists():
        return read_weights(V1_WEIGHTS)
    print("No weights of MobileNet here: random ones, which know nothing of pictures, take their place.")
    rng, held, channels = np.random.default_rng(0), {}, 3
    for layer in mobilenet_v1(0.25):
        if layer.kind in ("conv", "depthwise"):
            wide = layer.filters if layer.kind == "conv" else 1
            spread = np.sqrt(2 / (layer.size**2 * (channels if layer.kind == "conv" else 1)))
            held[layer.name] = [rng.normal(0, spread, (layer.size, layer.size, channels, wide)).astype(np.float32)]
            channels = layer.filters or channels
            if layer.bias:
                held[layer.name].append(np.zeros(channels, np.float32))
        elif layer.kind == "norm":
            one, zero = np.ones(channels, np.float32), np.zeros(channels, np.float32)
            held[layer.name] = [one, zero, zero, one]
    return Weights("keras", "random", "random, seed 0", "none needed", "", layers=held)


def features_at(layer: str, weights: Weights, pictures: np.ndarray) -> np.ndarray:
    """What MobileNet v1 .25 gives at a layer for pictures uint8 (N, 224, 224, 3): float32 (N, h, w, C), by TFLite."""
    below = build(Recipe("mobilenet_v1", 224, 0.25, layer), weights)
    interpreter = Interpreter(below.model, 1)
    scaled = (picture[np.newaxis] / np.float32(127.5) - np.float32(1) for picture in pictures)
    return np.concatenate([interpreter.invoke(one)[0] for one in scaled])
