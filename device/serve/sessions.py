"""Who is logged in at the console, kept over a restart: a file of seconds that are left, which no wall clock ends.

The file holds no name that opens anything, only what a name becomes under the token as a key; so another token ends all
sessions.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

from edge_tl.files import DAMAGE, PRIVATE, read_limited, sync_folder, write_synced

SESSION_S = 30 * 86_400.0
"""Of time in which the service ran."""
MAX_SESSIONS = 64
FILE_NAME = "console-sessions.json"
SAVED_S = 3_600.0
"""What is left is written down so often at most; a kill forgets no more time than that."""
MAX_BYTES = 64 * 1024


class Sessions:
    """Names that were given to browsers, each for a time. Any thread may call it.

    token: the key. clock: seconds, monotonic. path: the file; None keeps them in memory only, as a disk does that takes
    nothing, which is said once. log: takes a line.
    """

    def __init__(
        self, token: str, clock: Callable[[], float], path: Path | None = None, log: Callable[[str], None] = print
    ) -> None:
        self._key, self._clock, self._path, self._log = token.encode(), clock, path, log
        self._lock = threading.Lock()
        self._ends_s: dict[str, float] = {}
        """What a name becomes → when it ends, on the clock; the oldest first."""
        self._saved_s, self._said = clock(), False
        if path is not None and path.exists():
            self._ends_s = self._read(path)

    def open(self) -> str:
        """The name of a new one; the oldest beyond MAX_SESSIONS ends."""
        name = secrets.token_urlsafe(32)
        with self._lock:
            self._ends_s[self._kept(name)] = self._clock() + SESSION_S
            while len(self._ends_s) > MAX_SESSIONS:
                del self._ends_s[next(iter(self._ends_s))]
            self._save()
        return name

    def close(self, name: str) -> None:
        """It is not valid any more."""
        with self._lock:
            if self._ends_s.pop(self._kept(name), None) is not None:
                self._save()

    def valid(self, name: str) -> bool:
        """Whether a name is that of an open one."""
        with self._lock:
            return self._ends_s.get(self._kept(name), float("-inf")) > self._clock()

    def keep(self, *, soon: bool = False) -> None:
        """Write down what is left of each, where that was long ago; soon: in any case."""
        with self._lock:
            if self._ends_s and (soon or self._clock() - self._saved_s > SAVED_S):
                self._save()

    def _kept(self, name: str) -> str:
        return hmac.digest(self._key, b"session " + name.encode("utf-8", "replace"), "sha256").hex()

    def _save(self) -> None:
        self._saved_s = now_s = self._clock()
        if self._path is None:
            return
        left = {kept: round(end_s - now_s, 1) for kept, end_s in self._ends_s.items() if end_s > now_s}
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            fresh.unlink(missing_ok=True)
            write_synced(fresh, json.dumps({"key": self._kept(""), "left_s": left}).encode(), PRIVATE)
            os.replace(fresh, self._path)
            sync_folder(self._path.parent)
            self._said = False
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            if not self._said:
                self._said = True
                self._log(
                    f"{self._path} cannot be written ({error.strerror}): after a restart the console asks for the token"
                )

    def _read(self, path: Path) -> dict[str, float]:
        """What the file says; nothing, and a line, where it is damaged, and nothing where the token is another one."""
        try:
            said = json.loads(read_limited(path, MAX_BYTES))
            if said["key"] != self._kept(""):
                return {}
            now_s = self._clock()
            return {
                str(kept): now_s + min(float(left_s), SESSION_S)
                for kept, left_s in list(said["left_s"].items())[-MAX_SESSIONS:]
                if float(left_s) > 0
            }
        except DAMAGE as error:
            self._log(f"{path} cannot be read ({type(error).__name__}): the console asks for the token again")
            return {}
