"""A real SSH connection over a link of so many bytes a second: sshd in a network of its own, `tc` at its end."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

SPACE, HERE, THERE = "edge-tl-link", "etl0", "etl1"
HERE_IP, THERE_IP = "10.77.0.1", "10.77.0.2"
PORT = 2222
NEEDED = ("ssh", "sshd", "ssh-keygen", "ip", "tc")
QUEUE_MS = 400
"""What waits at the narrow end before it is thrown away, as routers at home hold it."""


def lacking() -> str | None:
    """What this machine lacks for such a link; None where nothing is."""
    missing = [name for name in NEEDED if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    if missing:
        return f"no {', '.join(missing)} (apt install openssh-server iproute2)"
    return None if os.geteuid() == 0 else "a network of its own needs root"


class SshLink:
    """The link while the block lasts; rate: bytes a second that come from the program, None for all."""

    def __init__(self, rate: float | None) -> None:
        self.rate = rate
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._stack:
            self._network()
            self._server(Path(self._stack.enter_context(tempfile.TemporaryDirectory())))
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def command(self, argv: Sequence[str], folder: Path, environment: Mapping[str, str]) -> list[str]:
        """The command line that runs a program there, before a terminal as large as the one here."""
        there = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
        run = f"cd {shlex.quote(str(folder))} && exec env {there} {shlex.join(argv)}"
        options = [f"-o{option}" for option in ("StrictHostKeyChecking=no", "LogLevel=ERROR", "ControlPath=none")]
        options += [f"-oUserKnownHostsFile={os.devnull}", "-oIdentitiesOnly=yes"]
        return ["ssh", "-tt", "-F", os.devnull, "-i", str(self._key), "-p", str(PORT), *options, THERE_IP, run]

    def _network(self) -> None:
        self._stack.callback(ip, "netns", "del", SPACE)
        ip("netns", "add", SPACE)
        ip("link", "add", HERE, "type", "veth", "peer", "name", THERE, "netns", SPACE)
        self._stack.callback(ip, "link", "del", HERE)
        ip("addr", "add", f"{HERE_IP}/30", "dev", HERE)
        ip("link", "set", HERE, "up")
        ip("-n", SPACE, "addr", "add", f"{THERE_IP}/30", "dev", THERE)
        for device in ("lo", THERE):
            ip("-n", SPACE, "link", "set", device, "up")
        if self.rate is not None:
            bits = f"{round(8 * self.rate)}bit"
            shape = ["tbf", "rate", bits, "burst", "3000", "latency", f"{QUEUE_MS}ms"]
            ip("netns", "exec", SPACE, "tc", "qdisc", "add", "dev", THERE, "root", *shape)

    def _server(self, folder: Path) -> None:
        self._key = folder / "key"
        for name in ("key", "host"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        keys = folder / "authorized"
        keys.write_bytes(self._key.with_suffix(".pub").read_bytes())
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd's own, made at boot where it is a service
        options = [f"HostKey={folder / 'host'}", f"AuthorizedKeysFile={keys}", "StrictModes=no", "UsePAM=no"]
        options += [f"ListenAddress={THERE_IP}", "PermitRootLogin=yes", f"PidFile={folder / 'pid'}"]
        sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
        assert sshd is not None
        argv = ["ip", "netns", "exec", SPACE, sshd, "-D", "-e", "-f", os.devnull, "-p", str(PORT)]
        server = subprocess.Popen([*argv, *(f"-o{option}" for option in options)], stderr=subprocess.PIPE, text=True)
        self._stack.callback(server.wait)
        self._stack.callback(server.terminate)
        assert server.stderr is not None
        for line in server.stderr:
            if "Server listening" in line:
                return
        raise RuntimeError("sshd did not start")


def ip(*arguments: str) -> None:
    """`ip` of iproute2."""
    subprocess.run(["ip", *arguments], check=True)
