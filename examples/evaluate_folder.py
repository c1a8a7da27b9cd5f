"""How well a folder of pictures can be learned: CLASS/picture, or better CLASS/TAKE/picture.

    python examples/evaluate_folder.py FOLDER

Frames of one take resemble each other: whole takes are left out and asked, and beside it stands what a random split,
which does not know takes, would have claimed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from edge_tl import EdgeTLError, Recognizer, TFLiteEmbedder, decode, default_model
from edge_tl.store.folders import import_folder


def evaluate(folder: Path, head: str = "ridge") -> None:
    """Teach all pictures, and print what is right of those left out."""
    recognizer = Recognizer(TFLiteEmbedder.load(default_model()), head)
    takes: dict[tuple[str, str], int] = {}
    for found in import_folder(folder, lambda path, reason: print(f"left out: {path} {reason}", file=sys.stderr)):
        # A picture without a folder for its take is taken for one of its own.
        key = (found.label, found.take_name or found.path.name)
        recognizer.teach(decode(found.path), found.label, takes.setdefault(key, len(takes)))
    learned = recognizer.learn()
    told = recognizer.evaluate()
    low, high = told.interval95
    print(f"{learned.examples} pictures, {len(takes)} takes, {len(told.classes)} classes, head {learned.head}")
    print(f"right on takes left out: {told.accuracy:.0%} (95 % interval {low:.0%} to {high:.0%})")
    if told.answers is not None:
        print(f"with `none of these`: {told.answers.right:.0%} right, {told.answers.wrong:.0%} wrong, the rest refused")
    print(f"a random split would have claimed {told.random_split_accuracy:.0%}")
    for label, row in zip(told.classes, told.confusion, strict=True):
        counts = ", ".join(f"{count} × {other}" for other, count in zip(told.classes, row, strict=True) if count)
        print(f"  {label} was taken for {counts or 'nothing: it has one take only'}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: evaluate_folder.py FOLDER")
    try:
        evaluate(Path(sys.argv[1]))
    except EdgeTLError as error:
        sys.exit(f"evaluate_folder: {error}")
