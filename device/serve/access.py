"""Who may use the web console: the token, the sessions that it opened, and guesses that are counted."""

from __future__ import annotations

import hmac
import ipaddress
import os
import secrets
import socket
import tempfile
from collections import deque
from collections.abc import Callable, Collection
from pathlib import Path

from device.serve.private_files import check_closed
from edge_tl.errors import ConfigError, counted
from edge_tl.files import sync_folder

SESSION_S = 30 * 86_400.0
MOST_SESSIONS = 64
GUESSES, GUESS_S = 10, 60.0
"""Wrong tokens in a minute after which an address is told to wait; the right one is 2^256 guesses away, and always
right: who guesses must not lock out who knows it."""
MOST_GUESSERS = 1024
"""Addresses that are remembered."""
LEAST_TOKEN = 16


def token_of(path: Path) -> str:
    """The token in a file, which is made (0640) where it is missing; ConfigError where it cannot be used."""
    try:
        if not path.exists():
            _make_token(path)
        token = path.read_text(encoding="utf-8").strip()
        check_closed(path, "token_file")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"token_file {path} cannot be used ({error}): check [web]") from error
    if len(token) < LEAST_TOKEN or not token.isascii():
        raise ConfigError(
            f"token_file {path} holds {counted(len(token), 'character')}: {LEAST_TOKEN} and more of ASCII are wanted"
        )
    return token


def _make_token(path: Path) -> None:
    """Write a new token: the file is there whole, or it is not there. OSError where the disk does not take it."""
    descriptor, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(descriptor, 0o640)
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(descriptor)
        os.replace(new, path)
    except BaseException:
        os.unlink(new)
        raise
    sync_folder(path.parent)


class Access:
    """Checks tokens in constant time, keeps the sessions in memory, and counts the guesses of each address.

    token: None where everybody who reaches the address may use it. clock: seconds, monotonic.
    """

    def __init__(self, token: str | None, clock: Callable[[], float]) -> None:
        self._token, self._clock = token, clock
        self._sessions: dict[str, float] = {}
        self._wrong: dict[str, deque[float]] = {}
        """Address → when its last wrong tokens came; who guessed longest ago first."""

    @property
    def needed(self) -> bool:
        """Whether a token is asked for."""
        return self._token is not None

    def blocked(self, address: str) -> bool:
        """Whether too many wrong tokens came from an address in the last minute."""
        wrong = self._wrong.get(address)
        return wrong is not None and len(wrong) == GUESSES and self._clock() - wrong[0] < GUESS_S

    def right(self, token: str, address: str) -> bool:
        """Whether this is the token; a wrong one is counted for the address that sent it."""
        if self._token is None:
            return True
        if hmac.compare_digest(token.encode("utf-8", "replace"), self._token.encode()):
            self._wrong.pop(address, None)
            return True
        wrong = self._wrong.pop(address, None) or deque(maxlen=GUESSES)
        wrong.append(self._clock())
        self._wrong[address] = wrong
        while len(self._wrong) > MOST_GUESSERS:
            del self._wrong[next(iter(self._wrong))]
        return False

    def open_session(self) -> str:
        """A new session, for who sent the token; the oldest beyond MOST_SESSIONS ends."""
        name = secrets.token_urlsafe(32)
        self._sessions[name] = self._clock() + SESSION_S
        while len(self._sessions) > MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        return name

    def close_session(self, name: str) -> None:
        """It is not valid any more."""
        self._sessions.pop(name, None)

    def session(self, name: str) -> bool:
        """Whether this session is open."""
        return self._token is None or self._sessions.get(name, -1.0) > self._clock()


def host_allowed(header: str, listen: str, hosts: Collection[str]) -> bool:
    """Whether a Host header is one of ours: an address, localhost, this machine's name, or one of `hosts`.

    A name that somebody else's DNS gave our address is none, so that no page of theirs is taken for ours (DNS
    rebinding). On loopback only loopback's own names are.
    """
    name = header.rsplit(":", 1)[0] if header.rsplit(":", 1)[-1].isdigit() else header
    name = name.strip("[]").lower()
    if name in {"localhost", *map(str.lower, hosts)}:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        own = socket.gethostname().lower()
        return listen not in ("127.0.0.1", "::1", "localhost") and name in (own, f"{own}.local")
    return address.is_loopback or listen not in ("127.0.0.1", "::1", "localhost")
