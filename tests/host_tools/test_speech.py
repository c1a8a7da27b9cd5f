"""`edge-tl-host convert speech`: what it writes is the published model, exactly, and can be taught on."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from lacking import lacking

from device.commands.main import main as device
from edge_tl.embedders.speech_base import FILE_NAME, WINDOW_SHAPE, WORDS, read_base
from edge_tl.errors import ModelError
from edge_tl.labels import NOISE
from edge_tl.media.frontend import model_input, spectrogram
from edge_tl.media.image import decode
from edge_tl.media.sound import read_sound
from edge_tl.media.tfjsscds import SpokenExample, write_tfjsscds
from edge_tl.nn import CrossEntropy, Dense, Network, ReLU
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile
from edge_tl.testing import check_embedder
from edge_tl.tflite.interpreter import Interpreter
from edge_tl.tflite.schema import opened, packed
from edge_tl.tflite.surgery import truncate
from edge_tl.tflite.unfreeze import unfreeze

pytestmark = [pytest.mark.host, pytest.mark.exact]
pytest.importorskip("soundfile", reason="soundfile is not installed: pip install -e .[speech]")
pytest.importorskip("soxr", reason="soxr is not installed: pip install -e .[speech]")

from edge_tl.embedders.browser import BrowserEmbedder  # noqa: E402
from edge_tl.media.wav import encode_wav  # noqa: E402
from host_tools.cli import main  # noqa: E402
from host_tools.speech import to_keras  # noqa: E402
from host_tools.tfjs import LayersModel, read_layers_model  # noqa: E402

TEN = ("down", "go", "left", "no", "one", "right", "stop", "two", "up", "yes")


@pytest.fixture(scope="module")
def converted(data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published 18-word model as the device takes it."""
    out = tmp_path_factory.mktemp("speech") / "w18"
    published = str(data("speech_commands_18w"))
    assert main(["convert", "speech", "--tfjs", published, "--licence", "Apache-2.0", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def embedder(converted: Path) -> BrowserEmbedder:
    """It, loaded."""
    return BrowserEmbedder.load(converted, threads=1)


def test_it_keeps_the_contract_of_an_embedder(embedder: BrowserEmbedder) -> None:
    """Sounds of any length give 704 finite values, the same every time."""
    check_embedder(embedder)
    assert embedder.embedding_dim == 704
    assert embedder.features(np.zeros((2, 704), np.float32), (704,)).shape == (2, 2000)


def test_the_words_are_those_of_the_published_model(
    embedder: BrowserEmbedder, converted: Path, data: Callable[[str], Path]
) -> None:
    """At least 93 of the 100 clips of the ten words that it knows are named, noise and unknown excluded."""
    whole = Interpreter(converted / WORDS, 1)
    right = 0
    for word in TEN:
        for path in sorted(data(f"speech/commands/{word}").glob("*.wav")):
            chances = embedder.words(embedder.embed(read_sound(path).at(embedder.rate_hz)))
            named = {label: chance for label, chance in chances.items() if label not in (NOISE, "_unknown_")}
            right += max(named, key=lambda label: named[label]) == word
    assert right >= 93
    assert whole.outputs[0].shape == (1, 20)
    window = np.random.default_rng(0).normal(size=WINDOW_SHAPE).astype(np.float32)
    (made,) = whole.invoke(window)
    assert made.sum() == pytest.approx(1, abs=1e-5)


def test_real_clips_are_what_keras_says(
    embedder: BrowserEmbedder, converted: Path, data: Callable[[str], Path]
) -> None:
    """On real words the whole recognizer and the base with its arrays are within 1e-5 of the Keras model."""
    whole = Interpreter(converted / WORDS, 1)
    keras = to_keras(read_layers_model(str(data("speech_commands_18w"))))
    clips = [sorted(data(f"speech/commands/{word}").glob("*.wav"))[0] for word in TEN]
    for clip in clips:
        sound = embedder.fit(read_sound(clip).at(embedder.rate_hz))
        window = model_input(spectrogram(sound))
        wanted = np.asarray(keras(window, training=False))[0]
        np.testing.assert_allclose(whole.invoke(window)[0][0], wanted, rtol=0, atol=1e-5)
        np.testing.assert_allclose(list(embedder.words(embedder.embed(sound)).values()), wanted, rtol=0, atol=1e-5)


def test_an_export_of_teachable_machine(embedder: BrowserEmbedder, data: Callable[[str], Path], tmp_path: Path) -> None:
    """As speech-commands saves a model taught in the browser: a graph, a new head in a Sequential model, one zip."""
    published = data("speech_commands_18w")
    described = json.loads((published / "model.json").read_text())
    base = described["modelTopology"]["model_config"]["config"][:-2]
    head = {"name": "NewHeadDense", "units": 2, "activation": "softmax", "use_bias": True}
    shape = {"name": "in", "batch_input_shape": [None, 43, 232, 1]}
    layers = [{"name": "in", "class_name": "InputLayer", "config": shape, "inbound_nodes": []}]
    inner = {"name": "new", "layers": [{"class_name": "Dense", "config": head}]}
    for layer in [*base, {"class_name": "Sequential", "config": inner}]:
        layers.append({**layer, "name": layer["config"]["name"], "inbound_nodes": [[[layers[-1]["name"], 0, 0, {}]]]})
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(0, 0.05, (2000, 2)).astype("<f4"), np.array([0.1, -0.1], "<f4")
    weights = [
        {"name": "NewHeadDense/kernel", "shape": [2000, 2], "dtype": "float32"},
        {"name": "NewHeadDense/bias", "shape": [2], "dtype": "float32"},
        *described["weightsManifest"][0]["weights"][:-2],
    ]
    shards = b"".join((published / f"group1-shard{part}of2").read_bytes() for part in (1, 2))
    graph = {"name": "m", "layers": layers, "input_layers": [["in", 0, 0]], "output_layers": [["new", 1, 0]]}
    model = {
        "modelTopology": {"class_name": "Model", "config": graph, "keras_version": "tfjs-layers 1.3.1"},
        "weightsManifest": [{"paths": ["weights.bin"], "weights": weights}],
    }
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("model.json", json.dumps(model))
        archive.writestr("weights.bin", kernel.tobytes() + bias.tobytes() + shards[: -4 * 2001 * 20])
        archive.writestr("metadata.json", json.dumps({"wordLabels": ["Background Noise", "Class 2"]}))
    assert main(["convert", "speech", "--tfjs", str(tmp_path / "export.zip"), "--out", str(tmp_path / "out")]) == 0
    taught = BrowserEmbedder.load(tmp_path / "out", threads=1)
    assert taught.about.labels == (NOISE, "Class 2")
    sound = rng.normal(0, 0.1, taught.window_samples).astype(np.float32)
    np.testing.assert_array_equal(taught.embed(sound), embedder.embed(sound))
    units = embedder.upper.units(embedder.embed(sound)[None])
    scores = np.exp(units @ kernel + bias)[0]
    assert list(taught.words(taught.embed(sound)).values()) == pytest.approx(scores / scores.sum(), abs=1e-5)


def test_a_stream_gives_what_its_windows_give(embedder: BrowserEmbedder) -> None:
    """Bit for bit, whatever the sizes of the blocks."""
    samples = np.random.default_rng(0).normal(0, 0.1, 80_000).astype(np.float32)
    stream = embedder.stream()
    made = [one for block in np.array_split(samples, 13) for one in stream.push(block)]
    for number, embedding in enumerate(made):
        first = number * embedder.hop_samples
        assert np.array_equal(embedding, embedder.embed(samples[first : first + embedder.window_samples]))
    assert len(made) == (len(samples) - embedder.window_samples) // embedder.hop_samples + 1


@pytest.mark.parametrize(("overlap", "frames"), [(0.5, 22), (0.75, 11), (0.9, 4)])
def test_windows_overlap_as_asked(embedder: BrowserEmbedder, overlap: float, frames: int) -> None:
    """At half a window a decision every 22 frames, as in the published recognizer; the same windows, fewer of them."""
    other = embedder.overlapping(overlap)
    samples = np.random.default_rng(0).normal(0, 0.1, 80_000).astype(np.float32)
    assert other.hop_samples == frames * 1024
    for number, embedding in enumerate(other.stream().push(samples)):
        first = number * other.hop_samples
        assert np.array_equal(embedding, embedder.embed(samples[first : first + embedder.window_samples]))
    assert embedder.hop_samples == 4 * 1024


def test_spectrograms_without_their_sound_are_taught(
    embedder: BrowserEmbedder,
    converted: Path,
    data: Callable[[str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A browser's data set of spectrograms alone trains on this base: the middle view is what the sound would give."""
    made = []
    for word in ("up", "down"):
        for path in sorted(data(f"speech/commands/{word}").glob("*.wav"))[:6]:
            window = embedder.fit(read_sound(path).at(embedder.rate_hz))
            made.append(SpokenExample(word, spectrogram(window).astype(np.float32), None))
    views = embedder.embed_spectrogram(made[0].spectrogram)
    assert views is not None
    whole = embedder._network.invoke(model_input(made[0].spectrogram))[0].reshape(-1)
    np.testing.assert_array_equal(views.reshape(5, -1)[2], whole)
    assert embedder.embed_spectrogram(np.zeros((43, 100), np.float32)) is None
    assert embedder.embed_spectrogram(np.zeros((42, 232), np.float32)) is None
    path = tmp_path / "mine.bin"
    path.write_bytes(write_tfjsscds(made))
    rest = ["--profile", "browser", "--data-dir", str(tmp_path)]
    assert device(["examples", "import", str(path), "--base", str(converted), "--json", *rest]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "imported": 12,
        "with_sound": 0,
        "trainable": 12,
        "copies": 0,
    }
    assert device(["train", "--json", *rest]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] > 0.7


def test_it_is_fine_tuned_to_a_speaker(embedder: BrowserEmbedder, data: Callable[[str], Path]) -> None:
    """Both heads learn one speaker's words in a language it never heard; a restored tuned head answers the same."""
    words = sorted(path.name for path in data("speech/arabic").iterdir() if path.is_dir())[:4]
    files = {word: sorted(data(f"speech/arabic/{word}").glob("00000001_*.wav")) for word in words}
    for name in ("ridge", "tuned"):
        recognizer = Recognizer(embedder, name, reject=False)
        if name == "tuned":
            recognizer.settings["epochs"] = (10, 10)
            recognizer.head = recognizer.new_head()
        take = 0
        for word in words:
            for path in files[word][:6]:
                take += 1
                recognizer.teach(read_sound(path), word, take)
        recognizer.learn()
        asked = [(word, read_sound(path)) for word in words for path in files[word][6:]]
        right = sum(recognizer.observe(sound).label == word for word, sound in asked)
        assert right >= len(asked) - 1, name
        again = Recognizer.restore(recognizer.save(), embedder, reject=False)
        for _, sound in asked[:3]:
            assert np.array_equal(again.observe(sound).probabilities, recognizer.observe(sound).probabilities)


@pytest.mark.parametrize("convolutions", [1, 2, 3])
def test_its_last_convolutions_come_out_bit_for_bit(
    embedder: BrowserEmbedder, converted: Path, data: Callable[[str], Path], convolutions: int
) -> None:
    """What is cut off has Keras' weights, the rest of the file computes the same, and together they are the base."""
    deep = BrowserEmbedder.load(converted, threads=1, unfrozen=convolutions)
    assert deep.lower is not None
    assert deep.fingerprint != embedder.fingerprint
    keras = to_keras(read_layers_model(str(data("speech_commands_18w"))))
    wanted = [layer.get_weights() for layer in keras.layers if layer.__class__.__name__ == "Conv2D"][-convolutions:]
    for array, values in zip(deep.lower.learning(), chain(*wanted), strict=True):
        assert np.array_equal(array, values)
    sound = read_sound(sorted(data("speech/commands/up").glob("*.wav"))[0]).at(embedder.rate_hz)
    below = deep.embed(sound).reshape(1, *deep.embedding_shape)
    inner = (read_base(converted)[1], 4 - convolutions)
    np.testing.assert_array_equal(below, inner_of(*inner, model_input(spectrogram(embedder.fit(sound)))))
    np.testing.assert_allclose(deep.lower(below)[0], embedder.embed(sound), atol=1e-4)
    assert list(deep.words(deep.embed(sound)).values()) == pytest.approx(
        list(embedder.words(embedder.embed(sound)).values()), abs=1e-5
    )


def test_what_cannot_be_unfrozen_is_one_line(converted: Path) -> None:
    """All of its convolutions, a file of another kind, one that goes round in a circle, and a damaged one."""
    base, words = read_base(converted)[1], (converted / WORDS).read_bytes()
    with opened(base, "base") as model:
        graph = model.subgraphs[0]
        pool = next(one for one in graph.operators if list(one.outputs) == [graph.operators[-1].inputs[0]])
        pool.inputs = pool.outputs
        circle = packed(model, 2 * len(base))
    for data, says in (
        (base, "has 4 convolutions; 4 cannot"),
        (words, "cannot be trained through"),
        (base[:9000], "damaged"),
    ):
        with pytest.raises(ModelError, match=says) as caught:
            unfreeze(data, 4)
        assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="has 0 convolutions"):
        unfreeze(circle, 1)


def inner_of(base: bytes, convolutions: int, window: np.ndarray) -> np.ndarray:
    """What a base computes at the output of the pooling after so many convolutions."""
    with opened(base, "base") as model:
        graph = model.subgraphs[0]
        pools = [one for one in graph.operators if one.builtinOptions.__class__.__name__ == "Pool2DOptionsT"]
        name = graph.tensors[pools[convolutions - 1].outputs[0]].name.decode()
    return np.asarray(Interpreter(truncate(base, name), 1).invoke(window)[0])


def test_gradients_below_the_dense_layer_are_tensorflows(converted: Path, data: Callable[[str], Path]) -> None:
    """On real words: by the convolution, its bias, the dense layer and the top, within 1e-4 of their largest."""
    tensorflow = pytest.importorskip("tensorflow", reason=lacking("TensorFlow"))
    deep = BrowserEmbedder.load(converted, threads=1, unfrozen=1)
    assert deep.lower is not None
    words = [
        (place, path)
        for place, word in enumerate(TEN)
        for path in sorted(data(f"speech/commands/{word}").glob("*.wav"))[:2]
    ]
    X = np.stack([deep.embed(read_sound(path).at(deep.rate_hz)) for _, path in words])
    X = X.reshape(-1, *deep.embedding_shape)
    Y = np.eye(len(TEN), dtype=np.float32)[[place for place, _ in words]]
    top = Dense.new(2000, len(TEN), np.random.default_rng(0))
    ours = Network([*deep.lower.copy().layers, Dense(deep.upper.dense, deep.upper.dense_bias), ReLU(), top])
    outputs, saved = ours.forward(X, np.random.default_rng(0))
    found = ours.backward(CrossEntropy()(outputs, Y)[1], saved)
    keras = to_keras(read_layers_model(str(data("speech_commands_18w"))))
    first = [number for number, layer in enumerate(keras.layers) if layer.__class__.__name__ == "Conv2D"][-1]
    theirs = tensorflow.keras.Sequential(
        [tensorflow.keras.Input(deep.embedding_shape), *keras.layers[first:-1], tensorflow.keras.layers.Dense(len(TEN))]
    )
    theirs.layers[-1].set_weights([top.W, top.b])
    with tensorflow.GradientTape() as tape:
        scores = theirs(X, training=False)
        loss = tensorflow.reduce_mean(tensorflow.nn.softmax_cross_entropy_with_logits(Y, scores))
    wanted = tape.gradient(loss, theirs.trainable_variables)
    assert len(found) == len(wanted) == 6
    for mine, their in zip(found, wanted, strict=True):
        scale = float(np.abs(their).max())
        np.testing.assert_allclose(mine, their, rtol=0, atol=1e-4 * scale)


def changed(model: LayersModel, number: int, **config: object) -> LayersModel:
    """The model with another configuration of one layer."""
    layers = list(model.layers)
    layers[number] = (layers[number][0], layers[number][1] | config)
    return replace(model, layers=layers)


def test_what_is_no_recognizer_is_one_line(
    data: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unknown layers, weights that do not fit and too few labels are refused, and nothing is written."""
    from host_tools.speech import convert_speech

    model = read_layers_model(str(data("speech_commands_18w")))
    wrong = [
        (replace(model, layers=[("Lambda", {"name": "evil"}), *model.layers]), "Lambda"),
        (replace(model, weights={**model.weights, "dense_2/kernel": np.zeros((3, 20), np.float32)}), "dense_2"),
        (replace(model, labels=("one",)), "names 1 word"),
        (replace(model, labels=("one",) * 20), "names a word twice"),
        (replace(model, labels=("a\nb", *model.labels[1:])), "unprintable"),
        (changed(model, 0, filters=10**9), "conv2d_1.*its weights"),
        (changed(model, 0, kernel_size=[10**6, 10**6], padding="same"), "conv2d_1.*the kernel"),
        (changed(model, 0, activation={"class_name": "function", "config": "system"}), "conv2d_1.*activation"),
        (changed(model, 0, data_format="channels_first"), "channels first"),
        (changed(model, -3, units=10**9), "dense_1.*its weights"),
        (replace(model, layers=[("La\nm", {}), *model.layers]), "is not known"),
        (replace(model, layers=[*model.layers[:-1], ("Activation", {"activation": "relu"}), model.layers[-1]]), "upon"),
        (replace(model, layers=model.layers[:-1]), "dense softmax layer"),
    ]
    for one, says in wrong:
        with pytest.raises(ModelError, match=says) as caught:
            convert_speech(one, tmp_path / "out", "x", "here", "none")
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    assert main(["convert", "speech", "--tfjs", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "model.json" in capsys.readouterr().err


def in_a_room(clip: Path, path: Path) -> Path:
    """A clip with a second of quiet before and after it."""
    sound = read_sound(clip)
    room = np.random.default_rng(0).normal(0, 1e-3, sound.rate_hz).astype(np.float32)
    path.write_bytes(encode_wav(np.concatenate((room, sound.samples, room)), sound.rate_hz))
    return path


def test_the_device_trains_the_base(
    converted: Path, data: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the command line: words imported with --base, and a tuned head trained with its curve."""
    clips = tmp_path / "clips"
    for word in ("up", "down"):
        (clips / word).mkdir(parents=True)
        for path in sorted(data(f"speech/commands/{word}").glob("*.wav"))[:6]:
            (clips / word / path.name).write_bytes(path.read_bytes())
    common = ["--profile", "w", "--data-dir", str(tmp_path / "data")]
    assert device(["model", "info", str(converted)]) == 0
    assert "a base of speech" in capsys.readouterr().out
    assert device(["examples", "import", str(clips), "--base", str(converted), *common]) == 0
    curve = tmp_path / "curve.svg"
    tuned = ["train", "--head", "tuned", "--epochs", "3,3", "--curve", str(curve), "--json", *common]
    assert device(tuned) == 0
    assert "the dense layer too" in curve.read_text()
    picture = tmp_path / "curve.png"
    assert device(["train", "--head", "tuned", "--epochs", "2,2", "--curve", str(picture), "--json", *common]) == 0
    pixels = decode(picture)
    assert {tuple(pixel) for pixel in pixels.reshape(-1, 3).tolist()} >= {(0x24, 0x71, 0xA3), (0xC0, 0x39, 0x2B)}
    assert device(["train", "--json", *common]) == 0  # goes on as it was trained, and is judged so
    with Profile(tmp_path / "data" / "profiles" / "w") as profile:
        saved = profile.load()
    assert saved is not None
    assert (saved.meta["head"]["epochs"], saved.meta["settings"]) == ([2, 2], {"epochs": [2, 2]})
    recognizer = Recognizer.restore(saved, BrowserEmbedder.load(converted, threads=1))
    assert recognizer.new_head().epochs == (2, 2)  # type: ignore[attr-defined]
    capsys.readouterr()
    assert device(["train", "--head", "ridge", "--curve", str(curve), *common]) == 1
    assert device(["train", "--head", "ridge", "--epochs", "3,3", *common]) == 1
    assert device(["evaluate", "--head", "ridge", "--json", *common]) == 0
    assert device(["train", "--head", "ridge", "--unfreeze", "2", *common]) == 1
    assert device(["train", "--head", "tuned", "--unfreeze", "5", *common]) == 1
    assert "cannot be trained" in capsys.readouterr().err
    for layers, values in (("2", 3200), ("1", 704)):
        assert device(["train", "--head", "tuned", "--unfreeze", layers, "--epochs", "2,1", "--json", *common]) == 0
        with Profile(tmp_path / "data" / "profiles" / "w") as profile:
            fingerprint = BrowserEmbedder.load(converted, threads=1, unfrozen=int(layers) - 1).fingerprint
            assert profile.store.matrix(fingerprint).X.shape == (12, 5 * values)
        clip = next((clips / "up").iterdir())
        for word in ("up", "down"):
            (tmp_path / f"more{layers}" / word).mkdir(parents=True)
            path = sorted(data(f"speech/commands/{word}").glob("*.wav"))[6 + int(layers)]
            (tmp_path / f"more{layers}" / word / path.name).write_bytes(path.read_bytes())
        again = ["examples", "import", str(tmp_path / f"more{layers}"), "--base", str(converted), *common]
        assert device(again) == 0
        assert device(["predict", "--json", str(clip), *common]) == 0
        assert device(["examples", "remove", "--session", str(2 if layers == "2" else 3), *common]) == 0
    capsys.readouterr()
    assert device(["train", "--head", "tuned", "--adapt", *common]) == 1
    clip = next((clips / "up").iterdir())
    capsys.readouterr()
    assert (
        device(["listen", "--json", "--base", str(converted), "--mic", str(in_a_room(clip, tmp_path / "up.wav"))]) == 0
    )
    assert [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()] == ["up"]
    half = ["--overlap", "0.5", "--threshold", "0.3", "--mic", str(tmp_path / "up.wav")]
    assert device(["listen", "--json", "--base", str(converted), *half]) == 0
    assert [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()] == ["up"]
    description = json.loads((converted / FILE_NAME).read_text())
    assert description["weights"]["licence"] == "Apache-2.0"
