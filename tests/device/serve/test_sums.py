"""Rounds of sums over the Unix socket: what is answered, what is refused, and the head that comes back."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from service_parts import taught
from waiting import until

from benchmarks.serving import Serving
from benchmarks.sums_standin import ProfileSums, RowEmbedder, write_profile
from device.serve.config import parse_config
from device.serve.sums_requests import SumsRequests
from device.serve.sums_socket import MAX_BODY_BYTES, SumsSocket
from edge_tl.core.features import PLAIN, unit_rows
from edge_tl.errors import ConfigError
from edge_tl.fleet.sums import SumsRound
from edge_tl.heads.ridge_sums import BETAS, LAMBDAS, SummedRidge, Totals, chosen
from edge_tl.recognizer import Recognizer
from edge_tl.store.profile import Profile

COLUMNS = 8


def ask(place: Path, asked: Any, numbers: np.ndarray | None = None) -> tuple[dict[str, Any], np.ndarray]:
    """One request as the node of the Flower app sends it."""
    body = b"" if numbers is None else np.asarray(numbers, "<f8").tobytes()
    line = asked if isinstance(asked, bytes) else json.dumps({**asked, "bytes": len(body)}).encode() + b"\n"
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60.0)
        client.connect(str(place))
        client.sendall(line + body)
        client.shutdown(socket.SHUT_WR)
        with client.makefile("rb") as stream:
            answer = json.loads(stream.readline())
            return answer, np.frombuffer(stream.read(answer["bytes"]), "<f8")


def rows_of(device: int, labels: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two takes of each class, six rows each, as float16 keeps them."""
    random, X, y, takes = np.random.default_rng(device), [], [], []
    for label in labels:
        centre = np.random.default_rng(len(label)).normal(size=COLUMNS)
        for _ in range(2):
            X.append(centre + 0.4 * random.normal(size=COLUMNS) + 0.3 * random.normal(size=(6, COLUMNS)))
            takes += [len(takes) // 6 + 1] * 6
            y += [label] * 6
    return unit_rows(np.concatenate(X)).astype(np.float16).astype(np.float32), np.array(y), np.array(takes)


CLASSES = (("up", "down"), ("up", "left"), ("down", "leftmost"))


@pytest.fixture
def places(tmp_path: Path) -> Iterator[list[Path]]:
    """The sockets of three profiles with unequal classes."""
    embedder, found = RowEmbedder(COLUMNS), []
    with ExitStack() as stack:
        for device, labels in enumerate(CLASSES):
            write_profile(tmp_path / str(device), *rows_of(device, labels), embedder.fingerprint)
            home = ProfileSums(tmp_path / str(device), Recognizer(embedder, features=PLAIN, reject=False))
            one = SumsSocket(tmp_path / f"{device}.sock", SumsRequests(home, 5), lambda line: None)
            one.start()
            stack.callback(one.stop)
            found.append(one.path)
        yield found


def one_round(places: list[Path]) -> tuple[list[str], SummedRidge, int, list[dict[str, Any]]]:
    """What the hub does: the classes, the solution, its λ, and what the devices say of the head."""
    described = [ask(place, {"do": "describe"})[0] for place in places]
    labels = sorted({label for one in described for label in one["labels"]})
    gave = [ask(place, {"do": "sums", "labels": labels}) for place in places]
    added = np.sum([numbers for _, numbers in gave], axis=0).reshape(len(labels), -1)
    totals = Totals.of(added, described[0]["columns"])
    rounds = [answer["round"] for answer, _ in gave]
    said = [
        ask(place, {"do": "verdicts", "round": id}, totals.packed())[1]
        for place, id in zip(places, rounds, strict=True)
    ]
    table = np.sum(said, axis=0).reshape(len(LAMBDAS), 3 + len(BETAS))
    at, temperature = chosen(table, totals, described[0]["prior"])
    ridge = SummedRidge(totals)
    coef, intercept = ridge.coef(float(LAMBDAS[at] * ridge.scale))
    weights = np.column_stack((coef, intercept))
    heads = [
        ask(place, {"do": "head", "round": id, "lambda": at, "temperature": temperature}, weights)[0]
        for place, id in zip(places, rounds, strict=True)
    ]
    return labels, ridge, at, heads


def test_a_round_gives_each_profile_the_head_of_all(places: list[Path], tmp_path: Path) -> None:
    """Each saves the pooled head as its next generation, which knows classes that only others have."""
    labels, ridge, at, heads = one_round(places)
    assert [one["generation"] for one in heads] == [1, 1, 1]
    assert labels == ["down", "left", "leftmost", "up"]
    every = [np.concatenate(part) for part in zip(*(rows_of(n, one) for n, one in enumerate(CLASSES)), strict=True)]
    for device in range(3):
        with Profile(tmp_path / str(device)) as profile:
            saved = profile.load()
            assert saved is not None
            made = Recognizer.restore(saved, RowEmbedder(COLUMNS))
            (generation,) = profile.generations()
        assert made.classes == tuple(labels)
        assert np.abs(made.head.state()[1]["coef"] - ridge.coef(float(LAMBDAS[at] * ridge.scale))[0]).max() < 1e-6
        assert made.head.score(every[0], every[1]) > 0.9
        assert generation.accuracy == heads[device]["accuracy"]
        assert saved.meta["sums"]["without"] == heads[device]["without"]
        assert not made.rejector.ready


def test_only_sums_leave(places: list[Path]) -> None:
    """Of a device come numbers of each class as a whole; its socket is closed to others."""
    answer, numbers = ask(places[0], {"do": "sums", "labels": ["down", "left", "up"]})
    X, y, takes = rows_of(0, CLASSES[0])
    assert np.allclose(numbers, SumsRound(X, y, takes, ["down", "left", "up"]).sums().reshape(-1), atol=1e-9)
    assert answer["shape"] == [3, 2 + COLUMNS + COLUMNS * (COLUMNS + 1) // 2]
    assert stat.S_IMODE(places[0].stat().st_mode) == 0o660


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (b"health\n", "JSON object"),
        (b"[" * 5000 + b"\n", "JSON object"),
        (b'{"do": "describe"}', "JSON object"),
        (b'{"do": "rows", "bytes": 0}\n', "there are describe"),
        (b'{"do": 7}\n', "there are describe"),
        (b'{"do": "sums"}\n', "labels"),
        (b'{"do": "sums", "labels": ["up", 3]}\n', "labels"),
        (b'{"do": "sums", "labels": ["up"]}\n', "labels"),
        (b'{"do": "sums", "labels": ["a\\u001b[2J", "up"]}\n', "unprintable"),
        (b'{"do": "sums", "labels": ["\\ud800", "up"]}\n', "unprintable"),
        (b'{"do": "sums", "labels": [" up", "up"]}\n', "is kept as"),
        (b'{"do": "verdicts", "bytes": 16}\n12345678', "8 of 16 bytes"),
        (b'{"do": "verdicts", "bytes": -1}\n', "bytes: 0 to"),
        (b'{"do": "verdicts", "bytes": 1.5}\n', "bytes: 0 to"),
        (f'{{"do": "verdicts", "bytes": {MAX_BODY_BYTES + 1}}}\n'.encode(), "bytes: 0 to"),
        (b'{"do": "head", "round": "ab"}\n', "this round is over"),
        (b"x" * 300_000, "JSON object"),
    ],
)
def test_what_is_no_request_is_refused_in_one_line(places: list[Path], asked: bytes, why: str) -> None:
    """Whatever comes, the answer is a line that says what was wanted, and the next request is served."""
    try:
        answer, _ = ask(places[0], asked)
    except (BrokenPipeError, ConnectionResetError):
        answer = {"error": why}  # it was let go before all was sent, which is allowed of a line without an end
        assert len(asked) > 100_000
    assert why in answer["error"]
    assert "\n" not in answer["error"]
    assert ask(places[0], {"do": "describe"})[0]["labels"] == ["down", "up"]


def test_who_does_not_end_a_request_is_let_go(tmp_path: Path) -> None:
    """Silent, or a byte now and then: after the patience the next one is served, and the log has nothing to say."""
    write_profile(tmp_path / "0", *rows_of(0, CLASSES[0]), RowEmbedder(COLUMNS).fingerprint)
    home = ProfileSums(tmp_path / "0", Recognizer(RowEmbedder(COLUMNS), features=PLAIN, reject=False))
    lines: list[str] = []
    one = SumsSocket(tmp_path / "0.sock", SumsRequests(home, 5), lines.append, patience_s=0.2)
    with ExitStack() as stack:
        one.start()
        stack.callback(one.stop)
        silent, slow = (stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        for client in (silent, slow):
            client.settimeout(60.0)
            client.connect(str(one.path))
        assert silent.recv(1) == b""

        def ended() -> bool:
            try:
                slow.sendall(b" ")
            except OSError:
                return True
            return False

        until(ended)
        assert ask(one.path, {"do": "describe"})[0]["labels"] == ["down", "up"]
    assert lines == []


def test_a_round_that_another_one_replaced_is_over(places: list[Path]) -> None:
    """Totals and a head of a round before are refused, and nothing is saved."""
    labels = ["down", "left", "up"]
    old = ask(places[0], {"do": "sums", "labels": labels})[0]["round"]
    new, numbers = ask(places[0], {"do": "sums", "labels": labels})
    assert "over" in ask(places[0], {"do": "verdicts", "round": old}, numbers)[0]["error"]
    asked = {"do": "head", "round": new["round"], "lambda": 10, "temperature": 0.1}
    weights = np.zeros((3, COLUMNS + 1))
    assert "verdicts first" in ask(places[0], asked, weights)[0]["error"]
    assert "weights" in ask(places[0], asked, weights[:2])[0]["error"]
    assert "wanted" in ask(places[0], {**asked, "temperature": "warm"}, weights)[0]["error"]
    with Profile(places[0].with_suffix("")) as profile:
        assert profile.generations() == []


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("[sums]", "pipeline is missing"),
        ('[sums]\npipeline = "none"', "there is no pipeline 'none'"),
        ('[sums]\npipeline = "words"', "hears words"),
        ('[sums]\npipeline = "signs"\nmin_examples = 0', "min_examples"),
        ('[sums]\npipeline = "signs"\nsokket = "x"', "did you mean socket"),
    ],
)
def test_a_mistake_in_the_table_is_told(table: str, why: str) -> None:
    """Which pipeline, of pictures only, and settings that there are."""
    pipelines = '[pipelines.signs]\ncamera = "auto"\n[pipelines.words]\nmic = "auto"\nprofile = "words"\n'
    with pytest.raises(ConfigError, match=why):
        parse_config(pipelines + table)


def test_without_the_table_there_is_no_socket() -> None:
    """Nothing is given unless the configuration says so."""
    assert parse_config('[pipelines.signs]\ncamera = "auto"\n').sums is None


def test_the_service_takes_part_and_uses_the_head(tmp_path: Path) -> None:
    """The real service gives sums of what it was taught, uses the head of it and another device at once, and undoes."""
    pytest.importorskip("uvicorn", reason="uvicorn is not installed (extra web)")
    with Serving(tmp_path / "desk", "[sums]\n") as desk:
        desk.start()
        taught(desk)
        place = desk.data / "sums.sock"
        described = ask(place, {"do": "describe"})[0]
        assert described["labels"] == ["down", "up"]
        columns, labels = described["columns"], ["down", "up", "wave"]
        answer, numbers = ask(place, {"do": "sums", "labels": labels})
        random = np.random.default_rng(0)
        X = unit_rows(np.abs(random.normal(size=(24, columns)))).astype(np.float32)
        other = SumsRound(X, np.repeat(["up", "wave"], 12), np.arange(24) // 6, labels)
        added = numbers.reshape(3, -1) + other.sums()
        totals = Totals.of(added, other.columns)
        said = ask(place, {"do": "verdicts", "round": answer["round"]}, totals.packed())[1]
        table = said.reshape(len(LAMBDAS), -1) + other.verdicts(totals.packed())
        at, temperature = chosen(table, totals, described["prior"])
        ridge = SummedRidge(totals)
        weights = np.column_stack(ridge.coef(float(LAMBDAS[at] * ridge.scale)))
        asked = {"do": "head", "round": answer["round"], "lambda": at, "temperature": temperature}
        used = ask(place, asked, weights)[0]
        assert used["generation"] == 2, used
        assert desk.state()["signs"]["classes"] == labels
        until(lambda: desk.ask("/health")[1]["outputs"]["sums"]["last"].get("generation") == 2)
        desk.act("roll-back")
        assert desk.state()["signs"]["classes"] == ["down", "up"]
        assert desk.stop() == 0
        assert not place.exists()
        assert "Traceback" not in desk.log
