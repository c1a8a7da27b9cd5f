"""How well boxes are found, and what would help, in sentences: for the command line and the report."""

from __future__ import annotations

from device.teach.boxed import FEW, BoxedExamples
from edge_tl.detection.judging import LeftOutDetections
from edge_tl.errors import counted

UNKNOWN = "the accuracy is unknown: there are too few examples to hold any of them out"


def where_asked(kind: str) -> str:
    """On what it was judged, after a figure; kind: `session` or `take`, what was left out."""
    return "on held-out sessions" if kind == "session" else "on held-out takes"


def score_lines(boxed: BoxedExamples, judged: LeftOutDetections | None) -> list[str]:
    """The honest figures, and what helps."""
    told = judged.as_dict() if judged is not None else {}
    said = []
    if not told or told["mean_iou"] is None:
        said.append(UNKNOWN)
    else:
        said.append(
            f"mean IoU {told['mean_iou']:.2f} {where_asked(told['left_out'])}; {told['found']:.0%} of "
            f"{counted(told['boxes'], 'box is', 'boxes are')} found (IoU .5)"
        )
        said.append(f"  by {told['method']}")
        if boxed.near_copies:
            said.append(f"  {near_copies_text(boxed.near_copies)}")
        if len({one.label for one in boxed.examples if one.box is not None}) > 1:
            said.append(f"  the label is right in {told['label_accuracy']:.1%}")
        said.append(f"  an object is reported in {told['told']:.1%} of the pictures that show it")
        if told["empty"]:
            shown = counted(told["empty"], "picture that shows", "pictures that show")
            said.append(f"  a false alarm in {told['false_alarms']:.1%} of {shown} nothing")
        if told["left_out"] == "take":
            said.append("  another room or day may look different: draw some boxes there too (key s begins a session)")
    return said + wanting(boxed)


def wanting(boxed: BoxedExamples) -> list[str]:
    """What is missing among the examples, a line each; none where nothing is."""
    said = []
    if boxed.boxes < FEW:
        said.append(
            f"{counted(boxed.boxes, 'box is', 'boxes are')} few: {FEW} to 50, at several places and distances, make "
            "usable boxes"
        )
    if not any(one.box is None for one in boxed.examples):
        said.append("no picture without the object was recorded (key x): there may be false alarms")
    return said


def near_copies_text(count: int) -> str:
    """How many examples are near-copies of others, and what becomes of them."""
    one = "example is a near-copy" if count == 1 else "examples are near-copies"
    return f"{count} {one} of others (the same picture or sound again), and left out together with these"
