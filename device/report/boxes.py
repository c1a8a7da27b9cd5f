"""The report of a profile that finds boxes: how well, of which class, and the pictures where it goes wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from device.report.card import card
from device.report.contents import PICTURES_OF_A_CLASS, Provenance
from device.report.html import document, figure, note, section, share, table, tile
from device.report.pictures import boxed_thumbnail, spread_over
from device.teach.box_score import UNKNOWN, wanting, where_asked
from device.teach.boxed import BoxedExamples
from edge_tl.detection.few import SURE
from edge_tl.detection.judging import GOOD, LeftOutDetections
from edge_tl.errors import counted

WORST = 24
"""So many of the pictures where it goes wrong are shown."""
NO_BOX = np.full(4, np.nan)


def boxes_page(made: Provenance, boxed: BoxedExamples, judged: LeftOutDetections | None) -> str:
    """The whole page; judged: None where there is too little to leave any of it out."""
    if judged is not None and not np.isfinite(judged.ious).any():
        judged = None
    parts = [
        f'<p class="soft">{escape(summary(made, boxed))}</p>',
        headline(boxed, judged),
        to_do(advice(boxed, judged)),
        "" if judged is None else section("Class by class", classes(boxed, judged)),
        "" if judged is None else worst(boxed, judged),
        section("Recorded examples", examples(boxed)),
        section("Model card", card(made)),
    ]
    return document(made.profile, made.date, parts)


def summary(made: Provenance, boxed: BoxedExamples) -> str:
    """The profile in a line."""
    taught = {one.label for one in boxed.examples if one.box is not None}
    return (
        f"{counted(len(boxed.examples), 'example')}, {boxed.boxes} with a box, of "
        f"{counted(len(taught), 'class', 'classes')} in {counted(len(np.unique(boxed.takes)), 'take')} · looks at: "
        f"{made.embedder.name} · head: {made.head}"
    )


def to_do(said: Sequence[str]) -> str:
    """What would help, as a part of the page."""
    return (
        f'<section class="advice"><h2>What to do next</h2>{"".join(f"<p>{escape(one)}.</p>" for one in said)}</section>'
    )


def advice(boxed: BoxedExamples, judged: LeftOutDetections | None) -> list[str]:
    """What would help, the most first: at least one sentence."""
    said = wanting(boxed)
    if judged is not None and judged.kind == "take":
        said.append("another room or day may look different: draw some boxes there too, in a session of their own")
    return said or ["enough examples: draw more boxes where the pictures below show mistakes"]


def headline(boxed: BoxedExamples, judged: LeftOutDetections | None) -> str:
    """The figures on pictures that were not taught."""
    if judged is None:
        return section("Accuracy", f"<p>{escape(UNKNOWN)}.</p>")
    told = judged.as_dict()
    found = f"of {counted(told['boxes'], 'box', 'boxes')} found {where_asked(told['left_out'])}"
    tiles = [
        tile(told["found"], None, found, f"at IoU {GOOD:g} or more; mean IoU {told['mean_iou']:.2f}; {told['method']}"),
        tile(
            told["told"],
            None,
            "of the pictures that show it are detected",
            f"the others are below the confidence {SURE:g}",
        ),
    ]
    if len({one.label for one in boxed.examples if one.box is not None}) > 1:
        tiles.append(tile(told["label_accuracy"], None, "have the right label", "whether or not the box is right"))
    if told["empty"]:
        shown = counted(told["empty"], "picture that shows", "pictures that show")
        tiles.append(tile(told["false_alarms"], None, f"false alarms in {shown} nothing", "lower is better"))
    first = tiles[0].replace('class="tile"', 'class="tile first"', 1)
    return f'<div class="tiles">{first}{"".join(tiles[1:])}</div>'


def classes(boxed: BoxedExamples, judged: LeftOutDetections) -> str:
    """Each class: how many boxes, in how many takes, and how well they are found."""
    labels = np.array([one.label if one.box is not None else "" for one in boxed.examples], object)
    rows = []
    for label in sorted({*labels} - {""}):
        of = labels == label
        asked = of & np.isfinite(judged.ious)
        right = [
            share(float(values[asked].mean())) if asked.any() else "–" for values in (judged.ious >= GOOD, judged.right)
        ]
        overlap = f"{judged.ious[asked].mean():.2f}" if asked.any() else "–"
        rows.append([label, str(int(of.sum())), str(len(np.unique(boxed.takes[of]))), right[0], overlap, right[1]])
    return table(["class", "boxes", "takes", f"found (IoU {GOOD:g})", "mean IoU", "right label"], rows)


def worst(boxed: BoxedExamples, judged: LeftOutDetections) -> str:
    """The pictures where it goes wrong, the worst first; no part where there is none."""
    shown = [*wrong(boxed, judged)]
    if not shown:
        return ""
    figures = []
    for row, words in shown[:WORST]:
        one = boxed.examples[row]
        shot = boxed_thumbnail(int(boxed.ids[row]), one.picture, one.box, judged.boxes[row])
        figures.append(figure(shot, f"{boxed.ids[row]}: {words}"))
    text = f"The {WORST} worst of {len(shown)}. " if len(shown) > WORST else ""
    text += "Yellow is the true box, dashed blue the one found by a head that was not trained on this picture."
    return section("Mistakes", f'<div class="shots">{"".join(figures)}</div>{note(text)}')


def wrong(boxed: BoxedExamples, judged: LeftOutDetections) -> Iterator[tuple[int, str]]:
    """Row and reason of what is told where nothing is, what is missed, and what is called by another name."""
    sure = judged.there >= SURE
    for row in np.argsort(np.where(np.isnan(judged.ious), -1.0, judged.ious), kind="stable").tolist():
        one, overlap = boxed.examples[row], judged.ious[row]
        if one.box is None:
            if sure[row]:
                yield row, f"shows nothing, detected as {judged.labels[row]}"
        elif math.isnan(overlap):
            continue
        elif not judged.right[row]:
            yield row, f"{one.label}, recognized as {judged.labels[row]} (IoU {overlap:.2f})"
        elif overlap < GOOD or not sure[row]:
            yield row, f"{one.label}, IoU {overlap:.2f}" + ("" if sure[row] else ", not detected")


def examples(boxed: BoxedExamples) -> str:
    """A few pictures of each class, from as many takes as possible; then of those that show nothing."""
    parts = []
    named = np.array([one.label if one.box is not None else "" for one in boxed.examples], object)
    for label in [*sorted({*named} - {""}), *({""} & {*named})]:
        rows = spread_over(np.flatnonzero(named == label), boxed.takes, PICTURES_OF_A_CLASS)
        parts.append(f"<h3>{escape(label) or 'nothing to find'}</h3>{shots(boxed, rows)}")
    return "".join(parts)


def shots(boxed: BoxedExamples, rows: Sequence[int]) -> str:
    """Pictures with their boxes."""
    made = []
    for row in rows:
        one = boxed.examples[row]
        made.append(figure(boxed_thumbnail(int(boxed.ids[row]), one.picture, one.box, NO_BOX), str(boxed.ids[row])))
    return f'<div class="shots">{"".join(made)}</div>'
