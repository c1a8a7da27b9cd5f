"""Files that people bring and that are not read: what each is, and what to do with it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from edge_tl.media.kinds import ending

_ARRAYS = "holds arrays, which do not say what is in them: save each picture as CLASS/NUMBER.png"
_TABLE = (
    "is a table of Hugging Face's `datasets`, which is not read: load it there and save each picture as "
    "CLASS/NUMBER.png, or each sound as CLASS/NUMBER.wav"
)
_RECORDS = "holds TensorFlow's records, which are not read: export the data set in another format, such as COCO or YOLO"
_PICKLE = "is a Python pickle, which may run anything and is never read: save each picture as CLASS/NUMBER.png"
_SHEET = "is a spreadsheet: save the list in it as CSV"
_MODEL = (
    "is a model, and no examples: `edge-tl teach --model FILE` takes a .tflite file, docs/models.md tells the others"
)
_TEXT = "is plain text, in which nothing says which column is what: a CSV with a first line `file,label` is wanted"
NOT_READ: dict[str, str] = {
    **dict.fromkeys((".parquet", ".arrow", ".feather"), _TABLE),
    **dict.fromkeys((".tfrecord", ".tfrecords", ".record"), _RECORDS),
    **dict.fromkeys((".npz", ".npy", ".mat", ".hdf5", ".idx"), _ARRAYS),
    **dict.fromkeys((".pkl", ".pickle"), _PICKLE),
    **dict.fromkeys((".xlsx", ".xls", ".ods"), _SHEET),
    **dict.fromkeys((".tflite", ".onnx", ".h5", ".keras", ".pb", ".pt", ".pth", ".mlmodel"), _MODEL),
    ".cbor": "is a sample in Edge Impulse's own format: upload WAV or pictures there, or export them as such",
    ".txt": _TEXT,
}
"""Ending → what is said of such a file."""
_NAMES = {
    "model.json": "is a model of TensorFlow.js, and no examples: `edge-tl-host convert teachable` takes its folder"
}
ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".tbz2", ".txz", ".7z", ".rar"})
"""Endings of archives; `.tar.gz` is one too."""


def not_read(file: PurePath) -> str:
    """What is said of a file that is known and not read; empty for any other."""
    if file.name in _NAMES:
        return _NAMES[file.name]
    if file.name.endswith(("-ubyte", "-ubyte.gz")):  # MNIST's
        return _ARRAYS
    return NOT_READ.get(ending(file), "")


def first_not_read(files: Iterable[PurePath]) -> str:
    """The first of these files that is known and not read, and what is said of it; empty where there is none."""
    # A text or an array among others is mostly a note: what a model or a table is tells more.
    told = [(file, said) for file in files if (said := not_read(file))]
    told.sort(key=lambda one: one[1] in (_TEXT, _ARRAYS))
    return f"{told[0][0]} {told[0][1]}" if told else ""


def is_archive(file: PurePath) -> bool:
    """Whether a file's name is that of an archive."""
    return ending(file) in ARCHIVES or file.name.lower().endswith((".tar.gz", ".tar.bz2", ".tar.xz"))
