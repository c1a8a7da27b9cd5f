"""The Flower app of `edge-tl-host fleet`: its folder, and a round over real nodes where Flower is there."""

from __future__ import annotations

import ast
import tomllib
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from benchmarks.flower_run import Flower, ends, flower_folder
from benchmarks.sums_standin import ProfileSums, RowEmbedder, write_profile
from device.serve.sums_requests import SumsRequests
from device.serve.sums_socket import SumsSocket
from edge_tl.core.features import PLAIN, unit_rows
from edge_tl.heads.ridge import RidgeHead
from edge_tl.heads.ridge_sums import LAMBDAS
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile
from host_tools.cli import main
from host_tools.flower import make_fleet_app

COLUMNS = 8
CLASSES = (("down", "up"), ("left", "up"), ("down", "leftmost"), ("left", "up"))
needs_flower = pytest.mark.skipif(flower_folder() is None, reason="Flower is not installed (make check-flower)")


def test_the_command_writes_an_app_that_python_and_flower_can_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pyproject.toml with Flower's tables, small files that compile, and the arithmetic as edge-tl has it."""
    folder = tmp_path / "sums"
    assert main(["fleet", str(folder)]) == 0
    assert "README.md" in capsys.readouterr().out
    about = tomllib.loads((folder / "pyproject.toml").read_text())
    assert about["tool"]["flwr"]["app"]["config"]["min-nodes"] == 3
    for name, target in about["tool"]["flwr"]["app"]["components"].items():
        place, _, variable = target.partition(":")
        tree = ast.parse((folder / f"{place.replace('.', '/')}.py").read_text())
        assert any(isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == variable for one in tree.body), name
    files = sorted(folder.rglob("*.py"))
    assert len(files) == 5
    for file in files:
        assert len(file.read_text().splitlines()) < 300
        names = {one.module for one in ast.walk(ast.parse(file.read_text())) if isinstance(one, ast.ImportFrom)}
        assert not any(str(name).startswith(("edge_tl.", "device.", "host_tools.")) for name in names)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says so, and nothing is written; an empty folder is fine."""
    (tmp_path / "mine").write_text("precious")
    assert main(["fleet", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert [one.name for one in tmp_path.iterdir()] == ["mine"]
    (tmp_path / "empty").mkdir()
    assert len(make_fleet_app(tmp_path / "empty")) == 7


def device(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two takes of each class, six rows each, as float16 keeps them."""
    random, X = np.random.default_rng(number), []
    for label in CLASSES[number]:
        centre = np.random.default_rng(len(label)).normal(size=COLUMNS)
        for _ in range(2):
            X.append(centre + 0.4 * random.normal(size=COLUMNS) + 0.3 * random.normal(size=(6, COLUMNS)))
    rows = unit_rows(np.concatenate(X)).astype(np.float16).astype(np.float32)
    return rows, np.repeat(CLASSES[number], 12), np.repeat(np.arange(4) + 1, 6)


@needs_flower
@pytest.mark.parametrize("secure", [False, True])
def test_a_round_over_real_nodes_is_the_pooled_head(tmp_path: Path, secure: bool) -> None:
    """Four nodes, one of which dies after it described itself: the head is that of the rows of the other three."""
    programs = flower_folder()
    assert programs is not None
    embedder = RowEmbedder(COLUMNS)
    with ExitStack() as stack:
        flower = stack.enter_context(Flower(tmp_path / "flower", programs))

        class Dying(SumsRequests):
            """Its node is ended as soon as it is asked for sums."""

            def _sums(self, asked, body):  # type: ignore[no-untyped-def]
                ends(flower.nodes[3])
                return super()._sums(asked, body)

        for number in range(4):
            write_profile(tmp_path / str(number), *device(number), embedder.fingerprint)
            home = ProfileSums(tmp_path / str(number), Recognizer(embedder, features=PLAIN, reject=False))
            requests = (Dying if number == 3 else SumsRequests)(home, 5)
            one = SumsSocket(tmp_path / f"{number}.sock", requests, lambda line: None)
            one.start()
            stack.callback(one.stop)
            flower.node(one.path, f"secure-only={str(secure).lower()}")
        config = f"nodes=4 secure={str(secure).lower()} timeout=60"
        report = flower.report("round", flower.begin("round", config))
    assert report["gave"] == 3
    assert report["labels"] == ["down", "left", "leftmost", "up"]
    assert len(report["scores"]) == 3
    rows = [device(number) for number in range(3)]
    X, y = (np.concatenate([one[at] for one in rows]) for at in range(2))
    takes = np.concatenate([one[2] + 10 * number for number, one in enumerate(rows)])
    near = LAMBDAS[np.abs(np.log(LAMBDAS) - np.log(report["lambda"] / scale(X, y))).argmin()]
    pooled = RidgeHead([float(near)]).fit(X, y, takes)
    assert pooled.lambda_ == pytest.approx(report["lambda"], rel=1e-4)
    assert np.abs(pooled.coef_ - report["coef"]).max() <= (1e-4 if secure else 1e-5)
    for number in range(4):
        with Profile(tmp_path / str(number)) as profile:
            assert len(profile.generations()) == (0 if number == 3 else 1)


def scale(X: np.ndarray, y: np.ndarray) -> float:
    """The mean eigenvalue of the rows, of which classes weigh the same."""
    return RidgeHead([1.0]).fit(X, y).lambda_
