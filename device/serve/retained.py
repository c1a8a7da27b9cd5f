"""Which topics of this device's the broker keeps a message of: what is not wanted any more must be cleared there.

The broker forgets none of them by itself, and of a pipeline that was renamed nobody else knows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from edge_tl.errors import ConfigError
from edge_tl.files import PRIVATE, read_limited, sync_folder, write_synced

FILE = "mqtt-topics.json"
MAX_BYTES = 1_000_000


class RetainedTopics:
    """The list, in the state folder; a list of another id came with a copied card, and is not ours to clear.

    fault: why it could not be written, in a line, else empty: the service tells all the same.
    """

    def __init__(self, data_dir: Path, id: str, first: Iterable[str] = ()) -> None:
        """first: where there is no list yet. ConfigError for a file that is no list."""
        self.path, self.id = data_dir / FILE, id
        self.fault = ""
        try:
            found = json.loads(read_limited(self.path, MAX_BYTES))
            theirs, topics = found["id"], found["topics"]
            if not isinstance(topics, list) or not all(isinstance(one, str) and one for one in topics):
                raise TypeError
        except FileNotFoundError:
            self.topics = set(first)
            self._write()
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            raise ConfigError(
                f"{self.path} is damaged: remove it; entities of pipelines that are gone stay at the broker then"
            ) from error
        else:
            self.topics = set(topics) if theirs == id else set()

    def add(self, topics: Iterable[str]) -> None:
        """These are about to be there too: on disk when this returns."""
        if not self.topics.issuperset(topics):
            self.topics |= set(topics)
            self._write()

    def keep(self, topics: Iterable[str]) -> None:
        """Only these are there now."""
        if self.topics != set(topics):
            self.topics = set(topics)
            self._write()

    def _write(self) -> None:
        text = json.dumps({"id": self.id, "topics": sorted(self.topics)}, ensure_ascii=False, indent=1)
        fresh = self.path.with_name(f".{FILE}.{os.getpid()}")
        try:
            fresh.unlink(missing_ok=True)
            write_synced(fresh, f"{text}\n".encode(), PRIVATE)
            os.replace(fresh, self.path)
            sync_folder(self.path.parent)
            self.fault = ""
        except OSError as error:
            self.fault = f"{self.path} cannot be written ({error.strerror or error})"
