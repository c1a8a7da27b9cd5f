"""`edge-tl report`: all that is known of a profile, as one page for a browser."""

from __future__ import annotations

import os
import tempfile
import time
from argparse import Namespace
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from device.cli.output import Progress, print_json, say, warn
from device.commands.options import context_of
from device.report.boxes import advice, boxes_page
from device.report.contents import gather, provenance
from device.report.page import page
from device.teach.boxed import finds_boxes, learn, read_boxed
from edge_tl.detection.few import NAME, map_of
from edge_tl.errors import ConfigError
from edge_tl.labels import escape
from edge_tl.store.moments import in_words


def run(arguments: Namespace) -> int:
    """Write the page, whole or not at all."""
    out = arguments.out or Path(f"report-{escape(arguments.profile)}.html")
    check_writable(out)
    context = context_of(arguments)
    day = arguments.date or in_words(time.time(), "%Y-%m-%d")
    with ExitStack() as stack:
        embedder = context.load_embedder(movements=True)
        profile = context.open_profile(stack, writable=False)
        made = provenance(profile, context.profile, embedder, arguments.head, day)
        progress = stack.enter_context(Progress("evaluating on held-out examples"))
        if arguments.head is None and finds_boxes(profile, made.saved):
            map_of(embedder)
            made = replace(made, head=NAME)
            boxed = read_boxed(profile.store, progress.of)
            judged = learn(embedder, boxed, progress.of, progress.of)[1] if boxed.boxes else None
            text, kind, said = boxes_page(made, boxed, judged), "boxes", advice(boxed, judged)[0]
        else:
            contents = gather(profile, made, progress.of)
            text, kind, said = page(contents), contents.advice[0].kind, contents.advice[0].text
    for line in profile.warnings:
        warn(line)
    whole = text.encode("utf-8", "xmlcharrefreplace")
    write_whole(out, whole)
    if arguments.json:
        print_json({"report": str(out), "bytes": len(whole), "advice": {"kind": kind, "text": said}})
    else:
        say(f"{out}: {len(whole) // 1000} kB, open it in a browser", said)
    return 0


def check_writable(out: Path) -> None:
    """ConfigError where the page could not be written, before all the work."""
    if out.is_dir():
        raise ConfigError(f"{out} is a folder: name a file, e.g. --out {out / 'report.html'}")
    if out.exists() and not out.is_file():
        raise ConfigError(f"{out} is no ordinary file: name another with --out")
    if not out.parent.is_dir():
        raise ConfigError(f"there is no folder {out.parent}: make it, or name another file with --out")
    if not os.access(out.parent, os.W_OK):
        raise ConfigError(f"{out.parent} cannot be written: name another file with --out")


def write_whole(out: Path, text: bytes) -> None:
    """Write under another name and rename: who opens the page sees the old one or the new one, never half of it."""
    name = None
    try:
        with tempfile.NamedTemporaryFile(dir=out.parent, prefix=".report-", delete=False) as file:
            name = file.name
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, out)
    except OSError as error:
        if name is not None:
            with suppress(OSError):
                os.unlink(name)
        raise ConfigError(f"{out} cannot be written ({error.strerror}): name another file with --out") from error
