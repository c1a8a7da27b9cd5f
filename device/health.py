"""What a running service says of itself, asked at its socket."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from edge_tl.errors import ConfigError


def ask_health(path: Path, timeout_s: float = 5.0) -> dict[str, Any]:
    """What the service at this socket says of itself; ConfigError (one line) where none answers."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(timeout_s)
            client.connect(str(path))
            client.sendall(b"health\n")
            for line in client.makefile("rb"):
                answer = json.loads(line)
                if isinstance(answer, dict) and "status" in answer:  # events come in between
                    return answer
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"no service answers at {path} ({reason}): start one with `edge-tl serve`") from error
    raise ConfigError(f"the service at {path} gave no answer: look into its log")
