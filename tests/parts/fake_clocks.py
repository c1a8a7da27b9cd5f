"""Both clocks of a machine, in a test's hands: one that runs on, and one on the wall that somebody sets."""

from __future__ import annotations

from edge_tl.store.moments import BEGUN_S, Moment

SET_S = BEGUN_S + 86_400.0
"""A time that a clock which is set may show."""


class FakeClocks:
    """Stand still until they are told: call it for the moment."""

    def __init__(self, wall_s: float = SET_S, boot: str = "first", boot_s: float = 0.0) -> None:
        self.wall_s, self.boot, self.boot_s = wall_s, boot, boot_s

    def __call__(self) -> Moment:
        return Moment(self.wall_s, self.boot, self.boot_s)

    def advance(self, elapsed_s: float) -> None:
        """Let time pass, on both."""
        self.wall_s += elapsed_s
        self.boot_s += elapsed_s

    def jump(self, to_s: float) -> None:
        """Somebody sets the clock on the wall."""
        self.wall_s = to_s

    def reboot(self, boot: str, wall_s: float) -> None:
        """Another boot, with what its wall clock shows at its beginning."""
        self.boot, self.boot_s, self.wall_s = boot, 0.0, wall_s
