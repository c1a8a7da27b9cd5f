"""The high score: one small JSON file, written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from edge_tl.errors import ConfigError


class HighScore:
    """The best score of each maze, kept in a file."""

    def __init__(self, path: Path) -> None:
        """path: of the JSON file; it need not exist, and one that cannot be understood counts as empty."""
        self._path = path
        self._best: dict[str, int] = {}
        try:
            scores = json.loads(path.read_text(encoding="utf-8"))
            self._best = {str(maze): int(score) for maze, score in scores.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            pass  # no game was ever refused because of a spoilt high score

    def best(self, maze: str) -> int:
        """The best score in the maze of that name; 0 if there is none."""
        return self._best.get(maze, 0)

    def record(self, maze: str, score: int) -> bool:
        """Keep a score if it is the best one of its maze; True if it is. Raises ConfigError if it cannot be written."""
        if score <= self.best(maze):
            return False
        self._best[maze] = score
        temporary = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self._path.parent, delete=False, encoding="utf-8") as file:
                temporary = file.name
                json.dump(self._best, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path)
        except OSError as error:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)
            raise ConfigError(
                f"the high score {score} could not be written to {self._path}: {error.strerror}; check the data folder"
            ) from error
        return True
