"""The hub: it adds what the nodes send, solves once, and sends the head back. Four requests make one round."""

from __future__ import annotations

import json
import time
from collections import Counter
from logging import INFO, WARNING
from pathlib import Path
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, RecordDict
from flwr.common.logger import log
from flwr.serverapp import Grid, ServerApp

from .ridge_sums import BETAS, LAMBDAS, SummedRidge, Totals, chosen, projection, shape_of
from .secure import secure_total

LOOK_S = 1.0
"""Between two looks at how many nodes are there."""
VERSION = 1
"""Of the requests that the service on a node answers."""
BOUND = 4.0
"""No verdict is larger than so often the number of rows; a λ under which one is would not be taken."""

app = ServerApp()


class FlowerRound:
    """One round over the nodes that are there; `report` says what became of it."""

    def __init__(self, grid: Grid, context: Context) -> None:
        self.grid, self.context, self.config = grid, context, context.run_config
        self.timeout_s = float(self.config["timeout"])
        self.report: dict[str, Any] = {"secure": bool(self.config["secure"]), "failed": {}}

    def send(self, nodes: list[int], kind: str, asked: dict[str, Any], numbers: np.ndarray) -> dict[int, RecordDict]:
        """The answers by node; who does not answer in time, or refuses, is left out and named."""
        content = RecordDict({"asked": ConfigRecord({"json": json.dumps(asked)}), "numbers": ArrayRecord([numbers])})
        messages = [Message(content, dst_node_id=node, message_type=kind) for node in nodes]
        replies = {
            reply.metadata.src_node_id: reply for reply in self.grid.send_and_receive(messages, timeout=self.timeout_s)
        }
        good = {node: reply.content for node, reply in replies.items() if reply.has_content()}
        for node in nodes:
            if node not in good:
                reply = replies.get(node)
                why = "no answer in time" if reply is None else str(reply.error.reason).strip().splitlines()[-1]
                self.report["failed"][str(node)] = f"{kind}: {why}"
                log(WARNING, "node %s is left out of %s: %s", node, kind, why)
        return good

    def total(self, nodes: list[int], asked: dict[str, Any], numbers: np.ndarray) -> tuple[np.ndarray, list[int]]:
        """What the nodes' numbers add up to, and whose these are."""
        if self.config["secure"]:
            return secure_total(self.grid, self.context, nodes, asked, numbers, self.timeout_s)
        answers = self.send(nodes, "query.plain", asked, numbers)
        values = [answer.array_records["numbers"].to_numpy_ndarrays()[0] for answer in answers.values()]
        return np.sum(values, axis=0), list(answers)

    def run(self) -> None:
        """Describe, add, leave takes out, solve, send; RuntimeError where too few take part."""
        described = self._alike(self._there())
        about = next(iter(described.values()))
        labels = sorted({label for one in described.values() for label in one["labels"]})
        if len(labels) < 2:
            raise RuntimeError(f"two classes are needed; the nodes have {labels}")
        made = projection(about["columns"])
        columns = about["columns"] if made is None else made.shape[1]

        asked = {"what": "sums", "labels": labels, "bound": max(one["largest"] for one in described.values())}
        added, gave = self.total(list(described), asked, np.zeros(1))
        self._enough(gave)
        added = added.reshape(shape_of(len(labels), columns))
        if not (added[:, 0] > 0.5).all():
            raise RuntimeError("a node died that alone had a class: run again")
        totals = Totals.of(added, columns)

        packed = totals.packed()
        asked = {"what": "verdicts", "bound": BOUND * float(totals.counts.sum())}
        verdicts, judged = self.total(gave, asked, packed)
        verdicts = verdicts.reshape(len(LAMBDAS), 3 + len(BETAS))
        at, temperature = chosen(verdicts, totals, about["prior"])

        ridge = SummedRidge(totals)
        coef, intercept = ridge.coef(float(LAMBDAS[at] * ridge.scale))
        weights = np.column_stack((coef, intercept))
        answers = self.send(judged, "evaluate", {"lambda": at, "temperature": temperature}, weights)
        self.report |= {
            "labels": labels,
            "columns": columns,
            "gave": len(gave),
            "examples": int(totals.counts.sum()),
            "lambda": float(LAMBDAS[at] * ridge.scale),
            "temperature": temperature,
            "accuracy": float(verdicts[at, 1] / verdicts[at, 0]),
            "bytes": {
                "sums": added.nbytes,
                "totals": packed.nbytes,
                "verdicts": verdicts.nbytes,
                "head": weights.nbytes,
            },
            "scores": {
                str(node): json.loads(str(one.config_records["scores"]["json"])) for node, one in answers.items()
            },
            "coef": coef.tolist(),
            "intercept": intercept.tolist(),
        }

    def _there(self) -> list[int]:
        """The nodes, once there are as many as are wanted."""
        until_s = time.monotonic() + float(self.config["wait"])
        while len(nodes := list(self.grid.get_node_ids())) < int(self.config["nodes"]) and time.monotonic() < until_s:
            time.sleep(LOOK_S)
        self._enough(nodes)
        return nodes

    def _alike(self, nodes: list[int]) -> dict[int, dict[str, Any]]:
        """What the nodes say of themselves, of those whose rows can be added: the base model that most have."""
        answers = self.send(nodes, "query", {}, np.zeros(1))
        said = {node: json.loads(str(one.config_records["described"]["json"])) for node, one in answers.items()}
        kinds = {node: (one["version"], one["fingerprint"], one["columns"]) for node, one in said.items()}
        kind = Counter(kinds.values()).most_common(1)[0][0] if kinds else None
        for node, other in kinds.items():
            if other != kind or other[0] != VERSION:
                self.report["failed"][str(node)] = "query: another base model, way to look, or edge-tl"
                log(WARNING, "node %s has another base model, way to look, or edge-tl: it is left out", node)
        alike = {node: one for node, one in said.items() if kinds[node] == kind and kinds[node][0] == VERSION}
        self._enough(list(alike))
        return alike

    def _enough(self, nodes: list[int]) -> None:
        """RuntimeError where fewer nodes take part than `min-nodes`: of two, each would know the other's sums."""
        if len(nodes) < int(self.config["min-nodes"]):
            raise RuntimeError(f"{len(nodes)} nodes take part; min-nodes = {self.config['min-nodes']} are wanted")


@app.main()
def main(grid: Grid, context: Context) -> None:
    """One round, and what each node says of the head."""
    one = FlowerRound(grid, context)
    one.run()
    report = one.report
    log(
        INFO,
        "%s nodes, %s examples: %.1f %% right, each take left out",
        report["gave"],
        report["examples"],
        100 * report["accuracy"],
    )
    for node, said in report["scores"].items():
        shares = [said["accuracy"], said["without"], said["alone"]]
        texts = ["-" if share is None else f"{100 * share:.1f} %" for share in shares]
        log(
            INFO,
            "node %s: generation %s; right on its %s examples: %s, without this node %s, alone %s",
            node,
            said["generation"],
            said["examples"],
            *texts,
        )
    if context.run_config["report"]:
        Path(str(context.run_config["report"])).write_text(json.dumps(report))
