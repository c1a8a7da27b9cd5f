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
        "--config",
        type=Path,
        metavar="FILE",
        help="the configuration, a TOML file (default: edge-tl.toml in this folder, otherwise /etc/edge-tl.toml)",
    )
    configured.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="folder in which profiles are stored (default: as configured)"
    )
    serve = command(
        "serve",
        "run as a service without a screen: report signs and words as events; teach it in a browser",
        configured,
    )
    serve.add_argument(
        "--camera", metavar="WHICH", help=f"use one camera instead of the configured pipelines: {CAMERA_HELP}"
    )
    serve.add_argument(
        "--mic", metavar="WHICH", help=f"use one microphone instead of the configured pipelines: {MIC_HELP}"
    )
    serve.add_argument(
        "--profile", metavar="NAME", help="profile for --camera (default: default) or for --mic (default: words)"
    )
    serve.add_argument(
        "--web", type=port, metavar="PORT", help="port of the web console, reachable from this computer only"
    )
    serve.add_argument("--check", action="store_true", help="only check the configuration and list all mistakes")
    status = command("status", "show the status of a running service", configured)
    status.add_argument("--socket", type=Path, metavar="FILE", help="socket of the service (default: as configured)")
    status.add_argument("--json", action="store_true", help="print JSON instead of text")

    install = command(
        "install-service", "install the service under systemd, in its own virtual environment (needs root)"
    )
    install.add_argument("--wheel", type=Path, metavar="FILE.whl", help="the wheel to install (default: this clone)")
    away = command("remove-service", "remove the service; profiles and configuration are kept (needs root)")
    away.add_argument(
        "--purge", action="store_true", help="also remove the profiles, the configuration and the system user"
    )
    for one in (install, away):
        one.add_argument("--dry-run", action="store_true", help="only print what would be done")
