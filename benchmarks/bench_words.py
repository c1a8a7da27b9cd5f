"""Words: what listening costs, how soon a word is told after its end, and training beside Keras on the same data.

listening  processor time of embedding, head and listener for a minute of speech in a noisy room, in blocks of 80 ms, as
           a share of the minute: of one core, on one thread
latency    Arabic commands of six speakers, two fifths of each left out and heard in a quiet room; from the end of a
           word (its loudness falls 20 dB below its loudest moment for good) to the window that tells it, plus the
           processor time of that window
training   five words × 20 recordings (their windows), the same rows for each contender, in turns
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.interleaved import against, times_ms, words
from benchmarks.pictures import DATA
from benchmarks.proof_words import arabic, digits
from benchmarks.record import table
from edge_tl.core.gram import GrowingGram
from edge_tl.core.kept import as_stored
from edge_tl.embedders.browser import BrowserEmbedder
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.stream import StreamingSpeech, embed_views
from edge_tl.embedders.windows import levels
from edge_tl.frames import Frame
from edge_tl.heads import make_head
from edge_tl.heads.base import TaughtRows
from edge_tl.heads.tuned import BATCH, EPOCHS, RATES, held_out
from edge_tl.labels import NOISE
from edge_tl.listener import Listener, ListeningConfig, reported_words
from edge_tl.media.sound import Sound, pieces, read_sound
from edge_tl.recognizer import Recognizer
from edge_tl.words.alarms import heard_in
from edge_tl.words.augment import with_noise

CLASSES, CLIPS = 5, 20
ROUNDS = 3
BLOCK_S = 0.08
FALLEN_DB = 20.0
OVERLAPS = (0.5, 0.75, 0.9)
GOALS = {"speech": 0.3, "18 words, overlap 0.5": 0.65}
FASTER = {"ridge": "≥ 20", "tuned, dense layer too": "≥ 1.3"}
REAL_TIME = 0.05


def taught(embedder: SoundEmbedder, speaker: str) -> tuple[Recognizer, list[tuple[str, Sound]]]:
    """Three fifths of a speaker's words and ten seconds of noise; and the recordings that were left out."""
    recognizer = Recognizer(embedder)
    left = []
    for take, (label, who, path) in enumerate(arabic()):
        if who != speaker:
            continue
        if take % 5 < 2:
            left.append((label, read_sound(path)))
        else:
            recognizer.add(embed_views(embedder, read_sound(path)), label, take)
    noise = read_sound(DATA / "speech/noise/exercise_bike.wav")
    for number, part in enumerate(pieces(Sound(noise.samples[: 10 * noise.rate_hz], noise.rate_hz))):
        recognizer.add(embed_views(embedder, part), NOISE, 10_000 + number)
    recognizer.learn()
    return recognizer, left


def real_time(embedder: SoundEmbedder, seconds: float = 60.0) -> dict[str, float]:
    """Processor seconds a second of sound, stage by stage."""
    recognizer, left = taught(embedder, "00000001")
    listener = Listener(recognizer.classes, ListeningConfig())
    rate_hz = left[0][1].rate_hz
    said = np.concatenate([sound.samples for _, sound in left])
    said = np.resize(said, int(seconds * rate_hz))
    noise = read_sound(DATA / "speech/noise/doing_the_dishes.wav")
    sound = with_noise(Sound(said, rate_hz), noise, 10.0, np.random.default_rng(0))
    speech, block = StreamingSpeech(embedder), round(BLOCK_S * rate_hz)
    spent = {"embed": 0.0, "head": 0.0}
    for first in range(0, len(sound.samples), block):
        begun_s = time.process_time()
        windows = speech.push(Frame(sound.samples[first : first + block], first / rate_hz, rate_hz=rate_hz))
        embedded_s = time.process_time()
        for window in windows:
            seen = recognizer.recognize(as_stored(window.embedding))
            listener.update(seen.probabilities, window.end_s, seen.familiar)
        spent["embed"] += embedded_s - begun_s
        spent["head"] += time.process_time() - embedded_s
    return {name: value / seconds for name, value in spent.items()}


def word_end(samples: np.ndarray, rate_hz: int) -> float:
    """When a recording's word is over, in seconds."""
    loudness = levels(samples, rate_hz)
    return float(np.flatnonzero(loudness > loudness.max() - FALLEN_DB)[-1] + 1) / 100


def latency(embedder: SoundEmbedder) -> dict[str, Any]:
    """Seconds from the end of a word; the stream begins elsewhere in the hop for each recording."""
    config = ListeningConfig()
    late_s: list[float] = []
    asked, rng = 0, np.random.default_rng(0)
    for speaker in sorted({who for _, who, _ in arabic()}):
        recognizer, left = taught(embedder, speaker)
        for label, sound in left:
            quiet = rng.normal(0, 1e-3, round(rng.uniform(2, 2.6) * sound.rate_hz)).astype(np.float32)
            whole = np.concatenate((quiet, sound.samples, quiet))
            end_s = len(quiet) / sound.rate_hz + word_end(sound.samples, sound.rate_hz)
            begun_s = time.process_time()
            heard = heard_in(recognizer, [Frame(whole, 0.0, rate_hz=sound.rate_hz)])
            work_s = (time.process_time() - begun_s) / len(heard.times_s)
            asked += 1
            said = reported_words(heard, recognizer.classes, config)[:1]
            late_s += [time_s - end_s + work_s for word, time_s in said if word == label]
    p50, p95 = np.quantile(late_s, [0.5, 0.95]).tolist()
    return {"told": len(late_s), "asked": asked, "p50": p50, "p95": p95}


def quiet_keras() -> Any:
    """Keras, without TensorFlow's chatter."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    return keras


def training(embedder: BrowserEmbedder) -> dict[str, Any]:
    """The head alone, and fine-tuning for as many epochs, batches and values: beside Keras."""
    keras = quiet_keras()
    speaker = digits()[0][1]
    spoken = [(label, path) for label, who, path in digits() if who == speaker]
    chosen = sorted({label for label, _ in spoken})[:CLASSES]
    X, y, takes = [], [], []
    for label in chosen:
        for path in [path for one, path in spoken if one == label][:CLIPS]:
            X.append(embed_views(embedder, read_sound(path)).reshape(embedder.views, -1))
            y += [label] * embedder.views
            takes += [len(X)] * embedder.views
    rows, labels, groups = np.concatenate(X), np.array(y), np.array(takes)
    units, seen = embedder.upper.units(rows), embedder.features(rows, embedder.embedding_shape)
    grown = GrowingGram()
    for row in seen:
        grown.append(row)
    Y = np.eye(CLASSES, dtype=np.float32)[np.searchsorted(chosen, labels)]
    # Keras is given the same examples to learn from, and the same to judge by after each epoch.
    held = held_out(TaughtRows.check(rows, labels, groups), np.random.default_rng(0))
    keras = quiet_keras()
    first, second = EPOCHS

    def fitted(model: Any, values: np.ndarray, rate: float, epochs: int) -> Any:
        model.compile(keras.optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"])
        judged = (values[held], Y[held])
        model.fit(values[~held], Y[~held], BATCH, epochs, verbose=0, validation_data=judged)
        return model

    def top() -> Any:
        return keras.Sequential([keras.Input(units.shape[1:]), keras.layers.Dense(CLASSES, "softmax")])

    def keras_tuning() -> object:
        """Both phases; the dense layer's values are computed once for the first, as we do."""
        above = fitted(top(), units, RATES[0], first)
        dense = keras.layers.Dense(units.shape[1], activation="relu")
        both = keras.Sequential([keras.Input(rows.shape[1:]), dense, keras.layers.Dense(CLASSES, "softmax")])
        dense.set_weights([embedder.upper.dense, embedder.upper.dense_bias])
        both.layers[-1].set_weights(above.layers[-1].get_weights())
        return fitted(both, rows, RATES[1], second)

    contenders: dict[str, Callable[[], object]] = {
        "ridge": lambda: make_head("ridge").fit(seen, labels, groups, gram=grown.K),
        "softmax": lambda: make_head("softmax").fit(seen, labels, groups, gram=grown.K),
        "tuned, top alone": lambda: make_head("tuned", upper=embedder.upper, epochs=(first + second, 0)).fit(
            rows, labels, groups
        ),
        "Keras, top alone": lambda: fitted(top(), units, RATES[0], first + second),
    }
    tuning: dict[str, Callable[[], object]] = {
        "tuned, dense layer too": lambda: make_head("tuned", upper=embedder.upper).fit(rows, labels, groups),
        "Keras, dense layer too": keras_tuning,
    }
    return {
        "rows": len(rows),
        "head": against(times_ms(contenders, ROUNDS), "Keras, top alone"),
        "tuning": against(times_ms(tuning, ROUNDS), "Keras, dense layer too"),
    }


def measure(bases: dict[str, SoundEmbedder]) -> dict[str, Any]:
    """With each base; training with the published 18 words."""
    result: dict[str, Any] = {"real_time": {}, "latency": {}}
    for name, embedder in bases.items():
        result["real_time"][name] = real_time(embedder)
        if not isinstance(embedder, BrowserEmbedder):
            result["latency"][name] = latency(embedder)
            continue
        for overlap in OVERLAPS:
            result["latency"][f"{name}, overlap {overlap}"] = latency(embedder.overlapping(overlap))
        result["training"] = training(embedder)
    return result


def goal(name: str) -> str:
    """The longest that 95 of 100 words may take, in ms."""
    return f"≤ {1000 * GOALS[name]:.0f}" if name in GOALS else ""


def report(result: dict[str, Any]) -> str:
    """Three tables."""
    shares: list[list[object]] = [
        [name, f"{one['embed']:.4f}", f"{one['head']:.4f}", f"{sum(one.values()):.4f}", f"≤ {REAL_TIME}"]
        for name, one in result["real_time"].items()
    ]
    late: list[list[object]] = [
        [name, f"{one['told']} of {one['asked']}", f"{1000 * one['p50']:.0f}", f"{1000 * one['p95']:.0f}", goal(name)]
        for name, one in result["latency"].items()
    ]
    parts = [
        table(["processor seconds a second of sound", "embed", "head", "together", "goal"], shares),
        table(["from the end of a word to the event", "told", "p50, ms", "p95, ms", "goal (p95)"], late),
    ]
    if "training" in result:
        one = result["training"]
        rows: list[list[object]] = [
            [name, words(times["ms"], 1), words(times["times_faster"], 1), FASTER.get(name, "")]
            for part in ("head", "tuning")
            for name, times in one[part].items()
        ]
        parts.append(table([f"training, {CLASSES} × {CLIPS} recordings", "ms", "× Keras", "goal"], rows))
    return "\n\n".join(parts)
