"""Who may use the web console: the token, the sessions that it opened, and guesses that are counted."""

from __future__ import annotations

import hmac
import ipaddress
import os
import secrets
import socket
import stat
from collections import deque
from collections.abc import Callable, Collection
from pathlib import Path

from edge_tl.errors import ConfigError, counted
from edge_tl.files import sync_folder

SESSION_S = 30 * 86_400.0
MOST_SESSIONS = 64
GUESSES, GUESS_S = 10, 60.0
"""Wrong tokens that are looked at in a minute, whoever sends them; the right one is 2^256 guesses away."""
LEAST_TOKEN = 16


def token_of(path: Path) -> str:
    """The token in a file, which is made (0640) where it is missing; ConfigError where it cannot be used."""
    try:
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
            with os.fdopen(descriptor, "w") as file:
                os.fchmod(descriptor, 0o640)
                file.write(secrets.token_urlsafe(32) + "\n")
                file.flush()
                os.fsync(descriptor)
            sync_folder(path.parent)
        token = path.read_text(encoding="utf-8").strip()
        open_to_all = bool(path.stat().st_mode & stat.S_IRWXO)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"token_file {path} cannot be used ({error}): check [web]") from error
    if open_to_all:
        raise ConfigError(f"token_file {path} can be read by everybody: chmod 0640 {path}")
    if len(token) < LEAST_TOKEN or not token.isascii():
        raise ConfigError(
            f"token_file {path} holds {counted(len(token), 'character')}: {LEAST_TOKEN} and more of ASCII are wanted"
        )
    return token


class Access:
    """Checks tokens in constant time, keeps the sessions in memory, and stops listening to who guesses.

    token: None where everybody who reaches the address may use it. clock: seconds, monotonic.
    """

    def __init__(self, token: str | None, clock: Callable[[], float]) -> None:
        self._token, self._clock = token, clock
        self._sessions: dict[str, float] = {}
        self._wrong: deque[float] = deque(maxlen=GUESSES)

    @property
    def needed(self) -> bool:
        """Whether a token is asked for."""
        return self._token is not None

    def blocked(self) -> bool:
        """Whether too many wrong tokens came in the last minute."""
        return len(self._wrong) == GUESSES and self._clock() - self._wrong[0] < GUESS_S

    def right(self, token: str) -> bool:
        """Whether this is the token; a wrong one is counted. Nothing is right while `blocked`."""
        if self._token is None:
            return True
        if self.blocked():
            return False
        if hmac.compare_digest(token.encode("utf-8", "replace"), self._token.encode()):
            return True
        self._wrong.append(self._clock())
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
