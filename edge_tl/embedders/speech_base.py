"""A base of speech as `edge-tl-host convert speech` writes it: one folder, every file named and hashed.

base.tflite     the frozen convolutions: (1, 43, 232, 1) → (1, N), flattened
words.npz       what is above them, as arrays: dense (N, 2000) and its bias, then the head over the base's own words
words.tflite    all of it in one: the base's words from a window
speech.json     this description
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_tl.errors import ModelError
from edge_tl.files import write_synced
from edge_tl.media.frontend import BINS, FRAMES
from edge_tl.nn.network import Upper

FILE_NAME = "speech.json"
BASE, ARRAYS, WORDS = "base.tflite", "words.npz", "words.tflite"
FORMAT = 1
FRONT_END = "browser-fft"
NAMES = ("dense", "dense_bias", "head", "head_bias")
MOST_BYTES = 100_000_000


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
    made = io.BytesIO()
    np.savez(made, **{name: getattr(upper, name) for name in NAMES})
    files = {BASE: base, ARRAYS: made.getvalue(), WORDS: words}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    about = SpeechBase(sha256=hashes, **described)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).unlink(missing_ok=True)
            write_synced(folder / name, data)
        (folder / FILE_NAME).unlink(missing_ok=True)
        write_synced(folder / FILE_NAME, (json.dumps(asdict(about), indent=2) + "\n").encode())
    except OSError as error:
        raise ModelError(f"{folder}: cannot be written ({error.strerror}); choose another --out") from error
    return about


def read_base(folder: Path) -> tuple[SpeechBase, bytes, Upper]:
    """The description, the convolutions' .tflite and the arrays, checked; ModelError, one line, for anything else."""
    path = folder / FILE_NAME
    try:
        content = json.loads(_read(path))
        about = SpeechBase(**{**content, "labels": tuple(map(str, content["labels"]))})
        if about.format != FORMAT or about.front_end != FRONT_END:
            raise ModelError(f"{path}: is of format {about.format} and {about.front_end!r}; upgrade edge-tl")
        files = {name: _read(folder / name) for name in (BASE, ARRAYS)}
        for name, data in files.items():
            if hashlib.sha256(data).hexdigest() != about.sha256[name]:
                raise ModelError(f"{folder / name}: is not what {FILE_NAME} describes; convert or copy it again")
        with np.load(io.BytesIO(files[ARRAYS]), allow_pickle=False) as arrays:
            upper = Upper(*(np.asarray(arrays[name], np.float32) for name in NAMES))
    except ModelError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError, EOFError, AttributeError) as error:
        raise ModelError(f"{path}: is damaged ({' '.join(str(error).split())[:80]}); convert it again") from None
    units = len(upper.dense_bias)
    if upper.dense.shape[1:] != (units,) or upper.head.shape != (units, len(about.labels)):
        raise ModelError(f"{folder / ARRAYS}: its shapes do not fit together; convert it again")
    return about, files[BASE], upper


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}); a folder of `edge-tl-host convert speech` is wanted"
        ) from error
    if len(data) > MOST_BYTES:
        raise ModelError(f"{path}: is larger than {MOST_BYTES // 1_000_000} MB; no base of speech is")
    return data


WINDOW_SHAPE = (1, FRAMES, BINS, 1)
