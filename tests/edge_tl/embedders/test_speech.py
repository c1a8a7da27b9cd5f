"""The embedded speech base: the package's own numbers, streaming equals windows, and real words told apart."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_tl.embedders import speech as speech_embedding
from edge_tl.embedders.mel import mel_spectrogram
from edge_tl.embedders.speech import SHIFTS, STEP_SAMPLES, WINDOW_SAMPLES, WORD_AT, SpeechEmbedder, speech_files
from edge_tl.errors import ExampleError, MissingDependency, ModelError, to_install
from edge_tl.media.sound import Sound
from edge_tl.media.wav import read_wav
from edge_tl.recognizer import Recognizer
from edge_tl.store.examples import ExampleStore
from edge_tl.testing import check_embedder
from edge_tl.tflite.interpreter import BACKENDS, Interpreter

pytestmark = pytest.mark.exact

HERE = importlib.util.find_spec("pyopen_wakeword") is not None
needs_package = pytest.mark.skipif(not HERE, reason="pyopen-wakeword is not installed: pip install -e .[speech]")
NOISE = np.random.default_rng(0).normal(scale=0.05, size=40_000).astype(np.float32)


@pytest.fixture(scope="module")
def embedder() -> SpeechEmbedder:
    """The embedder of the installed package."""
    if not HERE:
        pytest.skip("pyopen-wakeword is not installed: pip install -e .[speech]")
    return SpeechEmbedder.load(threads=1)


def test_it_keeps_the_contract_of_an_embedder(embedder: SpeechEmbedder) -> None:
    """Sounds of any length give 768 finite values, the same every time; arrays that are none are refused."""
    check_embedder(embedder)
    assert (embedder.kind, embedder.rate_hz, embedder.window_samples) == ("sound", 16_000, 21_472)
    assert embedder.embedding_shape == (8, 1, 96)


def test_the_fingerprint_is_the_models(embedder: SpeechEmbedder) -> None:
    """Loading again gives the same fingerprint, and so does another number of threads."""
    assert SpeechEmbedder.load(threads=2).fingerprint == embedder.fingerprint
    assert len(embedder.fingerprint) == 64


@needs_package
@pytest.mark.parametrize(
    "backend", [name for name, (package, _) in BACKENDS.items() if importlib.util.find_spec(package)]
)
def test_each_runtime_gives_the_same(backend: str, embedder: SpeechEmbedder) -> None:
    """Every installed runtime loads both models and gives the same values to float32's digits."""
    made = SpeechEmbedder.load(threads=1, backend=backend).embed(NOISE)
    np.testing.assert_allclose(made, embedder.embed(NOISE), atol=1e-2)


@needs_package
def test_the_packages_own_code_is_not_imported() -> None:
    """Loading and embedding run nothing of the package: it stays a holder of two files."""
    code = (
        "import sys, numpy; from edge_tl.embedders.speech import SpeechEmbedder;"
        "SpeechEmbedder.load(threads=1).embed(numpy.zeros(16000, 'float32'));"
        "assert not [name for name in sys.modules if 'wakeword' in name]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


THEIRS = """
import sys
import numpy as np
from pyopen_wakeword import OpenWakeWordFeatures
sound, features, rows = np.load(sys.argv[1]), OpenWakeWordFeatures.from_builtin(), []
for at in range(0, len(sound), 1280):
    rows += [row.reshape(-1, 96) for row in features.process_streaming(sound[at:at + 1280].tobytes())]
np.save(sys.argv[2], np.concatenate(rows))
"""


@needs_package
def test_the_values_are_the_packages(embedder: SpeechEmbedder, data: Callable[[str], Path], tmp_path: Path) -> None:
    """Real words give the values that the package's own native code gives for them, 80 ms by 80 ms."""
    sound = np.concatenate([read_wav(path)[0] for path in sorted(data("speech/arabic/up").glob("*_01.wav"))[:4]])
    np.save(tmp_path / "sound.npy", np.rint(sound * 32768).astype(np.int16))
    command = [sys.executable, "-c", THEIRS, str(tmp_path / "sound.npy"), str(tmp_path / "theirs.npy")]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        pytest.skip(f"the package's native library does not run here: {ran.stderr.splitlines()[-1]}")
    # The package puts 8 s of digital silence before what it hears. Where that meets the sound it keeps the range of
    # 80 dB over 8 frames, we over 4, so what is compared begins behind it.
    theirs = np.load(tmp_path / "theirs.npy")[100:]
    ours = np.stack([window.reshape(8, 96)[0] for window in embedder.stream().push(sound)])
    assert len(theirs) >= len(ours) >= 30
    np.testing.assert_allclose(ours, theirs[: len(ours)], atol=0.1)  # of values around 20


@given(st.lists(st.integers(0, 30_000), max_size=6), st.integers(0, 40_000))
@settings(max_examples=12)
def test_streaming_equals_windows_bit_for_bit(sizes: list[int], length: int) -> None:
    """However a sound is cut into blocks, each window of the stream has the bits of that window embedded alone."""
    if not HERE:
        pytest.skip("pyopen-wakeword is not installed: pip install -e .[speech]")
    embedder = _loaded()
    stream = embedder.stream()
    at, made = 0, []
    for size in [*sizes, length]:
        made += stream.push(NOISE[:length][at : at + size])
        at += size
    starts = range(0, length - WINDOW_SAMPLES + 1, STEP_SAMPLES)
    assert len(made) == len(starts)
    for embedding, start in list(zip(made, starts, strict=True))[::5]:
        np.testing.assert_array_equal(embedding, embedder.embed(NOISE[start : start + WINDOW_SAMPLES]))


_KEPT: list[SpeechEmbedder] = []


def _loaded() -> SpeechEmbedder:
    """One embedder for all examples of a property."""
    if not _KEPT:
        _KEPT.append(SpeechEmbedder.load(threads=1))
    return _KEPT[0]


def test_a_window_is_the_network_on_its_mel_frames(embedder: SpeechEmbedder) -> None:
    """The 8 rows of an embedding are the model run on 76 frames of (dB/10 + 2), each 8 frames after the last."""
    window = NOISE[:WINDOW_SAMPLES]
    frames = mel_spectrogram(window)
    assert len(frames) == 76 + 7 * 8
    network = Interpreter(speech_files()[0], 1)
    rows = [
        network.invoke((frames[at : at + 76] / 10 + 2).astype(np.float32)[None, :, :, None])[0]
        for at in range(0, 57, 8)
    ]
    np.testing.assert_allclose(embedder.embed(window), np.concatenate(rows, axis=None), atol=1e-3)


def test_a_clip_becomes_a_window_with_its_word_in_place(embedder: SpeechEmbedder) -> None:
    """A tone in a hiss, wherever it is in a clip of whatever length, lies past the middle of the window."""
    for at, length in ((4000, 16_000), (30_000, 40_000), (2000, 6000)):
        clip = np.random.default_rng(1).normal(scale=0.001, size=length).astype(np.float32)
        clip[at - 1500 : at + 1500] += np.sin(np.arange(3000) / 5).astype(np.float32) / 2
        window = embedder.fit(clip)
        assert window.shape == (WINDOW_SAMPLES,)
        loud = np.flatnonzero(np.abs(window) > 0.3)
        assert (loud[0] + loud[-1]) / 2 == pytest.approx(WORD_AT * WINDOW_SAMPLES, abs=800)
        assert embedder.fit(window) is window


def test_training_windows_are_shifted(embedder: SpeechEmbedder) -> None:
    """One recording gives five windows 80 ms apart; one without a word is refused in one line."""
    clip = np.random.default_rng(1).normal(scale=0.001, size=60_000).astype(np.float32)
    clip[28_000:31_000] += np.sin(np.arange(3000) / 5).astype(np.float32) / 2
    windows = embedder.taught(clip)
    assert windows.shape == (len(SHIFTS), WINDOW_SAMPLES)
    for earlier, later in pairwise(windows):
        np.testing.assert_array_equal(earlier[STEP_SAMPLES:], later[:-STEP_SAMPLES])
    for silent in (np.zeros(16_000, np.float32), np.zeros(3, np.float32)):
        with pytest.raises(ExampleError, match=r"no word|a word of"):
            embedder.taught(silent)


def test_a_speakers_words_are_learned_from_few_takes(
    embedder: SpeechEmbedder, data: Callable[[str], Path], tmp_path: Path
) -> None:
    """Four takes of six words that the model never heard name at least 34 of 36 others, also out of a store."""
    words = sorted(path.name for path in data("speech/arabic").iterdir() if path.is_dir())
    recognizer = Recognizer(embedder, features=embedder.features)
    with ExampleStore(tmp_path / "examples.sqlite", writable=True) as store:
        for word in words:
            for path in sorted(data(f"speech/arabic/{word}").glob("00000001_*.wav"))[:4]:
                take = store.new_take(word, path.name)
                embedding = recognizer.embed_taught(Sound(*read_wav(path)))
                recognizer.add(embedding, word, take)
                store.add(take, None, embedding, embedder.fingerprint)
        store.flush()
        again = Recognizer(embedder, features=embedder.features)
        again.replace(store.matrix(embedder.fingerprint))
    recognizer.learn()
    again.learn()
    right = 0
    for word in words:
        for path in sorted(data(f"speech/arabic/{word}").glob("00000001_*.wav"))[4:]:
            seen = recognizer.observe(read_wav(path)[0])
            right += seen.best == word
            np.testing.assert_array_equal(again.observe(read_wav(path)[0]).probabilities, seen.probabilities)
    assert right >= 34


def test_without_the_package_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyopen-wakeword is missing, one line names the install command."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=re.escape(to_install("[speech]"))) as caught:
        SpeechEmbedder.load()
    assert "\n" not in str(caught.value)


@needs_package
def test_another_packages_files_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files that are missing, or are other models, are one line that says to install the package again."""
    embedding, mel = speech_files()
    for files in ((mel, mel), (embedding, embedding), (b"", mel), (embedding, b"TFL3")):
        monkeypatch.setattr(speech_embedding, "speech_files", lambda files=files: files)
        with pytest.raises(ModelError) as caught:
            SpeechEmbedder.load(threads=1)
        assert "\n" not in str(caught.value)
    monkeypatch.undo()
    empty = tmp_path / "pyopen_wakeword"
    empty.mkdir()
    (empty / "__init__.py").touch()
    spec = importlib.util.spec_from_file_location(
        "pyopen_wakeword", empty / "__init__.py", submodule_search_locations=[str(empty)]
    )
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(ModelError, match="cannot be read"):
        speech_files()
