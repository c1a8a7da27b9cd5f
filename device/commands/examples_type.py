"""`edge-tl examples type`: words taught by their spelling, spoken by the voices that are installed."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict

from device.assembly import adopt_hearing
from device.cli.output import Progress, print_json, say, warn
from device.cli.stopping import stoppable
from device.commands.options import asked_hearing, context_of
from device.teach.typed import type_word
from device.teach.voices import asked_language, speaking
from edge_tl.embedders.embedder import SoundEmbedder
from edge_tl.embedders.hearing import Hearing, open_base
from edge_tl.store.settings import read_hearing
from edge_tl.words.typing import typed_text

FLITE = (
    "with flite's voices English words brought fewer false alarms where that was counted: `sudo apt install flite`, "
    "and type them again"
)


def run(arguments: Namespace, stack: ExitStack) -> int:
    """Type each word; what may be wrong with any of them is found out before a new profile is made."""
    texts = [typed_text(word) for word in arguments.words]
    language = asked_language(arguments.language, texts)
    speakers = speaking(language, arguments.engine, arguments.piper)
    context = context_of(arguments)
    hearing = asked_hearing(arguments, context) or read_hearing(context.profile_folder)
    embedder: SoundEmbedder = open_base(hearing or Hearing(), context.threads)
    profile = context.open_profile(stack, writable=True, make=True)
    adopt_hearing(profile, hearing)
    made = []
    for word in arguments.words:
        with Progress(f"speaking {word}") as progress, stoppable() as stopped:

            def step(done: int, total: int, bar: Progress = progress, ended: Callable[[], bool] = stopped) -> bool:
                bar.of(done, total)
                return ended()

            one = type_word(profile.store, embedder, word, arguments.label, speakers, context.typed_folder, step)
        if one is None:
            warn(f"stopped before {word!r} was typed")
            return 130
        made.append(one)
        for line in one.failed:
            warn(line)
    if arguments.json:
        print_json({"language": language, "typed": [asdict(one) for one in made]})
        return 0
    say(*(one.line() for one in made))
    if any(one.takes for one in made):
        advice = next((one.advice for one in made if one.takes and one.advice), "")
        say(f"run `edge-tl train` to apply it{advice}" + (" (`edge-tl teach`)" if advice else ""))
    if language.partition("-")[0] == "en" and not arguments.engine and speakers[0][0].name not in ("flite", "piper"):
        say(FLITE)
    return 0
