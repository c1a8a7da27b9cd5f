"""`edge-tl bench`: what this machine does in a minute of measuring, beside what is predicted of a Raspberry Pi."""

from __future__ import annotations

import itertools
import json
import os
import platform
from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from device.cli.model_places import folder_of_models
from device.cli.output import Progress, say, warn
from device.pacman.game import Game
from device.pacman.maze import COMPACT
from device.speed.boards import Board, this_board
from device.speed.chosen import SpeedChoice, check_speed_folder, this_machine, write_speed
from device.speed.costs import FULL, PLAYABLE_FPS, missing, predicted, works
from device.speed.measured import Measurements, measure
from edge_tl.embedders.look.choices import ALL, NEEDS
from edge_tl.errors import counted

QUIET = 0.5
"""Of a core each, over the minute before: above it a machine is busy."""


def run(arguments: Namespace) -> int:
    """Measure, choose, remember, and say all three."""
    models = folder_of_models(arguments.data_dir, ALL)
    if not arguments.dry_run:
        check_speed_folder(arguments.data_dir)
    busy = os.getloadavg()[0]
    steps = itertools.count(1)
    with Progress("measuring", 3 + sum(not missing(way, models) for way in FULL)) as progress:
        found = measure(models, lambda what: progress(next(steps), what), {"game": game_step()})
    chosen = found.chosen(this_machine())
    if not arguments.dry_run:
        write_speed(arguments.data_dir, chosen)
    board = this_board()
    counted_works = works(models)
    said = predicted(counted_works, chosen.threads)
    cores = len(os.sched_getaffinity(0))
    if busy > QUIET * cores:
        warn(
            f"other programs are running (load {busy:.1f} on {counted(cores, 'core')}), so the measured times are too "
            "long: stop them and measure again"
        )
    if arguments.json:
        print(json.dumps(line(found, chosen, busy, said.get(board.name) if board else None), allow_nan=False))
        return 0
    say(*sentences(found, chosen, board, said))
    absent = sorted({which for way, which in NEEDS.items() if way in FULL and missing(way, models)})
    for which in absent:
        say(f"not measured, because the models are not installed: {which} (`edge-tl model get {which}`)")
    if arguments.dry_run:
        say("nothing was saved (--dry-run)")
    else:
        say(
            f"saved for this computer: {counted(chosen.threads, 'thread')}, {chosen.fps:.0f} answers per second; "
            "teach, play and serve use it unless --threads or --fps is given"
        )
    return 0


def game_step() -> Callable[[], object]:
    """A tick of the game."""
    game = Game(COMPACT, seed=1)

    def step() -> None:
        game.step("left")
        game.restart_if_over()

    return step


def sentences(
    found: Measurements, chosen: SpeedChoice, board: Board | None, said: dict[str, dict[str, dict[str, float]]]
) -> list[str]:
    """The table for a person."""
    numbers = list(next(iter(found.networks.values())))
    made = [f"{chosen.machine}, {found.backend}"]
    made.append(f"{'network':18}" + "".join(f"{counted(number, 'thread'):>12}" for number in numbers))
    made += [
        f"{name:18}" + "".join(f"{times[number]:9.2f} ms" for number in numbers)
        for name, times in found.networks.items()
    ]
    if found.int8_of_float is not None:
        faster = "faster" if found.int8_of_float < 1 else "slower"
        made.append(f"the embedder in int8 takes {found.int8_of_float:.2f} of that: {faster} here")
    theirs = f"{f'Pi {board.name}, predicted':>22}" if board else ""
    made.append(f"{'way to look':18}{'in full':>12}{'glanced at':>12}{'per second':>12}{theirs}")
    for way, one in found.ways.items():
        rate = chosen.answers_a_second(way)
        beside = f"{said[board.name][way]['full']:19.2f} ms" if board else ""
        made.append(f"{way:18}{one['full']:9.2f} ms{one['glanced']:9.2f} ms{rate:12.0f}{beside}")
    made += [f"{name:18}{value:9.2f} ms" for name, value in found.rest.items()]
    slow = [way for way in found.ways if (chosen.answers_a_second(way) or 0) < PLAYABLE_FPS]
    if slow:
        made.append(
            f"too slow for steering, below {PLAYABLE_FPS:.0f} per second: {', '.join(slow)}; `edge-tl doctor` says "
            "what to do"
        )
    return made


def line(
    found: Measurements, chosen: SpeedChoice, busy: float, said: dict[str, dict[str, float]] | None
) -> dict[str, Any]:
    """What somebody adds to docs/speed.jsonl, as one line."""

    def rounded(times: dict[Any, float]) -> dict[str, float]:
        return {str(name): round(value, 3) for name, value in times.items()}

    return {
        "machine": chosen.machine,
        "date": datetime.now(UTC).date().isoformat(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "runtime": found.backend,
        "load": round(busy, 1),
        "threads": chosen.threads,
        "fps": chosen.fps,
        "networks_ms": {name: rounded(times) for name, times in found.networks.items()},
        "int8_of_float": None if found.int8_of_float is None else round(found.int8_of_float, 2),
        "ways_ms": {way: rounded(times) for way, times in found.ways.items()},
        "rest_ms": rounded(found.rest),
        "predicted_ms": None if said is None else {way: rounded(times) for way, times in said.items()},
    }
