"""Which label steers where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edge_tl.errors import ConfigError

DIRECTIONS = ("up", "down", "left", "right")
STANDARD_LABELS = (*DIRECTIONS, "neutral")


def steering(labels: Sequence[str], assignments: Iterable[str] = ()) -> dict[str, str]:
    """Label → direction: labels named like a direction, or a swipe to it, steer there, and `up=fist` adds to that.

    labels: the taught classes. assignments: texts DIRECTION=LABEL.
    Raises ConfigError for a direction that is none, a label that was not taught, or where nothing would steer.
    """
    by_name = {_direction(label): label for label in labels}
    by_name |= {label.casefold(): label for label in labels}  # of `left` and `swipe left` the shorter name steers
    # A direction assigned by hand is no longer steered by its own name.
    chosen: dict[str, str] = {}
    for text in assignments:
        direction, equals, label = text.partition("=")
        if not equals or direction not in DIRECTIONS:
            raise ConfigError(f"--steer {text}: wanted DIRECTION=LABEL with a direction of {', '.join(DIRECTIONS)}")
        if label not in labels:
            raise ConfigError(f"--steer {text}: {label!r} was not taught; there are {', '.join(labels)}")
        chosen[label] = direction
    for direction in DIRECTIONS:
        if direction in by_name and direction not in chosen.values() and by_name[direction] not in chosen:
            chosen[by_name[direction]] = direction
    if not chosen:
        raise ConfigError(
            f"none of the labels {', '.join(labels)} is a direction: say which steers where, "
            f"e.g. --steer up={labels[0] if labels else 'fist'}"
        )
    return chosen


def _direction(label: str) -> str:
    """`left` of a label `swipe left`, `Swipe-left` or `swipe_left`; any other label as it is, in small letters."""
    word = label.casefold().removeprefix("swipe").lstrip(" -_")
    return word if word in DIRECTIONS else label.casefold()
