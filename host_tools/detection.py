"""The source text's object detector (spec S6) on a host: its base out of MobileNet v1, and both phases in Keras."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.detection.answers import ClassAndBox, OutputColumns, ScaledShape
from edge_tl.detection.base import Base, write_detector
from edge_tl.detection.training import DetectorTraining, Plan, begin, examples, unfreeze
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ModelError
from edge_tl.nn import Epoch, Network
from host_tools.image import ImageRecipe, build
from host_tools.layers import to_keras, to_layers
from host_tools.tf import keras, silence, tensorflow
from host_tools.tflite import convert, write_folder
from host_tools.weights import Weights

BELOW, ABOVE = "conv_dw_9_relu", "conv_pw_11_relu"
"""Where the part that phase 2 trains begins and ends (spec S6)."""
ALPHA, SIDE_PX = 0.25, 224
LARGEST_ERROR = 1e-4
"""Between the block in NumPy above TFLite, and Keras; its outputs go up to 6."""
TRIALS = 8


def export_base(out: Path, weights: Weights, name: str) -> float:
    """Write MobileNet v1 .25 as a base for detectors, and hold it against Keras: the largest difference.

    ModelError (one line) where they disagree or the folder cannot be written.
    """
    recipe = ImageRecipe("mobilenet_v1", SIDE_PX, ALPHA, BELOW)
    whole = build(replace(recipe, layer=ABOVE), weights)
    inner = whole.model.get_layer("base").layers
    names = [layer.name for layer in inner]
    block = Network(to_layers(inner[names.index(BELOW) + 1 :]))
    # Its own batch, all of it: a picture of the base after the other costs a graph each.
    pictures = np.random.default_rng(0).integers(0, 256, (TRIALS, SIDE_PX, SIDE_PX, 3)).astype(np.uint8)
    wanted = np.stack([whole.embed(picture) for picture in pictures])
    below = build(recipe, weights)
    with tempfile.TemporaryDirectory() as folder:
        write_folder(Path(folder), below, convert(below, "float32"), "float32")
        embedder = TFLiteEmbedder.load(Path(folder), 1)
        features = np.stack([embedder.embed(one) for one in pictures]).reshape(-1, *embedder.embedding_shape)
        error = float(np.abs(block(features).reshape(len(pictures), -1) - wanted).max())
        if not error <= LARGEST_ERROR:
            raise ModelError(f"TFLite and NumPy differ from Keras by {error:.2g}; at most {LARGEST_ERROR:g} is wanted")
        about = embedder.manifest.weights
        write_detector(out, Path(folder), name, block, len(block.layers), dict(about))
    return error


def keras_loss(answers: OutputColumns) -> Callable[[Any, Any], Any]:
    """The loss of the answers for Keras: of each row."""
    tf = tensorflow()
    if isinstance(answers, ScaledShape):
        scale = tf.constant(answers.scale)
        return lambda wanted, outputs: tf.reduce_mean(tf.square(outputs - wanted * scale), axis=-1)
    assert isinstance(answers, ClassAndBox)
    columns, weight = answers.columns, answers.weight / answers.side_px**2

    def joint(wanted: Any, outputs: Any) -> Any:
        entropy = tf.nn.softmax_cross_entropy_with_logits(wanted[:, :columns], outputs[:, :columns])
        return entropy + weight * tf.reduce_mean(tf.square(outputs[:, columns:] - wanted[:, columns:]), axis=-1)

    return joint


def compiled(model: Any, answers: OutputColumns, plan: Plan, phase: int) -> None:
    """Let what is trainable now be trained, by this phase's optimizer: Keras takes it at compile."""
    rate = plan.rates[phase]
    if plan.decay:
        rate = keras().optimizers.schedules.CosineDecay(rate, max(1, plan.steps(phase)))
    make = {"adam": keras().optimizers.Adam, "rmsprop": keras().optimizers.RMSprop}[plan.optimizer]
    model.compile(make(rate), keras_loss(answers))


def train_in_keras(
    base: Base, answers: OutputColumns, plan: Plan, seed: int, progress: Callable[[Epoch], None] | None = None
) -> DetectorTraining:
    """What edge_tl.detection.training.train does, from the same weights on the same scenes, by Keras' fit."""
    keras().utils.set_random_seed(seed)
    begun = begin(base, answers, plan, seed)
    network, (X, Y) = begun.network, begun.examples
    curve: list[Epoch] = []
    times_s: list[float] = []
    trained = []
    with silence():
        model = to_keras(network, X.shape[1:])
    for phase, epochs in enumerate(plan.epochs):
        unfreeze(network, begun.block, phase == 1, plan.freeze_bn)
        trained.append(network.trainable_parameters)
        for mine, theirs in zip(network.layers, model.layers, strict=True):
            theirs.trainable = mine.trainable
        compiled(model, answers, plan, phase)
        for _ in range(epochs):
            if plan.anew and curve:
                X, Y = examples(base, answers, plan.taught, seed, plan.scenes + plan.taught * (len(curve) - 1))
            begun_s = time.perf_counter()
            lost = model.fit(X, Y, plan.batches[phase], 1, verbose=0).history["loss"][0]
            times_s.append(time.perf_counter() - begun_s)
            held = float(model.evaluate(*begun.held, batch_size=128, verbose=0))
            curve.append(Epoch(len(curve) + 1, float(lost), 0.0, held))
            if progress is not None:
                progress(curve[-1])
    made = Network(to_layers(model.layers))
    return DetectorTraining(made, begun.block, made.parameters, (trained[0], trained[1]), tuple(curve), tuple(times_s))
