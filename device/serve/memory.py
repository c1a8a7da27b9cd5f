"""The memory of the process: what was freed goes back to the system, where the allocator of C keeps it otherwise.

The allocator has a pool for each thread that ever asked while others did (M_ARENA_MAX), and gives back only what is
free at the end of one (malloc_trim(3) looks everywhere). A service whose clients and trainings come and go would hold
the most that was ever used at once, in each pool.
"""

from __future__ import annotations

import ctypes

POOLS = 2
"""One for the loop, which recognizes and learns, one for all threads that only hand over."""
_M_ARENA_MAX = -8  # malloc.h of glibc


def share_pools() -> None:
    """Have all threads that begin from now on share POOLS; nothing where the C library is not glibc."""
    if _GLIBC is not None:
        _GLIBC.mallopt(_M_ARENA_MAX, POOLS)


def give_back() -> None:
    """Give what is free back to the system; some milliseconds. Nothing where the C library is not glibc."""
    if _GLIBC is not None:
        _GLIBC.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    library = ctypes.CDLL(None)
    try:
        library.mallopt.argtypes, library.mallopt.restype = [ctypes.c_int, ctypes.c_int], ctypes.c_int
        library.malloc_trim.argtypes, library.malloc_trim.restype = [ctypes.c_size_t], ctypes.c_int
    except AttributeError:
        return None
    return library


_GLIBC = _glibc()
