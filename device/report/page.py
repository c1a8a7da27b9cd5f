"""The report as one HTML page; everything that a user typed is escaped on its way in."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from device.cli.calling import as_called
from device.report.card import card
from device.report.charts import calibration, curve, scatter
from device.report.contents import Contents
from device.report.html import document, figure, note, section, share, table, tile
from device.report.svg import marker
from edge_tl.errors import counted
from edge_tl.judge.evaluation import BySession, Evaluation
from edge_tl.judge.guide import Advice

NARROW = 7
"""A confusion matrix of so many classes fits beside a chart."""
HOW = {"picture": "looks at", "sound": "listens with", "movement": "follows a hand"}
"""What an embedder of a kind does."""
MAX_COLUMNS = 40
"""Classes in the confusion matrix; of more, those with the most mistakes."""


def page(of: Contents) -> str:
    """The whole page; the same contents give the same text."""
    parts = [
        f'<p class="soft">{escape(summary(of))}</p>',
        headline(of),
        advice(of),
        judged_parts(of),
        suspects(of),
        mistakes(of),
        section("Recorded examples", counts(of) + pictures(of)),
        section("Model card", card(of)),
    ]
    return document(of.profile, of.date, parts)


def summary(of: Contents) -> str:
    """The profile in a line."""
    classes = sum(1 for examples, _ in of.counts.values() if examples)
    takes = sum(takes for _, takes in of.counts.values())
    text = f"{counted(len(of.ids), 'example')} of {counted(classes, 'class', 'classes')} in {counted(takes, 'take')}"
    if len(of.sessions) > 1:
        text += f" and {counted(len(of.sessions), 'session')}"
    return f"{text} · {HOW[of.embedder.kind]}: {of.embedder.name} · head: {of.head}"


def headline(of: Contents) -> str:
    """The honest figure first, the flattering ones beside it."""
    if of.evaluation is None:
        return section("Accuracy", f"<p>Nothing can be measured yet: {escape(of.missing)}.</p>")
    found = of.evaluation
    across = found.by_session
    tiles = []
    if (gets := found.headline.answers) is not None:
        where = "on held-out sessions" if found.headline.kind == "session" else "on held-out takes"
        how = "the others: “none of these”, or a wrong answer; the next figures are for always answering"
        tiles.append(tile(gets.right, gets.right_interval95, f"answered correctly {where}", how))
    if across is not None and across.examples:
        tiles.append(tile(across.accuracy, across.interval95, "on held-out sessions", across.method))
    tiles.append(tile(found.accuracy, found.interval95, "on held-out takes", found.method))
    tiles.append(
        tile(found.random_split_accuracy, None, "a random split would claim", "too optimistic: do not trust it")
    )
    first = tiles[0].replace('class="tile"', 'class="tile first"', 1)
    return f'<div class="tiles">{first}{"".join(tiles[1:])}</div>{by_session(across)}'


def by_session(across: BySession | None) -> str:
    """Each session, recognized by what the others taught."""
    if across is None:
        return ""
    refuses = any(one.answered is not None for one in across.sessions)
    rows = [
        [f"session {one.session} {one.name}".strip()]
        + (["–" if one.answered is None else share(one.answered)] if refuses else [])
        + [share(one.accuracy), str(one.examples)]
        for one in across.sessions
    ]
    heads = [*(["answered correctly"] if refuses else []), "if it always answered" if refuses else "accuracy"]
    return section("Session by session", table(["trained on the others, tested on", *heads, "examples"], rows))


def advice(of: Contents) -> str:
    """The guide's sentences, the one that helps most first."""
    lines = [f"<p>{escape(of.advice[0].text)}.</p>{command(of, of.advice[0])}"]
    lines += [f'<p class="soft">Then: {escape(one.text)}.</p>{command(of, one)}' for one in of.advice[1:]]
    return f'<section class="advice"><h2>What to do next</h2>{"".join(lines)}</section>'


def command(of: Contents, said: Advice) -> str:
    """The command that removes what is wrong, where examples are named."""
    if said.kind not in ("mislabelled", "wrong-take"):
        return ""
    asked = "If so" if said.kind == "wrong-take" else "If their label is wrong"
    delete = remove([int(of.ids[row]) for row in said.examples])
    return f"<p>{asked}: {delete}</p>" if delete else ""


def remove(ids: Sequence[int]) -> str:
    """The command that forgets examples, as HTML; empty where none of them is of this device."""
    own = " ".join(str(number) for number in ids if number >= 0)
    command = as_called(f"`edge-tl examples remove --id {own}`", elsewhere=True)[1:-1]
    return f"<code>{escape(command)}</code>" if own else ""


def judged_parts(of: Contents) -> str:
    """Confusion, "none of these", calibration, learning curve, and the map."""
    parts: list[str] = []
    charts: list[str] = []
    if of.evaluation is not None and of.evaluation.examples:
        matrix = section("Confusion matrix", confusion(of.evaluation) + rejection(of, of.evaluation))
        (charts if len(of.evaluation.classes) <= NARROW else parts).append(matrix)
    if of.calibration is not None:
        text = (
            f"Of answers given with the confidence below, so many were right; the dashed line is as it should be. "
            f"They are {of.calibration.error:.1%} apart on average (expected calibration error). The numbers count "
            f"answers, each by a head that had not seen its {of.evaluation.headline.kind if of.evaluation else 'take'}."
        )
        charts.append(section("Is the confidence reliable?", calibration(of.calibration, "reliability") + note(text)))
    if of.curve:
        text = (
            "Taught with so many takes of each class, drawn at random, and asked about all others; the band is from "
            "the worst to the best draw. The last point is "
            f"{counted(round(of.curve[-1].examples), 'example')} of each class"
            + (", of long takes some." if of.curve_thinned else ".")
        )
        charts.append(section("Would more takes help?", curve(of.curve, "learning curve") + note(text)))
    elif of.evaluation is not None:
        charts.append(section("Would more takes help?", "<p>Record two classes with two takes each to see this.</p>"))
    if of.plane is not None:
        charts.append(section("Map of the examples", map_of(of)))
    if charts:
        parts.append(f'<div class="pair">{"".join(charts)}</div>')
    return "\n".join(parts)


def map_of(of: Contents) -> str:
    """The plane with a mark for each example, the suspects ringed."""
    assert of.plane is not None
    labels = sorted({str(label) for label in of.recorded.y})
    kinds = [labels.index(str(of.recorded.y[row])) for row in of.mapped]
    place = {int(row): i for i, row in enumerate(of.mapped)}
    suspected = of.evaluation.suspects if of.evaluation else ()
    ringed = frozenset(place[one.index] for one in suspected if one.index in place)
    legend = "".join(f"<span>{key(kind)}{escape(label)}</span>" for kind, label in enumerate(labels))
    text = (
        f"The plane in which the embeddings differ most holds {sum(of.plane.shares):.0%} of their variance; a head "
        "sees all of it. Rings: examples unlike their class."
    )
    return (
        scatter(of.plane.points, kinds, ringed, "map of the examples")
        + f'<div class="legend">{legend}</div>{note(text)}'
    )


def confusion(found: Evaluation) -> str:
    """The matrix as a coloured table."""
    counts = np.asarray(found.confusion)
    shown = np.arange(len(counts))
    text = ""
    if len(shown) > MAX_COLUMNS:
        wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
        shown = np.sort(np.argsort(-wrong, kind="stable")[:MAX_COLUMNS])
        text = note(f"The {MAX_COLUMNS} of {counted(len(counts), 'class', 'classes')} with the most mistakes.")
    head = "".join(f"<th>{escape(found.classes[i])}</th>" for i in shown)
    rows = []
    for i in shown:
        total = max(1, int(counts[i].sum()))
        cells = "".join(cell(int(counts[i, j]), counts[i, j] / total, i == j) for j in shown)
        label = found.classes[i]
        rows.append(f'<tr><th scope="row">{escape(label)}</th><td>{share(found.recall[label])}</td>{cells}</tr>')
    return (
        '<div class="wide"><table class="confusion"><caption>A row for each true class, a column for each '
        f"answer, on held-out takes</caption><thead><tr><th></th><th>recall</th>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>{text}"
    )


def cell(count: int, part: float, right: bool) -> str:
    """A count, the stronger coloured the larger its part of the row: blue where it is right, orange where not."""
    if not count:
        return '<td class="soft">·</td>'
    strength = 0.12 + 0.78 * part
    strong = ' class="strong"' if strength > 0.55 else ""
    return f'<td{strong} style="background:rgba(var(--{"good" if right else "bad"}),{strength:.2f})">{count}</td>'


def rejection(of: Contents, found: Evaluation) -> str:
    """What "none of these" costs, and for what it is off."""
    said = []
    if (gets := found.headline.answers) is not None:
        said.append(
            f"“None of these” is the answer for {gets.refused:.1%} of the test pictures, a wrong answer for "
            f"{gets.wrong:.1%}."
        )
    if of.rejection_off:
        said.append(f"“None of these” is off{of.rejection_off}.")
    return note(" ".join(said)) if said else ""


def suspects(of: Contents) -> str:
    """The examples that are unlike their class, with their pictures and the command that forgets them."""
    if of.evaluation is None or not of.evaluation.suspects:
        return ""
    figures = []
    for suspect, shot in zip(of.evaluation.suspects, of.suspects, strict=True):
        number = int(of.ids[suspect.index])
        name = "a lesson of another device" if number < 0 else str(number)
        words = f"{name}: labelled {suspect.label}, looks like {suspect.likely} (margin {suspect.margin:.0%})"
        figures.append(figure(shot, words))
    delete = remove([int(of.ids[suspect.index]) for suspect in of.evaluation.suspects])
    return section(
        "Examples that are unlike their class",
        f'<div class="shots">{"".join(figures)}</div><p>The reason may be a wrong label, or another place or light '
        f"too.{delete and f' To delete those whose label is wrong: {delete}'}</p>",
    )


def mistakes(of: Contents) -> str:
    """The worst mistakes, each beside what was taught, and why."""
    parts = []
    for one in of.mistakes:
        figures = "".join(figure(shot, words) for shot, words in one.pictures)
        causes = "".join(f"<li>{escape(text)}</li>" for text in one.causes) or "<li>none of the measured causes</li>"
        parts.append(f'<div class="shots">{figures}</div><ul>{causes}</ul>')
    if not parts:
        return ""
    left = "session" if of.evaluation is not None and of.evaluation.headline.kind == "session" else "take"
    first = (
        f"Each beside the nearest examples of its training set, which held out its {left}. The likeliest cause first."
    )
    return section("Why was it wrong? The surest mistakes", note(first) + "".join(parts))


def counts(of: Contents) -> str:
    """Examples and takes of each class, and in which session."""
    head = ["class", "examples", "takes", *(title for _, title in of.sessions)]
    y, sessions = of.recorded.y, of.recorded.sessions
    rows = []
    for label, (examples, takes) in of.counts.items():
        row = [label, str(examples), str(takes)]
        for number, _ in of.sessions if sessions is not None else ():
            row.append(str(int(((y == label) & (sessions == number)).sum())))
        rows.append(row)
    return table(head, rows)


def pictures(of: Contents) -> str:
    """A few pictures of each class."""
    labels = sorted({str(label) for label in of.recorded.y})
    parts = []
    for label, shots in of.pictures.items():
        figures = "".join(figure(shot, str(shot.example)) for shot in shots)
        body = f'<div class="shots">{figures}</div>' if shots else note("No files were kept, only embeddings.")
        parts.append(f"<h3>{key(labels.index(label))}{escape(label)}</h3>{body}")
    return "".join(parts)


def key(kind: int) -> str:
    """The mark of a class in a line of text."""
    return f'<svg class="key" viewBox="0 0 14 14" aria-hidden="true">{marker(kind, 7, 7, 4.5)}</svg>'
