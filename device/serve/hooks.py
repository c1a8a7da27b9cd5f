"""Commands that are run when a label comes: argument vectors from the configuration, never a shell."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import Any

from device.serve.config import HookConfig
from device.serve.event import LabelEvent
from edge_tl.errors import counted

MAX_WAITING = 20
"""Commands that wait for the one that runs; more are dropped and counted: a slow command must not pile up."""


class Hooks:
    """An Output that runs commands one after the other, in a thread of its own.

    log: takes which program failed, and a line.
    """

    name = "hooks"

    def __init__(self, hooks: Sequence[HookConfig], log: Callable[[str, str], None]) -> None:
        self.hooks, self._log = hooks, log
        self.ran = self.failed = self.dropped = 0
        self._error = ""
        self._waiting: queue.Queue[tuple[HookConfig, LabelEvent] | None] = queue.Queue(MAX_WAITING)
        self._running: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="edge-tl hooks", daemon=True)

    def start(self) -> None:
        """Begin to wait for events."""
        self._thread.start()

    def publish(self, event: LabelEvent) -> None:
        """Line up the commands for this event."""
        for hook in self.hooks:
            wanted = hook.label in ("*", event.label) and event.label is not None
            if wanted and hook.source in (None, event.source):
                try:
                    self._waiting.put_nowait((hook, event))
                except queue.Full:
                    self.dropped += 1
                    self._error = (
                        f"{counted(self.dropped, 'command was', 'commands were')} dropped: the ones before take too "
                        "long"
                    )

    def health(self) -> dict[str, Any]:
        """How many ran, failed and were dropped."""
        return {"state": "ok", "ran": self.ran, "failed": self.failed, "dropped": self.dropped, "error": self._error}

    def stop(self) -> None:
        """Run nothing more; the command that runs is killed."""
        self._stopping = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()
        self._waiting.put(None)
        running = self._running
        if running is not None:
            running.kill()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            self._run(*item)

    def _run(self, hook: HookConfig, event: LabelEvent) -> None:
        filled = {"{label}": str(event.label), "{confidence}": f"{event.confidence:.3f}", "{source}": event.source}
        filled |= {"{start}": _seconds(event.start), "{end}": _seconds(event.end)}
        arguments = [_fill(word, filled) for word in hook.run]
        if _option(hook.run, arguments):
            self._tell(
                hook, f'{hook.run[0]} was not run: {event.label!r} would be read as an option; put "--" before it'
            )
            return
        try:
            with subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as self._running:
                try:
                    if self._stopping:  # asked for while it was being started
                        self._running.kill()
                    code = self._running.wait(hook.timeout_s)
                except subprocess.TimeoutExpired:
                    self._running.kill()
                    code = None
        except (OSError, ValueError) as error:
            self._tell(hook, f"{hook.run[0]} cannot be run ({error}): check [[hooks]]")
            return
        finally:
            self._running = None
        self.ran += 1
        if self._stopping:
            return
        if code is None:
            self._tell(hook, f"{hook.run[0]} was killed after {hook.timeout_s:g} s")
        elif code:
            self._tell(hook, f"{hook.run[0]} ended with exit code {code}")

    def _tell(self, hook: HookConfig, line: str) -> None:
        self.failed += 1
        self._error = line
        self._log(hook.run[0], f"hook: {line}")


def _option(words: Sequence[str], filled: Sequence[str]) -> bool:
    """Whether something that was filled in became an option: labels are given by whoever uses the console."""
    for word, argument in zip(words, filled, strict=True):
        if word == "--":
            return False
        if argument.startswith("-") and not word.startswith("-"):
            return True
    return False


def _seconds(time_s: float | None) -> str:
    """Seconds since 1970; empty of what has no such time."""
    return "" if time_s is None else f"{time_s:.3f}"


def _fill(word: str, values: dict[str, str]) -> str:
    """A word with its places filled in; what is filled in is not looked at again."""
    for place, value in values.items():
        if place in word:
            before, _, after = word.partition(place)
            return _fill(before, values) + value + _fill(after, values)
    return word
