"""The digits network of the source text: trained on a host, adapted in NumPy in three modes and to one writer."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import proof_mnist
from device.commands.main import main
from edge_tl.errors import ConfigError, ExampleError, ModelError, ShapeError
from edge_tl.finetune.adaptation import MODES, AdaptationResult, accuracy, adapt
from edge_tl.finetune.handwriting import Writer, read_mnist
from edge_tl.finetune.picture_base import PictureBase, read_picture_base, write_picture_base
from edge_tl.media.image import save_png
from edge_tl.nn import Adam, Conv2D, CrossEntropy, Dense, Dropout, Flatten, MaxPool, Network, ReLU, fit

DIGITS = ("0", "1", "2", "3", "4")
OTHERS = ("5", "6", "7", "8", "9")
Labelled = tuple[np.ndarray, list[str]]


def network(filters: int = 32, units: int = 128, seed: int = 0) -> Network:
    """The network of spec S5; fewer filters and units make a quick one."""
    rng = np.random.default_rng(seed)
    return Network(
        [
            Conv2D.new((3, 3), 1, filters, rng),
            ReLU(),
            Conv2D.new((3, 3), filters, filters, rng),
            ReLU(),
            MaxPool(),
            Dropout(0.25),
            Flatten(),
            Dense.new(144 * filters, units, rng),
            ReLU(),
            Dropout(0.5),
            Dense.new(units, 5, rng),
        ]
    )


def described(**other: Any) -> dict[str, Any]:
    """What a folder says of itself."""
    about = {"name": "digits", "labels": DIGITS, "input_shape": (28, 28, 1), "scale": 1 / 255, "frozen": 7}
    return about | {"weights": {}, "tools": {}} | other


def some(of: Labelled, wanted: tuple[str, ...], count: int) -> Labelled:
    """Some pictures of these digits, always the same: the file may be sorted."""
    order = np.random.default_rng(7).permutation(len(of[1]))
    rows = [int(row) for row in order if of[1][row] in wanted][:count]
    return of[0][rows], [of[1][row] for row in rows]


@pytest.fixture(scope="session")
def train(data: Callable[[str], Path]) -> Labelled:
    """The training digits."""
    return read_mnist(data("mnist.npz"), "train")


@pytest.fixture(scope="session")
def test(data: Callable[[str], Path]) -> Labelled:
    """The test digits."""
    return read_mnist(data("mnist.npz"), "test")


@pytest.fixture(scope="session")
def folder(train: Labelled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of eight filters, taught 2 500 pictures of the digits 0 to 4 in NumPy."""
    small = network(8, 32)
    pictures, labels = some(train, DIGITS, 2500)
    Y = np.eye(5, dtype=np.float32)[[DIGITS.index(label) for label in labels]]
    X = pictures[..., np.newaxis] * np.float32(1 / 255)
    fit(small, X, Y, loss=CrossEntropy(), optimizer=Adam(2e-3), epochs=4, batch=64, rng=np.random.default_rng(0))
    made = tmp_path_factory.mktemp("base")
    write_picture_base(made, small, None, described())
    return made


@pytest.fixture(scope="session")
def base(folder: Path) -> PictureBase:
    """The same, read."""
    return read_picture_base(folder)


def adapted(base: PictureBase, examples: Labelled, mode: str, **settings: Any) -> AdaptationResult:
    """An adaptation with a clock that ticks a second each time it is asked."""
    ticks = itertools.count()
    return adapt(base, examples, mode, rng=np.random.default_rng(1), clock=lambda: float(next(ticks)), **settings)


def test_the_published_network_has_the_published_numbers() -> None:
    """The network of spec S5 has 600 165 parameters, 9 568 of them in the frozen part, which leaves 590 597."""
    whole = network()
    assert whole.parameters == whole.trainable_parameters == 600_165
    for layer in whole.layers[:7]:
        if layer.parameters:
            layer.trainable = False
    assert whole.trainable_parameters == 590_597
    assert whole.parameters - whole.trainable_parameters == 9_568
    assert whole.front == 5  # dropout is drawn anew each time


def test_the_three_modes_learn_other_digits(base: PictureBase, train: Labelled, test: Labelled) -> None:
    """Each mode reads most of five other digits; frozen layers are the same bits, all others are not."""
    examples, asked = some(train, OTHERS, 512), some(test, OTHERS, 500)
    before = {name: array.tobytes() for name, array in base.network.state()[1].items()}
    for mode in MODES:
        one = adapted(base, examples, mode, epochs=4, validation=asked)
        assert one.labels == OTHERS
        after = {name: array.tobytes() for name, array in one.network.state()[1].items()}
        same = {name for name in before if after[name] == before[name]}
        assert same == ({"0.W", "0.b", "2.W", "2.b"} if mode == "freeze" else set())
        assert one.parameters - one.trainable == (664 if mode == "freeze" else 0)
        right = accuracy(base, one.network, one.labels, asked)
        assert right > 0.6
        assert one.curve[-1].validation_score == pytest.approx(right)
        assert len(one.epoch_s) == len(one.curve) == 4
        assert (one.front_s > 0) == (mode == "freeze")
    assert {name: array.tobytes() for name, array in base.network.state()[1].items()} == before


@pytest.mark.exact
def test_labels_find_their_outputs(base: PictureBase, train: Labelled) -> None:
    """Known labels keep their places; another number of classes gets a fresh last layer; strangers are one line."""
    few = some(train, ("1", "3"), 16)
    kept = adapted(base, few, "freeze", epochs=1, rate=1e-9)
    assert kept.labels == DIGITS
    np.testing.assert_allclose(
        kept.network.layers[-1].parameters["W"], base.network.layers[-1].parameters["W"], atol=1e-6
    )
    three = adapted(base, some(train, ("1", "8", "9"), 30), "freeze", epochs=1)
    assert three.labels == ("1", "8", "9")
    assert three.network.layers[-1].parameters["W"].shape == (32, 3)
    with pytest.raises(ShapeError, match="none of the labels"):
        adapted(base, few, "freeze", validation=some(train, ("7",), 3))
    with pytest.raises(ShapeError, match="are wanted"):
        adapted(base, (few[0][:, 1:], few[1]), "freeze")
    for mode, epochs in (("half", 1), ("all", 0)):
        with pytest.raises(ConfigError, match="epoch"):
            adapted(base, few, mode, epochs=epochs)


def test_a_folder_comes_back_as_it_was_written(base: PictureBase, folder: Path, train: Labelled) -> None:
    """The network that is read gives the outputs of the one that was written, and its files are named by part."""
    with np.load(folder / "front.npz") as front, np.load(folder / "top.npz") as top:
        assert sorted(front.files) == ["0.W", "0.b", "2.W", "2.b"]
        assert sorted(top.files) == ["10.W", "10.b", "7.W", "7.b"]
    pictures, labels = some(train, DIGITS, 200)
    assert accuracy(base, base.network, base.about.labels, (pictures, labels)) > 0.9


def test_a_damaged_folder_is_one_line(folder: Path, tmp_path: Path) -> None:
    """Missing, truncated, exchanged files and nonsense in the description are a ModelError of one line."""
    content = json.loads((folder / "network.json").read_text())

    def copy(name: str, **other: Any) -> Path:
        to = tmp_path / name
        to.mkdir()
        for path in folder.iterdir():
            (to / path.name).write_bytes(path.read_bytes())
        (to / "network.json").write_text(json.dumps(content | other))
        return to

    (copy("truncated") / "top.npz").write_bytes((folder / "top.npz").read_bytes()[:999])
    (copy("missing") / "front.npz").unlink()
    wrong = {
        "format": {"format": 7},
        "labels": {"labels": ["0", "1"]},
        "shape": {"input_shape": [28, 28, 10**9]},
        "small": {"input_shape": [3, 3, 1]},
        "layers": {"layers": content["layers"][:-1]},
        "kind": {"layers": [{"kind": "lstm"}]},
        "frozen": {"frozen": 99},
        "unknown": {"more": 1},
    }
    for name, other in wrong.items():
        copy(name, **other)
    for name in ("truncated", "missing", *wrong, "gone"):
        with pytest.raises(ModelError) as caught:
            read_picture_base(tmp_path / name)
        assert "\n" not in str(caught.value)


@given(st.binary(max_size=200), st.sampled_from(["network.json", "mnist.npz"]))
@settings(max_examples=40)
def test_any_bytes_are_a_network_or_one_line(tmp_path_factory: pytest.TempPathFactory, junk: bytes, name: str) -> None:
    """Whatever lies in the files is read or refused in one line."""
    place = tmp_path_factory.mktemp("junk")
    (place / name).write_bytes(junk)
    with pytest.raises((ModelError, ExampleError)) as caught:
        read_picture_base(place) if name == "network.json" else read_mnist(place / name, "train")
    assert "\n" not in str(caught.value)


def test_a_writer_turns_slants_and_thickens() -> None:
    """A mean hand changes nothing; a turn by 90° is NumPy's; slant moves the top aside; a thick stroke has more ink."""
    rng = np.random.default_rng(0)
    pictures = np.zeros((3, 28, 28), np.uint8)
    pictures[:, 8:20, 12:15] = rng.integers(100, 256, (3, 12, 3))
    np.testing.assert_array_equal(Writer(0, 0, 0).write(pictures), pictures)
    np.testing.assert_array_equal(Writer(0, 90, 0).write(pictures), np.rot90(pictures, -1, (1, 2)))
    slanted = Writer(0.5, 0, 0).write(pictures).astype(float)
    columns = [np.average(np.arange(28), weights=slanted[0, row]) for row in (8, 19)]
    assert columns[0] - columns[1] == pytest.approx(0.5 * 11, abs=0.7)
    ink = [int(Writer(0, 0, stroke).write(pictures).sum()) for stroke in (-1, 0, 1)]
    assert ink[0] < ink[1] < ink[2]
    assert Writer.draw(np.random.default_rng(3)) == Writer.draw(np.random.default_rng(3))
    assert len({Writer.draw(np.random.default_rng(seed)) for seed in range(8)}) == 8


def test_a_base_adapts_to_one_writer(base: PictureBase, test: Labelled) -> None:
    """Fifty digits of one writer bring back what the base lost on that hand; it still reads everybody else mostly."""
    writer = Writer(slant=0.6, turn_degrees=30, stroke=0.6)
    pictures, labels = some(test, DIGITS, 1050)
    hand = writer.write(pictures)
    own, asked, everyone = (hand[:50], labels[:50]), (hand[50:], labels[50:]), (pictures[50:], labels[50:])
    one = adapted(base, own, "freeze", rate=1e-3, epochs=20)
    before, after = (accuracy(base, net, DIGITS, asked) for net in (base.network, one.network))
    assert after > before + 0.05
    assert accuracy(base, one.network, DIGITS, everyone) > 0.7


def test_the_proof_measures_all_it_reports(
    base: PictureBase, data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short run of the proof says every mode's accuracy, times, the ordering as it came out, writers and goals."""
    monkeypatch.setattr(proof_mnist, "WRITERS", 2)
    monkeypatch.setattr(proof_mnist, "OTHERS", 200)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # without Keras, which takes its time
    result = proof_mnist.measure(base, base, data("mnist.npz"), sizes=(64,), seeds=2)
    said = proof_mnist.report(result)
    for wanted in (*(f"| 64       | {mode}" for mode in MODES), "ordering freeze > reset > all", "that writer", "goal"):
        assert wanted in said
    assert [len(result["curves"][mode]) for mode in MODES] == [10, 10, 10]
    lines = re.findall(r'<polyline points="([^"]*)"', proof_mnist.drawing(result))
    assert sum(len(line.split()) == 10 for line in lines) == 12  # of ten epochs; the others are axes and the legend


@pytest.mark.parametrize("mode", ["freeze", "compare"])
def test_adapt_on_the_command_line(
    mode: str, folder: Path, data: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`edge-tl model adapt` says parameters, times and accuracies, draws the curves, and writes a folder like BASE."""
    mnist, curve = str(data("mnist.npz")), tmp_path / "modes.svg"
    argv = ["model", "adapt", str(folder), mnist, "--classes", *OTHERS, "--mode", mode, "--count", "64"]
    argv += ["--epochs", "2", "--curve", str(curve)]
    if mode == "freeze":
        argv += ["--out", str(tmp_path / "mine")]
    assert main(argv) == 0
    said = capsys.readouterr().out
    assert "64 examples of 5, 6, 7, 8, 9; tested: 4861 test digits" in said
    for one in MODES if mode == "compare" else (mode,):
        assert f"\n{one}: " in said
        assert f">{one}</text>" in curve.read_text()
    if mode == "freeze":
        assert read_picture_base(tmp_path / "mine").about.labels == OTHERS
    assert main([*argv[: argv.index("--curve")], "--mode", "freeze", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["modes"]["freeze"]
    assert figures["frozen"] == 664
    assert figures["parameters"] == figures["trainable"] + 664


def test_adapt_to_a_writer_and_from_a_folder(
    folder: Path, data: Callable[[str], Path], test: Labelled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A writer is told before and after; a folder of pictures on paper is turned light on dark and held out in part."""
    mnist = str(data("mnist.npz"))
    argv = ["model", "adapt", str(folder), mnist, "--classes", *DIGITS, "--writer", "2", "--epochs", "2", "--json"]
    assert main(argv) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures["before"]) == set(figures["modes"]["freeze"]["accuracy"]) == {"writer", "everyone"}
    pictures, labels = some(test, OTHERS, 60)
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        place = tmp_path / "paper" / label / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        save_png(place, np.repeat(255 - picture[..., np.newaxis], 3, axis=2))
    assert main(["model", "adapt", str(folder), str(tmp_path / "paper"), "--epochs", "8"]) == 0
    said = capsys.readouterr().out
    assert "held out" in said
    right = float(said.rpartition("accuracy, asked: ")[2].partition("%")[0])
    assert right > 40  # of fifteen or so; chance is 20


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--mode", "compare", "--out", "x"), "choose --mode freeze, all or reset"),
        (("--classes", "7", "eight"), "has no 'eight'"),
        (("--writer", "1", "--count", "10000"), "leave some to ask"),
    ],
)
def test_what_cannot_be_adapted_is_one_line(
    more: tuple[str, ...], message: str, folder: Path, data: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Contradicting options and missing classes are one line on stderr and exit code 1."""
    assert main(["model", "adapt", str(folder), str(data("mnist.npz")), *more]) == 1
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1


@pytest.mark.exact
@pytest.mark.host
def test_numpy_adapts_as_keras_does(base: PictureBase, train: Labelled) -> None:
    """From the same weights and batches, without dropout, ten steps of each mode change them as Keras' do."""
    from host_tools.mnist_transfer import FROZEN, arrays
    from host_tools.tf import keras

    layers = keras().layers
    X, Y = arrays(some(train, OTHERS, 80), OTHERS)
    for frozen in (FROZEN, 0):
        mine = base.copy()
        mine.layers[5], mine.layers[9] = Dropout(0.0), Dropout(0.0)
        for position, layer in enumerate(mine.layers):
            if layer.parameters:
                layer.trainable = position >= frozen
        theirs = keras().Sequential(
            [
                keras().Input((28, 28, 1)),
                layers.Conv2D(8, 3, activation="relu"),
                layers.Conv2D(8, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(32, activation="relu"),
                layers.Dense(5, activation="softmax"),
            ]
        )
        with_weights = [layer for layer in theirs.layers if layer.get_weights()]
        for layer, own in zip(with_weights, [one for one in mine.layers if one.parameters], strict=True):
            layer.set_weights([array.copy() for array in own.parameters.values()])
            layer.trainable = own.trainable
        theirs.compile(keras().optimizers.Adam(1e-3), "categorical_crossentropy")
        theirs.fit(X, Y, 8, 1, shuffle=False, verbose=0)
        rng = np.random.default_rng(0)
        fit(mine, X, Y, loss=CrossEntropy(), optimizer=Adam(1e-3), epochs=1, batch=8, rng=rng, shuffle=False)
        for layer, own in zip(with_weights, [one for one in mine.layers if one.parameters], strict=True):
            for wanted, array in zip(layer.get_weights(), own.parameters.values(), strict=True):
                np.testing.assert_allclose(array, wanted, atol=2e-4)


@pytest.mark.host
def test_the_host_trains_exports_and_compares(
    data: Callable[[str], Path], test: Labelled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A base trained by Keras on fewer pictures has the published counts, reads its digits, adapts by its TFLite."""
    from host_tools.mnist_transfer import adapt_in_keras, digits_of, export, to_network, train_base

    mnist = data("mnist.npz")
    few = some(digits_of(mnist, "train", DIGITS), DIGITS, 1500)
    model = train_base(few, DIGITS, 1, seed=0)
    asked = some(test, DIGITS, 500)
    made = export(model, tmp_path / "made", "digits", DIGITS, asked, "a test")
    assert (made.parameters, made.about.frozen) == (600_165, 7)
    assert made.error <= 1e-5
    again = read_picture_base(tmp_path / "made")
    assert again.front_model is not None
    assert accuracy(again, again.network, again.about.labels, asked) == made.accuracy > 0.9
    examples = some(test, OTHERS, 256)
    one = adapted(again, examples, "freeze", epochs=2)
    assert (one.trainable, one.parameters) == (590_597, 600_165)
    theirs = adapt_in_keras(to_network(model), examples, OTHERS, "freeze", 0, epochs=2)
    assert (theirs.trainable, theirs.parameters) == (590_597, 600_165)
    assert one.curve[-1].loss == pytest.approx(theirs.curve[-1]["loss"], rel=0.35)
    np.testing.assert_array_equal(theirs.model.layers[0].get_weights()[0], model.layers[0].get_weights()[0])


def test_what_the_host_cannot_train_is_said_first(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Contradicting options of mnist-transfer are one line at once; wrong digits are wrong usage."""
    from host_tools.cli import main as host

    out = str(tmp_path / "out")
    for more, message in (
        (("--digits", "0-9", "--compare"), "as many as learned"),
        (("--epochs", "0"), "1 or more"),
        (("--out", __file__), "is a file"),
    ):
        assert host(["mnist-transfer", "--mnist", "gone.npz", "--out", out, *more]) == 1
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit):
        host(["mnist-transfer", "--out", out, "--digits", "4-0"])
