"""Measure how well a folder of pictures can be classified: CLASS/picture, or better CLASS/TAKE/picture.

    python examples/evaluate_folder.py FOLDER

Frames of one take resemble each other. So whole takes are held out for testing; for comparison the program also prints
the accuracy of a random split, which ignores takes and is too optimistic.
"""

from __future__ import annotations

import sys
from pathlib import Path

from edge_tl import EdgeTLError, Recognizer, TFLiteEmbedder, decode, default_model
from edge_tl.store.folders import import_folder


def evaluate(folder: Path, head: str = "ridge") -> None:
    """Train on all pictures, and print the accuracy on held-out takes."""
    recognizer = Recognizer(TFLiteEmbedder.load(default_model()), head)
    takes: dict[tuple[str, str], int] = {}
    for found in import_folder(folder, lambda path, reason: print(f"left out: {path} {reason}", file=sys.stderr)):
        # A picture without a folder for its take counts as a take of its own.
        key = (found.label, found.take_name or found.path.name)
        recognizer.teach(decode(found.path), found.label, takes.setdefault(key, len(takes)))
    learned = recognizer.learn()
    result = recognizer.evaluate()
    low, high = result.interval95
    print(f"{learned.examples} pictures, {len(takes)} takes, {len(result.classes)} classes, head {learned.head}")
    print(f"accuracy on held-out takes: {result.accuracy:.0%} (95 % interval {low:.0%} to {high:.0%})")
    if result.answers is not None:
        print(
            f"with `none of these`: {result.answers.right:.0%} right, {result.answers.wrong:.0%} wrong, the rest "
            "rejected"
        )
    print(f"a random split would have claimed {result.random_split_accuracy:.0%}")
    for label, row in zip(result.classes, result.confusion, strict=True):
        counts = ", ".join(f"{count} × {other}" for other, count in zip(result.classes, row, strict=True) if count)
        print(f"  {label} was recognized as {counts or 'nothing: it has only one take'}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: evaluate_folder.py FOLDER")
    try:
        evaluate(Path(sys.argv[1]))
    except EdgeTLError as error:
        sys.exit(f"evaluate_folder: {error}")
