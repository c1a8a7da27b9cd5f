"""The three ways to transfer (spec S1 a to c) on one task: sign_digits, six classes, MobileNet v1 .25, one thread.

a  the original network up to conv_dw_13 stays, conv_pw_13 is trained with a fresh dense layer on its whole map
   (the original ends in a thousand classes: the last layer differs by construction), Adam 1e-3, 20 epochs of 32
b  the embedder, cut at conv_pw_13_relu, and the default head on its embeddings
c  the same head fused with the embedder: one file, which names pictures as b does

Each split teaches 20 pictures a class and asks all others. Training: from the moment that everything has been seen
once, to a model that answers (of c with writing the file), in seconds of the processor. Memory: the most that NumPy
holds while it trains. A picture: from its scaled pixels to probabilities, the ways taking turns, also in the
processor's time.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.interleaved import spread, times_ms, words
from benchmarks.pictures import DATA, digits, split
from benchmarks.record import table
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.export.fuse import append, fuse
from edge_tl.media.image import decode, fit
from edge_tl.nn import Adam, BatchNorm, Conv2D, CrossEntropy, Dense, Flatten, Network, ReLU
from edge_tl.nn import fit as train
from edge_tl.recognizer import Recognizer
from edge_tl.tflite.building import Recipe, build
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.weights import read_weights

WEIGHTS = DATA / "mobilenet_v1_0.25_224" / "mobilenet_2_5_224_tf_no_top.h5"
SIDE_PX, COUNT, SPLITS = 224, 20, 5
EPOCHS, BATCH, RATE = 20, 32, 1e-3
AFTER = {
    "a, first layers frozen": "train it further; the convolution has learned too",
    "b, embedder and head": "kNN, see the embeddings, add and remove examples, other heads, leave-one-out",
    "c, one fused file": "run it anywhere in one call; the examples stay in the profile",
}


def measure(embedder: TFLiteEmbedder, model: Path, splits: int = SPLITS, rounds: int = 20) -> dict[str, Any]:
    """Accuracy of each split, and what each way costs; embedder: v1 .25 cut at conv_pw_13_relu, model: its .tflite."""
    pictures = digits()
    scaled = np.stack([fit(decode(path), (SIDE_PX, SIDE_PX)) for path in pictures.paths]) / np.float32(127.5) - 1
    scaled = scaled.astype(np.float32)
    weights = read_weights(WEIGHTS)
    below = build(Recipe("mobilenet_v1", SIDE_PX, 0.25, "conv_dw_13_relu"), weights).model
    whole = model.read_bytes()
    fronts, embeddings = (through(one, scaled) for one in (below, whole))
    classes = np.unique(pictures.labels)
    held: dict[str, dict[str, list[float]]] = {way: {"accuracy": [], "train_s": [], "peak_mb": []} for way in AFTER}
    for seed in range(splits):
        taught, asked = split(pictures.labels, len(classes), COUNT, seed)
        y, wanted = pictures.labels[taught], pictures.labels[asked]

        def frozen(taught: np.ndarray = taught, y: np.ndarray = y, seed: int = seed) -> Network:
            rng = np.random.default_rng(seed)
            network = top(weights.layers, fronts.shape[1:], len(classes), rng)
            Y = np.eye(len(classes), dtype=np.float32)[np.searchsorted(classes, y)]
            X, loss = fronts[taught], CrossEntropy()
            train(network, X, Y, loss=loss, optimizer=Adam(RATE), epochs=EPOCHS, batch=BATCH, rng=rng)
            return network

        def headed(taught: np.ndarray = taught, y: np.ndarray = y) -> Recognizer:
            recognizer = Recognizer(embedder)
            for take, (row, label) in enumerate(zip(taught, y.tolist(), strict=True)):
                recognizer.add(embeddings[row].reshape(-1), label, take)
            recognizer.learn()
            return recognizer

        def fused() -> bytes:
            return fuse(headed(), whole)

        network = kept(held["a, first layers frozen"], frozen)
        recognizer = kept(held["b, embedder and head"], headed)
        one_file = kept(held["c, one fused file"], fused)
        named = {
            "a, first layers frozen": classes[network(fronts[asked]).argmax(axis=1)],
            "b, embedder and head": recognizer.head.predict(
                recognizer.features(embeddings[asked].reshape(len(asked), -1), embedder.embedding_shape)
            ),
            "c, one fused file": np.asarray(recognizer.classes)[through(one_file, scaled[asked]).argmax(axis=1)],
        }
        for way, names in named.items():
            held[way]["accuracy"].append(float(np.mean(names == wanted)))
    first = append(below, network.layers, fronts.shape[1:], {})
    picture = scaled[:1]
    runs = {"a, first layers frozen": Interpreter(first, 1), "c, one fused file": Interpreter(one_file, 1)}
    cut, head = Interpreter(whole, 1), recognizer

    def in_two() -> np.ndarray:
        row = head.features(cut.invoke(picture)[0].reshape(1, -1), embedder.embedding_shape)
        return head.head.predict_proba(row)

    contenders: dict[str, Callable[[], object]] = {
        "a, first layers frozen": lambda: runs["a, first layers frozen"].invoke(picture),
        "b, embedder and head": in_two,
        "c, one fused file": lambda: runs["c, one fused file"].invoke(picture),
    }
    arrays = recognizer.head.state()[1]
    sizes = {
        "a, first layers frozen": len(first),
        "b, embedder and head": len(whole) + sum(array.nbytes for array in arrays.values()),
        "c, one fused file": len(one_file),
    }
    agree = np.abs(runs["c, one fused file"].invoke(picture)[0] - in_two()).max()
    return {
        "taught": COUNT * len(classes),
        "asked": len(asked),
        "trained": {"a": network.trainable_parameters},
        "ways": held,
        "bytes": sizes,
        "picture_ms": times_ms(contenders, rounds, 5, time.process_time),
        "largest_difference_of_b_and_c": float(agree),
    }


def top(layers: dict[str, list[np.ndarray]], shape: tuple[int, ...], classes: int, rng: np.random.Generator) -> Network:
    """The last convolution of v1 as it was published, trainable, its batch norm frozen, and a fresh dense layer."""
    (W,) = layers["conv_pw_13"]
    norm = BatchNorm(*(array.copy() for array in layers["conv_pw_13_bn"]), trainable=False)
    values = shape[0] * shape[1] * W.shape[3]
    return Network([Conv2D(W.copy()), norm, ReLU(6.0), Flatten(), Dense.new(values, classes, rng)])


def through(model: bytes, scaled: np.ndarray) -> np.ndarray:
    """What a .tflite gives for each of the pictures."""
    interpreter = Interpreter(model, 1)
    return np.concatenate([interpreter.invoke(one[np.newaxis])[0] for one in scaled])


def kept(into: dict[str, list[float]], make: Callable[[], Any]) -> Any:
    """Make it twice, once on the clock and once with its memory counted, which slows it down."""
    begun_s = time.process_time()
    made = make()
    into["train_s"].append(time.process_time() - begun_s)
    tracemalloc.start()
    make()
    into["peak_mb"].append(tracemalloc.get_traced_memory()[1] / 1e6)
    tracemalloc.stop()
    return made


def report(result: dict[str, Any]) -> str:
    """One row a way."""
    rows: list[list[object]] = []
    for way, one in result["ways"].items():
        right = one["accuracy"]
        rows.append(
            [
                way,
                f"{np.mean(right):.3f} ± {np.std(right, ddof=1):.3f}",
                words(spread(one["train_s"]), 3),
                f"{np.median(one['peak_mb']):.0f}",
                f"{result['bytes'][way] / 1e6:.2f}",
                words(spread(result["picture_ms"][way])),
                AFTER[way],
            ]
        )
    head = [
        f"{result['taught']} trained, {result['asked']} tested",
        "accuracy",
        "training, s",
        "memory, MB",
        "files, MB",
    ]
    return (
        table([*head, "a picture, ms", "what you can do afterwards"], rows)
        + f"\n\nb and c differ in a probability by {result['largest_difference_of_b_and_c']:.1g} at most; a trains "
        f"{result['trained']['a']} parameters."
    )


def short(result: dict[str, Any]) -> str:
    """The same."""
    return report(result)
