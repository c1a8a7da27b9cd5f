"""Who may use the web console: the token, and guesses that are counted."""

from __future__ import annotations

import hmac
import os
import secrets
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path

from device.serve.private_files import check_closed
from edge_tl.errors import ConfigError, counted
from edge_tl.files import sync_folder

GUESSES, GUESS_S = 10, 60.0
"""Wrong tokens in a minute after which an address is told to wait; the right one is 2^256 guesses away, and always
right: who guesses must not lock out who knows it."""
MAX_GUESSERS = 1024
"""Addresses that are remembered."""
MIN_TOKEN = 16


def token_of(path: Path) -> str:
    """The token in a file, which is made (0640) where it is missing; ConfigError where it cannot be used."""
    try:
        if not path.exists():
            _make_token(path)
        token = path.read_text(encoding="utf-8").strip()
        check_closed(path, "token_file")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"token_file {path} cannot be used ({error}): check [web]") from error
    if len(token) < MIN_TOKEN or not token.isascii():
        raise ConfigError(
            f"token_file {path} holds {counted(len(token), 'character')}: {MIN_TOKEN} and more of ASCII are wanted"
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
    """Checks tokens in constant time, and counts the guesses of each address.

    token: None where everybody who reaches the address may use it. clock: seconds, monotonic.
    """

    def __init__(self, token: str | None, clock: Callable[[], float]) -> None:
        self._token, self._clock = token, clock
        self._wrong: dict[str, deque[float]] = {}
        """Address → when its last wrong tokens came; who guessed longest ago first."""

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
        while len(self._wrong) > MAX_GUESSERS:
            del self._wrong[next(iter(self._wrong))]
        return False
