"""`edge-tl-host fleet`: the folder of a Flower app that adds up what devices learned."""

from __future__ import annotations

import argparse
from importlib import resources
from pathlib import Path
from typing import Any

from edge_tl.errors import ConfigError
from edge_tl.heads import ridge_sums

PACKAGE = "edge_tl_sums"
TOP = ("pyproject.toml", "README.md")
CODE = ("client_app.py", "server_app.py", "secure.py")
EXAMPLES = """\
example:
  edge-tl-host fleet sums
The README in the folder says what to install, and what runs where.
"""


def add_fleet(commands: Any) -> None:
    """Add it to the commands."""
    fleet = commands.add_parser(
        "fleet",
        help="make a Flower app in which devices add up what they learned",
        description="Write the folder of a Flower app (flwr 1.42): devices with edge-tl send sums of their examples, "
        "never the examples, and get back the head that all examples in one place would give.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fleet.add_argument(
        "folder", type=Path, metavar="DIR", help="the folder to write; it must not exist yet, or be empty"
    )


def make_fleet_app(folder: Path) -> list[Path]:
    """Write the app; the files. ConfigError where something is there already."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ConfigError(f"{folder} exists: name a new folder, or remove this one")
    own = resources.files("host_tools") / "flower_app"
    texts = {name: (own / name).read_text(encoding="utf-8") for name in TOP}
    texts |= {f"{PACKAGE}/{name}": (own / name).read_text(encoding="utf-8") for name in CODE}
    texts[f"{PACKAGE}/ridge_sums.py"] = Path(ridge_sums.__file__).read_text(encoding="utf-8")
    texts[f"{PACKAGE}/__init__.py"] = '"""Devices with edge-tl add up what they learned, on Flower."""\n'
    (folder / PACKAGE).mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def run_fleet(arguments: argparse.Namespace) -> int:
    """Write the app, and say what to do next."""
    make_fleet_app(arguments.folder)
    print(f"{arguments.folder}: a Flower app; {arguments.folder / 'README.md'} says how to run it")
    return 0
