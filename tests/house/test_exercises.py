"""The six exercises run, quickly, and say what they are there to show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache

import pytest
from places import ROOT

from benchmarks.proof_exercises import line_of, quoted

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
EXERCISES = sorted((ROOT / "exercises").glob("0*.py"))


@cache
def run(number: int, *, real: bool = False) -> str:
    """What an exercise prints, called once; real: with the shared data, where it is, else with what it generates."""
    (path,) = [one for one in EXERCISES if one.name.startswith(f"0{number}_")]
    surroundings = os.environ | ({} if real else {"EDGE_TL_DATA": str(ROOT / "no such folder")}) | ONE_THREAD
    command = [sys.executable, str(path), "--quick"]
    ended = subprocess.run(command, capture_output=True, text=True, env=surroundings, cwd=ROOT, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout


def needs_the_layout_of_tflite() -> None:
    """Skip where the networks of exercises 3, 5 and 6 cannot be written."""
    pytest.importorskip("ai_edge_litert", reason="writing a .tflite needs ai-edge-litert")


def test_there_are_six_and_the_page_names_them() -> None:
    """Exercises 1 to 6 are there once each, and their page names every file."""
    assert [path.name[:2] for path in EXERCISES] == ["01", "02", "03", "04", "05", "06"]
    page = (ROOT / "exercises" / "README.md").read_text()
    assert all(path.name in page for path in EXERCISES)


def holds(text: str, sentences: list[str]) -> None:
    """What is quoted stands in what was printed."""
    assert sentences
    assert [one for one in sentences if not line_of(text, one)] == []


@pytest.mark.parametrize("number", [1, 3, 4, 5, 6])
def test_the_page_quotes_what_is_said(number: int) -> None:
    """The sentences in the table of the page are those that the exercise prints."""
    if number in (3, 5, 6):
        needs_the_layout_of_tflite()
    holds(run(number), quoted(number))


@pytest.mark.host
@pytest.mark.parametrize("number", [1, 4])
def test_the_page_quotes_keras(number: int) -> None:
    """The same of the rows of Keras, which trains what it was compiled for."""
    holds(run(number), quoted(number, keras=True))


def test_trainable_is_obeyed_at_the_next_fit() -> None:
    """Ours trains what is trainable when `fit` is called, on generated pictures too."""
    said = run(1)
    assert "600165 parameters, 600165 trainable" in said
    assert re.search(r"edge_tl: with 0 layers frozen .* was trained\.", said)
    assert re.search(r"edge_tl: with 7 layers frozen 590597 .* is the same, bit for bit\.", said)
    assert "generated patterns" in said


@pytest.mark.host
def test_frozen_weights_are_the_same_in_both() -> None:
    """Layers 0 and 2 are the same bits in edge_tl and in Keras, layers 7 and 10 are not."""
    said = run(2).splitlines()
    for who in ("edge_tl", "Keras"):
        lines = [line for line in said if line.startswith(f"{who}, layer")]
        assert ["the same, bit for bit" in line for line in lines] == [True, True, False, False]


def test_v2_is_inspected_against_v1() -> None:
    """V1 has no skip connection, V2 has ten; what is cut has the published size, also with random weights."""
    needs_the_layout_of_tflite()
    said = run(3)
    assert "27 batch norms, no skip connection" in said
    assert "52 batch norms, 10 skip connections" in said
    assert "cut at conv_pw_13_relu: 218544 parameters" in said


@pytest.mark.parametrize("real", [False, True])
def test_each_phase_trains_what_it_says(real: bool) -> None:
    """Phase 1 leaves both layers below alone, phase 2 the convolution, phase 3 nothing, with no second compile."""
    said = run(4, real=real)
    frozen = re.findall(r"^  the (?:convolution|layer of 2000 units|top): (the same|changed)", said, re.MULTILINE)
    same, moved = "the same", "changed"
    assert frozen == [same, same, moved, same, moved, moved, moved, moved, moved]


def test_detection_with_and_without_scaling() -> None:
    """Both ways are trained on the same scenes, told at 112 and at 0.5, and compared."""
    needs_the_layout_of_tflite()
    said = run(5)
    assert re.search(r"threshold 112, is right in \d", said)
    assert re.search(r"threshold 0.5, is right in \d", said)
    assert "Leaving the scaling out" in said


def test_every_number_of_unfrozen_layers_is_predicted_and_measured() -> None:
    """Four lines, from none to three unfrozen, each with more trained parameters than the one before."""
    needs_the_layout_of_tflite()
    said = re.findall(r"^(\d) unfrozen: (\d+) parameters trained; an epoch predicted [\d.]+ s, measured", run(6), re.M)
    assert [number for number, _ in said] == ["0", "1", "2", "3"]
    counts = [int(count) for _, count in said]
    assert counts == sorted(set(counts))
