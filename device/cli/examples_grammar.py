"""The grammar of `edge-tl examples`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from device.cli.arguments import positive, sentence
from edge_tl.store.layouts.choices import LAYOUTS, SPLITS


def add_examples(
    command: Callable[..., argparse.ArgumentParser],
    profile: argparse.ArgumentParser,
    model: argparse.ArgumentParser,
    describing: argparse.ArgumentParser,
    looking: argparse.ArgumentParser,
    base: argparse.ArgumentParser,
    turning: argparse.ArgumentParser,
) -> None:
    """Add the command with its actions; command: adds one to the grammar, the rest are options that actions share."""
    examples = command("examples", "list, import, type, export, remove and rename recorded examples")
    actions = examples.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, help_text: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=help_text, description=sentence(help_text), parents=[profile, *parents])

    action("list", "show all classes and sessions with their number of examples (with --json every example)")
    what_is_brought = (
        "add examples from a folder (CLASS/picture, train/CLASS/picture, YOLO, Pascal VOC …), a list, or TFJSSCDS"
    )
    bring = action("import", what_is_brought, model, describing, looking, base, turning)
    bring.add_argument("path", type=Path, metavar="PATH", help="the folder or file")
    bring.add_argument(
        "--sessions",
        action="store_true",
        help="the top-level folders are sessions (places or days): SESSION/CLASS/picture",
    )
    bring.add_argument("--images", type=Path, metavar="DIR", help="for a list: the folder that contains its pictures")
    bring.add_argument("--label", metavar="NAME", help="class of the file, or of all files in the folder")
    bring.add_argument(
        "--preview",
        action="store_true",
        help="show what would be imported (for long recordings every word) without importing it",
    )
    bring.add_argument("--movements", action="store_true", help="the videos in the folder show movements of a hand")
    bring.add_argument("--layout", choices=LAYOUTS, help="layout of the folder (default: detected)")
    bring.add_argument(
        "--split",
        choices=SPLITS,
        help="for train, valid, test …: merge them (default), or make each a session",
    )
    typed = action("type", "add words by their spelling, spoken by flite, festival, espeak-ng or piper", model, base)
    typed.add_argument("words", nargs="+", metavar="WORD", help="a word, or a short phrase in quotes")
    typed.add_argument("--language", metavar="LANG", help="en, de, ar … (default: English for words in Latin letters)")
    typed.add_argument("--label", metavar="NAME", help="one class for all of them (default: a class for each)")
    typed.add_argument(
        "--engine",
        nargs="+",
        choices=("flite", "festival", "espeak-ng"),
        default=[],
        help="speech synthesizer (default: the first of these that is installed and speaks the language)",
    )
    typed.add_argument("--piper", type=Path, metavar="VOICE", help="voice file for piper, NAME.onnx")
    take_out = action("export", "write the examples as files CLASS/TAKE/file, which import can read again")
    take_out.add_argument("path", type=Path, metavar="PATH", help="the folder to write; it is created if needed")
    take_out.add_argument(
        "--format",
        choices=("folder", "tfjsscds", "csv", "coco"),
        default="folder",
        help="folder (default), csv or coco: also a list of boxes; tfjsscds: words as a TensorFlow.js data set",
    )
    remove = action("remove", "delete the last take, single examples, a class, or a session")
    what = remove.add_mutually_exclusive_group(required=True)
    what.add_argument("--last-take", action="store_true", help="the last recorded take")
    what.add_argument("--label", metavar="LABEL", help="a class and all its examples")
    what.add_argument("--session", metavar="SESSION", help="a session, by number or name, and all its examples")
    what.add_argument(
        "--id", nargs="+", type=positive, metavar="ID", help="examples by their numbers from `list --json`"
    )
    rename = action("rename", "rename a class; with an existing name the two are merged")
    rename.add_argument("old", metavar="OLD", help="the present label (with --session: number or name of the session)")
    rename.add_argument("new", metavar="NEW", help="the new name")
    rename.add_argument("--session", action="store_true", help="rename a session, not a class")
    action(
        "re-embed",
        "compute all embeddings again, for another --model or --look",
        model,
        describing,
        looking,
    )
