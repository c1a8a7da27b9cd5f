"""TFJSSCDS files: to the byte, against the published package, and whatever damage they have."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lacking import lacking
from places import ROOT

from edge_tl.errors import ExampleError
from edge_tl.media.tfjsscds import HEADER, SpokenExample, read_tfjsscds, write_tfjsscds

PACKAGE = "@tensorflow-models/speech-commands/dist/dataset.js"


def example(label: str, frames: int = 3, size: int = 4, seed: int = 0, **more: object) -> SpokenExample:
    """An example of random decibels."""
    values = np.random.default_rng(seed).normal(-60, 10, (frames, size)).astype(np.float32)
    return SpokenExample(label, values, **more)  # type: ignore[arg-type]


def same(one: list[SpokenExample], other: list[SpokenExample]) -> bool:
    """Whether two lists hold the same examples, bit for bit."""
    return len(one) == len(other) and all(
        (a.label, a.key_frame, a.rate_hz, a.spectrogram.shape) == (b.label, b.key_frame, b.rate_hz, b.spectrogram.shape)
        and a.spectrogram.tobytes() == b.spectrogram.tobytes()
        and (None if a.samples is None else a.samples.tobytes()) == (None if b.samples is None else b.samples.tobytes())
        for a, b in zip(one, other, strict=True)
    )


def test_the_golden_file(data: Callable[[str], Path]) -> None:
    """The hand-checked file holds these four examples, and is written again to the byte."""
    raw = data("golden_tfjsscds.bin").read_bytes()
    noise, down, he, right = read_tfjsscds(raw)
    assert [one.label for one in (noise, down, he, right)] == ["_background_noise_", "down", "hé", "right"]
    np.testing.assert_array_equal(noise.spectrogram, [[-1, -2], [-3, -4], [-5, -6]])
    np.testing.assert_array_equal(down.spectrogram, [[10, 20], [30, 40]])
    assert (noise.key_frame, down.key_frame) == (None, 1)
    assert right.samples is not None
    np.testing.assert_array_equal(right.samples, np.array([0.5, -0.5, 0.25], np.float32))
    assert right.rate_hz == 44100
    assert write_tfjsscds([right, he, noise, down]) == raw


def test_a_file_recorded_in_a_browser(data: Callable[[str], Path]) -> None:
    """The real recording is read, and written again to the byte."""
    raw = data("tfjsscds_sample.bin").read_bytes()
    examples = read_tfjsscds(raw)
    assert len(examples) == 30
    assert {one.spectrogram.shape[1] for one in examples} == {232}
    assert write_tfjsscds(examples) == raw


def test_labels_are_sorted_as_javascript_does() -> None:
    """By UTF-16 code unit (an emoji before a private-use character), equals in the order in which they came."""
    labels = ["\ue000", "😀", "b", "a", "b"]
    written = read_tfjsscds(write_tfjsscds([example(label, seed=i) for i, label in enumerate(labels)]))
    assert [one.label for one in written] == ["a", "b", "b", "😀", "\ue000"]
    assert written[1].spectrogram.tobytes() == example("b", seed=2).spectrogram.tobytes()


TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(TEXT, st.integers(1, 4), st.integers(1, 3), st.booleans(), st.integers(0, 5), st.integers(1, 192000)),
        max_size=5,
    )
)
def test_what_is_written_is_read(entries: list[tuple[str, int, int, bool, int, int]]) -> None:
    """Any examples come back bit for bit, sorted by label, and are then written to the same bytes."""
    examples = []
    for number, (label, frames, size, keyed, samples, rate_hz) in enumerate(entries):
        sound = np.linspace(-1, 1, samples).astype(np.float32) if samples else None
        key = frames - 1 if keyed else None
        examples.append(
            example(label, frames, size, number, key_frame=key, samples=sound, rate_hz=rate_hz if samples else None)
        )
    written = write_tfjsscds(examples)
    read = read_tfjsscds(written)
    assert same(read, sorted(examples, key=lambda one: one.label.encode("utf-16-be")))
    assert write_tfjsscds(read) == written


GOOD = write_tfjsscds([example("yes", key_frame=1), example("no", samples=np.ones(5, np.float32), rate_hz=8000)])


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=4), st.integers(0, len(GOOD)))
def test_damage_is_one_clear_line(changes: list[tuple[int, int]], length: int) -> None:
    """Whatever bytes change and wherever it is cut, a file is read to finite values or refused in one line."""
    data = bytearray(GOOD)
    for at, value in changes:
        data[at] = value
    for candidate in (bytes(data), bytes(data[:length])):
        said = ""
        try:
            read = read_tfjsscds(candidate)
        except ExampleError as error:
            said = str(error)
        else:
            assert all(np.isfinite(one.spectrogram).all() for one in read)
        assert "\n" not in said
        assert len(said) < 300


def file_of(manifest: object, values: bytes = b"") -> bytes:
    """A file with this manifest and these values, whatever they are."""
    text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    return HEADER.pack(b"TFJSSCDS", 1, len(text)) + text + values


ENTRY = {"label": "yes", "spectrogramNumFrames": 2, "spectrogramFrameSize": 1}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no TFJSSCDS file"),
        (b"RIFF" + bytes(40), "no TFJSSCDS file"),
        (HEADER.pack(b"TFJSSCDS", 2, 0), "version 2 came"),
        (HEADER.pack(b"TFJSSCDS", 1, 2**32 - 1), "beyond its end"),
        (file_of(b"\xff"), "no JSON"),
        (file_of(b"[" * 100_000), "no JSON"),
        (file_of(b"9" * 10_000), "no JSON|no list"),
        (file_of({}), "no list"),
        (file_of([1]), "no object"),
        (file_of([{**ENTRY, "label": 3}]), "no label"),
        (file_of([ENTRY]), "beyond its end"),
        (file_of([ENTRY], bytes(9)), "1 byte follows"),
        (file_of([{**ENTRY, "spectrogramNumFrames": -2}], bytes(8)), "whole number from 1"),
        (file_of([{**ENTRY, "spectrogramNumFrames": 10**4000}], bytes(8)), "beyond its end"),
        (file_of([{**ENTRY, "spectrogramNumFrames": 2.0}], bytes(8)), "whole number from 1"),
        (file_of([{**ENTRY, "spectrogramNumFrames": True}], bytes(8)), "whole number from 1"),
        (file_of([{**ENTRY, "spectrogramNumFrames": None}], bytes(8)), "whole number from 1"),
        (file_of([{**ENTRY, "spectrogramKeyFrameIndex": 2}], bytes(8)), "key frame 2 of 2"),
        (file_of([{**ENTRY, "rawAudioNumSamples": 1}], bytes(12)), "without a rate"),
        (file_of([ENTRY], struct.pack("<2f", 1, float("nan"))), "not finite"),
        (file_of([ENTRY], struct.pack("<2f", 1, float("inf"))), "not finite"),
    ],
)
def test_hostile_files(data: bytes, said: str) -> None:
    """Lengths beyond the file, negative, huge and broken numbers, wrong types and NaN each get a line that says it."""
    with pytest.raises(ExampleError, match=said) as caught:
        read_tfjsscds(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [
        SpokenExample("yes", np.zeros((0, 3), np.float32)),
        SpokenExample("yes", np.zeros(3, np.float32)),
        SpokenExample("yes", np.full((1, 3), np.nan, np.float32)),
        SpokenExample("yes", np.zeros((1, 3), np.float32), samples=np.zeros(3, np.float32)),
        SpokenExample("yes", np.zeros((1, 3), np.float32), samples=np.full(3, np.inf, np.float32), rate_hz=8000),
    ],
)
def test_what_cannot_be_read_is_not_written(bad: SpokenExample) -> None:
    """Empty spectrograms, values that are not finite and samples without a rate are refused when writing."""
    with pytest.raises(ExampleError):
        write_tfjsscds([bad])


SCRIPT = """
const {Dataset} = require('@tensorflow-models/speech-commands/dist/dataset.js');
const fs = require('fs');
const bytes = fs.readFileSync(process.argv[2]);
const set = new Dataset(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
fs.writeFileSync(process.argv[3], Buffer.from(set.serialize()));
console.log(JSON.stringify(set.getExampleCounts()));
"""


def test_the_published_package_reads_ours_and_we_read_theirs(data: Callable[[str], Path], tmp_path: Path) -> None:
    """The npm package of speech commands reads what we write, and what it writes of that is the same bytes."""
    modules = Path(os.environ.get("EDGE_TL_NODE_MODULES") or ROOT / "node_modules")
    node = shutil.which("node")
    if node is None or not (modules / PACKAGE).exists():
        pytest.skip(lacking("Node with @tensorflow-models/speech-commands"))
    ours = tmp_path / "ours.bin"
    examples = read_tfjsscds(data("golden_tfjsscds.bin").read_bytes())
    examples += [example("zwölf", 43, 232, 1), example("down", 2, 2, 2, key_frame=0)]
    ours.write_bytes(write_tfjsscds(examples))
    script = tmp_path / "read.js"
    script.write_text(SCRIPT)
    run = subprocess.run(
        [node, script, ours, tmp_path / "theirs.bin"],
        env={**os.environ, "NODE_PATH": str(modules)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1]) == {
        "_background_noise_": 1,
        "down": 2,
        "hé": 1,
        "right": 1,
        "zwölf": 1,
    }
    assert (tmp_path / "theirs.bin").read_bytes() == ours.read_bytes()
