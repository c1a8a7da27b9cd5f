"""Exercise 2: frozen weights are unchanged after training, bit for bit, and unfrozen ones are not."""

from __future__ import annotations

import numpy as np
from given import FEATURE_LAYERS, TRANSFERRED, digits, digits_network, quick, twin

from edge_tl.nn import Adam, CrossEntropy, Network, fit

Arrays = dict[str, list[np.ndarray]]


def main() -> None:
    """Ours, then Keras', from the same weights."""
    X, Y = digits(64 if quick() else 1024)
    network = digits_network()
    for layer in network.layers[:FEATURE_LAYERS]:
        layer.trainable = False
    before = held(network)
    rng = np.random.default_rng(0)
    fit(network, X, Y, loss=CrossEntropy(), optimizer=Adam(0.01), epochs=2, batch=32, rng=rng)
    tell("edge_tl", before, held(network))
    if twin():
        from host_tools.mnist_transfer import adapt_in_keras

        examples = np.rint(255 * X[..., 0]).astype(np.uint8), [TRANSFERRED[code] for code in Y.argmax(axis=1)]
        model = adapt_in_keras(digits_network(), examples, TRANSFERRED, "freeze", 0, epochs=2).model
        arrays = {f"layer {place}": layer.get_weights() for place, layer in enumerate(model.layers)}
        tell("Keras", before, arrays)


def held(network: Network) -> Arrays:
    """Copies of the arrays of each layer that has some."""
    found = {f"layer {place}": list(layer.arrays.values()) for place, layer in enumerate(network.layers)}
    return {name: [array.copy() for array in arrays] for name, arrays in found.items() if arrays}


def tell(who: str, before: Arrays, after: Arrays) -> None:
    """A line a layer."""
    for name, arrays in before.items():
        moved = max(float(np.abs(now - then).max()) for now, then in zip(after[name], arrays, strict=True))
        equal = all(now.tobytes() == then.tobytes() for now, then in zip(after[name], arrays, strict=True))
        frozen = "frozen" if int(name.split()[1]) < FEATURE_LAYERS else "unfrozen"
        said = "the same, bit for bit" if equal else f"changed, by {moved:.4f} at most"
        print(f"{who}, {name} ({frozen}, {arrays[0].shape}): {said}.")


if __name__ == "__main__":
    main()
