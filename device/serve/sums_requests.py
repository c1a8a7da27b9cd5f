"""What may be asked for in a round of sums: a description, sums, verdicts, and that a head be used. No row leaves."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from device.serve.pipeline import Pipeline
from device.serve.service import Service
from device.teach.summed import SummedRows, save_summed, summed_rows
from edge_tl.errors import ConfigError, ExampleError, ProfileError, ShapeError, counted
from edge_tl.fleet.sums import SummedHeadScores, SumsRound, added_shape, given_labels, largest
from edge_tl.heads.ridge import RidgeHead

VERSION = 1
"""Of these requests."""


class SumsHome(Protocol):
    """Where the rows are, and where a head goes."""

    def rows(self) -> SummedRows:
        """The own rows, as they are now."""

    def use(self, head: RidgeHead, scores: SummedHeadScores, nobody: str | None) -> int:
        """Make the head a generation that recognizes from now on; its number."""


class PipelineSums:
    """A `SumsHome` that is a pipeline of the service, asked in the service's loop."""

    def __init__(self, service: Service, name: str) -> None:
        self._service, self._name = service, name

    def rows(self) -> SummedRows:
        """As of `SumsHome`; ProfileError while the pipeline cannot be opened."""
        one = self._pipeline()
        return self._service.ask(lambda: summed_rows(one.profile, one.line.recognizer))

    def use(self, head: RidgeHead, scores: SummedHeadScores, nobody: str | None) -> int:
        """As of `SumsHome`; ExampleError while something is recorded, ProfileError while nothing can be written."""
        one = self._pipeline()

        def used() -> int:
            if one.recording is not None:
                raise ExampleError("recording is in progress: the head of the sums waits, send it again")
            one.check_teaching()
            return one.take_up(lambda _: save_summed(one.profile, one.line.recognizer, head, scores, nobody))

        return self._service.ask(used)

    def _pipeline(self) -> Pipeline:
        one = self._service.pipelines.get(self._name)
        if one is None:
            raise ProfileError(f"the pipeline {self._name} could not be opened, so there are no sums of it")
        return one


@dataclass
class _Begun:
    """The round that goes on."""

    id: str
    of: SumsRound
    fingerprint: str
    nobody: str | None


class SumsRequests:
    """Answers requests, one after the other; each is a dict of JSON with a body of bytes, and so is its answer.

    Every method raises EdgeTLError (one line) for what cannot be done. min_examples: as of `SumsConfig`.
    """

    def __init__(self, home: SumsHome, min_examples: int) -> None:
        self._home, self._min_examples = home, min_examples
        self._begun: _Begun | None = None
        self.last: dict[str, Any] = {}
        """What became of the last head: its generation and scores."""
        self._do: dict[str, Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]] = {
            "describe": self._describe,
            "sums": self._sums,
            "verdicts": self._verdicts,
            "head": self._head,
        }

    def answer(self, asked: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """The answer, and its bytes, to a request `{"do": NAME, …}`."""
        what = asked.get("do")
        if not isinstance(what, str) or what not in self._do:
            raise ConfigError(f"do: {ascii(what)[:40]}; there are {', '.join(self._do)}")
        return self._do[what](asked, body)

    def _describe(self, asked: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        rows = self._home.rows()
        given = given_labels(rows.y, self._min_examples)
        said: dict[str, Any] = {
            "version": VERSION,
            "fingerprint": rows.fingerprint,
            "columns": rows.X.shape[1],
            "prior": rows.prior,
            "labels": given,
            "largest": largest(rows.X, rows.y, given),
        }
        return said, b""

    def _sums(self, asked: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        labels = asked.get("labels")
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise ConfigError("labels: a list of texts is wanted")
        rows = self._home.rows()
        made = SumsRound(rows.X, rows.y, rows.takes, labels, self._min_examples)
        self._begun = _Begun(secrets.token_hex(8), made, rows.fingerprint, rows.nobody)
        sums = made.sums()
        assert sums.shape == added_shape(len(labels), rows.X.shape[1])
        return {"round": self._begun.id, "shape": sums.shape}, sums.astype("<f8").tobytes()

    def _verdicts(self, asked: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        made = self._round(asked).of.verdicts(_numbers(body))
        return {"shape": made.shape}, made.astype("<f8").tobytes()

    def _head(self, asked: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        begun = self._round(asked)
        at, temperature = asked.get("lambda"), asked.get("temperature")
        if type(at) is not int or type(temperature) is not float:
            raise ConfigError("lambda: a whole number is wanted, temperature: a number")
        classes, values = len(begun.of.labels), _numbers(body)
        if values.size != classes * (begun.of.columns + 1):
            raise ShapeError(f"got {values.size} weights; wanted {classes} × {begun.of.columns + 1}")
        table = values.reshape(classes, -1)
        head = begun.of.head(at, temperature, table[:, :-1], table[:, -1])
        if self._home.rows().fingerprint != begun.fingerprint:
            raise ConfigError("another base model, or way to look, was chosen since this round began")
        scores = begun.of.scores(at)
        generation = self._home.use(head, scores, begun.nobody)
        self._begun, self.last = None, {"generation": generation, **scores.as_dict()}
        return dict(self.last), b""

    def _round(self, asked: dict[str, Any]) -> _Begun:
        if self._begun is None or asked.get("round") != self._begun.id:
            raise ConfigError("this round is over, or another one began: ask for sums again")
        return self._begun


def _numbers(body: bytes) -> np.ndarray:
    """What came as float64, little-endian; ShapeError for a cut one."""
    if len(body) % 8:
        raise ShapeError(f"got {counted(len(body), 'byte')}; wanted numbers of 8 bytes each")
    return np.frombuffer(body, "<f8").astype(np.float64)
