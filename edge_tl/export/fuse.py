"""One file of it all: frozen embedder, feature map and trained head as one .tflite, picture in, probabilities out.

No TensorFlow: the embedder's file goes on behind its output, and not one of its weights is changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

import numpy as np

from edge_tl.core.features import GRIDS, PLAIN, FeatureMap, cell_means
from edge_tl.embedders.browser import MAP, BrowserEmbedder, Units
from edge_tl.embedders.speech_base import BASE
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError, ModelError, counted
from edge_tl.export.fused import ABOUT, FORMAT, LABELS
from edge_tl.finetune.picture_base import PictureBase
from edge_tl.heads.mlp import MLPHead
from edge_tl.heads.prototype import PrototypeHead
from edge_tl.heads.ridge import RidgeHead
from edge_tl.heads.softmax import SoftmaxHead
from edge_tl.heads.tuned import TunedHead
from edge_tl.nn import Conv2D, Dense, Layer, Network, ReLU
from edge_tl.recognizer import Recognizer
from edge_tl.tflite.graph import Graph
from edge_tl.tflite.lowering import held_bytes, lowered
from edge_tl.tflite.manifest import Manifest, Scaling
from edge_tl.tflite.schema import opened, packed
from edge_tl.tflite.surgery import keep_only
from edge_tl.tflite.unfreeze import unfreeze

Step = FeatureMap | Layer
"""What can follow an embedder's output."""
OUTPUT = "probabilities"
GREY = (0.299, 0.587, 0.114)
"""Of red, green and blue: ITU-R BT.601."""
_SPLIT = 2.0**13 + 1
"""Veltkamp's constant that leaves 11 of float32's 24 bits, as float16 has: 2 to the 24 − 11, plus 1."""


def fuse(recognizer: Recognizer, model: bytes, name: str = "the model") -> bytes:
    """The bytes of a .tflite file that gives what a trained recognizer gives, labels and manifest inside.

    `model`: the bytes of the file that its embedder runs. The input is the embedder's own, the output float32
    (1, classes), the head's probabilities in the order of `recognizer.classes`, as sure as they may be where nothing
    was taught (`Confidence.elsewhere`); the file always names a class: "none of these" stays with the profile. Raises
    ConfigError where it is no single network (an embedder that looks for hands or faces or slides over sound, a head
    that holds examples), NotFittedError before `learn`, ModelError where `model` is damaged or not the embedder's,
    MissingDependency without LiteRT.
    """
    embedder = recognizer.embedder
    before = _before_head(recognizer)
    *layers, top = _of_head(recognizer.head, before[-1] if before else PLAIN)
    assert isinstance(top, Dense)
    far = np.float32(recognizer.confidence.far_)
    steps = [*before, *layers, Dense(top.W / far, None if top.b is None else top.b / far)]
    about: dict[str, Any] = {"format": FORMAT, "kind": embedder.kind, "head": recognizer.head.name}
    if isinstance(embedder, TFLiteEmbedder):
        if embedder.map_is_turned:
            raise ConfigError(
                f"{embedder.name} gives its map channels first, and a head is appended to one that is channels last: "
                "convert it again channels last (with onnx2tf, for one)"
            )
        wanted = embedder.manifest.sha256
        about["manifest"] = asdict(embedder.manifest)
    elif isinstance(embedder, BrowserEmbedder):
        wanted = embedder.about.sha256[BASE]
        about["base"] = embedder.name
    if hashlib.sha256(model).hexdigest() != wanted:
        raise ModelError(f"{name}: is not the file that {embedder.name} runs; give the one that it was loaded from")
    if isinstance(embedder, BrowserEmbedder) and embedder.lower is not None:
        # The convolutions that were trained are left out, and come back as they are now.
        model, _ = unfreeze(model, sum(isinstance(layer, Conv2D) for layer in embedder.lower.layers), name)
    return append(model, steps, embedder.embedding_shape, _metadata(recognizer.classes, about), name)


def fuse_network(base: PictureBase) -> bytes:
    """The bytes of a .tflite file of a small picture network, as it was trained or adapted, labels and manifest inside.

    The input is float32 (1, h, w, 3) RGB, scaled as the manifest says, also where the network looks at grey (light on
    dark); the output float32 (1, labels), probabilities. ConfigError for a layer that has no operator in TFLite;
    MissingDependency without LiteRT.
    """
    about = base.about
    height, width, channels = about.input_shape
    graph = Graph.new((1, height, width, 3), "picture")
    at = graph.output
    if channels == 1:
        at = graph.convolution(at, np.array(GREY, np.float32).reshape(1, 1, 3, 1), np.zeros(1, np.float32))
    at = graph.softmax(lowered(graph, at, base.network.layers))
    manifest = Manifest(
        name=about.name,
        model=f"{about.name}.tflite",
        sha256="0" * 64,
        architecture="network",
        alpha=None,
        layer=OUTPUT,
        input_shape=(height, width, 3),
        colour_order="rgb",
        resize="crop",
        scaling=Scaling((about.scale,) * 3, (0.0,) * 3),
        output_shape=(len(about.labels),),
        quantization="float32",
        weights=about.weights,
        tools=about.tools,
    )
    said = {"format": FORMAT, "kind": "picture", "head": "network", "manifest": asdict(manifest)}
    graph.end(at, OUTPUT, _metadata(about.labels, said))
    return graph.packed(2 * held_bytes(base.network.layers) + 1_000_000)


def append(
    data: bytes, steps: Sequence[Step], shape: tuple[int, ...], metadata: dict[str, bytes], name: str = "the model"
) -> bytes:
    """The model whose one output, of `shape` without the batch axis, goes through `steps` and a softmax.

    `metadata`: what the file carries beside its graph, title → bytes. ModelError (one line) for a damaged file, or one
    without exactly one output of this shape in float32, int8 or uint8; MissingDependency without LiteRT.
    """
    weights = held_bytes(step for step in steps if not isinstance(step, FeatureMap))
    with opened(data, name) as model:
        outputs = model.subgraphs[0].outputs
        if outputs is None or len(outputs) != 1:
            raise ModelError(f"{name}: has {counted(0 if outputs is None else len(outputs), 'output')}; one is wanted")
        keep_only(model, int(outputs[0]), name)
        graph = Graph(model)
        if graph.shape(graph.output) != (1, *shape):
            raise ModelError(f"{name}: ends in {graph.shape(graph.output)}; {(1, *shape)} is wanted")
        at = _as_kept(graph, graph.dequantized(graph.output, (1, *shape)), (1, *shape))
        for _, run in groupby(steps, lambda step: isinstance(step, FeatureMap)):
            layers: list[Layer] = []
            for step in run:
                if isinstance(step, FeatureMap):
                    at = _mapped(graph, at, step, graph.shape(at)[1:])
                else:
                    layers.append(step)
            at = lowered(graph, at, layers)
        graph.end(graph.softmax(at), OUTPUT, metadata)
        return packed(model, 2 * len(data) + 2 * weights + sum(map(len, metadata.values())) + 1_000_000)


def _metadata(labels: Sequence[str], about: dict[str, Any]) -> dict[str, bytes]:
    """What a file says of itself, for `fused.read_about`."""
    return {LABELS: "\n".join(labels).encode(), ABOUT: json.dumps(about, ensure_ascii=False).encode()}


def _before_head(recognizer: Recognizer) -> list[Step]:
    """What lies between the embedder's file and the head; ConfigError where that is more than layers."""
    embedder, features = recognizer.embedder, recognizer.features
    if isinstance(embedder, TFLiteEmbedder) and isinstance(features, FeatureMap):
        return [features]
    if isinstance(embedder, BrowserEmbedder) and isinstance(features, Units):
        upper, lower = features.upper, features.lower
        below = [PLAIN] if lower is None else lower.layers
        return [*below, Dense(upper.dense, upper.dense_bias), ReLU(), MAP]
    if isinstance(embedder, BrowserEmbedder) and isinstance(features, FeatureMap):
        return [features] if embedder.lower is None else []
    raise ConfigError(
        f"{embedder.name} is more than one network, which one .tflite cannot hold: fuse a profile that looks at the "
        "whole frame, or one of words made with --base DIR"
    )


def _of_head(head: Any, rows: Step) -> list[Step]:
    """The layers that a head is, of the rows that a step gives; ConfigError for a head that is none."""
    if isinstance(head, RidgeHead):
        return [Dense(head.coef_.T / head.temperature_, head.intercept_ / head.temperature_)]
    if isinstance(head, SoftmaxHead):
        return [Dense(head.coef_.T, head.intercept_)]
    if isinstance(head, PrototypeHead):
        directed = isinstance(rows, FeatureMap) and rows.unit
        # All scores less their mean are the same to a softmax, and small ones lose fewer digits in float32.
        apart = (head.prototypes_ - head.prototypes_.mean(axis=0)) * head.sharpness
        return [*([] if directed else [FeatureMap("flatten", root=False, unit=True)]), Dense(apart.T)]
    if isinstance(head, MLPHead):
        W1, b1, W2 = head.weights_
        return [Dense(W1, b1), ReLU(), Dense(W2)]
    if isinstance(head, TunedHead):
        meta, arrays = head.state()
        below = {key.removeprefix("lower."): array for key, array in arrays.items() if key.startswith("lower.")}
        convolutions = Network.from_state(meta["lower"], below).layers if "lower" in meta else []
        hidden, top = Dense(arrays["dense"], arrays["dense_bias"]), Dense(arrays["top"], arrays["top_bias"])
        return [*convolutions, hidden, ReLU(), top]
    raise ConfigError(
        f"a {head.name} head of {counted(len(head.classes_), 'class', 'classes')} is no network: train another one "
        "with `edge-tl train --head ridge`"
    )


def _as_kept(graph: Graph, at: int, shape: tuple[int, ...]) -> int:
    """Values rounded to the 11 bits of float16, as the store keeps embeddings and the head has learned them.

    T. J. Dekker, A floating-point technique for extending the available precision, 1971: with p = x·(2¹³ + 1) it is
    p − (p − x). Ties, and values that float16 cannot hold as normal numbers, may come out otherwise.
    """
    split = graph.constant(np.array([_SPLIT], np.float32))
    spread = graph.apply("MUL", at, split, shape=shape, options="MulOptions")
    rest = graph.apply("SUB", spread, at, shape=shape, options="SubOptions")
    return graph.apply("SUB", spread, rest, shape=shape, options="SubOptions")


def _mapped(graph: Graph, at: int, features: FeatureMap, shape: tuple[int, ...]) -> int:
    """The rows (1, F) that a head sees, of embeddings (1, *shape)."""
    cells, row = GRIDS[features.pool], (1, features.dim(shape))
    if cells and len(shape) == 3:
        height, width, channels = shape
        at = graph.reshaped(at, (1, height * width, channels))
        means = graph.constant(cell_means(cells, height, width)[np.newaxis])
        pooled = (1, cells * cells, channels)
        at = graph.apply("BATCH_MATMUL", means, at, shape=pooled, options="BatchMatMulOptions")
    at = graph.reshaped(at, row)
    if features.root:
        # sign(x)·√|x| as √max(x, 0) − √max(−x, 0): SIGN is younger than many runtimes.
        above = graph.apply("RELU", at, shape=row)
        below = graph.apply("RELU", graph.apply("NEG", at, shape=row, options="NegOptions"), shape=row)
        above, below = graph.apply("SQRT", above, shape=row), graph.apply("SQRT", below, shape=row)
        at = graph.apply("SUB", above, below, shape=row, options="SubOptions")
    if features.unit:
        at = graph.apply("L2_NORMALIZATION", at, shape=row, options="L2NormOptions")
    return at
