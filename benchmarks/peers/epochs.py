"""Training networks in NumPy beside Keras: digits with layers frozen, the detector, and words; one thread each.

Both are in one process of TensorFlow's environment and take turns, as the longer proofs have it (`proof_mnist`,
`proof_detection`, `bench_words`), of which this is the part that is timed, with fewer rounds.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from benchmarks.interleaved import ratio, spread, words
from benchmarks.peers.protocol import PeerError
from benchmarks.peers.rounds import say, start
from benchmarks.record import table

ENVIRONMENTS = ("tensorflow",)
SEEDS, ROUNDS = 2, 3
LIMIT_S = 900.0
GOAL = 0.8
KERAS = "Keras"
ASKED: dict[str, dict[str, Any]] = {"detector": {"rounds": ROUNDS}, "words": {}, "digits": {"seeds": SEEDS}}


def measure() -> dict[str, Any]:
    """Our time over Keras', by what is trained."""
    found: dict[str, Any] = {"rows": {}, "skipped": {}}
    with ExitStack() as stack:
        peers, found["skipped"] = start(stack, ((KERAS, "tensorflow", "keras_epochs"),))
        for what, values in ASKED.items() if peers else ():
            say(f"epochs, {what}")
            try:
                answer = peers[KERAS].ask(what, LIMIT_S, **values)
            except PeerError as error:
                found["skipped"][what] = str(error)
                say(str(error))
                continue
            found["rows"] |= rows_of(what, answer)
    return found


def rows_of(what: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Of an answer each row: our and their milliseconds, and our time over theirs."""
    rows: dict[str, Any] = {}
    if what == "digits":
        for mode, ours in answer["modes"]["NumPy"].items():
            theirs = answer["modes"][KERAS][mode]["epoch_s"]
            mine = ours["epoch_s"][: len(theirs)]
            ms = [[1000 * value for value in of] for of in (mine, theirs)]
            rows[f"digits, {mode}: an epoch"] = {
                "ours": spread(ms[0]),
                "theirs": spread(ms[1]),
                "over": ratio(mine, theirs),
            }
    elif what == "detector":
        for mode, one in answer["modes"].items():
            rows[f"detector, batch norms {mode}: a picture"] = {
                "ours": one["NumPy"],
                "theirs": one[KERAS],
                "over": one["ratio"],
            }
    else:
        for kind, name in (("tuning", "dense layer too"), ("head", "top alone")):
            mine, theirs = answer[kind][f"tuned, {name}"], answer[kind][f"Keras, {name}"]
            faster = mine["times_faster"]
            over = {"min": 1 / faster["max"], "median": 1 / faster["median"], "max": 1 / faster["min"]}
            rows[f"words, {name}: fine-tuning"] = {"ours": mine["ms"], "theirs": theirs["ms"], "over": over}
    return rows


def report(result: dict[str, Any]) -> str:
    """A row for each."""
    if not result["rows"]:
        return "Not measured."
    rows: list[list[object]] = [
        [
            name,
            words(one["ours"]),
            words(one["theirs"]),
            words(one["over"]),
            "reached" if one["over"]["median"] <= GOAL else "missed",
        ]
        for name, one in result["rows"].items()
    ]
    return table(["one thread", "NumPy, ms", "Keras, ms", "NumPy / Keras", f"goal ≤ {GOAL}"], rows)
