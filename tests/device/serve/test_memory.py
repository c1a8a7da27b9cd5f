"""Memory that was freed goes back to the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
from places import ROOT

CODE = """
import os, time
import numpy as np
from device.serve.memory import give_back, share_pools
def resident_mib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
share_pools()
before = resident_mib()
arrays = [np.ones(50_000, np.uint8) for _ in range(1_500)]
last = arrays[-1]  # what is still used at the end of the pool holds all that is free before it
del arrays
held = resident_mib()
start_s = time.perf_counter()
give_back()
print(held - before, resident_mib() - before, time.perf_counter() - start_s)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library gives back by its own rules")
def test_what_was_freed_is_given_back() -> None:
    """70 MiB that C's allocator held after they were freed are the system's again."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE], capture_output=True, text=True, check=True, cwd=ROOT
    )
    held, left, _ = map(float, done.stdout.split())
    assert held > 60
    assert left < 5
