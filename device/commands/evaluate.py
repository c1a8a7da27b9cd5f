"""`edge-tl evaluate`: how well it works, said honestly."""

from __future__ import annotations

import json
from argparse import Namespace
from contextlib import ExitStack
from typing import Any

import numpy as np

from device.assembly import load_embedder, open_profile
from device.commands.train import accuracy_lines
from edge_tl.errors import NotFittedError
from edge_tl.recognizer import Recognizer
from edge_tl.validation import Evaluation


def run(arguments: Namespace) -> int:
    """Leave-one-take-out accuracy, confusion, recall, suspects, and what rejection costs."""
    with ExitStack() as stack:
        profile = open_profile(arguments, stack, writable=False)
        embedder = load_embedder(arguments)
        saved = profile.load()
        examples = profile.store.matrix(embedder.fingerprint)
    if not len(examples.y):
        raise NotFittedError("nothing was recorded yet: run `edge-tl teach`, or `edge-tl examples import FOLDER`")
    name = arguments.head or (saved.meta["head"]["name"] if saved else "ridge")
    recognizer = Recognizer(embedder, name)
    recognizer.replace(examples)
    recognizer.learn()
    evaluation = recognizer.evaluate()
    if arguments.json:
        print(json.dumps(report(name, evaluation, examples.ids), indent=2, ensure_ascii=False))
    else:
        print("\n".join(text(name, evaluation, examples.ids)))
    return 0


def report(head: str, evaluation: Evaluation, ids: np.ndarray) -> dict[str, Any]:
    """What `--json` prints: the evaluation, with the suspects by the numbers that `examples list` shows."""
    described = evaluation.as_dict()
    for suspect, plain in zip(evaluation.suspects, described["suspects"], strict=True):
        plain["id"] = int(ids[suspect.index])
    return {"head": head, **described}


def text(head: str, evaluation: Evaluation, ids: np.ndarray) -> list[str]:
    """What a person reads."""
    lines = [f"{head} head, {len(ids)} examples", *accuracy_lines(evaluation), ""]
    width = max(len(label) for label in evaluation.classes)
    cell = max(5, *(len(label[:8]) for label in evaluation.classes))
    lines.append(f"{'':{width}}  recall  " + " ".join(f"{label[:8]:>{cell}}" for label in evaluation.classes))
    for label, row in zip(evaluation.classes, evaluation.confusion, strict=True):
        lines.append(
            f"{label:{width}}  {evaluation.recall[label]:6.1%}  " + " ".join(f"{count:{cell}}" for count in row)
        )
    if evaluation.accepted is not None:
        lines += [
            "",
            f"with 'none of these': {evaluation.accepted:.1%} of these are accepted, "
            f"{evaluation.accuracy_of_accepted:.1%} of the accepted are right",
        ]
    if evaluation.suspects:
        lines += ["", "look at these, they may be mislabelled (`edge-tl examples remove --id ID`):"]
        for suspect in evaluation.suspects:
            lines.append(f"  {ids[suspect.index]:6}  taught as {suspect.label}, looks like {suspect.likely}")
    return lines
