"""A real sshd on a port of loopback that lets in one key, and ssh and rsync that know the way as `pi@device`."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
LONG_S = 30.0
CONFIG = """ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
ForceCommand cd {home} && HOME={home} exec sh -c "$SSH_ORIGINAL_COMMAND"
"""
CLIENT = """Host device
HostName 127.0.0.1
Port {port}
User {user}
IdentityFile {folder}/user
IdentitiesOnly yes
BatchMode yes
UserKnownHostsFile {folder}/known
"""


def missing() -> str:
    """What is not installed, with the command that mends it; empty where all is there."""
    tools = {"sshd": SSHD, "ssh": shutil.which("ssh"), "rsync": shutil.which("rsync")}
    gone = [name for name, path in tools.items() if path is None]
    return f"{' and '.join(gone)} not installed: apt install openssh-server openssh-client rsync" if gone else ""


@contextlib.contextmanager
def reachable(folder: Path, home: Path) -> Iterator[Path]:
    """While it lasts, programs in the folder that is given are ssh and rsync that reach `home` as `pi@device`."""
    assert SSHD is not None
    programs = folder / "bin"
    programs.mkdir(parents=True)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(CONFIG.format(port=port, folder=folder, home=home))
    (folder / "ssh_config").write_text(CLIENT.format(port=port, folder=folder, user=getpass.getuser()))
    (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    # The ssh that rsync calls is this one too. `-l pi` gives way to the user who runs the tests.
    (programs / "ssh").write_text(
        f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config -o User={getpass.getuser()} "$@"\n'
    )
    (programs / "ssh").chmod(0o755)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with subprocess.Popen(
        [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = ""
        while "Server listening" not in said:
            line = process.stderr.readline()
            assert line, f"sshd did not start: {said}"
            said += line
        try:
            yield programs
        finally:
            process.terminate()
            process.stderr.read()
