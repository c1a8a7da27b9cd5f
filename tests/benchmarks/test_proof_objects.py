"""The proof of boxes from a few examples, short: fewer pictures and looser bounds than `make prove`, the same code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.proof_objects import contest, halves, listed, opened, spread
from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.models import default_model


def test_a_hand_is_found_in_rooms_that_were_taught_and_in_others(data: Callable[[str], Path]) -> None:
    """16 boxes of a real hand: in new pictures of the room and in other rooms its box is found, most of it."""
    folder = data("hands_sessions")
    taught, same = halves(folder, "session_2")
    assert not {row[0] for row in taught} & {row[0] for row in same}
    others = {"same": opened(spread(same, 14)), "elsewhere": opened(spread(listed(folder, "session_5"), 14))}
    told = contest(TFLiteEmbedder.load(default_model(), threads=1), opened(spread(taught, 16)), others)
    assert told["same"]["mean_iou"] > 0.45
    assert told["same"]["mean_iou"] > told["same"]["whole_only"]
    assert told["elsewhere"]["mean_iou"] > 0.3
