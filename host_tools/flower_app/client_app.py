"""A node: it asks the edge-tl service of this device for sums, and gives it the head that they add up to.

No row of an example passes through here, and nothing of edge-tl is imported: a Unix socket is all they share.
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, RecordDict
from flwr.client.mod import secaggplus_mod
from flwr.clientapp import ClientApp
from flwr.common import Code, FitRes, Status, ndarrays_to_parameters
from flwr.compat.common.recorddict_compat import fitres_to_recorddict, recorddict_to_fitins

ANSWER_S = 120.0
"""The service is waited for so long."""
TRIES, AGAIN_S = 10, 3.0
"""While something is recorded, a head cannot be used: it is offered so often, so many seconds apart."""

app = ClientApp()


def ask(
    context: Context, asked: dict[str, Any], numbers: np.ndarray | None = None
) -> tuple[dict[str, Any], np.ndarray]:
    """The service's answer, a dict and numbers; RuntimeError with the service's one line where it refuses.

    The socket is named by the node's `socket=…`, or by `socket` of the run, in which {partition-id} may stand.
    """
    place = str(context.node_config.get("socket", context.run_config["socket"]))
    for name, value in context.node_config.items():
        place = place.replace(f"{{{name}}}", str(value))
    body = b"" if numbers is None else np.asarray(numbers, "<f8").tobytes()
    with socket.socket(socket.AF_UNIX) as service:
        service.settimeout(ANSWER_S)
        service.connect(place)
        service.sendall(json.dumps({**asked, "bytes": len(body)}).encode() + b"\n" + body)
        with service.makefile("rb") as stream:
            answer = json.loads(stream.readline())
            back = np.frombuffer(stream.read(answer["bytes"]), "<f8")
    if "error" in answer:
        raise RuntimeError(f"edge-tl at {place}: {answer['error']}")
    return answer, back


def summed(context: Context, what: str, asked: dict[str, Any], numbers: np.ndarray) -> np.ndarray:
    """What this device adds to a sum: `sums` of its rows, or its `verdicts` on the totals."""
    if what == "sums":
        answer, back = ask(context, {"do": "sums", "labels": asked["labels"]})
        context.state.config_records["round"] = ConfigRecord({"id": answer["round"]})
        return back
    return ask(context, {"do": "verdicts", "round": context.state.config_records["round"]["id"]}, numbers)[1]


@app.query()
def describe(message: Message, context: Context) -> Message:
    """Which base model, how long the rows are, which classes."""
    said = ask(context, {"do": "describe"})[0]
    return Message(RecordDict({"described": ConfigRecord({"json": json.dumps(said)})}), reply_to=message)


@app.query("plain")
def plain(message: Message, context: Context) -> Message:
    """Sums in clear: the server sees those of this device. A node with `secure-only=true` gives none."""
    if context.node_config.get("secure-only", False):
        raise RuntimeError("this node gives its sums to secure aggregation only: run with secure=true")
    asked = json.loads(str(message.content.config_records["asked"]["json"]))
    (numbers,) = message.content.array_records["numbers"].to_numpy_ndarrays()
    back = summed(context, asked["what"], asked, numbers)
    return Message(RecordDict({"numbers": ArrayRecord([back])}), reply_to=message)


@app.train(mods=[secaggplus_mod])
def secure(message: Message, context: Context) -> Message:
    """The same sums, masked by Flower's SecAgg+ on their way: the server can read the total only."""
    fit = recorddict_to_fitins(message.content, keep_input=True)
    asked = json.loads(str(fit.config["json"]))
    (numbers,) = message.content.array_records["fitins.parameters"].to_numpy_ndarrays()
    scaled = summed(context, asked["what"], asked, numbers) / asked["bound"]
    result = FitRes(Status(Code.OK, ""), ndarrays_to_parameters([scaled]), num_examples=1, metrics={})
    return Message(fitres_to_recorddict(result, keep_input=False), reply_to=message)


@app.evaluate()
def head(message: Message, context: Context) -> Message:
    """The service uses the head as a new generation, and says how it does on this device's own examples."""
    chosen = json.loads(str(message.content.config_records["asked"]["json"]))
    (weights,) = message.content.array_records["numbers"].to_numpy_ndarrays()
    asked = {"do": "head", "round": context.state.config_records["round"]["id"], **chosen}
    for left in reversed(range(TRIES)):
        try:
            said = ask(context, asked, weights)[0]
            break
        except RuntimeError as error:
            if not left or "recording is in progress" not in str(error):
                raise
            time.sleep(AGAIN_S)
    return Message(RecordDict({"scores": ConfigRecord({"json": json.dumps(said)})}), reply_to=message)
