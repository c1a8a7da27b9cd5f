"""What the command line takes for the service: serve, status, install-service, remove-service."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from device.cli.arguments import CAMERA_HELP, MIC_HELP, port


def add_service(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands; `command(name, help, *parents)` makes one."""
    configured = argparse.ArgumentParser(add_help=False)
    configured.add_argument(
        "--config", type=Path, metavar="FILE", help="a TOML file (default: edge-tl.toml here, else /etc/edge-tl.toml)"
    )
    configured.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="where profiles are kept (default: as configured)"
    )
    serve = command("serve", "run without a screen: tell what is seen and heard, be taught from a browser", configured)
    serve.add_argument("--camera", metavar="WHICH", help=f"one pipeline instead of the file's: {CAMERA_HELP}")
    serve.add_argument("--mic", metavar="WHICH", help=f"one pipeline instead of the file's: {MIC_HELP}")
    serve.add_argument("--profile", metavar="NAME", help="of --camera (default: default) or of --mic (default: words)")
    serve.add_argument("--web", type=port, metavar="PORT", help="the console in a browser, on this machine only")
    serve.add_argument("--check", action="store_true", help="read the configuration, say whether it is good, and end")
    status = command("status", "say how a running service does", configured)
    status.add_argument("--socket", type=Path, metavar="FILE", help="its socket (default: as configured)")
    status.add_argument("--json", action="store_true", help="print JSON instead of text")

    install = command("install-service", "install the service under systemd, in an environment of its own (root)")
    install.add_argument("--wheel", type=Path, metavar="FILE.whl", help="what to install (default: this checkout)")
    away = command("remove-service", "take the service away; what was taught and configured stays (root)")
    away.add_argument("--purge", action="store_true", help="remove what was taught, the configuration and the user too")
    for one in (install, away):
        one.add_argument("--dry-run", action="store_true", help="only say what would be done")
