"""The options of a command as the values that everything below it takes: here the last of argparse is seen."""

from __future__ import annotations

import os
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from device.assembly import Context
from device.sources.choose import is_stdin
from device.speed.chosen import read_speed
from edge_tl.embedders.foreign import ModelHints
from edge_tl.embedders.hearing import SPEECH, Hearing
from edge_tl.embedders.look.choices import Look
from edge_tl.errors import ConfigError
from edge_tl.line.budget import Budget
from edge_tl.store.settings import read_hearing


def context_of(arguments: Namespace) -> Context:
    """The context of a command that has `--data-dir`, `--profile`, `--model` and `--threads`.

    Where no threads are given, as many as `edge-tl bench` chose for this machine.
    """
    threads = arguments.threads
    if threads is None and (chosen := read_speed(arguments.data_dir)) is not None:
        threads = chosen.threads
    return Context(arguments.data_dir, arguments.profile, arguments.model, threads)


def asked_budget(fps: float | None, data_dir: Path) -> Budget | None:
    """The budget of `--fps`, where it was not given of what `edge-tl bench` chose; None to look at all in full."""
    if fps is None:
        chosen = read_speed(data_dir)
        return None if chosen is None else Budget(chosen.fps)
    return Budget(fps) if fps else None


def describing(arguments: Namespace) -> Context:
    """The same of a command that also has the options which describe a model file."""
    return replace(context_of(arguments), given=given_of(arguments))


def given_of(arguments: Namespace) -> ModelHints:
    """What these options say of a model file; its labels are an option of their own."""
    return ModelHints(arguments.scaling, arguments.colour_order, arguments.resize, arguments.size)


def asked_look(arguments: Namespace, remembered: Look) -> Look:
    """The way to look of `--look`, `--box` and `--hands`; what they leave open is as remembered."""
    if arguments.look is None:
        if arguments.box is not None or arguments.hands is not None:
            option, way = ("--box", "box") if arguments.box is not None else ("--hands", "hand")
            raise ConfigError(f"{option} was given without --look: give --look {way} too")
        return remembered
    same = arguments.look == remembered.way
    box = arguments.box or (remembered.box if same else None)
    return Look(arguments.look, box, arguments.hands or (remembered.hands if same else "largest"))


def asked_hearing(arguments: Namespace, context: Context) -> Hearing | None:
    """The base of `--base`, opened as far as the profile has it; None where it was not given."""
    if arguments.base is None:
        return None
    base = arguments.base if arguments.base == SPEECH else os.path.abspath(arguments.base)
    remembered = read_hearing(context.profile_folder)
    return remembered if remembered is not None and remembered.base == base else Hearing(base)


def first_given(arguments: Namespace, *names: str) -> str | None:
    """The first of these options that was given, as it is written (`--labels-file`); None where none was."""
    for name in names:
        value = vars(arguments)[name]
        if value is not None and value is not False and value != []:
            return f"--{name.replace('_', '-')}"
    return None


def check_keys(mic: str | None) -> None:
    """ConfigError where sound comes through standard input and keys are wanted from there too."""
    if mic is not None and is_stdin(mic):
        raise ConfigError(
            "--mic -: the keys come from standard input here: give a FIFO (`mkfifo mic; arecord > mic &`, then "
            "--mic ./mic), or use `edge-tl listen`"
        )
