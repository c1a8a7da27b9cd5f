"""`edge-tl backup`: a whole profile in one file."""

from __future__ import annotations

import time
from argparse import Namespace
from contextlib import ExitStack

from device.assembly import Context
from device.cli.output import print_json, say
from edge_tl.store.backup import write_backup


def run(arguments: Namespace) -> int:
    """Write the file, also while a service teaches the profile."""
    with ExitStack() as stack:
        profile = Context(arguments.data_dir, arguments.profile).open_profile(stack, writable=False)
        size_bytes = write_backup(profile, arguments.profile, arguments.path, time.time())
    if arguments.json:
        print_json({"file": str(arguments.path), "bytes": size_bytes})
    else:
        say(f"{arguments.path}: profile {arguments.profile!r}, {size_bytes / 1e6:.1f} MB")
    return 0
