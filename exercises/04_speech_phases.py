"""Exercise 4: the dense weights in each phase of speech fine-tuning, without a second compile, and the layer below.

The published 18-word network with a fresh top for four words. Phase 1 trains the top, phase 2 the layer of 2000 units
too, phase 3 the convolution before it. Between them nothing is made anew: `trainable` is set, and the next `fit` obeys.
"""

from __future__ import annotations

import importlib.util

import numpy as np
from given import DATA, quick, speech_layers, twin

from edge_tl.embedders.windows import fitted
from edge_tl.media.frontend import FRAMES, RATE_HZ, WINDOW_SAMPLES, model_input, spectrogram
from edge_tl.media.sound import read_sound
from edge_tl.nn import Adam, Conv2D, CrossEntropy, Dense, Layer, Network, fit

WORDS = ("down", "go", "left", "right")
PHASES = (("the top alone", 1e-3), ("the layer of 2000 units too", 1e-4), ("the convolution before it too", 1e-4))


def main() -> None:
    """Three phases of one network; what moved in each."""
    takes, epochs = (2, 2) if quick() else (10, 5)
    planes, Y = words(takes)
    below, network = published()
    conv = next(layer for layer in network.layers if isinstance(layer, Conv2D))
    dense, top = (layer for layer in network.layers if isinstance(layer, Dense))
    X = below(planes)
    watched: dict[str, Layer] = {"convolution": conv, "layer of 2000 units": dense, "top": top}
    for phase, (what, rate) in enumerate(PHASES, 1):
        dense.trainable, conv.trainable = phase > 1, phase > 2
        before = {name: layer.parameters["W"].copy() for name, layer in watched.items()}
        rng = np.random.default_rng(0)
        curve = fit(network, X, Y, loss=CrossEntropy(), optimizer=Adam(rate), epochs=epochs, batch=8, rng=rng)
        print(
            f"Phase {phase}, {what}: {network.trainable_parameters} of {network.parameters} parameters are trained; "
            f"the loss went from {curve[0].loss:.4f} to {curve[-1].loss:.4f}."
        )
        for name, layer in watched.items():
            now = layer.parameters["W"]
            moved = float(np.abs(now - before[name]).max())
            equal = now.tobytes() == before[name].tobytes()
            print(f"  the {name}: {'the same, bit for bit' if equal else f'changed, by {moved:.5f} at most'}.")
    if twin():
        keras_twin(X, Y, epochs)


def keras_twin(X: np.ndarray, Y: np.ndarray, epochs: int) -> None:
    """The layer of 2000 units and a top in Keras: unfrozen after compile it is not trained until compiled again."""
    from host_tools.tf import keras

    kit = keras()
    kit.utils.set_random_seed(0)
    dense = kit.layers.Dense(2000, activation="relu", trainable=False)
    model = kit.Sequential([kit.layers.Flatten(), dense, kit.layers.Dense(len(WORDS), activation="softmax")])

    def phase(what: str) -> None:
        before = dense.get_weights()[0] if dense.built else None
        model.fit(X, Y, 8, epochs=epochs, verbose=0)
        now = dense.get_weights()[0]
        if before is not None:
            same = before.tobytes() == now.tobytes()
            print(f"Keras, {what}: the layer of 2000 units is {'the same, bit for bit' if same else 'trained'}.")

    model.compile(kit.optimizers.Adam(1e-4), "categorical_crossentropy")
    model.build(X.shape)
    phase("phase 1, compiled with it frozen")
    dense.trainable = True
    phase("phase 2 without a second compile")
    print("  (compile made the step that fit runs, with what was trainable then; setting trainable makes no other)")
    model.compile(kit.optimizers.Adam(1e-4), "categorical_crossentropy")
    phase("phase 2, compiled again")


def published() -> tuple[Network, Network]:
    """The network up to its last convolution, and the rest with a fresh top."""
    layers = speech_layers()
    for layer in layers:
        if layer.parameters:
            layer.trainable = False
    last = max(place for place, layer in enumerate(layers) if isinstance(layer, Conv2D))
    top = Dense.new(2000, len(WORDS), np.random.default_rng(0))
    return Network(layers[:last]), Network([*layers[last:], top])


def words(takes: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows float32 (N, 43, 232, 1), and indicators (N, 4): real words, or tones that glide as nobody speaks."""
    folder = DATA / "speech" / "commands"
    sounds: list[tuple[np.ndarray, int]] = []
    if folder.is_dir() and importlib.util.find_spec("soxr"):
        for code, word in enumerate(WORDS):
            sounds += [(read_sound(path).at(RATE_HZ), code) for path in sorted((folder / word).glob("*.wav"))[:takes]]
    else:
        print("No recordings here (or no soxr to resample them): gliding tones take the place of the words.")
        rng, time_s = np.random.default_rng(0), np.arange(RATE_HZ) / RATE_HZ
        for take in range(4 * takes):
            low, high = ((400, 400), (1500, 1500), (500, 2000), (2000, 500))[take % 4]
            hz = low + (high - low) * time_s / 2
            tone = np.sin(2 * np.pi * hz * time_s + rng.uniform(0, 6)) * np.hanning(RATE_HZ)
            sounds.append(((tone / 2 + rng.normal(0, 0.01, RATE_HZ)).astype(np.float32), take % 4))
    planes = [spectrogram(fitted(sound, RATE_HZ, WINDOW_SAMPLES, 0.5)) for sound, _ in sounds]
    X = np.concatenate([model_input(plane[:FRAMES]) for plane in planes])
    return X, np.eye(4, dtype=np.float32)[[code for _, code in sounds]]


if __name__ == "__main__":
    main()
