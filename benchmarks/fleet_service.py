"""A real `edge-tl serve` whose simulated player shows one picture a second (`proof_fleet`).

Twenty services that look at 30 pictures a second each would want more processors than are there; nothing else is
otherwise than in an installed service.
"""

from __future__ import annotations

import sys
from typing import Any

import device.sources.choose
from device.commands.main import main
from edge_tl.sources.simulated import SimulatedPlayer


class SlowPlayer(SimulatedPlayer):
    """The simulated player, thinned."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **{**named, "fps": 1.0})


if __name__ == "__main__":
    device.sources.choose.SimulatedPlayer = SlowPlayer  # type: ignore[misc]
    sys.exit(main())
