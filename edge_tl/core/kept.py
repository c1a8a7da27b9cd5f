"""How an embedding is kept: rounded, so that what is learned now is learned again after a restart; zeros for none."""

from __future__ import annotations

import zlib

import numpy as np

from edge_tl.errors import ShapeError

_FLOAT16_MAX = 65504.0  # largest finite float16, IEEE 754-2008
_FLOAT16_LOSS = 2.0**-10  # of the vector's length; normal float16 numbers lose at most half of that


def pack(embedding: np.ndarray) -> tuple[str, bytes]:
    """An embedding as (dtype, bytes), dtype `<f2` or `<f4`.

    embedding: (D,) floats, finite, D >= 1; ShapeError otherwise. float16 is taken where each |x| < 65504 and the
    rounding moves the vector by at most 1/1024 of its length (tiny values underflow), float32 elsewhere.
    """
    x = np.asarray(embedding)
    if x.ndim != 1 or not x.size or x.dtype.kind not in "fiu":
        raise ShapeError(f"got an embedding {x.dtype} {x.shape}: a vector of floats (D,) is wanted")
    with np.errstate(over="ignore"):  # beyond float32 is inf, which the next line names
        x = x.astype("<f4")
    largest = float(np.abs(x).max())  # NaN and inf propagate
    if not np.isfinite(largest):
        raise ShapeError("an embedding holds NaN or infinite values: check the model and its pixel scaling")
    if largest < _FLOAT16_MAX:
        half = x.astype("<f2")
        # Scaled by the largest value, squares neither under- nor overflow.
        scaled = x / largest if largest else x
        loss = (half.astype(np.float32) - x) / largest if largest else np.zeros_like(x)
        if np.linalg.norm(loss) <= _FLOAT16_LOSS * np.linalg.norm(scaled):
            return "<f2", half.tobytes()
    return "<f4", x.tobytes()


def unpack(dtype: str, data: bytes) -> np.ndarray:
    """The embedding, float32 (D,), a new array, from what `pack` returned."""
    return np.frombuffer(data, dtype).astype(np.float32)


def checksum(fingerprint: str, dtype: str, packed: bytes) -> int:
    """The CRC-32 that is stored beside a packed embedding, of all that decides what it means."""
    return zlib.crc32(packed, zlib.crc32(f"{fingerprint} {dtype}".encode()))


def as_stored(embedding: np.ndarray) -> np.ndarray:
    """The embedding as the store will give it back: float32 (D,), rounded to float16 where that fits.

    Whoever trains on an embedding while it is being stored rounds it with this first, so that training again after
    a restart gives the same head. Rounding twice changes nothing. ShapeError as in `pack`.
    """
    return unpack(*pack(embedding))


def as_kept(embedding: np.ndarray | None, dim: int) -> np.ndarray:
    """What the store keeps of an embedding: itself, or zeros float32 (dim,) for None, where nothing was found."""
    return np.zeros(dim, np.float32) if embedding is None else embedding


def from_kept(row: np.ndarray) -> np.ndarray | None:
    """The embedding that was kept so (D,), of what something is looked for in: None for the zeros that stand for it."""
    return row if row.any() else None


def kept_found(X: np.ndarray) -> np.ndarray:
    """bool (N,): which kept embeddings (N, D) of something that is looked for are one, and not `as_kept` of None."""
    return np.asarray(X.any(axis=1))
