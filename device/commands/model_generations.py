"""`edge-tl model generations`, `roll-back` and `roll-forward`: what was trained, and which of it is asked."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from device.assembly import Context
from device.cli.output import Progress, print_json, say, warn
from device.cli.stopping import stoppable
from device.teach.generation_fit import Fit, bring_back, roll_back, roll_forward
from edge_tl.errors import EdgeTLError, ProfileError, counted
from edge_tl.store.generations import Generation
from edge_tl.store.moments import in_words


def run(arguments: Namespace) -> int:
    """List them, after another one was made current where that is asked for; 130 where Ctrl-C ended that."""
    context = Context(arguments.data_dir, arguments.profile)
    wanted = arguments.use if arguments.action == "generations" else None
    with ExitStack() as stack:
        profile = context.open_profile(stack, writable=wanted is not None or arguments.action != "generations")
        if not profile.generations():
            raise ProfileError(f"profile {arguments.profile!r} was not trained yet: run `edge-tl train`")
        fits = Fit(context, profile)
        embedded = 0
        if arguments.action == "roll-back":
            roll_back(profile, fits)
        elif arguments.action == "roll-forward":
            roll_forward(profile, fits)
        elif wanted is not None:
            with Progress("embedding again") as progress, stoppable() as stopped:

                def step(done: int, total: int) -> bool:
                    progress.of(done, total)
                    return stopped()

                embedded = bring_back(context, profile, wanted, step)
            if stopped():
                have = counted(embedded, "example was", "examples were")
                warn(f"stopped; {have} embedded again, run it again for the rest")
                return 130
            fits = Fit(context, profile)  # it looks with something else now
        rows = [described(one, fits) for one in profile.generations()]
        current = next((one.number for one in profile.generations() if one.usable), None)
    for row in rows:
        row["current"] = row["number"] == current
    if arguments.json:
        print_json(rows)
        return 0
    if embedded:
        say(f"embedded {counted(embedded, 'example')} anew")
    for row in rows:
        say(line(row))
        if row["misfit"]:
            say(f"      {row['misfit']}")
    return 0


def described(generation: Generation, fits: Fit) -> dict[str, Any]:
    """What is said of one, and why it cannot be asked now, where it cannot; None where nobody knows."""
    try:
        misfit: str | None = fits.misfit(generation)
    except EdgeTLError:  # what the profile looks with cannot be opened: the list is told all the same
        misfit = None
    return asdict(generation) | {"misfit": misfit}


def line(row: dict[str, Any]) -> str:
    """A generation in one line."""
    if not row["ok"]:
        return f"{row['number']:4}  damaged"
    accuracy = "" if row["accuracy"] is None else f"  accuracy {row['accuracy']:.1%}"
    if row["boxes"]:
        accuracy = "" if row["mean_iou"] is None else f"  mean IoU {row['mean_iou']:.2f}"
    state = "  current" if row["current"] else "  set aside" if row["rolled_back"] else ""
    return f"{row['number']:4}  {in_words(row['time_s'])}  {row['head']}{accuracy}{state}"
