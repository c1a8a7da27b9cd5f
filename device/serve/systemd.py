"""What systemd is told: ready, alive, how it goes. The protocol is sd_notify(3): datagrams to a Unix socket."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping


class Notify:
    """Sends to the socket of NOTIFY_SOCKET; does nothing where there is none, and never raises.

    environment: of the process. watchdog_s: how often systemd wants a sign of life, None where it does not.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # "@" stands for the NUL of an abstract name.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if address else None
        self.watchdog_s: float | None = None
        with contextlib.suppress(ValueError):
            if environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid()):
                self.watchdog_s = int(environment.get("WATCHDOG_USEC", "")) / 1e6

    def ready(self) -> None:
        """All is set up."""
        self._send("READY=1")

    def alive(self) -> None:
        """The loop goes round."""
        self._send("WATCHDOG=1")

    def status(self, line: str) -> None:
        """What `systemctl status` shows."""
        self._send(f"STATUS={line.splitlines()[0] if line else ''}")

    def stopping(self) -> None:
        """The end was asked for."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # a manager that went away is no reason to stop
                self._socket.sendto(text.encode(), socket.MSG_DONTWAIT, self._address)

    def close(self) -> None:
        """Free the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
