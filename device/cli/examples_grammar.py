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

    action("list", "show every class and session with its counts (and with --json every example)")
    what_is_brought = "add a folder (CLASS/picture, train/CLASS/picture, YOLO, Pascal VOC …), a list, or TFJSSCDS"
    bring = action("import", what_is_brought, model, describing, looking, base, turning)
    bring.add_argument("path", type=Path, metavar="PATH", help="the folder or file")
    bring.add_argument(
        "--sessions", action="store_true", help="the folders at the top are places or days: SESSION/CLASS/picture"
    )
    bring.add_argument("--images", type=Path, metavar="DIR", help="of a list: the folder in which its pictures lie")
    bring.add_argument("--label", metavar="NAME", help="what a file, or all files of a folder, show or hold")
    bring.add_argument(
        "--preview", action="store_true", help="say what would be kept, of long recordings each word, and keep nothing"
    )
    bring.add_argument("--movements", action="store_true", help="the folder's films show movements of a hand")
    bring.add_argument("--layout", choices=LAYOUTS, help="how the folder is laid out (default: found out)")
    bring.add_argument(
        "--split",
        choices=SPLITS,
        help="of train, valid, test …: all as one (default), or each as a session of its own",
    )
    typed = action("type", "teach words by their spelling, spoken by flite, festival, espeak-ng or piper", model, base)
    typed.add_argument("words", nargs="+", metavar="WORD", help="a word, or a short phrase in quotes")
    typed.add_argument("--language", metavar="LANG", help="en, de, ar … (default: English, of Latin letters)")
    typed.add_argument("--label", metavar="NAME", help="the class that all of them teach (default: each its own)")
    typed.add_argument(
        "--engine",
        nargs="+",
        choices=("flite", "festival", "espeak-ng"),
        default=[],
        help="who speaks (default: the first of these that is installed and speaks the language)",
    )
    typed.add_argument("--piper", type=Path, metavar="VOICE", help="a voice of piper, a file NAME.onnx")
    take_out = action("export", "write the files as CLASS/TAKE/file, which import reads again")
    take_out.add_argument("path", type=Path, metavar="PATH", help="the folder; made when it is not there")
    take_out.add_argument(
        "--format",
        choices=("folder", "tfjsscds", "csv", "coco"),
        default="folder",
        help="folder (default), a list of boxes beside it too, or words as a browser's data set",
    )
    remove = action("remove", "forget the last take, single examples, or a whole class")
    what = remove.add_mutually_exclusive_group(required=True)
    what.add_argument("--last-take", action="store_true", help="the take recorded last")
    what.add_argument("--label", metavar="LABEL", help="a class and all its examples")
    what.add_argument("--session", metavar="SESSION", help="a session, by number or name, and all its examples")
    what.add_argument("--id", nargs="+", type=positive, metavar="ID", help="examples by the number `list --json` shows")
    rename = action("rename", "give a class another name; an existing name merges the two")
    rename.add_argument("old", metavar="OLD", help="the label now (with --session: its number or name)")
    rename.add_argument("new", metavar="NEW", help="the name wanted")
    rename.add_argument("--session", action="store_true", help="rename a session, not a class")
    action(
        "re-embed",
        "compute all embeddings anew, after the model or the way to look was changed",
        model,
        describing,
        looking,
    )
