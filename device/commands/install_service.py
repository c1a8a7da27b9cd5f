"""`edge-tl install-service` and `remove-service`: the service under systemd, and away again."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path

from device.serve.install import InstallError, InstallStep, removal, steps
from edge_tl.errors import ConfigError


def run(arguments: Namespace) -> int:
    """Do every step that is not done yet; with `--dry-run` only say them."""
    root = Path("/")
    if arguments.command == "install-service":
        return carry_out(steps(root, arguments.wheel), dry=arguments.dry_run)
    return carry_out(removal(root, purge=arguments.purge), dry=arguments.dry_run)


def carry_out(wanted: Iterable[InstallStep], *, dry: bool) -> int:
    """Say and do the steps; ConfigError where that needs root, InstallError where one fails."""
    if not dry and os.geteuid() != 0:
        raise ConfigError("this changes the system: run it with sudo, or look first with --dry-run")
    for step in wanted:
        if step.done():
            print(f"  already so: {step.what}")
        elif dry:
            print(f"  would {step.what}")
        else:
            print(f"  {step.what}", flush=True)
            try:
                step.do()
            except OSError as error:
                raise InstallError(f"cannot {step.what} ({error.strerror or error})") from error
    return 0
