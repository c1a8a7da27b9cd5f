"""The grammar of `edge-tl fleet`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from device.cli.arguments import sentence


def add_fleet(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command with its actions; `command(name, help)` makes one."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the configuration, a TOML file (default: edge-tl.toml in this folder, otherwise /etc/edge-tl.toml)",
    )
    shared.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="folder in which profiles are stored (default: as configured)"
    )
    shared.add_argument("--json", action="store_true", help="print JSON instead of text")
    fleet = command(
        "fleet", "devices that learn from each other: keys, status, ignoring a device, withdrawing a lesson"
    )
    actions = fleet.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, help_text: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=help_text, description=sentence(help_text), parents=[shared])

    action("keys", "print the public key of this device for [fleet.trusted] of the others; create it if there is none")
    action("status", "show the devices of the fleet, the lessons that they shared, and their accuracy")
    aside = action("aside", "stop using the lessons of a device")
    accept = action("accept", "use the lessons of a device that waits for approval or was set aside")
    undo = action("undo", "forget what was decided about a device by aside or accept; the configuration decides again")
    for one in (aside, accept, undo):
        one.add_argument("device", metavar="DEVICE", help="its name or id, as in `edge-tl fleet status`")
    forget = action("forget", "withdraw a lesson of this device from all others; its examples are kept here")
    forget.add_argument("lesson", metavar="LESSON", help="its first digits, as in `edge-tl fleet status`")
