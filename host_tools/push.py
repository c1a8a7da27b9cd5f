"""`edge-tl-host push`: a converted model from this machine into use on a device, by the ssh that is set up already."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_tl.embedders.tflite import TFLiteEmbedder
from edge_tl.errors import ConfigError

INCOMING = ".cache/edge-tl-push"
"""Where it arrives, below the home of the user there."""
SERVICE = "/opt/edge-tl/bin/edge-tl"
STATE = "/var/lib/edge-tl"
Run = Callable[[Sequence[str]], int]


def run_here(command: Sequence[str]) -> int:
    """Run a program with this terminal, so that ssh can ask for a password; its exit code."""
    try:
        return subprocess.run(command, check=False).returncode
    except OSError as error:
        raise ConfigError(
            f"{command[0]} cannot be run ({error.strerror}): sudo apt install openssh-client rsync"
        ) from error


def push(
    folder: Path, host: str, profile: str, *, service: bool, edge_tl: str, force: bool, run: Run = run_here
) -> int:
    """Check the model here, copy it, and have the device take it into use; the exit code of `edge-tl model use` there.

    host: USER@HOST, as ssh takes it. service: whether the service holds the profile: it is stopped and started again,
    with sudo. edge_tl: the command there. ConfigError for a host that is none, or where copying fails.
    """
    if host.startswith("-") or not host.strip() or any(character.isspace() for character in host):
        raise ConfigError(f"{host!r} is no host: USER@HOST is wanted, as ssh takes it")
    embedder = TFLiteEmbedder.load(folder, threads=1)  # its hash, shapes and scaling are checked
    place = f"{INCOMING}/{embedder.fingerprint[:12]}"
    if run(["ssh", host, f"mkdir -p {place}"]) != 0:
        raise ConfigError(f"{host} cannot be reached: check that `ssh {host}` works")
    if run(["rsync", "-a", "--delete", f"{folder.resolve()}/", f"{host}:{place}/"]) != 0:
        raise ConfigError(f"the model could not be copied to {host}: is rsync installed there?")
    return run(["ssh", "-t", host, _orders(place, profile, service, edge_tl, force)])


def _orders(place: str, profile: str, service: bool, edge_tl: str, force: bool) -> str:
    """What the device's shell is to do."""
    more = f"--profile {shlex.quote(profile)}" + (" --force" if force else "")
    if not service:
        return f"{shlex.quote(edge_tl)} model use {place} {more}"
    incoming = f"{STATE}/incoming"
    return (
        "set -e; sudo systemctl stop edge-tl; trap 'sudo systemctl start edge-tl' EXIT; "
        f"sudo rm -rf {incoming}; sudo cp -r {place} {incoming}; sudo chown -R edge-tl:edge-tl {incoming}; "
        f"sudo -u edge-tl env HOME={STATE} {SERVICE} model use {incoming} --data-dir {STATE} {more}"
    )
