"""Keras: the recipe, Frigate's head on the same embeddings pooled, and Frigate's whole training from pictures."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from benchmarks.peers.child import serve, timed
from benchmarks.peers.children.rows import Ask, Sets, cell_means
from benchmarks.peers.recipe import (
    BATCH_SHARE,
    EPOCHS,
    FRIGATE_ALPHA,
    FRIGATE_BATCH,
    FRIGATE_DROPOUT,
    FRIGATE_EPOCHS,
    FRIGATE_HELD,
    FRIGATE_PX,
    FRIGATE_RATE,
    FRIGATE_UNITS,
    RATE,
    UNITS,
)

channels = 0


def one_hot(y: np.ndarray) -> np.ndarray:
    """float32 (N, C)."""
    return np.eye(y.max() + 1, dtype=np.float32)[y]


def recipe(X: np.ndarray, y: np.ndarray, seed: int) -> Ask:
    """Made, compiled and fitted anew, as when the button is pressed."""
    keras.utils.set_random_seed(seed)
    kernel = keras.initializers.VarianceScaling
    Y = one_hot(y)
    model = keras.Sequential(
        [
            keras.Input((X.shape[1],)),
            keras.layers.Dense(UNITS, activation="relu", kernel_initializer=kernel()),
            keras.layers.Dense(Y.shape[1], activation="softmax", use_bias=False, kernel_initializer=kernel()),
        ]
    )
    model.compile(keras.optimizers.Adam(RATE), "categorical_crossentropy")
    model.fit(X, Y, int(BATCH_SHARE * len(y)), EPOCHS, verbose=0)
    return lambda rows: np.asarray(model(rows)).argmax(axis=1)


def frigate_head(classes: int) -> list[Any]:
    """The layers above the pooled features."""
    return [
        keras.layers.Dense(FRIGATE_UNITS, activation="relu"),
        keras.layers.Dropout(FRIGATE_DROPOUT),
        keras.layers.Dense(classes, activation="softmax"),
    ]


def frigate(X: np.ndarray, y: np.ndarray, seed: int) -> Ask:
    """Its head on these embeddings, pooled; a fifth held back as its own split does."""
    keras.utils.set_random_seed(seed)
    rows, Y = cell_means(X, channels), one_hot(y)
    kept = np.random.default_rng(seed).permutation(len(y))[round(FRIGATE_HELD * len(y)) :]
    model = keras.Sequential([keras.Input((channels,)), *frigate_head(Y.shape[1])])
    model.compile(keras.optimizers.Adam(FRIGATE_RATE), "categorical_crossentropy", metrics=["accuracy"])
    model.fit(rows[kept], Y[kept], FRIGATE_BATCH, FRIGATE_EPOCHS, verbose=0)
    return lambda asked: np.asarray(model(cell_means(asked, channels))).argmax(axis=1)


def pool(values: int) -> dict[str, Any]:
    """How many channels a cell has."""
    global channels
    channels = values
    return {}


def whole(paths: list[str], labels: list[int], seed: int) -> dict[str, Any]:
    """Frigate's training from the files to an int8 model, with weights drawn at random: the same arithmetic."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, (path, label) in enumerate(zip(paths, labels, strict=True)):
            inside = folder / str(label)
            inside.mkdir(exist_ok=True)
            Image.open(path).convert("RGB").save(inside / f"{number}.png")
        model, took = timed(lambda: _whole(folder, len(set(labels)), seed))
        made, exported = timed(lambda: _exported(model, sorted(folder.rglob("*.png"))))
    ms = {key: took[key] + exported[key] for key in took}
    return {**ms, "export_ms": exported["ms"], "bytes": len(made)}


def _whole(folder: Path, classes: int, seed: int) -> Any:
    from tensorflow.keras.preprocessing.image import ImageDataGenerator

    keras.utils.set_random_seed(seed)
    shape = (FRIGATE_PX, FRIGATE_PX, 3)
    base = keras.applications.MobileNetV2(shape, FRIGATE_ALPHA, include_top=False, weights=None)
    base.trainable = False
    model = keras.Sequential([base, keras.layers.GlobalAveragePooling2D(), *frigate_head(classes)])
    model.compile(keras.optimizers.Adam(FRIGATE_RATE), "categorical_crossentropy", metrics=["accuracy"])
    generator = ImageDataGenerator(rescale=1 / 255, validation_split=FRIGATE_HELD)
    pictures = generator.flow_from_directory(
        folder, shape[:2], batch_size=FRIGATE_BATCH, class_mode="categorical", subset="training"
    )
    model.fit(pictures, epochs=FRIGATE_EPOCHS, verbose=0)
    return model


def _exported(model: Any, paths: list[Path]) -> bytes:
    def representative() -> Any:
        for path in paths[:300]:
            picture = Image.open(path).resize((FRIGATE_PX, FRIGATE_PX), Image.Resampling.BILINEAR)
            yield [np.asarray(picture, np.float32)[None] / 255]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    made: bytes = converter.convert()
    return made


if __name__ == "__main__":
    actions = Sets({"recipe": recipe, "Frigate": frigate}).actions()
    serve({**actions, "pool": pool, "whole": whole})
