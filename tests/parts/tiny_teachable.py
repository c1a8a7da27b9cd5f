"""A Teachable Machine project of images as its page writes it, small: a branching base, and two layers trained on it.

Its description is Keras 2's, models in models. The base's numbers are drawn; the head is worked out from what the base
makes of one picture of each class, so that it knows them.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

SIDE_PX = 32
LABELS = ("up", "left", "down", "right")
COLOURS = {"up": (230, 30, 30), "left": (30, 220, 30), "down": (40, 40, 230), "right": (220, 220, 40)}
CHANNELS = 16
UNITS = 8


def shown(label: str, seed: int = 0, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    """A picture of a class: its colour, with some noise."""
    noise = np.random.default_rng(seed).normal(0, 6, (*size, 3))
    return np.clip(np.array(COLOURS[label]) + noise, 0, 255).astype(np.uint8)


def layer(kind: str, name: str, before: tuple[str, ...] | None = None, **config: Any) -> dict[str, Any]:
    """One layer; before: in a graph, whose outputs it takes."""
    made: dict[str, Any] = {"class_name": kind, "config": {"name": name, "trainable": True, **config}}
    if before is not None:
        made["name"] = name
        made["inbound_nodes"] = [[[one, 0, 0, {}] for one in before]] if before else []
    return made


def topology(classes: int) -> dict[str, Any]:
    """The description of all of it."""
    convolution = {"padding": "same", "use_bias": False, "activation": "linear", "data_format": "channels_last"}
    norm = {"axis": [3], "epsilon": 0.001, "center": True, "scale": True}
    base = [
        layer("InputLayer", "input_1", (), batch_input_shape=[None, SIDE_PX, SIDE_PX, 3], dtype="float32"),
        layer("Conv2D", "Conv1", ("input_1",), filters=CHANNELS, kernel_size=[3, 3], strides=[2, 2], **convolution),
        layer("BatchNormalization", "bn_Conv1", ("Conv1",), **norm),
        layer("ReLU", "Conv1_relu", ("bn_Conv1",), max_value=6),
        layer("DepthwiseConv2D", "deep", ("Conv1_relu",), kernel_size=[3, 3], strides=[1, 1], **convolution),
        layer("BatchNormalization", "deep_BN", ("deep",), **norm),
        layer("Add", "block_add", ("Conv1_relu", "deep_BN")),
    ]
    graph = {"layers": base, "input_layers": [["input_1", 0, 0]], "output_layers": [["block_add", 0, 0]]}
    inner = [
        {"class_name": "Model", "config": {"name": "model1", **graph}},
        layer("GlobalAveragePooling2D", "global_average", data_format="channels_last"),
    ]
    head = [
        layer("Dense", "dense_Dense1", units=UNITS, activation="relu", use_bias=True),
        layer("Dense", "dense_Dense2", units=classes, activation="softmax", use_bias=False),
    ]
    both = [
        {"class_name": "Sequential", "config": {"name": name, "layers": layers}}
        for name, layers in (("sequential_1", inner), ("sequential_3", head))
    ]
    return {"class_name": "Sequential", "config": {"name": "sequential_4", "layers": both}}


def base_weights(seed: int = 0) -> dict[str, np.ndarray]:
    """The numbers of the base."""
    rng = np.random.default_rng(seed)
    made: dict[str, np.ndarray] = {
        "Conv1/kernel": rng.normal(0, 0.3, (3, 3, 3, CHANNELS)),
        "deep/depthwise_kernel": rng.normal(0, 0.3, (3, 3, CHANNELS, 1)),
    }
    for name in ("bn_Conv1", "deep_BN"):
        made |= {
            f"{name}/gamma": rng.uniform(0.8, 1.2, CHANNELS),
            f"{name}/beta": rng.normal(0.3, 0.2, CHANNELS),
            f"{name}/moving_mean": rng.normal(0, 0.1, CHANNELS),
            f"{name}/moving_variance": rng.uniform(0.5, 1.5, CHANNELS),
        }
    return {name: values.astype(np.float32) for name, values in made.items()}


def head_weights(seen: np.ndarray) -> dict[str, np.ndarray]:
    """Two layers that know the classes whose features (classes, values) these are: two units for each."""
    middle = seen.mean(axis=0)
    apart = np.linalg.pinv((seen - middle).T, 1e-3)  # (classes, values): 1 for its own class, nearly
    W1 = np.concatenate([apart, -apart]).T
    b1 = -W1.T @ middle
    top = 12 * np.concatenate([np.eye(len(seen)), -np.eye(len(seen))])
    return {
        "dense_Dense1/kernel": W1.astype(np.float32),
        "dense_Dense1/bias": b1.astype(np.float32),
        "dense_Dense2/kernel": top.astype(np.float32),
    }


def as_tfjs(folder: Path, weights: dict[str, np.ndarray], **metadata: Any) -> Path:
    """The files of its export for TensorFlow.js."""
    folder.mkdir(parents=True, exist_ok=True)
    specs = [{"name": name, "shape": list(one.shape), "dtype": "float32"} for name, one in weights.items()]
    model = {
        "modelTopology": topology(weights["dense_Dense2/kernel"].shape[1]),
        "weightsManifest": [{"paths": ["weights.bin"], "weights": specs}],
    }
    (folder / "model.json").write_text(json.dumps(model))
    (folder / "weights.bin").write_bytes(b"".join(one.tobytes() for one in weights.values()))
    said = {
        "tmVersion": "2.4.10",
        "packageName": "@teachablemachine/image",
        "labels": list(LABELS),
        "imageSize": SIDE_PX,
    }
    (folder / "metadata.json").write_text(json.dumps(said | metadata))
    return folder


def as_keras(path: Path, weights: dict[str, np.ndarray]) -> bytes:
    """Its export for Keras, keras_model.h5, as a .zip with labels.txt."""
    import h5py

    raw = io.BytesIO()
    with h5py.File(raw, "w") as file:
        file.attrs["model_config"] = json.dumps(topology(weights["dense_Dense2/kernel"].shape[1])).encode()
        top = file.create_group("model_weights")
        parts = {"sequential_1": [], "sequential_3": []}  # type: dict[str, list[str]]
        for name in weights:
            parts["sequential_3" if name.startswith("dense_D") else "sequential_1"].append(name)
        top.attrs["layer_names"] = [name.encode() for name in parts]
        for part, names in parts.items():
            group = top.create_group(part)
            group.attrs["weight_names"] = [f"{name}:0".encode() for name in names]
            for name in names:
                group.create_dataset(f"{name}:0", data=weights[name])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("keras_model.h5", raw.getvalue())
        archive.writestr("labels.txt", "".join(f"{number} {label}\n" for number, label in enumerate(LABELS)))
    return raw.getvalue()
