"""A base of speech as `edge-tl-host convert speech` writes it: one folder, every file named and hashed.

base.tflite     the frozen convolutions: (1, 43, 232, 1) → (1, N), flattened
words.npz       what is above them, as arrays: dense (N, 2000) and its bias, then the head over the base's own words
words.tflite    all of it in one: the base's words from a window
speech.json     this description
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from edge_tl.core.archive import packed_arrays
from edge_tl.core.hashed_folder import HashedFolder, hashes
from edge_tl.errors import ModelError
from edge_tl.media.frontend import BINS, FRAMES
from edge_tl.nn.network import Upper

FILE_NAME = "speech.json"
BASE, ARRAYS, WORDS = "base.tflite", "words.npz", "words.tflite"
FORMAT = 1
FRONT_END = "browser-fft"
NAMES = ("dense", "dense_bias", "head", "head_bias")
FOLDER = HashedFolder(FILE_NAME, FORMAT, 100_000_000, "a folder of `edge-tl-host convert speech`", "convert it again")


@dataclass(frozen=True)
class SpeechBase:
    """What the folder says of itself."""

    name: str
    labels: tuple[str, ...]
    """The base's own words, in the order of its outputs."""
    sha256: dict[str, str]
    """File → the SHA-256 of its bytes, in hex."""
    weights: dict[str, str]
    """Where they come from: origin, licence, sha256."""
    tools: dict[str, str]
    front_end: str = FRONT_END
    format: int = FORMAT

    @property
    def fingerprint(self) -> str:
        """Changes with the frozen convolutions, with what is above them, and with the front-end."""
        parts = (self.front_end, self.sha256[BASE], self.sha256[ARRAYS])
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def write_base(folder: Path, base: bytes, words: bytes, upper: Upper, described: dict[str, Any]) -> SpeechBase:
    """Write the folder, the description last, so that it never names half a file; ModelError where it cannot be."""
    arrays = packed_arrays({name: getattr(upper, name) for name in NAMES})
    files = {BASE: base, ARRAYS: arrays, WORDS: words}
    about = SpeechBase(sha256=hashes(files), **described)
    FOLDER.write(folder, files, asdict(about), ())
    return about


def read_base(folder: Path) -> tuple[SpeechBase, bytes, Upper]:
    """The description, the convolutions' .tflite and the arrays, checked; ModelError, one line, for anything else."""
    with FOLDER.guarded(folder):
        about = SpeechBase(**FOLDER.described(folder))
        if about.front_end != FRONT_END:
            raise ModelError(f"{folder / FILE_NAME}: is of {about.front_end!r}; upgrade edge-tl")
        about = replace(about, labels=tuple(map(str, about.labels)))
        base = FOLDER.file(folder, BASE, about.sha256)
        arrays = FOLDER.arrays(folder, ARRAYS, about.sha256, NAMES)
        upper = Upper(*(arrays[name] for name in NAMES))
        units = len(upper.dense_bias)
        if upper.dense.shape[1:] != (units,) or upper.head.shape != (units, len(about.labels)):
            raise ModelError(f"{folder / ARRAYS}: its shapes do not fit together; convert it again")
    return about, base, upper


WINDOW_SHAPE = (1, FRAMES, BINS, 1)
